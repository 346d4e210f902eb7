//! Every spelling of a wrapper that stock clients send, and what comes close to one and is none.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test fails by anything else")]

use super::*;
use crate::config::Endpoint;
use sekisho_policy::value::{Number, NumberKind, Opaque, SecureKind, Value as Judged};
use sekisho_policy::{Checked, Circumstances, Edition, PinnedText, Policy, Principal, Source, TargetFacts};
use sekisho_protocol::clixml::{Content, Integer, IntegerKind, ListKind, Object, Real, RealKind, SecureText, Value};
use sekisho_protocol::psrp::{Argument, Command as Wire, Merge, MergeTarget, Scope};
use sekisho_protocol::secret::SecretText;
use zeroize::Zeroizing;

const WINRB_TAIL: &str = "if (!$?) { if($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 } }";

fn arg(name: Option<&str>, value: Value) -> Argument {
    Argument { name: name.map(str::to_owned), value }
}

fn cmd(name: &str, arguments: Vec<Argument>) -> Wire {
    Wire::new(name, arguments)
}

fn script(text: &str, arguments: Vec<Argument>) -> Wire {
    Wire { kind: psrp::CommandKind::Script, ..cmd(text, arguments) }
}

fn out_default() -> Wire {
    Wire { merge: Merge { previous: true, ..Merge::default() }, ..cmd("Out-Default", vec![]) }
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn no_key(_: &SecureText) -> sekisho_protocol::Result<SecretText> {
    Err(sekisho_protocol::error::Misuse::WrongState.into())
}

/// A seal that is none, so that tests see what came out.
fn opened(sealed: &SecureText) -> sekisho_protocol::Result<SecretText> {
    Ok(SecretText::new(format!("opened:{}", sealed.0.as_str())))
}

fn sealed(secret: &SecretText) -> sekisho_protocol::Result<SecureText> {
    Ok(SecureText(Zeroizing::new(secret.with(|text| format!("sealed:{text}")))))
}

fn asked(statements: Vec<Vec<Wire>>) -> Asked {
    read(&CreatePipeline::of_statements(statements), Presence::Absent, &no_key, &mut Secrets::new())
}

fn one(commands: Vec<Wire>) -> Asked {
    asked(vec![commands])
}

fn why(asked: Asked) -> Why {
    match asked {
        Asked::Refused(unread) => unread.why,
        other => panic!("{other:?}"),
    }
}

fn script_of(asked: Asked) -> (ScriptRequest, Form) {
    match asked {
        Asked::Judge { action: Action::Script(request), form } => (request, form),
        other => panic!("{other:?}"),
    }
}

fn commands_of(asked: Asked) -> (CommandsRequest, Form) {
    match asked {
        Asked::Judge { action: Action::Commands(request), form } => (request, form),
        other => panic!("{other:?}"),
    }
}

fn local_of(asked: Asked) -> Local {
    match asked {
        Asked::Local { local, .. } => local,
        other => panic!("{other:?}"),
    }
}

fn invoked(name: &str, arguments: Vec<Argument>, out: &str, stream: Vec<Argument>) -> Asked {
    one(vec![cmd(name, arguments), cmd(out, stream)])
}

#[test]
fn text_for_lines_is_judged_by_what_it_says() {
    let stream = || vec![arg(Some("Stream"), Value::Nil)];
    for (arguments, stream) in [
        (vec![arg(Some("Command"), text("Get-Date"))], stream()),
        (vec![arg(Some("command"), text("Get-Date"))], vec![arg(Some("stream"), Value::Bool(true))]),
        (vec![arg(Some("-Command"), Value::Nil), arg(None, text("Get-Date"))], vec![arg(Some("-Stream"), Value::Nil)]),
        (vec![arg(Some("-Command:"), text("Get-Date"))], vec![arg(Some("-Stream:"), Value::Bool(true))]),
    ] {
        let (request, form) = script_of(invoked("Invoke-expression", arguments, "Out-string", stream));
        assert_eq!(request, ScriptRequest::new("Get-Date"));
        assert_eq!((form.shown, form.exit), (Shown::Text, ExitTail::None));
    }
}

#[test]
fn what_comes_close_to_text_for_lines_is_judged_as_commands() {
    let command = || vec![arg(Some("Command"), text("Get-Date"))];
    let stream = || vec![arg(Some("Stream"), Value::Nil)];
    for close in [
        invoked("iex", command(), "Out-String", stream()),
        invoked("Invoke-Expression", command(), "Out-Host", stream()),
        invoked("Invoke-Expression", command(), "Out-String", vec![]),
        invoked("Invoke-Expression", command(), "Out-String", vec![arg(Some("Stream"), Value::Bool(false))]),
        invoked("Invoke-Expression", command(), "Out-String", vec![arg(Some("Width"), Value::int(9))]),
        invoked("Invoke-Expression", vec![arg(Some("Comm"), text("x"))], "Out-String", stream()),
        invoked("Invoke-Expression", vec![arg(Some("--Command:"), text("x"))], "Out-String", stream()),
        invoked("Invoke-Expression", vec![arg(Some("Command"), Value::int(1))], "Out-String", stream()),
        invoked("Invoke-Expression", vec![], "Out-String", stream()),
        one(vec![cmd("Invoke-Expression", command())]),
        one(vec![cmd("Get-Date", vec![]), cmd("Invoke-Expression", command()), cmd("Out-String", stream())]),
        one(vec![cmd("Invoke-Expression", command()), cmd("Out-String", stream()), out_default()]),
        one(vec![script("Invoke-Expression", command()), cmd("Out-String", stream())]),
    ] {
        commands_of(close);
    }
    let batch = vec![
        vec![cmd("New-Item", vec![arg(Some("Path"), text("env:"))]), cmd("Out-Null", vec![])],
        vec![cmd("Invoke-Expression", command()), cmd("Out-String", stream())],
    ];
    assert_eq!(why(asked(batch)), Why::InvokedInBatch);
}

#[test]
fn the_ends_of_ansible_and_winrb_are_taken_off_exactly() {
    let (request, form) = script_of(one(vec![script("Get-Date\nexit $LASTEXITCODE", vec![])]));
    assert_eq!((request.text.as_str(), form.exit, form.shown), ("Get-Date", ExitTail::LastExitCode, Shown::Objects));
    for newline in ["\n", "\r\n"] {
        let sent = format!("Get-Date{newline}{WINRB_TAIL}");
        let command = vec![arg(Some("-Command"), Value::Nil), arg(None, text(&sent))];
        let stream = vec![arg(Some("-Stream"), Value::Nil)];
        let (request, form) = script_of(invoked("Invoke-expression", command, "Out-string", stream));
        assert_eq!((request.text.as_str(), form.exit, form.shown), ("Get-Date", ExitTail::WinRb, Shown::Text));
    }
    for other in [
        "Get-Date; exit $LASTEXITCODE",
        "Get-Date\nexit $LASTEXITCODE ",
        "Get-Date\nexit $lastexitcode",
        "Get-Date\nexit 1",
        "\nexit $LASTEXITCODE",
        &format!("Get-Date\n{WINRB_TAIL}"),
    ] {
        let (request, form) = script_of(one(vec![script(other, vec![])]));
        assert_eq!((request.text.as_str(), form.exit), (other, ExitTail::None), "{other:?}");
    }
}

#[test]
fn the_end_is_put_back_where_a_policy_may_have_pinned_it() {
    let (request, form) = script_of(one(vec![script("Get-Date\nexit $LASTEXITCODE", vec![])]));
    let (whole, without) = form.whole(&Action::Script(request)).unwrap();
    assert_eq!(whole, Action::Script(ScriptRequest::new("Get-Date\nexit $LASTEXITCODE")));
    assert_eq!(without.exit, ExitTail::None);
    let (request, form) = script_of(one(vec![script("Get-Date", vec![])]));
    assert_eq!(form.whole(&Action::Script(request)), None);
}

#[test]
fn out_default_is_taken_off_where_a_client_put_it() {
    let (request, form) = commands_of(one(vec![cmd("Get-Date", vec![]), out_default()]));
    assert_eq!((request.commands, form.shown), (vec![Command::new("Get-Date", vec![])], Shown::Host));
    let (request, form) = script_of(one(vec![script("1 + 1", vec![]), out_default()]));
    assert_eq!((request, form.shown), (ScriptRequest::new("1 + 1"), Shown::Host));
    let batch = vec![vec![cmd("A-B", vec![]), out_default()], vec![cmd("C-D", vec![]), out_default()]];
    let (request, form) = commands_of(asked(batch));
    assert_eq!(request.extra_commands.unwrap().concat().len(), 2);
    assert_eq!(form.shown, Shown::Host);
    // One that was typed is judged.
    let typed = vec![cmd("Get-Date", vec![]), cmd("Out-Default", vec![]), out_default()];
    assert_eq!(commands_of(one(typed)).0.commands.len(), 2);
    let plain = commands_of(one(vec![cmd("Get-Date", vec![]), cmd("Out-Default", vec![])]));
    assert_eq!((plain.0.commands.len(), plain.1.shown), (2, Shown::Objects));
    // With arguments, in the middle, in one statement of two, or alone.
    let given = Wire { arguments: vec![arg(Some("Transcript"), Value::Nil)], ..out_default() };
    assert_eq!(why(one(vec![cmd("Get-Date", vec![]), given])), Why::Merge);
    assert_eq!(why(one(vec![out_default(), cmd("Get-Date", vec![])])), Why::Merge);
    assert_eq!(why(one(vec![out_default()])), Why::Merge);
    let some = vec![vec![cmd("A-B", vec![]), out_default()], vec![cmd("C-D", vec![])]];
    assert_eq!(why(asked(some)), Why::MixedOutput);
    let as_script = Wire { kind: psrp::CommandKind::Script, ..out_default() };
    assert_eq!(why(one(vec![cmd("Get-Date", vec![]), as_script])), Why::Merge);
}

#[test]
fn redirections_into_the_output_stay_with_their_commands_and_others_are_refused() {
    let merged = |merge: Merge| Wire { merge, ..cmd("Get-Date", vec![]) };
    let error = Merge { error: MergeTarget::Output, ..Merge::default() };
    let (_, form) = commands_of(one(vec![merged(error), cmd("B-C", vec![])]));
    assert_eq!(form.merges, [[error, Merge::default()]]);
    assert!(commands_of(one(vec![cmd("B-C", vec![])])).1.merges.is_empty());
    for lost in [
        Merge { warning: MergeTarget::Null, ..Merge::default() },
        Merge { error: MergeTarget::Null, ..Merge::default() },
        Merge { information: MergeTarget::Null, ..error },
        Merge { previous: true, ..Merge::default() },
    ] {
        assert_eq!(why(one(vec![merged(lost), cmd("B-C", vec![])])), Why::Merge);
    }
    let text = Wire { merge: error, ..script("Get-Date", vec![]) };
    assert_eq!(why(one(vec![text])), Why::Merge);
}

#[test]
fn envelopes_that_nothing_can_allow_are_refused() {
    let nested = CreatePipeline { is_nested: true, ..CreatePipeline::of_statements(vec![vec![cmd("A-B", vec![])]]) };
    assert_eq!(why(read(&nested, Presence::Absent, &no_key, &mut Secrets::new())), Why::Nested);
    let session = |command: Wire| Wire { scope: Scope::Session, ..command };
    assert_eq!(why(one(vec![session(cmd("A-B", vec![]))])), Why::Scope);
    assert_eq!(why(one(vec![session(script("Get-Date", vec![]))])), Why::Scope);
    assert_eq!(why(asked(vec![vec![cmd("A-B", vec![])], vec![session(cmd("A-B", vec![]))]])), Why::Scope);
    commands_of(one(vec![Wire { scope: Scope::Local, ..cmd("A-B", vec![]) }]));
    for name in ["__Set-PSDebugMode", "__x", "__"] {
        assert_eq!(why(one(vec![cmd("A-B", vec![]), cmd(name, vec![])])), Why::Debugger);
    }
    commands_of(one(vec![cmd("_x", vec![])]));
    let mut other = CreatePipeline::of_statements(vec![vec![cmd("A-B", vec![])], vec![cmd("C-D", vec![])]]);
    other.commands = vec![cmd("A-C", vec![])];
    assert_eq!(why(read(&other, Presence::Absent, &no_key, &mut Secrets::new())), Why::Batch);
    other.statements = Some(vec![]);
    assert_eq!(why(read(&other, Presence::Absent, &no_key, &mut Secrets::new())), Why::Batch);
}

#[test]
fn a_statement_behind_the_first_is_read_too() {
    let statements = vec![vec![cmd("A-B", vec![])], vec![cmd("C-D", vec![arg(None, text("x"))]), script("x", vec![])]];
    let (request, _) = commands_of(asked(statements));
    let extra = request.extra_commands.unwrap();
    assert_eq!(extra.first(), Some(&request.commands));
    assert_eq!(extra[1][1].kind, CommandKind::Script, "for the policy to refuse");
}

fn query(names: &[&str]) -> CommandQuery {
    CommandQuery { names: names.iter().map(|name| (*name).to_owned()).collect(), ..CommandQuery::default() }
}

#[test]
fn what_is_answered_here_is_told_apart_in_every_spelling() {
    for name in ["prompt", "PROMPT"] {
        assert_eq!(local_of(one(vec![cmd(name, vec![])])), Local::Prompt);
    }
    assert_eq!(local_of(one(vec![script("prompt", vec![])])), Local::Prompt);
    let completion = vec![arg(None, text("Get-S")), arg(None, Value::int(5))];
    assert_eq!(local_of(one(vec![cmd("TabExpansion2", completion.clone())])), Local::Nothing);
    assert_eq!(local_of(one(vec![cmd("TabExpansion", completion)])), Local::Nothing);
    assert_eq!(local_of(one(vec![cmd("Get-FormatData", vec![arg(Some("TypeName"), text("*"))])])), Local::Nothing);
    for exit in [vec![cmd("Exit-PSSession", vec![])], vec![cmd("exsn", vec![]), out_default()]] {
        assert_eq!(local_of(one(exit)), Local::Exit);
    }
    for ask in [
        vec![cmd("Get-Command", vec![])],
        vec![cmd("gcm", vec![])],
        vec![cmd(r"microsoft.powershell.core\get-command", vec![])],
        vec![cmd("Get-Command", vec![arg(Some("-ListImported"), Value::Nil)])],
        vec![cmd("Get-Command", vec![arg(Some("ArgumentList"), Value::Nil), arg(Some("Name"), Value::Nil)])],
        vec![script(" Get-Command\n", vec![]), out_default()],
        vec![script("Get-Command\nexit $LASTEXITCODE", vec![])],
    ] {
        assert_eq!(local_of(one(ask)), Local::Commands(query(&[])));
    }
}

#[test]
fn get_command_is_read_with_its_names_modules_and_kinds() {
    let names = |value: Value| vec![arg(Some("-Name"), Value::Nil), arg(None, value)];
    for arguments in [
        names(text("a*")),
        names(Value::array(vec![text("a*")])),
        vec![arg(Some("Name"), text("a*"))],
        vec![arg(Some("-Name:"), text("a*"))],
        vec![arg(None, text("a*"))],
    ] {
        assert_eq!(local_of(one(vec![cmd("Get-Command", arguments)])), Local::Commands(query(&["a*"])));
    }
    let kinds = |value: Value| local_of(one(vec![cmd("Get-Command", vec![arg(Some("CommandType"), value)])]));
    for (value, flags) in
        [(text("Function, cmdlet"), 10), (Value::int(271), 271), (Value::array(vec![text("Alias")]), 1)]
    {
        assert_eq!(kinds(value), Local::Commands(CommandQuery { kinds: Some(flags), ..query(&[]) }));
    }
    let both = one(vec![cmd("Get-Command", vec![arg(None, text("a")), arg(None, text("m"))])]);
    assert_eq!(local_of(both), Local::Commands(CommandQuery { modules: vec!["m".to_owned()], ..query(&["a"]) }));
    let select = vec![arg(None, Value::array(vec![text("Name"), text("Module")]))];
    let selected = one(vec![cmd("Get-Command", vec![]), cmd("Select-Object", select)]);
    let then = Then::Select(vec!["Name".to_owned(), "Module".to_owned()]);
    assert_eq!(local_of(selected), Local::Commands(CommandQuery { then, ..query(&[]) }));
    let counted = one(vec![cmd("Get-Command", vec![]), cmd("measure", vec![])]);
    assert_eq!(local_of(counted), Local::Commands(CommandQuery { then: Then::Count, ..query(&[]) }));
}

#[test]
fn get_command_goes_to_no_target_in_any_other_form() {
    let ask = |arguments| one(vec![cmd("Get-Command", arguments)]);
    for refused in [
        ask(vec![arg(Some("ArgumentList"), text("cert:"))]),
        ask(vec![arg(Some("-Syntax"), Value::Nil), arg(None, text("x"))]),
        ask(vec![arg(Some("ShowCommandInfo"), Value::Bool(true))]),
        ask(vec![arg(Some("-Na"), Value::Nil), arg(None, text("x"))]),
        ask(vec![arg(Some("Name"), text("a")), arg(Some("Name"), text("b"))]),
        ask(vec![arg(Some("-Name"), Value::Nil)]),
        ask(vec![arg(Some("Name"), Value::int(1))]),
        ask((0..5).map(|_| arg(None, Value::Nil)).collect()),
        ask(vec![arg(Some("CommandType"), text("Workflow"))]),
        ask(vec![arg(Some("Name"), Value::ScriptBlock("x".to_owned()))]),
        one(vec![cmd("Get-Command", vec![]), cmd("Get-Help", vec![])]),
        one(vec![cmd("Get-Date", vec![]), cmd("Get-Command", vec![])]),
        one(vec![cmd("Get-Command", vec![]), script("Select-Object", vec![])]),
        one(vec![cmd("Get-Command", vec![]), cmd("Select-Object", vec![arg(Some("First"), Value::int(1))])]),
        asked(vec![vec![cmd("Get-Date", vec![])], vec![cmd("Get-Command", vec![])]]),
        one(vec![script("Get-Command | Get-Help", vec![])]),
    ] {
        assert_eq!(why(refused), Why::GetCommand);
    }
}

#[test]
fn what_only_looks_like_an_answer_of_ours_is_judged() {
    commands_of(one(vec![cmd("prompt", vec![arg(None, text("x"))])]));
    commands_of(one(vec![cmd("prompt", vec![]), cmd("Get-Help", vec![])]));
    commands_of(one(vec![cmd("Exit-PSSession", vec![arg(None, text("x"))])]));
    commands_of(one(vec![cmd(r"Other\Get-Command", vec![])]));
    commands_of(one(vec![cmd("Get-Commands", vec![])]));
    script_of(one(vec![script("Get-Command; Get-Date", vec![])]));
    script_of(one(vec![script("prompt", vec![arg(None, text("x"))])]));
    script_of(one(vec![script("Get-Help Get-Command | & { x }", vec![])]));
}

#[test]
fn scripts_of_stock_clients_are_judged_and_their_denial_says_what_works() {
    let bootstrap = "if ($PSVersionTable.PSVersion -lt [Version]\"5.1\") {\n    '{\"failed\":true,\"msg\":\"Ansible requires \
                     PowerShell v5.1\"}'\n    exit 1\n}\n$code = ConvertFrom-Json -InputObject $codeJson\n";
    for (text, known) in [
        (bootstrap, Known::AnsibleModule),
        ("&chcp.com 65001 > $null\n$exec_wrapper_str = $input | Out-String\n", Known::AnsibleModule),
        (
            "begin {\n$fd = [System.IO.File]::Create($path)\n}\nprocess {\n[Convert]::FromBase64String($x) }",
            Known::FileCopy,
        ),
        (
            "# x\n$a = $p.GetUnresolvedProviderPathFromPSPath($r)\n$f = $s.OpenRead()\n[C]::ToBase64String($b)",
            Known::FileCopy,
        ),
        ("function PSCopyToSessionHelper { param($x) }", Known::CopyItem),
    ] {
        let (request, form) = script_of(one(vec![script(text, vec![])]));
        assert_eq!((request.text.as_str(), form.known), (text, Some(known)));
    }
    let helper = commands_of(one(vec![cmd("PSCopyFromSessionHelper", vec![])])).1;
    assert_eq!(helper.known, Some(Known::CopyItem));
    assert_eq!(script_of(one(vec![script("Get-Date", vec![])])).1.known, None);
}

fn value_of(value: Value) -> Judged {
    let (request, _) = commands_of(one(vec![cmd("A-B", vec![arg(None, value)])]));
    request.commands[0].arguments[0].value.clone()
}

fn number(kind: NumberKind, text: &str) -> Judged {
    Judged::Number(Number { kind, text: text.to_owned(), spelling: sekisho_policy::value::Spelling::Plain })
}

fn real(kind: RealKind, text: &str) -> Value {
    Value::Real(Real { kind, text: text.to_owned() })
}

#[test]
fn values_are_what_policy_lists_and_else_opaque() {
    assert_eq!(value_of(Value::Nil), Judged::Null);
    assert_eq!(value_of(Value::Bool(true)), Judged::Bool(true));
    assert_eq!(value_of(text("x")), Judged::text("x"));
    for (tag, kind, text) in [
        (IntegerKind::Byte, NumberKind::Byte, "255"),
        (IntegerKind::SByte, NumberKind::SByte, "-128"),
        (IntegerKind::UInt16, NumberKind::UInt16, "65535"),
        (IntegerKind::Int16, NumberKind::Int16, "-32768"),
        (IntegerKind::UInt32, NumberKind::UInt32, "4294967295"),
        (IntegerKind::Int32, NumberKind::Int32, "-2147483648"),
        (IntegerKind::UInt64, NumberKind::UInt64, "18446744073709551615"),
        (IntegerKind::Int64, NumberKind::Int64, "-9223372036854775808"),
    ] {
        let integer = Value::Integer(Integer { kind: tag, value: text.parse().unwrap() });
        assert_eq!(value_of(integer), number(kind, text));
    }
    for (kind, sent, judged, read) in [
        (RealKind::Double, "2.50", NumberKind::Double, "2.5"),
        (RealKind::Double, "1e300", NumberKind::Double, "1E+300"),
        (RealKind::Double, "INF", NumberKind::Double, "Infinity"),
        (RealKind::Double, "-INF", NumberKind::Double, "-Infinity"),
        (RealKind::Double, "NaN", NumberKind::Double, "NaN"),
        (RealKind::Single, "0.10", NumberKind::Single, "0.1"),
        (RealKind::Decimal, "3.250", NumberKind::Decimal, "3.250"),
        (RealKind::Decimal, "-0.5", NumberKind::Decimal, "-0.5"),
    ] {
        assert_eq!(value_of(real(kind, sent)), number(judged, read), "{sent}");
    }
    for opaque in [
        real(RealKind::Decimal, "03.25"),
        real(RealKind::Decimal, "-0.0"),
        Value::Char(65),
        Value::Units(vec![0xd800]),
        Value::DateTime("2026-01-02T03:04:05Z".to_owned()),
        Value::Duration("PT1S".to_owned()),
        Value::Bytes(vec![1]),
        Value::Guid(uuid::Uuid::nil()),
        Value::Uri("http://x".to_owned()),
        Value::Version("1.2".to_owned()),
        Value::SemanticVersion("1.2.3".to_owned()),
        Value::Xml("<a/>".to_owned()),
        Value::object(Object::of_members([("A", text("b"))])),
        Value::object(Object { content: Content::Dictionary(vec![(text("a"), text("b"))]), ..Object::default() }),
        Value::object(Object { content: Content::Value(Value::int(1)), ..Object::default() }),
    ] {
        assert_eq!(value_of(opaque.clone()), Judged::Opaque(Opaque::Object), "{opaque:?}");
    }
    assert_eq!(value_of(Value::ScriptBlock("x".to_owned())), Judged::Opaque(Opaque::ScriptBlock));
}

#[test]
fn lists_of_every_kind_are_lists_and_never_deeper_than_one() {
    for kind in [ListKind::List, ListKind::Enumerable, ListKind::Queue, ListKind::Stack] {
        let content = Content::List(kind, vec![text("a"), Value::Nil, Value::ScriptBlock("x".to_owned())]);
        let items = vec![Judged::text("a"), Judged::Null, Judged::Opaque(Opaque::ScriptBlock)];
        assert_eq!(value_of(Value::object(Object { content, ..Object::default() })), Judged::List(items));
    }
    let deep = Value::array(vec![Value::array(vec![text("a")])]);
    assert_eq!(value_of(deep), Judged::List(vec![Judged::Opaque(Opaque::Object)]));
}

#[test]
fn text_that_something_was_hung_on_goes_on_as_text_alone() {
    let hung = |types: Option<&[&str]>| {
        Value::object(Object {
            types: types.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            content: Content::Value(text("line")),
            extended: Some(vec![("PSPath".to_owned(), text("C:\\secret"))]),
            ..Object::default()
        })
    };
    assert_eq!(value_of(hung(None)), Judged::text("line"));
    assert_eq!(value_of(hung(Some(&["System.String", "System.Object"]))), Judged::text("line"));
    assert_eq!(value_of(hung(Some(&["Evil.Type", "System.String"]))), Judged::Opaque(Opaque::Object));
}

#[test]
fn a_small_request_that_holds_much_by_references_is_refused() {
    let big = Value::object(Object { content: Content::Value(text(&"x".repeat(1024 * 1024))), ..Object::default() });
    let refused = one(vec![cmd("A-B", vec![arg(None, Value::array(vec![big; 17]))])]);
    assert_eq!(why(refused), Why::TooMuch);
}

fn using(entries: &[(&str, Value)]) -> Argument {
    let entries = entries.iter().map(|(name, value)| (text(&values::using_key(name)), value.clone()));
    let content = Content::Dictionary(entries.collect());
    arg(Some("--%"), Value::object(Object { content, ..Object::default() }))
}

#[test]
fn values_of_using_and_of_param_come_with_a_script() {
    // `$using:n` as PowerShell writes it.
    let recorded = Value::object(Object {
        content: Content::Dictionary(vec![(text("JAB1AHMAaQBuAGcAOgBuAA=="), Value::int(5))]),
        ..Object::default()
    });
    let (request, _) = script_of(one(vec![script("Get-X $using:n", vec![arg(Some("--%"), recorded)])]));
    assert_eq!(request.bindings.using, [("n".to_owned(), Judged::int(5))]);
    assert_eq!(values::using_key("N"), "JAB1AHMAaQBuAGcAOgBuAA==", "in lower case, as it is looked up");
    let given = vec![arg(None, text("a")), using(&[("Ünï", text("b"))]), arg(Some("Force"), Value::Nil)];
    let (request, _) = script_of(one(vec![script("param($a, $Force) X", given)]));
    assert_eq!(request.bindings.using, [("ünï".to_owned(), Judged::text("b"))]);
    let names: Vec<_> = request.bindings.arguments.iter().map(|one| one.name.as_deref()).collect();
    assert_eq!(names, [None, Some("Force")]);
}

#[test]
fn using_values_in_another_form_are_refused() {
    let dictionary = |key: Value| {
        Value::object(Object { content: Content::Dictionary(vec![(key, Value::Nil)]), ..Object::default() })
    };
    for carrier in [
        Value::Nil,
        text("x"),
        Value::array(vec![text("x")]),
        dictionary(Value::int(1)),
        dictionary(text("not base64!")),
        dictionary(text("bgA=")),
        dictionary(text("JAB1AHMAaQBuAGcAOgA=")),
        dictionary(text("JAB1AHMAaQBuAGcAOgBuAA")),
    ] {
        assert_eq!(why(one(vec![script("x", vec![arg(Some("--%"), carrier)])])), Why::Using);
    }
    assert_eq!(why(one(vec![script("x", vec![using(&[]), using(&[])])])), Why::Using);
    // Beside a name it is an argument like any, for the policy to refuse.
    commands_of(one(vec![cmd("A-B", vec![using(&[("n", Value::Nil)])])]));
}

fn credential(user: Value, password: Value) -> Value {
    let adapted = vec![("UserName".to_owned(), user), ("Password".to_owned(), password)];
    let types = ["System.Management.Automation.PSCredential", "System.Object"].map(str::to_owned);
    Value::object(Object { types: Some(types.into()), adapted: Some(adapted), ..Object::default() })
}

fn secure(text: &str) -> Value {
    Value::Secure(SecureText(Zeroizing::new(text.to_owned())))
}

#[test]
fn secrets_are_opened_once_and_never_shown() {
    let request = CreatePipeline::of_statements(vec![vec![cmd(
        "A-B",
        vec![arg(Some("P"), secure("canary1")), arg(Some("C"), credential(text("D\\u"), secure("canary2")))],
    )]]);
    let mut secrets = Secrets::new();
    let asked = read(&request, Presence::Absent, &opened, &mut secrets);
    let shown = format!("{asked:?} {secrets:?}");
    assert!(!shown.contains("canary") && !shown.contains("D\\u"), "{shown}");
    let values: Vec<Judged> =
        commands_of(asked).0.commands.remove(0).arguments.into_iter().map(|one| one.value).collect();
    let [Judged::Secure(password), Judged::Secure(whole)] = values.as_slice() else { panic!("{values:?}") };
    assert_eq!(password.kind, SecureKind::SecureString);
    assert_eq!(whole.kind, SecureKind::Credential { user: "D\\u".to_owned() });
    secrets.find(password.handle).unwrap().with(|text| assert_eq!(text, "opened:canary1"));
    secrets.find(whole.handle).unwrap().with(|text| assert_eq!(text, "opened:canary2"));
    assert_eq!(why(read(&request, Presence::Absent, &no_key, &mut Secrets::new())), Why::Sealed);
}

#[test]
fn what_only_looks_like_a_credential_is_an_object() {
    for object in [
        credential(Value::Nil, secure("x")),
        credential(text("u"), text("x")),
        Value::object(Object::of_members([("UserName", text("u")), ("Password", secure("x"))])),
    ] {
        assert_eq!(value_of(object), Judged::Opaque(Opaque::Object));
    }
    let many = (0..65).map(|_| arg(None, secure("x"))).collect();
    let request = CreatePipeline::of_statements(vec![vec![cmd("A-B", many)]]);
    assert_eq!(why(read(&request, Presence::Absent, &opened, &mut Secrets::new())), Why::TooMuch);
}

const PINNED: &str = "param($Name, [switch] $Force, $Login)\nUse $Name $using:Place";

const POLICY: &str = r"
[catalog]
mode = 'replace'
commands = [
  { name = 'Get-Pool', module = 'Demo.Web', parameters = [ { name = 'Name', type = 'string[]', position = 0 }, { name = 'Quick', switch = true } ] },
  { name = 'Set-Login', module = 'Demo.Web', parameters = [ { name = 'Password', type = 'SecureString', position = 0 }, { name = 'Login', type = 'PSCredential' } ] },
  { name = 'Own-It', parameters = [] },
]

[roles.r]
cmdlets = ['Get-Pool', { name = 'Set-Login', parameters = [{ name = 'Password', secure = true }, { name = 'Login', secure = true }] }]
functions = ['Own-It']
[[roles.r.programs]]
name = 'host'
path = 'C:\Windows\System32\hostname.exe'
arguments = { any = true }
[[roles.r.scripts]]
name = 'pinned'
file = 'pinned.ps1'
sha256 = 'SHA256'
parameters = ['Name', 'Force', { name = 'Login', secure = true }]
using = ['Place']

[[assignments]]
principals = ['D\u']
targets = ['web01']
roles = ['r']
";

/// What a target gets for a request that policy allows.
fn sent(endpoint: Endpoint, request: &CreatePipeline, input: Presence) -> Result<CreatePipeline, Unsendable> {
    let text = POLICY.replace("SHA256", PinnedText::of(PINNED).sha256());
    let sources = [Source { name: "p.toml", text: &text }, Source { name: "pinned.ps1", text: PINNED }];
    let policy = Policy::compile(&sources).unwrap_or_else(|mistakes| panic!("{mistakes:?}")).policy;
    let mut secrets = Secrets::new();
    let Asked::Judge { action, form } = read(request, input, &opened, &mut secrets) else { panic!("not judged") };
    let principal = Principal { name: "D\\u".to_owned(), groups: vec![] };
    let target = TargetFacts { name: "web01".to_owned(), groups: vec![], tags: vec![], edition: Edition::Windows51 };
    let decision = policy.decide(&principal, &target, &Circumstances::default(), &action);
    let allowed = decision.allowed().unwrap_or_else(|| panic!("{decision:?}"));
    let what = match &allowed.checked {
        Checked::Commands(commands) => Sent::Commands(commands),
        Checked::Script(script) => Sent::Script(script),
        Checked::Program(_) => panic!("a program"),
    };
    encode(what, &form, input, &Writer { endpoint, secrets: &secrets, seal: &sealed })
}

fn sent_one(endpoint: Endpoint, commands: Vec<Wire>) -> Vec<Wire> {
    let request = CreatePipeline::of_statements(vec![commands]);
    sent(endpoint, &request, Presence::Absent).unwrap().commands
}

#[test]
fn a_target_gets_whole_names_with_their_values_and_nothing_of_the_clients() {
    let commands = vec![cmd(
        "GET-POOL",
        vec![
            arg(Some("-Qui"), Value::Nil),
            arg(Some("-Na"), Value::Nil),
            arg(None, Value::array(vec![text("a"), Value::int(1)])),
        ],
    )];
    let mut request = CreatePipeline::of_statements(vec![commands]);
    request.add_to_history = true;
    request.host = psrp::HostInfo { no_host: false, ..psrp::HostInfo::none() };
    let sent = sent(Endpoint::Restricted, &request, Presence::Absent).unwrap();
    let arguments =
        vec![arg(Some("Quick"), Value::Bool(true)), arg(Some("Name"), Value::array(vec![text("a"), Value::int(1)]))];
    assert_eq!(sent, CreatePipeline::of_statements(vec![vec![cmd("Get-Pool", arguments)]]));
    assert!(sent.no_input && !sent.add_to_history && sent.host.no_host);
}

#[test]
fn names_are_bare_where_modules_are_hidden_and_whole_elsewhere() {
    let names = |endpoint| {
        let commands = vec![cmd("get-pool", vec![]), cmd("own-it", vec![]), out_default()];
        sent_one(endpoint, commands).into_iter().map(|command| command.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Endpoint::Restricted), ["Get-Pool", "Own-It", "Out-Default"]);
    assert_eq!(names(Endpoint::Full), [r"Demo.Web\Get-Pool", "Own-It", r"Microsoft.PowerShell.Core\Out-Default"]);
}

#[test]
fn text_goes_out_as_commands_with_the_end_that_its_form_wants() {
    let invoke = || {
        vec![
            cmd("Invoke-Expression", vec![arg(Some("Command"), text("Get-Pool 'x'"))]),
            cmd("Out-String", vec![arg(Some("Stream"), Value::Nil)]),
        ]
    };
    let pool = |name: &str| cmd(name, vec![arg(Some("Name"), text("x"))]);
    let lines = cmd(r"Microsoft.PowerShell.Utility\Out-String", vec![arg(Some("Stream"), Value::Bool(true))]);
    assert_eq!(sent_one(Endpoint::Full, invoke()), [pool(r"Demo.Web\Get-Pool"), lines]);
    assert_eq!(sent_one(Endpoint::Restricted, invoke()), [pool("Get-Pool")]);
    let typed = vec![script("Get-Pool x", vec![]), out_default()];
    assert_eq!(sent_one(Endpoint::Restricted, typed), [pool("Get-Pool"), out_default()]);
    let raw = vec![script("Get-Pool x\nexit $LASTEXITCODE", vec![])];
    assert_eq!(sent_one(Endpoint::Restricted, raw), [pool("Get-Pool")]);
}

#[test]
fn every_statement_gets_its_end_and_its_redirections_back() {
    let merge = Merge { error: MergeTarget::Output, ..Merge::default() };
    let merged = Wire { merge, ..cmd("Get-Pool", vec![]) };
    let statements =
        vec![vec![cmd("Own-It", vec![]), merged, out_default()], vec![cmd("Own-It", vec![]), out_default()]];
    let request = CreatePipeline::of_statements(statements.clone());
    let sent = sent(Endpoint::Restricted, &request, Presence::Absent).unwrap();
    assert_eq!(sent, CreatePipeline::of_statements(statements));
}

#[test]
fn redirections_of_other_commands_are_never_put_on() {
    let mut commands = vec![vec![cmd("A-B", vec![])]];
    assert_eq!(encode::merge(&mut commands, &[]), Err(Unsendable::Merge));
    assert_eq!(encode::merge(&mut commands, &[vec![Merge::default(); 2]]), Err(Unsendable::Merge));
}

#[test]
fn programs_get_their_texts_by_position_and_input_is_announced_where_it_was_judged() {
    let program = sent_one(Endpoint::Full, vec![cmd("hostname", vec![arg(None, text("-x y"))])]);
    assert_eq!(program, [cmd(r"C:\Windows\System32\hostname.exe", vec![arg(None, text("-x y"))])]);
    let request = CreatePipeline::of_statements(vec![vec![cmd("Get-Pool", vec![])]]);
    assert!(!sent(Endpoint::Full, &request, Presence::Present).unwrap().no_input);
}

#[test]
fn a_pinned_script_goes_out_in_the_policys_words_with_what_was_judged() {
    let loose = PINNED.replace('\n', "\r\n") + "\r\n";
    let given = vec![
        arg(None, text("n")),
        using(&[("place", text("p"))]),
        arg(Some("-Login"), Value::Nil),
        arg(None, credential(text("u"), secure("s"))),
        arg(Some("-Force"), Value::Nil),
    ];
    let sent = sent_one(Endpoint::Full, vec![script(&loose, given), out_default()]);
    let types = ["System.Management.Automation.PSCredential", "System.Object"].map(str::to_owned);
    let login = Value::object(Object {
        types: Some(types.into()),
        shown: Some("System.Management.Automation.PSCredential".to_owned()),
        adapted: Some(vec![("UserName".to_owned(), text("u")), ("Password".to_owned(), secure("sealed:opened:s"))]),
        ..Object::default()
    });
    let [command, end] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((command.name.as_str(), command.kind), (PINNED, psrp::CommandKind::Script));
    let [name, its_login, force, carrier] = command.arguments.as_slice() else { panic!("{command:?}") };
    assert_eq!(*name, arg(Some("Name"), text("n")));
    assert_eq!(*its_login, arg(Some("Login"), login));
    assert_eq!(*force, arg(Some("Force"), Value::Bool(true)));
    assert_eq!(carrier.name.as_deref(), Some("--%"));
    let Some(Content::Dictionary(entries)) = carrier.value.as_object().map(|object| &object.content) else { panic!() };
    assert_eq!(*entries, [(text(&values::using_key("place")), text("p"))]);
    assert_eq!(end.name, r"Microsoft.PowerShell.Core\Out-Default");
}

#[test]
fn secrets_are_sealed_anew_and_never_sent_without() {
    let arguments = vec![arg(Some("Password"), secure("a")), arg(Some("Login"), credential(text("u"), secure("b")))];
    let sent = sent_one(Endpoint::Restricted, vec![cmd("Set-Login", arguments)]);
    assert_eq!(sent[0].arguments[0].value, secure("sealed:opened:a"));
    assert_eq!(
        sent[0].arguments[1].value.as_object().unwrap().adapted_member("Password"),
        Some(&secure("sealed:opened:b"))
    );
    let body = sekisho_protocol::clixml::encode(&CreatePipeline::of_statements(vec![sent.clone()]).encode());
    let back = CreatePipeline::decode(&sekisho_protocol::clixml::decode(body.as_bytes()).unwrap()).unwrap();
    assert_eq!(back.commands, sent);
}
