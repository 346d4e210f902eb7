//! What differs between systems; nothing else in the agent does.

use crate::error::PasswordMistake;
use std::fs::{File, Metadata};
use std::io;

/// Refuses a file that anybody but its owner can use.
#[cfg(unix)]
pub(super) fn check_private(metadata: &Metadata) -> Result<(), PasswordMistake> {
    use std::os::unix::fs::MetadataExt as _;
    const GROUP_AND_OTHERS: u32 = 0o077;
    if metadata.mode() & GROUP_AND_OTHERS == 0 { Ok(()) } else { Err(PasswordMistake::Exposed) }
}

/// Access lists are not read here, so nothing is assumed of them.
#[cfg(not(unix))]
pub(super) fn check_private(_metadata: &Metadata) -> Result<(), PasswordMistake> {
    Err(PasswordMistake::CannotCheck)
}

/// Standard input without std's buffer.
#[cfg(unix)]
pub(super) fn unbuffered_stdin() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Standard input without std's buffer.
#[cfg(windows)]
pub(super) fn unbuffered_stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

/// Neither handles nor descriptors are known there.
#[cfg(not(any(unix, windows)))]
pub(super) fn unbuffered_stdin() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
