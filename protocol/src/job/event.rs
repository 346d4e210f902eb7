//! The lines that a job's answer consists of.

use super::name::check_names;
use super::{
    JobMistake, LINE_BYTES, OutputData, OutputStream, POWERSHELL_VERSION, PipelineEnd, RecordStream, RecordText,
    VERSION, check_name, check_text, decode, encode,
};
use serde::{Deserialize, Serialize};

/// One line of a job's answer. `docs/job-api.md`, "The answer".
///
/// `accepted` is the first line and `done` the last. Between them each target has exactly one outcome
/// (`finished`, `denied`, `failed` or `cancelled`), after which nothing more is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum JobEvent {
    /// The job was read and will be worked on; what policy says of it follows per target.
    Accepted {
        /// That of the request: [`VERSION`] or [`POWERSHELL_VERSION`].
        version: u32,
        /// The job's id, as the audit has it.
        job: String,
        /// Every target of the job: the list as asked for, or the group's members.
        targets: Vec<String>,
    },
    /// The command is about to be sent to this target.
    Started {
        /// The target's name as in `accepted`.
        target: String,
    },
    /// A piece of output.
    Output {
        /// The target's name as in `accepted`.
        target: String,
        /// Which of the two.
        stream: OutputStream,
        /// At most [`OUTPUT_CHUNK`](super::OUTPUT_CHUNK) bytes.
        data: OutputData,
    },
    /// A record of one of PowerShell's streams, or a part of one. Parts of one record follow each other among the
    /// lines of their target.
    Record {
        /// The target's name as in `accepted`.
        target: String,
        /// Which stream.
        stream: RecordStream,
        /// At most [`RECORD_CHUNK`](super::RECORD_CHUNK) bytes, and [`RECORD_BYTES`](super::RECORD_BYTES) of one
        /// record.
        clixml: RecordText,
        /// Whether the next line of this target goes on with the same record.
        #[serde(default, skip_serializing_if = "is_last")]
        more: bool,
    },
    /// Outcome: the program or pipeline ran and ended.
    Finished {
        /// The target's name as in `accepted`.
        target: String,
        /// What the program ended with; 0 is success. Of a pipeline: what its script ended with, else 0 when it
        /// completed without an error, else 1.
        exit_code: i64,
        /// How a pipeline ended; absent for a program.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<PipelineEnd>,
        /// From `started` to here, in milliseconds.
        duration_ms: u64,
    },
    /// Outcome: policy does not allow it; nothing was sent to the target.
    Denied {
        /// The target's name as in `accepted`.
        target: String,
        /// What was refused and what the user can do.
        message: String,
        /// The rule that refused it; without it, no rule allowed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
    },
    /// Outcome: allowed, but it did not come to a known end.
    Failed {
        /// The target's name as in `accepted`.
        target: String,
        /// What kind of failure.
        class: FailureClass,
        /// Whether the command may have run.
        effect: Effect,
        /// The gateway's words, never the target's.
        message: String,
        /// When a repetition makes sense, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    /// Outcome: the job was stopped before this target had another one.
    Cancelled {
        /// The target's name as in `accepted`.
        target: String,
        /// Whether the command may have run.
        effect: Effect,
    },
    /// Nothing happened for [`super::HEARTBEAT_SECONDS`].
    Heartbeat {},
    /// The last line: every target has its outcome.
    Done {
        /// The outcomes, counted.
        summary: Summary,
    },
}

/// Why a target has no known end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// No connection to the target; nothing ran.
    Unreachable,
    /// The target refused the login; nothing ran.
    LoginRefused,
    /// Other targets refused the login, so the credential was not tried on this one; nothing ran.
    NotTried,
    /// The time per target ran out.
    Timeout,
    /// A limit or quota, of the gateway or the target.
    Limit,
    /// The connection broke after the command was sent: what happened is not known.
    Lost,
    /// The target answered what it must not, or with a fault.
    Protocol,
    /// The gateway could not do its part, for example write its audit.
    Gateway,
}

/// Whether the command may have had an effect on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The command was not sent.
    NothingRan,
    /// The command was sent, and may have run in part or as a whole.
    Unknown,
}

/// The outcomes of a job, counted; their sum is the number of targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// `finished` with exit code 0.
    pub succeeded: u32,
    /// `finished` with another exit code.
    pub exited_nonzero: u32,
    /// `denied`.
    pub denied: u32,
    /// `failed`.
    pub failed: u32,
    /// `cancelled`.
    pub cancelled: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_last(more: &bool) -> bool {
    !*more
}

impl JobEvent {
    /// The line `accepted` for a request of this version.
    #[must_use]
    pub fn accepted(version: u32, job: String, targets: Vec<String>) -> Self {
        Self::Accepted { version, job, targets }
    }

    /// Decodes and validates one line, with or without its line feed.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn decode(line: &[u8]) -> Result<Self, JobMistake> {
        let event: Self = decode(line, LINE_BYTES.saturating_add(1))?;
        event.validate()?;
        Ok(event)
    }

    /// Validates the event and appends its line, line feed included.
    ///
    /// # Errors
    /// The rule that it breaks; `out` is then as before.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), JobMistake> {
        self.validate()?;
        out.append(&mut encode(self, LINE_BYTES)?);
        out.push(b'\n');
        Ok(())
    }

    /// The target that the event is about.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Started { target }
            | Self::Output { target, .. }
            | Self::Record { target, .. }
            | Self::Finished { target, .. }
            | Self::Denied { target, .. }
            | Self::Failed { target, .. }
            | Self::Cancelled { target, .. } => Some(target),
            Self::Accepted { .. } | Self::Heartbeat {} | Self::Done { .. } => None,
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), JobMistake> {
        if let Some(target) = self.target() {
            check_name(target)?;
        }
        match self {
            Self::Accepted { version, job, targets } => {
                if ![VERSION, POWERSHELL_VERSION].contains(version) {
                    return Err(JobMistake::Version);
                }
                check_text(job)?;
                check_names(targets)
            }
            Self::Output { data, .. } => data.validate(),
            Self::Record { clixml, .. } => clixml.validate(),
            Self::Denied { message, rule, .. } => {
                check_text(message)?;
                rule.as_deref().map_or(Ok(()), check_text)
            }
            Self::Failed { class, effect, message, .. } => {
                check_text(message)?;
                class.check_effect(*effect)
            }
            Self::Started { .. }
            | Self::Finished { .. }
            | Self::Cancelled { .. }
            | Self::Heartbeat {}
            | Self::Done { .. } => Ok(()),
        }
    }
}

impl FailureClass {
    /// Some classes say by themselves whether the command ran; the rest leave it to [`Effect`].
    fn check_effect(self, effect: Effect) -> Result<(), JobMistake> {
        let fits = match self {
            Self::Unreachable | Self::LoginRefused | Self::NotTried => effect == Effect::NothingRan,
            Self::Lost => effect == Effect::Unknown,
            Self::Timeout | Self::Limit | Self::Protocol | Self::Gateway => true,
        };
        if fits { Ok(()) } else { Err(JobMistake::Effect) }
    }
}

impl Summary {
    /// Counts one event, if it is an outcome; says whether it was one.
    pub fn count(&mut self, event: &JobEvent) -> bool {
        let counter = match event {
            JobEvent::Finished { exit_code: 0, .. } => &mut self.succeeded,
            JobEvent::Finished { .. } => &mut self.exited_nonzero,
            JobEvent::Denied { .. } => &mut self.denied,
            JobEvent::Failed { .. } => &mut self.failed,
            JobEvent::Cancelled { .. } => &mut self.cancelled,
            JobEvent::Accepted { .. }
            | JobEvent::Started { .. }
            | JobEvent::Output { .. }
            | JobEvent::Record { .. }
            | JobEvent::Heartbeat {}
            | JobEvent::Done { .. } => return false,
        };
        *counter = counter.saturating_add(1);
        true
    }

    /// The number of targets with an outcome.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.succeeded, self.exited_nonzero, self.denied, self.failed, self.cancelled]
            .into_iter()
            .fold(0, |sum, count| sum.saturating_add(u64::from(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{MESSAGE_BYTES, OUTPUT_CHUNK, RECORD_CHUNK, TARGET_LIST_BYTES, TARGETS};

    fn line(event: &JobEvent) -> String {
        let mut out = Vec::new();
        event.encode_into(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn output(data: OutputData) -> JobEvent {
        JobEvent::Output { target: "web01".into(), stream: OutputStream::Stdout, data }
    }

    fn record(clixml: &str, more: bool) -> JobEvent {
        let clixml = RecordText(clixml.to_owned());
        JobEvent::Record { target: "web01".into(), stream: RecordStream::Output, clixml, more }
    }

    fn failed(class: FailureClass, effect: Effect) -> JobEvent {
        JobEvent::Failed { target: "a".into(), class, effect, message: String::new(), retry_after_seconds: None }
    }

    #[test]
    fn the_lines_are_those_in_the_docs() {
        let target = || "web01".to_owned();
        for (event, expected) in [
            (
                JobEvent::accepted(VERSION, "j1".into(), vec![target()]),
                r#"{"event":"accepted","version":1,"job":"j1","targets":["web01"]}"#,
            ),
            (JobEvent::Started { target: target() }, r#"{"event":"started","target":"web01"}"#),
            (
                output(OutputData::of(b"hi\r\n")),
                r#"{"event":"output","target":"web01","stream":"stdout","data":{"text":"hi\r\n"}}"#,
            ),
            (
                output(OutputData::of(b"\xff")),
                r#"{"event":"output","target":"web01","stream":"stdout","data":{"base64":"/w=="}}"#,
            ),
            (
                record("<S>hi</S>", false),
                r#"{"event":"record","target":"web01","stream":"output","clixml":"<S>hi</S>"}"#,
            ),
            (
                record("<S>hi", true),
                r#"{"event":"record","target":"web01","stream":"output","clixml":"<S>hi","more":true}"#,
            ),
            (
                JobEvent::Finished { target: target(), exit_code: 1, state: Some(PipelineEnd::Failed), duration_ms: 7 },
                r#"{"event":"finished","target":"web01","exit_code":1,"state":"failed","duration_ms":7}"#,
            ),
            (
                JobEvent::Finished { target: target(), exit_code: -1, state: None, duration_ms: 7 },
                r#"{"event":"finished","target":"web01","exit_code":-1,"duration_ms":7}"#,
            ),
            (
                JobEvent::Denied { target: target(), message: "no".into(), rule: Some("r1".into()) },
                r#"{"event":"denied","target":"web01","message":"no","rule":"r1"}"#,
            ),
            (
                JobEvent::Failed {
                    target: target(),
                    class: FailureClass::Lost,
                    effect: Effect::Unknown,
                    message: "gone".into(),
                    retry_after_seconds: None,
                },
                r#"{"event":"failed","target":"web01","class":"lost","effect":"unknown","message":"gone"}"#,
            ),
            (
                JobEvent::Cancelled { target: target(), effect: Effect::NothingRan },
                r#"{"event":"cancelled","target":"web01","effect":"nothing_ran"}"#,
            ),
            (JobEvent::Heartbeat {}, r#"{"event":"heartbeat"}"#),
            (
                JobEvent::Done { summary: Summary { succeeded: 1, ..Summary::default() } },
                r#"{"event":"done","summary":{"succeeded":1,"exited_nonzero":0,"denied":0,"failed":0,"cancelled":0}}"#,
            ),
        ] {
            assert_eq!(line(&event), format!("{expected}\n"));
            assert_eq!(JobEvent::decode(expected.as_bytes()), Ok(event.clone()));
            assert_eq!(JobEvent::decode(format!("{expected}\n").as_bytes()), Ok(event));
        }
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        for json in [
            r#"{"event":"heartbeat","x":1}"#,
            r#"{"event":"rebooted","target":"a"}"#,
            r#"{"event":"started"}"#,
            r#"{"event":"started","target":"a","target":"b"}"#,
            r#"{"event":"output","target":"a","stream":"stdin","data":{"text":""}}"#,
            r#"{"event":"output","target":"a","stream":"stdout","data":{"text":"","base64":""}}"#,
            r#"{"event":"finished","target":"a","exit_code":1.5,"duration_ms":0}"#,
            r#"{"event":"heartbeat"}{"event":"heartbeat"}"#,
            "",
        ] {
            assert_eq!(JobEvent::decode(json.as_bytes()), Err(JobMistake::Malformed), "{json}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        use {Effect::*, FailureClass::*};
        for (class, effect) in [(Unreachable, Unknown), (LoginRefused, Unknown), (Lost, NothingRan)] {
            assert_eq!(failed(class, effect).validate(), Err(JobMistake::Effect), "{class:?}");
        }
        for (class, effect) in [(Timeout, NothingRan), (Timeout, Unknown), (Lost, Unknown), (Gateway, NothingRan)] {
            assert_eq!(failed(class, effect).validate(), Ok(()), "{class:?}");
        }
    }

    #[test]
    fn every_bound_is_checked() {
        assert_eq!(JobEvent::decode(&vec![b' '; LINE_BYTES + 2]), Err(JobMistake::TooLarge));
        assert_eq!(output(OutputData::Text("a".repeat(OUTPUT_CHUNK + 1))).validate(), Err(JobMistake::Output));
        assert_eq!(output(OutputData::Base64("!".into())).validate(), Err(JobMistake::Output));
        assert_eq!(output(OutputData::Base64("AAAA".repeat(OUTPUT_CHUNK))).validate(), Err(JobMistake::Output));
        assert_eq!(JobEvent::Started { target: "a\u{1b}".into() }.validate(), Err(JobMistake::Name));
        assert_eq!(JobEvent::accepted(VERSION, "j".into(), vec![]).validate(), Err(JobMistake::NoTarget));
        assert_eq!(
            JobEvent::accepted(VERSION, "j".repeat(MESSAGE_BYTES + 1), vec!["a".into()]).validate(),
            Err(JobMistake::TextLength)
        );
        assert_eq!(record(&"x".repeat(RECORD_CHUNK + 1), false).validate(), Err(JobMistake::Output));
        let other = JobEvent::Accepted { version: 3, job: "j".into(), targets: vec!["a".into()] };
        assert_eq!(other.validate(), Err(JobMistake::Version));
        let mut out = b"kept".to_vec();
        assert!(JobEvent::Started { target: String::new() }.encode_into(&mut out).is_err());
        assert_eq!(out, b"kept");
    }

    #[test]
    fn the_largest_lines_fit_their_bound() {
        let worst = output(OutputData::Text("\u{1}".repeat(OUTPUT_CHUNK)));
        assert!(line(&worst).len() <= LINE_BYTES);
        assert!(line(&record(&"\u{1}".repeat(RECORD_CHUNK), true)).len() <= LINE_BYTES);
        let binary = output(OutputData::of(&vec![0xff; OUTPUT_CHUNK]));
        assert_eq!(JobEvent::decode(line(&binary).as_bytes()), Ok(binary));
        let length = TARGET_LIST_BYTES / TARGETS;
        let all =
            JobEvent::accepted(VERSION, "j".into(), (0..TARGETS).map(|index| format!("{index:0>length$}")).collect());
        assert_eq!(JobEvent::decode(line(&all).as_bytes()), Ok(all));
    }

    #[test]
    fn each_outcome_is_counted_once() {
        let mut summary = Summary::default();
        for exit_code in [0, 1] {
            let event = JobEvent::Finished { target: "a".into(), exit_code, state: None, duration_ms: 0 };
            assert!(summary.count(&event));
        }
        assert!(summary.count(&failed(FailureClass::Timeout, Effect::Unknown)));
        assert!(!summary.count(&JobEvent::Heartbeat {}));
        assert_eq!(summary, Summary { succeeded: 1, exited_nonzero: 1, failed: 1, ..Summary::default() });
        assert_eq!(summary.total(), 3);
    }
}
