//! decode(encode(x)) = x.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use sekisho_protocol::clixml::{
    Content, Integer, IntegerKind, ListKind, Object, Progress, Real, RealKind, SecureText, TypeNames, Value, decode,
    encode, show,
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// What trips writers and readers of XML and of its escapes.
fn odd_text() -> impl Strategy<Value = String> {
    let pieces = "(_|x|X|0|_x0041_|_X00e9_|_x005F_|_xD83D_|\u{85}|\u{1F600}|\u{FEFF}|\u{2028}|\u{0}|\u{7F}|\u{FFFE}|\u{FFFF}\
                  |<|>|&|\"|'|\\]\\]>|&amp;|\r\n|\n|\t| |é|受注){0,10}";
    prop_oneof![any::<String>(), pieces]
}

/// Half of a pair somewhere: no text.
fn odd_units() -> impl Strategy<Value = Value> {
    let text = vec(any::<u16>(), 0..6);
    (text.clone(), 0xD800_u16..0xDC00, text).prop_map(|(before, half, after)| {
        let mut units = before;
        units.extend([half, 0x61]);
        units.extend(after);
        Value::Units(units)
    })
}

fn integer() -> impl Strategy<Value = Value> {
    (prop::sample::select(IntegerKind::ALL.to_vec()), any::<i64>(), any::<bool>()).prop_map(|(kind, value, wide)| {
        let value = i128::from(value);
        let (least, most): (i128, i128) = match kind {
            IntegerKind::Byte => (0, u8::MAX.into()),
            IntegerKind::SByte => (i8::MIN.into(), i8::MAX.into()),
            IntegerKind::UInt16 => (0, u16::MAX.into()),
            IntegerKind::Int16 => (i16::MIN.into(), i16::MAX.into()),
            IntegerKind::UInt32 => (0, u32::MAX.into()),
            IntegerKind::Int32 => (i32::MIN.into(), i32::MAX.into()),
            IntegerKind::UInt64 => (0, u64::MAX.into()),
            IntegerKind::Int64 => (i64::MIN.into(), i64::MAX.into()),
        };
        let value = if wide { least + value.rem_euclid(most - least + 1) } else { most };
        Value::Integer(Integer { kind, value })
    })
}

fn real() -> impl Strategy<Value = Value> {
    let of = |kind| move |text: String| Value::Real(Real { kind, text });
    prop_oneof![
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| format!("{value:e}"))
            .prop_map(of(RealKind::Double)),
        any::<f32>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| format!("{value:e}"))
            .prop_map(of(RealKind::Single)),
        prop::sample::select(vec!["INF", "-INF", "NaN"]).prop_map(str::to_owned).prop_map(of(RealKind::Double)),
        "-?[0-9]{1,14}(\\.[0-9]{1,14})?".prop_map(of(RealKind::Decimal)),
    ]
}

fn moment() -> impl Strategy<Value = Value> {
    let date = "(20[0-9]{2}|0001|9999)-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    let time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,7})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])?";
    prop_oneof![
        (date, time).prop_map(|(date, time)| Value::DateTime(format!("{date}T{time}"))),
        "-?P([0-9]{1,5}D)?T[0-9]{1,3}H[0-9]{1,2}M[0-9]{1,2}(\\.[0-9]{1,7})?S".prop_map(Value::Duration),
        "-?P[0-9]{1,5}D".prop_map(Value::Duration),
    ]
}

fn progress() -> impl Strategy<Value = Value> {
    let numbers = (any::<i32>(), any::<i32>(), any::<i32>(), any::<i32>());
    (odd_text(), odd_text(), odd_text(), option::of(odd_text()), numbers).prop_map(
        |(activity, kind, status, operation, (activity_id, parent_id, percent, seconds_left))| {
            Value::Progress(Box::new(Progress {
                activity,
                activity_id,
                operation,
                parent_id,
                percent,
                kind,
                seconds_left,
                status,
            }))
        },
    )
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Nil),
        odd_text().prop_map(Value::Text),
        odd_units(),
        any::<u16>().prop_map(Value::Char),
        any::<bool>().prop_map(Value::Bool),
        integer(),
        real(),
        moment(),
        vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        any::<[u8; 16]>().prop_map(|bytes| Value::Guid(Uuid::from_bytes(bytes))),
        odd_text().prop_map(|text| Value::Uri(format!("a{text}"))),
        "[0-9]{1,9}(\\.[0-9]{1,9}){1,3}".prop_map(Value::Version),
        "[0-9]{1,9}(\\.[0-9]{1,9}){0,2}(-[a-z0-9.]{1,5})?".prop_map(Value::SemanticVersion),
        odd_text().prop_map(Value::Xml),
        odd_text().prop_map(Value::ScriptBlock),
        "[A-Za-z0-9+/]{0,20}={0,2}".prop_map(|text| Value::Secure(SecureText(Zeroizing::new(text)))),
        progress(),
    ]
}

/// Names that differ in more than case, since PowerShell looks them up without regard to it.
fn members(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Option<Vec<(String, Value)>>> {
    let names = btree_map(odd_text().prop_map(|name| name.to_lowercase()), inner, 0..4);
    option::of(names.prop_map(|members| members.into_iter().collect()))
}

fn any_value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(6, 60, 5, |inner| {
        let kinds = prop::sample::select(vec![ListKind::List, ListKind::Enumerable, ListKind::Stack, ListKind::Queue]);
        let content = prop_oneof![
            Just(Content::Nothing),
            inner.clone().prop_map(Content::Value),
            (kinds, vec(inner.clone(), 0..5)).prop_map(|(kind, items)| Content::List(kind, items)),
            vec((inner.clone(), inner.clone()), 0..4).prop_map(Content::Dictionary),
        ];
        let types = option::of(vec(odd_text(), 0..3).prop_map(TypeNames::from));
        (types, option::of(odd_text()), content, members(inner.clone()), members(inner)).prop_map(
            |(types, shown, content, adapted, extended)| {
                Value::object(Object { types, shown, content, adapted, extended })
            },
        )
    })
}

fn list(items: Vec<Value>) -> Value {
    Value::object(Object { content: Content::List(ListKind::List, items), ..Object::default() })
}

fn items(value: &Value) -> &[Value] {
    match &value.as_object().unwrap().content {
        Content::List(_, items) => items,
        Content::Nothing | Content::Value(_) | Content::Dictionary(_) => panic!("no list"),
    }
}

proptest! {
    #[test]
    fn values_of_every_kind_come_back(value in any_value()) {
        let text = encode(&value);
        let read = decode(text.as_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&value));
        prop_assert_eq!(&encode(&read.unwrap()), &text, "one form");
        // Every reader of XML, not only ours.
        prop_assert!(text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}')), "{}", text);
        let limits = show::ShowLimits { lines: 20, width: 60, depth: 3 };
        let lines = show::lines(&value, limits);
        prop_assert!(lines.len() <= 21 && lines.iter().all(|line| line.chars().count() <= 60));
        prop_assert!(!lines.concat().chars().any(|c| c != '\t' && c.is_control()));
    }

    #[test]
    fn shared_objects_come_back_shared(value in any_value(), times in 2_usize..6) {
        let one = list(vec![value]);
        let shared = list(vec![list(vec![one.clone(); times]), one]);
        let text = encode(&shared);
        let read = decode(text.as_bytes()).unwrap();
        prop_assert_eq!(&read, &shared);
        let (Value::Object(first), Value::Object(last)) = (&items(&items(&read)[0])[0], &items(&read)[1]) else {
            panic!("objects");
        };
        prop_assert!(Arc::ptr_eq(first, last), "one object, referred to");
        prop_assert_eq!(encode(&read), text);
    }

    #[test]
    fn deep_values_come_back(value in leaf(), depth in 1_usize..70) {
        let deep = (0..depth).fold(value, |inner, _| list(vec![inner]));
        prop_assert_eq!(decode(encode(&deep).as_bytes()), Ok(deep));
    }

    #[test]
    fn a_change_anywhere_is_read_or_refused(value in any_value(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = encode(&value).into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(decode(encode(&read).as_bytes()), Ok(read));
        }
    }
}
