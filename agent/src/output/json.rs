//! JSON, as one document or line by line.

use super::safe::is_harmless;
use crate::results::{Captured, Ending, JobResults, Outcome, TargetResult};
use sekisho_protocol::job::{Effect, FailureClass, JobEvent, OutputData, PipelineEnd, Summary, VERSION};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use std::io::{self, Write};

/// The document of `--output json`. `docs/agent.md`, "JSON".
#[derive(Debug, Serialize)]
pub(super) struct Document<'a, E> {
    version: u32,
    job: Option<&'a str>,
    /// Whether the gateway said that all is done; otherwise why not.
    ended: &'static str,
    summary: Summary,
    results: Vec<E>,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    target: &'a str,
    #[serde(flatten)]
    outcome: OutcomeFields<'a>,
    started: bool,
    stdout: OutputData,
    stderr: OutputData,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_bytes: u64,
}

#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum OutcomeFields<'a> {
    Finished {
        exit_code: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<PipelineEnd>,
        duration_ms: Option<u64>,
    },
    Denied {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<&'a str>,
    },
    Failed {
        class: FailureClass,
        effect: Effect,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    Cancelled {
        effect: Effect,
    },
}

/// Writes the results as one document.
///
/// # Errors
/// What the writer fails with.
pub fn write_results(out: &mut dyn Write, results: &JobResults, early: Option<Ending>) -> io::Result<()> {
    let entries = results.targets().iter().filter_map(entry).collect();
    write_line(out, &Document::new(VERSION, results, early, entries))
}

impl<'a, E> Document<'a, E> {
    pub(super) fn new(version: u32, results: &'a JobResults, early: Option<Ending>, entries: Vec<E>) -> Self {
        let ended = match early {
            None => "done",
            Some(Ending::Interrupted) => "interrupted",
            Some(Ending::Lost) => "lost",
        };
        Self { version, job: results.job(), ended, summary: results.summary(), results: entries }
    }
}

/// Writes one of the job API's lines.
///
/// # Errors
/// What the writer fails with.
pub fn write_event(out: &mut dyn Write, event: &JobEvent) -> io::Result<()> {
    write_line(out, event)
}

pub(super) fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Harmless(CompactFormatter));
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

fn entry(target: &TargetResult) -> Option<Entry<'_>> {
    Some(Entry {
        target: &target.name,
        outcome: OutcomeFields::of(target)?,
        started: target.started,
        stdout: data(&target.stdout),
        stderr: data(&target.stderr),
        dropped_bytes: target.stdout.dropped.saturating_add(target.stderr.dropped),
    })
}

impl<'a> OutcomeFields<'a> {
    /// Those of a target that has its outcome.
    pub(super) fn of(target: &'a TargetResult) -> Option<Self> {
        Some(match target.outcome.as_ref()? {
            Outcome::Finished { exit_code, state } => {
                Self::Finished { exit_code: *exit_code, state: *state, duration_ms: target.duration_ms }
            }
            Outcome::Denied { message, rule } => Self::Denied { message, rule: rule.as_deref() },
            Outcome::Failed { class, effect, message, retry_after_seconds } => {
                Self::Failed { class: *class, effect: *effect, message, retry_after_seconds: *retry_after_seconds }
            }
            Outcome::Cancelled { effect } => Self::Cancelled { effect: *effect },
        })
    }
}

/// The bytes as text or base64. What was cut off at the bound may end within a character, which is left out
/// rather than turning all of it into base64.
fn data(captured: &Captured) -> OutputData {
    let bytes = captured.bytes.as_slice();
    if captured.dropped == 0 {
        return OutputData::of(bytes);
    }
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    };
    OutputData::of(bytes.get(..whole).unwrap_or(bytes))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// JSON with every character escaped that a terminal would act on: JSON itself escapes only those below U+0020.
struct Harmless(CompactFormatter);

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (position, character) in fragment.char_indices() {
            if is_harmless(character) {
                continue;
            }
            writer.write_all(fragment.get(plain..position).unwrap_or_default().as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = position.saturating_add(character.len_utf8());
        }
        let rest = fragment.get(plain..).unwrap_or_default();
        self.0.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Keep;
    use crate::results::tests::{accepted, applied, denied, done, finished, started, stdout};

    fn written(results: &JobResults, early: Option<Ending>) -> serde_json::Value {
        let mut out = Vec::new();
        write_results(&mut out, results, early).unwrap();
        assert!(out.ends_with(b"\n"));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn one_document_with_every_target() {
        let mut events =
            vec![accepted(&["a", "b"]), started("a"), stdout("a", b"hi\r\n"), finished("a", 3), denied("b")];
        events.push(done(&events));
        let document = written(&applied(Keep::Output, &events), None);
        assert_eq!(
            document,
            serde_json::json!({
                "version": 1, "job": "j1", "ended": "done",
                "summary": {"succeeded": 0, "exited_nonzero": 1, "denied": 1, "failed": 0, "cancelled": 0},
                "results": [
                    {"target": "a", "outcome": "finished", "exit_code": 3, "duration_ms": 5, "started": true,
                     "stdout": {"text": "hi\r\n"}, "stderr": {"text": ""}},
                    {"target": "b", "outcome": "denied", "message": "no rule allows it", "started": false,
                     "stdout": {"text": ""}, "stderr": {"text": ""}},
                ],
            })
        );
    }

    #[test]
    fn an_early_end_is_said() {
        let mut results = applied(Keep::Output, &[accepted(&["a"]), started("a")]);
        results.end(Ending::Lost);
        let document = written(&results, Some(Ending::Lost));
        assert_eq!(document["ended"], "lost");
        assert_eq!(document["results"][0]["class"], "lost");
        assert_eq!(document["results"][0]["effect"], "unknown");
        assert_eq!(document["results"][0]["started"], true);
    }

    #[test]
    fn lines_carry_the_same_content_and_nothing_for_the_terminal() {
        let text = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{e0041}\u{e9}\"\\\u{1f600}";
        let event = stdout("a", text.as_bytes());
        let mut out = Vec::new();
        write_event(&mut out, &event).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert!(line.trim_end_matches('\n').chars().all(is_harmless), "{line:?}");
        assert!(line.contains("\u{e9}") && line.contains("\u{1f600}"));
        assert_eq!(JobEvent::decode(line.as_bytes()), Ok(event));
    }

    #[test]
    fn a_character_cut_at_the_bound_does_not_make_it_base64() {
        let captured = Captured { bytes: b"ab\xc3".to_vec(), dropped: 1 };
        assert_eq!(data(&captured), OutputData::Text("ab".into()));
        let binary = Captured { bytes: b"ab\xff".to_vec(), dropped: 1 };
        assert!(matches!(data(&binary), OutputData::Base64(_)));
    }
}
