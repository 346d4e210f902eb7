//! What a user sees of a record, as text.

use sekisho_protocol::clixml::show::{self, ShowLimits};
use sekisho_protocol::clixml::{Content, Object, Value};
use sekisho_protocol::psrp::{HostCall, HostMethod, MessageType, Passage};

/// All of a value, within the bounds that it was read in: it is cut where it is kept, once secrets in it are hidden.
const WHOLE: ShowLimits = ShowLimits { lines: 1 << 20, width: 1 << 20, depth: 3 };
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
    let said = of("InformationalRecord_Message").or_else(|| of("MessageData")).unwrap_or(value);
    // An error is what its exception says; its members are many.
    let shown = said.as_object().and_then(|object| object.shown.clone());
    shown.unwrap_or_else(|| text(said))
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

/// A value on its own: text as it came, an object by its members, one on a line.
fn text(value: &Value) -> String {
    match plain(value) {
        Some(text) => text,
        None => show::lines(value, WHOLE).join("\n"),
    }
}

/// A value within a line.
fn line(value: &Value) -> String {
    plain(value).unwrap_or_else(|| show::inline(value, WHOLE.width))
}

/// Text as it came, control characters and all: they are escaped where it is written, and patterns have to see it.
fn plain(value: &Value) -> Option<String> {
    if let Value::Text(text) = value { Some(text.clone()) } else { None }
}

/// What is going on, and how far it is.
fn progress(value: &Value) -> String {
    let Some(object) = value.as_object() else { return line(value) };
    let of = |name: &str| object.member(name).map(line).unwrap_or_default();
    let percent = of("PercentComplete");
    let percent = if percent.is_empty() || percent == "-1" { String::new() } else { format!(" {percent} %") };
    format!("{}: {}{percent}", of("Activity"), of("StatusDescription"))
}
