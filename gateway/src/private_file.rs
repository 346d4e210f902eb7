//! Files that nobody else may read: keys, accounts, the audit log.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The length of every symmetric key and of the Ed25519 seed.
pub const KEY_LEN: usize = 32;

/// The mode of what only its owner may read.
pub const PRIVATE_MODE: u32 = 0o600;

/// The first word of a key file.
const KEY_WORD: &str = "sekisho-key-1";
/// Key files are one short line.
const MAX_KEY_FILE: u64 = 1024;

/// Why a private file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{}: {}", path.display(), plain(source))]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is not a regular file", path.display())]
    NotRegular { path: PathBuf },
    #[error("{} can be used by others (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("{} belongs to another user (uid {owner}); make it the gateway's own: chown", path.display())]
    Owner { path: PathBuf, owner: u32 },
    #[error("{} is larger than the {max} bytes that it may have", path.display())]
    TooLarge { path: PathBuf, max: u64 },
    #[error("{} is no key file for {purpose}; make one with: sekisho-gateway init", path.display())]
    NotThisKey { path: PathBuf, purpose: KeyPurpose },
    #[error("no random numbers from the system")]
    Random,
}

/// What a key is for. Written into its file, so that no key is used for two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    Accounts,
    AuditSigning,
    AuditDigest,
}

impl std::fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(purpose_word(*self))
    }
}

/// Who may read a file besides its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    OwnerOnly,
    /// A systemd credential: read-only, and the access list that lets the service's user in shows as group.
    SystemdCredential,
}

/// A fresh key.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_key() -> Result<Zeroizing<[u8; KEY_LEN]>, FileError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    SystemRandom::new().fill(key.as_mut()).map_err(|_| FileError::Random)?;
    Ok(key)
}

/// The text of a key file.
#[must_use]
pub fn key_text(purpose: KeyPurpose, key: &[u8; KEY_LEN]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(key));
    // Filled once at its final size: a growing buffer would leave copies of the key.
    let mut text = Zeroizing::new(String::with_capacity(128));
    for part in [KEY_WORD, " ", purpose_word(purpose), " ", encoded.as_str(), "\n"] {
        text.push_str(part);
    }
    text
}

/// Reads a key file.
///
/// # Errors
/// When others can read it, or it is no key for this purpose.
pub fn read_key(path: &Path, purpose: KeyPurpose, access: Access) -> Result<Zeroizing<[u8; KEY_LEN]>, FileError> {
    let bytes = read(path, MAX_KEY_FILE, access)?;
    let refused = || FileError::NotThisKey { path: path.to_owned(), purpose };
    let text = std::str::from_utf8(&bytes).map_err(|_| refused())?;
    let mut words = text.split_ascii_whitespace();
    let (word, stated, encoded, rest) = (words.next(), words.next(), words.next(), words.next());
    if word != Some(KEY_WORD) || stated != Some(purpose_word(purpose)) || rest.is_some() {
        return Err(refused());
    }
    let mut key = Zeroizing::new([0; KEY_LEN]);
    let len = STANDARD.decode_slice(encoded.unwrap_or_default(), key.as_mut()).map_err(|_| refused())?;
    if len == KEY_LEN { Ok(key) } else { Err(refused()) }
}

/// Reads a file that only its owner may read. The checks are made on what was opened.
///
/// # Errors
/// When others can use it, it is not ours, or it is too large.
pub fn read(path: &Path, max: u64, access: Access) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = File::open(path).map_err(|source| io_error(path, source))?;
    let size = check(path, &file, access)?;
    if size > max {
        return Err(FileError::TooLarge { path: path.to_owned(), max });
    }
    let capacity = usize::try_from(size).unwrap_or(0).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(size).read_to_end(&mut bytes).map_err(|source| io_error(path, source))?;
    Ok(bytes)
}

/// Makes a file that was not there, and puts it on the disk.
///
/// # Errors
/// When it exists already or cannot be written.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE_MODE).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        sync_directory_of(path)
    };
    write().map_err(|source| io_error(path, source))
}

/// Puts new contents in a file's place: whoever reads it, now or after a crash, sees the old or the new.
///
/// # Errors
/// When it cannot be written; the old contents stay.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = beside(path, ".new");
    let write = || -> io::Result<()> {
        overwrite(&temporary, bytes)?;
        std::fs::rename(&temporary, path)?;
        sync_directory_of(path)
    };
    write().map_err(|source| io_error(path, source))
}

/// Writes a private file whether or not it is there, and puts it on the disk.
pub(crate) fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts a directory's entries on the disk.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(parent)?.sync_all()
}

/// Opens a lock file, which stays empty.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE_MODE).open(path)
}

/// `path` with something added to its last part.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The size of a file that passes.
fn check(path: &Path, file: &File, access: Access) -> Result<u64, FileError> {
    let metadata = file.metadata().map_err(|source| io_error(path, source))?;
    if !metadata.is_file() {
        return Err(FileError::NotRegular { path: path.to_owned() });
    }
    let mode = metadata.mode() & 0o7777;
    let forbidden = match access {
        Access::OwnerOnly => 0o077,
        Access::SystemdCredential => 0o037,
    };
    if mode & forbidden != 0 {
        return Err(FileError::Open { path: path.to_owned(), mode });
    }
    let owner = metadata.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(FileError::Owner { path: path.to_owned(), owner });
    }
    Ok(metadata.len())
}

fn purpose_word(purpose: KeyPurpose) -> &'static str {
    match purpose {
        KeyPurpose::Accounts => "accounts",
        KeyPurpose::AuditSigning => "audit-signing",
        KeyPurpose::AuditDigest => "audit-digest",
    }
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> FileError {
    FileError::Io { path: path.to_owned(), source }
}

/// The system's words without its numbers.
fn plain(error: &io::Error) -> String {
    let known = [
        (io::ErrorKind::NotFound, "there is no such file"),
        (io::ErrorKind::PermissionDenied, "permission denied"),
        (io::ErrorKind::AlreadyExists, "exists already and is not overwritten"),
    ];
    let words = known.iter().find(|(kind, _)| *kind == error.kind());
    words.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_read_back_for_its_purpose_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let key = new_key().unwrap();
        create(&path, key_text(KeyPurpose::Accounts, &key).as_bytes()).unwrap();
        assert_eq!(*read_key(&path, KeyPurpose::Accounts, Access::OwnerOnly).unwrap(), *key);
        let other = read_key(&path, KeyPurpose::AuditDigest, Access::OwnerOnly);
        assert!(matches!(other, Err(FileError::NotThisKey { .. })));
    }

    #[test]
    fn a_file_that_others_can_use_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        create(&path, b"x").unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601, 0o610] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert!(matches!(read(&path, 10, Access::OwnerOnly), Err(FileError::Open { .. })), "{mode:o}");
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o440)).unwrap();
        assert!(read(&path, 10, Access::SystemdCredential).is_ok());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
        assert!(matches!(read(&path, 10, Access::SystemdCredential), Err(FileError::Open { .. })));
    }

    #[test]
    fn what_is_made_is_private_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        create(&path, b"x").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, PRIVATE_MODE);
        assert!(create(&path, b"y").unwrap_err().to_string().ends_with("exists already and is not overwritten"));
        replace(&path, b"z").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, PRIVATE_MODE);
        assert_eq!(*read(&path, 10, Access::OwnerOnly).unwrap(), b"z");
    }

    #[test]
    fn sizes_and_kinds_are_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        create(&path, b"0123456789").unwrap();
        assert!(matches!(read(&path, 9, Access::OwnerOnly), Err(FileError::TooLarge { .. })));
        assert!(matches!(
            read(directory.path(), 9, Access::OwnerOnly),
            Err(FileError::NotRegular { .. } | FileError::Open { .. })
        ));
    }
}
