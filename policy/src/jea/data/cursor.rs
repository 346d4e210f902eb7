//! A place in a text, one character after the other.

use std::str::Chars;

use super::Place;

/// What is left of a text, and where that is.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    rest: Chars<'t>,
    place: Place,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text.chars(), place: Place { line: 1, column: 1 } }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn rest(&self) -> &'t str {
        self.rest.as_str()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    pub(super) fn second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        // A carriage return before a line feed is one line end with it.
        let ends_line = character == '\n' || character == '\r' && self.peek() != Some('\n');
        if ends_line {
            self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
        } else {
            self.place.column = self.place.column.saturating_add(1);
        }
        Some(character)
    }

    /// Goes on if this character comes next.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Goes on by one line end, if there is one here.
    pub(super) fn eat_line_end(&mut self) -> bool {
        self.eat('\r') | self.eat('\n')
    }

    /// What is not a line end up to the next one.
    pub(super) fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| !is_line_end(c)) {
            self.next();
        }
    }
}

pub(super) fn is_line_end(character: char) -> bool {
    matches!(character, '\r' | '\n')
}

/// A blank of PowerShell's, which U+0085 and the separators of Unicode are and line ends are not.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() && !is_line_end(character)
}

pub(super) fn is_single_quote(character: char) -> bool {
    matches!(character, '\'' | '\u{2018}'..='\u{201B}')
}

pub(super) fn is_double_quote(character: char) -> bool {
    matches!(character, '"' | '\u{201C}'..='\u{201E}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_of_every_kind() {
        let mut cursor = Cursor::new("a\r\nb\rc\nd受e");
        let mut places = Vec::new();
        while let Some(c) = cursor.next() {
            places.push((c, cursor.place().line, cursor.place().column));
        }
        let expected = [
            ('a', 1, 2),
            ('\r', 1, 3),
            ('\n', 2, 1),
            ('b', 2, 2),
            ('\r', 3, 1),
            ('c', 3, 2),
            ('\n', 4, 1),
            ('d', 4, 2),
            ('受', 4, 3),
            ('e', 4, 4),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_line_end_is_eaten_whole() {
        let mut cursor = Cursor::new("\r\n\r\n");
        assert!(cursor.eat_line_end());
        assert_eq!(cursor.rest(), "\r\n");
        assert!(Cursor::new("\rx").eat_line_end() && Cursor::new("\nx").eat_line_end());
        assert!(!Cursor::new("x").eat_line_end());
    }
}
