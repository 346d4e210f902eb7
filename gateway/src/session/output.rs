//! The output of one command between the target that makes it and the client that fetches it.

use super::command::Ended;
use parking_lot::Mutex;
use sekisho_protocol::error::PeerMisbehaved;
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::winrs::server::Output;
use sekisho_protocol::wsman::{CommandId, CommandState, ReceiveResponse, StreamChunk};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Bytes that wait for a client. A target is not asked for more before there is room for one whole answer.
const CAPACITY: usize = 1024 * 1024;
/// The most that one answer of a target brings.
const ONE_ANSWER: usize = 512 * 1024;

/// What a fetch brings.
#[derive(Debug)]
pub enum Fetched {
    /// To be acknowledged once it was written.
    Output(ReceiveResponse),
    /// The command failed, and stays failed.
    Failed(Ended),
    /// Nothing happened in time.
    Nothing,
}

#[derive(Debug)]
struct State {
    output: Output,
    failed: Option<Ended>,
}

/// The buffer, with those who wait on both sides.
#[derive(Debug)]
pub(super) struct SharedOutput {
    state: Mutex<State>,
    filled: Notify,
    drained: Notify,
    /// One client's fetch at a time: two would tear the streams apart.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl SharedOutput {
    pub(super) fn new(id: CommandId) -> Self {
        let state = State { output: Output::new(id, CAPACITY), failed: None };
        Self { state: Mutex::new(state), filled: Notify::new(), drained: Notify::new(), turn: Arc::default() }
    }

    /// Waits until one more answer of the target fits.
    pub(super) async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            if ONE_ANSWER <= self.state.lock().output.room() {
                return;
            }
            drained.await;
        }
    }

    /// Takes an answer of the target in; the exit code when it was the last.
    pub(super) fn push(&self, answer: ReceiveResponse) -> Result<Option<i32>, sekisho_protocol::Error> {
        let mut state = self.state.lock();
        for StreamChunk { stream, data, end: _ } in &answer.streams {
            // A stream that was not asked for is none of the client's.
            let stream = Stream::of_name(stream).ok_or(PeerMisbehaved::OutOfOrder)?;
            state.output.push(stream, data)?;
        }
        let exit_code = match answer.state {
            Some(CommandState::Done { exit_code }) => Some(exit_code),
            Some(CommandState::Running | CommandState::Pending) | None => None,
        };
        if let Some(code) = exit_code {
            state.output.finish(code);
        }
        drop(state);
        self.filled.notify_waiters();
        Ok(exit_code)
    }

    pub(super) fn fail(&self, ended: Ended) {
        self.state.lock().failed = Some(ended);
        self.filled.notify_waiters();
        self.drained.notify_waiters();
    }

    /// Fails a command that has neither ended nor failed.
    pub(super) fn fail_unless_finished(&self, ended: Ended) {
        let state = self.state.lock();
        if state.output.is_finished() || state.failed.is_some() {
            return;
        }
        drop(state);
        self.fail(ended);
    }

    /// Whether nothing is left to fetch.
    pub(super) fn is_fetched(&self) -> bool {
        let state = self.state.lock();
        state.output.is_complete() || state.failed.is_some()
    }

    /// Waits for something to fetch until `deadline`. What was not acknowledged is brought again.
    pub(super) async fn fetch(&self, max_envelope: usize, deadline: Instant) -> Fetched {
        let Ok(_turn) = tokio::time::timeout_at(deadline, self.turn.lock()).await else { return Fetched::Nothing };
        loop {
            let filled = self.filled.notified();
            if let Some(fetched) = self.peek(max_envelope) {
                return fetched;
            }
            if tokio::time::timeout_at(deadline, filled).await.is_err() {
                return Fetched::Nothing;
            }
        }
    }

    pub(super) fn acknowledge(&self) {
        self.state.lock().output.acknowledge();
        self.drained.notify_waiters();
    }

    fn peek(&self, max_envelope: usize) -> Option<Fetched> {
        let mut state = self.state.lock();
        let output = state.output.peek(max_envelope).map(Fetched::Output);
        output.or_else(|| state.failed.map(Fetched::Failed))
    }
}
