//! Tests of CLIXML.

use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::*;
use crate::Error;
use crate::error::{LimitExceeded, Malformed, Unsupported};

fn read(text: &str) -> Result<Value, Error> {
    decode(text.as_bytes())
}

fn string(text: &str) -> Value {
    read(&format!("<S>{text}</S>")).unwrap()
}

#[test]
fn escapes_are_read_exactly_and_nothing_else_is_one() {
    assert_eq!(string("_x0041_b_x_x005F_"), Value::text("Ab_x_"));
    assert_eq!(string("_X000a_"), Value::text("\n"));
    assert_eq!(string("_x005F_x0041_"), Value::text("_x0041_"));
    for same in ["_x41_", "_x00411_", "_xGGGG_", "x0041_", "_x0041", "_", "__x", "_x00é_", "_x+041_"] {
        assert_eq!(string(same), Value::text(same), "{same}");
    }
    assert_eq!(string("_xD83D__xDE00_"), Value::text("\u{1F600}"));
    assert_eq!(string("\u{1F600}"), Value::text("\u{1F600}"));
}

#[test]
fn halves_of_pairs_are_units_in_a_value_and_refused_in_a_name() {
    assert_eq!(string("_x_xD83D_a"), Value::Units(vec![0x5F, 0x78, 0xD83D, 0x61]));
    let mut out = String::new();
    escape_units(&[0x5F, 0x78, 0xD83D, 0x61], &mut out);
    assert_eq!(out, "_x005F_x_xD83D_a");
    for text in ["_xD83D_", "_xDE00_", "_xD83D_a", "_xD83D__x0041_", "_xDE00__xD83D_"] {
        assert!(matches!(string(text), Value::Units(_)), "{text}");
        let named = format!("<Obj RefId=\"0\"><MS><S N=\"{text}\">a</S></MS></Obj>");
        assert_eq!(read(&named), Err(Malformed::ClixmlText.into()), "{text}");
        assert_eq!(read(&format!("<SBK>{text}</SBK>")), Err(Malformed::ClixmlText.into()));
    }
}

#[test]
fn primitives_are_read_as_powershell_reads_them() {
    let int = |kind, value| Value::Integer(Integer { kind, value });
    for (text, value) in [
        ("<Nil />", Value::Nil),
        ("<B>true</B>", Value::Bool(true)),
        ("<B> 0 </B>", Value::Bool(false)),
        ("<C>960</C>", Value::Char(960)),
        ("<I32>-5</I32>", Value::int(-5)),
        ("<U64>18446744073709551615</U64>", int(IntegerKind::UInt64, u64::MAX.into())),
        ("<By>255</By>", int(IntegerKind::Byte, 255)),
        ("<Db>1.5E+300</Db>", Value::Real(Real { kind: RealKind::Double, text: "1.5E+300".to_owned() })),
        ("<D>-1.50</D>", Value::Real(Real { kind: RealKind::Decimal, text: "-1.50".to_owned() })),
        ("<BA>AQID</BA>", Value::Bytes(vec![1, 2, 3])),
        ("<DT>2026-08-20T12:00:00.1234567+09:00</DT>", Value::DateTime("2026-08-20T12:00:00.1234567+09:00".to_owned())),
        ("<TS>-P1DT2H3M4.5S</TS>", Value::Duration("-P1DT2H3M4.5S".to_owned())),
        ("<Version>5.1</Version>", Value::Version("5.1".to_owned())),
        ("<URI>http://x/</URI>", Value::Uri("http://x/".to_owned())),
        ("<XD>&lt;a /&gt;</XD>", Value::Xml("<a />".to_owned())),
    ] {
        assert_eq!(read(text), Ok(value), "{text}");
    }
}

#[test]
fn what_is_no_value_of_its_type_is_refused() {
    for text in [
        "<B>yes</B>",
        "<B>True</B>",
        "<C>65536</C>",
        "<C>A</C>",
        "<I32>2147483648</I32>",
        "<I32>0x10</I32>",
        "<I32></I32>",
        "<I32>1 2</I32>",
        "<By>-1</By>",
        "<Db>1e999</Db>",
        "<Db>1,5</Db>",
        "<Db>.5</Db>",
        "<D>1E5</D>",
        "<D>79228162514264337593543950336</D>",
        "<D>0.00000000000000000000000000001</D>",
        "<DT>2026-02-30T00:00:00</DT>",
        "<DT>2026-01-01</DT>",
        "<TS>P</TS>",
        "<TS>PT</TS>",
        "<TS>PT1M1H</TS>",
        "<Version>1</Version>",
        "<Version>1.2.3.4.5</Version>",
        "<G>{12345678-1234-1234-1234-123456789abc}</G>",
        "<G>12345678123412341234123456789abc</G>",
        "<URI></URI>",
    ] {
        assert_eq!(read(text), Err(Malformed::ClixmlValue.into()), "{text}");
    }
    assert_eq!(read("<BA>A</BA>"), Err(Malformed::Base64.into()));
}

#[test]
fn what_readers_differ_on_is_refused_by_its_rule() {
    let clixml: Error = Malformed::Clixml.into();
    for (text, error) in [
        ("<Foo>x</Foo>", clixml),
        ("<x:S xmlns:x=\"a\">x</x:S>", clixml),
        ("<S xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">x</S>", clixml),
        ("<S>a<!-- c -->b</S>", clixml),
        ("<S><![CDATA[a]]></S>", clixml),
        ("<?xml version=\"1.0\"?><S>a</S>", clixml),
        ("<?a b?><S>a</S>", Unsupported::ProcessingInstruction.into()),
        ("<!DOCTYPE S><S>a</S>", Unsupported::Dtd.into()),
        ("<S>&e;</S>", Unsupported::Entity.into()),
        ("<S>a</S><S>b</S>", clixml),
        ("<S>a</S>b", clixml),
        (" <S>a</S>", clixml),
        ("<S N=\"a\">a</S>", clixml),
        ("<S N=\"a\" N=\"b\">a</S>", Malformed::Duplicate.into()),
        ("<S RefId=\"0\">a</S>", clixml),
        ("<S other=\"0\">a</S>", clixml),
        ("<S><S>a</S></S>", clixml),
        ("<Nil>a</Nil>", clixml),
        ("<Obj RefId=\"0\">text</Obj>", clixml),
        ("<Obj RefId=\"0\"><S>a</S><I32>1</I32></Obj>", Malformed::Duplicate.into()),
        ("<Obj RefId=\"0\"><MS /><MS /></Obj>", Malformed::Duplicate.into()),
        ("<Obj RefId=\"0\"><MS><S N=\"a\">1</S><S N=\"A\">2</S></MS></Obj>", Malformed::Duplicate.into()),
        ("<Obj RefId=\"0\"><MS><S>1</S></MS></Obj>", clixml),
        ("<Obj RefId=\"0\"><LST><S N=\"a\">1</S></LST></Obj>", clixml),
        ("<Obj RefId=\"0\"><DCT><En><S N=\"Value\">1</S><S N=\"Key\">1</S></En></DCT></Obj>", clixml),
        ("<Obj RefId=\"0\"><DCT><En><S N=\"Key\">1</S></En></DCT></Obj>", clixml),
        ("<S>a", clixml),
        ("<S>\u{1}</S>", Malformed::XmlCharacter.into()),
        ("<S>&#1;</S>", Malformed::XmlCharacter.into()),
        ("", clixml),
    ] {
        assert_eq!(read(text), Err(error), "{text}");
    }
    assert_eq!(decode(b"<S>\xFF</S>"), Err(Malformed::Utf8.into()));
}

#[test]
fn references_are_followed_backwards_only_and_never_when_doubtful() {
    let shared =
        read("<Obj RefId=\"7\"><LST><Obj RefId=\"1\"><LST><S>x</S></LST></Obj><Ref RefId=\"1\" /></LST></Obj>");
    let shared = shared.unwrap();
    assert_eq!(
        encode(&shared),
        "<Obj RefId=\"0\"><LST><Obj RefId=\"1\"><LST><S>x</S></LST></Obj><Ref RefId=\"1\" /></LST></Obj>"
    );
    let doubtful: Error = Malformed::ClixmlReference.into();
    for text in [
        "<Obj RefId=\"0\"><LST><Ref RefId=\"0\" /></LST></Obj>",
        "<Obj RefId=\"0\"><LST><Ref RefId=\"1\" /><Obj RefId=\"1\" /></LST></Obj>",
        "<Obj RefId=\"0\"><LST><Obj RefId=\"1\" /><Obj RefId=\"1\" /><Ref RefId=\"1\" /></LST></Obj>",
        "<Obj RefId=\"0\"><LST><Ref /></LST></Obj>",
        "<Obj RefId=\"x\" />",
        "<Obj RefId=\"4294967296\" />",
        "<Obj RefId=\"0\"><TNRef RefId=\"0\" /></Obj>",
        "<Obj RefId=\"0\"><LST><Obj RefId=\"1\"><TN RefId=\"0\"><T>A</T></TN></Obj><Obj RefId=\"2\"><TN RefId=\"0\"><T>B</T></TN></Obj><Obj RefId=\"3\"><TNRef RefId=\"0\" /></Obj></LST></Obj>",
    ] {
        assert_eq!(read(text), Err(doubtful), "{text}");
    }
    // WinRb gives a number twice without referring to it.
    assert!(read("<Obj RefId=\"0\"><LST><Obj RefId=\"1\" /><Obj RefId=\"1\" /></LST></Obj>").is_ok());
}

#[test]
fn depth_counts_and_what_references_stand_for_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "<Obj><LST>".repeat(depth), "</LST></Obj>".repeat(depth));
    assert!(read(&nested(50)).is_ok());
    assert_eq!(read(&nested(100)), Err(LimitExceeded::XmlDepth.into()));
    assert_eq!(read(&nested(100_000)), Err(LimitExceeded::XmlDepth.into()));

    // Each object refers to the one before: every one of them is shallow, and all together are not.
    let mut chain = "<Obj><LST><Obj RefId=\"0\" />".to_owned();
    for id in 1..100 {
        chain.push_str(&format!("<Obj RefId=\"{id}\"><LST><Ref RefId=\"{}\" /></LST></Obj>", id - 1));
    }
    chain.push_str("</LST></Obj>");
    assert_eq!(read(&chain), Err(LimitExceeded::XmlDepth.into()));

    // Each object refers to the one before twice: small on the wire, huge when followed.
    let mut bomb = "<Obj><LST><Obj RefId=\"0\" />".to_owned();
    for id in 1..40 {
        let reference = format!("<Ref RefId=\"{}\" />", id - 1);
        bomb.push_str(&format!("<Obj RefId=\"{id}\"><LST>{reference}{reference}</LST></Obj>"));
    }
    bomb.push_str("</LST></Obj>");
    assert_eq!(read(&bomb), Err(LimitExceeded::XmlElements.into()));

    let many = format!("<Obj><LST>{}</LST></Obj>", "<Nil />".repeat(300_000));
    assert_eq!(read(&many), Err(LimitExceeded::XmlElements.into()));
    let large = format!("<S>{}</S>", "a".repeat(crate::limits::CLIXML_BYTES));
    assert_eq!(read(&large), Err(LimitExceeded::MessageSize.into()));
}

#[test]
fn the_streams_of_a_program_are_read() {
    let text = "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj S=\"progress\" \
                RefId=\"0\"><MS><PR N=\"Record\"><AV>Preparing</AV><AI>0</AI><Nil /><PI>-1</PI><PC>-1</PC>\
                <T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj><S S=\"Error\">bad_x000D__x000A_</S></Objs>";
    let records = decode_document(text.as_bytes()).unwrap();
    let streams: Vec<&str> = records.iter().map(|record| record.stream.as_str()).collect();
    assert_eq!(streams, ["progress", "Error"]);
    assert_eq!(records[1].value, Value::text("bad\r\n"));
    let progress = records[0].value.as_object().unwrap().member("Record").unwrap();
    assert!(
        matches!(progress, Value::Progress(progress) if progress.activity == "Preparing" && progress.status == " ")
    );
    assert!(decode_document(b"<Objs Version=\"2.0\" />").is_err());
    assert_eq!(decode_document(b"<Objs Version=\"1.1.0.1\" />"), Ok(Vec::new()));
}

#[test]
fn debug_shows_no_content() {
    let secret = Value::Secure(SecureText(Zeroizing::new("hunter2".to_owned())));
    let object = Value::object(Object::of_members([("a", secret), ("b", Value::text("hunter2"))]));
    assert!(!format!("{object:?}").contains("hunter2"));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<String>().prop_map(Value::Text),
        "(_|x|X|0|_x0041_|\u{85}|\u{1F600}|<|&|\"|\r\n| ){0,8}".prop_map(Value::Text),
        any::<u16>().prop_map(Value::Char),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::int),
        any::<i64>().prop_map(Value::long),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
        any::<[u8; 16]>().prop_map(|bytes| Value::Guid(Uuid::from_bytes(bytes))),
        any::<String>().prop_map(Value::ScriptBlock),
        any::<String>().prop_map(Value::Xml),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| {
            Value::Real(Real { kind: RealKind::Double, text: format!("{value:e}").replace('e', "E") })
        }),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let members = || {
            prop::option::of(prop::collection::btree_map("[a-z_x&<\"é]{1,6}", inner.clone(), 0..4))
                .prop_map(|members| members.map(|members| members.into_iter().collect::<Vec<_>>()))
        };
        let content = prop_oneof![
            Just(Content::Nothing),
            inner.clone().prop_map(Content::Value),
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| Content::List(ListKind::List, items)),
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| Content::List(ListKind::Stack, items)),
            prop::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Content::Dictionary),
        ];
        let types = prop::option::of(prop::collection::vec("[A-C]", 0..3));
        (types, prop::option::of(any::<String>()), content, members(), members()).prop_map(
            |(types, shown, content, adapted, extended)| {
                let types = types.map(TypeNames::from);
                Value::Object(Arc::new(Object { types, shown, content, adapted, extended }))
            },
        )
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_to_the_same(value in any_value()) {
        let text = encode(&value);
        prop_assert_eq!(decode(text.as_bytes()), Ok(value.clone()));
        let marked = format!("\u{FEFF}{text}");
        prop_assert_eq!(decode(marked.as_bytes()), Ok(value));
    }

    #[test]
    fn no_input_makes_it_panic(text in "(<|>|/|Obj|S|MS|LST|Ref|TN|T| RefId=\"0\"| N=\"a\"|_x0041_|&#1;|&amp;|\u{1F600}){0,24}") {
        let _ignored = decode(text.as_bytes());
        let _ignored = decode_document(text.as_bytes());
    }
}

/// A value that stands for much more than it says would be copied as often as it is named.
#[test]
fn references_repeat_no_more_than_a_body_may_have() {
    let large = "x".repeat(100_000);
    let body = |references: usize| {
        let repeated = "<Ref RefId=\"1\"/>".repeat(references);
        format!("<Obj RefId=\"0\"><LST><Obj RefId=\"1\"><S>{large}</S></Obj>{repeated}</LST></Obj>")
    };
    assert!(decode(body(100).as_bytes()).is_ok());
    assert_eq!(decode(body(110).as_bytes()), Err(LimitExceeded::MessageSize.into()));
    let nested = format!(
        "<Obj RefId=\"0\"><LST><Obj RefId=\"1\"><S>{large}</S></Obj><Obj RefId=\"2\"><LST>{}</LST></Obj>{}</LST></Obj>",
        "<Ref RefId=\"1\"/>".repeat(20),
        "<Ref RefId=\"2\"/>".repeat(6)
    );
    assert_eq!(decode(nested.as_bytes()), Err(LimitExceeded::MessageSize.into()));
}
