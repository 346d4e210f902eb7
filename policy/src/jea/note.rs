//! What became of a field, for whoever has to stand by the result.

use std::fmt;

use super::data::Place;

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

    fn add(&mut self, place: Place, field: &str, outcome: Outcome, message: String) -> String {
        let Place { line, column } = place;
        let (file, field) = (self.file.to_owned(), field.to_owned());
        self.taken.push(Note { file, line, column, field, outcome, message: message.clone() });
        message
    }
}
