//! What became of a field, for whoever has to stand by the result.

use std::fmt;

use super::data::Place;
use crate::limits;

/// What was done with something in a JEA file or in a role, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The file, or the role.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The field, for instance `VisibleCmdlets`.
    pub field: String,
    /// Whether it was taken over.
    pub outcome: Outcome,
    /// What it became, why it did not, or what to think of.
    pub message: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was taken over.
    Became,
    /// It was left out. What is left out allows nothing.
    LeftOut,
    /// It was taken over, and is hardly meant, or means less or more on a target than it seems.
    Trap,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Became => "became",
            Self::LeftOut => "left out",
            Self::Trap => "trap",
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, field, outcome, message } = self;
        write!(f, "{file}:{line}:{column}: {field}: {outcome}: {message}")
    }
}

/// Collects the notes on one file.
#[derive(Debug)]
pub(super) struct Notes<'f> {
    file: &'f str,
    pub(super) taken: Vec<Note>,
}

impl<'f> Notes<'f> {
    pub(super) fn new(file: &'f str) -> Self {
        Self { file, taken: Vec::new() }
    }

    pub(super) fn became(&mut self, place: Place, field: &str, message: impl Into<String>) {
        self.add(place, field, Outcome::Became, message.into());
    }

    /// Notes what is left out, and gives the text back for the comment that stands in its place.
    pub(super) fn left_out(&mut self, place: Place, field: &str, message: impl Into<String>) -> String {
        self.add(place, field, Outcome::LeftOut, message.into())
    }

    /// Notes a trap, and gives the text back for the comment that stands above it.
    pub(super) fn trap(&mut self, place: Place, field: &str, message: impl Into<String>) -> String {
        self.add(place, field, Outcome::Trap, message.into())
    }

    /// Notes a trap that holds for every place of its kind, once a file.
    pub(super) fn trap_once(&mut self, place: Place, field: &str, message: &str) {
        if !self.taken.iter().any(|note| note.message == message) {
            self.trap(place, field, message);
        }
    }

    fn add(&mut self, place: Place, field: &str, outcome: Outcome, message: String) -> String {
        let Place { line, column } = place;
        let (file, field) = (self.file.to_owned(), field.to_owned());
        self.taken.push(Note { file, line, column, field, outcome, message: message.clone() });
        message
    }
}

/// A text of a file in a message: short, on one line, and as it is typed.
pub(super) fn shown(text: &str) -> String {
    let mut shown = plain(&text.chars().take(limits::SHOWN_VALUE).collect::<String>());
    if text.chars().nth(limits::SHOWN_VALUE).is_some() {
        shown.push('…');
    }
    shown
}

/// A text in which every character can be seen.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => plain.push(character),
            other => plain.extend(other.escape_debug()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_is_typed_and_nothing_hides_in_it() {
        assert_eq!(shown(r"CONTOSO\it's"), r"CONTOSO\it's".replace(r"\\", r"\"));
        assert_eq!(plain("a\nb\u{202E}c\u{200B}受"), "a\\nb\\u{202e}c\\u{200b}受");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), limits::SHOWN_VALUE + 1);
    }
}
