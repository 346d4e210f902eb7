//! Input that is meant to be read in two ways, or to cost more than it is worth: each with the exact rule.

use sekisho_protocol::Error;
use sekisho_protocol::clixml::{Content, Value, decode};
use sekisho_protocol::error::{LimitExceeded, Malformed, Unsupported};
use sekisho_protocol::limits::{CLIXML_BYTES, CLIXML_ELEMENTS};

fn refused(text: &str) -> Option<Error> {
    decode(text.as_bytes()).err()
}

/// In the place where a value stands.
fn within(inner: &str) -> String {
    format!("<Obj RefId=\"0\"><MS><Obj N=\"Cmds\" RefId=\"1\"><LST>{inner}</LST></Obj></MS></Obj>")
}

#[test]
fn what_hides_from_one_reader_is_refused() {
    let shape: Error = Malformed::Clixml.into();
    for (inner, error) in [
        ("<!-- <S>a</S> -->", shape),
        ("<![CDATA[<S>a</S>]]>", shape),
        ("<S>a<![CDATA[b]]></S>", shape),
        ("<S>a<!-- -->b</S>", shape),
        ("<?xml-stylesheet x?>", Unsupported::ProcessingInstruction.into()),
        ("<S>&unknown;</S>", Unsupported::Entity.into()),
        ("<S>&#0;</S>", Malformed::XmlCharacter.into()),
        ("<S>&#xD83D;&#xDE00;</S>", Malformed::XmlCharacter.into()),
        ("<S>&#x110000;</S>", Malformed::XmlCharacter.into()),
        ("<S>\u{0}</S>", Malformed::XmlCharacter.into()),
        ("<S>\u{FFFE}</S>", Malformed::XmlCharacter.into()),
        ("text", shape),
        ("<s>a</s>", shape),
        ("<STRING>a</STRING>", shape),
        ("<p:S xmlns:p=\"urn:p\">a</p:S>", shape),
        ("<S xmlns=\"urn:p\">a</S>", shape),
        ("<S xml:space=\"preserve\">a</S>", shape),
        ("<S n=\"a\">a</S>", shape),
        ("<S N=\"Cmd\">a</S>", shape),
        ("<S><T>a</T></S>", shape),
        ("<I32>1<!-- -->2</I32>", shape),
        ("<En><S N=\"Key\">a</S><S N=\"Value\">b</S></En>", shape),
        ("<MS />", shape),
        ("<TN RefId=\"0\"><T>a</T></TN>", shape),
        ("<S>a</I32>", Malformed::Xml.into()),
        ("<S a=b>a</S>", Malformed::Xml.into()),
        ("<S", Malformed::Xml.into()),
    ] {
        assert_eq!(refused(&within(inner)), Some(error), "{inner}");
    }
    for (document, error) in [
        ("<!DOCTYPE Obj [<!ENTITY a \"b\">]><S>&a;</S>", Unsupported::Dtd.into()),
        ("<?xml version=\"1.0\"?><S>a</S>", shape),
        ("\u{FEFF}\u{FEFF}<S>a</S>", shape),
        ("<S>a</S>\u{0}", Malformed::XmlCharacter.into()),
        ("<S>a</S><!-- -->", shape),
        ("<Objs><S>a</S></Objs>", shape),
    ] {
        assert_eq!(refused(document), Some(error), "{document}");
    }
    for bytes in [&b"\xFF\xFE<\0S\0>\0"[..], b"<S>\xC0\x80</S>", b"<S>\xED\xA0\xBD</S>", b"<S>\xF5</S>"] {
        assert_eq!(decode(bytes), Err(Malformed::Utf8.into()), "{bytes:?}");
    }
}

#[test]
fn what_stands_twice_is_refused() {
    let twice: Error = Malformed::Duplicate.into();
    for inner in [
        "<Obj RefId=\"2\"><MS><S N=\"Cmd\">a</S><S N=\"Cmd\">b</S></MS></Obj>",
        "<Obj RefId=\"2\"><MS><S N=\"Cmd\">a</S><S N=\"CMD\">b</S></MS></Obj>",
        "<Obj RefId=\"2\"><MS><S N=\"Cmd\">a</S><S N=\"_x0043_md\">b</S></MS></Obj>",
        "<Obj RefId=\"2\"><MS><S N=\"Cmd\">a</S></MS><MS><S N=\"Args\">b</S></MS></Obj>",
        "<Obj RefId=\"2\"><Props /><MS /><Props /></Obj>",
        "<Obj RefId=\"2\"><ToString>a</ToString><ToString>b</ToString></Obj>",
        "<Obj RefId=\"2\"><TN RefId=\"0\"><T>a</T></TN><TN RefId=\"1\"><T>b</T></TN></Obj>",
        "<Obj RefId=\"2\"><LST /><LST /></Obj>",
        "<Obj RefId=\"2\"><LST /><DCT /></Obj>",
        "<Obj RefId=\"2\"><I32>1</I32><LST /></Obj>",
        "<Obj RefId=\"2\" RefId=\"3\" />",
        "<Obj RefId=\"2\"><MS><S N=\"a\" N=\"b\">a</S></MS></Obj>",
    ] {
        assert_eq!(refused(&within(inner)), Some(twice), "{inner}");
    }
    // The same name as the type's own member and as an added one is how PowerShell writes some objects.
    let both = "<Obj RefId=\"2\"><Props><S N=\"a\">1</S></Props><MS><S N=\"a\">2</S></MS></Obj>";
    assert_eq!(refused(&within(both)), None);
}

#[test]
fn references_that_readers_may_resolve_differently_are_refused() {
    let doubtful: Error = Malformed::ClixmlReference.into();
    for inner in [
        "<Ref RefId=\"7\" />",
        "<Ref RefId=\"0\" />",
        "<Ref RefId=\"1\" />",
        "<Ref RefId=\"2\" /><Obj RefId=\"2\" />",
        "<Obj RefId=\"2\"><S>a</S></Obj><Obj RefId=\"2\"><S>b</S></Obj><Ref RefId=\"2\" />",
        "<Obj RefId=\"1\" /><Ref RefId=\"1\" />",
        "<Obj RefId=\"2\" /><Ref RefId=\"02x\" />",
        "<Obj RefId=\"-2\" />",
        "<Obj RefId=\"+2\" />",
        "<Obj RefId=\" 2\" />",
        "<Obj RefId=\"\" />",
        "<Obj RefId=\"18446744073709551616\" />",
        "<Obj RefId=\"2\"><TNRef RefId=\"9\" /></Obj>",
    ] {
        assert_eq!(refused(&within(inner)), Some(doubtful), "{inner}");
    }
    let shape: Error = Malformed::Clixml.into();
    assert_eq!(refused(&within("<Obj RefId=\"2\" /><Ref RefId=\"2\"><S>a</S></Ref>")), Some(shape));
    assert_eq!(refused(&within("<Obj RefId=\"2\" /><Ref RefId=\"2\">a</Ref>")), Some(shape));
    // Numbers of objects and of types are apart, and leading zeros change nothing.
    let apart = "<Obj RefId=\"2\"><TN RefId=\"2\"><T>a</T></TN></Obj><Ref RefId=\"002\" />";
    let read = decode(within(apart).as_bytes()).unwrap();
    let Content::List(_, items) = &read.as_object().unwrap().member("Cmds").unwrap().as_object().unwrap().content
    else {
        panic!("a list");
    };
    assert_eq!(items[0], items[1]);
}

#[test]
fn what_costs_more_than_it_is_worth_is_refused() {
    let elements: Error = LimitExceeded::XmlElements.into();
    let depth: Error = LimitExceeded::XmlDepth.into();
    let nested = |open: &str, close: &str, times: usize| {
        refused(&format!("{}<Nil />{}", open.repeat(times), close.repeat(times)))
    };
    for times in [80, 10_000] {
        assert_eq!(nested("<Obj><LST>", "</LST></Obj>", times), Some(depth), "{times}");
        assert_eq!(nested("<Obj><MS><Obj N=\"a\"><LST>", "</LST></Obj></MS></Obj>", times), Some(depth), "{times}");
    }
    assert_eq!(nested("<Obj>", "</Obj>", 200), Some(depth));
    let dictionary = "<Obj><DCT><En><S N=\"Key\">a</S><Obj N=\"Value\"><LST>";
    assert_eq!(nested(dictionary, "</LST></Obj></En></DCT></Obj>", 60), Some(depth));
    assert_eq!(refused(&within(&"<Nil />".repeat(CLIXML_ELEMENTS))), Some(elements));
    let names: String = (0..100_000).map(|at| format!("<Nil N=\"a{at}\"/>")).collect();
    assert_eq!(refused(&format!("<Obj><MS>{names}</MS></Obj>")), None, "many members take no longer each");
    let attributes: String = (0..1000).map(|at| format!(" a{at}=\"b\"")).collect();
    assert_eq!(refused(&format!("<S{attributes}>a</S>")), Some(Malformed::Clixml.into()));
    let text = "a".repeat(CLIXML_BYTES - 7);
    assert_eq!(decode(format!("<S>{text}</S>").as_bytes()), Ok(Value::Text(text.clone())));
    assert_eq!(refused(&format!("<S>{text}a</S>")), Some(LimitExceeded::MessageSize.into()));
    let escapes = "_x005F_".repeat(100_000);
    assert_eq!(decode(format!("<S>{escapes}</S>").as_bytes()), Ok(Value::Text("_".repeat(100_000))));
}
