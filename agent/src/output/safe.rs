//! Text from elsewhere, made harmless for a terminal.

use std::io::{self, Write};

/// Whether a terminal shows this character and does nothing else.
///
/// Not harmless are control characters (escape sequences begin with one), and those that change the direction
/// of what stands beside them, by which one text is made to look like another.
pub(super) fn is_harmless(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => false,
        other => !other.is_control(),
    }
}

/// Writes text of one line; what is not harmless is written as `\u{1b}`, a tab stays.
///
/// # Errors
/// What the writer fails with.
pub fn write_safe(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut plain = 0;
    for (position, character) in text.char_indices() {
        if is_harmless(character) || character == '\t' {
            continue;
        }
        out.write_all(text.get(plain..position).unwrap_or_default().as_bytes())?;
        write!(out, "{}", character.escape_unicode())?;
        plain = position.saturating_add(character.len_utf8());
    }
    out.write_all(text.get(plain..).unwrap_or_default().as_bytes())
}

/// Writes output of a program line by line, each with `indent` in front. Bytes that are no UTF-8 become `\u{fffd}`.
pub(crate) fn write_lines(out: &mut dyn Write, indent: &str, bytes: &[u8]) -> io::Result<()> {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        out.write_all(indent.as_bytes())?;
        write_safe(out, line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(text: &str) -> String {
        let mut out = Vec::new();
        write_safe(&mut out, text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_stays_as_it_is() {
        for text in ["", "plain text ~", "tab\there", "Gr\u{fc}\u{df}e \u{95a2}\u{6240} \u{1f600}"] {
            assert_eq!(safe(text), text);
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        assert_eq!(safe("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(safe("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(safe("x\rhidden"), "x\\u{d}hidden");
        assert_eq!(safe("exe\u{202e}txt"), "exe\\u{202e}txt");
        for code in (0..0x20).chain(0x7f..0xa0) {
            let character = char::from_u32(code).unwrap();
            let written = safe(&character.to_string());
            assert!(character == '\t' || written.chars().all(|c| (' '..='~').contains(&c)), "{code:x}");
        }
    }

    #[test]
    fn lines_are_indented_and_windows_line_ends_vanish() {
        let mut out = Vec::new();
        write_lines(&mut out, "  ", b"one\r\ntwo\n\n\x1bthree\xff").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  one\n  two\n  \n  \\u{1b}three\u{fffd}\n");
    }
}
