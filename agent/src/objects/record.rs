//! One record of a stream, read.

use super::json::{Nested, Properties, Selected};
use super::view::Selection;
use super::{Json, property, text, type_names};
use crate::results::KeptRecord;
use sekisho_protocol::clixml::{Value, decode};
use sekisho_protocol::job::RecordStream;
use serde::Serialize;

/// A record whose CLIXML was looked at.
#[derive(Debug)]
pub enum Read<'a> {
    /// Its value.
    Value(Value),
    /// CLIXML that is none.
    Unreadable(&'a str),
}

/// A record as JSON has it.
#[derive(Serialize)]
pub(crate) struct Written<'a> {
    types: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    value: Option<WrittenValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clixml: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenValue<'a> {
    Whole(Json<'a>),
    Selected(Selected<'a>),
}

/// Looks at a record.
#[must_use]
pub fn read(record: &KeptRecord) -> Read<'_> {
    decode(record.clixml.as_bytes()).map_or(Read::Unreadable(&record.clixml), Read::Value)
}

impl Read<'_> {
    /// As JSON has it.
    pub(crate) fn written<'a>(
        &'a self,
        stream: RecordStream,
        selection: Option<&'a Selection>,
        nested: Nested,
    ) -> Written<'a> {
        let value = match self {
            Self::Value(value) => value,
            Self::Unreadable(clixml) => {
                return Written { types: vec![], text: None, value: None, properties: None, clixml: Some(clixml) };
            }
        };
        let written = match selection.filter(|_| stream == RecordStream::Output) {
            Some(selection) => WrittenValue::Selected(Selected { value, selection, nested }),
            None => WrittenValue::Whole(Json { value, nested }),
        };
        Written {
            types: type_names(value),
            text: words(stream, value),
            value: Some(written),
            properties: Properties::beside(value, nested),
            clixml: None,
        }
    }
}

/// The text beside the value: what an object says of itself, or what people read of a record.
fn words(stream: RecordStream, value: &Value) -> Option<String> {
    match stream {
        RecordStream::Output => value.as_object()?.shown.clone(),
        RecordStream::Host => None,
        RecordStream::Error => Some(error_message(value)),
        RecordStream::Information => Some(property(value, "MessageData").map_or_else(|| text(value), text)),
        RecordStream::Progress => Some(progress(value)),
        RecordStream::Warning | RecordStream::Verbose | RecordStream::Debug => Some(message(value)),
    }
}

/// The text of a warning and its like.
pub(super) fn message(value: &Value) -> String {
    property(value, "InformationalRecord_Message").map_or_else(|| text(value), text)
}

/// The text of an error.
pub(super) fn error_message(value: &Value) -> String {
    let detail = property(value, "ErrorDetails_Message").filter(|detail| **detail != Value::Nil);
    let exception = || property(property(value, "Exception")?, "Message");
    detail.or_else(exception).map_or_else(|| text(value), text)
}

/// How far something is, in one line.
pub(crate) fn progress(value: &Value) -> String {
    let of = |name| property(value, name).map_or_else(String::new, text);
    let (activity, status, percent) = (of("Activity"), of("StatusDescription"), of("PercentComplete"));
    match percent.parse::<u8>() {
        Ok(percent) => format!("{activity}: {status} ({percent} %)"),
        Err(_) => format!("{activity}: {status}"),
    }
}
