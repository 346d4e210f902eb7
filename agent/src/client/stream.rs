//! A job's answer: chunks of HTTP, sealed groups in them, lines in these.

use super::sealed::{Channel, Groups};
use crate::error::{AgentError, GatewayFault};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sekisho_protocol::job::{JobEvent, LINE_BYTES};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::timeout;

/// The lines of a job as they come. Dropping it before its end closes the connection, which cancels the job.
#[derive(Debug)]
pub struct JobStream<'a> {
    body: Incoming,
    decoder: EventDecoder,
    channel: &'a mut Channel,
    idle: Duration,
}

impl<'a> JobStream<'a> {
    pub(super) fn new(body: Incoming, decoder: EventDecoder, channel: &'a mut Channel, idle: Duration) -> Self {
        Self { body, decoder, channel, idle }
    }

    /// The next line, heartbeats included; nothing after the last one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`AgentError::Lost`] when the connection breaks, [`AgentError::Silent`] when nothing comes in time,
    /// [`AgentError::Misbehaved`] when a line is not one.
    pub async fn next(&mut self) -> Result<Option<JobEvent>, AgentError> {
        loop {
            if let Some(event) = self.decoder.next_event() {
                return event.map(Some);
            }
            match timeout(self.idle, self.body.frame()).await.map_err(|_| AgentError::Silent)? {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.decoder.push(&data, self.channel);
                    }
                }
                Some(Err(_)) => return Err(AgentError::Lost),
                None => return self.decoder.end().map(|()| None),
            }
        }
    }
}

/// Bytes in, lines out, however the bytes are cut. What was whole before a fault is handed out before it.
#[derive(Debug)]
pub(super) struct EventDecoder {
    groups: Groups,
    /// The beginning of a line whose end is in a later group.
    partial: Vec<u8>,
    events: VecDeque<JobEvent>,
    fault: Option<GatewayFault>,
}

impl EventDecoder {
    pub(super) fn new(content_type: &str, channel: &Channel) -> Result<Self, AgentError> {
        Ok(Self { groups: channel.groups(content_type)?, partial: Vec::new(), events: VecDeque::new(), fault: None })
    }

    pub(super) fn push(&mut self, bytes: &[u8], channel: &mut Channel) {
        if self.fault.is_some() {
            return;
        }
        let Self { groups, partial, events, fault } = self;
        let mut lines = Lines { partial, events };
        *fault = match groups.push(bytes, channel, |plain| lines.take(plain).map_err(AgentError::from)) {
            Ok(()) => None,
            Err(AgentError::Misbehaved(fault)) => Some(fault),
            Err(_) => Some(GatewayFault::Seal),
        };
    }

    pub(super) fn next_event(&mut self) -> Option<Result<JobEvent, AgentError>> {
        match self.events.pop_front() {
            Some(event) => Some(Ok(event)),
            None => self.fault.map(|fault| Err(fault.into())),
        }
    }

    /// The body has ended: it must not have ended within a group or a line.
    pub(super) fn end(&mut self) -> Result<(), AgentError> {
        if self.groups.end() && self.partial.is_empty() { Ok(()) } else { Err(AgentError::Lost) }
    }
}

struct Lines<'a> {
    partial: &'a mut Vec<u8>,
    events: &'a mut VecDeque<JobEvent>,
}

impl Lines<'_> {
    fn take(&mut self, plain: &[u8]) -> Result<(), GatewayFault> {
        let mut rest = plain;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            if self.partial.is_empty() {
                self.decode(line)?;
            } else {
                self.keep(line)?;
                let whole = std::mem::take(self.partial);
                self.decode(&whole)?;
            }
            rest = after.get(1..).unwrap_or_default();
        }
        self.keep(rest)
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), GatewayFault> {
        if self.partial.len().saturating_add(part.len()) > LINE_BYTES {
            return Err(GatewayFault::Size);
        }
        self.partial.extend_from_slice(part);
        Ok(())
    }

    fn decode(&mut self, line: &[u8]) -> Result<(), GatewayFault> {
        let event = JobEvent::decode(line).map_err(|_| GatewayFault::Document)?;
        self.events.push_back(event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{accepted, done, finished, started, stdout};
    use sekisho_protocol::Result as SealResult;
    use sekisho_protocol::error::PeerMisbehaved;
    use sekisho_protocol::job::LINES_MIME;
    use sekisho_protocol::sealing::{GroupWriter, MessageSeal, SealProtocol, SealedChunk, streaming_content_type};
    use zeroize::Zeroizing;

    /// A seal that proves nothing about cryptography: it turns bits around and counts, so that a body opened out
    /// of order or not at all is found. The real ones are tested in the protocol crate, and in `tests/gateway.rs`.
    #[derive(Debug, Default)]
    struct Turned {
        sealed: u8,
        opened: u8,
    }

    impl MessageSeal for Turned {
        fn protocol(&self) -> SealProtocol {
            SealProtocol::Spnego
        }

        fn seal(&mut self, plain: &[u8]) -> SealResult<SealedChunk> {
            self.sealed = self.sealed.wrapping_add(1);
            let mut bytes = vec![self.sealed];
            bytes.extend(plain.iter().map(|byte| !byte));
            Ok(SealedChunk { header_len: 1, bytes })
        }

        fn open(&mut self, _header_len: u32, bytes: &[u8], plain_len: usize) -> SealResult<Zeroizing<Vec<u8>>> {
            self.opened = self.opened.wrapping_add(1);
            match bytes.split_first() {
                Some((counter, rest)) if *counter == self.opened && rest.len() == plain_len => {
                    Ok(Zeroizing::new(rest.iter().map(|byte| !byte).collect()))
                }
                _ => Err(PeerMisbehaved::OutOfOrder.into()),
            }
        }
    }

    fn sealed(groups: &[&[u8]]) -> Vec<u8> {
        let mut seal = Turned::default();
        let mut writer = GroupWriter::new(LINES_MIME).unwrap();
        let mut body: Vec<u8> = groups.iter().flat_map(|group| writer.group(&mut seal, group).unwrap()).collect();
        body.extend_from_slice(writer.finish());
        body
    }

    fn lines(events: &[JobEvent]) -> Vec<u8> {
        let mut lines = Vec::new();
        for event in events {
            event.encode_into(&mut lines).unwrap();
        }
        lines
    }

    /// What comes out, and how it ends.
    fn decoded(pieces: &[&[u8]]) -> (Vec<JobEvent>, Result<(), String>) {
        let mut channel = Channel::new(Box::new(Turned::default()));
        let content_type = streaming_content_type(SealProtocol::Spnego);
        let mut decoder = EventDecoder::new(&content_type, &channel).unwrap();
        let mut events = Vec::new();
        for piece in pieces {
            decoder.push(piece, &mut channel);
            while let Some(event) = decoder.next_event() {
                match event {
                    Ok(event) => events.push(event),
                    Err(error) => return (events, Err(error.to_string())),
                }
            }
        }
        (events, decoder.end().map_err(|error| error.to_string()))
    }

    fn job() -> Vec<JobEvent> {
        let mut events =
            vec![accepted(&["a", "b"]), started("a"), stdout("a", "\u{e9}\r\n--Encrypted Boundary".as_bytes())];
        events.extend([started("b"), finished("a", 0), finished("b", 1)]);
        events.push(done(&events));
        events
    }

    #[test]
    fn a_body_cut_at_every_byte_gives_the_same_lines() {
        let (events, text) = (job(), lines(&job()));
        let body = sealed(&[&text[..100], &text[100..101], &text[101..]]);
        for cut in 0..=body.len() {
            assert_eq!(decoded(&[&body[..cut], &body[cut..]]), (events.clone(), Ok(())), "cut at {cut}");
        }
        let single: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(decoded(&single), (events, Ok(())));
    }

    #[test]
    fn lines_cut_at_every_byte_over_two_groups_are_the_same() {
        let (events, text) = (job(), lines(&job()));
        for cut in 1..text.len() {
            assert_eq!(decoded(&[&sealed(&[&text[..cut], &text[cut..]])]), (events.clone(), Ok(())), "cut at {cut}");
        }
    }

    #[test]
    fn a_body_that_ends_early_at_any_byte_is_never_taken_for_whole() {
        let (events, text) = (job(), lines(&job()));
        let body = sealed(&[&text[..150], &text[150..]]);
        // The line end after the closing delimiter is the one thing that may be missing.
        for cut in 0..body.len() - 2 {
            let (seen, end) = decoded(&[&body[..cut]]);
            assert!(end.is_err(), "cut at {cut}");
            assert_eq!(seen, events[..seen.len()], "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_is_found_or_changes_nothing_before_it() {
        let body = sealed(&[b"{\"event\":\"heartbeat\"}\n", &lines(&job())]);
        let mut spoilt = body;
        let second = spoilt.len() / 2;
        spoilt[second] ^= 0x80;
        let (seen, end) = decoded(&[&spoilt]);
        assert!(end.is_err());
        assert!(seen.len() < job().len() + 1);
    }

    #[test]
    fn what_was_whole_before_a_fault_is_handed_out() {
        let good = lines(&[accepted(&["a"]), started("a")]);
        let (seen, end) = decoded(&[&sealed(&[&good, b"nonsense\n"])]);
        assert_eq!(seen.len(), 2);
        assert_eq!(end.unwrap_err(), AgentError::from(GatewayFault::Document).to_string());
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let piece = vec![b' '; LINE_BYTES / 2];
        let (seen, end) = decoded(&[&sealed(&[&piece, &piece, b" "])]);
        assert!(seen.is_empty());
        assert_eq!(end.unwrap_err(), AgentError::from(GatewayFault::Size).to_string());
    }

    #[test]
    fn a_body_of_another_kind_is_refused() {
        let channel = Channel::new(Box::new(Turned::default()));
        for content_type in ["", "application/x-ndjson", "text/html", &streaming_content_type(SealProtocol::CredSsp)] {
            let refused = EventDecoder::new(content_type, &channel);
            assert!(matches!(refused, Err(AgentError::Misbehaved(GatewayFault::Seal))), "{content_type}");
        }
    }
}
