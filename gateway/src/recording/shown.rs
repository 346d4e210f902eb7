//! What a user sees of a record, as text.

use sekisho_protocol::clixml::{Content, Object, Value};
use sekisho_protocol::psrp::{HostCall, HostMethod, MessageType, Passage};

/// Members of an object that are shown.
const MAX_MEMBERS: usize = 64;
/// Items of a list that are shown in one line.
const MAX_ITEMS: usize = 1000;
/// How deep objects within objects are followed.
const MAX_DEPTH: usize = 3;
/// Text of one value; it is cut again where it is kept.
const MAX_TEXT: usize = 1 << 20;
/// Stands for a SecureString.
const SECURE: &str = "System.Security.SecureString";
/// Members of records of streams that say how they were asked for, secrets among the arguments included.
const INVOCATION: [&str; 2] = ["InvocationInfo", "InformationalRecord_InvocationInfo"];

/// Calls whose text ends a line.
const LINES: [HostMethod; 6] = [
    HostMethod::WriteLine2,
    HostMethod::WriteLine3,
    HostMethod::WriteErrorLine,
    HostMethod::WriteDebugLine,
    HostMethod::WriteVerboseLine,
    HostMethod::WriteWarningLine,
];

/// The text of an output or of a stream's record.
pub(super) fn record(kind: MessageType, value: &Value) -> String {
    let of = |name: &str| value.as_object().and_then(|object| object.member(name));
    if kind == MessageType::PipelineOutput {
        return text(value);
    }
    if kind == MessageType::ProgressRecord {
        return progress(value);
    }
    let said = of("InformationalRecord_Message").or_else(|| of("MessageData"));
    said.map_or_else(|| line(value), line)
}

/// A record of a stream without how it was asked for.
pub(super) fn without_invocation(kind: MessageType, value: Value) -> Value {
    let Some(object) = value.as_object().filter(|_| kind != MessageType::PipelineOutput) else { return value };
    let mut object = Object::clone(object);
    for members in [&mut object.extended, &mut object.adapted].into_iter().flatten() {
        members.retain(|(name, _)| !INVOCATION.contains(&name.as_str()));
    }
    Value::object(object)
}

/// The text that a call of a host shows; nothing where it shows none.
pub(super) fn host_call(call: &HostCall) -> Option<String> {
    if call.method.passage() != Passage::Shown {
        return None;
    }
    let last = call.parameters.last();
    if call.method == HostMethod::WriteLine1 {
        return Some("\n".to_owned());
    }
    if call.method == HostMethod::WriteProgress {
        return last.map(progress);
    }
    let end = if LINES.contains(&call.method) { "\n" } else { "" };
    Some(last.map(line).unwrap_or_default() + end)
}

/// Gives every text in a value: what a pattern is looked for in, when the value itself is kept.
pub(super) fn any_text(value: &Value, is_sought: &mut dyn FnMut(&str) -> bool) -> bool {
    let Value::Object(object) = value else { return is_sought(&line(value)) };
    let mut members = object.adapted.iter().chain(&object.extended).flatten();
    let mut inside = |value: &Value| any_text(value, is_sought);
    if members.any(|(_, value)| inside(value)) {
        return true;
    }
    let found = match &object.content {
        Content::Nothing => false,
        Content::Value(value) => inside(value),
        Content::List(_, items) => items.iter().any(inside),
        Content::Dictionary(entries) => entries.iter().any(|(key, value)| inside(key) || inside(value)),
    };
    found || object.shown.as_deref().is_some_and(is_sought)
}

/// A value on its own: an object without a text of its own by its members, one on a line.
fn text(value: &Value) -> String {
    value.as_object().and_then(listed).unwrap_or_else(|| line(value))
}

fn listed(object: &Object) -> Option<String> {
    if !matches!(object.content, Content::Nothing) {
        return None;
    }
    let members: Vec<_> = object.adapted.iter().chain(&object.extended).flatten().take(MAX_MEMBERS).collect();
    let width = members.iter().map(|(name, _)| name.chars().count()).max()?;
    let mut out = String::new();
    for (name, value) in members {
        if MAX_TEXT < out.len() {
            break;
        }
        out.push_str(&format!("{name:width$} : "));
        inline(value, 0, &mut out);
        out.push('\n');
    }
    out.pop();
    Some(out)
}

/// A value within a line.
fn line(value: &Value) -> String {
    let mut out = String::new();
    inline(value, 0, &mut out);
    out
}

fn inline(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Nil => {}
        Value::Text(text)
        | Value::DateTime(text)
        | Value::Duration(text)
        | Value::Uri(text)
        | Value::Version(text)
        | Value::SemanticVersion(text)
        | Value::Xml(text)
        | Value::ScriptBlock(text) => out.push_str(text),
        Value::Units(units) => out.push_str(&String::from_utf16_lossy(units)),
        Value::Char(unit) => out.push_str(&String::from_utf16_lossy(&[*unit])),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Integer(integer) => out.push_str(&integer.value.to_string()),
        Value::Real(real) => out.push_str(&real.text),
        Value::Bytes(bytes) => out.push_str(&format!("<{} bytes>", bytes.len())),
        Value::Guid(guid) => out.push_str(&guid.to_string()),
        Value::Secure(_) => out.push_str(SECURE),
        Value::Progress(progress) => out.push_str(&format!("{}: {}", progress.activity, progress.status)),
        Value::Object(object) => within(object, depth, out),
    }
}

fn within(object: &Object, depth: usize, out: &mut String) {
    // Of an enumeration that is its name, where its value is a number.
    if let Some(shown) = &object.shown {
        return out.push_str(shown);
    }
    if let Content::Value(value) = &object.content {
        return inline(value, depth, out);
    }
    if MAX_DEPTH <= depth {
        return out.push_str("...");
    }
    let deeper = depth.saturating_add(1);
    match &object.content {
        Content::Value(_) => {}
        Content::List(_, items) => {
            for (index, item) in items.iter().take(MAX_ITEMS).enumerate() {
                out.push_str(if index == 0 { "{" } else { ", " });
                inline(item, deeper, out);
            }
            out.push_str(if items.is_empty() { "{}" } else { "}" });
        }
        Content::Dictionary(entries) => pairs(entries.iter().map(|(key, value)| (line(key), value)), deeper, out),
        Content::Nothing => {
            let members = object.adapted.iter().chain(&object.extended).flatten();
            pairs(members.map(|(name, value)| (name.clone(), value)), deeper, out);
        }
    }
}

#[expect(single_use_lifetimes, reason = "it cannot be left out in an impl Trait")]
fn pairs<'v>(entries: impl Iterator<Item = (String, &'v Value)>, depth: usize, out: &mut String) {
    out.push_str("@{");
    for (index, (name, value)) in entries.take(MAX_MEMBERS).enumerate() {
        out.push_str(if index == 0 { "" } else { "; " });
        out.push_str(&name);
        out.push('=');
        inline(value, depth, out);
    }
    out.push('}');
}

/// What is going on, and how far it is.
fn progress(value: &Value) -> String {
    let Some(object) = value.as_object() else { return line(value) };
    let of = |name: &str| object.member(name).map(line).unwrap_or_default();
    let percent = of("PercentComplete");
    let percent = if percent.is_empty() || percent == "-1" { String::new() } else { format!(" {percent} %") };
    format!("{}: {}{percent}", of("Activity"), of("StatusDescription"))
}
