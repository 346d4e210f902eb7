//! Values and secrets as policy sees them.

use super::*;
use sekisho_policy::value::{Number, NumberKind, Opaque, SecureKind, Value as Judged};
use sekisho_protocol::clixml::{Integer, IntegerKind, ListKind, Real, RealKind};

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

#[test]
fn values_of_using_and_of_param_come_with_a_script() {
    // `$using:n` as PowerShell writes it.
    let recorded = Value::object(Object {
        content: Content::Dictionary(vec![(text("JAB1AHMAaQBuAGcAOgBuAA=="), Value::int(5))]),
        ..Object::default()
    });
    let (request, _) = script_of(one(vec![script("Get-X $using:n", vec![arg(Some("--%"), recorded)])]));
    assert_eq!(request.bindings.using, [("n".to_owned(), Judged::int(5))]);
    assert_eq!(using_key("N"), "JAB1AHMAaQBuAGcAOgBuAA==", "in lower case, as it is looked up");
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
