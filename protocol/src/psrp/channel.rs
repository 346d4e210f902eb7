//! What both machines share: streams in, fragments out.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use super::fragment::{Cutting, Defragmenter, Fragmenter, Object};
use super::message::{Destination, Message, MessageHeader, MessageType};
use super::record::RecordBody;
use crate::Result;
use crate::clixml::Value;
use crate::error::{LimitExceeded, PeerMisbehaved};
use crate::limits::{PSRP_PIPELINES, PSRP_UNFINISHED};

/// A stream of a shell or of one of its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// `stdin` towards the server, `stdout` towards the client.
    Main,
    /// `pr`: answers to host calls.
    PromptResponse,
}

/// Puts together what arrives on each stream, and checks whom it is for.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    channels: HashMap<(Option<Uuid>, Stream), Defragmenter>,
    /// Bytes of objects that are not complete, on all of them.
    unfinished: usize,
}

/// Whose messages are taken in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) destination: Destination,
    pub(super) pool: Uuid,
}

impl Inbox {
    /// The messages that a piece completes.
    pub(super) fn receive(
        &mut self,
        expected: Expected,
        pipeline: Option<Uuid>,
        stream: Stream,
        piece: &[u8],
    ) -> Result<Vec<Message>> {
        if !self.channels.contains_key(&(pipeline, stream)) && PSRP_PIPELINES.saturating_mul(2) < self.channels.len() {
            return Err(LimitExceeded::InFlight.into());
        }
        let channel = self.channels.entry((pipeline, stream)).or_default();
        let others = self.unfinished.saturating_sub(channel.unfinished());
        let objects = channel.receive(piece)?;
        self.unfinished = others.saturating_add(channel.unfinished());
        if PSRP_UNFINISHED < self.unfinished {
            return Err(LimitExceeded::MessageSize.into());
        }
        let read = |object: Object| {
            let message = Message::decode(object)?;
            check(&message.header, expected, (pipeline, stream))?;
            Ok(message)
        };
        objects.into_iter().map(read).collect()
    }

    pub(super) fn forget(&mut self, pipeline: Uuid) {
        self.channels.retain(|(known, _), _| *known != Some(pipeline));
        self.unfinished = self.channels.values().map(Defragmenter::unfinished).sum();
    }
}

/// PowerShell's server names no pool in what it says before the pool is known, and with the session key.
fn check(header: &MessageHeader, expected: Expected, came_on: (Option<Uuid>, Stream)) -> Result<()> {
    if header.destination != expected.destination {
        return Err(PeerMisbehaved::WrongDirection.into());
    }
    let nameless = header.pool.is_nil()
        && matches!(
            header.kind,
            MessageType::SessionCapability | MessageType::EncryptedSessionKey | MessageType::PublicKeyRequest
        );
    let named = header.pool == expected.pool || (nameless && expected.destination == Destination::Client);
    if !named {
        return Err(PeerMisbehaved::WrongPool.into());
    }
    let (pipeline, stream) = came_on;
    // pypsrp answers every call on the pool's stream; calls are found by the pipeline that the message names.
    let answers_there = (None, Stream::PromptResponse, MessageType::PipelineHostResponse);
    let right = header.pipeline == pipeline.unwrap_or_default() || (pipeline, stream, header.kind) == answers_there;
    if right { Ok(()) } else { Err(PeerMisbehaved::WrongPipeline.into()) }
}

/// Messages that wait to be fetched or sent, for each stream in order.
#[derive(Debug)]
pub(super) struct Outbox {
    destination: Destination,
    pool: Uuid,
    fragmenter: Fragmenter,
    queues: HashMap<(Option<Uuid>, Stream), Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    objects: VecDeque<Cutting>,
    /// Bytes of their fragments.
    waiting: usize,
}

impl Outbox {
    pub(super) fn new(destination: Destination, pool: Uuid, fragment_size: usize) -> Result<Self> {
        Ok(Self { destination, pool, fragmenter: Fragmenter::new(fragment_size)?, queues: HashMap::new() })
    }

    pub(super) fn send(&mut self, pipeline: Option<Uuid>, kind: MessageType, body: &Value) {
        self.send_encoded(pipeline, kind, RecordBody::encode(body));
    }

    /// A body that was encoded elsewhere.
    pub(super) fn send_encoded(&mut self, pipeline: Option<Uuid>, kind: MessageType, body: RecordBody) {
        let header = MessageHeader {
            destination: self.destination,
            kind,
            pool: self.pool,
            pipeline: pipeline.unwrap_or_default(),
        };
        let answers_call = matches!(kind, MessageType::PipelineHostResponse | MessageType::RunspacePoolHostResponse);
        let stream = if answers_call { Stream::PromptResponse } else { Stream::Main };
        let object = self.fragmenter.begin(Message { header, body }.encode());
        let queue = self.queues.entry((pipeline, stream)).or_default();
        queue.waiting = queue.waiting.saturating_add(object.waiting());
        queue.objects.push_back(object);
    }

    /// The next fragments of a stream, as many as fit into `room` bytes; the first one in any case.
    pub(super) fn take(&mut self, pipeline: Option<Uuid>, stream: Stream, room: usize) -> Option<Vec<u8>> {
        let queue = self.queues.get_mut(&(pipeline, stream))?;
        let mut taken = Vec::with_capacity(if queue.objects.is_empty() { 0 } else { queue.waiting.min(room) });
        while let Some(object) = queue.objects.front_mut() {
            match object.next_length() {
                Some(next) if taken.is_empty() || taken.len().saturating_add(next) <= room => object.take(&mut taken),
                Some(_) => break,
                None => {
                    queue.objects.pop_front();
                }
            }
        }
        queue.waiting = queue.waiting.saturating_sub(taken.len());
        Some(taken).filter(|taken| !taken.is_empty())
    }

    /// Bytes that wait on the streams of a pipeline or of the pool.
    pub(super) fn waiting(&self, pipeline: Option<Uuid>) -> usize {
        let of = |stream| self.queues.get(&(pipeline, stream)).map_or(0, |queue| queue.waiting);
        of(Stream::Main).saturating_add(of(Stream::PromptResponse))
    }

    pub(super) fn forget(&mut self, pipeline: Uuid) {
        self.queues.retain(|(known, _), _| *known != Some(pipeline));
    }
}
