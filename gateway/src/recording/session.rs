//! The recording of one session.

use super::entry::{Begin, Ended, Entry, FORMAT, HostSaid, Limit, NoClixml, Said, Speaker};
use super::limits::{Counts, Room};
use super::lines::{Lines, Piece};
use super::recorder::{Book, Recorder};
use super::shown::Extent;
use super::store::file_of;
use super::text::{LOOKAHEAD, is_harmless, is_matched, kept};
use super::{NotRecorded, SessionKind, shown, take};
use crate::audit::{AuditPlace, Context, Event, EventKind, RecordingEnd, RecordingEvent, Unrecorded, hex};
use crate::config::{Config, OnFailure, OnFull, RecordedObjects, RecordingSettings};
use crate::state::Gateway;
use parking_lot::Mutex;
use sekisho_protocol::clixml::{self, Value};
use sekisho_protocol::psrp::{HostCall, MessageType, RecordBody};
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::wsman::CommandId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The recording of one session: cheap to clone, and does nothing where nothing is to be recorded.
#[derive(Debug, Clone)]
pub struct Recording {
    session: Option<Arc<Session>>,
    /// Of a job.
    target: Option<Arc<str>>,
}

/// What all clones share.
pub(super) struct Session {
    gateway: Weak<Gateway>,
    recorder: Result<Arc<Recorder>, NotRecorded>,
    book: Arc<Book>,
    begin: Begin,
    context: Context,
    settings: RecordingSettings,
    on_failure: OnFailure,
    opened: OnceCell<()>,
    counts: Mutex<Counts>,
    lines: Mutex<HashMap<(CommandId, Stream), Lines>>,
    state: Mutex<State>,
    /// A failure is told once until an entry is written again.
    told: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    On,
    /// The configuration says to go on without.
    Unrecorded,
    Finished,
}

impl Session {
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        recorder: Result<Arc<Recorder>, NotRecorded>,
        (context, kind): (&Context, SessionKind),
        config: &Config,
    ) -> Arc<Self> {
        let settings = config.recording.clone();
        let id = context.session.as_deref().and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_else(Uuid::new_v4);
        let begin = Begin {
            format: FORMAT,
            session: id.to_string(),
            kind: kind.word().to_owned(),
            principal: context.principal.clone(),
            client_addr: context.client_addr.map(|address| address.to_string()),
            target: context.target.clone(),
            audit: AuditPlace::default(),
        };
        Arc::new(Self {
            gateway: Arc::downgrade(gateway),
            recorder,
            book: Book::new(file_of(&settings.directory, id), settings.limits.total),
            begin,
            context: Context { session: Some(id.to_string()), command: None, recording: None, ..context.clone() },
            settings,
            on_failure: config.audit.on_failure,
            opened: OnceCell::new(),
            counts: Mutex::default(),
            lines: Mutex::default(),
            state: Mutex::new(State::On),
            told: AtomicBool::new(false),
        })
    }

    /// Something begins, is refused or ends: it is kept whatever the output takes.
    async fn control(&self, entry: &Entry, wait: Wait) -> Result<(), NotRecorded> {
        let has_room = self.counts.lock().control();
        let written = if has_room { self.write(entry, wait).await } else { Err(NotRecorded::Full) };
        self.settle(written).await
    }

    /// Output, of which so much is kept as the limits say.
    async fn output(
        &self,
        command: Option<CommandId>,
        by: &Speaker,
        entry: &Entry,
        bytes: usize,
    ) -> Result<(), NotRecorded> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let room = self.counts.lock().take(&self.settings.limits, command, bytes);
        let written = match room {
            Room::Kept => self.write(entry, Wait::Queued).await,
            Room::FirstLeftOut(scope) => {
                self.book.is_incomplete();
                self.write(&Entry::Limit(Limit { by: by.clone(), scope }), Wait::Queued).await
            }
            Room::LeftOut => Ok(()),
        };
        self.settle(written).await
    }

    async fn write(&self, entry: &Entry, wait: Wait) -> Result<(), NotRecorded> {
        // On the heap, since it is large and there once.
        self.opened.get_or_try_init(|| Box::pin(self.open())).await?;
        let recorder = self.recorder.as_ref().map_err(|error| *error)?;
        let body = entry.json().ok_or(NotRecorded::Write(std::io::ErrorKind::InvalidData))?;
        match wait {
            Wait::Written => recorder.asked(&self.book, body).await,
            Wait::Queued if self.book.is_failing() && self.on_failure == OnFailure::Deny => {
                Err(NotRecorded::Write(std::io::ErrorKind::Other))
            }
            Wait::Queued => recorder.owed(&self.book, body).await,
        }
    }

    /// The file and its first line, and then the line of the audit log that says that there is one.
    async fn open(&self) -> Result<(), NotRecorded> {
        let gateway = self.gateway.upgrade().ok_or(NotRecorded::Ended)?;
        let recorder = self.recorder.as_ref().map_err(|error| *error)?;
        take(&gateway, recorder, &self.settings.directory).await?;
        let begin = Begin { audit: gateway.audit.place(), ..self.begin.clone() };
        let body = Entry::Begin(begin).json().ok_or(NotRecorded::Write(std::io::ErrorKind::InvalidData))?;
        let digest = recorder.open(&self.book, body).await?;
        let begun = RecordingEvent::Begun { sha256: hex(&digest) };
        let event = Event::new(EventKind::Recording(begun), &self.context);
        gateway.write(event).await.map_err(|_| NotRecorded::NotAudited)
    }

    /// What becomes of something that could not be recorded: it is not done, or goes on unrecorded, loudly.
    async fn settle(&self, written: Result<(), NotRecorded>) -> Result<(), NotRecorded> {
        let Err(error) = written else {
            self.told.store(false, Ordering::Relaxed);
            return Ok(());
        };
        let (goes_on, why) = match error {
            NotRecorded::Full => (self.settings.on_full == OnFull::StopRecording, Unrecorded::Full),
            NotRecorded::Write(_) | NotRecorded::NotAudited => {
                (self.on_failure == OnFailure::Degrade, Unrecorded::Failed)
            }
            NotRecorded::Ended => (false, Unrecorded::Failed),
        };
        self.book.is_incomplete();
        if goes_on {
            *self.state.lock() = State::Unrecorded;
        }
        if !self.told.swap(true, Ordering::Relaxed)
            && let Some(gateway) = self.gateway.upgrade()
        {
            tracing::error!(%error, session = %self.begin.session, goes_on, "A session is not recorded");
            let event = if goes_on { RecordingEvent::Stopped { why } } else { RecordingEvent::Refused { why } };
            Box::pin(gateway.audit_after(Event::new(EventKind::Recording(event), &self.context))).await;
        }
        if goes_on { Ok(()) } else { Err(error) }
    }

    fn kept(&self, by: &Speaker, text: &str) -> Said {
        Said::of(by.clone(), kept(text, &self.settings.redact, self.settings.limits.entry))
    }

    /// The object itself, where it is wanted and nothing in it is to be hidden.
    fn clixml(&self, kind: MessageType, body: &RecordBody, value: Value) -> Result<String, NoClixml> {
        if body.has_secure() {
            return Err(NoClixml::Secure);
        }
        if !shown::is_small(&value) {
            return Err(NoClixml::Long);
        }
        if shown::any_text(&value, &mut |text| is_matched(text, &self.settings.redact)) {
            return Err(NoClixml::Redacted);
        }
        let text = if kind == MessageType::PipelineOutput {
            String::from_utf8(body.as_bytes().to_vec()).map_err(|_| NoClixml::Unreadable)?
        } else {
            clixml::encode(&shown::without_invocation(kind, value))
        };
        if self.settings.limits.entry < text.len() {
            return Err(NoClixml::Long);
        }
        if is_matched(&text, &self.settings.redact) { Err(NoClixml::Redacted) } else { Ok(text) }
    }

    /// What cannot be read may be shown nevertheless: its text is kept, as far as no secret can stand in it.
    fn unreadable(&self, by: &Speaker, body: &RecordBody) -> Said {
        let all = body.as_bytes();
        let end = self.settings.limits.entry.saturating_add(LOOKAHEAD).min(all.len());
        let text = String::from_utf8_lossy(all.get(..end).unwrap_or_default());
        // A pattern does not see through what is escaped.
        let hides = !self.settings.redact.is_empty() && (text.contains('&') || text.contains("_x"));
        let text = if hides || body.has_secure() { "" } else { &text };
        // Looked for in both: among control characters, and where those do not part it.
        let first = self.kept(by, text);
        let plain: String = first.text.chars().filter(|character| is_harmless(*character)).collect();
        let said = self.kept(by, &plain);
        let redacted = first.redacted || said.redacted;
        let cut = u64::try_from(all.len().saturating_sub(said.text.len())).unwrap_or(u64::MAX);
        Said { no_clixml: Some(NoClixml::Unreadable), cut, redacted, ..said }
    }

    fn record(&self, by: &Speaker, kind: MessageType, body: &RecordBody) -> (Said, Extent) {
        let Ok(value) = body.value() else { return (self.unreadable(by, body), Extent::Part) };
        let shown::Text { text, extent } = shown::record(kind, &value);
        let mut said = self.kept(by, &text);
        drop(text);
        match self.settings.objects {
            RecordedObjects::Text => {}
            RecordedObjects::TextAndClixml => match self.clixml(kind, body, value) {
                Ok(clixml) => said.clixml = Some(clixml),
                Err(why) => said.no_clixml = Some(why),
            },
        }
        (said, extent)
    }
}

/// When an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Written,
    Queued,
}

impl Recording {
    /// Of a session that is not recorded.
    #[must_use]
    pub fn off() -> Self {
        Self { session: None, target: None }
    }

    pub(super) fn on(session: Arc<Session>) -> Self {
        Self { session: Some(session), target: None }
    }

    /// Whether anything is recorded at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.going_on().is_some()
    }

    /// Whether output must be given to [`Self::record`].
    #[must_use]
    pub fn wants_bodies(&self) -> bool {
        self.is_on()
    }

    /// The same recording, for what happens on one target of a job; off where that target is not recorded.
    #[must_use]
    pub fn on_target(&self, target: &str) -> Self {
        let Some(session) = &self.session else { return Self::off() };
        let Some(gateway) = session.gateway.upgrade() else { return Self::off() };
        let live = gateway.live();
        let table = &live.config.targets;
        let wanted = table.find(target).is_some_and(|target| session.settings.records(target, table));
        if wanted { Self { session: Some(Arc::clone(session)), target: Some(target.into()) } } else { Self::off() }
    }

    /// A command as it was judged, with secrets as digests; returns when it is written.
    ///
    /// # Errors
    /// When it could not be recorded: the command must not be sent.
    pub async fn asked(&self, command: CommandId, canonical: &str) -> Result<(), NotRecorded> {
        let Some(session) = self.still_on()? else { return Ok(()) };
        let entry = Entry::Asked(session.kept(&self.speaker(Some(command)), canonical));
        session.control(&entry, Wait::Written).await
    }

    /// A command was refused, and the user told so.
    pub async fn refused(&self, command: CommandId, message: &str) {
        let Some(session) = self.going_on() else { return };
        let entry = Entry::Refused(session.kept(&self.speaker(Some(command)), message));
        // Nothing was done: that it could not be recorded is told in the audit log.
        let _told = session.control(&entry, Wait::Queued).await;
    }

    /// An object of the output, or a record of a stream, that is passed on.
    ///
    /// # Errors
    /// When it could not be recorded: it must not be shown, and the command ends.
    pub async fn record(&self, command: CommandId, kind: MessageType, body: &RecordBody) -> Result<(), NotRecorded> {
        let Some(session) = self.still_on()? else { return Ok(()) };
        if !kind.is_record() || session.counts.lock().is_over(Some(command)) {
            return Ok(());
        }
        let by = self.speaker(Some(command));
        let (said, extent) = session.record(&by, kind, body);
        let bytes = said.text.len().saturating_add(said.clixml.as_ref().map_or(0, String::len));
        match Entry::of_record(kind, said) {
            Some(entry) => session.output(Some(command), &by, &entry, bytes).await?,
            None => return Ok(()),
        }
        if extent == Extent::Part {
            session.book.is_incomplete();
        }
        Ok(())
    }

    /// The error by which a command ends, as it is told to the client.
    ///
    /// # Errors
    /// When it could not be recorded: it must not be shown.
    pub async fn failed(&self, command: CommandId, error: &Value) -> Result<(), NotRecorded> {
        if !self.is_on() {
            return self.still_on().map(drop);
        }
        self.record(command, MessageType::ErrorRecord, &RecordBody::encode(error)).await
    }

    /// A call to the client's host that is passed on: what it shows, or that it asks. Answers are never recorded.
    ///
    /// # Errors
    /// When it could not be recorded: it must not be passed on, and the command ends.
    pub async fn host_call(&self, command: Option<CommandId>, call: &HostCall) -> Result<(), NotRecorded> {
        let Some(session) = self.still_on()? else { return Ok(()) };
        if session.counts.lock().is_over(command) {
            return Ok(());
        }
        let by = self.speaker(command);
        let said = session.kept(&by, &shown::host_call(call).unwrap_or_default());
        let bytes = said.text.len();
        let entry = Entry::Host(HostSaid { method: call.method.name().to_owned(), said });
        session.output(command, &by, &entry, bytes).await
    }

    /// Output of a program, in pieces as they come.
    ///
    /// # Errors
    /// When it could not be recorded: it must not be shown, and the command ends.
    pub async fn bytes(&self, command: CommandId, stream: Stream, data: &[u8]) -> Result<(), NotRecorded> {
        let Some(session) = self.still_on()? else { return Ok(()) };
        if session.counts.lock().is_over(Some(command)) {
            return Ok(());
        }
        let limit = session.settings.limits.entry;
        let pieces = session.lines.lock().entry((command, stream)).or_default().push(data, limit);
        for piece in pieces {
            self.piece(session, (command, stream), piece).await?;
        }
        Ok(())
    }

    /// How a command ended, in a word or two of the gateway's own.
    pub async fn ended(&self, command: CommandId, outcome: &str) {
        let Some(session) = self.going_on() else { return };
        for stream in Stream::ALL {
            let waiting = session.lines.lock().remove(&(command, stream));
            if let Some(rest) = waiting.and_then(|mut lines| lines.finish()) {
                // What could not be recorded is told in the audit log.
                let _told = self.piece(session, (command, stream), rest).await;
            }
        }
        let left_out = session.counts.lock().end(command);
        let ended = Ended { by: self.speaker(Some(command)), outcome: outcome.to_owned(), left_out };
        let _told = session.control(&Entry::Ended(ended), Wait::Queued).await;
    }

    /// The session ends: what is to stand in the line of the audit log that says so, as [`Context::recording`].
    /// Nothing where nothing was recorded.
    pub async fn finish(&self) -> Option<RecordingEnd> {
        let session = self.session.as_ref()?;
        if std::mem::replace(&mut *session.state.lock(), State::Finished) == State::Finished {
            return None;
        }
        session.opened.get()?;
        let finished = session.recorder.as_ref().ok()?.finish(&session.book).await;
        match finished {
            Ok(end) => Some(end),
            Err(error) => {
                let _told = session.settle(Err(error)).await;
                None
            }
        }
    }

    async fn piece(
        &self,
        session: &Session,
        (command, stream): (CommandId, Stream),
        piece: Piece,
    ) -> Result<(), NotRecorded> {
        let by = self.speaker(Some(command));
        let mut said = session.kept(&by, &piece.text);
        said.cut = said.cut.saturating_add(piece.left_out);
        let bytes = said.text.len();
        session.output(Some(command), &by, &Entry::of_stream(stream, said), bytes).await
    }

    fn speaker(&self, command: Option<CommandId>) -> Speaker {
        Speaker { command: command.map(|id| id.to_string()), target: self.target.as_deref().map(str::to_owned) }
    }

    fn going_on(&self) -> Option<&Session> {
        self.session.as_deref().filter(|session| *session.state.lock() == State::On)
    }

    fn still_on(&self) -> Result<Option<&Session>, NotRecorded> {
        let Some(session) = self.session.as_deref() else { return Ok(None) };
        match *session.state.lock() {
            State::On => Ok(Some(session)),
            State::Unrecorded => Ok(None),
            State::Finished => Err(NotRecorded::Ended),
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("session", &self.begin.session).finish_non_exhaustive()
    }
}
