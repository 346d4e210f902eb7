//! `audit show`: a recording as its user saw it, once the audit log says who reads it.

#[cfg(test)]
mod tests;
mod text;

use super::{CommandError, Console, Status};
use crate::audit::{Audit, OpenError, Reader};
use crate::config::{AuditSettings, Config};
use crate::private_file::io_error;
use crate::recording::desk::{WRITTEN, login_uid, read_event, socket_in};
use crate::recording::{Anchor, Anchors, Line, Proof, file_of, json};
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use text::Transcript;
use time::OffsetDateTime;
use uuid::Uuid;

/// How long a running gateway may take to write the line.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is tried, and the time between.
const TRIES: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(200);
/// A gateway that hangs is not asked again.
const LATE: [io::ErrorKind; 2] = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];

/// Why a recording is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// It is no id.
    #[error("this is no session's id; the audit log has them, as 6f9619ff-8b86-d011-b42d-00c04fc964ff")]
    Session,
    /// The running gateway did not write the line.
    #[error("the gateway could not write into its audit log who reads this, so nothing is shown")]
    NotWritten,
    /// The running gateway could not be asked.
    #[error("the running gateway cannot be asked to write who reads this ({0}), so nothing is shown")]
    Unreachable(io::ErrorKind),
    /// No gateway runs, and what this user writes the gateway could not use.
    #[error("no gateway runs, and its audit log belongs to another user (uid {0}): run this as that user")]
    OtherUser(u32),
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

pub(super) fn run(
    session: &str,
    config: &Path,
    (form, now): (Form, OffsetDateTime),
    console: &mut Console<'_>,
) -> Result<Status, CommandError> {
    let session = Uuid::try_parse(session).map_err(|_| ShowError::Session)?;
    let config = Config::load(config)?;
    let path = file_of(&config.recording.directory, session);
    // What cannot be read leaves no line.
    File::open(&path).map_err(|error| io_error(&path, error))?;
    tell(&config.audit, session, now)?;
    let anchor = Anchors::read(&config.audit.directory, u64::MAX)?.of(session);
    let proof = match form {
        Form::Text => shown(&path, &anchor, console.out)?,
        Form::Json => listed(&path, &anchor, console.out)?,
    };
    Ok(match proof {
        Proof::Whole { .. } => Status::Fine,
        Proof::Open { .. } | Proof::Unknown { .. } => Status::Incomplete,
        Proof::Changed(_) => Status::Found,
    })
}

fn shown(path: &Path, anchor: &Anchor, out: &mut dyn Write) -> Result<Proof, CommandError> {
    let mut transcript = Transcript::default();
    let proof = lines(path, anchor, &mut |line| transcript.line(out, line))?;
    transcript.finish(out, &proof)?;
    Ok(proof)
}

fn listed(path: &Path, anchor: &Anchor, out: &mut dyn Write) -> Result<Proof, CommandError> {
    let proof = lines(path, anchor, &mut |line| {
        // Written afresh: what stands in the file may have been put there by somebody else.
        writeln!(out, "{}", json(line).unwrap_or_default())
    })?;
    let result = match &proof {
        Proof::Whole { .. } => "whole",
        Proof::Open { .. } => "open",
        Proof::Unknown { .. } => "unknown",
        Proof::Changed(_) => "changed",
    };
    let verdict = serde_json::json!({"event": "verified", "result": result, "detail": proof.to_string()});
    writeln!(out, "{verdict}")?;
    Ok(proof)
}

fn lines(path: &Path, anchor: &Anchor, each: &mut dyn FnMut(&Line) -> io::Result<()>) -> Result<Proof, CommandError> {
    let mut written = Ok(());
    let proof = anchor.compare_file(path, &mut |line| {
        if written.is_ok() {
            written = each(line);
        }
    });
    written?;
    Ok(proof.map_err(|error| io_error(path, error))?)
}

/// Has it written who reads: by the gateway that runs, or else into the log that nobody has open. Tried again where a
/// gateway is just stopping or starting.
fn tell(settings: &AuditSettings, session: Uuid, now: OffsetDateTime) -> Result<(), CommandError> {
    let folder = File::open(&settings.directory).map_err(|error| io_error(&settings.directory, error))?;
    let mut tried = 0_u32;
    loop {
        let told = tell_once(settings, &folder, session, now);
        tried = tried.saturating_add(1);
        match told {
            Err(CommandError::Show(ShowError::Unreachable(kind))) if tried < TRIES && !LATE.contains(&kind) => {
                std::thread::sleep(BETWEEN);
            }
            told => return told,
        }
    }
}

fn tell_once(settings: &AuditSettings, folder: &File, session: Uuid, now: OffsetDateTime) -> Result<(), CommandError> {
    match UnixStream::connect(socket_in(folder)) {
        Ok(stream) => Ok(ask(stream, session)?),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            write_alone(settings, folder, session, now)
        }
        Err(error) => Err(ShowError::Unreachable(error.kind()).into()),
    }
}

fn ask(mut stream: UnixStream, session: Uuid) -> Result<(), ShowError> {
    let mut asked = || -> io::Result<String> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        writeln!(stream, "{session}")?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        (&mut stream).take(64).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = asked().map_err(|error| ShowError::Unreachable(error.kind()))?;
    match answer.as_str() {
        WRITTEN => Ok(()),
        // It stopped before it answered.
        "" => Err(ShowError::Unreachable(io::ErrorKind::UnexpectedEof)),
        _ => Err(ShowError::NotWritten),
    }
}

fn write_alone(
    settings: &AuditSettings,
    folder: &File,
    session: Uuid,
    now: OffsetDateTime,
) -> Result<(), CommandError> {
    let owner = folder.metadata().map_err(|error| io_error(&settings.directory, error))?.uid();
    let uid = rustix::process::geteuid().as_raw();
    if owner != uid {
        // New files would be this user's, and the gateway could not go on with them.
        return Err(ShowError::OtherUser(owner).into());
    }
    let reader = Reader { uid, login_uid: login_uid("self") };
    let event = read_event(session, reader, None);
    let (audit, _opened) = Audit::open(settings, Arc::new(move || now), &event).map_err(|error| {
        let in_use = matches!(error, OpenError::InUse { .. });
        if in_use { ShowError::Unreachable(io::ErrorKind::NotFound).into() } else { CommandError::from(error) }
    })?;
    // Also where lines may be lost this one may not.
    if audit.healthy() { Ok(()) } else { Err(ShowError::NotWritten.into()) }
}
