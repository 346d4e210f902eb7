//! The files of the log. A trait, so that tests can fail and crash at every step.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::line::file_name;
use crate::private_file::{PRIVATE_MODE, beside, overwrite, sync_directory_of};

/// What the writer needs of the disk.
pub(super) trait Store: Send {
    /// Writes at the end of the current file. After an error the file may hold a part.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Puts the current file on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the current file.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Makes a file, or takes an empty one, as the current one.
    fn begin_file(&mut self, number: u64) -> io::Result<()>;
    /// Puts the next epoch's key on the disk, beside the current one.
    fn put_next_key(&mut self, text: &str) -> io::Result<()>;
    /// Puts the next key in the current one's place, which is wiped.
    fn promote_key(&mut self) -> io::Result<()>;
    /// Marks what a crash left over as noted in the chain.
    fn settle_torn(&mut self, pending: &Path) -> io::Result<()>;
}

/// The real one.
pub(super) struct Disk {
    directory: PathBuf,
    key: PathBuf,
    file: Option<File>,
}

impl Disk {
    pub(super) fn new(directory: &Path, key: &Path) -> Self {
        Self { directory: directory.to_owned(), key: key.to_owned(), file: None }
    }

    fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

impl Store for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file()?.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file()?.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let file = self.file()?;
        file.set_len(len)?;
        file.seek(SeekFrom::End(0)).map(|_| ())
    }

    fn begin_file(&mut self, number: u64) -> io::Result<()> {
        let path = self.directory.join(file_name(number));
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(PRIVATE_MODE).open(&path)?;
        sync_directory_of(&path)?;
        self.file = Some(file);
        Ok(())
    }

    fn put_next_key(&mut self, text: &str) -> io::Result<()> {
        let next = next_key_path(&self.key);
        overwrite(&next, text.as_bytes())?;
        sync_directory_of(&next)
    }

    fn promote_key(&mut self) -> io::Result<()> {
        promote_key(&self.key)
    }

    fn settle_torn(&mut self, pending: &Path) -> io::Result<()> {
        std::fs::rename(pending, pending.with_extension("bin"))
    }
}

/// Where the next epoch's key waits.
pub(super) fn next_key_path(key: &Path) -> PathBuf {
    beside(key, ".next")
}

/// Puts the next key in the current one's place. The old one's bytes are overwritten, which a file system
/// that copies on write, or a flash disk, need not do in place.
pub(super) fn promote_key(key: &Path) -> io::Result<()> {
    let old = OpenOptions::new().write(true).open(key);
    std::fs::rename(next_key_path(key), key)?;
    sync_directory_of(key)?;
    if let Ok(mut old) = old {
        let len = usize::try_from(old.metadata()?.len()).unwrap_or(0);
        old.write_all(&vec![0; len.min(MAX_WIPED)])?;
        old.sync_data()?;
    }
    Ok(())
}

/// More than a key file has.
const MAX_WIPED: usize = 4096;
