//! Recordings: what the users of a session saw, in a file for each session, chained like the audit log and tied to it.

use crate::audit::{Context, RecordingEnd};
use crate::state::Gateway;
use sekisho_protocol::psrp::{HostCall, MessageType, RecordBody};
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::wsman::CommandId;
use std::sync::{Arc, Weak};

/// Begins recordings.
#[derive(Debug)]
pub struct Recordings {
    _gateway: Weak<Gateway>,
}

/// What kind of session is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// PowerShell remoting.
    PowerShell,
    /// A cmd shell.
    Commands,
    /// A job.
    Job,
}

/// Why something could not be recorded. What it was to tell must not be done or shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// The folder has all that it may have.
    #[error("the folder of the recordings is full, so nothing was run: tell the gateway's operator")]
    Full,
    /// It cannot be written.
    #[error("the gateway cannot write the recording of this session: tell its operator")]
    Write,
}

/// The recording of one session: cheap to clone, and does nothing where nothing is to be recorded.
#[derive(Debug, Clone)]
pub struct Recording {
    open: Option<Arc<Open>>,
}

#[derive(Debug)]
struct Open {}

impl Recordings {
    /// For a gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { _gateway: gateway }
    }

    /// The recording of a session, if the configuration wants one. Its file is made with its first entry.
    #[must_use]
    pub fn begin(&self, _context: &Context, _kind: SessionKind) -> Recording {
        Recording::off()
    }
}

impl Recording {
    /// Of a session that is not recorded.
    #[must_use]
    pub fn off() -> Self {
        Self { open: None }
    }

    /// Whether anything is recorded at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.open.is_some()
    }

    /// Whether output must be given to [`Self::record`].
    #[must_use]
    pub fn wants_bodies(&self) -> bool {
        self.is_on()
    }

    /// The same recording, for what happens on one target of a job.
    #[must_use]
    pub fn on_target(&self, _target: &str) -> Self {
        self.clone()
    }

    /// A command as it was judged, with secrets as digests; returns when it is written.
    ///
    /// # Errors
    /// When it could not be recorded: the command must not be sent.
    pub async fn asked(&self, _command: CommandId, _canonical: &str) -> Result<(), NotRecorded> {
        Ok(())
    }

    /// A command was refused, and the user told so.
    pub async fn refused(&self, _command: CommandId, _message: &str) {}

    /// An object of the output, or a record of a stream, that is passed on.
    ///
    /// # Errors
    /// When it could not be recorded: it must not be shown, and the command ends.
    pub async fn record(&self, _command: CommandId, _kind: MessageType, _body: &RecordBody) -> Result<(), NotRecorded> {
        Ok(())
    }

    /// A call to the client's host that is passed on.
    ///
    /// # Errors
    /// When it could not be recorded: it must not be passed on, and the command ends.
    pub async fn host_call(&self, _command: Option<CommandId>, _call: &HostCall) -> Result<(), NotRecorded> {
        Ok(())
    }

    /// Output of a program.
    ///
    /// # Errors
    /// When it could not be recorded: it must not be shown, and the command ends.
    pub async fn bytes(&self, _command: CommandId, _stream: Stream, _data: &[u8]) -> Result<(), NotRecorded> {
        Ok(())
    }

    /// How a command ended.
    pub async fn ended(&self, _command: CommandId, _outcome: &str) {}

    /// The session ends: what is to stand in the line of the audit log that says so, as [`Context::recording`].
    pub async fn finish(&self) -> Option<RecordingEnd> {
        None
    }
}
