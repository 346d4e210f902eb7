//! The files of recordings. Traits, so that tests can fail at every step.

use crate::private_file::{PRIVATE_MODE, open_lock, sync_directory_of};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const PRIVATE_DIRECTORY: u32 = 0o700;
const LOCK: &str = "recordings.lock";

/// Where files are made.
pub(super) trait Store: Send {
    /// Makes a file that was not there, for its owner alone.
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn Sheet>>;
    /// Opens one whose end a crash has left open.
    fn reopen(&mut self, path: &Path) -> io::Result<Box<dyn Sheet>>;
}

/// One file, written at its end.
pub(super) trait Sheet: Send {
    /// Writes at the end. After an error the file may hold a part.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Puts it on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts it.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// The real one.
#[derive(Debug)]
pub(super) struct Disk;

impl Store for Disk {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn Sheet>> {
        let file = OpenOptions::new().append(true).create_new(true).mode(PRIVATE_MODE).open(path)?;
        sync_directory_of(path)?;
        Ok(Box::new(file))
    }

    fn reopen(&mut self, path: &Path) -> io::Result<Box<dyn Sheet>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }
}

impl Sheet for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.seek(SeekFrom::End(0)).map(drop)
    }
}

/// Makes the folder if it is not there, and keeps other gateways out of it as long as the answer lives.
pub(super) fn take_folder(folder: &Path) -> io::Result<File> {
    match DirBuilder::new().mode(PRIVATE_DIRECTORY).create(folder) {
        Ok(()) => sync_directory_of(folder)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let lock = open_lock(&folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(io::Error::from(io::ErrorKind::ResourceBusy)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The file of a session: its id alone, so that nothing that a client says is in the name.
#[must_use]
pub fn file_of(folder: &Path, session: Uuid) -> PathBuf {
    folder.join(format!("{}.jsonl", session.hyphenated()))
}

/// The session of such a name.
#[must_use]
pub fn session_of(name: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(name.strip_suffix(".jsonl")?).ok()?;
    (format!("{}.jsonl", id.hyphenated()) == name).then_some(id)
}
