//! The target's pools and their pipelines. Output is made as it is fetched, so that none of it waits.

use super::output::Output;
use crate::Outcome;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::psrp::{MessageType, PipelineState, PoolServer, ServerEvent, Stated, Stream, private_data};
use sekisho_protocol::soap::Fault;
use sekisho_protocol::wsman::{
    CommandId, CommandState, Compression, CreateShell, ReceiveResponse, Request, RequestBody, ResponseBody,
    ShellDetails, ShellId, SignalCode, StreamChunk, decode_request, encode_fault, encode_response,
};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Bytes of a fragment, as PowerShell cuts them.
const FRAGMENT: usize = 32 * 1024;
/// Bytes of an answer around its stream.
const ENVELOPE_ROOM: usize = 4096;
/// How long a poll waits that names no time.
const POLL: Duration = Duration::from_secs(20);

/// All pools.
#[derive(Default)]
pub(super) struct Pools(Mutex<HashMap<ShellId, Arc<Pool>>>);

struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    server: PoolServer,
    running: HashMap<Uuid, Running>,
    closed: bool,
}

struct Running {
    output: Option<Output>,
    ended: bool,
}

impl Pools {
    /// The status and the document.
    pub(super) fn answer(&self, xml: &[u8]) -> (u16, String) {
        let (relates_to, served) = match decode_request(xml) {
            Ok(request) => (request.header.message_id.clone(), self.serve(request)),
            Err(refused) => (refused.relates_to, Err(refused.fault)),
        };
        match served {
            Ok(body) => (200, encode_response(relates_to.as_ref(), Uuid::new_v4(), &body)),
            Err(fault) => (500, encode_fault(relates_to.as_ref(), Uuid::new_v4(), &fault)),
        }
    }

    fn serve(&self, request: Request) -> Result<ResponseBody, Fault> {
        if let RequestBody::Create(create) = &request.body {
            return self.open(&request, create).map_err(|_error| Fault::invalid_parameter("This opens no pool."));
        }
        let id = request.header.shell.ok_or_else(Fault::no_such_shell)?;
        let pool = lock(&self.0).get(&id).cloned().ok_or_else(Fault::no_such_shell)?;
        if request.body == RequestBody::Delete {
            lock(&self.0).remove(&id);
            lock(&pool.state).closed = true;
            pool.changed.notify_all();
            return Ok(ResponseBody::Delete);
        }
        pool.serve(request.body, request.header.max_envelope_size, request.header.operation_timeout)
    }

    fn open(&self, request: &Request, create: &CreateShell) -> Outcome<ResponseBody> {
        let id = create.shell_id.ok_or("no id")?;
        let creation = STANDARD.decode(create.creation_xml.as_deref().unwrap_or_default())?;
        let fragment = FRAGMENT.min(room(request.header.max_envelope_size));
        let server = PoolServer::open(id.uuid(), &creation, &private_data(Vec::new()), fragment)?;
        let state = Mutex::new(State { server, running: HashMap::new(), closed: false });
        lock(&self.0).insert(id, Arc::new(Pool { state, changed: Condvar::new() }));
        Ok(ResponseBody::Created(ShellDetails {
            shell_id: id,
            address: request.header.to.clone(),
            resource_uri: request.header.resource.uri().into_owned(),
            owner: "bench".to_owned(),
            client_ip: Ipv4Addr::LOCALHOST.to_string(),
            idle_timeout: Duration::from_secs(7200),
            input_streams: vec!["stdin".to_owned(), "pr".to_owned()],
            output_streams: vec!["stdout".to_owned()],
            compression: Compression::None,
            run_time: Duration::ZERO,
            inactivity: Duration::ZERO,
        }))
    }
}

impl Pool {
    fn serve(&self, body: RequestBody, envelope: usize, wait: Option<Duration>) -> Result<ResponseBody, Fault> {
        let broken = |_error| Fault::invalid_parameter("The message does not follow the protocol.");
        match body {
            RequestBody::Command(line) => {
                let id = line.command_id.ok_or_else(Fault::action_not_supported)?;
                let piece = STANDARD.decode(line.arguments.concat()).unwrap_or_default();
                let mut state = lock(&self.state);
                state.running.insert(id.uuid(), Running { output: None, ended: false });
                state.server.command(id.uuid(), &piece).map_err(broken)?;
                self.events(&mut state);
                Ok(ResponseBody::Command { command_id: id })
            }
            RequestBody::Send(streams) => {
                let mut state = lock(&self.state);
                for stream in streams {
                    let kind = if stream.stream == "pr" { Stream::PromptResponse } else { Stream::Main };
                    let of = stream.command_id.map(|id| id.uuid());
                    state.server.receive(of, kind, &stream.data).map_err(broken)?;
                    self.events(&mut state);
                }
                Ok(ResponseBody::Send)
            }
            RequestBody::Receive { command_id, .. } => self.receive(command_id, envelope, wait.unwrap_or(POLL)),
            RequestBody::Signal { command_id, signal } => {
                let mut state = lock(&self.state);
                let id = command_id.map(|id| id.uuid()).unwrap_or_default();
                match signal {
                    SignalCode::CtrlC | SignalCode::CtrlBreak | SignalCode::PowerShellCtrlC => {
                        let _late = state.server.state(id, &Stated { state: PipelineState::Stopped, error: None });
                        state.running.insert(id, Running { output: None, ended: true });
                    }
                    SignalCode::Terminate | SignalCode::Other => {
                        state.server.forget(id);
                        state.running.remove(&id);
                    }
                }
                self.changed.notify_all();
                Ok(ResponseBody::Signal)
            }
            RequestBody::Delete
            | RequestBody::Identify
            | RequestBody::Create(_)
            | RequestBody::Get
            | RequestBody::Other => Err(Fault::action_not_supported()),
        }
    }

    fn events(&self, state: &mut State) {
        while let Some(event) = state.server.next_event() {
            // The commands of this target take no input and ask nothing.
            if let ServerEvent::Pipeline { id, request } = event {
                state.running.insert(id, Running { output: Some(Output::of(&request)), ended: false });
            }
        }
        self.changed.notify_all();
    }

    fn receive(&self, of: Option<CommandId>, envelope: usize, wait: Duration) -> Result<ResponseBody, Fault> {
        let begun = Instant::now();
        let id = of.map(|id| id.uuid());
        let mut state = lock(&self.state);
        loop {
            if state.closed || id.is_some_and(|id| !state.running.contains_key(&id)) {
                return Err(Fault::no_such_shell());
            }
            let (data, done) = state.fetch(id, room(envelope));
            if data.is_some() || done {
                let chunk = |data| StreamChunk { stream: "stdout".to_owned(), data, end: false };
                let now = if done { CommandState::Done { exit_code: 0 } } else { CommandState::Running };
                let streams = data.map(chunk).into_iter().collect();
                return Ok(ResponseBody::Receive(ReceiveResponse { command_id: of, streams, state: of.map(|_| now) }));
            }
            let left = wait.checked_sub(begun.elapsed()).ok_or_else(Fault::timed_out)?;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    /// The next piece, and whether it is the last one.
    fn fetch(&mut self, of: Option<Uuid>, room: usize) -> (Option<Vec<u8>>, bool) {
        let Self { server, running, .. } = self;
        let running = of.and_then(|id| running.get_mut(&id).map(|running| (id, running)));
        let Some((id, running)) = running else { return (server.take_output(of, room), false) };
        while let Some(output) = &mut running.output {
            if room <= server.waiting(of) {
                break;
            }
            // What was terminated takes nothing any more, which is no fault here.
            match output.next() {
                Some(body) => {
                    let _late = server.record(id, MessageType::PipelineOutput, body);
                }
                None => {
                    let _late = server.state(id, &Stated { state: PipelineState::Completed, error: None });
                    *running = Running { output: None, ended: true };
                }
            }
        }
        let data = server.take_output(of, room);
        (data, running.ended && server.waiting(of) == 0)
    }
}

/// Bytes whose base64 fits into an envelope.
fn room(envelope: usize) -> usize {
    (envelope.saturating_sub(ENVELOPE_ROOM) / 4).saturating_mul(3).max(1024)
}

/// A thread that has panicked has said so.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
