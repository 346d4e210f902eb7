//! Reads a recording, and follows its chain.

use super::entry::Entry;
use crate::audit::{Digest, NOTHING, Read, hex, line_digest, read_line};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// A line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written: UTC, RFC 3339.
    pub time: String,
    /// SHA-256 of the line before, in hex.
    pub prev: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
}

/// Why a line does not belong where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is no line of a recording.
    #[error("this is no line of a recording: it was edited or damaged")]
    NotALine,
    /// Its number is not the next.
    #[error("the line's number does not follow the one before: lines are missing, added or moved")]
    Number,
    /// It carries another digest.
    #[error("the line does not continue the one before: that one was edited, or lines were exchanged")]
    Chain,
    /// It is not the first, and says that it is, or the other way round.
    #[error("a recording begins with one line that says whose it is, and ends with one that says so")]
    Order,
}

/// Where a walk along a recording has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Lines that are chained.
    pub lines: u64,
    /// SHA-256 of the first line, in hex.
    pub first: String,
    /// The digest of the last of them.
    pub last: Digest,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes after the last whole line.
    pub torn: u64,
    /// Whether the last line says that it is the last.
    pub ended: bool,
    /// The number of the line that does not belong there, and why.
    pub broken: Option<(u64, Broken)>,
}

/// Gives every line up to the first that does not belong where it stands.
///
/// # Errors
/// When the file cannot be read.
pub fn walk(path: &Path, each: &mut dyn FnMut(&Line)) -> io::Result<Walked> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut walked =
        Walked { lines: 0, first: String::new(), last: NOTHING, bytes: 0, torn: 0, ended: false, broken: None };
    let mut buffer = Vec::new();
    loop {
        let next = walked.lines.saturating_add(1);
        match read_line(&mut reader, &mut buffer)? {
            Read::End => break,
            Read::Torn => {
                walked.torn = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
                break;
            }
            Read::TooLong => {
                walked.broken = Some((next, Broken::NotALine));
                break;
            }
            Read::Line => match walked.step(&buffer) {
                Ok(line) => each(&line),
                Err(broken) => {
                    walked.broken = Some((next, broken));
                    break;
                }
            },
        }
    }
    Ok(walked)
}

impl Walked {
    fn step(&mut self, bytes: &[u8]) -> Result<Line, Broken> {
        let line: Line = serde_json::from_slice(bytes).map_err(|_| Broken::NotALine)?;
        if line.seq != self.lines.saturating_add(1) {
            return Err(Broken::Number);
        }
        if line.prev != hex(&self.last) {
            return Err(Broken::Chain);
        }
        let begins = matches!(line.entry, Entry::Begin(_));
        if begins != (self.lines == 0) || self.ended {
            return Err(Broken::Order);
        }
        self.last = line_digest(bytes);
        if begins {
            self.first = hex(&self.last);
        }
        self.lines = line.seq;
        self.ended = matches!(line.entry, Entry::End(_));
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length).saturating_add(1);
        Ok(line)
    }
}
