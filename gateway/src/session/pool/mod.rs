//! One PowerShell shell of one client: a pair of machines, one towards the client and one towards the target, and the
//! pipelines between them.
//!
//! What a client asks for is read, judged and encoded afresh. What a target says passes once its type, direction,
//! order and size were checked; a target's questions pass where policy lets a command ask.

mod asking;
mod feeding;
mod front;
mod key;
mod local;
mod passing;
mod pipeline;
mod run;
mod secure;
mod text;

use super::command::TerminatedBy;
use super::output::Turn;
use crate::audit::{Context, Event, EventKind, Ids, SessionEnd};
use crate::backend::{BackendError, Dialer, PoolOpening, TargetPool};
use crate::config::Target;
use crate::credentials::Hold;
use crate::enforce::{self, Asker, PipelineIds, Refusal};
use crate::identity::{Identity, PrincipalName};
use crate::recording::{Recording, SessionKind};
use crate::state::Gateway;
use front::Front;
pub use front::{Fetch, Fetched as PoolFetched};
use key::ClientKey;
use parking_lot::Mutex;
use pipeline::{Begun, Inbound, InboundQueue, Pipeline};
use run::{Host, Run};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::error::PeerMisbehaved;
use sekisho_protocol::psrp::{HostInfo, HostWindow, PipelineState, PoolServer, PoolState, ServerEvent, Stated, Stream};
use sekisho_protocol::wsman::{CommandId, Compression, ShellId};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// Pipelines that are over, the newest, remembered so that a late Receive or Signal finds its own.
const MAX_FETCHED: usize = 32;
/// How long a Signal waits for its pipeline's end, before the pipeline is ended without the target's word.
const STOPPING: Duration = Duration::from_secs(10);

/// One shell. Its target and its session configuration never change.
#[derive(Debug)]
pub struct PoolShell {
    id: ShellId,
    /// The gateway's own id of the session, for audit log and recording: a client's may come again.
    session: Uuid,
    principal: PrincipalName,
    target: Arc<Target>,
    proposal: Described,
    opened: Instant,
    used: Mutex<Instant>,
    host: HostInfo,
    window: HostWindow,
    front: Front,
    key: ClientKey,
    backend: Arc<TargetPool>,
    pipelines: Mutex<HashMap<Uuid, Arc<Pipeline>>>,
    recording: Recording,
    _hold: Hold,
}

/// What of a client's Create is repeated in answers.
#[derive(Debug, Clone)]
pub struct Described {
    /// The URL that the client used.
    pub address: String,
    /// The resource URI that the client used.
    pub resource_uri: String,
    /// How its streams are compressed.
    pub compression: Compression,
}

/// What a client proposes by its Create.
#[derive(Debug)]
pub struct Proposal {
    /// The pool's id: the shell's too.
    pub id: Uuid,
    /// The fragments of `creationXml`.
    pub creation: Vec<u8>,
    /// The session configuration, as the target's table writes it.
    pub configuration: String,
    /// What is repeated.
    pub described: Described,
    /// The size of envelope that the client takes.
    pub max_envelope: usize,
}

/// Why no shell was opened.
#[derive(Debug)]
pub enum NotOpenedPool {
    /// What the client sent is none of a pool's opening.
    Client(sekisho_protocol::Error),
    /// A rate is reached.
    Limited(Refusal),
    /// The audit line could not be written.
    NotAudited,
    /// The target failed.
    Target(BackendError),
}

/// Why a request about a shell cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolProblem {
    /// No such pipeline.
    NoPipeline,
    /// Too many run in this shell already.
    TooMany,
    /// More input waits than may.
    InputFull,
    /// The client broke the protocol: the shell is closed.
    Protocol(sekisho_protocol::Error),
    /// The shell was closed.
    Closed,
}

/// Who sends a request, and where from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub identity: Arc<Identity>,
    /// Where from.
    pub client: SocketAddr,
}

impl PoolShell {
    /// Reads what the client proposes, and opens the target's shell.
    ///
    /// # Errors
    /// When the proposal is none, or the target opens nothing.
    pub async fn open(
        gateway: &Gateway,
        caller: &Caller,
        dialer: &Arc<Dialer>,
        proposal: Proposal,
        hold: Hold,
    ) -> Result<Arc<Self>, NotOpenedPool> {
        let Proposal { id, creation, configuration, described, max_envelope } = proposal;
        let mut machine =
            PoolServer::negotiate(id, &creation, front::fragment_size(max_envelope)).map_err(NotOpenedPool::Client)?;
        let host = machine.host().clone();
        let window = told(&host);
        let principal = caller.identity.principal.clone();
        let target = Arc::clone(dialer.target());
        let session = Uuid::new_v4();
        let context = Context {
            principal: Some(principal.to_string()),
            client_addr: Some(caller.client),
            target: Some(target.name.to_string()),
            session: Some(session.to_string()),
            ..Context::default()
        };
        count(gateway, caller, &target, session).await?;
        let kind = EventKind::SessionStart { configuration: configuration.clone() };
        gateway.write(Event::new(kind, &context)).await.map_err(|_not_written| NotOpenedPool::NotAudited)?;
        let opening = PoolOpening { configuration, window: window.clone() };
        let backend = TargetPool::new(Arc::clone(dialer), principal.clone(), opening).map_err(NotOpenedPool::Target)?;
        let private_data = match opened(gateway, &backend).await {
            Ok(private_data) => private_data,
            Err(error) => {
                let kind = EventKind::SessionEnd { reason: SessionEnd::Target };
                gateway.audit_after(Event::new(kind, &context)).await;
                return Err(NotOpenedPool::Target(error));
            }
        };
        machine.opened(&private_data);
        let now = Instant::now();
        let recording = gateway.recordings.begin(&context, SessionKind::PowerShell);
        let front = Front::new(machine, described.compression);
        Ok(Arc::new(Self {
            id: ShellId::new(id),
            session,
            principal,
            target,
            proposal: described,
            opened: now,
            used: Mutex::new(now),
            host,
            window,
            front,
            key: ClientKey::default(),
            backend,
            pipelines: Mutex::default(),
            recording,
            _hold: hold,
        }))
    }

    /// The id that its client proposed: it is that of the pool in every message.
    #[must_use]
    pub fn id(&self) -> ShellId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub fn principal(&self) -> &PrincipalName {
        &self.principal
    }

    /// Where it runs.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What of its Create is repeated.
    #[must_use]
    pub fn described(&self) -> &Described {
        &self.proposal
    }

    /// Since it was opened.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Since it was last used.
    #[must_use]
    pub fn inactivity(&self) -> Duration {
        self.used.lock().elapsed()
    }

    /// Notes that its client is there.
    pub fn touch(&self) {
        *self.used.lock() = Instant::now();
    }

    /// Pipelines that have not ended.
    #[must_use]
    pub fn running_commands(&self) -> usize {
        self.pipelines.lock().values().filter(|pipeline| pipeline.is_running()).count()
    }

    /// A new pipeline, with its first fragments. What it does is judged once it is complete.
    ///
    /// # Errors
    /// When too many run, or the client breaks the protocol.
    pub async fn command(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        id: Uuid,
        piece: &[u8],
    ) -> Result<(), PoolProblem> {
        let (pipeline, inbound) = Pipeline::new(id);
        self.seat(gateway, &pipeline)?;
        pipeline.wait_for_request(inbound);
        let events = self.front.command(id, piece).map_err(|error| self.broken(gateway, error))?;
        self.handle(gateway, caller, events)
    }

    /// Takes a pipeline in.
    fn seat(self: &Arc<Self>, gateway: &Arc<Gateway>, pipeline: &Arc<Pipeline>) -> Result<(), PoolProblem> {
        let most = gateway.live().config.limits.commands_per_shell;
        let mut pipelines = self.pipelines.lock();
        if pipelines.contains_key(&pipeline.id()) {
            drop(pipelines);
            return Err(self.broken(gateway, PeerMisbehaved::OutOfOrder.into()));
        }
        if most <= pipelines.values().filter(|pipeline| !self.is_over(pipeline)).count() {
            return Err(PoolProblem::TooMany);
        }
        self.forget_fetched(&mut pipelines);
        pipelines.insert(pipeline.id(), Arc::clone(pipeline));
        Ok(())
    }

    /// What follows on a stream.
    ///
    /// # Errors
    /// When there is no such pipeline, more waits than may, or the client breaks the protocol.
    pub async fn send(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        (of, stream): (Option<Uuid>, Stream),
        piece: &[u8],
        deadline: Instant,
    ) -> Result<(), PoolProblem> {
        // What waits is as large as it was before it was compressed.
        let piece = self.front.plain(piece).map_err(|error| self.broken(gateway, error))?;
        if let Some(id) = of {
            let pipeline = self.pipeline(id).ok_or(PoolProblem::NoPipeline)?;
            let roomy = tokio::time::timeout_at(deadline, pipeline.room()).await;
            roomy.map_err(|_full| PoolProblem::InputFull)?;
            pipeline.charge(piece.len());
        }
        let events = self.front.receive(of, stream, &piece).map_err(|error| self.broken(gateway, error))?;
        self.handle(gateway, caller, events)
    }

    /// Waits for output of a pipeline, or of the pool itself, until `deadline`.
    ///
    /// # Errors
    /// When there is no such pipeline, or the shell was closed.
    pub async fn fetch(&self, fetch: &Fetch, deadline: Instant) -> Result<PoolFetched, PoolProblem> {
        if let Some(id) = fetch.of {
            self.pipeline(id).ok_or(PoolProblem::NoPipeline)?;
        }
        self.front.fetch(fetch, deadline).await.ok_or(PoolProblem::Closed)
    }

    /// What this fetch brought has been written to the client.
    pub fn acknowledge(&self, of: Option<Uuid>, turn: Turn) {
        self.front.acknowledge(of, turn);
    }

    /// Stops a pipeline as Control-C does; answered when it has stopped, or did not in time.
    ///
    /// # Errors
    /// When there is no such pipeline.
    pub async fn stop(&self, id: Uuid) -> Result<(), PoolProblem> {
        let pipeline = self.pipeline(id).ok_or(PoolProblem::NoPipeline)?;
        if pipeline.stop() == Begun::No {
            self.front.state(id, &Stated { state: PipelineState::Stopped, error: None });
        }
        if timeout(STOPPING, pipeline.ended()).await.is_err() {
            pipeline.terminate(TerminatedBy::Client);
        }
        Ok(())
    }

    /// Ends a pipeline, whatever it does, and forgets it.
    ///
    /// # Errors
    /// When there is no such pipeline.
    pub async fn terminate(&self, id: Uuid, patience: Duration) -> Result<(), PoolProblem> {
        let pipeline = self.pipeline(id).ok_or(PoolProblem::NoPipeline)?;
        pipeline.terminate(TerminatedBy::Client);
        // Answered when the target knows, so that the next command finds a free connection.
        let _late = timeout(STOPPING.min(patience), pipeline.ended()).await;
        self.pipelines.lock().remove(&id);
        self.front.forget(id);
        Ok(())
    }

    /// Ends all pipelines and the target's shell, and writes why.
    pub async fn close(&self, gateway: &Gateway, reason: SessionEnd, by: TerminatedBy) {
        let pipelines: Vec<_> = self.pipelines.lock().drain().map(|(_, pipeline)| pipeline).collect();
        for pipeline in &pipelines {
            pipeline.terminate(by);
        }
        for pipeline in &pipelines {
            pipeline.ended().await;
        }
        self.front.say(|machine| machine.pool_state(&Stated { state: PoolState::Closed, error: None }));
        self.front.close();
        if let Err(error) = self.backend.close().await {
            tracing::info!(shell = %self.id, target = %self.target.name, %error, "The target's shell could not be deleted");
        }
        let context = Context {
            principal: Some(self.principal.to_string()),
            target: Some(self.target.name.to_string()),
            session: Some(self.session.to_string()),
            shell: Some(Ids { gateway: self.id.to_string(), target: self.backend.id().map(|id| id.to_string()) }),
            recording: self.recording.finish().await,
            ..Context::default()
        };
        gateway.audit_after(Event::new(EventKind::SessionEnd { reason }, &context)).await;
    }

    fn pipeline(&self, id: Uuid) -> Option<Arc<Pipeline>> {
        self.pipelines.lock().get(&id).cloned()
    }

    /// Whether nothing is left to be done: its client has all of it, or has stopped it, and may never ask again.
    fn is_here(&self, pipeline: &Arc<Pipeline>) -> bool {
        self.pipeline(pipeline.id()).is_some_and(|known| Arc::ptr_eq(&known, pipeline))
    }

    fn is_over(&self, pipeline: &Pipeline) -> bool {
        !pipeline.is_running() && (pipeline.is_stopped() || self.front.is_fetched(pipeline.id()))
    }

    fn forget_fetched(&self, pipelines: &mut HashMap<Uuid, Arc<Pipeline>>) {
        self.front.forget_written();
        let over = pipelines.values().filter(|pipeline| self.is_over(pipeline));
        let mut over: Vec<(Instant, Uuid)> = over.map(|pipeline| (pipeline.began(), pipeline.id())).collect();
        over.sort_unstable_by(|one, other| other.cmp(one));
        for (_, id) in over.iter().skip(MAX_FETCHED) {
            pipelines.remove(id);
            self.front.forget(*id);
        }
    }

    fn handle(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        events: Vec<ServerEvent>,
    ) -> Result<(), PoolProblem> {
        for event in events {
            match event {
                ServerEvent::Pipeline { id, request } => {
                    let host = self.host_of(&request.host);
                    self.begin((gateway, caller), id, host, |run, inbound| run.pipeline(request, inbound));
                }
                ServerEvent::Metadata { id, request } => {
                    self.begin((gateway, caller), id, Host::None, |run, inbound| run.metadata(request, inbound));
                }
                ServerEvent::Input { id, value } => self.give(id, Inbound::Input(value)),
                ServerEvent::EndOfInput { id } => self.give(id, Inbound::End),
                ServerEvent::HostResponse { id: Some(id), response } => self.give(id, Inbound::Answer(response)),
                // The pool itself asks nothing.
                ServerEvent::HostResponse { id: None, .. } => {}
                ServerEvent::PublicKey { key } => {
                    self.key.answer(&key, &self.front).map_err(|error| self.broken(gateway, error))?;
                }
            }
        }
        Ok(())
    }

    /// A pipeline has a host of its own, or that of the pool.
    fn host_of(&self, own: &HostInfo) -> Host {
        let none = if own.pool_host { self.host.no_host } else { own.no_host };
        if none { Host::None } else { Host::There }
    }

    fn begin<F>(
        self: &Arc<Self>,
        (gateway, caller): (&Arc<Gateway>, &Caller),
        id: Uuid,
        host: Host,
        how: impl FnOnce(Run, InboundQueue) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(pipeline) = self.pipeline(id) else { return };
        let Some(inbound) = pipeline.take_request() else { return };
        let run = Run {
            gateway: Arc::clone(gateway),
            shell: Arc::clone(self),
            caller: caller.clone(),
            pipeline,
            host,
            _counted: gateway.metrics.running(),
        };
        // In a task of its own: a client that goes away leaves nothing half-done behind.
        gateway.tasks.spawn(how(run, inbound));
    }

    fn give(&self, id: Uuid, inbound: Inbound) {
        if let Some(pipeline) = self.pipeline(id) {
            pipeline.give(inbound);
        }
    }

    /// The client broke the protocol: nothing it says from here on can be told apart from what it does not.
    fn broken(self: &Arc<Self>, gateway: &Arc<Gateway>, error: sekisho_protocol::Error) -> PoolProblem {
        tracing::info!(shell = %self.id, %error, "A client broke the protocol of PowerShell remoting");
        self.break_off(gateway, SessionEnd::Gateway);
        PoolProblem::Protocol(error)
    }

    /// Closes the shell in the background, once.
    fn break_off(self: &Arc<Self>, gateway: &Arc<Gateway>, reason: SessionEnd) {
        if !gateway.sessions.remove_pool(self) {
            return;
        }
        let (shell, closing) = (Arc::clone(self), Arc::clone(gateway));
        gateway.tasks.spawn(async move {
            shell.front.say(|machine| machine.pool_state(&Stated { state: PoolState::Broken, error: None }));
            shell.close(&closing, reason, TerminatedBy::Gateway).await;
        });
    }
}

/// A session counts like a command: its login is one to the target.
async fn count(gateway: &Gateway, caller: &Caller, target: &Target, session: Uuid) -> Result<(), NotOpenedPool> {
    let asker = Asker { identity: &caller.identity, client: caller.client, target };
    let ids = PipelineIds { session, command: CommandId::new(Uuid::new_v4()) };
    enforce::count(gateway, asker, ids).await.map_err(NotOpenedPool::Limited)
}

/// Opens the target's shell, in a task of its own: it is closed again should the client go away meanwhile.
async fn opened(gateway: &Gateway, backend: &Arc<TargetPool>) -> Result<Value, BackendError> {
    let mut unwanted = Unwanted { gateway, backend: Some(Arc::clone(backend)) };
    let opening = Arc::clone(backend);
    let opened = gateway.tasks.spawn(async move { opening.open().await }).await;
    let private_data = opened.unwrap_or(Err(BackendError::Closed))?;
    unwanted.backend = None;
    Ok(private_data)
}

/// The window that a target is told of: as large as the client's, and nothing else of it. A title is any text.
fn told(host: &HostInfo) -> HostWindow {
    HostWindow { title: HostWindow::default().title, ..HostWindow::of(host) }
}

/// A target's shell that is being opened; closed when it is not kept.
struct Unwanted<'g> {
    gateway: &'g Gateway,
    backend: Option<Arc<TargetPool>>,
}

impl Drop for Unwanted<'_> {
    fn drop(&mut self) {
        if let Some(backend) = self.backend.take() {
            self.gateway.tasks.spawn(async move {
                if let Err(error) = backend.close().await {
                    tracing::debug!(%error, "A target's shell that was not needed could not be deleted");
                }
            });
        }
    }
}
