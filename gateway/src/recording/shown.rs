//! What a user sees of a record, as text.

use sekisho_protocol::clixml::show::{self, ShowLimits};
use sekisho_protocol::clixml::{Content, Object, Value};
use sekisho_protocol::psrp::{HostCall, HostMethod, MessageType, Passage};
use std::borrow::Cow;

/// Most bytes that are made of one value, about: a reference may stand for much text, and often.
const LARGEST: usize = 4 << 20;
/// All of a value that is no more than that: it is cut where it is kept, once secrets in it are hidden.
const WHOLE: ShowLimits = ShowLimits { lines: LARGEST, width: LARGEST, depth: 3 };
/// What is shown of any other, so that lines, characters and the four bytes of one are no more than that either.
const PART: ShowLimits = ShowLimits { lines: 1024, width: 1024, depth: 3 };
/// Characters of a value within a line.
const LINE: usize = 1 << 20;
/// Bytes that one byte of a text becomes at most, when control characters become pictures.
const PICTURE: usize = 3;
/// What stands around a value: brackets, its place in a list.
const AROUND: usize = 16;
/// Characters of a key at most, as it stands before its value.
const KEY: usize = 256;

/// The text of a record.
pub(super) struct Text<'v> {
    pub(super) text: Cow<'v, str>,
    pub(super) extent: Extent,
}

/// Whether a text says all that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Part,
}

impl<'v> Text<'v> {
    fn whole(text: impl Into<Cow<'v, str>>) -> Self {
        Self { text: text.into(), extent: Extent::Whole }
    }
}

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
pub(super) fn record(kind: MessageType, value: &Value) -> Text<'_> {
    let of = |name: &str| value.as_object().and_then(|object| object.member(name));
    if kind == MessageType::PipelineOutput {
        return text(value);
    }
    if kind == MessageType::ProgressRecord {
        return Text::whole(progress(value));
    }
    let said = of("InformationalRecord_Message").or_else(|| of("MessageData")).unwrap_or(value);
    // An error is what its exception says; its members are many.
    let shown = said.as_object().and_then(|object| object.shown.as_deref());
    shown.map_or_else(|| text(said), Text::whole)
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
fn text(value: &Value) -> Text<'_> {
    if let Value::Text(text) = value {
        return Text::whole(text.as_str());
    }
    let (limits, extent) = if is_small(value) { (WHOLE, Extent::Whole) } else { (PART, Extent::Part) };
    Text { text: show::lines(value, limits).join("\n").into(), extent }
}

/// Whether no more than [`LARGEST`] is made of a value, every reference followed.
pub(super) fn is_small(value: &Value) -> bool {
    let mut left = Left(LARGEST);
    left.value(value, 0).is_some()
}

/// Bytes that may still be made; nothing once they are too many.
struct Left(usize);

impl Left {
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }

    /// A text, before each line of which something stands.
    fn text(&mut self, text: &str, lead: usize) -> Option<()> {
        self.take(text.len().saturating_mul(PICTURE).saturating_add(AROUND))?;
        let lines = text.matches('\n').count().saturating_add(1);
        self.take(lines.saturating_mul(lead))
    }

    fn value(&mut self, value: &Value, lead: usize) -> Option<()> {
        match (value, value.as_object()) {
            (_, Some(object)) => self.object(object, lead),
            (Value::Text(text), None) => self.text(text, lead),
            (other, None) => self.text(&show::inline(other, LARGEST), lead),
        }
    }

    fn object(&mut self, object: &Object, lead: usize) -> Option<()> {
        for text in object.types.iter().flat_map(|types| types.iter()).chain(&object.shown) {
            self.text(text, lead)?;
        }
        let members = || object.adapted.iter().chain(&object.extended).flatten();
        let widest = members().map(|(name, _)| name.len()).max().unwrap_or_default();
        let inner = lead.max(widest).saturating_add(AROUND);
        for (name, value) in members() {
            self.text(name, 0)?;
            self.value(value, inner)?;
        }
        match &object.content {
            Content::Nothing => Some(()),
            Content::Value(value) => self.value(value, inner),
            Content::List(_, items) => items.iter().try_for_each(|item| self.value(item, inner)),
            Content::Dictionary(entries) => entries.iter().try_for_each(|(key, value)| {
                self.value(key, 0)?;
                self.value(value, KEY)
            }),
        }
    }
}

/// A value within a line.
fn line(value: &Value) -> String {
    plain(value).unwrap_or_else(|| show::inline(value, LINE))
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

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_protocol::clixml::ListKind;

    fn list(items: Vec<Value>) -> Value {
        Value::object(Object { content: Content::List(ListKind::List, items), ..Object::default() })
    }

    fn with(members: Vec<(String, Value)>) -> Value {
        Value::object(Object { extended: Some(members), ..Object::default() })
    }

    fn shown(value: &Value) -> (usize, Extent) {
        let Text { text, extent } = record(MessageType::PipelineOutput, value);
        (text.len(), extent)
    }

    #[test]
    fn no_object_becomes_more_text_than_the_bound() {
        let long = with(vec![("A".to_owned(), Value::text("a".repeat(1 << 20)))]);
        let references = list(vec![long.clone(); 10_000]);
        let indented = with(vec![("n".repeat(256), Value::text("\n".repeat(1 << 18)))]);
        for value in [references, indented] {
            let (length, extent) = shown(&value);
            assert!(length <= LARGEST + PART.lines * 2, "{length}");
            assert_eq!(extent, Extent::Part);
        }
        assert_eq!(shown(&long), ((1 << 20) + "A : ".len(), Extent::Whole));
    }

    #[test]
    fn what_is_called_small_is_small() {
        let pairs: Vec<_> =
            (0..200).map(|n| (format!("{n}{}", "é".repeat(60)), Value::text("x\n\u{1}".repeat(9)))).collect();
        let value = list(vec![with(pairs); 30]);
        let (length, extent) = shown(&value);
        assert!(extent == Extent::Part || length <= LARGEST);
        assert_eq!(shown(&list(vec![Value::text("abc"); 2000])), (7999, Extent::Whole));
    }
}
