//! The results of pipelines, written.

use super::RunOptions;
use crate::exec::Report;
use crate::objects::{Nested, Read, Rows, Selection, Values, read, text, texts, write_rows, write_trouble};
use crate::output::{Streams, write_ends, write_event, write_lines, write_object_results, write_record, write_safe};
use crate::results::{Ending, JobResults, Keep, KeptRecord, Outcome, TargetResult};
use crate::{ExitStatus, Sinks};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::job::{JobEvent, PipelineEnd, RecordStream};
use std::collections::HashMap;
use std::io::{self, Write};

const INDENT: &str = "  ";

/// The form in which objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunForm {
    /// Tables for people, with a column for the target.
    #[default]
    Table,
    /// One JSON document at the end.
    Json,
    /// A line of JSON for each record as it comes, and for what else the gateway says.
    Jsonl,
    /// The text of each object of the output as it comes, and nothing else.
    Raw(RawText),
}

/// What becomes of control characters in raw text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawText {
    /// Everything stays as it is.
    AsIs,
    /// They are made harmless: somebody's terminal would act on them.
    Harmless,
}

/// The report on a job of PowerShell's.
pub(super) struct Objects {
    form: RunForm,
    nested: Nested,
    values: Values,
}

impl Objects {
    pub(super) fn new(options: RunOptions) -> Self {
        let RunOptions { form, selection, nested, progress: _ } = options;
        Self { form, nested, values: Values::new(selection) }
    }

    fn selection(&self) -> Option<&Selection> {
        self.values.selection()
    }

    fn write_tables(&self, out: &mut dyn Write, results: &JobResults) -> io::Result<()> {
        let mut rows = Rows::default();
        let mut texts: Vec<(Vec<&str>, String)> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        for target in results.targets() {
            let text = self.sort(target, &mut rows);
            if text.is_empty() {
                continue;
            }
            let position = *index.entry(text.clone()).or_insert(texts.len());
            match texts.get_mut(position) {
                Some((names, _)) => names.push(&target.name),
                None => texts.push((vec![&target.name], text)),
            }
        }
        write_rows(out, &rows)?;
        for (names, text) in texts {
            write_safe(out, &names.join(", "))?;
            out.write_all(b"\n")?;
            write_lines(out, INDENT, text.as_bytes())?;
            out.write_all(b"\n")?;
        }
        write_ends(out, results)
    }

    /// Sorts what a target put out into rows; what is text is given back, line by line.
    fn sort(&self, target: &TargetResult, rows: &mut Rows) -> String {
        let mut all = String::new();
        for record in &target.records.kept {
            match (record.stream, read(record)) {
                (RecordStream::Output, Read::Value(value)) => {
                    self.values.saw(&value);
                    for text in rows.add(&target.name, &value, self.selection()) {
                        all.push_str(&text);
                        all.push('\n');
                    }
                }
                // Its line ends are its own.
                (RecordStream::Host, Read::Value(value)) => all.push_str(&text(&value)),
                (
                    RecordStream::Error
                    | RecordStream::Warning
                    | RecordStream::Verbose
                    | RecordStream::Debug
                    | RecordStream::Information
                    | RecordStream::Progress,
                    _,
                )
                | (RecordStream::Output | RecordStream::Host, Read::Unreadable(_)) => {}
            }
        }
        all
    }

    fn write_raw(&self, sinks: Sinks<'_>, raw: RawText, target: &str, record: &KeptRecord) -> io::Result<()> {
        let read = read(record);
        match (record.stream, &read) {
            (RecordStream::Output, Read::Value(value)) => {
                self.values.saw(value);
                write_value(sinks.out, raw, value, self.selection())
            }
            (RecordStream::Host, Read::Value(value)) => {
                write_lines(sinks.err, &format!("{target}: "), text(value).as_bytes())
            }
            (_, read) => self.write_trouble(sinks.err, target, record.stream, read),
        }
    }

    fn write_trouble(
        &self,
        err: &mut dyn Write,
        target: &str,
        stream: RecordStream,
        read: &Read<'_>,
    ) -> io::Result<()> {
        if matches!(read, Read::Unreadable(_)) {
            self.values.cannot_read();
        }
        write_trouble(err, target, stream, read)
    }

    /// What people have to know beside the output.
    fn write_troubles(&self, err: &mut dyn Write, results: &JobResults) -> io::Result<()> {
        for target in results.targets() {
            for record in target.records.kept.iter().filter(|record| record.stream != RecordStream::Progress) {
                self.write_trouble(err, &target.name, record.stream, &read(record))?;
            }
            self.write_end(err, target)?;
        }
        self.write_missing(err)
    }

    fn write_end(&self, err: &mut dyn Write, target: &TargetResult) -> io::Result<()> {
        if 0 < target.records.dropped {
            let count = target.records.dropped;
            writeln!(err, "WARNING: {}: {count} more records were not kept; --jsonl passes all on", target.name)?;
        }
        match &target.outcome {
            Some(Outcome::Finished { state: Some(PipelineEnd::Stopped), .. }) => {
                writeln!(err, "{}: the target stopped it", target.name)
            }
            Some(Outcome::Finished { exit_code, .. }) if !(0..=1).contains(exit_code) => {
                writeln!(err, "{}: exit code {exit_code}", target.name)
            }
            Some(
                Outcome::Finished { .. } | Outcome::Denied { .. } | Outcome::Failed { .. } | Outcome::Cancelled { .. },
            )
            | None => Ok(()),
        }
    }

    fn write_missing(&self, err: &mut dyn Write) -> io::Result<()> {
        let missing = self.values.missing();
        if missing.is_empty() {
            return Ok(());
        }
        err.write_all(b"WARNING: no object has the property ")?;
        write_safe(err, &missing.join(", "))?;
        err.write_all(b"\n")
    }
}

impl Report for Objects {
    fn keep(&self) -> Keep {
        match self.form {
            RunForm::Table | RunForm::Json => Keep::Output,
            RunForm::Jsonl | RunForm::Raw(_) => Keep::Outcomes,
        }
    }

    fn live(&mut self, sinks: Sinks<'_>, event: &JobEvent, record: Option<&KeptRecord>) -> io::Result<()> {
        match (self.form, event, record) {
            (RunForm::Jsonl, JobEvent::Record { target, .. }, Some(record)) => {
                write_record(sinks.out, target, record, &self.values, self.nested)
            }
            (RunForm::Raw(raw), JobEvent::Record { target, .. }, Some(record)) => {
                self.write_raw(sinks, raw, target, record)
            }
            (_, JobEvent::Record { .. }, _) | (RunForm::Table | RunForm::Json | RunForm::Raw(_), ..) => Ok(()),
            (RunForm::Jsonl, event, _) => write_event(sinks.out, event),
        }
    }

    fn finish(
        &mut self,
        sinks: Sinks<'_>,
        results: &JobResults,
        early: Option<Ending>,
        rest: &[JobEvent],
    ) -> io::Result<()> {
        let Sinks { out, err } = sinks;
        match self.form {
            RunForm::Table => {
                self.write_tables(out, results)?;
                out.flush()?;
                self.write_troubles(err, results)
            }
            RunForm::Json => {
                let streams = Streams { values: &self.values, nested: self.nested };
                write_object_results(out, results, early, streams)?;
                self.write_missing(err)
            }
            RunForm::Jsonl => {
                rest.iter().try_for_each(|event| write_event(out, event))?;
                self.write_missing(err)
            }
            RunForm::Raw(_) => {
                out.flush()?;
                results.targets().iter().try_for_each(|target| self.write_end(err, target))?;
                self.write_missing(err)?;
                let is_all_ok = results.summary().total() == u64::from(results.summary().succeeded);
                if is_all_ok { Ok(()) } else { write_ends(err, results) }
            }
        }
    }

    fn status(&self, outcomes: ExitStatus) -> ExitStatus {
        if outcomes == ExitStatus::AllOk && self.values.has_unreadable() { ExitStatus::SomeFailed } else { outcomes }
    }
}

/// An object's text, and a line end; of a list each item's.
fn write_value(out: &mut dyn Write, raw: RawText, value: &Value, selection: Option<&Selection>) -> io::Result<()> {
    for text in texts(value, selection) {
        match raw {
            RawText::AsIs => out.write_all(text.as_bytes())?,
            RawText::Harmless => write_harmless(out, &text)?,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn write_harmless(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for (index, line) in text.split('\n').enumerate() {
        if 0 < index {
            out.write_all(b"\n")?;
        }
        write_safe(out, line.strip_suffix('\r').unwrap_or(line))?;
    }
    Ok(())
}
