//! The client of a pool: what the gateway is for a target, \[MS-PSRP\] 3.1. The target may be hostile.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use super::channel::{Expected, Inbox, Outbox, Stream};
use super::command::CreatePipeline;
use super::host_call::{HostCall, HostResponse};
use super::message::{Destination, Message, MessageType};
use super::pool::{
    InitRunspacePool, PipelineState, PoolState, ProtocolVersion, SessionCapability, Stated, without_debugger,
};
use super::record::RecordBody;
use crate::Result;
use crate::clixml::{Object, Value};
use crate::error::{LimitExceeded, Misuse, PeerMisbehaved, Unsupported};
use crate::limits::{PSRP_PIPELINES, PSRP_POOL_ANSWERS, PSRP_SESSION_KEYS};

/// What a target did.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientEvent {
    /// APPLICATION_PRIVATE_DATA without the debugger's keys.
    PrivateData(Value),
    /// The pool is open.
    Opened,
    /// The pool has ended or failed.
    Closed(Stated<PoolState>),
    /// Output or a record of a stream; its body was not decoded.
    Record {
        /// The pipeline.
        id: Uuid,
        /// Which stream.
        kind: MessageType,
        /// As it came.
        body: RecordBody,
    },
    /// The state of a pipeline.
    State {
        /// The pipeline.
        id: Uuid,
        /// Its state.
        stated: Stated<PipelineState>,
    },
    /// A call to the host.
    HostCall {
        /// The pipeline; absent for the pool.
        id: Option<Uuid>,
        /// The call.
        call: HostCall,
    },
    /// ENCRYPTED_SESSION_KEY: base64 of a SIMPLEBLOB.
    SessionKey(String),
    /// PUBLIC_KEY_REQUEST: the target wants a session key.
    PublicKeyRequest,
}

/// How far the opening is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// The capability has not come.
    Started,
    /// The capability has come.
    Negotiated,
    /// Commands can be sent.
    Opened,
    /// Nothing follows.
    Closed,
}

/// One pool and its pipelines, as their client.
#[derive(Debug)]
pub struct PoolClient {
    pool: Uuid,
    protocol: ProtocolVersion,
    inbox: Inbox,
    outbox: Outbox,
    opening: Opening,
    /// Session keys that were asked for and have not come.
    keys_awaited: usize,
    /// How often the target has asked for one.
    keys_wanted: usize,
    /// Whether the pipeline still runs.
    pipelines: HashMap<Uuid, bool>,
    events: VecDeque<ClientEvent>,
    failed: Option<crate::Error>,
}

impl PoolClient {
    /// A pool to be opened; what a Create carries waits in the pool's stream.
    ///
    /// # Errors
    /// [`Misuse::ChunkSize`].
    pub fn new(pool: Uuid, init: &InitRunspacePool, fragment_size: usize) -> Result<Self> {
        let mut outbox = Outbox::new(Destination::Server, pool, fragment_size)?;
        let capability = SessionCapability { protocol: ProtocolVersion::V2_3 };
        outbox.send(None, MessageType::SessionCapability, &capability.encode());
        outbox.send(None, MessageType::InitRunspacePool, &init.encode());
        Ok(Self {
            pool,
            protocol: ProtocolVersion::V2_3,
            inbox: Inbox::default(),
            outbox,
            opening: Opening::Started,
            keys_awaited: 0,
            keys_wanted: 0,
            pipelines: HashMap::new(),
            events: VecDeque::new(),
            failed: None,
        })
    }

    /// The version that both sides speak, once the target has answered.
    #[must_use]
    pub fn protocol(&self) -> ProtocolVersion {
        self.protocol
    }

    /// Starts a pipeline; its fragments wait in its stream: the first for the Command, the rest for Sends.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] when the pool is not open or the id is taken; [`LimitExceeded::InFlight`].
    pub fn create_pipeline(&mut self, id: Uuid, request: &CreatePipeline) -> Result<()> {
        if self.opening != Opening::Opened || id.is_nil() || self.pipelines.contains_key(&id) {
            return Err(Misuse::WrongState.into());
        }
        if PSRP_PIPELINES <= self.pipelines.len() {
            return Err(LimitExceeded::InFlight.into());
        }
        self.pipelines.insert(id, true);
        self.outbox.send(Some(id), MessageType::CreatePipeline, &request.encode());
        Ok(())
    }

    /// Sends an object to a pipeline that takes input.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] when it has ended.
    pub fn input(&mut self, id: Uuid, value: &Value) -> Result<()> {
        self.running(id)?;
        self.outbox.send(Some(id), MessageType::PipelineInput, value);
        Ok(())
    }

    /// No object follows.
    ///
    /// # Errors
    /// As [`Self::input`].
    pub fn end_of_input(&mut self, id: Uuid) -> Result<()> {
        self.running(id)?;
        self.outbox.send_encoded(Some(id), MessageType::EndOfPipelineInput, RecordBody::new(Vec::new()));
        Ok(())
    }

    /// Answers a call to the host.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] when its pipeline has ended.
    pub fn host_response(&mut self, id: Option<Uuid>, response: &HostResponse) -> Result<()> {
        if let Some(id) = id {
            self.running(id)?;
        }
        // A target that asks and takes no answers.
        if PSRP_POOL_ANSWERS < self.outbox.waiting(id) {
            return Err(LimitExceeded::InFlight.into());
        }
        let kind = if id.is_some() { MessageType::PipelineHostResponse } else { MessageType::RunspacePoolHostResponse };
        self.outbox.send(id, kind, &response.encode());
        Ok(())
    }

    /// Sends a public key, base64 of a PUBLICKEYBLOB, for a session key.
    pub fn public_key(&mut self, key: &str) {
        let body = Value::object(Object::of_members([("PublicKey", Value::text(key))]));
        self.outbox.send(None, MessageType::PublicKey, &body);
        self.keys_awaited = self.keys_awaited.saturating_add(1);
    }

    /// What a Receive has brought.
    ///
    /// # Errors
    /// When it breaks the protocol. What has failed stays failed.
    pub fn receive(&mut self, pipeline: Option<Uuid>, piece: &[u8]) -> Result<()> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let result = self.take(pipeline, piece);
        if let Err(error) = result {
            self.failed = Some(error);
            self.events.clear();
        }
        result
    }

    /// What the target did next.
    pub fn next_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// The next fragments for a stream, at most `room` bytes unless the first alone is larger.
    pub fn take_output(&mut self, pipeline: Option<Uuid>, stream: Stream, room: usize) -> Option<Vec<u8>> {
        self.outbox.take(pipeline, stream, room)
    }

    /// Forgets a pipeline that was terminated.
    pub fn forget(&mut self, id: Uuid) {
        self.pipelines.remove(&id);
        self.inbox.forget(id);
        self.outbox.forget(id);
    }

    fn running(&self, id: Uuid) -> Result<()> {
        if self.pipelines.get(&id) == Some(&true) { Ok(()) } else { Err(Misuse::WrongState.into()) }
    }

    fn take(&mut self, pipeline: Option<Uuid>, piece: &[u8]) -> Result<()> {
        if pipeline.is_some_and(|id| !self.pipelines.contains_key(&id)) {
            return Err(PeerMisbehaved::Unrelated.into());
        }
        let expected = Expected { destination: Destination::Client, pool: self.pool };
        for message in self.inbox.receive(expected, pipeline, Stream::Main, piece)? {
            match pipeline {
                Some(id) => self.pipeline_message(id, message)?,
                None => self.pool_message(&message)?,
            }
        }
        Ok(())
    }

    fn pool_message(&mut self, message: &Message) -> Result<()> {
        match (message.header.kind, self.opening) {
            (MessageType::SessionCapability, Opening::Started) => {
                let capability = SessionCapability::decode(&message.value()?)?;
                self.protocol = capability.protocol.min(ProtocolVersion::V2_3);
                self.opening = Opening::Negotiated;
            }
            (MessageType::ApplicationPrivateData, Opening::Negotiated | Opening::Opened) => {
                self.events.push_back(ClientEvent::PrivateData(without_debugger(&message.value()?)?));
            }
            (MessageType::RunspacePoolState, Opening::Negotiated | Opening::Opened) => {
                self.pool_state(Stated::decode_pool(&message.value()?)?);
            }
            (MessageType::RunspacePoolInitData, Opening::Negotiated)
            | (MessageType::RunspaceAvailability | MessageType::UserEvent, Opening::Opened) => {}
            (MessageType::RunspacePoolHostCall, Opening::Negotiated | Opening::Opened) => {
                let call = HostCall::decode(&message.value()?)?;
                self.events.push_back(ClientEvent::HostCall { id: None, call });
            }
            (MessageType::EncryptedSessionKey, Opening::Opened) => {
                self.keys_awaited = self.keys_awaited.checked_sub(1).ok_or(PeerMisbehaved::Unrelated)?;
                let key = super::members::session_key(&message.value()?)?;
                self.events.push_back(ClientEvent::SessionKey(key));
            }
            (MessageType::PublicKeyRequest, Opening::Opened) => {
                self.keys_wanted = self.keys_wanted.saturating_add(1);
                if PSRP_SESSION_KEYS < self.keys_wanted {
                    return Err(LimitExceeded::Items.into());
                }
                self.events.push_back(ClientEvent::PublicKeyRequest);
            }
            // What was under way when it closed.
            (_, Opening::Closed) => {}
            _ => return Err(PeerMisbehaved::OutOfOrder.into()),
        }
        Ok(())
    }

    fn pool_state(&mut self, stated: Stated<PoolState>) {
        match stated.state {
            PoolState::Opened => {
                self.opening = Opening::Opened;
                self.events.push_back(ClientEvent::Opened);
            }
            PoolState::NegotiationSucceeded | PoolState::Closing => {}
            PoolState::Closed | PoolState::Broken => {
                self.opening = Opening::Closed;
                self.events.push_back(ClientEvent::Closed(stated));
            }
        }
    }

    fn pipeline_message(&mut self, id: Uuid, message: Message) -> Result<()> {
        let runs = self.pipelines.get(&id).copied().unwrap_or_default();
        if !runs {
            return Err(PeerMisbehaved::AfterEnd.into());
        }
        match (message.header.kind, id) {
            (MessageType::PipelineState, id) => {
                let stated = Stated::decode_pipeline(&message.value()?)?;
                // We never leave a pipeline alone, so that nobody else is to have it.
                if stated.state == PipelineState::Disconnected {
                    return Err(Unsupported::Disconnection.into());
                }
                if stated.state.is_final() {
                    self.pipelines.insert(id, false);
                }
                self.events.push_back(ClientEvent::State { id, stated });
            }
            (MessageType::PipelineHostCall, id) => {
                let call = HostCall::decode(&message.value()?)?;
                self.events.push_back(ClientEvent::HostCall { id: Some(id), call });
            }
            (kind, id) if kind.is_record() => {
                if message.body.is_empty() && kind != MessageType::PipelineOutput {
                    return Err(Unsupported::EmptyRecord.into());
                }
                self.events.push_back(ClientEvent::Record { id, kind, body: message.body });
            }
            _ => return Err(PeerMisbehaved::OutOfOrder.into()),
        }
        Ok(())
    }
}
