//! One pool of a target: the protocol's machine, the pipelines that run in it, and who waits for them.

use super::machine::Machine;
use super::pipeline::{self, Place};
use super::secure::Keys;
use crate::demo::targets::shell::{Closed, Done};
use crate::frontend::Delivered;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use sekisho_protocol::clixml::{Content, Object, Value};
use sekisho_protocol::psrp::{
    Answer, CreatePipeline, HostCall, HostResponse, HostResult, MessageType, PipelineState, PoolServer, RecordBody,
    ServerEvent, Stated, Stream, private_data,
};
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::wsman::{
    CommandId, CommandLine, CommandState, Compression, CreateShell, ReceiveResponse, Request, RequestBody,
    RequestHeader, ResponseBody, SendStream, ShellDetails, ShellId, SignalCode, StreamChunk,
};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Pipelines at the same time, as an endpoint with one runspace has them.
const MAX_RUNNING: usize = 5;
/// Bytes of output that wait for their client, for each pipeline.
const OUTPUT: usize = 256 * 1024;
/// Objects of input, and answers, that wait for their pipeline.
const WAITING: usize = 16;
/// Bytes of a fragment, as PowerShell cuts them.
const FRAGMENT: usize = 32 * 1024;
/// Bytes of an answer around its stream.
const ENVELOPE_ROOM: usize = 4096;
/// The longest wait for output, which is also the wait of a client that names none. \[MS-WSMV\] 3.1.4.1.
const POLL: Duration = Duration::from_secs(60);
/// How much earlier than the client gives up the answer goes out.
const MARGIN: Duration = Duration::from_millis(500);

/// One pool.
#[derive(Debug)]
pub(in crate::demo::targets) struct Pool {
    id: ShellId,
    /// Who opened it. (identity-bound)
    owner: String,
    peer: SocketAddr,
    address: String,
    resource: String,
    opened: Instant,
    machine: Arc<Machine>,
    keys: Arc<Keys>,
    state: Mutex<State>,
    changed: Notify,
    tasks: TaskTracker,
    /// Ends all of its pipelines.
    stop: CancellationToken,
}

/// What one lock guards.
#[derive(Debug)]
struct State {
    server: PoolServer,
    running: HashMap<Uuid, Pipeline>,
    /// What was fetched and may not have arrived.
    fetched: HashMap<Option<Uuid>, Vec<u8>>,
}

/// One pipeline, as its pool sees it.
#[derive(Debug)]
struct Pipeline {
    input: mpsc::Sender<Value>,
    input_end: CancellationToken,
    answers: mpsc::Sender<HostResponse>,
    stop: CancellationToken,
    ended: bool,
    /// Whether the client has heard of the end.
    told: bool,
}

impl Pool {
    /// Opens a pool as a Create asks for it.
    pub(in crate::demo::targets) fn open(
        header: &RequestHeader,
        create: &CreateShell,
        (owner, peer): (&str, SocketAddr),
        machine: &Arc<Machine>,
        (tasks, stop): (&TaskTracker, &CancellationToken),
    ) -> Result<Arc<Self>, Fault> {
        let id = create.shell_id.ok_or_else(|| Fault::invalid_parameter("A PowerShell client names its pool."))?;
        let creation = create.creation_xml.as_deref().and_then(|text| STANDARD.decode(text).ok());
        let creation = creation.ok_or_else(|| Fault::invalid_parameter("The creationXml is not one."))?;
        #[cfg(test)]
        machine.watch().hear(super::script::Heard::Create(creation.clone()));
        let fragment = FRAGMENT.min(room(header.max_envelope_size));
        let server = PoolServer::open(id.uuid(), &creation, &private(), fragment).map_err(broken)?;
        Ok(Arc::new(Self {
            id,
            owner: owner.to_owned(),
            peer,
            address: header.to.clone(),
            resource: header.resource.uri().into_owned(),
            opened: Instant::now(),
            machine: Arc::clone(machine),
            keys: Arc::default(),
            state: Mutex::new(State { server, running: HashMap::new(), fetched: HashMap::new() }),
            changed: Notify::new(),
            tasks: tasks.clone(),
            stop: stop.child_token(),
        }))
    }

    pub(in crate::demo::targets) fn id(&self) -> ShellId {
        self.id
    }

    pub(in crate::demo::targets) fn is_of(&self, account: &str) -> bool {
        self.owner == account
    }

    /// Serves one request that names this pool.
    pub(in crate::demo::targets) async fn serve(self: &Arc<Self>, request: Request) -> Result<Done, Fault> {
        #[cfg(test)]
        {
            let wants_key = || self.state.lock().server.request_key();
            if let Some(scripted) = self.machine.watch().meet(self.id.uuid(), &request, wants_key).await {
                return scripted;
            }
        }
        match request.body {
            RequestBody::Command(line) => self.command(&line).await.map(Done::from),
            RequestBody::Send(streams) => self.send(streams).await.map(Done::from),
            RequestBody::Receive { command_id, streams: _ } => self.receive(&request.header, command_id).await,
            RequestBody::Signal { command_id, signal } => Ok(self.signal(command_id, signal).into()),
            RequestBody::Get => Ok(ResponseBody::Shell(self.details()).into()),
            RequestBody::Delete => {
                self.stop.cancel();
                self.changed.notify_waiters();
                Ok(Done { closed: Closed::Yes, ..ResponseBody::Delete.into() })
            }
            RequestBody::Identify | RequestBody::Create(_) | RequestBody::Other => Err(Fault::action_not_supported()),
        }
    }

    /// What Create and Get tell of it.
    pub(in crate::demo::targets) fn details(&self) -> ShellDetails {
        ShellDetails {
            shell_id: self.id,
            address: self.address.clone(),
            resource_uri: self.resource.clone(),
            owner: self.owner.clone(),
            client_ip: self.peer.ip().to_string(),
            idle_timeout: Duration::from_secs(7200),
            input_streams: vec!["stdin".to_owned(), "pr".to_owned()],
            output_streams: vec!["stdout".to_owned()],
            run_time: self.opened.elapsed(),
            inactivity: Duration::ZERO,
            compression: Compression::None,
        }
    }

    /// The first fragments of a pipeline stand where a program has its arguments.
    async fn command(self: &Arc<Self>, line: &CommandLine) -> Result<ResponseBody, Fault> {
        let command_id = line.command_id.unwrap_or_else(|| CommandId::new(Uuid::new_v4()));
        let piece = STANDARD.decode(line.arguments.concat()).map_err(|_| broken(()))?;
        self.begin(command_id.uuid(), &piece)?;
        self.events().await;
        Ok(ResponseBody::Command { command_id })
    }

    fn begin(&self, id: Uuid, piece: &[u8]) -> Result<(), Fault> {
        #[cfg(test)]
        self.machine.watch().hear(super::script::Heard::Command { id, piece: piece.to_vec() });
        let mut state = self.state.lock();
        let running = state.running.values().filter(|pipeline| !pipeline.ended).count();
        if MAX_RUNNING <= running {
            return Err(Fault::quota(FaultCode::QUOTA_OPERATIONS, "The pool has as many pipelines as may run."));
        }
        state.server.command(id, piece).map_err(broken)
    }

    async fn send(self: &Arc<Self>, streams: Vec<SendStream>) -> Result<ResponseBody, Fault> {
        for stream in streams {
            let kind = match stream.stream.as_str() {
                "stdin" => Stream::Main,
                "pr" => Stream::PromptResponse,
                _ => return Err(Fault::invalid_parameter("The shell has no such input stream.")),
            };
            let id = stream.command_id.map(|id| id.uuid());
            self.state.lock().server.receive(id, kind, &stream.data).map_err(broken)?;
            self.events().await;
        }
        Ok(ResponseBody::Send)
    }

    /// Hands what the client did to whom it concerns. Input waits for its pipeline, and the client with it.
    async fn events(self: &Arc<Self>) {
        loop {
            let event = self.state.lock().server.next_event();
            match event {
                None => break,
                Some(ServerEvent::Pipeline { id, request }) => self.start(id, request),
                Some(ServerEvent::Metadata { id, .. }) => {
                    let error = super::errors::Error::no_command("Get-Command").encode();
                    self.finish(id, &Stated { state: PipelineState::Failed, error: Some(error) });
                }
                Some(ServerEvent::Input { id, value }) => {
                    if let Some(input) = self.of(id, |pipeline| pipeline.input.clone()) {
                        // One that has ended reads nothing more.
                        drop(input.send(value).await);
                    }
                }
                Some(ServerEvent::EndOfInput { id }) => {
                    let _known = self.of(id, |pipeline| pipeline.input_end.cancel());
                }
                Some(ServerEvent::HostResponse { id: Some(id), response }) => {
                    if let Some(answers) = self.of(id, |pipeline| pipeline.answers.clone()) {
                        drop(answers.send(response).await);
                    }
                }
                // The pool asks nothing.
                Some(ServerEvent::HostResponse { id: None, response: _ }) => {}
                Some(ServerEvent::PublicKey { key }) => {
                    if let Some(sealed) = self.keys.agree(&key) {
                        self.state.lock().server.session_key(&sealed);
                    }
                }
            }
        }
        self.changed.notify_waiters();
    }

    fn of<T>(&self, id: Uuid, look: impl FnOnce(&Pipeline) -> T) -> Option<T> {
        self.state.lock().running.get(&id).map(look)
    }

    fn start(self: &Arc<Self>, id: Uuid, request: CreatePipeline) {
        let (input, inputs) = mpsc::channel(WAITING);
        let (answers, answered) = mpsc::channel(WAITING);
        let (input_end, stop) = (CancellationToken::new(), self.stop.child_token());
        let has_host = {
            let mut state = self.state.lock();
            let of_pool = state.server.host().no_host;
            let pipeline = Pipeline {
                input,
                input_end: input_end.clone(),
                answers,
                stop: stop.clone(),
                ended: false,
                told: false,
            };
            state.running.insert(id, pipeline);
            if request.host.pool_host { !of_pool } else { !request.host.no_host }
        };
        let port = Port { pool: Arc::clone(self), id, inputs, input_end, answered, has_host };
        let place = Place { machine: Arc::clone(&self.machine), keys: Arc::clone(&self.keys) };
        self.tasks.spawn(pipeline::run(port, place, request, stop));
    }

    async fn receive(self: &Arc<Self>, header: &RequestHeader, command_id: Option<CommandId>) -> Result<Done, Fault> {
        let wait = header.operation_timeout.filter(|wait| !wait.is_zero()).unwrap_or(POLL).min(POLL);
        let deadline = Instant::now().checked_add(wait.saturating_sub(MARGIN)).unwrap_or_else(Instant::now);
        loop {
            let changed = self.changed.notified();
            if self.stop.is_cancelled() {
                return Err(Fault::no_such_shell());
            }
            if let Some(done) = self.fetch(command_id, header.max_envelope_size)? {
                return Ok(done);
            }
            timeout_at(deadline, changed).await.map_err(|_late| Fault::timed_out())?;
        }
    }

    /// The next piece; again the same one until it was delivered.
    fn fetch(self: &Arc<Self>, command_id: Option<CommandId>, envelope: usize) -> Result<Option<Done>, Fault> {
        let id = command_id.map(|id| id.uuid());
        let mut state = self.state.lock();
        let State { server, running, fetched } = &mut *state;
        if id.is_some_and(|id| !running.contains_key(&id)) {
            return Err(Fault::no_such_shell());
        }
        let data = fetched.remove(&id).or_else(|| server.take_output(id, room(envelope)));
        let pipeline = id.and_then(|id| running.get(&id));
        let done = pipeline.is_some_and(|pipeline| pipeline.ended && !pipeline.told) && server.waiting(id) == 0;
        if data.is_none() && !done {
            return Ok(None);
        }
        let chunk = |data: Vec<u8>| StreamChunk { stream: "stdout".to_owned(), data, end: false };
        if let Some(data) = &data {
            fetched.insert(id, data.clone());
        }
        let running = || if done { CommandState::Done { exit_code: 0 } } else { CommandState::Running };
        let response = ReceiveResponse {
            command_id,
            streams: data.map(chunk).into_iter().collect(),
            state: id.map(|_| running()),
        };
        let pool = Arc::clone(self);
        let delivered = Delivered::new(move || pool.arrived(id, done));
        Ok(Some(Done { delivered: Some(delivered), ..ResponseBody::Receive(response).into() }))
    }

    /// The piece that was fetched last has arrived.
    pub(super) fn arrived(&self, id: Option<Uuid>, done: bool) {
        let mut state = self.state.lock();
        state.fetched.remove(&id);
        if let Some(pipeline) = id.and_then(|id| state.running.get_mut(&id)) {
            pipeline.told |= done;
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// A stop leaves the pipeline to say that it has stopped; everything else forgets it.
    fn signal(&self, command_id: Option<CommandId>, signal: SignalCode) -> ResponseBody {
        if let Some(id) = command_id.map(|id| id.uuid()) {
            let _known = self.of(id, |pipeline| pipeline.stop.cancel());
            match signal {
                SignalCode::CtrlC | SignalCode::CtrlBreak | SignalCode::PowerShellCtrlC => {}
                SignalCode::Terminate | SignalCode::Other => {
                    let mut state = self.state.lock();
                    state.server.forget(id);
                    state.running.remove(&id);
                    state.fetched.remove(&Some(id));
                }
            }
        }
        self.changed.notify_waiters();
        ResponseBody::Signal
    }

    fn finish(&self, id: Uuid, stated: &Stated<PipelineState>) {
        let mut state = self.state.lock();
        // One that was forgotten needs no end.
        let _forgotten = state.server.state(id, stated);
        if let Some(pipeline) = state.running.get_mut(&id) {
            pipeline.ended = true;
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Nobody is there for what a pipeline says.
#[derive(Debug)]
pub(super) struct Gone;

/// What a pipeline speaks through.
pub(super) struct Port {
    pool: Arc<Pool>,
    id: Uuid,
    inputs: mpsc::Receiver<Value>,
    input_end: CancellationToken,
    answered: mpsc::Receiver<HostResponse>,
    has_host: bool,
}

impl Port {
    /// Whether the client shows what the host is told.
    pub(super) fn has_host(&self) -> bool {
        self.has_host
    }

    /// The next object, until no more come.
    pub(super) async fn input(&mut self) -> Option<Value> {
        tokio::select! {
            // What came before the end comes before it here as well.
            biased;
            value = self.inputs.recv() => value,
            () = self.input_end.cancelled() => None,
        }
    }

    /// A record, once there is room for it.
    pub(super) async fn record(&self, kind: MessageType, value: &Value) -> Result<(), Gone> {
        // An output of null has no body.
        let body = if *value == Value::Nil { RecordBody::new(Vec::new()) } else { RecordBody::encode(value) };
        self.room().await;
        let sent = self.pool.state.lock().server.record(self.id, kind, body);
        self.pool.changed.notify_waiters();
        sent.map_err(|_ended| Gone)
    }

    /// A call to the host, once there is room for it.
    pub(super) async fn call(&self, call: &HostCall, answer: Answer) -> Result<(), Gone> {
        self.room().await;
        let sent = self.pool.state.lock().server.host_call(Some(self.id), call, answer);
        self.pool.changed.notify_waiters();
        sent.map_err(|_ended| Gone)
    }

    /// The answer to a call.
    pub(super) async fn answer(&mut self, call: i64) -> Result<HostResult, Gone> {
        loop {
            let response = self.answered.recv().await.ok_or(Gone)?;
            if response.call == call {
                return Ok(response.result);
            }
        }
    }

    /// The final state.
    pub(super) fn finish(&self, stated: &Stated<PipelineState>) {
        self.pool.finish(self.id, stated);
    }

    async fn room(&self) {
        loop {
            let changed = self.pool.changed.notified();
            if self.pool.state.lock().server.waiting(Some(self.id)) < OUTPUT {
                return;
            }
            changed.await;
        }
    }
}

/// Bytes whose base64 fits into an envelope.
fn room(envelope: usize) -> usize {
    envelope.saturating_sub(ENVELOPE_ROOM).checked_div(4).unwrap_or(0).saturating_mul(3).max(1024)
}

fn broken<E>(_error: E) -> Fault {
    Fault::invalid_parameter("The message does not follow the protocol.")
}

/// What the target says of itself: the debugger's keys as well, which real ones have.
fn private() -> Value {
    let dictionary = |entries: Vec<(Value, Value)>| {
        let types =
            ["System.Management.Automation.PSPrimitiveDictionary", "System.Collections.Hashtable", "System.Object"];
        Value::object(Object {
            types: Some(types.iter().map(|&name| name.to_owned()).collect()),
            content: Content::Dictionary(entries),
            ..Object::default()
        })
    };
    let version = |text: &str| Value::Version(text.to_owned());
    let entry = |key: &str, value: Value| (Value::text(key), value);
    let table = dictionary(vec![
        entry("PSVersion", version("7.6.9")),
        entry("PSEdition", Value::text("Core")),
        entry("Platform", Value::text("Unix")),
        entry("OS", Value::text("Sekisho demo")),
        entry("WSManStackVersion", version("3.0")),
        entry("PSRemotingProtocolVersion", version("2.3")),
        entry("SerializationVersion", version("1.1.0.1")),
    ]);
    private_data(vec![
        entry("PSVersionTable", table),
        entry("DebugMode", Value::int(1)),
        entry("DebugStop", Value::Bool(false)),
        entry("BreakAll", Value::Bool(false)),
        entry("DebugBreakpointCount", Value::int(0)),
        entry("UnhandledBreakpointMode", Value::int(1)),
    ])
}
