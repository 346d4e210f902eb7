//! One file: each line carries the digest of the one before.

use super::entry::{End, Entry, Lost};
use super::store::Sheet;
use crate::audit::{Digest, NOTHING, RecordingEnd, hex, time_text, write_line};
use std::io;
use time::OffsetDateTime;

/// A recording that is being written.
pub(super) struct Transcript {
    sheet: Box<dyn Sheet>,
    seq: u64,
    last: Digest,
    bytes: u64,
    /// The file holds a part of lines that could not be written.
    dirty: bool,
    /// Entries that could not be written since the last line.
    lost: u64,
    complete: bool,
}

impl Transcript {
    /// On an empty sheet.
    pub(super) fn new(sheet: Box<dyn Sheet>) -> Self {
        Self { sheet, seq: 0, last: NOTHING, bytes: 0, dirty: false, lost: 0, complete: true }
    }

    /// Goes on with what a crash has left, whose last line this is.
    pub(super) fn resumed(sheet: Box<dyn Sheet>, seq: u64, last: Digest, bytes: u64) -> Self {
        Self { sheet, seq, last, bytes, dirty: false, lost: 0, complete: false }
    }

    /// The digest of the last line.
    pub(super) fn last(&self) -> &Digest {
        &self.last
    }

    /// Writes entries, all or none, and gives the bytes that they take.
    pub(super) fn write(&mut self, bodies: &[String], now: OffsetDateTime) -> io::Result<u64> {
        let written = self.try_write(bodies, now);
        // The first line is tried again until it is there.
        if written.is_err() && 0 < self.seq {
            self.lost = self.lost.saturating_add(u64::try_from(bodies.len()).unwrap_or(u64::MAX));
            self.complete = false;
        }
        written
    }

    /// What was to be written and is left out from here on.
    pub(super) fn is_incomplete(&mut self) {
        self.complete = false;
    }

    /// Puts what is there on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.sheet.sync()
    }

    /// Writes the last line and puts all on the disk.
    pub(super) fn finish(&mut self, end: End, now: OffsetDateTime) -> io::Result<RecordingEnd> {
        let complete = self.complete && end.complete;
        let body = json(&Entry::End(End { complete, ..end }))?;
        self.write(&[body], now)?;
        self.sheet.sync()?;
        Ok(RecordingEnd { lines: self.seq, sha256: hex(&self.last), complete })
    }

    fn try_write(&mut self, bodies: &[String], now: OffsetDateTime) -> io::Result<u64> {
        self.clean()?;
        let lost = if 0 < self.lost { Some(json(&Entry::Lost(Lost { entries: self.lost }))?) } else { None };
        let (mut seq, mut last, mut bytes) = (self.seq, self.last, Vec::new());
        let time = time_text(now);
        for body in lost.iter().chain(bodies) {
            seq = seq.saturating_add(1);
            last = write_line(&mut bytes, seq, &time, &last, body);
        }
        self.dirty = true;
        if let Err(error) = self.sheet.append(&bytes) {
            // If this fails too, it is tried again before anything else is written.
            let _unclean = self.clean();
            return Err(error);
        }
        let written = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        (self.seq, self.last, self.bytes) = (seq, last, self.bytes.saturating_add(written));
        (self.dirty, self.lost) = (false, 0);
        Ok(written)
    }

    fn clean(&mut self) -> io::Result<()> {
        if self.dirty {
            self.sheet.truncate(self.bytes)?;
            self.dirty = false;
        }
        Ok(())
    }
}

pub(super) fn json(entry: &Entry) -> io::Result<String> {
    entry.json().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}
