//! Objects as PowerShell sends them, and what is read from them.

use sekisho_protocol::clixml::{Content, Integer, IntegerKind, ListKind, Member, Object, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How many objects within objects text is made of.
const MAX_DEPTH: usize = 4;
/// Nanoseconds of a tick.
const TICK: u32 = 100;

/// Members in their order.
pub(super) fn members<const N: usize>(members: [(&str, Value); N]) -> Vec<Member> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An object with types, the text that it is shown as, and members of both kinds.
pub(super) fn typed(types: &[&str], shown: &str, adapted: Vec<Member>, extended: Vec<Member>) -> Value {
    Value::object(Object {
        types: Some(types.iter().map(|&name| name.to_owned()).collect()),
        shown: Some(shown.to_owned()),
        adapted: (!adapted.is_empty()).then_some(adapted),
        extended: (!extended.is_empty()).then_some(extended),
        ..Object::default()
    })
}

/// What `Select-Object` makes of an object of a type.
pub(super) fn selected(of: &str, extended: Vec<Member>) -> Value {
    let types = [&format!("Selected.{of}"), "System.Management.Automation.PSCustomObject", "System.Object"];
    Value::object(Object {
        types: Some(types.iter().map(|&name| name.to_owned()).collect()),
        extended: Some(extended),
        ..Object::default()
    })
}

/// One value of an enumeration.
pub(super) fn enumeration(type_name: &str, shown: &str, value: i32) -> Value {
    let types = [type_name, "System.Enum", "System.ValueType", "System.Object"];
    Value::object(Object {
        types: Some(types.iter().map(|&name| name.to_owned()).collect()),
        shown: Some(shown.to_owned()),
        content: Content::Value(Value::int(value)),
        ..Object::default()
    })
}

/// A list that PowerShell made.
pub(super) fn list(items: Vec<Value>) -> Value {
    let types = ["System.Object[]", "System.Array", "System.Object"];
    Value::object(Object {
        types: Some(types.iter().map(|&name| name.to_owned()).collect()),
        content: Content::List(ListKind::List, items),
        ..Object::default()
    })
}

/// `U32`.
pub(super) fn unsigned(value: u32) -> Value {
    Value::Integer(Integer { kind: IntegerKind::UInt32, value: value.into() })
}

/// A size or a count.
pub(super) fn long(value: u64) -> Value {
    Value::long(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A moment, as precise as .NET knows it.
pub(super) fn moment(at: OffsetDateTime) -> Value {
    let past = at.nanosecond().checked_rem(TICK).unwrap_or(0);
    let at = at.replace_nanosecond(at.nanosecond().saturating_sub(past)).unwrap_or(at);
    // Years of five digits are no moment of this machine.
    at.format(&Rfc3339).map_or(Value::Nil, Value::DateTime)
}

/// A span of whole seconds.
pub(super) fn span(seconds: u64) -> Value {
    Value::Duration(format!("PT{seconds}S"))
}

/// The first name of an object's types; for other values the name that .NET has.
pub(super) fn type_name(value: &Value) -> &str {
    match value {
        Value::Object(object) => {
            let first = object.types.as_ref().and_then(|types| types.first());
            first.map_or("System.Management.Automation.PSObject", String::as_str)
        }
        Value::Text(_) | Value::Units(_) => "System.String",
        Value::Bool(_) => "System.Boolean",
        Value::Integer(integer) if integer.kind == IntegerKind::Int32 => "System.Int32",
        Value::Integer(integer) if integer.kind == IntegerKind::Int64 => "System.Int64",
        Value::DateTime(_) => "System.DateTime",
        Value::Duration(_) => "System.TimeSpan",
        Value::Secure(_) => "System.Security.SecureString",
        Value::Nil
        | Value::Char(_)
        | Value::Integer(_)
        | Value::Real(_)
        | Value::Bytes(_)
        | Value::Guid(_)
        | Value::Uri(_)
        | Value::Version(_)
        | Value::SemanticVersion(_)
        | Value::Xml(_)
        | Value::ScriptBlock(_)
        | Value::Progress(_) => "System.Object",
    }
}

/// All members, those of the type first.
pub(super) fn all_members(value: &Value) -> impl Iterator<Item = &Member> {
    let object = value.as_object();
    let adapted = object.and_then(|object| object.adapted.as_ref());
    let extended = object.and_then(|object| object.extended.as_ref());
    adapted.into_iter().flatten().chain(extended.into_iter().flatten())
}

/// A member by name, whatever its case.
pub(super) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    all_members(value).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The items of a list; of anything else itself.
pub(super) fn items(value: &Value) -> &[Value] {
    match value.as_object().map(|object| &object.content) {
        Some(Content::List(_, items)) => items,
        Some(Content::Nothing | Content::Value(_) | Content::Dictionary(_)) | None => std::slice::from_ref(value),
    }
}

/// A whole number, also one that came as text or as an enumeration.
pub(super) fn number(value: &Value) -> Option<i64> {
    let inner = match value.as_object().map(|object| &object.content) {
        Some(Content::Value(inner)) => inner,
        Some(Content::Nothing | Content::List(..) | Content::Dictionary(_)) | None => value,
    };
    if let Value::Integer(integer) = inner {
        return i64::try_from(integer.value).ok();
    }
    if let Value::Text(text) = inner { text.trim().parse().ok() } else { None }
}

/// What PowerShell shows a value as.
pub(super) fn text(value: &Value) -> String {
    text_within(value, MAX_DEPTH)
}

fn text_within(value: &Value, depth: usize) -> String {
    match value {
        Value::Text(text)
        | Value::DateTime(text)
        | Value::Duration(text)
        | Value::Uri(text)
        | Value::Version(text)
        | Value::SemanticVersion(text)
        | Value::Xml(text)
        | Value::ScriptBlock(text) => text.clone(),
        Value::Units(units) => String::from_utf16_lossy(units),
        Value::Char(unit) => String::from_utf16_lossy(&[*unit]),
        Value::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Value::Integer(integer) => integer.value.to_string(),
        Value::Real(real) => real.text.clone(),
        Value::Guid(guid) => guid.hyphenated().to_string(),
        Value::Nil | Value::Progress(_) => String::new(),
        Value::Bytes(_) => "System.Byte[]".to_owned(),
        Value::Secure(_) => "System.Security.SecureString".to_owned(),
        Value::Object(object) => match (&object.shown, &object.content, depth.checked_sub(1)) {
            (Some(shown), _, _) => shown.clone(),
            (None, Content::Value(inner), Some(left)) => text_within(inner, left),
            (None, Content::List(_, items), Some(left)) => {
                items.iter().map(|item| text_within(item, left)).collect::<Vec<_>>().join(" ")
            }
            (None, Content::Nothing | Content::Dictionary(_), Some(left)) => {
                let shown: Vec<_> =
                    all_members(value).map(|(name, member)| format!("{name}={}", text_within(member, left))).collect();
                format!("@{{{}}}", shown.join("; "))
            }
            (None, _, None) => type_name(value).to_owned(),
        },
    }
}
