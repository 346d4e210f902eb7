//! The client's side of a pool: the machine that speaks with it, and what waits to be fetched.

use crate::session::output::Turn;
use parking_lot::Mutex;
use sekisho_protocol::psrp::{
    Answer, HostCall, MessageType, PipelineState, PoolServer, RecordBody, ServerEvent, Stated, Stream,
};
use sekisho_protocol::wsman::{CommandId, CommandState, Compression, MessageId, ReceiveResponse, StreamChunk};
use sekisho_protocol::{Result, xpress};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// Bytes of output of one pipeline that wait for a client before its target is asked for more.
const WAITING: usize = 1024 * 1024;
/// Bytes of an envelope that are not a stream's, generously.
const HEADERS: usize = 2500;
/// The smallest room for a stream in an envelope, whatever the client says.
const LEAST_ROOM: usize = 2048;
/// Bytes of a fragment at most: what PowerShell cuts.
const FRAGMENT: usize = 32 * 1024;

/// The machine of one pool, with those who wait for what it says.
#[derive(Debug)]
pub(super) struct Front {
    state: Mutex<State>,
    compression: Compression,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug)]
struct State {
    machine: PoolServer,
    deliveries: HashMap<Option<Uuid>, Delivery>,
    closed: bool,
}

/// One stream of output on its way to the client.
#[derive(Debug, Default)]
struct Delivery {
    newest: Turn,
    /// Written perhaps, and kept until that is certain.
    unacknowledged: Option<Told>,
    /// Written to the socket, which does not mean that it arrived: brought again to the same request.
    written: Option<Told>,
    /// Whether the final state was sent.
    ended: bool,
    /// Whether the end was acknowledged.
    fetched: bool,
}

/// What was told, and to which request: a client whose connection was cut sends the same one again.
#[derive(Debug)]
struct Told {
    request: Option<MessageId>,
    answer: Arc<ReceiveResponse>,
}

/// A Receive.
#[derive(Debug)]
pub struct Fetch {
    /// The pipeline; nothing for the pool itself.
    pub of: Option<Uuid>,
    /// The request's own id.
    pub request: Option<MessageId>,
    /// The size of envelope that its client takes.
    pub max_envelope: usize,
}

/// What a fetch brings.
#[derive(Debug)]
pub enum Fetched {
    /// To be acknowledged once it was written. Shared with who keeps it until then, since it is large.
    Output(Arc<ReceiveResponse>, Turn),
    /// Nothing happened in time.
    Nothing,
}

/// Bytes of a fragment for clients that take envelopes of this size.
pub(super) fn fragment_size(max_envelope: usize) -> usize {
    room(max_envelope).min(FRAGMENT)
}

/// Bytes of a stream in an envelope: base64 makes four of three.
fn room(max_envelope: usize) -> usize {
    (max_envelope.saturating_sub(HEADERS) / 4).saturating_mul(3).max(LEAST_ROOM)
}

impl Front {
    pub(super) fn new(machine: PoolServer, compression: Compression) -> Self {
        let state = State { machine, deliveries: HashMap::new(), closed: false };
        Self { state: Mutex::new(state), compression, filled: Notify::new(), drained: Notify::new() }
    }

    /// A new pipeline, with its first fragments: what the client did by that.
    pub(super) fn command(&self, id: Uuid, piece: &[u8]) -> Result<Vec<ServerEvent>> {
        let mut state = self.state.lock();
        // What happened before an error stays undone, too.
        state.machine.command(id, piece)?;
        Ok(std::iter::from_fn(|| state.machine.next_event()).collect())
    }

    /// What a client has sent on a stream, decompressed.
    pub(super) fn plain<'p>(&self, piece: &'p [u8]) -> Result<Cow<'p, [u8]>> {
        match self.compression {
            Compression::None => Ok(Cow::Borrowed(piece)),
            Compression::Xpress => xpress::decompress(piece).map(Cow::Owned),
        }
    }

    /// What follows on a stream: what the client did by that.
    pub(super) fn receive(&self, of: Option<Uuid>, stream: Stream, piece: &[u8]) -> Result<Vec<ServerEvent>> {
        let mut state = self.state.lock();
        state.machine.receive(of, stream, piece)?;
        let events = std::iter::from_fn(|| state.machine.next_event()).collect();
        drop(state);
        // Some messages are answered by the machine itself.
        self.filled.notify_waiters();
        Ok(events)
    }

    /// Lets the machine say something, and wakes who waits for it.
    pub(super) fn say<T>(&self, what: impl FnOnce(&mut PoolServer) -> T) -> T {
        let said = what(&mut self.state.lock().machine);
        self.filled.notify_waiters();
        said
    }

    /// Output or a record of a stream; [`Self::tell`] wakes who waits for it.
    pub(super) fn record(&self, id: Uuid, kind: MessageType, body: RecordBody) {
        // A pipeline that the client has terminated meanwhile takes nothing any more.
        let _late = self.state.lock().machine.record(id, kind, body);
    }

    /// A call to the host that wants no answer.
    pub(super) fn show(&self, id: Uuid, call: &HostCall) {
        let _late = self.state.lock().machine.host_call(Some(id), call, Answer::None);
    }

    pub(super) fn tell(&self) {
        self.filled.notify_waiters();
    }

    /// The state of a pipeline; a final one ends it.
    pub(super) fn state(&self, id: Uuid, stated: &Stated<PipelineState>) {
        let mut state = self.state.lock();
        let said = state.machine.state(id, stated).is_ok();
        if said && stated.state.is_final() {
            state.deliveries.entry(Some(id)).or_default().ended = true;
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// Waits until there is room for more output of a pipeline.
    pub(super) async fn room(&self, id: Uuid) {
        loop {
            let drained = self.drained.notified();
            if self.has_room(id) {
                return;
            }
            drained.await;
        }
    }

    fn has_room(&self, id: Uuid) -> bool {
        let state = self.state.lock();
        state.closed || state.machine.waiting(Some(id)) < WAITING
    }

    /// Whether a pipeline has ended and the client has all of it.
    pub(super) fn is_fetched(&self, id: Uuid) -> bool {
        self.state.lock().deliveries.get(&Some(id)).is_some_and(|delivery| delivery.fetched)
    }

    pub(super) fn forget(&self, id: Uuid) {
        let mut state = self.state.lock();
        state.machine.forget(id);
        state.deliveries.remove(&Some(id));
        drop(state);
        self.filled.notify_waiters();
        self.drained.notify_waiters();
    }

    /// Nothing follows: who waits is told so.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_waiters();
        self.drained.notify_waiters();
    }

    /// Waits for something to fetch until `deadline`, or until somebody else does. What was not acknowledged is
    /// brought again, and so is what this very request was told before.
    pub(super) async fn fetch(&self, fetch: &Fetch, deadline: Instant) -> Option<Fetched> {
        let turn = self.begin(fetch.of);
        loop {
            let filled = self.filled.notified();
            {
                let mut state = self.state.lock();
                let taken = state.take(fetch, turn, self.compression);
                if let Some(fetched) = taken {
                    drop(state);
                    self.drained.notify_waiters();
                    return Some(fetched);
                }
                if state.closed {
                    return None;
                }
            }
            if tokio::time::timeout_at(deadline, filled).await.is_err() {
                return Some(Fetched::Nothing);
            }
        }
    }

    /// Forgets what this fetch brought, unless another one has begun since.
    pub(super) fn acknowledge(&self, of: Option<Uuid>, turn: Turn) {
        let mut state = self.state.lock();
        let Some(delivery) = state.deliveries.get_mut(&of) else { return };
        if delivery.newest != turn {
            return;
        }
        let Some(told) = delivery.unacknowledged.take() else { return };
        delivery.fetched |= matches!(told.answer.state, Some(CommandState::Done { .. }));
        delivery.written = Some(told);
    }

    /// A client that begins another pipeline has the ends of those before it.
    pub(super) fn forget_written(&self) {
        let mut state = self.state.lock();
        state.deliveries.values_mut().filter(|delivery| delivery.fetched).for_each(|delivery| delivery.written = None);
    }

    /// From here on older fetches bring nothing.
    fn begin(&self, of: Option<Uuid>) -> Turn {
        let mut state = self.state.lock();
        let delivery = state.deliveries.entry(of).or_default();
        delivery.newest = delivery.newest.next();
        let turn = delivery.newest;
        drop(state);
        self.filled.notify_waiters();
        turn
    }
}

impl State {
    fn take(&mut self, fetch: &Fetch, turn: Turn, compression: Compression) -> Option<Fetched> {
        let Fetch { of, request, max_envelope } = fetch;
        let (of, max_envelope) = (*of, *max_envelope);
        // Forgotten meanwhile.
        let Some(delivery) = self.deliveries.get_mut(&of) else { return Some(Fetched::Nothing) };
        if delivery.newest != turn {
            return Some(Fetched::Nothing);
        }
        if let Some(told) = &mut delivery.unacknowledged {
            told.request.clone_from(request);
            return Some(Fetched::Output(Arc::clone(&told.answer), turn));
        }
        match &delivery.written {
            Some(told) if request.is_some() && told.request == *request => {
                return Some(Fetched::Output(Arc::clone(&told.answer), turn));
            }
            // Another request: its client has what was written.
            Some(_) | None => delivery.written = None,
        }
        let data = self.machine.take_output(of, room(max_envelope));
        let is_last = delivery.ended && self.machine.waiting(of) == 0;
        if data.is_none() && !is_last {
            return None;
        }
        let data = data.map(|data| match compression {
            Compression::None => data,
            Compression::Xpress => xpress::store(&data),
        });
        let chunk = |data| StreamChunk { stream: "stdout".to_owned(), data, end: false };
        let state = if is_last { CommandState::Done { exit_code: 0 } } else { CommandState::Running };
        let answer = Arc::new(ReceiveResponse {
            command_id: of.map(CommandId::new),
            streams: data.into_iter().map(chunk).collect(),
            state: of.map(|_| state),
        });
        delivery.unacknowledged = Some(Told { request: request.clone(), answer: Arc::clone(&answer) });
        Some(Fetched::Output(answer, turn))
    }
}
