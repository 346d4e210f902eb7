//! One PowerShell shell on one target: a pool of PSRP's, opened before the first command, and the pipelines in it.

use super::dial::Dialer;
use super::error::{BackendError, Effect};
use super::link::{Creation, Link, Places, for_cleaning_up};
use super::pool_key::Keys;
use super::quota::{Patience, Reserved};
use crate::identity::PrincipalName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{
    ClientEvent, ErrorCategory, ErrorRecord, HostCall, HostResponse, HostResult, HostWindow, InitRunspacePool, Passage,
    PoolClient, ProtocolVersion, Stream,
};
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::wsman::{
    Action, CommandId, CreateShell, RequestBody, Resource, ResponseBody, SendStream, ShellId, WsmanOption,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Bytes of one fragment: what PowerShell's own client cuts.
const FRAGMENT: usize = 32 * 1024;
/// Bytes of fragments in one message, so that it is no larger than what targets of this version take: envelopes of
/// 150 KB and of 500 KB, less the headers, in base64.
const ROOM_V2_1: usize = 110_000;
const ROOM: usize = 360_000;
/// How long a target's PowerShell may take to open.
const OPENING: Duration = Duration::from_secs(60);
/// How long the exchange of keys may take.
pub(super) const EXCHANGE: Duration = Duration::from_secs(20);

/// A pool on a target, for one principal.
#[derive(Debug)]
pub struct TargetPool {
    pub(super) link: Link,
    creation: Creation,
    window: HostWindow,
    state: Mutex<State>,
    /// Something about the pool changed.
    changed: Notify,
    /// The target has said that nothing follows.
    ended: CancellationToken,
    /// Who polls the pool's own stream.
    polling: tokio::sync::Mutex<()>,
    watched: AtomicBool,
    /// Answers of the pool's own are being sent.
    answering: AtomicBool,
    /// Fragments leave in the order in which they were made.
    sending: tokio::sync::Mutex<()>,
    pub(super) keys: Keys,
}

/// What a pool is opened with.
#[derive(Debug, Clone)]
pub struct PoolOpening {
    /// The session configuration, by the name that the target knows.
    pub configuration: String,
    /// The window that the target is told of.
    pub window: HostWindow,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) machine: PoolClient,
    private_data: Option<Value>,
    opening: Opening,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    Awaited,
    Opened,
    Closed,
}

impl TargetPool {
    /// One that takes what it needs of the target's quota as it needs it, or fails. Nothing is sent before
    /// [`Self::open`].
    ///
    /// # Errors
    /// When the opening cannot be encoded.
    pub fn new(dialer: Arc<Dialer>, principal: PrincipalName, opening: PoolOpening) -> Result<Arc<Self>, BackendError> {
        Self::with(dialer, principal, opening, Places::none())
    }

    /// One that has its places already, and waits until `deadline` where the target is at its limits all the same.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn reserved(
        dialer: Arc<Dialer>,
        principal: PrincipalName,
        opening: PoolOpening,
        places: Reserved,
        deadline: Instant,
    ) -> Result<Arc<Self>, BackendError> {
        Self::with(dialer, principal, opening, Places::reserved(places, deadline))
    }

    fn with(
        dialer: Arc<Dialer>,
        principal: PrincipalName,
        opening: PoolOpening,
        places: Places,
    ) -> Result<Arc<Self>, BackendError> {
        let PoolOpening { configuration, window } = opening;
        let id = Uuid::new_v4();
        let init = InitRunspacePool { min: 1, max: 1, host: window.host() };
        let mut machine = PoolClient::new(id, &init, FRAGMENT).map_err(BackendError::Invalid)?;
        let creation = creation(id, machine.take_output(None, Stream::Main, usize::MAX).unwrap_or_default());
        let link = Link::new(dialer, principal, Resource::PowerShell(configuration), places);
        Ok(Arc::new(Self {
            link,
            creation,
            window,
            state: Mutex::new(State { machine, private_data: None, opening: Opening::Awaited }),
            changed: Notify::new(),
            ended: CancellationToken::new(),
            polling: tokio::sync::Mutex::default(),
            watched: AtomicBool::new(false),
            answering: AtomicBool::new(false),
            sending: tokio::sync::Mutex::default(),
            keys: Keys::default(),
        }))
    }

    /// The id that the target knows this shell by, once it was opened.
    #[must_use]
    pub fn id(&self) -> Option<ShellId> {
        self.link.id()
    }

    /// Connects, logs in and opens the target's shell and its pool; what the target says of its PowerShell.
    ///
    /// # Errors
    /// What went wrong. The caller closes the pool then, too.
    pub async fn open(self: &Arc<Self>) -> Result<Value, BackendError> {
        self.link.prepare(&self.creation).await?;
        let deadline = after(OPENING);
        loop {
            {
                let state = self.state.lock();
                match (state.opening, &state.private_data) {
                    (Opening::Opened, data) => return Ok(data.clone().unwrap_or(Value::Nil)),
                    (Opening::Closed, _) => return Err(BackendError::NoPool),
                    (Opening::Awaited, _) => {}
                }
            }
            let polled = timeout_at(deadline, self.poll(self.link.patience())).await;
            polled.map_err(|_late| BackendError::TimedOut(Effect::NotDone))??;
        }
    }

    /// Ends the pool on the target. Later calls of anything fail, and what still waits for the target by then waits
    /// no longer.
    ///
    /// # Errors
    /// When the target did not take it in time; it reaps the shell by itself then.
    pub async fn close(&self) -> Result<(), BackendError> {
        self.link.close().await
    }

    /// Bytes of fragments in one message.
    pub(super) fn room(&self) -> usize {
        if self.state.lock().machine.protocol() <= ProtocolVersion::V2_1 { ROOM_V2_1 } else { ROOM }
    }

    /// What the machine says and does, under its lock.
    pub(super) fn with_machine<T>(&self, step: impl FnOnce(&mut PoolClient) -> T) -> T {
        step(&mut self.state.lock().machine)
    }

    /// Waits until the target has ended the pool.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(super) fn changed(&self) -> &Notify {
        &self.changed
    }

    /// Sends what waits on a stream, in order. Never repeated.
    pub(super) async fn flush(&self, of: Of, stream: Stream) -> Result<(), BackendError> {
        let _order = self.sending.lock().await;
        let room = self.room();
        let name = match stream {
            Stream::Main => "stdin",
            Stream::PromptResponse => "pr",
        };
        loop {
            let taken = self.with_machine(|machine| machine.take_output(of.pipeline(), stream, room));
            let Some(data) = taken else { return Ok(()) };
            let shell = self.id().ok_or(BackendError::Closed)?;
            let stream = SendStream { stream: name.to_owned(), command_id: of.command(), end: false, data };
            self.link.ask(for_cleaning_up(), (Action::Send, shell), RequestBody::Send(vec![stream])).await?;
        }
    }

    /// Listens to the pool's own stream while a pipeline is silent: a target that wants a session key says so there,
    /// and waits. Where the target has no connection to spare, nobody listens.
    pub(super) fn watch(self: &Arc<Self>) {
        if self.watched.swap(true, Ordering::Relaxed) {
            return;
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let polled = pool.poll(Patience::None).await;
            pool.watched.store(false, Ordering::Relaxed);
            if let Err(error) = polled {
                tracing::debug!(%error, "The pool of a target cannot be listened to");
            }
        });
    }

    /// One poll of the pool's own stream.
    pub(super) async fn poll(self: &Arc<Self>, patience: Patience) -> Result<(), BackendError> {
        let _one = self.polling.lock().await;
        let shell = self.id().ok_or(BackendError::Closed)?;
        let body = RequestBody::Receive { command_id: None, streams: vec!["stdout".to_owned()] };
        let answer = match self.link.ask(patience, (Action::Receive, shell), body).await {
            Ok(ResponseBody::Receive(answer)) if answer.command_id.is_none() => answer,
            Ok(_) => return Err(BackendError::Mismatch),
            Err(BackendError::Fault(FaultCode::TIMED_OUT)) => return Ok(()),
            Err(error) => return Err(error),
        };
        for chunk in answer.streams {
            self.take(&chunk.data)?;
        }
        self.changed.notify_waiters();
        Ok(())
    }

    fn take(self: &Arc<Self>, piece: &[u8]) -> Result<(), BackendError> {
        let mut events = Vec::new();
        let mut state = self.state.lock();
        state.machine.receive(None, piece).map_err(BackendError::Invalid)?;
        while let Some(event) = state.machine.next_event() {
            match event {
                ClientEvent::PrivateData(data) => state.private_data = Some(data),
                ClientEvent::Opened => state.opening = Opening::Opened,
                ClientEvent::Closed(_) => {
                    state.opening = Opening::Closed;
                    self.ended.cancel();
                }
                other @ (ClientEvent::Record { .. }
                | ClientEvent::State { .. }
                | ClientEvent::HostCall { .. }
                | ClientEvent::SessionKey(_)
                | ClientEvent::PublicKeyRequest) => events.push(other),
            }
        }
        drop(state);
        for event in events {
            match event {
                ClientEvent::SessionKey(sealed) => self.keys.learn(&sealed)?,
                ClientEvent::PublicKeyRequest => self.exchange_soon(),
                ClientEvent::HostCall { id: None, call } => self.answer(call)?,
                ClientEvent::HostCall { id: Some(_), .. }
                | ClientEvent::PrivateData(_)
                | ClientEvent::Opened
                | ClientEvent::Closed(_)
                | ClientEvent::Record { .. }
                | ClientEvent::State { .. } => {}
            }
        }
        Ok(())
    }

    fn exchange_soon(self: &Arc<Self>) {
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = pool.agree_on_key().await {
                tracing::info!(%error, "No session key could be agreed on with a target");
            }
        });
    }

    /// Calls of the pool itself, outside of any pipeline: nobody is asked, and nothing is shown. A target that does
    /// not take its answers is not given more than some.
    fn answer(self: &Arc<Self>, call: HostCall) -> Result<(), BackendError> {
        let Some(result) = own_answer(&self.window, &call) else { return Ok(()) };
        let response = HostResponse { call: call.call, method: call.method, result };
        self.with_machine(|machine| machine.host_response(None, &response)).map_err(BackendError::Invalid)?;
        if self.answering.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let flushed = pool.flush(Of::Pool, Stream::PromptResponse).await;
            pool.answering.store(false, Ordering::Relaxed);
            if let Err(error) = flushed {
                tracing::debug!(%error, "A call of a target's pool was not answered");
            }
        });
        Ok(())
    }
}

/// Whose stream is spoken on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Pool,
    Pipeline(Uuid, CommandId),
}

impl Of {
    fn pipeline(self) -> Option<Uuid> {
        match self {
            Self::Pool => None,
            Self::Pipeline(id, _) => Some(id),
        }
    }

    fn command(self) -> Option<CommandId> {
        match self {
            Self::Pool => None,
            Self::Pipeline(_, command) => Some(command),
        }
    }
}

/// The answer to a call for which no user is asked; nothing where none is wanted. A refusal is an answer, so that no
/// target waits.
#[must_use]
pub fn own_answer(window: &HostWindow, call: &HostCall) -> Option<HostResult> {
    match call.method.passage() {
        Passage::Known => {
            Some(window.answer(call.method).map_or_else(|| HostResult::Error(refused().encode()), HostResult::Value))
        }
        Passage::Asks | Passage::Refused => Some(HostResult::Error(refused().encode())),
        Passage::Shown | Passage::Ends | Passage::Dropped => None,
    }
}

fn refused() -> ErrorRecord {
    ErrorRecord {
        message: "the gateway lets no command ask its user here: the role has to allow it by `prompts = true`"
            .to_owned(),
        id: "SekishoPromptRefused".to_owned(),
        category: ErrorCategory::PermissionDenied,
        about: String::new(),
    }
}

fn creation(pool: Uuid, opening: Vec<u8>) -> Creation {
    let shell = CreateShell {
        name: Some("Sekisho".to_owned()),
        shell_id: Some(ShellId::new(pool)),
        input_streams: vec!["stdin".to_owned(), "pr".to_owned()],
        output_streams: vec!["stdout".to_owned()],
        creation_xml: Some(STANDARD.encode(opening)),
        ..CreateShell::default()
    };
    let version = WsmanOption { name: "protocolversion".to_owned(), value: "2.3".to_owned(), must_comply: true };
    Creation { shell, options: vec![version] }
}

pub(super) fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}
