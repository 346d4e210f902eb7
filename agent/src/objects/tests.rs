//! Objects as JSON and in tables, from recordings of PowerShell and from everything that CLIXML can hold.

use super::*;
use proptest::prelude::*;
use sekisho_protocol::clixml::{Integer, IntegerKind, ListKind, Real, RealKind, decode, encode};
use serde_json::{Value as Parsed, json};

pub(super) fn value(clixml: &str) -> Value {
    decode(clixml.as_bytes()).unwrap()
}

fn written(value: &Value, nested: Nested) -> String {
    serde_json::to_string(&Json { value, nested }).unwrap()
}

fn parsed(clixml: &str) -> Parsed {
    serde_json::from_str(&written(&value(clixml), Nested::Plain)).unwrap()
}

const MONDAY: &str = r#"<Obj N="Day" RefId="1"><TN RefId="1"><T>System.DayOfWeek</T><T>System.Enum</T><T>System.Object</T></TN><ToString>Monday</ToString><I32>1</I32></Obj>"#;

#[test]
fn values_are_the_json_that_the_guide_describes() {
    for (clixml, expected) in [
        ("<Nil />", "null"),
        ("<S>a_x000A_\u{e9}</S>", "\"a\\n\u{e9}\""),
        ("<S>_xD800_</S>", "\"\u{fffd}\""),
        ("<C>120</C>", "\"x\""),
        ("<B>false</B>", "false"),
        ("<By>255</By>", "255"),
        ("<U64>18446744073709551615</U64>", "18446744073709551615"),
        ("<I64>-9223372036854775808</I64>", "-9223372036854775808"),
        ("<D>79228162514264337593543950335</D>", "79228162514264337593543950335"),
        ("<D>3.250</D>", "3.250"),
        ("<Db>1E+300</Db>", "1E+300"),
        ("<Db>0.1</Db>", "0.1"),
        ("<Sg>1.5</Sg>", "1.5"),
        ("<Db>NaN</Db>", "\"NaN\""),
        ("<Db>INF</Db>", "\"Infinity\""),
        ("<Sg>-INF</Sg>", "\"-Infinity\""),
        ("<DT>2026-11-24T13:42:11.1234567+09:00</DT>", "\"2026-11-24T13:42:11.1234567+09:00\""),
        ("<TS>P1DT1H1M1.5S</TS>", "\"P1DT1H1M1.5S\""),
        ("<BA>AQL/</BA>", "\"AQL/\""),
        ("<G>12345678-1234-1234-1234-123456789abc</G>", "\"12345678-1234-1234-1234-123456789abc\""),
        ("<URI>https://example.test/</URI>", "\"https://example.test/\""),
        ("<Version>1.2.3.4</Version>", "\"1.2.3.4\""),
        ("<XD>&lt;a /&gt;</XD>", "\"<a />\""),
        ("<SBK>1+1</SBK>", "\"1+1\""),
        ("<SS>c2VjcmV0</SS>", "\"System.Security.SecureString\""),
        ("<Obj RefId=\"0\"><LST><I32>1</I32><S>a</S><Nil /></LST></Obj>", "[1,\"a\",null]"),
        ("<Obj RefId=\"0\"><QUE><I32>1</I32></QUE></Obj>", "[1]"),
        ("<Obj RefId=\"0\"><S>text</S><MS><S N=\"PSPath\">x</S></MS></Obj>", "\"text\""),
        ("<Obj RefId=\"0\"><ToString>10.0.0.1</ToString></Obj>", "\"10.0.0.1\""),
        ("<Obj RefId=\"0\" />", "{}"),
    ] {
        assert_eq!(written(&value(clixml), Nested::Plain), expected, "{clixml}");
    }
}

#[test]
fn objects_are_their_properties_and_enumerations_their_names() {
    let object = format!(
        r#"<Obj RefId="0"><ToString>shown</ToString><Props>{MONDAY}<S N="Name">old</S><Obj N="Inner" RefId="2"><ToString>a service</ToString></Obj></Props><MS><S N="name">new</S></MS></Obj>"#
    );
    assert_eq!(
        parsed(&object),
        json!({"Day": "Monday", "Inner": "a service", "name": "new"}),
        "added ones hide others"
    );
}

#[test]
fn dictionaries_are_objects_unless_two_keys_read_alike() {
    let entry = |key: &str, value: &str| format!("<En>{key}{value}</En>");
    let plain = entry("<S N=\"Key\">a</S>", "<I32 N=\"Value\">1</I32>");
    let number = entry("<I32 N=\"Key\">1</I32>", "<S N=\"Value\">x</S>");
    let text = entry("<S N=\"Key\">1</S>", "<S N=\"Value\">y</S>");
    let of = |entries: &[&String]| {
        let entries: String = entries.iter().map(|entry| entry.as_str()).collect();
        parsed(&format!("<Obj RefId=\"0\"><DCT>{entries}</DCT></Obj>"))
    };
    assert_eq!(of(&[&plain, &number]), json!({"a": 1, "1": "x"}));
    assert_eq!(of(&[&number, &text]), json!([{"key": 1, "value": "x"}, {"key": "1", "value": "y"}]));
}

#[test]
fn with_types_everything_within_an_object_stands_apart() {
    let object = format!(
        r#"<Obj RefId="0"><MS>{MONDAY}<Obj N="Line" RefId="2"><S>text</S><MS><I32 N="ReadCount">1</I32></MS></Obj><Obj N="Names" RefId="3"><TN RefId="2"><T>System.String[]</T></TN><LST><S>a</S></LST></Obj><Obj N="Inner" RefId="4"><MS><I32 N="A">1</I32></MS></Obj></MS></Obj>"#
    );
    let typed: Parsed = serde_json::from_str(&written(&value(&object), Nested::Typed)).unwrap();
    assert_eq!(
        typed,
        json!({
            "Day": {"types": ["System.DayOfWeek", "System.Enum", "System.Object"], "text": "Monday", "value": 1},
            "Line": {"types": ["System.String"], "value": "text", "properties": {"ReadCount": 1}},
            "Names": {"types": ["System.String[]"], "value": ["a"]},
            "Inner": {"types": [], "properties": {"A": 1}},
        })
    );
}

fn rows(values: &[(&str, &str)], selection: Option<&Selection>) -> (String, Vec<String>) {
    let (mut rows, mut texts, mut out) = (Rows::default(), Vec::new(), Vec::new());
    for (target, clixml) in values {
        texts.extend(rows.add(target, &value(clixml), selection));
    }
    write_rows(&mut out, &rows).unwrap();
    (String::from_utf8(out).unwrap(), texts)
}

fn object(types: &[&str], members: &str) -> String {
    let types: String = types.iter().map(|name| format!("<T>{name}</T>")).collect();
    format!("<Obj RefId=\"0\"><TN RefId=\"0\">{types}</TN><MS>{members}</MS></Obj>")
}

#[test]
fn known_types_have_the_columns_of_powershell() {
    let process = object(
        &["System.Diagnostics.Process"],
        "<S N=\"Name\">lsass</S><I32 N=\"SI\">0</I32><I32 N=\"Handles\">1200</I32><I64 N=\"WS\">20480</I64>\
         <I64 N=\"PM\">1048576</I64><I64 N=\"NPM\">4096</I64><Db N=\"CPU\">1.5</Db><I32 N=\"Id\">700</I32>\
         <S N=\"ProcessName\">lsass</S>",
    );
    let small = object(
        &["Deserialized.System.Diagnostics.Process"],
        "<I32 N=\"Handles\">5</I32><I32 N=\"Id\">9</I32><S N=\"ProcessName\">Idle</S>",
    );
    assert_eq!(
        rows(&[("web01", &process), ("db01", &small)], None).0,
        "Handles NPM(K) PM(K) WS(K) CPU(s)  Id SI ProcessName Target\n\
         ------- ------ ----- ----- ------  -- -- ----------- ------\n   \
         1200      4  1024    20   1.50 700  0 lsass       web01\n      \
         5                             9    Idle        db01\n\n"
    );
    let disk = object(
        &["Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_LogicalDisk"],
        "<S N=\"DeviceID\">C:</S><U32 N=\"DriveType\">3</U32><U64 N=\"Size\">100</U64><S N=\"Other\">x</S>",
    );
    assert!(
        rows(&[("a", &disk)], None).0.starts_with("DeviceID DriveType ProviderName VolumeName Size FreeSpace Target")
    );
    let file = object(
        &["System.IO.FileInfo"],
        "<S N=\"Name\">\u{65e5}\u{672c}.txt</S><S N=\"Mode\">-a----</S><I64 N=\"Length\">5</I64>\
         <DT N=\"LastWriteTime\">2026-11-24T13:42:11Z</DT>",
    );
    assert!(rows(&[("a", &file)], None).0.contains("-a---- 2026-11-24 13:42:11Z      5 \u{65e5}\u{672c}.txt a\n"));
}

#[test]
fn other_objects_are_tables_up_to_four_properties_and_lists_beyond() {
    let four = object(
        &[],
        "<S N=\"A\">x</S><I32 N=\"B\">10</I32><Nil N=\"C\" /><B N=\"D\">true</B><S N=\"PSComputerName\">h</S>",
    );
    assert_eq!(rows(&[("web01", &four)], None).0, "A  B C D    Target\n-  - - -    ------\nx 10   True web01\n\n");
    let five =
        object(&[], "<S N=\"A\">1</S><S N=\"Bee\">2_x000D__x000A_3</S><S N=\"C\"></S><S N=\"D\">4</S><S N=\"E\">5</S>");
    assert_eq!(
        rows(&[("web01", &five)], None).0,
        "A      : 1\nBee    : 2\n         3\nC      :\nD      : 4\nE      : 5\nTarget : web01\n\n"
    );
    let entries = "<Obj RefId=\"0\"><DCT><En><S N=\"Key\">a</S><I32 N=\"Value\">1</I32></En></DCT></Obj>";
    assert_eq!(rows(&[("t", entries)], None).0, "Name Value Target\n---- ----- ------\na        1 t\n\n");
    let chosen = Selection::new(&["b".to_owned(), "Z".to_owned()]).unwrap();
    assert_eq!(rows(&[("t", &five), ("t", &four)], Some(&chosen)).0.lines().count(), 5);
    assert_eq!(rows(&[("t", &four)], Some(&chosen)).0, " b Z Target\n-- - ------\n10   t\n\n".replace("-- -", " - -"));
}

#[test]
fn what_is_no_object_is_text_and_lists_are_taken_item_by_item() {
    let list = format!("<Obj RefId=\"9\"><LST><I32>1</I32>{}</LST></Obj>", MONDAY.replace(" N=\"Day\"", ""));
    assert_eq!(
        rows(&[("a", &list), ("a", "<S>x</S>")], None),
        (String::new(), vec!["1".into(), "Monday".into(), "x".into()])
    );
}

#[test]
fn a_cell_is_one_line_of_bounded_width() {
    let long = object(&[], &format!("<S N=\"A\">{}</S><S N=\"B\">one_x000A_two</S>", "x".repeat(100_000)));
    let (out, _) = rows(&[("t", &long)], None);
    assert_eq!(out.lines().nth(2).unwrap(), format!("{}… one… t", "x".repeat(79)));
    let fits = object(&[], &format!("<S N=\"A\">{}</S>", "x".repeat(80)));
    assert!(rows(&[("t", &fits)], None).0.contains(&format!("{} t", "x".repeat(80))));
}

#[test]
fn every_output_of_a_recording_of_powershell_becomes_json_and_text() {
    let recorded = include_str!("tests/values.txt");
    let mut count = 0;
    for clixml in recorded.lines() {
        let value = value(clixml);
        for nested in [Nested::Plain, Nested::Typed] {
            let json = written(&value, nested);
            serde_json::from_str::<Parsed>(&json).unwrap_or_else(|error| panic!("{clixml}: {error}: {json}"));
        }
        rows(&[("t", clixml)], None);
        count += 1;
    }
    assert!(40 < count, "{count}");
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        "\\PC{0,8}".prop_map(Value::text),
        any::<i64>().prop_map(Value::long),
        any::<u64>().prop_map(|value| Value::Integer(Integer { kind: IntegerKind::UInt64, value: value.into() })),
        any::<f64>().prop_map(|number| {
            let text = match number {
                number if number.is_nan() => "NaN".to_owned(),
                number if number.is_infinite() => if number < 0.0 { "-INF" } else { "INF" }.to_owned(),
                number => format!("{number:e}").replace('e', "E"),
            };
            Value::Real(Real { kind: RealKind::Double, text })
        }),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Value::Bytes),
        prop::collection::vec(any::<u16>(), 0..5).prop_map(Value::Units),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 32, 5, |inner| {
        let members = prop::collection::btree_map("[A-Za-z]{1,3}", inner.clone(), 0..4);
        let object = |members: Vec<(String, Value)>, content, shown: Option<String>| {
            Value::object(Object { extended: Some(members), content, shown, ..Object::default() })
        };
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(move |items| { object(vec![], Content::List(ListKind::List, items), None) }),
            prop::collection::vec((leaf(), inner), 0..4)
                .prop_map(move |entries| { object(vec![], Content::Dictionary(entries), None) }),
            (members, prop::option::of("[a-z]{0,3}"))
                .prop_map(move |(members, shown)| { object(members.into_iter().collect(), Content::Nothing, shown) }),
        ]
    })
}

/// What the guide says that a value is as JSON, written down once more in another way.
fn expected(value: &Value) -> Parsed {
    match value {
        Value::Nil => Parsed::Null,
        Value::Bool(value) => json!(value),
        Value::Integer(integer) => serde_json::from_str(&integer.value.to_string()).unwrap(),
        Value::Real(real) => match real.text.as_str() {
            "NaN" => json!("NaN"),
            "INF" => json!("Infinity"),
            "-INF" => json!("-Infinity"),
            number => serde_json::from_str(number).unwrap(),
        },
        Value::Object(object) => match &object.content {
            Content::List(_, items) => Parsed::Array(items.iter().map(expected).collect()),
            Content::Dictionary(entries) => {
                let keys: HashSet<String> = entries.iter().map(|(key, _)| text(key)).collect();
                if keys.len() == entries.len() {
                    Parsed::Object(entries.iter().map(|(key, value)| (text(key), expected(value))).collect())
                } else {
                    let pair = |(key, value): &(Value, Value)| json!({"key": expected(key), "value": expected(value)});
                    Parsed::Array(entries.iter().map(pair).collect())
                }
            }
            Content::Value(inner) => expected(inner),
            Content::Nothing => {
                let members = object.extended.iter().flatten();
                match &object.shown {
                    Some(shown) if members.clone().count() == 0 => json!(shown),
                    _ => Parsed::Object(members.map(|(name, value)| (name.clone(), expected(value))).collect()),
                }
            }
        },
        Value::Bytes(bytes) => {
            use base64::Engine as _;
            json!(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Value::Units(units) => json!(String::from_utf16_lossy(units)),
        Value::Text(text) => json!(text),
        Value::Char(_)
        | Value::DateTime(_)
        | Value::Duration(_)
        | Value::Guid(_)
        | Value::Uri(_)
        | Value::Version(_)
        | Value::SemanticVersion(_)
        | Value::Xml(_)
        | Value::ScriptBlock(_)
        | Value::Secure(_)
        | Value::Progress(_) => panic!("not among the values that are made here"),
    }
}

proptest! {
    #[test]
    fn whatever_a_target_sends_is_the_json_that_the_guide_describes(value in any_value()) {
        // By way of the wire, as it comes.
        let value = decode(encode(&value).as_bytes()).unwrap();
        let plain: Parsed = serde_json::from_str(&written(&value, Nested::Plain)).unwrap();
        prop_assert_eq!(plain, expected(&value));
        let typed = written(&value, Nested::Typed);
        prop_assert!(serde_json::from_str::<Parsed>(&typed).is_ok(), "{}", typed);
        let mut out = Vec::new();
        let mut rows = Rows::default();
        rows.add("t", &value, None);
        write_rows(&mut out, &rows).unwrap();
        let shown = String::from_utf8(out).unwrap();
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{}", shown);
    }
}
