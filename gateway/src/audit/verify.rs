//! `audit verify`: what can be proved about a log with nothing but the first public key.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ed25519_dalek::VerifyingKey;

use super::OpenError;
use super::check::{Broken, Check, Read, State, read_line};
use super::head::Head;
use super::line::file_name;
use super::recover::numbers;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub chain: String,
    /// Of lines that verify.
    pub files: u64,
    pub lines: u64,
    pub heads: u64,
    pub last_seq: u64,
    pub last_time: String,
    /// Copies of heads that are in the log as they should be.
    pub copies_found: u64,
    /// Where the log was changed. Nothing after this place is proved.
    pub finding: Option<Finding>,
    /// What the log cannot prove.
    pub unproved: Vec<Unproved>,
}

/// Proof that a log is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    Line {
        file: String,
        line: u64,
        broken: Broken,
    },
    MissingFile {
        file: String,
    },
    /// A head was signed for a line that is not there.
    TailCut {
        head: u64,
        last: u64,
    },
    /// The line of a head is another one.
    HeadDiffers {
        head: u64,
    },
    /// A copy of a head that the key at that place did not sign.
    HeadForged {
        head: u64,
    },
}

/// What is not proved, for want of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved {
    /// No lines at all.
    Empty,
    /// The first files are not there, so the first public key proves nothing.
    EarlierFiles { first: u64 },
    /// Lines that no signed head covers: whoever can write the files can have changed them.
    UnsignedTail { lines: u64 },
    /// Bytes after the last whole line: being written, or left by a crash.
    TornTail { bytes: u64 },
    /// No copy of a head was given: a tail that was cut off would not be seen.
    NoHead,
    /// The log goes on after the newest copy: a cut after that line would not be seen.
    AfterNewestHead { head: u64 },
    /// Copies of heads of other chains.
    OtherChains { heads: u64 },
    /// Copies of heads from before the first file.
    BeforeFirstFile { heads: u64 },
}

impl Unproved {
    /// Whether a log in good order and in use has this too.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        match self {
            Self::UnsignedTail { .. } | Self::NoHead | Self::AfterNewestHead { .. } | Self::OtherChains { .. } => true,
            Self::Empty | Self::EarlierFiles { .. } | Self::TornTail { .. } | Self::BeforeFirstFile { .. } => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line, broken } => write!(f, "{file} line {line}: {broken}"),
            Self::MissingFile { file } => write!(f, "{file} is missing between others"),
            Self::TailCut { head, last } => {
                write!(f, "a head was signed for line {head}, and the log ends with line {last}: its tail was cut off")
            }
            Self::HeadDiffers { head } => {
                write!(f, "line {head} is not the head of which there is a copy: the log was replaced")
            }
            Self::HeadForged { head } => write!(
                f,
                "the copy of the head of line {head} is not signed by the log's key: the copy or the log was replaced"
            ),
        }
    }
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "there are no lines"),
            Self::EarlierFiles { first } => {
                write!(
                    f,
                    "the files before number {first} are not here, so nothing ties this log to the first public key; put them back to prove it"
                )
            }
            Self::UnsignedTail { lines } => write!(f, "the last {lines} lines are chained and not signed yet"),
            Self::TornTail { bytes } => {
                write!(f, "{bytes} bytes after the last whole line are being written now, or were left by a crash")
            }
            Self::NoHead => {
                write!(f, "no copy of a head was given (--head), so a tail that was cut off would not be seen")
            }
            Self::AfterNewestHead { head } => {
                write!(f, "the newest copy of a head is of line {head}: a cut after it would not be seen")
            }
            Self::OtherChains { heads } => write!(f, "{heads} copies of heads belong to other chains"),
            Self::BeforeFirstFile { heads } => write!(f, "{heads} copies of heads are of lines before the first file"),
        }
    }
}

/// Verifies a log: chain, signatures, epochs, files in order, and that copied heads are in it.
///
/// # Errors
/// When files cannot be read. That a log was changed is a [`Finding`], no error.
pub fn verify(directory: &Path, first_key: &VerifyingKey, heads: &[Head]) -> Result<Report, OpenError> {
    let numbers = numbers(directory)?;
    let mut walk = Walk {
        check: Check::new(Some(*first_key)),
        report: Report::default(),
        wanted: heads.iter().map(|head| (head.seq, None)).collect(),
    };
    let first = numbers.first().copied();
    if let Some(first) = first.filter(|first| *first != 1) {
        walk.report.unproved.push(Unproved::EarlierFiles { first });
    }
    let mut expected = first.unwrap_or(1);
    for (index, number) in numbers.iter().enumerate() {
        if *number != expected {
            walk.report.finding = Some(Finding::MissingFile { file: file_name(expected) });
            break;
        }
        expected = expected.saturating_add(1);
        walk.file(directory, *number, index.saturating_add(1) == numbers.len())?;
        if walk.report.finding.is_some() {
            break;
        }
    }
    Ok(walk.finish(heads))
}

struct Walk {
    check: Check,
    report: Report,
    /// The heads at the lines of which there are copies.
    wanted: BTreeMap<u64, Option<Head>>,
}

impl Walk {
    fn file(&mut self, directory: &Path, number: u64, last: bool) -> Result<(), OpenError> {
        let name = file_name(number);
        let path = directory.join(&name);
        let mut reader = BufReader::new(File::open(&path).map_err(|error| OpenError::io(&path, error))?);
        self.check.begin_file(number);
        let (mut buffer, mut line) = (Vec::new(), 0_u64);
        loop {
            line = line.saturating_add(1);
            let broken = match read_line(&mut reader, &mut buffer).map_err(|error| OpenError::io(&path, error))? {
                Read::Line => self.line(&buffer).err(),
                Read::Torn if last => {
                    let bytes = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
                    self.report.unproved.push(Unproved::TornTail { bytes });
                    return Ok(());
                }
                Read::Torn => Some(Broken::NotALine),
                Read::TooLong => Some(Broken::TooLong),
                // A file that was begun and has no line yet is the last one only.
                Read::End if line == 1 && !last => Some(Broken::FileStart),
                Read::End => break,
            };
            if let Some(broken) = broken {
                self.report.finding = Some(Finding::Line { file: name, line, broken });
                return Ok(());
            }
        }
        self.report.files = self.report.files.saturating_add(1);
        Ok(())
    }

    fn line(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let head = self.check.line(bytes)?;
        self.report.lines = self.report.lines.saturating_add(1);
        if let Some(head) = head {
            self.report.heads = self.report.heads.saturating_add(1);
            if let Some(place) = self.wanted.get_mut(&head.seq) {
                *place = Some(head);
            }
        }
        Ok(())
    }

    fn finish(mut self, heads: &[Head]) -> Report {
        let Some(state) = self.check.state.take() else {
            self.report.unproved.push(Unproved::Empty);
            return self.report;
        };
        self.report.chain.clone_from(&state.chain);
        self.report.last_seq = state.seq;
        self.report.last_time.clone_from(&state.time);
        if state.unsigned > 0 {
            self.report.unproved.push(Unproved::UnsignedTail { lines: state.unsigned });
        }
        // After a finding the copies could only repeat it.
        if self.report.finding.is_none() {
            self.copies(heads, &state);
        }
        self.report
    }

    fn copies(&mut self, heads: &[Head], state: &State) {
        let first_seq = state.seq.saturating_sub(self.report.lines).saturating_add(1);
        let (mut other, mut before, mut newest) = (0_u64, 0_u64, None);
        for head in heads {
            if head.chain != state.chain {
                other = other.saturating_add(1);
            } else if head.seq < first_seq {
                before = before.saturating_add(1);
            } else if let Some(finding) = self.copy(head, state) {
                self.report.finding = Some(finding);
                return;
            } else {
                self.report.copies_found = self.report.copies_found.saturating_add(1);
                newest = newest.max(Some(head.seq));
            }
        }
        let unproved = &mut self.report.unproved;
        unproved.extend((other > 0).then_some(Unproved::OtherChains { heads: other }));
        unproved.extend((before > 0).then_some(Unproved::BeforeFirstFile { heads: before }));
        match newest {
            None => unproved.push(Unproved::NoHead),
            Some(head) if head < state.seq => unproved.push(Unproved::AfterNewestHead { head }),
            Some(_) => {}
        }
    }

    fn copy(&self, head: &Head, state: &State) -> Option<Finding> {
        if head.seq > state.seq {
            // Of later epochs the key is not known; that of this one is.
            let forged = head.epoch == state.epoch && !head.is_signed_by(&state.key);
            return Some(if forged {
                Finding::HeadForged { head: head.seq }
            } else {
                Finding::TailCut { head: head.seq, last: state.seq }
            });
        }
        match self.wanted.get(&head.seq) {
            Some(Some(found)) if found == head => None,
            Some(_) | None => Some(Finding::HeadDiffers { head: head.seq }),
        }
    }
}
