//! The output of one command between the target that makes it and the client that fetches it.

use super::command::Ended;
use parking_lot::Mutex;
use sekisho_protocol::error::PeerMisbehaved;
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::winrs::server::Output;
use sekisho_protocol::wsman::{CommandId, CommandState, ReceiveResponse, StreamChunk};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The most that one answer of a target brings, also of one that heeds no limit.
const ONE_ANSWER: usize = 512 * 1024;
/// What may wait in the smallest buffer when one more answer is asked for: an empty one has room in any case.
const LEAST_WAITING: usize = 4096;
/// The smallest envelope that targets are asked for.
const LEAST_ENVELOPE: usize = 32 * 1024;
/// The largest; every Windows answers with that much.
const MOST_ENVELOPE: usize = 512_000;

/// How much output waits for a client, and how much a target is asked for at a time. A target is not asked
/// for more before there is room for one whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    bytes: usize,
    envelope: usize,
}

impl Buffer {
    /// For clients of WinRS.
    pub const SESSION: Self = Self { bytes: 1024 * 1024, envelope: MOST_ENVELOPE };

    /// One in which at most this many bytes wait, as long as the target heeds the size that it is asked for.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self { bytes, envelope: bytes.clamp(LEAST_ENVELOPE, MOST_ENVELOPE) }
    }

    /// Bytes of the envelopes that the target is asked for.
    pub(super) fn envelope(self) -> usize {
        self.envelope
    }

    /// Room for what may wait when one more answer is asked for, and for that answer, however large.
    fn capacity(self) -> usize {
        let one = self.envelope.div_ceil(4).saturating_mul(3);
        self.bytes.saturating_sub(one).max(LEAST_WAITING).saturating_add(ONE_ANSWER)
    }
}

/// Which fetch it is. The newest one counts: an older one may be of a connection whose client is gone without a
/// word, so that it is given nothing, and what it was given before cannot be acknowledged any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn(u64);

impl Turn {
    /// The one after this.
    pub(super) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What a fetch brings.
#[derive(Debug)]
pub enum Fetched {
    /// To be acknowledged once it was written.
    Output(ReceiveResponse, Turn),
    /// The command failed, and stays failed.
    Failed(Ended),
    /// Nothing happened in time.
    Nothing,
}

#[derive(Debug)]
struct State {
    output: Output,
    newest: Turn,
    failed: Option<Ended>,
}

/// The buffer, with those who wait on both sides.
#[derive(Debug)]
pub(super) struct SharedOutput {
    state: Mutex<State>,
    filled: Notify,
    drained: Notify,
}

impl SharedOutput {
    pub(super) fn new(id: CommandId, buffer: Buffer) -> Self {
        let state = State { output: Output::new(id, buffer.capacity()), newest: Turn::default(), failed: None };
        Self { state: Mutex::new(state), filled: Notify::new(), drained: Notify::new() }
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

    /// Waits for something to fetch until `deadline`, or until somebody else does. What was not acknowledged is
    /// brought again.
    pub(super) async fn fetch(&self, max_envelope: usize, deadline: Instant) -> Fetched {
        let turn = self.begin();
        loop {
            let filled = self.filled.notified();
            if let Some(fetched) = self.peek(turn, max_envelope) {
                return fetched;
            }
            if tokio::time::timeout_at(deadline, filled).await.is_err() {
                return Fetched::Nothing;
            }
        }
    }

    /// Forgets what this fetch brought, unless another one has begun since.
    pub(super) fn acknowledge(&self, turn: Turn) {
        let mut state = self.state.lock();
        if state.newest != turn {
            return;
        }
        state.output.acknowledge();
        drop(state);
        self.drained.notify_waiters();
    }

    /// From here on older fetches bring nothing.
    fn begin(&self) -> Turn {
        let mut state = self.state.lock();
        let turn = state.newest.next();
        state.newest = turn;
        drop(state);
        self.filled.notify_waiters();
        turn
    }

    fn peek(&self, turn: Turn, max_envelope: usize) -> Option<Fetched> {
        let mut state = self.state.lock();
        if state.newest != turn {
            return Some(Fetched::Nothing);
        }
        let output = state.output.peek(max_envelope).map(|answer| Fetched::Output(answer, turn));
        output.or_else(|| state.failed.map(Fetched::Failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::sync::Arc;
    use uuid::Uuid;

    fn answer(bytes: usize) -> ReceiveResponse {
        let streams = vec![StreamChunk { stream: "stdout".to_owned(), data: vec![b'x'; bytes], end: false }];
        ReceiveResponse { command_id: None, streams, state: Some(CommandState::Running) }
    }

    fn output(buffer: Buffer) -> SharedOutput {
        SharedOutput::new(CommandId::new(Uuid::nil()), buffer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_stops_the_target_within_its_buffer() {
        for bytes in [4 << 10, 32 << 10, 256 << 10, 16 << 20] {
            let buffer = Buffer::of(bytes);
            let (output, one) = (output(buffer), buffer.envelope() / 4 * 3);
            let mut waiting = 0;
            while output.room().now_or_never().is_some() {
                output.push(answer(one)).unwrap();
                waiting += one;
                assert!(waiting <= bytes.max(one + LEAST_WAITING), "{waiting} of {bytes}");
            }
            assert!(one <= waiting);
            while let Fetched::Output(_, turn) = output.fetch(64 << 10, Instant::now()).await {
                output.acknowledge(turn);
            }
            assert!(output.room().now_or_never().is_some(), "what was read makes room again");
        }
    }

    async fn fetched(output: &SharedOutput) -> (usize, Turn) {
        match output.fetch(64 << 10, Instant::now()).await {
            Fetched::Output(answer, turn) => (answer.streams.iter().map(|chunk| chunk.data.len()).sum(), turn),
            Fetched::Failed(_) | Fetched::Nothing => panic!("nothing was fetched"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_connection_acknowledges_nothing_that_only_the_new_one_was_given() {
        let output = output(Buffer::SESSION);
        output.push(answer(10)).unwrap();
        let (_, old) = fetched(&output).await;
        output.push(answer(5)).unwrap();
        let (all, new) = fetched(&output).await;
        assert_eq!(all, 15);
        // The old answer was written after all; the new one was not, and is asked for once more.
        output.acknowledge(old);
        let (again, newest) = fetched(&output).await;
        assert_eq!(again, 15);
        output.acknowledge(new);
        output.acknowledge(newest);
        output.acknowledge(newest);
        assert!(matches!(output.fetch(64 << 10, Instant::now()).await, Fetched::Nothing));
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_fetch_is_given_the_output_and_an_older_one_ends_at_once() {
        let output = Arc::new(output(Buffer::SESSION));
        let began = Instant::now();
        let late = began + std::time::Duration::from_secs(60);
        let old = tokio::spawn({
            let output = Arc::clone(&output);
            async move { output.fetch(64 << 10, late).await }
        });
        tokio::task::yield_now().await;
        let new = tokio::spawn({
            let output = Arc::clone(&output);
            async move { output.fetch(64 << 10, late).await }
        });
        assert!(matches!(old.await.unwrap(), Fetched::Nothing));
        assert_eq!(Instant::now(), began);
        output.push(answer(10)).unwrap();
        assert!(matches!(new.await.unwrap(), Fetched::Output(..)));
    }

    #[test]
    fn an_answer_larger_than_asked_for_is_taken_and_a_huge_one_is_not() {
        let small = output(Buffer::of(4 << 10));
        small.push(answer(ONE_ANSWER)).unwrap();
        assert!(output(Buffer::of(4 << 10)).push(answer(2 * ONE_ANSWER)).is_err());
    }
}
