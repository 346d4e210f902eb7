//! Text of a peer that a terminal or a page may be given.

use std::fmt::Write as _;

use super::MORE;

/// One line of at most `max` characters without any that a terminal acts upon, tabs and line ends included.
#[must_use]
pub fn harmless(text: &str, max: usize) -> String {
    let mut out = Bounded::new(max);
    out.push_line(text);
    out.finish()
}

/// A line that is being made, with its bound in characters.
pub(super) struct Bounded {
    text: String,
    left: usize,
    cut: bool,
}

impl Bounded {
    pub(super) fn new(max: usize) -> Self {
        Self { text: String::new(), left: max, cut: false }
    }

    /// Whether anything more would be left out.
    pub(super) fn is_full(&self) -> bool {
        self.cut
    }

    /// Text in which a tab may stand.
    pub(super) fn push(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                _ if self.cut => return,
                '\t' => self.take("\t"),
                c => self.char(c),
            }
        }
    }

    /// Text that has to stay within a column.
    pub(super) fn push_line(&mut self, text: &str) {
        for c in text.chars() {
            if self.cut {
                return;
            }
            self.char(c);
        }
    }

    pub(super) fn finish(mut self) -> String {
        if self.cut {
            // In the place of the last one that stands.
            if self.left == 0 {
                self.text.pop();
            }
            self.text.push_str(MORE);
        }
        self.text
    }

    fn char(&mut self, c: char) {
        let mut shown = String::new();
        match c {
            '\0'..='\u{1F}' => shown.extend(picture(c)),
            '\u{7F}' => shown.push('\u{2421}'),
            c if is_acted_upon(c) => {
                let _always = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
        self.take(&shown);
    }

    /// All of it or nothing.
    fn take(&mut self, shown: &str) {
        match self.left.checked_sub(shown.chars().count()) {
            Some(left) if !self.cut => {
                self.text.push_str(shown);
                self.left = left;
            }
            Some(_) | None => self.cut = true,
        }
    }
}

/// U+2400 and the following: control characters as pictures.
fn picture(c: char) -> Option<char> {
    char::from_u32(u32::from(c).saturating_add(0x2400))
}

/// Control characters beyond ASCII, other ends of lines, and what turns the direction of text around.
fn is_acted_upon(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9F}' | '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
