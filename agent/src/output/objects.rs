//! Objects as JSON: one document, or a line for each record.

use super::json::{Document, OutcomeFields, is_zero, write_line};
use crate::objects::{Nested, Read, Values, Written, read};
use crate::results::{Ending, JobResults, KeptRecord, TargetResult};
use sekisho_protocol::job::{POWERSHELL_VERSION, RecordStream};
use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use std::io::{self, Write};

/// The streams of the document, each with its name. How far something was is of no interest at the end.
const STREAMS: [(&str, RecordStream); 7] = [
    ("output", RecordStream::Output),
    ("error", RecordStream::Error),
    ("warning", RecordStream::Warning),
    ("verbose", RecordStream::Verbose),
    ("debug", RecordStream::Debug),
    ("information", RecordStream::Information),
    ("host", RecordStream::Host),
];

/// How records are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams<'a> {
    pub(crate) values: &'a Values,
    pub(crate) nested: Nested,
}

#[derive(Serialize)]
struct Entry<'a> {
    target: &'a str,
    #[serde(flatten)]
    outcome: OutcomeFields<'a>,
    started: bool,
    streams: StreamsOf<'a>,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_records: u64,
}

/// The records of one target, by stream.
struct StreamsOf<'a> {
    records: &'a [KeptRecord],
    how: Streams<'a>,
}

struct StreamOf<'a> {
    records: &'a [KeptRecord],
    stream: RecordStream,
    how: Streams<'a>,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    target: &'a str,
    stream: RecordStream,
    #[serde(flatten)]
    record: Written<'a>,
}

/// Writes the results as one document. `docs/agent.md`, "Objects as JSON".
pub(crate) fn write_object_results(
    out: &mut dyn Write,
    results: &JobResults,
    early: Option<Ending>,
    how: Streams<'_>,
) -> io::Result<()> {
    let entries = results.targets().iter().filter_map(|target| entry(target, how)).collect();
    write_line(out, &Document::new(POWERSHELL_VERSION, results, early, entries))
}

/// Writes one record as one line.
pub(crate) fn write_record(
    out: &mut dyn Write,
    target: &str,
    record: &KeptRecord,
    values: &Values,
    nested: Nested,
) -> io::Result<()> {
    let read = read(record);
    let how = Streams { values, nested };
    write_line(out, &Line { event: "record", target, stream: record.stream, record: how.written(record.stream, &read) })
}

fn entry<'a>(target: &'a TargetResult, how: Streams<'a>) -> Option<Entry<'a>> {
    Some(Entry {
        target: &target.name,
        outcome: OutcomeFields::of(target)?,
        started: target.started,
        streams: StreamsOf { records: &target.records.kept, how },
        dropped_records: target.records.dropped,
    })
}

impl<'a> Streams<'a> {
    fn written(self, stream: RecordStream, read: &'a Read<'a>) -> Written<'a> {
        match read {
            Read::Value(value) if stream == RecordStream::Output => self.values.saw(value),
            Read::Value(_) => {}
            Read::Unreadable(_) => self.values.cannot_read(),
        }
        read.written(stream, self.values.selection(), self.nested)
    }
}

impl Serialize for StreamsOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(STREAMS.len()))?;
        for (name, stream) in STREAMS {
            map.serialize_entry(name, &StreamOf { records: self.records, stream, how: self.how })?;
        }
        map.end()
    }
}

impl Serialize for StreamOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for record in self.records.iter().filter(|record| record.stream == self.stream) {
            let read = read(record);
            list.serialize_element(&self.how.written(self.stream, &read))?;
        }
        list.end()
    }
}
