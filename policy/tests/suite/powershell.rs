//! Laws of reading and writing script text.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use sekisho_policy::command::{Argument, Bindings, Command, Pipeline};
use sekisho_policy::powershell::{parse, read, render};
use sekisho_policy::value::{Number, NumberKind, Spelling, Value};

/// Text that is dense in what matters to PowerShell.
fn nasty() -> impl Strategy<Value = String> {
    let devious =
        "|&;<>(){}[]@#$`'\"-–—‘’‚“”„,.:=%?!*~\\/ \t\r\n\0\u{b}\u{85}\u{a0}\u{ad}\u{200b}\u{3000}\u{feff}_0159exkb";
    let piece = prop_oneof![
        prop::sample::select(vec![
            "Get-A", "x", " ", " | ", " -Name", ":", "'a b'", "$true", "$null", ",", "1.5", "0x1F", "--%", "受注"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(devious.chars().collect::<Vec<_>>()).prop_map(String::from),
        "[a-z ]{1,3}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn number() -> impl Strategy<Value = Value> {
    let number = |kind, text: String| Value::Number(Number { kind, text, spelling: Spelling::Plain });
    prop_oneof![
        any::<i32>().prop_map(Value::int),
        (0..=i64::MAX).prop_map(move |value| number(NumberKind::Int64, value.to_string())),
        (0_u64..1 << 50, 1_u32..6).prop_map(move |(whole, zeros)| {
            number(NumberKind::Decimal, format!("{whole}.{:0width$}", 5, width = usize::try_from(zeros).unwrap()))
        }),
        (0_u32..1 << 20, 1_u32..1000).prop_map(move |(whole, part)| {
            let text = format!("{}", f64::from(whole) + f64::from(part) / 1024.0);
            number(NumberKind::Double, text)
        }),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number(),
        any::<String>().prop_map(Value::Text),
        nasty().prop_map(Value::Text),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![3 => scalar(), 1 => prop::collection::vec(scalar(), 2..5).prop_map(Value::List)]
}

fn argument() -> impl Strategy<Value = Argument> {
    let name = "-[A-Za-z_詳Ａ][A-Za-z0-9_受-]{0,8}";
    prop_oneof![
        name.prop_map(|name| Argument::named(name, Value::Null)),
        (name, "(:|: )", value()).prop_map(|(name, colon, value)| Argument::named(format!("{name}{colon}"), value)),
        value().prop_map(Argument::positional),
    ]
}

fn pipeline() -> impl Strategy<Value = Pipeline> {
    let name = "(Module\\\\)?[A-Z][a-z]{0,5}-[A-Za-z0-9受]{1,8}";
    let command =
        (name, prop::collection::vec(argument(), 0..6)).prop_map(|(name, arguments)| Command::new(name, arguments));
    prop::collection::vec(command, 1..4)
}

fn holds_verbatim(pipeline: &Pipeline) -> bool {
    let verbatim = |value: &Value| matches!(value, Value::Text(text) if text == "--%");
    pipeline.iter().flat_map(|command| &command.arguments).any(|argument| match &argument.value {
        Value::List(items) => items.iter().any(verbatim),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secure(_) | Value::Opaque(_) => {
            verbatim(&argument.value)
        }
    })
}

proptest! {
    #[test]
    fn reading_answers_whatever_the_text_is(text in nasty()) {
        match (parse(&text, &Bindings::default()), read(&text)) {
            (Ok(judged), Ok(read)) => prop_assert_eq!(judged, read),
            (Err(refusal), _) => {
                prop_assert!(refusal.place <= text.chars().count());
                prop_assert!(refusal.line >= 1 && refusal.column >= 1);
            }
            (Ok(_), Err(_)) => prop_assert!(false, "judged and not read"),
        }
    }

    #[test]
    fn what_was_read_is_written_and_read_as_the_same(text in nasty()) {
        if let Ok(pipeline) = parse(&text, &Bindings::default()) {
            let written = render(&pipeline).unwrap();
            prop_assert!(parse(&written, &Bindings::default()).unwrap() == pipeline);
            prop_assert_eq!(render(&pipeline).unwrap(), written, "the text is stable");
        }
    }

    #[test]
    fn commands_are_written_so_that_they_are_read_as_the_same(pipeline in pipeline()) {
        match render(&pipeline) {
            Ok(written) => prop_assert!(parse(&written, &Bindings::default()).unwrap() == pipeline, "{}", written),
            Err(_) => prop_assert!(holds_verbatim(&pipeline)),
        }
    }

    #[test]
    fn blanks_around_and_between_do_not_matter(pipeline in pipeline()) {
        if let Ok(written) = render(&pipeline) {
            let spaced = format!("\r\n \t{written}\t\n\r\n");
            prop_assert!(parse(&spaced, &Bindings::default()).unwrap() == pipeline);
        }
    }

    #[test]
    fn a_constant_is_put_in_as_it_is(text in any::<String>(), other in nasty()) {
        for content in [text, other].into_iter().filter(|content| content != "--%") {
            let bindings = Bindings { using: vec![("x".to_owned(), Value::text(content.as_str()))], arguments: Vec::new() };
            let pipeline = parse("Get-A $using:X -n: $using:x", &bindings).unwrap();
            let expected = vec![Argument::positional(Value::text(content.as_str())), Argument::named("-n: ", Value::text(content))];
            prop_assert!(pipeline == vec![Command::new("Get-A", expected)]);
        }
    }
}
