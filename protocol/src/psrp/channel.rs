//! What both machines share: streams in, fragments out.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use super::fragment::{Defragmenter, Fragmenter};
use super::message::{Destination, Message, MessageHeader, MessageType};
use crate::Result;
use crate::clixml::{self, Value};
use crate::error::{LimitExceeded, PeerMisbehaved};
use crate::limits::PSRP_PIPELINES;

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
        let objects = self.channels.entry((pipeline, stream)).or_default().receive(piece)?;
        let read = |object: &Vec<u8>| {
            let message = Message::decode(object)?;
            check(&message.header, expected, pipeline)?;
            Ok(message)
        };
        objects.iter().map(read).collect()
    }

    pub(super) fn forget(&mut self, pipeline: Uuid) {
        self.channels.retain(|(known, _), _| *known != Some(pipeline));
    }
}

/// PowerShell's server names no pool in what it says before the pool is known, and with the session key.
fn check(header: &MessageHeader, expected: Expected, pipeline: Option<Uuid>) -> Result<()> {
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
    if header.pipeline != pipeline.unwrap_or_default() {
        return Err(PeerMisbehaved::WrongPipeline.into());
    }
    Ok(())
}

/// Fragments that wait to be fetched or sent, for each stream in order.
#[derive(Debug)]
pub(super) struct Outbox {
    destination: Destination,
    pool: Uuid,
    fragmenter: Fragmenter,
    queues: HashMap<(Option<Uuid>, Stream), VecDeque<Vec<u8>>>,
}

impl Outbox {
    pub(super) fn new(destination: Destination, pool: Uuid, fragment_size: usize) -> Result<Self> {
        Ok(Self { destination, pool, fragmenter: Fragmenter::new(fragment_size)?, queues: HashMap::new() })
    }

    pub(super) fn send(&mut self, pipeline: Option<Uuid>, kind: MessageType, body: &Value) {
        self.send_encoded(pipeline, kind, clixml::encode(body).into_bytes());
    }

    /// A body that was encoded elsewhere.
    pub(super) fn send_encoded(&mut self, pipeline: Option<Uuid>, kind: MessageType, body: Vec<u8>) {
        let header = MessageHeader {
            destination: self.destination,
            kind,
            pool: self.pool,
            pipeline: pipeline.unwrap_or_default(),
        };
        let answers_call = matches!(kind, MessageType::PipelineHostResponse | MessageType::RunspacePoolHostResponse);
        let stream = if answers_call { Stream::PromptResponse } else { Stream::Main };
        let fragments = self.fragmenter.cut(&Message { header, body }.encode());
        self.queues.entry((pipeline, stream)).or_default().extend(fragments);
    }

    /// The next fragments of a stream, as many as fit into `room` bytes; the first one in any case.
    pub(super) fn take(&mut self, pipeline: Option<Uuid>, stream: Stream, room: usize) -> Option<Vec<u8>> {
        let queue = self.queues.get_mut(&(pipeline, stream))?;
        let mut taken = queue.pop_front()?;
        while let Some(next) = queue.front().filter(|next| taken.len().saturating_add(next.len()) <= room) {
            taken.extend_from_slice(next);
            queue.pop_front();
        }
        Some(taken)
    }

    /// Bytes that wait on the streams of a pipeline or of the pool.
    pub(super) fn waiting(&self, pipeline: Option<Uuid>) -> usize {
        let of = |stream| self.queues.get(&(pipeline, stream)).into_iter().flatten().map(Vec::len).sum::<usize>();
        of(Stream::Main).saturating_add(of(Stream::PromptResponse))
    }

    pub(super) fn forget(&mut self, pipeline: Uuid) {
        self.queues.retain(|(known, _), _| *known != Some(pipeline));
    }
}
