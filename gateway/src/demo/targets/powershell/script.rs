//! What a target that does wrong is told to say, and what every target has heard: for tests alone.

use crate::demo::targets::shell::Done;
use parking_lot::Mutex;
use sekisho_protocol::psrp::Stream;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::wsman::{
    CommandId, CommandState, ReceiveResponse, Request, RequestBody, ResponseBody, SignalCode, StreamChunk,
};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Which Receive is to be answered.
#[derive(Debug, Clone, Copy)]
pub(in crate::demo) struct Asked {
    pub(in crate::demo) pool: Uuid,
    pub(in crate::demo) pipeline: Option<Uuid>,
    /// Receives of this stream before this one.
    pub(in crate::demo) turn: u64,
}

/// How a Receive is answered.
pub(in crate::demo) enum Say {
    /// As the target would.
    Usual,
    /// As the target would, after a request for a session key.
    KeyWanted,
    /// By these bytes.
    Data(Vec<u8>),
    /// By these bytes, and the end of the command.
    Last(Vec<u8>),
    /// By these bytes, for another command.
    Other(Vec<u8>),
    /// By a fault.
    Fault(FaultCode),
    /// Never.
    Nothing,
}

/// What a target was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::demo) enum Heard {
    Create(Vec<u8>),
    Command { id: Uuid, piece: Vec<u8> },
    Send { of: Option<Uuid>, stream: Stream, data: Vec<u8> },
    Signal { id: Option<Uuid>, signal: SignalCode },
    Delete,
}

type Script = Arc<dyn Fn(Asked) -> Say + Send + Sync>;

/// One target's script, and its ears.
#[derive(Default)]
pub(in crate::demo) struct Watch {
    script: Mutex<Option<Script>>,
    turns: Mutex<HashMap<(Uuid, Option<Uuid>), u64>>,
    heard: Mutex<Vec<Heard>>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("heard", &self.heard.lock().len()).finish_non_exhaustive()
    }
}

impl Watch {
    /// From here on Receives are answered by a script, and what is sent to pipelines is heard and not heeded.
    pub(in crate::demo) fn misbehave(&self, script: impl Fn(Asked) -> Say + Send + Sync + 'static) {
        *self.script.lock() = Some(Arc::new(script));
    }

    /// What was heard so far.
    pub(in crate::demo) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().clone()
    }

    pub(super) fn hear(&self, heard: Heard) {
        self.heard.lock().push(heard);
    }

    /// Takes a request of a pool in, and answers it where the script does.
    pub(super) async fn meet(
        &self,
        pool: Uuid,
        request: &Request,
        wants_key: impl FnOnce(),
    ) -> Option<Result<Done, Fault>> {
        self.listen(&request.body);
        let script = self.script.lock().clone()?;
        match &request.body {
            RequestBody::Receive { command_id, .. } => {
                let pipeline = command_id.map(|id| id.uuid());
                let turn = self.turn(pool, pipeline);
                let say = script(Asked { pool, pipeline, turn });
                if matches!(say, Say::KeyWanted) {
                    wants_key();
                }
                answer(say, *command_id).await
            }
            RequestBody::Send(streams) if streams.iter().all(|stream| stream.command_id.is_some()) => {
                Some(Ok(ResponseBody::Send.into()))
            }
            RequestBody::Identify
            | RequestBody::Create(_)
            | RequestBody::Command(_)
            | RequestBody::Send(_)
            | RequestBody::Signal { .. }
            | RequestBody::Delete
            | RequestBody::Get
            | RequestBody::Other => None,
        }
    }

    fn turn(&self, pool: Uuid, pipeline: Option<Uuid>) -> u64 {
        let mut turns = self.turns.lock();
        let turn = turns.entry((pool, pipeline)).or_default();
        let now = *turn;
        *turn += 1;
        now
    }

    fn listen(&self, body: &RequestBody) {
        match body {
            RequestBody::Send(streams) => {
                for stream in streams {
                    let kind = if stream.stream == "pr" { Stream::PromptResponse } else { Stream::Main };
                    let of = stream.command_id.map(|id| id.uuid());
                    self.hear(Heard::Send { of, stream: kind, data: stream.data.clone() });
                }
            }
            RequestBody::Signal { command_id, signal } => {
                self.hear(Heard::Signal { id: command_id.map(|id| id.uuid()), signal: *signal });
            }
            RequestBody::Delete => self.hear(Heard::Delete),
            RequestBody::Identify
            | RequestBody::Create(_)
            | RequestBody::Command(_)
            | RequestBody::Receive { .. }
            | RequestBody::Get
            | RequestBody::Other => {}
        }
    }
}

async fn answer(say: Say, command_id: Option<CommandId>) -> Option<Result<Done, Fault>> {
    let response = |command_id: Option<CommandId>, data, state: CommandState| {
        let streams = vec![StreamChunk { stream: "stdout".to_owned(), data, end: false }];
        let state = command_id.map(|_| state);
        Some(Ok(ResponseBody::Receive(ReceiveResponse { command_id, streams, state }).into()))
    };
    match say {
        Say::Usual | Say::KeyWanted => None,
        Say::Data(data) => response(command_id, data, CommandState::Running),
        Say::Last(data) => response(command_id, data, CommandState::Done { exit_code: 0 }),
        Say::Other(data) => response(Some(CommandId::new(Uuid::new_v4())), data, CommandState::Running),
        Say::Fault(code) => Some(Err(Fault::internal(code, "as the script says"))),
        Say::Nothing => std::future::pending().await,
    }
}
