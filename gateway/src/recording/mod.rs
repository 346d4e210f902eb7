//! Recordings: what the users of a session saw, in a file for each session, chained like the audit log and tied to it.

pub mod desk;
mod entry;
mod limits;
mod lines;
mod proof;
mod read;
mod recorder;
mod session;
mod shelf;
mod shown;
mod store;
mod text;
mod transcript;

pub(crate) use entry::json;
pub use entry::{Begin, End, Ended, Entry, HostSaid, Limit, Lost, NoClixml, Said, Scope, Speaker};
pub use proof::{Anchor, Anchors, Change, Proof, Recorded};
pub use read::{Broken, Line, Walked, walk};
pub use session::Recording;
pub use store::{file_of, session_of};
pub(crate) use text::{after_sequence, is_harmless};

use crate::audit::{Context, Event, EventKind, RecordingEvent};
use crate::config::RecordedSessions;
use crate::state::Gateway;
use recorder::Recorder;
use session::Session;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};
use store::Disk;
use time::OffsetDateTime;

/// Begins recordings.
pub struct Recordings {
    gateway: Weak<Gateway>,
    /// Started with the first session that is recorded.
    recorder: OnceLock<Result<Arc<Recorder>, NotRecorded>>,
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
    #[error("the gateway's folder of recordings is full: tell its operator")]
    Full,
    /// It cannot be written.
    #[error("the gateway cannot record this session ({0}): tell its operator")]
    Write(io::ErrorKind),
    /// The line of the audit log that ties it there cannot be written.
    #[error("the gateway cannot write its audit log: tell its operator")]
    NotAudited,
    /// It has ended.
    #[error("the recording of this session has ended")]
    Ended,
}

impl NotRecorded {
    fn write(error: &io::Error) -> Self {
        Self::Write(error.kind())
    }
}

impl SessionKind {
    fn word(self) -> &'static str {
        match self {
            Self::PowerShell => "powershell",
            Self::Commands => "cmd",
            Self::Job => "job",
        }
    }
}

impl Recordings {
    /// For a gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { gateway, recorder: OnceLock::new() }
    }

    /// Takes the folder, and writes into the audit log what a crash had left open in it. To be called once the
    /// gateway runs.
    pub async fn start(&self) {
        let Some(gateway) = self.gateway.upgrade() else { return };
        let settings = gateway.live().config.recording.clone();
        if settings.sessions == RecordedSessions::None {
            return;
        }
        let taken = match self.recorder() {
            Ok(recorder) => take(&gateway, &recorder, &settings.directory).await,
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            tracing::error!(%error, folder = %settings.directory.display(), "Sessions cannot be recorded");
        }
    }

    /// The recording of a session, if the configuration wants one. Its file is made with its first entry.
    #[must_use]
    pub fn begin(&self, context: &Context, kind: SessionKind) -> Recording {
        let Some(gateway) = self.gateway.upgrade() else { return Recording::off() };
        let live = gateway.live_full();
        let settings = &live.config.recording;
        let wanted = match &context.target {
            Some(name) => {
                let target = live.config.targets.find(name);
                target.is_some_and(|target| settings.records(target, &live.config.targets))
            }
            None => settings.sessions != RecordedSessions::None,
        };
        if !wanted {
            return Recording::off();
        }
        Recording::on(Session::new(&gateway, self.recorder(), (context, kind), &live.config))
    }

    fn recorder(&self) -> Result<Arc<Recorder>, NotRecorded> {
        let start = || Recorder::start(Box::new(Disk), Arc::new(OffsetDateTime::now_utc)).map(Arc::new);
        self.recorder.get_or_init(start).clone()
    }
}

impl std::fmt::Debug for Recordings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recordings")
    }
}

/// Takes a folder; what was left open in it is written into the audit log.
async fn take(gateway: &Gateway, recorder: &Recorder, folder: &Path) -> Result<(), NotRecorded> {
    for recovered in recorder.take(folder).await? {
        let context = Context {
            session: Some(recovered.session.to_string()),
            recording: Some(recovered.end),
            ..Context::default()
        };
        gateway.audit_after(Event::new(EventKind::Recording(RecordingEvent::Recovered), &context)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
