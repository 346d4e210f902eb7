//! Output of programs, which comes in pieces, as whole lines.

use super::text::LOOKAHEAD;

/// One stream of one command, of which the end of the last piece waits for the rest of its line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    waiting: Vec<u8>,
    /// Of a line that is longer than is kept: bytes that are left out until its end.
    skipped: Option<u64>,
}

/// Lines that are whole, or as much of one as is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// Bytes of its last line that were left out already.
    pub(super) left_out: u64,
}

impl Lines {
    /// Takes a piece in, and gives what is whole by then, at most `limit` bytes of lines at a time.
    pub(super) fn push(&mut self, data: &[u8], limit: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            self.line(line, limit, &mut pieces);
        }
        pieces
    }

    /// The rest, when nothing more comes.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        let left_out = self.skipped.take().unwrap_or_default();
        let text = decoded(std::mem::take(&mut self.waiting));
        (!text.is_empty() || 0 < left_out).then_some(Piece { text, left_out })
    }

    fn line(&mut self, line: &[u8], limit: usize, pieces: &mut Vec<Piece>) {
        let is_whole = line.ends_with(b"\n");
        let longest = limit.saturating_add(LOOKAHEAD);
        let room = longest.saturating_sub(self.waiting.len());
        let (kept, rest) = line.split_at_checked(room).unwrap_or((line, &[]));
        self.waiting.extend_from_slice(kept);
        if !rest.is_empty() {
            let rest = u64::try_from(rest.len()).unwrap_or(u64::MAX);
            self.skipped = Some(self.skipped.unwrap_or_default().saturating_add(rest));
        }
        if !is_whole {
            return;
        }
        let left_out = self.skipped.take().unwrap_or_default();
        let text = decoded(std::mem::take(&mut self.waiting));
        match pieces.last_mut() {
            Some(last) if last.left_out == 0 && last.text.len().saturating_add(text.len()) <= limit => {
                last.text.push_str(&text);
                last.left_out = left_out;
            }
            Some(_) | None => pieces.push(Piece { text, left_out }),
        }
    }
}

/// As UTF-8, in which the gateway has programs write; what is none is replaced.
fn decoded(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(data: &[u8], at: &[usize], limit: usize) -> Vec<Piece> {
        let mut lines = Lines::default();
        let mut begin = 0;
        let mut pieces = Vec::new();
        for end in at.iter().copied().chain([data.len()]) {
            let end = end.clamp(begin, data.len());
            pieces.extend(lines.push(&data[begin..end], limit));
            begin = end;
        }
        pieces.extend(lines.finish());
        pieces
    }

    #[test]
    fn a_line_and_a_character_that_come_in_pieces_are_whole() {
        let text = "Grüße\nab";
        for at in 0..=text.len() {
            let pieces = cut(text.as_bytes(), &[at], 100);
            assert_eq!(pieces[0].text, "Grüße\n");
            assert_eq!(pieces[1].text, "ab");
        }
    }

    #[test]
    fn lines_go_together_up_to_the_limit() {
        let pieces = cut(b"ab\ncd\nef\n", &[], 6);
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>(), ["ab\ncd\n", "ef\n"]);
    }

    #[test]
    fn of_a_line_without_end_the_beginning_is_kept_and_the_rest_counted() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            assert_eq!(lines.push(&[b'x'; 1000], 10), []);
            assert!(lines.waiting.len() <= 10 + LOOKAHEAD);
        }
        let pieces = lines.push(b"\nnext\n", 10);
        assert_eq!(pieces[0].text.len(), 10 + LOOKAHEAD);
        assert_eq!(pieces[0].left_out, 1_000_001 - 10 - u64::try_from(LOOKAHEAD).unwrap());
        assert_eq!(pieces[1], Piece { text: "next\n".to_owned(), left_out: 0 });
    }

    #[test]
    fn what_is_no_utf_8_is_replaced() {
        assert_eq!(cut(b"a\xffb\n", &[], 100)[0].text, "a\u{fffd}b\n");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled_wherever_it_is_cut(
            text in "[aé\n]{0,60}", at in proptest::collection::vec(0_usize..80, 0..6), limit in 1_usize..20,
        ) {
            let mut at = at;
            at.sort_unstable();
            let pieces = cut(text.as_bytes(), &at, limit);
            let together: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            prop_assert_eq!(together, text);
            prop_assert!(pieces.iter().all(|piece| piece.left_out == 0));
        }
    }
}
