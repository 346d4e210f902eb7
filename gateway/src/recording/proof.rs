//! What the audit log says of recordings, and whether they are as it says.

use super::read::{Broken, Line, Walked, walk};
use super::store::{file_of, session_of};
use crate::audit::{Digest, OpenError, hex, read_events};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use uuid::Uuid;

/// What an audit log says of recordings.
#[derive(Debug, Clone, Default)]
pub struct Anchors(BTreeMap<Uuid, Anchor>);

/// What it says of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchor {
    /// SHA-256 of its first line.
    begun: Option<String>,
    end: Option<AnchoredEnd>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AnchoredEnd {
    lines: u64,
    sha256: String,
    complete: bool,
    /// The number of the line that says so.
    seq: u64,
}

/// What is known of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is what was written, from its first line to its last.
    Whole {
        lines: u64,
        /// The line of the audit log that says where it ends.
        seq: u64,
        complete: bool,
    },
    /// Its first line is what was written, and its lines are chained; the log does not say yet where it ends.
    Open { lines: u64 },
    /// The log does not speak of it, as far as it is there.
    Unknown { lines: u64 },
    /// It is not what was written.
    Changed(Change),
}

/// How that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A line does not belong where it stands.
    Line { line: u64, broken: Broken },
    /// Its first line is another than the log says.
    First,
    /// Its last line is another than the log says.
    Last { expected: u64, found: u64 },
    /// Bytes stand behind its last line.
    Tail,
}

/// What became of the recordings of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Those that are what was written.
    pub whole: u64,
    /// Of these, those in which something was left out.
    pub incomplete: u64,
    /// Those of sessions that have not ended, or whose end is not in the log.
    pub open: u64,
    /// Those that the log does not speak of.
    pub unknown: u64,
    /// Those that the log speaks of and that are not there.
    pub missing: u64,
    /// Those that were changed.
    pub changed: Vec<(Uuid, Change)>,
}

impl Anchors {
    /// What the lines of a log up to this one say. That the log is what was written is for `audit verify` to prove.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(directory: &Path, last_seq: u64) -> Result<Self, OpenError> {
        let mut anchors = Self::default();
        read_events(directory, &mut |event| {
            if event["seq"].as_u64().is_some_and(|seq| seq <= last_seq) {
                anchors.take(event);
            }
        })?;
        Ok(anchors)
    }

    /// What the log says of one session.
    #[must_use]
    pub fn of(&self, session: Uuid) -> Anchor {
        self.0.get(&session).cloned().unwrap_or_default()
    }

    /// Compares all recordings of a folder, and looks for those that should be there.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn compare(&self, folder: &Path) -> io::Result<Recorded> {
        let mut recorded = Recorded::default();
        let mut expected: BTreeMap<Uuid, &Anchor> = self.0.iter().map(|(id, anchor)| (*id, anchor)).collect();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name();
            let Some(session) = name.to_str().and_then(session_of) else { continue };
            let anchor = expected.remove(&session).cloned().unwrap_or_default();
            let walked = walk(&file_of(folder, session), &mut |_| {})?;
            recorded.count(session, &anchor.compare(&walked));
        }
        recorded.missing = u64::try_from(expected.len()).unwrap_or(u64::MAX);
        Ok(recorded)
    }

    fn take(&mut self, event: &Json) {
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let Some(session) = event["session"].as_str().and_then(|id| Uuid::try_parse(id).ok()) else { return };
        if event["event"] == "recording" && event["stage"] == "begun" {
            self.0.entry(session).or_default().begun = text(&event["sha256"]);
        }
        let end = &event["recording"];
        if let (Some(lines), Some(sha256), Some(seq)) =
            (end["lines"].as_u64(), text(&end["sha256"]), event["seq"].as_u64())
        {
            let complete = end["complete"] == true;
            self.0.entry(session).or_default().end = Some(AnchoredEnd { lines, sha256, complete, seq });
        }
    }
}

impl Anchor {
    /// Whether a recording is what the log says.
    #[must_use]
    pub fn compare(&self, walked: &Walked) -> Proof {
        if let Some((line, broken)) = walked.broken {
            return Proof::Changed(Change::Line { line, broken });
        }
        let lines = walked.lines;
        let Some(begun) = &self.begun else { return Proof::Unknown { lines } };
        if *begun != walked.first {
            return Proof::Changed(Change::First);
        }
        match &self.end {
            None => Proof::Open { lines },
            Some(end) if (end.lines, &end.sha256) != (lines, &digest(&walked.last)) => {
                Proof::Changed(Change::Last { expected: end.lines, found: lines })
            }
            Some(_) if 0 < walked.torn => Proof::Changed(Change::Tail),
            Some(end) => Proof::Whole { lines, seq: end.seq, complete: end.complete },
        }
    }

    /// Compares a recording, giving every line of it up to the first that does not belong there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn compare_file(&self, path: &Path, each: &mut dyn FnMut(&Line)) -> io::Result<Proof> {
        walk(path, each).map(|walked| self.compare(&walked))
    }
}

fn digest(digest: &Digest) -> String {
    hex(digest)
}

impl Recorded {
    fn count(&mut self, session: Uuid, proof: &Proof) {
        let number = match proof {
            Proof::Whole { complete, .. } => {
                self.incomplete = self.incomplete.saturating_add(u64::from(!complete));
                &mut self.whole
            }
            Proof::Open { .. } => &mut self.open,
            Proof::Unknown { .. } => &mut self.unknown,
            Proof::Changed(change) => return self.changed.push((session, *change)),
        };
        *number = number.saturating_add(1);
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, broken } => write!(f, "line {line}: {broken}"),
            Self::First => write!(f, "its first line is not the one that the audit log names"),
            Self::Last { expected, found } => write!(
                f,
                "the audit log says that it ends with line {expected}, and it has {found}, or the last one is another"
            ),
            Self::Tail => write!(f, "bytes stand behind its last line"),
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { lines, seq, complete: true } => {
                write!(f, "{lines} lines, whole, as line {seq} of the audit log says")
            }
            Self::Whole { lines, seq, complete: false } => {
                write!(
                    f,
                    "{lines} lines as line {seq} of the audit log says; something was left out when it was recorded"
                )
            }
            Self::Open { lines } => write!(
                f,
                "{lines} lines, which the audit log says were begun; that none was cut off or replaced after the first is not proved before the session ends"
            ),
            Self::Unknown { lines } => {
                write!(
                    f,
                    "{lines} lines are chained; the audit log does not speak of this recording, so nothing is proved"
                )
            }
            Self::Changed(change) => write!(f, "CHANGED: {change}"),
        }
    }
}
