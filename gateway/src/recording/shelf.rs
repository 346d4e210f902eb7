//! The folder of recordings: how much is in it, and what a crash has left open.

use super::NotRecorded;
use super::entry::{End, Entry};
use super::read::{Walked, walk};
use super::store::{Store, file_of, session_of, take_folder};
use super::transcript::Transcript;
use crate::audit::RecordingEnd;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Folders of one process: a reload can name another.
const MAX_FOLDERS: usize = 16;
/// Files of one folder.
const MAX_FILES: usize = 10_000_000;
/// A full folder is measured again after this time: somebody may have moved files elsewhere.
const MEASURE: Duration = Duration::seconds(10);
/// More than the last line of a finished recording has.
const TAIL: u64 = 512;

/// All folders of this process, each taken once.
pub(super) struct Shelf {
    store: Box<dyn Store>,
    folders: HashMap<PathBuf, Folder>,
}

struct Folder {
    used: u64,
    measured: OffsetDateTime,
    _lock: File,
}

/// A recording that had no end, and has one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recovered {
    pub(super) session: Uuid,
    pub(super) end: RecordingEnd,
}

impl Shelf {
    pub(super) fn new(store: Box<dyn Store>) -> Self {
        Self { store, folders: HashMap::new() }
    }

    /// Takes a folder, and ends what a crash has left open in it.
    pub(super) fn take(&mut self, path: &Path, now: OffsetDateTime) -> io::Result<Vec<Recovered>> {
        if self.folders.contains_key(path) {
            return Ok(Vec::new());
        }
        if MAX_FOLDERS <= self.folders.len() {
            return Err(io::Error::from(io::ErrorKind::QuotaExceeded));
        }
        let lock = take_folder(path)?;
        let (files, used) = measured(path)?;
        self.folders.insert(path.to_owned(), Folder { used, measured: now, _lock: lock });
        let mut recovered = Vec::new();
        for session in files {
            match self.end_of(&file_of(path, session), now) {
                Ok(end) => recovered.extend(end.map(|end| Recovered { session, end })),
                Err(error) => tracing::error!(%session, %error, "A recording without an end could not be given one"),
            }
        }
        Ok(recovered)
    }

    /// Makes the file of a session.
    pub(super) fn open(&mut self, path: &Path, total: u64, now: OffsetDateTime) -> Result<Transcript, NotRecorded> {
        let folder = path.parent().unwrap_or(path);
        self.admit(folder, 0, total, now)?;
        self.store.create(path).map(Transcript::new).map_err(|error| NotRecorded::write(&error))
    }

    /// Whether a folder has room for so many bytes more.
    pub(super) fn admit(
        &mut self,
        path: &Path,
        bytes: u64,
        total: u64,
        now: OffsetDateTime,
    ) -> Result<(), NotRecorded> {
        let gone = || NotRecorded::write(&io::Error::from(io::ErrorKind::NotFound));
        let folder = self.folders.get_mut(path).ok_or_else(gone)?;
        if folder.used.saturating_add(bytes) <= total {
            return Ok(());
        }
        if MEASURE <= (now - folder.measured).abs() {
            (_, folder.used) = measured(path).map_err(|error| NotRecorded::write(&error))?;
            folder.measured = now;
        }
        if folder.used.saturating_add(bytes) <= total { Ok(()) } else { Err(NotRecorded::Full) }
    }

    /// Counts what was written.
    pub(super) fn wrote(&mut self, path: &Path, bytes: u64) {
        if let Some(folder) = self.folders.get_mut(path) {
            folder.used = folder.used.saturating_add(bytes);
        }
    }

    /// Writes the end of a file that has none. One that does not verify is left as it is.
    fn end_of(&mut self, path: &Path, now: OffsetDateTime) -> io::Result<Option<RecordingEnd>> {
        if has_end(path)? {
            return Ok(None);
        }
        let Walked { lines, last, bytes, broken, .. } = walk(path, &mut |_| {})?;
        if broken.is_some() {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        if lines == 0 {
            // Made, and nothing written.
            return std::fs::remove_file(path).map(|()| None);
        }
        let mut sheet = self.store.reopen(path)?;
        sheet.truncate(bytes)?;
        let mut transcript = Transcript::resumed(sheet, lines, last, bytes);
        transcript.finish(End { complete: false, recovered: true }, now).map(Some)
    }
}

/// The sessions of a folder, and the bytes of all its files.
fn measured(folder: &Path) -> io::Result<(Vec<Uuid>, u64)> {
    let (mut sessions, mut bytes) = (Vec::new(), 0_u64);
    for entry in std::fs::read_dir(folder)?.take(MAX_FILES) {
        let entry = entry?;
        // A file may be moved elsewhere meanwhile.
        let Ok(metadata) = entry.metadata() else { continue };
        bytes = bytes.saturating_add(metadata.len());
        sessions.extend(entry.file_name().to_str().filter(|_| metadata.is_file()).and_then(session_of));
    }
    Ok((sessions, bytes))
}

/// Whether the last line says that it is the last.
fn has_end(path: &Path) -> io::Result<bool> {
    let mut file = OpenOptions::new().read(true).open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let Some(lines) = tail.strip_suffix(b"\n") else { return Ok(false) };
    let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(matches!(serde_json::from_slice(last), Ok(Entry::End(_))))
}
