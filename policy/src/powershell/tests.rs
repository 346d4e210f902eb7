//! What is read, what is refused and where, and how long it takes.

use super::*;
use crate::command::Argument;
use crate::value::{Number, NumberKind, Secure, SecureKind, Spelling, Value};
use Construct as C;

/// A pipeline in short: commands and their arguments, names with `=` before their values.
fn shape(text: &str) -> String {
    match parse(text, &Bindings::default()) {
        Ok(pipeline) => written(&pipeline),
        Err(refusal) => format!("{:?} at {}", refusal.construct, refusal.place),
    }
}

fn written(pipeline: &Pipeline) -> String {
    let argument = |argument: &Argument| match (&argument.name, &argument.value) {
        (Some(name), Value::Null) if !name.contains(':') => format!("<{name}>"),
        (Some(name), value) => format!("<{name}={}>", of_value(value)),
        (None, value) => format!("<{}>", of_value(value)),
    };
    let command = |command: &crate::command::Command| {
        let arguments: String = command.arguments.iter().map(argument).collect();
        format!("{}{arguments}", command.name)
    };
    pipeline.iter().map(command).collect::<Vec<_>>().join(" | ")
}

fn of_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => format!("{:?} {}", number.kind, number.text),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", items.iter().map(of_value).collect::<Vec<_>>().join(",")),
        Value::Secure(_) => "secure".to_owned(),
        Value::Opaque(_) => "opaque".to_owned(),
    }
}

#[test]
fn one_pipeline_of_constant_commands_is_read() {
    for (text, expected) in [
        ("Get-Service", "Get-Service"),
        (" \t\r\nGet-Service \n\r ", "Get-Service"),
        ("Get-Service Spooler", r#"Get-Service<"Spooler">"#),
        ("Get-Service -Name Spooler -Force", r#"Get-Service<-Name><"Spooler"><-Force>"#),
        ("Get-Service -Name:Spooler", r#"Get-Service<-Name:="Spooler">"#),
        ("Get-Service -Name: \tSpooler", r#"Get-Service<-Name: ="Spooler">"#),
        ("Get-Service -Name:a, b", r#"Get-Service<-Name:=["a","b"]>"#),
        ("x 'it''s' \"a\"\"b\" \"it's\" 'a\"b' '' 'a\r\nb'", r#"x<"it's"><"a\"b"><"it's"><"a\"b"><""><"a\r\nb">"#),
        ("x $TRUE $False $null", "x<true><false><null>"),
        ("x a,\r\n 'b' , 5,$null", r#"x<["a","b",Int32 5,null]>"#),
        ("a | b -x |\n\n c | % Name | foreach Name", r#"a | b<-x> | c | %<"Name"> | foreach<"Name">"#),
        ("Module\\Get-X C:\\a.txt \\\\fs\\x .\\y ..", r#"Module\Get-X<"C:\\a.txt"><"\\\\fs\\x"><".\\y"><"..">"#),
        ("Get-部署一覧 -詳細 営業部 café", r#"Get-部署一覧<-詳細><"営業部"><"café">"#),
        (
            "x a=b user@corp.example a#b 100% a?b [a-z]* if",
            r#"x<"a=b"><"user@corp.example"><"a#b"><"100%"><"a?b"><"[a-z]*"><"if">"#,
        ),
        ("x -5 -1.5 +5 - --x -= -.5", r#"x<"-5"><"-1.5"><"+5"><"-"><"--x"><"-="><"-.5">"#),
        ("x 'a;b' '$(1)' '`n' \"#no\" '|' '’’' \"’\" '“'", r##"x<"a;b"><"$(1)"><"`n"><"#no"><"|"><"’"><"’"><"“">"##),
        ("7z.exe a", r#"7z.exe<"a">"#),
    ] {
        assert_eq!(shape(text), expected, "{text:?}");
    }
}

/// Texts, what they are refused for, and where.
const REFUSED: &[(&str, Construct, usize)] = &[
    ("", C::Empty, 0),
    (" \r\n\t", C::Empty, 0),
    ("a; b", C::Statements, 1),
    ("a x;", C::Statements, 3),
    ("a 'x'; b", C::Statements, 5),
    ("a $true; b", C::Statements, 7),
    ("a\nb", C::Statements, 2),
    ("a\rb", C::Statements, 2),
    ("受 x\r\n\r\n b", C::Statements, 8),
    ("a && b", C::Chain, 2),
    ("a || b", C::Chain, 2),
    ("a x&&b", C::Chain, 3),
    ("a &", C::Background, 2),
    ("a x&", C::Background, 3),
    ("& 'a' x", C::CallOperator, 0),
    ("a | & b", C::CallOperator, 4),
    (". a", C::DotSource, 0),
    (".'a'", C::DotSource, 0),
    ("a |", C::MissingCommand, 3),
    ("| a", C::MissingCommand, 0),
    ("a | | b", C::MissingCommand, 4),
    ("a\n| b", C::MissingCommand, 2),
    ("a # x", C::Comment, 2),
    ("# x\na", C::Comment, 0),
    ("a <# x #>", C::Comment, 2),
    ("a\n#x", C::Comment, 2),
    ("a { b }", C::ScriptBlock, 2),
    ("a x{ b }", C::ScriptBlock, 3),
    ("a (b)", C::Parentheses, 2),
    ("a -x:(b)", C::Parentheses, 5),
    ("a $(b)", C::Subexpression, 2),
    ("a x$(b)", C::Subexpression, 3),
    ("a \"x$(b)\"", C::Subexpression, 4),
    ("a @(1)", C::ArrayExpression, 2),
    ("a @{x=1}", C::Hashtable, 2),
    ("a @x", C::Splatting, 2),
    ("a @'\nx\n'@", C::HereString, 2),
    ("a $x", C::Variable, 2),
    ("a $_", C::Variable, 2),
    ("a $env:x", C::Variable, 2),
    ("a $$", C::Variable, 2),
    ("a ${x}", C::Variable, 2),
    ("a $using:x", C::UsingVariable, 2),
    ("a \"$x\"", C::Expansion, 3),
    ("a \"$\"", C::Expansion, 3),
    ("a x$", C::Expansion, 3),
    ("$x = a", C::Assignment, 0),
    ("$x=a", C::Assignment, 2),
    ("$x += a", C::Assignment, 0),
    ("$x | a", C::Expression, 0),
    ("'x' | a", C::Expression, 0),
    ("5", C::Expression, 0),
    ("a | 5", C::Expression, 4),
    ("[int]5", C::Expression, 0),
    ("a 'x'.Length", C::MemberAccess, 5),
    ("a $true.x", C::MemberAccess, 7),
    ("a 'x'[0]", C::MemberAccess, 5),
    ("a > x", C::Redirection, 2),
    ("a 2>&1", C::Redirection, 3),
    ("a x>y", C::Redirection, 3),
    ("a *>x", C::Redirection, 3),
    ("a < x", C::Redirection, 2),
    ("if x", C::Keyword, 0),
    ("if($true) { a }", C::Keyword, 0),
    ("foreach ($x in 1) { a }", C::Keyword, 0),
    ("try{ a }", C::Keyword, 0),
    ("EXIT", C::Keyword, 0),
    ("foreach x", C::Keyword, 0),
    ("using module x\na", C::Keyword, 0),
    ("param($x) a $x", C::ParameterBlock, 0),
    ("a `\n b", C::Backtick, 2),
    ("a x`y", C::Backtick, 3),
    ("a \"x`n\"", C::Backtick, 4),
    ("a --% x", C::VerbatimArgument, 2),
    ("a '--%'", C::VerbatimArgument, 2),
    ("a x,\"--%\"", C::VerbatimArgument, 4),
    ("a -x:'--%'", C::VerbatimArgument, 5),
    ("a -- x", C::EndOfParameters, 2),
    ("a -?", C::HelpSwitch, 2),
    ("a –x", C::TypographicDash, 2),
    ("a—b", C::TypographicDash, 1),
    ("a ‘x’", C::TypographicQuote, 2),
    ("a 'x’", C::TypographicQuote, 4),
    ("a 'x’; b'", C::TypographicQuote, 4),
    ("a 'x‘’y'", C::TypographicQuote, 4),
    ("a 'x'’y'", C::TypographicQuote, 4),
    ("a \"x”", C::TypographicQuote, 4),
    ("a x\u{a0}y", C::TypographicBlank, 3),
    ("a\u{3000}y", C::TypographicBlank, 1),
    ("a\u{85}b", C::TypographicBlank, 1),
    ("a\u{b}b", C::TypographicBlank, 1),
    ("a\u{2028}b", C::TypographicBlank, 1),
    ("\u{feff}a", C::InvisibleCharacter, 0),
    ("a\0", C::InvisibleCharacter, 1),
    ("a x\u{200b}y", C::InvisibleCharacter, 3),
    ("a -\u{200d}x", C::InvisibleCharacter, 3),
    ("a 'x", C::UnclosedQuote, 2),
    ("a \"x", C::UnclosedQuote, 2),
    ("a x'y'", C::QuoteInWord, 3),
    ("a 'x'y", C::QuoteInWord, 5),
    ("a 'x'-y", C::QuoteInWord, 5),
    ("a $true'x'", C::QuoteInWord, 7),
    ("a ]x", C::Unexpected, 2),
    ("-a x", C::CommandName, 0),
    ("~ x", C::CommandName, 0),
    ("1.2 x", C::Expression, 0),
    ("7-x y", C::CommandName, 0),
    ("7kb-x y", C::CommandName, 0),
    ("a -x.y", C::ParameterName, 2),
    ("a -x[0]", C::ParameterName, 2),
    ("a -Ⓐ", C::ParameterName, 2),
    ("a -𝒜", C::ParameterName, 2),
    ("a -x:", C::MissingValue, 5),
    ("a -x: | b", C::MissingValue, 6),
    ("a -x:\ny", C::MissingValue, 5),
    ("a -x: -y", C::MissingValue, 6),
    ("a ,x", C::LoneComma, 2),
    ("a x,", C::LoneComma, 4),
    ("a x,,y", C::LoneComma, 4),
    ("a -x,y", C::LoneComma, 4),
    ("a x, -y", C::ParameterInList, 5),
    ("a 1u", C::Number, 2),
    ("a 0x1FFFFFFFF", C::Number, 2),
];

#[test]
fn everything_else_is_refused_with_its_place() {
    for (text, construct, place) in REFUSED {
        assert_eq!(shape(text), format!("{construct:?} at {place}"), "{text:?}");
    }
}

#[test]
fn a_place_is_given_for_people_too() {
    let refusal = parse("Get-A |\r\n  Get-受注 \"a\" ; x", &Bindings::default()).unwrap_err();
    assert_eq!((refusal.place, refusal.line, refusal.column), (22, 2, 14));
    assert_eq!(
        refusal.to_string(),
        "a second statement (line 2, character 14) is refused: send each pipeline as a command of its own"
    );
}

#[test]
fn numbers_have_the_type_and_value_that_powershell_gives_them() {
    for (text, kind, value, spelling) in [
        ("5", NumberKind::Int32, "5", Spelling::Plain),
        ("007", NumberKind::Int32, "7", Spelling::Plain),
        ("2147483648", NumberKind::Int64, "2147483648", Spelling::Plain),
        ("9223372036854775808", NumberKind::Decimal, "9223372036854775808", Spelling::Plain),
        ("1.50", NumberKind::Double, "1.5", Spelling::Plain),
        (".5", NumberKind::Double, "0.5", Spelling::Plain),
        ("5.", NumberKind::Double, "5", Spelling::Plain),
        ("1e3", NumberKind::Double, "1000", Spelling::Marked),
        ("1e16", NumberKind::Double, "10000000000000000", Spelling::Marked),
        ("1e17", NumberKind::Double, "1E+17", Spelling::Marked),
        ("0.0001", NumberKind::Double, "0.0001", Spelling::Plain),
        ("0.00001", NumberKind::Double, "1E-05", Spelling::Plain),
        ("1kb", NumberKind::Int32, "1024", Spelling::Marked),
        ("3GB", NumberKind::Int64, "3221225472", Spelling::Marked),
        ("0x1F", NumberKind::Int32, "31", Spelling::Marked),
        ("0xFFFFFFFF", NumberKind::Int32, "-1", Spelling::Marked),
        ("10l", NumberKind::Int64, "10", Spelling::Marked),
        ("1.50d", NumberKind::Decimal, "1.50", Spelling::Marked),
    ] {
        let Value::Number(number) =
            parse(&format!("x {text}"), &Bindings::default()).unwrap()[0].arguments[0].value.clone()
        else {
            panic!("{text} is no number");
        };
        assert_eq!((number.kind, number.text.as_str(), number.spelling), (kind, value, spelling), "{text}");
    }
    for word in
        ["1a", "10.0.0.1", "12:30", "2026-11-23", "1..3", "1_0", "1e", "1e+", "0xg", "1kbl", "1f", "5..", "1.2.3"]
    {
        assert_eq!(shape(&format!("x {word}")), format!("x<{word:?}>"));
    }
    for word in [
        "1u",
        "1ul",
        "1y",
        "1n",
        "1s",
        "0b1",
        "0b",
        "0x",
        "0x123456789",
        "1lkb",
        "1.5kb",
        "1e3kb",
        "1e400",
        "1e3d",
        "0x1kb",
    ] {
        assert_eq!(shape(&format!("x {word}")), "Number at 2", "{word}");
    }
    let many = "9".repeat(29);
    assert_eq!(shape(&format!("x {many}")), "Number at 2");
}

#[test]
fn reading_alone_takes_a_verbatim_argument_where_powershell_reads_on_as_usual() {
    let of = |text: &str| read(text).map(|pipeline| written(&pipeline)).map_err(|refusal| refusal.construct);
    assert_eq!(of("a '--%' b -c"), Ok(r#"a<"--%"><"b"><-c>"#.to_owned()));
    assert_eq!(of("a -x '--%'|b"), Ok(r#"a<-x><"--%"> | b"#.to_owned()));
    assert_eq!(of("a x,'--%' -c"), Ok(r#"a<["x","--%"]><-c>"#.to_owned()));
    assert_eq!(of("a '--%' -c"), Err(C::VerbatimArgument));
    assert_eq!(of("a '--%',x -c"), Err(C::VerbatimArgument));
    assert_eq!(of("a --% b"), Err(C::VerbatimArgument));
}

fn bindings() -> Bindings {
    Bindings {
        using: vec![
            ("Name".to_owned(), Value::text("$(x)")),
            ("twice".to_owned(), Value::int(1)),
            ("TWICE".to_owned(), Value::int(2)),
        ],
        arguments: Vec::new(),
    }
}

fn bound(text: &str, arguments: Vec<Argument>) -> Result<String, Construct> {
    let bindings = Bindings { arguments, ..bindings() };
    parse(text, &bindings).map(|pipeline| written(&pipeline)).map_err(|refusal| refusal.construct)
}

#[test]
fn using_names_stand_for_constants_as_whole_arguments_only() {
    let of = |text: &str| bound(text, Vec::new());
    assert_eq!(of("a $using:name"), Ok(r#"a<"$(x)">"#.to_owned()));
    assert_eq!(of("a -x:$USING:NAME -y $using:Name"), Ok(r#"a<-x:="$(x)"><-y><"$(x)">"#.to_owned()));
    assert_eq!(of("a $using:other"), Err(C::UsingVariable));
    assert_eq!(of("a $using:twice"), Err(C::UsingVariable), "two values for one name");
    assert_eq!(of("a x,$using:name"), Err(C::PartialArgument));
    assert_eq!(of("a $using:name,x"), Err(C::PartialArgument));
    assert_eq!(of("a \"$using:name\""), Err(C::Expansion));
    assert_eq!(of("a $using:name.x"), Err(C::MemberAccess));
    assert_eq!(of("a x$using:name"), Err(C::Expansion));
    assert_eq!(of("$using:name a"), Err(C::Expression));
    assert_eq!(of("a $name"), Err(C::Variable));
    assert_eq!(of("a $env:name"), Err(C::Variable));
}

#[test]
fn parameters_stand_for_their_arguments() {
    let text = |text: &str| Argument::positional(Value::text(text));
    let named = |name: &str, value| Argument::named(name, value);
    assert_eq!(bound("param($n) a $N", vec![text("x")]), Ok(r#"a<"x">"#.to_owned()));
    assert_eq!(
        bound(" \nPARAM (\n $n ,\t[int] $m\n)\na $m -x $n", vec![text("x"), Argument::positional(Value::int(5))]),
        Ok(r#"a<Int32 5><-x><"x">"#.to_owned())
    );
    assert_eq!(
        bound("param($n,$m) a $n $m", vec![text("x"), named("N", Value::Null)]),
        Ok(r#"a<null><"x">"#.to_owned())
    );
    for (text_, arguments, why) in [
        ("a", vec![text("x")], C::UnusedArguments),
        ("param($n) a $n", vec![], C::ParameterBlock),
        ("param() a", vec![text("x")], C::ParameterBlock),
        ("param($n) a $n", vec![text("x"), text("y")], C::ParameterBinding),
        ("param($n,$m) a $n", vec![text("x")], C::ParameterBinding),
        ("param($n) a $n", vec![named("na", Value::Null)], C::ParameterBinding),
        ("param($n) a $n", vec![named("n", Value::Null), named("N", Value::Null)], C::ParameterBinding),
        ("param($n,$N) a $n", vec![text("x"), text("y")], C::ParameterBlock),
        ("param($n = 'x') a $n", vec![text("x")], C::ParameterBlock),
        ("param([Parameter()]$n) a $n", vec![text("x")], C::ParameterBlock),
        ("param([string][x]$n) a $n", vec![text("x")], C::ParameterBlock),
        ("param($n a $n", vec![text("x")], C::ParameterBlock),
        ("param($args) a $args", vec![text("x")], C::ParameterBlock),
        ("param($true) a $true", vec![text("x")], C::ParameterBlock),
        ("param($ErrorActionPreference) a", vec![text("x")], C::ParameterBlock),
        ("param($using:n) a $n", vec![text("x")], C::ParameterBlock),
        ("param([int]$n) a $n", vec![text("5")], C::ParameterBinding),
        ("param([string[]]$n) a $n", vec![text("5")], C::ParameterBinding),
        ("param([switch]$n) a $n", vec![Argument::positional(Value::Bool(true))], C::ParameterBinding),
        ("param($n) a x,$n", vec![text("x")], C::PartialArgument),
        ("param($n) a $n", vec![text("--%")], C::VerbatimArgument),
        ("param($n); a $n", vec![text("x")], C::Statements),
        ("param($n) param($m) a $n", vec![text("x")], C::Keyword),
    ] {
        assert_eq!(bound(text_, arguments), Err(why), "{text_}");
    }
}

#[test]
fn a_type_passes_the_values_that_have_it_already() {
    let secret = |kind| Value::Secure(Secure { kind, handle: 1 });
    let texts = Value::List(vec![Value::text("a"), Value::text("b")]);
    let long = Value::Number(Number { kind: NumberKind::Int64, text: "5".to_owned(), spelling: Spelling::Plain });
    for (kind, value) in [
        ("string", Value::text("a")),
        ("System.String", Value::text("a")),
        ("string[]", texts.clone()),
        ("object", Value::Null),
        ("object[]", texts.clone()),
        ("array", texts),
        ("bool", Value::Bool(true)),
        ("int", Value::int(1)),
        ("int[]", Value::List(vec![Value::int(1)])),
        ("long", long.clone()),
        ("SecureString", secret(SecureKind::SecureString)),
        ("pscredential", secret(SecureKind::Credential { user: "u".to_owned() })),
    ] {
        let text = format!("param([{kind}]$n) a $n");
        let read = |value: &Value| bound(&text, vec![Argument::positional(value.clone())]);
        assert!(read(&value).is_ok(), "{kind}");
        if kind != "object" {
            assert_eq!(read(&Value::Null), Err(C::ParameterBinding), "{kind}");
        }
        if kind != "object" && kind != "long" {
            assert_eq!(read(&long), Err(C::ParameterBinding), "{kind}");
        }
    }
}

#[test]
fn a_long_constant_cannot_be_used_without_end() {
    let big = vec![Argument::positional(Value::text("x".repeat(limits::SUBSTITUTED_BYTES / 4)))];
    assert!(bound("param($n) a $n $n $n", big.clone()).is_ok());
    assert_eq!(bound("param($n) a $n $n $n $n", big), Err(C::TooMuchData));
}

#[test]
fn the_form_that_works_is_offered() {
    let hint = |text: &str| parse(text, &Bindings::default()).unwrap_err().hint;
    for (text, form) in [
        ("Get-Service | Where-Object { $_.Status -eq 'Running' }", Some("Where-Object Status -eq Running")),
        ("gsv | where {$_.Status -ceq \"Running\"} | x", Some("where Status -ceq \"Running\"")),
        ("gsv | ? { $PSItem.Name -like 'W in*' }", Some("? Name -like 'W in*'")),
        ("gsv | ? { $_.CanStop -eq $true }", Some("? CanStop -eq $true")),
        ("gsv | ForEach-Object { $_.Name }", Some("ForEach-Object Name")),
        ("gsv | ForEach-Object { $_.Name.Length }", None),
        ("gsv | ? { $_.Name -eq $x }", None),
        ("gsv | ? { $_.A -eq 1 -and $_.B -eq 2 }", None),
        ("gsv | ? { $_.A -foo 1 }", None),
        ("gsv | ? { Remove-Item x }", None),
        ("gsv | ? { $_.A -eq (b) }", None),
        ("Invoke-Command { $_.A -eq 1 }", None),
        ("a; b", None),
    ] {
        assert_eq!(hint(text).as_deref(), form, "{text}");
        if let Some(form) = form {
            assert!(parse(&format!("x | {form}"), &Bindings::default()).is_ok(), "{form}");
        }
    }
}

#[test]
fn a_message_says_what_to_do_and_holds_nothing_of_the_text_but_for_its_sender() {
    let refusal = parse("x | ? { $_.hunter2 -eq 'hunter3' }", &Bindings::default()).unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("hunter"));
    assert_eq!(refusal.for_sender(), "a script block (line 1, character 7) is refused: write `? hunter2 -eq hunter3`");
    for construct in C::ALL {
        assert!(!construct.what().is_empty() && !construct.instead().is_empty());
        assert!(!construct.instead().ends_with('.') && !construct.what().ends_with('.'), "{construct:?}");
    }
    // Numbers in the messages are those of the limits.
    assert!(C::TooLong.what().contains("1 MiB") && limits::SCRIPT_BYTES == 1 << 20);
    assert!(C::TooMuchData.what().contains("16 MiB") && limits::SUBSTITUTED_BYTES == 16 << 20);
    assert!(C::TooManyCommands.what().contains(&limits::PIPELINE_COMMANDS.to_string()));
    assert!(C::TooManyArguments.what().contains(&limits::COMMAND_ARGUMENTS.to_string()));
    assert!(C::TooManyElements.what().contains(&limits::LIST_ELEMENTS.to_string()));
}

#[test]
fn sizes_are_bounded() {
    let outcome = |text: String| parse(&text, &Bindings::default()).map(|_| ()).map_err(|refusal| refusal.construct);
    let commands = |count: usize| vec!["a"; count].join("|");
    assert_eq!(outcome(commands(limits::PIPELINE_COMMANDS)), Ok(()));
    assert_eq!(outcome(commands(limits::PIPELINE_COMMANDS + 1)), Err(C::TooManyCommands));
    assert_eq!(outcome(format!("a{}", " b".repeat(limits::COMMAND_ARGUMENTS))), Ok(()));
    assert_eq!(outcome(format!("a{}", " b".repeat(limits::COMMAND_ARGUMENTS + 1))), Err(C::TooManyArguments));
    let list = |count: usize| format!("a {}", vec!["1"; count].join(","));
    assert_eq!(outcome(list(20_000)), Ok(()));
    assert_eq!(outcome(list(limits::LIST_ELEMENTS)), Ok(()));
    assert_eq!(outcome(list(limits::LIST_ELEMENTS + 1)), Err(C::TooManyElements));
    assert_eq!(outcome(format!("a {}", "b".repeat(limits::SCRIPT_BYTES - 2))), Ok(()));
    assert_eq!(outcome(format!("a {}", "b".repeat(limits::SCRIPT_BYTES - 1))), Err(C::TooLong));
}

/// Characters looked at, whatever comes of it.
fn steps(text: &str) -> usize {
    let mut lexer = Lexer::new(text);
    let constants = Constants::read(&mut lexer, &Bindings::default());
    let constants = constants.unwrap_or_default();
    let mut parser = Parser::new(lexer, &constants, Verbatim::Refused);
    let _outcome = parser.pipeline();
    parser.steps()
}

#[test]
fn no_character_is_read_more_than_twice() {
    let size = limits::SCRIPT_BYTES / 16;
    let fill = |piece: &str| piece.repeat(size / piece.len());
    let pieces = [
        "a",
        " ",
        "\n",
        "\r\n",
        "'",
        "\"",
        "''",
        "\"\"",
        "'’’",
        "a,",
        "1,",
        "a|",
        "-a ",
        "-a:b ",
        "-",
        "--",
        ".",
        "0",
        "0x",
        "1e",
        "9.",
        "$",
        "$true ",
        "$true,",
        "(",
        "{",
        "[",
        "@(",
        "$(",
        "'a' ",
        "受 ",
        "‘",
        "#",
        "`\n",
        "if ",
        "a\n|",
        "param(",
        "param($a,",
        "{$_.",
    ];
    for piece in pieces {
        for start in ["", "a ", "a '", "a \"", "a -x:", "a | where {", "param(", "a 1"] {
            let text = format!("{start}{}", fill(piece));
            let text = text.get(..text.floor_char_boundary(size)).unwrap();
            let steps = steps(text);
            assert!(steps <= 2 * text.len() + 8, "{start:?} {piece:?}: {steps} steps for {} bytes", text.len());
            // The public door too, which has to answer.
            let _outcome = parse(text, &Bindings::default());
        }
    }
}
