//! Follows a chain line by line, and stops at the first that does not fit. Used when the log is opened and by
//! `audit verify`, so that both mean the same by a good chain.

use std::io::{self, BufRead, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;

use super::head::Head;
use super::line::{Digest, FORMAT, FileStart, Line, LineKind, MAX_LINE, NOTHING};
use super::redact::hex;

/// Why a line does not belong where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("this is no line of an audit log: it was edited or damaged")]
    NotALine,
    #[error("the line is longer than any that the gateway writes")]
    TooLong,
    #[error("the line's number does not follow the one before: lines are missing, added or moved")]
    Number,
    #[error("the line does not continue the one before: that one was edited, or lines were exchanged")]
    Chain,
    #[error("the file does not begin with the line that every file begins with")]
    FileStart,
    #[error("the file does not continue the file before it")]
    FileOrder,
    #[error("a file's first line stands in the middle of a file")]
    SecondFileStart,
    #[error("the log does not begin with the first public key that was given")]
    FirstKey,
    #[error("the format is newer than this program")]
    Format,
    #[error("the signed head belongs to another chain or epoch")]
    ForeignHead,
    #[error("the signature is not that of the epoch's key")]
    Signature,
}

/// Where a check is.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) chain: String,
    pub(super) seq: u64,
    pub(super) last: Digest,
    pub(super) epoch: u64,
    pub(super) key: VerifyingKey,
    pub(super) unsigned: u64,
    pub(super) time: String,
    /// Whether the last line is a stop or the head after it.
    pub(super) stopped: bool,
}

/// A check in progress.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub(super) state: Option<State>,
    /// The key that the first file must begin with.
    first_key: Option<VerifyingKey>,
    /// The file of which no line was seen yet.
    fresh: Option<u64>,
}

impl Check {
    pub(super) fn new(first_key: Option<VerifyingKey>) -> Self {
        Self { state: None, first_key, fresh: None }
    }

    pub(super) fn begin_file(&mut self, number: u64) {
        self.fresh = Some(number);
    }

    /// Takes the next line, without its end. Gives the head that it is.
    pub(super) fn line(&mut self, bytes: &[u8]) -> Result<Option<Head>, Broken> {
        let line = Line::parse(bytes).ok_or(Broken::NotALine)?;
        match (self.fresh.take(), &line.kind) {
            (Some(number), LineKind::File(start)) => self.file_start(number, start, &line)?,
            (Some(_), LineKind::Head(_) | LineKind::Other) => return Err(Broken::FileStart),
            (None, LineKind::File(_)) => return Err(Broken::SecondFileStart),
            (None, LineKind::Head(_) | LineKind::Other) => {}
        }
        let state = self.state.as_mut().ok_or(Broken::FileStart)?;
        if Some(line.common.seq) != state.seq.checked_add(1) {
            return Err(Broken::Number);
        }
        if line.common.prev != hex(&state.last) {
            return Err(Broken::Chain);
        }
        state.advance(line)
    }

    fn file_start(&mut self, number: u64, start: &FileStart, line: &Line) -> Result<(), Broken> {
        if start.format != FORMAT {
            return Err(Broken::Format);
        }
        let key = decode_key(&start.key).ok_or(Broken::NotALine)?;
        match &self.state {
            Some(state) => {
                let same =
                    (start.number, start.epoch, key) == (number, state.epoch, state.key) && start.chain == state.chain;
                if same { Ok(()) } else { Err(Broken::FileOrder) }
            }
            None => {
                let last = decode_digest(&line.common.prev).ok_or(Broken::NotALine)?;
                let seq = line.common.seq.checked_sub(1).ok_or(Broken::Number)?;
                if start.number != number || (number == 1) != (seq == 0) {
                    return Err(Broken::FileOrder);
                }
                if number == 1 && (last != NOTHING || start.epoch != 1) {
                    return Err(Broken::FileStart);
                }
                if number == 1 && self.first_key.is_some_and(|first| first != key) {
                    return Err(Broken::FirstKey);
                }
                self.state = Some(State {
                    chain: start.chain.clone(),
                    seq,
                    last,
                    epoch: start.epoch,
                    key,
                    unsigned: 0,
                    time: String::new(),
                    stopped: false,
                });
                Ok(())
            }
        }
    }
}

impl State {
    fn advance(&mut self, line: Line) -> Result<Option<Head>, Broken> {
        let head = match line.kind {
            LineKind::Head(head) => {
                self.head(&head)?;
                Some(head)
            }
            LineKind::File(_) | LineKind::Other => {
                self.unsigned = self.unsigned.saturating_add(1);
                self.stopped = line.common.event == "stop";
                None
            }
        };
        self.seq = line.common.seq;
        self.last = line.digest;
        self.time = line.common.time;
        Ok(head)
    }

    fn head(&mut self, head: &Head) -> Result<(), Broken> {
        if head.chain != self.chain || head.epoch != self.epoch {
            return Err(Broken::ForeignHead);
        }
        if !head.is_signed_by(&self.key) {
            return Err(Broken::Signature);
        }
        self.key = decode_key(&head.next_key).ok_or(Broken::NotALine)?;
        self.epoch = self.epoch.checked_add(1).ok_or(Broken::Number)?;
        self.unsigned = 0;
        Ok(())
    }
}

/// What reading gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// A line; its end is not in the buffer.
    Line,
    /// Bytes without a line's end, up to the end of the file.
    Torn,
    /// More bytes without a line's end than a line may have.
    TooLong,
    End,
}

/// Reads one line into the buffer.
pub(crate) fn read_line(reader: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Read> {
    buffer.clear();
    let max = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let read = reader.by_ref().take(max).read_until(b'\n', buffer)?;
    if read == 0 {
        return Ok(Read::End);
    }
    if buffer.last() == Some(&b'\n') {
        buffer.pop();
        return Ok(Read::Line);
    }
    Ok(if read < MAX_LINE { Read::Torn } else { Read::TooLong })
}

fn decode_key(text: &str) -> Option<VerifyingKey> {
    let mut bytes = [0; 32];
    let len = STANDARD.decode_slice(text, &mut bytes).ok()?;
    if len == bytes.len() { VerifyingKey::from_bytes(&bytes).ok() } else { None }
}

fn decode_digest(text: &str) -> Option<Digest> {
    let mut bytes = NOTHING;
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        let start = index.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(start..start.checked_add(2)?)?, 16).ok()?;
    }
    Some(bytes)
}
