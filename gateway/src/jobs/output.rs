//! A target's output in pieces for lines: no character cut in two, no line too long.

use sekisho_protocol::job::{OUTPUT_CHUNK, OutputData, OutputStream};

/// Bytes of one piece; the worst escapes make six times as much of it.
const PIECE: usize = 16 * 1024;
const _: () = assert!(PIECE <= OUTPUT_CHUNK);

/// The beginnings of characters whose ends have not come yet.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Pieces {
    /// Takes bytes of a stream, and gives what can be told now.
    pub(super) fn take(&mut self, stream: OutputStream, bytes: &[u8]) -> Vec<OutputData> {
        let rest = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        let mut whole = std::mem::take(rest);
        whole.extend_from_slice(bytes);
        let mut pieces = Vec::with_capacity(whole.len().div_ceil(PIECE));
        let mut left = whole.as_slice();
        while !left.is_empty() {
            let front = left.get(..PIECE).unwrap_or(left);
            let (now, later) = left.split_at_checked(OutputData::whole_characters(front)).unwrap_or((left, &[]));
            if now.is_empty() {
                break;
            }
            pieces.push(OutputData::of(now));
            left = later;
        }
        left.clone_into(rest);
        pieces
    }

    /// What is left when no more comes.
    pub(super) fn rest(&mut self) -> Vec<(OutputStream, OutputData)> {
        [
            (OutputStream::Stdout, std::mem::take(&mut self.stdout)),
            (OutputStream::Stderr, std::mem::take(&mut self.stderr)),
        ]
        .into_iter()
        .filter(|(_, rest)| !rest.is_empty())
        .map(|(stream, rest)| (stream, OutputData::of(&rest)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_byte_comes_out_once_and_in_order(
            parts in proptest::collection::vec(("[a-z\u{e9}\u{1f600}]{0,9}", any::<[u8; 2]>(), 0..7_usize), 0..20),
        ) {
            let mut pieces = Pieces::default();
            let (mut sent, mut told) = (Vec::new(), Vec::new());
            for (text, raw, cut) in parts {
                let mut bytes = text.into_bytes();
                if cut == 6 {
                    bytes.extend_from_slice(&raw);
                }
                bytes.truncate(bytes.len().saturating_sub(cut % 3));
                sent.extend_from_slice(&bytes);
                for piece in pieces.take(OutputStream::Stdout, &bytes) {
                    told.extend_from_slice(&piece.bytes().unwrap());
                }
            }
            for (_, piece) in pieces.rest() {
                told.extend_from_slice(&piece.bytes().unwrap());
            }
            prop_assert_eq!(sent, told);
        }
    }

    #[test]
    fn a_character_whose_end_comes_later_waits_for_it() {
        let mut pieces = Pieces::default();
        let bytes = "aé".as_bytes();
        assert_eq!(pieces.take(OutputStream::Stdout, &bytes[..2]), [OutputData::Text("a".to_owned())]);
        assert_eq!(pieces.take(OutputStream::Stderr, b"e"), [OutputData::Text("e".to_owned())]);
        assert_eq!(pieces.take(OutputStream::Stdout, &bytes[2..]), [OutputData::Text("é".to_owned())]);
        assert!(pieces.rest().is_empty());
    }

    #[test]
    fn long_output_is_told_in_pieces() {
        let long = vec![b'x'; 3 * PIECE + 1];
        assert_eq!(Pieces::default().take(OutputStream::Stdout, &long).len(), 4);
    }
}
