//! Opens a log where it was left, after a stop or a crash.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ring::digest::{Context, SHA256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::OpenError;
use super::check::{self, Broken, Check, State, read_line};
use super::line::{NOTHING, file_name, file_number};
use super::redact::hex;
use super::store::{next_key_path, promote_key};
use super::writer::{Position, Torn};
use crate::config::AuditSettings;
use crate::private_file::{Access, FileError, KeyPurpose, PRIVATE_MODE, read_key, sync_directory_of};

/// More files than a log that is rotated sensibly has.
const MAX_FILES: usize = 100_000;

/// A log that can be continued.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) position: Position,
    pub(super) key: SigningKey,
    pub(super) torn: VecDeque<Torn>,
    /// When the current file was begun, if it has a line.
    pub(super) file_begun: Option<OffsetDateTime>,
    /// No line was there.
    pub(super) new: bool,
}

/// Finds the end of the chain, moves what a crash left over aside, and takes the key that belongs there.
pub(super) fn recover(settings: &AuditSettings) -> Result<Recovered, OpenError> {
    let directory = &settings.directory;
    let numbers = numbers(directory)?;
    let last = numbers.last().copied().unwrap_or(1);
    if numbers.last().is_some() {
        set_torn_aside(directory, last)?;
    }
    let scanned = scan_end(directory, &numbers)?;
    let torn = pending(directory)?;
    let file_bytes = size(&directory.join(file_name(last)))?;
    match scanned {
        None => {
            let key = read_signing_key(&settings.signing.key)?;
            discard_next_key(&settings.signing.key)?;
            let position = Position {
                chain: uuid::Uuid::new_v4().simple().to_string(),
                seq: 0,
                last: NOTHING,
                epoch: 1,
                file: 1,
                file_bytes: 0,
                unsigned: 0,
            };
            Ok(Recovered { position, key, torn, file_begun: None, new: true })
        }
        Some((state, begun)) => {
            let key = key_of(&state, &settings.signing.key)?;
            let State { chain, seq, last: digest, epoch, unsigned, .. } = state;
            let position = Position { chain, seq, last: digest, epoch, file: last, file_bytes, unsigned };
            Ok(Recovered { position, key, torn, file_begun: begun.filter(|_| file_bytes > 0), new: false })
        }
    }
}

/// The numbers of the log's files, in order.
pub(super) fn numbers(directory: &Path) -> Result<Vec<u64>, OpenError> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| OpenError::io(directory, error))? {
        let entry = entry.map_err(|error| OpenError::io(directory, error))?;
        numbers.extend(entry.file_name().to_str().and_then(file_number));
        if numbers.len() > MAX_FILES {
            return Err(OpenError::TooManyFiles { directory: directory.to_owned() });
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Follows the last file that has lines, and how it continues the one before.
fn scan_end(directory: &Path, numbers: &[u64]) -> Result<Option<(State, Option<OffsetDateTime>)>, OpenError> {
    let mut from_the_end = numbers.iter().rev().copied();
    let Some(last) = from_the_end.next() else { return Ok(None) };
    let before = from_the_end.next();
    let empty = size(&directory.join(file_name(last)))? == 0;
    match (empty, before) {
        // The first file was made and nothing was written.
        (true, None) if last == 1 => Ok(None),
        (true, Some(before)) if before.checked_add(1) == Some(last) => {
            let (state, _) = scan_file(directory, before)?;
            Ok(Some((state, None)))
        }
        (true, None | Some(_)) => Err(OpenError::broken(directory, last, 1, Broken::FileOrder)),
        (false, before) => {
            let (state, begun) = scan_file(directory, last)?;
            if let Some(before) = before.filter(|before| before.checked_add(1) == Some(last)) {
                continues(directory, before, last)?;
            }
            Ok(Some((state, begun)))
        }
    }
}

/// The chain's state at the end of one file, and when the file was begun.
fn scan_file(directory: &Path, number: u64) -> Result<(State, Option<OffsetDateTime>), OpenError> {
    let path = directory.join(file_name(number));
    let mut reader = BufReader::new(File::open(&path).map_err(|error| OpenError::io(&path, error))?);
    let mut check = Check::new(None);
    check.begin_file(number);
    let (mut buffer, mut lines, mut begun) = (Vec::new(), 0_u64, None);
    loop {
        lines = lines.saturating_add(1);
        match read_line(&mut reader, &mut buffer).map_err(|error| OpenError::io(&path, error))? {
            check::Read::Line => {
                check.line(&buffer).map_err(|broken| OpenError::broken(directory, number, lines, broken))?;
            }
            check::Read::Torn => return Err(OpenError::broken(directory, number, lines, Broken::NotALine)),
            check::Read::TooLong => return Err(OpenError::broken(directory, number, lines, Broken::TooLong)),
            check::Read::End => break,
        }
        if lines == 1 {
            let time = check.state.as_ref().map(|state| state.time.as_str()).unwrap_or_default();
            begun = OffsetDateTime::parse(time, &Rfc3339).ok();
        }
    }
    let state = check.state.ok_or_else(|| OpenError::broken(directory, number, 1, Broken::FileStart))?;
    Ok((state, begun))
}

/// The last file must continue the one before, which is followed too.
fn continues(directory: &Path, before: u64, last: u64) -> Result<(), OpenError> {
    let (state, _) = scan_file(directory, before)?;
    let mut check = Check::new(None);
    check.state = Some(state);
    check.begin_file(last);
    let path = directory.join(file_name(last));
    let mut reader = BufReader::new(File::open(&path).map_err(|error| OpenError::io(&path, error))?);
    let mut buffer = Vec::new();
    read_line(&mut reader, &mut buffer).map_err(|error| OpenError::io(&path, error))?;
    check.line(&buffer).map_err(|broken| OpenError::broken(directory, last, 1, broken))?;
    Ok(())
}

/// The key that signs where the chain is: the current one, or the next one if a crash came between the
/// head's line and the exchange of the keys.
fn key_of(state: &State, path: &Path) -> Result<SigningKey, OpenError> {
    let current = match read_signing_key(path) {
        Ok(key) => Some(key),
        Err(OpenError::File(FileError::Io { source, .. })) if source.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(key) = current.filter(|key| key.verifying_key() == state.key) {
        discard_next_key(path)?;
        return Ok(key);
    }
    let next = next_key_path(path);
    if !next.exists() {
        return Err(OpenError::ForeignKey { path: path.to_owned() });
    }
    let key = read_signing_key(&next)?;
    if key.verifying_key() != state.key {
        return Err(OpenError::ForeignKey { path: path.to_owned() });
    }
    promote_key(path).map_err(|error| OpenError::io(path, error))?;
    Ok(key)
}

fn read_signing_key(path: &Path) -> Result<SigningKey, OpenError> {
    Ok(SigningKey::from_bytes(&*read_key(path, KeyPurpose::AuditSigning, Access::OwnerOnly)?))
}

/// A next key that no head names: a crash came before its line was written.
fn discard_next_key(path: &Path) -> Result<(), OpenError> {
    let next = next_key_path(path);
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::io(&next, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Moves the bytes after the last line's end into a file of their own, on the disk before they are cut off.
fn set_torn_aside(directory: &Path, number: u64) -> Result<(), OpenError> {
    let path = directory.join(file_name(number));
    let whole = || -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        let end = end_of_last_line(&mut file)?;
        if end == file.metadata()?.len() {
            return Ok(());
        }
        let aside = directory.join(format!("torn-{number:08}-{end}.pending"));
        file.seek(SeekFrom::Start(end))?;
        let mut copy = OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE_MODE).open(&aside)?;
        io::copy(&mut file, &mut copy)?;
        copy.flush()?;
        copy.sync_all()?;
        sync_directory_of(&aside)?;
        file.set_len(end)?;
        file.sync_all()
    };
    whole().map_err(|error| OpenError::io(&path, error))
}

/// The offset after the last newline.
fn end_of_last_line(file: &mut File) -> io::Result<u64> {
    /// Read at once, from the end backwards.
    const BLOCK: u64 = 64 * 1024;
    let mut end = file.metadata()?.len();
    let mut buffer = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        buffer.clear();
        io::Read::by_ref(file).take(end.saturating_sub(start)).read_to_end(&mut buffer)?;
        if let Some(at) = buffer.iter().rposition(|byte| *byte == b'\n') {
            let at = u64::try_from(at).unwrap_or(u64::MAX);
            return Ok(start.saturating_add(at).saturating_add(1));
        }
        end = start;
    }
    Ok(0)
}

/// What was moved aside and is not noted in the chain yet.
fn pending(directory: &Path) -> Result<VecDeque<Torn>, OpenError> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| OpenError::io(directory, error))? {
        let path = entry.map_err(|error| OpenError::io(directory, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("torn-") && name.ends_with(".pending") && paths.len() < MAX_FILES {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(|path| torn(&path).map_err(|error| OpenError::io(&path, error))).collect()
}

fn torn(path: &Path) -> io::Result<Torn> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let (mut buffer, mut bytes) = ([0; 8192], 0_u64);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        context.update(buffer.get(..read).unwrap_or_default());
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok(Torn { path: path.to_owned(), bytes, sha256: hex(context.finish().as_ref()) })
}

fn size(path: &Path) -> Result<u64, OpenError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(OpenError::io(path, error)),
    }
}
