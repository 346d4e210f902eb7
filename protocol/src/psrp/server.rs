//! The server of a pool: what the gateway is for a client, \[MS-PSRP\] 3.2.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use super::channel::{Expected, Inbox, Outbox, Stream};
use super::command::CreatePipeline;
use super::host::HostInfo;
use super::host_call::{HostCall, HostMethod, HostResponse};
use super::message::{Destination, Message, MessageType};
use super::pool::{
    GetCommandMetadata, InitRunspacePool, PipelineState, PoolState, ProtocolVersion, SessionCapability, Stated,
    availability, call_id,
};
use super::record::RecordBody;
use crate::Result;
use crate::clixml::Value;
use crate::error::{LimitExceeded, Misuse, PeerMisbehaved, Unsupported};
use crate::limits::{PSRP_HOST_CALLS, PSRP_PIPELINES, PSRP_POOL_ANSWERS, PSRP_SESSION_KEYS};

/// What a client did.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerEvent {
    /// A pipeline is complete, and nothing of it has run.
    Pipeline {
        /// Its id.
        id: Uuid,
        /// What is to run.
        request: CreatePipeline,
    },
    /// A question for commands.
    Metadata {
        /// Its id.
        id: Uuid,
        /// What is asked.
        request: GetCommandMetadata,
    },
    /// An object for a pipeline that takes input.
    Input {
        /// The pipeline.
        id: Uuid,
        /// The object, decoded.
        value: Value,
    },
    /// No object follows.
    EndOfInput {
        /// The pipeline.
        id: Uuid,
    },
    /// The answer to a call that is open.
    HostResponse {
        /// The pipeline; absent for the pool.
        id: Option<Uuid>,
        /// The answer.
        response: HostResponse,
    },
    /// PUBLIC_KEY: the client wants a session key, \[MS-PSRP\] 3.2.5.4.5.
    PublicKey {
        /// The key, base64 of a PUBLICKEYBLOB.
        key: String,
    },
}

/// What a pipeline may still be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Its first message is not complete.
    Opening,
    /// Objects may come.
    TakesInput,
    /// Nothing but answers may come.
    Running,
    /// Its final state was sent.
    Ended,
}

/// What the client was told of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Which version is spoken.
    Negotiated,
    /// That commands can be sent.
    Opened,
    /// That nothing follows.
    Closed,
}

/// One pool and its pipelines, as their server.
#[derive(Debug)]
pub struct PoolServer {
    pool: Uuid,
    stage: Stage,
    /// How often it has asked for a session key.
    keys: usize,
    protocol: ProtocolVersion,
    host: HostInfo,
    inbox: Inbox,
    outbox: Outbox,
    pipelines: HashMap<Uuid, Phase>,
    calls: HashMap<(Option<Uuid>, i64), HostMethod>,
    events: VecDeque<ServerEvent>,
    failed: Option<crate::Error>,
}

impl PoolServer {
    /// Opens a pool from the fragments of a Create: SESSION_CAPABILITY and INIT_RUNSPACEPOOL. The answers wait in
    /// the pool's stream: the capability, `private_data`, and the state, \[MS-PSRP\] 3.2.5.4.1 and 3.2.5.4.2.
    ///
    /// # Errors
    /// When there are other messages, a pool other than the shell's, or a version that is not served.
    pub fn open(pool: Uuid, creation: &[u8], private_data: &Value, fragment_size: usize) -> Result<Self> {
        let mut server = Self::negotiate(pool, creation, fragment_size)?;
        server.opened(private_data);
        Ok(server)
    }

    /// The first half of [`Self::open`]: reads what a Create carries, and answers the capability alone.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn negotiate(pool: Uuid, creation: &[u8], fragment_size: usize) -> Result<Self> {
        let mut inbox = Inbox::default();
        let expected = Expected { destination: Destination::Server, pool };
        let messages = inbox.receive(expected, None, Stream::Main, creation)?;
        let [capability, init] = messages.as_slice() else {
            return Err(PeerMisbehaved::OutOfOrder.into());
        };
        if capability.header.kind != MessageType::SessionCapability || init.header.kind != MessageType::InitRunspacePool
        {
            return Err(PeerMisbehaved::OutOfOrder.into());
        }
        let capability = SessionCapability::decode(&capability.value()?)?;
        let init = InitRunspacePool::decode(&init.value()?)?;
        let mut outbox = Outbox::new(Destination::Client, pool, fragment_size)?;
        let ours = SessionCapability { protocol: capability.protocol.min(ProtocolVersion::V2_3) };
        outbox.send(None, MessageType::SessionCapability, &ours.encode());
        Ok(Self {
            pool,
            stage: Stage::Negotiated,
            keys: 0,
            protocol: ours.protocol,
            host: init.host,
            inbox,
            outbox,
            pipelines: HashMap::new(),
            calls: HashMap::new(),
            events: VecDeque::new(),
            failed: None,
        })
    }

    /// The second half of [`Self::open`]: `private_data`, and that commands can be sent.
    pub fn opened(&mut self, private_data: &Value) {
        self.outbox.send(None, MessageType::ApplicationPrivateData, private_data);
        self.pool_state(&Stated { state: PoolState::Opened, error: None });
    }

    /// Asks the client for a session key, \[MS-PSRP\] 3.2.5.4.7.
    pub fn request_key(&mut self) {
        self.outbox.send(None, MessageType::PublicKeyRequest, &Value::text(""));
    }

    /// The version that both sides speak.
    #[must_use]
    pub fn protocol(&self) -> ProtocolVersion {
        self.protocol
    }

    /// The client's host.
    #[must_use]
    pub fn host(&self) -> &HostInfo {
        &self.host
    }

    /// A Command: a new pipeline with the first fragments of what it is.
    ///
    /// # Errors
    /// When the id is taken, there are too many, or the pool is not open.
    pub fn command(&mut self, id: Uuid, piece: &[u8]) -> Result<()> {
        self.guarded(|server| {
            if server.stage != Stage::Opened || id.is_nil() || server.pipelines.contains_key(&id) {
                return Err(PeerMisbehaved::OutOfOrder.into());
            }
            if PSRP_PIPELINES <= server.pipelines.len() {
                return Err(LimitExceeded::InFlight.into());
            }
            server.pipelines.insert(id, Phase::Opening);
            server.take(Some(id), Stream::Main, piece)
        })
    }

    /// A Send: what follows on a stream.
    ///
    /// # Errors
    /// When it breaks the protocol. What has failed stays failed.
    pub fn receive(&mut self, pipeline: Option<Uuid>, stream: Stream, piece: &[u8]) -> Result<()> {
        self.guarded(|server| match pipeline {
            Some(id) if !server.pipelines.contains_key(&id) => Err(PeerMisbehaved::OutOfOrder.into()),
            Some(_) | None => server.take(pipeline, stream, piece),
        })
    }

    /// What the client did next.
    pub fn next_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// Sends a message of a pipeline whose body was encoded elsewhere: output and the records of streams.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] when the pipeline has ended, or this type of message is not one of these.
    pub fn record(&mut self, id: Uuid, kind: MessageType, body: RecordBody) -> Result<()> {
        // A client of an older version does not know this one.
        if kind == MessageType::InformationRecord && self.protocol < ProtocolVersion::V2_3 {
            return Ok(());
        }
        if !kind.is_record() || !self.runs(id) {
            return Err(Misuse::WrongState.into());
        }
        self.outbox.send_encoded(Some(id), kind, body);
        Ok(())
    }

    /// Sends the state of a pipeline. A final one ends it.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] when it has ended.
    pub fn state(&mut self, id: Uuid, stated: &Stated<PipelineState>) -> Result<()> {
        if !self.runs(id) {
            return Err(Misuse::WrongState.into());
        }
        self.outbox.send(Some(id), MessageType::PipelineState, &stated.encode_pipeline());
        if stated.state.is_final() {
            self.pipelines.insert(id, Phase::Ended);
            self.calls.retain(|(pipeline, _), _| *pipeline != Some(id));
        }
        Ok(())
    }

    /// Sends a call to the client's host. One that wants an answer is open until it comes.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] when the pipeline has ended; [`LimitExceeded::InFlight`] when too many are open.
    pub fn host_call(&mut self, id: Option<Uuid>, call: &HostCall, answer: Answer) -> Result<()> {
        if id.is_some_and(|id| !self.runs(id)) {
            return Err(Misuse::WrongState.into());
        }
        if answer == Answer::Wanted {
            if PSRP_HOST_CALLS <= self.calls.len() {
                return Err(LimitExceeded::InFlight.into());
            }
            if self.calls.insert((id, call.call), call.method).is_some() {
                return Err(Misuse::WrongState.into());
            }
        }
        let kind = if id.is_some() { MessageType::PipelineHostCall } else { MessageType::RunspacePoolHostCall };
        self.outbox.send(id, kind, &call.encode());
        Ok(())
    }

    /// Sends the session key, sealed under the client's public key.
    pub fn session_key(&mut self, sealed: &str) {
        let body = Value::object(crate::clixml::Object::of_members([("EncryptedSessionKey", Value::text(sealed))]));
        self.outbox.send(None, MessageType::EncryptedSessionKey, &body);
    }

    /// Sends the state of the pool.
    pub fn pool_state(&mut self, stated: &Stated<PoolState>) {
        self.stage = match stated.state {
            PoolState::Opened => Stage::Opened,
            PoolState::Closed | PoolState::Broken => Stage::Closed,
            PoolState::Closing | PoolState::NegotiationSucceeded => self.stage,
        };
        self.outbox.send(None, MessageType::RunspacePoolState, &stated.encode_pool());
    }

    /// The next fragments for a Receive, at most `room` bytes unless the first alone is larger.
    pub fn take_output(&mut self, pipeline: Option<Uuid>, room: usize) -> Option<Vec<u8>> {
        self.outbox.take(pipeline, Stream::Main, room)
    }

    /// Bytes that wait for a Receive: who fills it watches this.
    #[must_use]
    pub fn waiting(&self, pipeline: Option<Uuid>) -> usize {
        self.outbox.waiting(pipeline)
    }

    /// Forgets a pipeline that was terminated.
    pub fn forget(&mut self, id: Uuid) {
        self.pipelines.remove(&id);
        self.inbox.forget(id);
        self.outbox.forget(id);
        self.calls.retain(|(pipeline, _), _| *pipeline != Some(id));
    }

    fn runs(&self, id: Uuid) -> bool {
        self.pipelines.get(&id).is_some_and(|phase| *phase != Phase::Ended)
    }

    fn guarded(&mut self, step: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let result = step(self);
        if let Err(error) = result {
            self.failed = Some(error);
            self.events.clear();
        }
        result
    }

    fn take(&mut self, pipeline: Option<Uuid>, stream: Stream, piece: &[u8]) -> Result<()> {
        // What was under way when the pool was closed is no fault of the client's.
        if self.stage == Stage::Closed {
            return Ok(());
        }
        let expected = Expected { destination: Destination::Server, pool: self.pool };
        for message in self.inbox.receive(expected, pipeline, stream, piece)? {
            match message.header.pipeline {
                id if id.is_nil() => self.pool_message(stream, &message)?,
                id => self.pipeline_message(id, stream, &message)?,
            }
        }
        Ok(())
    }

    fn pipeline_message(&mut self, id: Uuid, stream: Stream, message: &Message) -> Result<()> {
        let phase = self.pipelines.get(&id).copied().ok_or(PeerMisbehaved::Unrelated)?;
        match (message.header.kind, stream, phase) {
            (MessageType::CreatePipeline, Stream::Main, Phase::Opening) => {
                let request = CreatePipeline::decode(&message.value()?)?;
                let next = if request.no_input { Phase::Running } else { Phase::TakesInput };
                self.pipelines.insert(id, next);
                self.events.push_back(ServerEvent::Pipeline { id, request });
            }
            (MessageType::GetCommandMetadata, Stream::Main, Phase::Opening) => {
                let request = GetCommandMetadata::decode(&message.value()?)?;
                self.pipelines.insert(id, Phase::Running);
                self.events.push_back(ServerEvent::Metadata { id, request });
            }
            (MessageType::PipelineInput, Stream::Main, Phase::TakesInput) => {
                let value = message.value()?;
                self.events.push_back(ServerEvent::Input { id, value });
            }
            (MessageType::EndOfPipelineInput, Stream::Main, Phase::TakesInput) => {
                if !message.body.is_empty() {
                    return Err(PeerMisbehaved::TrailingBytes.into());
                }
                self.pipelines.insert(id, Phase::Running);
                self.events.push_back(ServerEvent::EndOfInput { id });
            }
            // What was under way when the pipeline ended is no fault of the client's.
            (MessageType::PipelineInput | MessageType::EndOfPipelineInput, Stream::Main, Phase::Ended)
            | (MessageType::PipelineHostResponse, Stream::PromptResponse, Phase::Ended) => {}
            (MessageType::PipelineHostResponse, Stream::PromptResponse, Phase::TakesInput | Phase::Running) => {
                self.host_response(Some(id), message)?;
            }
            _ => return Err(PeerMisbehaved::OutOfOrder.into()),
        }
        Ok(())
    }

    fn pool_message(&mut self, stream: Stream, message: &Message) -> Result<()> {
        match (message.header.kind, stream) {
            (MessageType::RunspacePoolHostResponse, Stream::PromptResponse) => self.host_response(None, message),
            (MessageType::PublicKey, Stream::Main) => {
                self.keys = self.keys.saturating_add(1);
                if PSRP_SESSION_KEYS < self.keys {
                    return Err(LimitExceeded::Items.into());
                }
                let key = super::members::public_key(&message.value()?)?;
                self.events.push_back(ServerEvent::PublicKey { key });
                Ok(())
            }
            // The number of runspaces is the gateway's affair, and what one holds the target's: nothing changes, and
            // a client is told so.
            (
                MessageType::SetMaxRunspaces | MessageType::SetMinRunspaces | MessageType::ResetRunspaceState,
                Stream::Main,
            ) => self.answer(message, Value::Bool(false)),
            (MessageType::GetAvailableRunspaces, Stream::Main) => {
                let busy = self.pipelines.values().any(|phase| *phase != Phase::Ended);
                self.answer(message, Value::int(i32::from(!busy)))
            }
            (MessageType::ConnectRunspacePool, Stream::Main) => Err(Unsupported::Disconnection.into()),
            _ => Err(PeerMisbehaved::OutOfOrder.into()),
        }
    }

    /// Answers a question about runspaces. Who asks without fetching the answers is stopped.
    fn answer(&mut self, question: &Message, response: Value) -> Result<()> {
        if PSRP_POOL_ANSWERS < self.outbox.waiting(None) {
            return Err(LimitExceeded::Output.into());
        }
        let answer = availability(call_id(&question.value()?)?, response);
        self.outbox.send(None, MessageType::RunspaceAvailability, &answer);
        Ok(())
    }

    /// Only calls that are open are answered, each once, by the same method.
    fn host_response(&mut self, id: Option<Uuid>, message: &Message) -> Result<()> {
        let response = HostResponse::decode(&message.value()?)?;
        match self.calls.remove(&(id, response.call)) {
            Some(method) if method == response.method => {
                self.events.push_back(ServerEvent::HostResponse { id, response });
                Ok(())
            }
            Some(_) | None => Err(PeerMisbehaved::Unrelated.into()),
        }
    }
}

/// Whether a call wants an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It does.
    Wanted,
    /// It does not.
    None,
}
