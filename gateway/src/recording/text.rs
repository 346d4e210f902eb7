//! Text from a target, as it is written: what the configuration hides is hidden, and no more than fits is kept.

use regex::Regex;
use std::ops::Range;

/// Stands for what a pattern of the configuration hides.
pub(super) const REDACTED: &str = "[redacted]";
/// Bytes behind the end of what is kept in which the end of a match is looked for.
pub(super) const LOOKAHEAD: usize = 4096;
const ESCAPE: char = '\u{1b}';
/// Where a control sequence begins; the last is the picture of an escape that objects are shown with.
const SEQUENCES: [char; 3] = [ESCAPE, '\u{9b}', '\u{241b}'];

/// What is kept of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) text: String,
    /// Bytes that are left out at the end.
    pub(super) cut: u64,
    /// Whether anything is hidden.
    pub(super) redacted: bool,
}

/// Hides what the patterns match, and keeps at most `limit` bytes of the original.
///
/// The patterns see the text as it is, and as a reader sees it: without the sequences that colour it.
pub(super) fn kept(text: &str, patterns: &[Regex], limit: usize) -> Kept {
    let end = boundary(text, limit);
    let window = text.get(..boundary(text, limit.saturating_add(LOOKAHEAD))).unwrap_or_default();
    let hidden = if patterns.is_empty() { Vec::new() } else { hidden(window, patterns) };
    let mut out = String::with_capacity(end);
    let (mut at, mut redacted) = (0, false);
    for range in hidden.into_iter().take_while(|range| range.start < end) {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(REDACTED);
        (at, redacted) = (range.end, true);
    }
    out.push_str(text.get(at..end).unwrap_or_default());
    let cut = u64::try_from(text.len().saturating_sub(end.max(at))).unwrap_or(u64::MAX);
    Kept { text: out, cut, redacted }
}

/// Whether a pattern matches anywhere in the text, however long it is.
pub(super) fn is_matched(text: &str, patterns: &[Regex]) -> bool {
    patterns.iter().any(|pattern| pattern.is_match(text))
        || (text.contains(SEQUENCES) && {
            let plain = Plain::of(text).text;
            patterns.iter().any(|pattern| pattern.is_match(&plain))
        })
}

/// Whether a terminal shows this character and does nothing else: neither a control character nor one that changes
/// the direction of what stands beside it.
pub(crate) fn is_harmless(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => false,
        other => !other.is_control(),
    }
}

/// The largest boundary of a character that is not beyond `at`.
pub(super) fn boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// What is to be hidden, in order and apart from each other.
fn hidden(window: &str, patterns: &[Regex]) -> Vec<Range<usize>> {
    let matches = |text: &str| -> Vec<Range<usize>> {
        let all = patterns.iter().flat_map(|pattern| pattern.find_iter(text).map(|found| found.range()));
        all.filter(|range| !range.is_empty()).collect()
    };
    let mut ranges = matches(window);
    if window.contains(SEQUENCES) {
        let plain = Plain::of(window);
        ranges.extend(matches(&plain.text).into_iter().map(|range| plain.original(&range)));
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            Some(_) | None => apart.push(range),
        }
    }
    apart
}

/// A text without its control sequences (ECMA-48 5.4), and where its parts stood.
#[derive(Debug)]
struct Plain {
    text: String,
    /// Where parts begin: here, and in the original.
    parts: Vec<(usize, usize)>,
}

impl Plain {
    fn of(original: &str) -> Self {
        let mut plain = Self { text: String::with_capacity(original.len()), parts: vec![(0, 0)] };
        let mut rest = original;
        while let Some(start) = rest.find(SEQUENCES) {
            let (before, sequence) = rest.split_at_checked(start).unwrap_or((rest, ""));
            plain.text.push_str(before);
            rest = after_sequence(sequence);
            plain.parts.push((plain.text.len(), original.len().saturating_sub(rest.len())));
        }
        plain.text.push_str(rest);
        plain
    }

    fn original(&self, range: &Range<usize>) -> Range<usize> {
        let place = |at: usize, after: fn(&usize, &usize) -> bool| {
            let part = self.parts.iter().rev().find(|(here, _)| after(here, &at)).copied().unwrap_or_default();
            at.saturating_sub(part.0).saturating_add(part.1)
        };
        // A sequence at the start of a match is not hidden with it, one before its end is.
        place(range.start, usize::le)..place(range.end, usize::lt)
    }
}

/// What follows a control sequence that the text begins with; of any other escape, what follows its first character.
pub(crate) fn after_sequence(text: &str) -> &str {
    let mut characters = text.chars();
    let has_two = characters.next() != Some('\u{9b}');
    if has_two && !characters.as_str().starts_with('[') {
        return characters.as_str();
    }
    if has_two {
        characters.next();
    }
    let parameters = characters.as_str();
    let rest = parameters.trim_start_matches(|character| matches!(character, '\u{20}'..='\u{3f}'));
    match rest.chars().next() {
        Some(end @ '\u{40}'..='\u{7e}') => rest.get(end.len_utf8()..).unwrap_or_default(),
        Some(_) | None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patterns(texts: &[&str]) -> Vec<Regex> {
        texts.iter().map(|text| Regex::new(text).unwrap()).collect()
    }

    fn shown(text: &str, hidden: &[&str], limit: usize) -> (String, u64) {
        let kept = kept(text, &patterns(hidden), limit);
        (kept.text, kept.cut)
    }

    #[test]
    fn what_a_pattern_matches_is_hidden_and_the_rest_stays() {
        let text = "user=bob password: hunter2 and token=abc";
        assert_eq!(
            shown(text, &[r"password:\s*\S+", r"token=\w+"], 1000),
            ("user=bob [redacted] and [redacted]".to_owned(), 0)
        );
        assert_eq!(shown("aXbXc", &["X"], 1000).0, "a[redacted]b[redacted]c");
        // Matches that overlap hide all of both.
        assert_eq!(shown("0123456789", &["234", "456"], 1000).0, "01[redacted]789");
        assert!(!kept("nothing", &patterns(&["X"]), 10).redacted);
    }

    #[test]
    fn a_match_that_goes_beyond_what_is_kept_is_hidden_whole() {
        assert_eq!(shown("ab hunter2 cd", &["hunter2"], 5), ("ab [redacted]".to_owned(), 3));
        assert_eq!(shown("ab hunter2 cd", &["hunter2"], 2), ("ab".to_owned(), 11));
        let long = format!("x{}", "7".repeat(LOOKAHEAD));
        assert_eq!(shown(&long, &["7+"], 3).0, "x[redacted]");
    }

    #[test]
    fn colours_do_not_hide_a_secret_from_a_pattern() {
        let text = "\u{1b}[32;1mPassword\u{1b}[0m : hun\u{1b}[31mter2\u{1b}[0m!";
        let (text, _) = shown(text, &[r"Password : hunter2"], 1000);
        assert_eq!(text, "\u{1b}[32;1m[redacted]\u{1b}[0m!");
        assert!(is_matched("a\u{9b}1mb", &patterns(&["ab"])));
        assert_eq!(shown("hun\u{241b}[31mter2", &["hunter2"], 1000).0, "[redacted]");
    }

    #[test]
    fn what_is_no_sequence_is_still_text() {
        assert_eq!(after_sequence("\u{1b}[31mx"), "x");
        assert_eq!(after_sequence("\u{1b}x"), "x");
        assert_eq!(after_sequence("\u{1b}"), "");
        assert_eq!(after_sequence("\u{1b}[\u{7}x"), "\u{7}x");
        assert_eq!(after_sequence("\u{9b}0Kx"), "x");
    }

    proptest! {
        #[test]
        fn no_secret_is_left_wherever_it_stands(
            parts in proptest::collection::vec("(SECRET|\u{1b}\\[[0-9;]{0,3}m|[a-zé ]{0,9}|SEC|RET)", 0..20),
            limit in 0_usize..80,
        ) {
            let text = parts.concat();
            let kept = kept(&text, &patterns(&["SECRET"]), limit);
            prop_assert!(!kept.text.contains("SECRET"));
            prop_assert!(!Plain::of(&kept.text).text.contains("SECRET"));
        }

        #[test]
        fn without_patterns_the_beginning_is_kept(text in ".{0,80}", limit in 0_usize..100) {
            let kept = kept(&text, &[], limit);
            prop_assert!(kept.text.len() <= limit && text.starts_with(&kept.text));
            prop_assert_eq!(kept.text.len() + usize::try_from(kept.cut).unwrap(), text.len());
        }
    }
}
