//! The output of one command, kept until its reader has it.

use crate::Result;
use crate::error::{LimitExceeded, Misuse};
use crate::limits::ENVELOPE_MAX;
use crate::winrs::Stream;
use crate::wsman::{CommandId, CommandState, ReceiveResponse, StreamChunk, base64_room};
use std::collections::VecDeque;
use std::fmt;

/// Bytes of an answer around its streams: header, state, and the ends of both streams.
const ENVELOPE_ROOM: usize = 4096;

/// What one piece costs beside its bytes, so that very many very small ones cannot fill the memory.
const PIECE_COST: usize = 64;

/// A bounded buffer between a running command and a client that asks for its output.
///
/// INVARIANT(nothing-lost): bytes leave only by [`Output::acknowledge`], after the answer was written. A
/// long poll that was dropped gets the same again, and `Done` is told exactly once.
pub struct Output {
    command_id: CommandId,
    capacity: usize,
    pieces: VecDeque<Piece>,
    cost: usize,
    exit_code: Option<i32>,
    peeked: Peeked,
    complete: bool,
}

/// Neighbouring bytes of one stream.
struct Piece {
    stream: Stream,
    data: VecDeque<u8>,
}

/// What the last answer held.
#[derive(Debug, Default, Clone, Copy)]
struct Peeked {
    bytes: usize,
    done: bool,
}

impl fmt::Debug for Output {
    /// Output may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("command_id", &self.command_id)
            .field("waiting", &self.cost)
            .field("exit_code", &self.exit_code)
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// The output of this command, with room for this many bytes.
    #[must_use]
    pub fn new(command_id: CommandId, capacity: usize) -> Self {
        Self {
            command_id,
            capacity,
            pieces: VecDeque::new(),
            cost: 0,
            exit_code: None,
            peeked: Peeked::default(),
            complete: false,
        }
    }

    /// Bytes that [`Output::push`] takes now. At 0 the source has to wait.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.cost).saturating_sub(PIECE_COST)
    }

    /// Adds bytes of a stream.
    ///
    /// # Errors
    /// When they exceed [`Output::room`], and after [`Output::finish`].
    pub fn push(&mut self, stream: Stream, data: &[u8]) -> Result<()> {
        if self.exit_code.is_some() {
            return Err(Misuse::WrongState.into());
        }
        if self.room() < data.len() {
            return Err(LimitExceeded::Output.into());
        }
        if data.is_empty() {
            return Ok(());
        }
        match self.pieces.back_mut() {
            Some(last) if last.stream == stream => last.data.extend(data),
            Some(_) | None => {
                self.pieces.push_back(Piece { stream, data: data.iter().copied().collect() });
                self.cost = self.cost.saturating_add(PIECE_COST);
            }
        }
        self.cost = self.cost.saturating_add(data.len());
        Ok(())
    }

    /// The command ended. The first exit code counts.
    pub fn finish(&mut self, exit_code: i32) {
        self.exit_code.get_or_insert(exit_code);
    }

    /// Whether the command ended; its output may still wait.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.exit_code.is_some()
    }

    /// Whether there is something to tell: bytes, or the end.
    #[must_use]
    pub fn pending(&self) -> bool {
        !self.pieces.is_empty() || (self.exit_code.is_some() && !self.complete)
    }

    /// Whether the reader has everything, the end included.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The next answer, in at most this many bytes once encoded; nothing when nothing is pending.
    ///
    /// The same bytes come again until they are acknowledged. One answer at a time: what is acknowledged
    /// is what was peeked last.
    #[must_use]
    pub fn peek(&mut self, max_envelope_size: usize) -> Option<ReceiveResponse> {
        if !self.pending() {
            return None;
        }
        let mut budget = max_envelope_size.min(ENVELOPE_MAX).saturating_sub(ENVELOPE_ROOM);
        let mut streams = Vec::new();
        let mut whole = true;
        self.peeked = Peeked::default();
        for piece in &self.pieces {
            let taken = piece.data.len().min(plain_room(budget));
            if taken == 0 {
                whole = false;
                break;
            }
            let data: Vec<u8> = piece.data.range(..taken).copied().collect();
            budget = budget.saturating_sub(base64_room(taken));
            self.peeked.bytes = self.peeked.bytes.saturating_add(taken);
            whole = taken == piece.data.len();
            streams.push(StreamChunk { stream: piece.stream.name().to_owned(), data, end: false });
        }
        let state = match self.exit_code {
            Some(exit_code) if whole => {
                self.peeked.done = true;
                let end =
                    |stream: Stream| StreamChunk { stream: stream.name().to_owned(), data: Vec::new(), end: true };
                streams.extend(Stream::ALL.into_iter().map(end));
                CommandState::Done { exit_code }
            }
            Some(_) | None => CommandState::Running,
        };
        Some(ReceiveResponse { command_id: Some(self.command_id), streams, state: Some(state) })
    }

    /// The answer that was peeked last has been written: forgets what it held. (nothing-lost)
    pub fn acknowledge(&mut self) {
        let Peeked { mut bytes, done } = std::mem::take(&mut self.peeked);
        self.complete |= done;
        while 0 < bytes {
            let Some(first) = self.pieces.front_mut() else { return };
            let taken = bytes.min(first.data.len());
            first.data.drain(..taken);
            let emptied = first.data.is_empty();
            if emptied {
                self.pieces.pop_front();
                self.cost = self.cost.saturating_sub(PIECE_COST);
            }
            self.cost = self.cost.saturating_sub(taken);
            bytes = bytes.saturating_sub(taken);
        }
    }
}

/// Bytes whose base64 and element fit into a budget.
fn plain_room(budget: usize) -> usize {
    let groups = budget.saturating_sub(base64_room(0)).checked_div(4).unwrap_or(0);
    groups.saturating_mul(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wsman::MessageId;
    use crate::wsman::{ResponseBody, encode_response};
    use uuid::Uuid;

    fn output(capacity: usize) -> Output {
        Output::new(CommandId::new(Uuid::nil()), capacity)
    }

    fn data_of(answer: &ReceiveResponse, stream: Stream) -> Vec<u8> {
        answer
            .streams
            .iter()
            .filter(|chunk| chunk.stream == stream.name())
            .flat_map(|chunk| chunk.data.clone())
            .collect()
    }

    fn is_done(answer: &ReceiveResponse) -> bool {
        matches!(answer.state, Some(CommandState::Done { .. }))
    }

    #[test]
    fn nothing_is_lost_when_an_answer_is() {
        let mut output = output(10_000);
        output.push(Stream::Stdout, b"one").unwrap();
        assert_eq!(output.peek(153_600).map(|answer| data_of(&answer, Stream::Stdout)), Some(b"one".to_vec()));
        output.push(Stream::Stdout, b"two").unwrap();
        assert_eq!(output.peek(153_600).map(|answer| data_of(&answer, Stream::Stdout)), Some(b"onetwo".to_vec()));
        output.acknowledge();
        assert!(!output.pending());
        assert_eq!(output.peek(153_600), None);
        output.acknowledge();
    }

    #[test]
    fn what_came_after_the_peek_stays() {
        let mut output = output(10_000);
        output.push(Stream::Stdout, b"one").unwrap();
        assert!(output.peek(153_600).is_some());
        output.push(Stream::Stdout, b"two").unwrap();
        output.push(Stream::Stderr, b"three").unwrap();
        output.acknowledge();
        let answer = output.peek(153_600).unwrap();
        assert_eq!(data_of(&answer, Stream::Stdout), b"two");
        assert_eq!(data_of(&answer, Stream::Stderr), b"three");
    }

    #[test]
    fn done_is_told_until_acknowledged_and_then_never() {
        let mut output = output(10_000);
        output.push(Stream::Stderr, b"x").unwrap();
        output.finish(-1_073_741_510);
        output.finish(0);
        assert_eq!(output.push(Stream::Stdout, b"late"), Err(Misuse::WrongState.into()));
        for _ in 0..2 {
            let answer = output.peek(153_600).unwrap();
            assert_eq!(answer.state, Some(CommandState::Done { exit_code: -1_073_741_510 }));
            assert_eq!(answer.streams.iter().filter(|chunk| chunk.end).count(), 2);
        }
        output.acknowledge();
        assert!(output.is_complete() && !output.pending());
        assert_eq!(output.peek(153_600), None);
    }

    #[test]
    fn done_waits_for_the_last_byte_and_answers_fit() {
        let limit = 8192;
        let mut output = output(1_000_000);
        let data: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        for part in data.chunks(999) {
            output.push(Stream::Stdout, part).unwrap();
            output.push(Stream::Stderr, &part[..1]).unwrap();
        }
        output.finish(0);
        let mut read = Vec::new();
        let id = MessageId::parse(&"x".repeat(256)).unwrap();
        loop {
            let answer = output.peek(limit).unwrap();
            read.extend(data_of(&answer, Stream::Stdout));
            let done = is_done(&answer);
            let encoded = encode_response(Some(&id), Uuid::max(), &ResponseBody::Receive(answer));
            assert!(encoded.len() <= limit, "{} bytes", encoded.len());
            output.acknowledge();
            if done {
                break;
            }
        }
        assert_eq!(read, data);
    }

    #[test]
    fn room_is_back_pressure() {
        let mut output = output(1000);
        let room = output.room();
        assert_eq!(output.push(Stream::Stdout, &vec![0; room + 1]), Err(LimitExceeded::Output.into()));
        output.push(Stream::Stdout, &vec![0; room]).unwrap();
        assert_eq!(output.room(), 0);
        assert!(output.peek(153_600).is_some());
        output.acknowledge();
        assert_eq!(output.room(), room);
    }

    #[test]
    fn many_small_pieces_are_bounded() {
        let mut output = output(6400);
        let pushes = (0..1000).filter(|n| {
            let stream = if n % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
            output.push(stream, b"x").is_ok()
        });
        assert!(pushes.count() < 100);
    }
}
