//! PowerShell data files as data: hashtables, lists, texts, numbers, switches. Nothing in them is ever run.
//!
//! PowerShell itself runs `.psrc` and `.pssc` files as scripts. What is read here means the same to it, and
//! everything whose value would only come out by running it is refused with its place.

mod cursor;
mod encoding;
mod number;
mod parser;
mod script;
mod text;

pub(crate) use encoding::{Encoding, decode};
pub(crate) use number::as_text as number_text;
pub(crate) use parser::parse;

use crate::fold::fold;

/// Where something stands: line and column in characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What a data file can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// As it is spelled.
    Number(String),
    Switch(bool),
    Null,
    List(Vec<Node>),
    Table(Table),
    /// The text between the braces of a script block, which nobody looks into.
    Script(String),
}

impl Value {
    /// What it is called in messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Switch(_) => "true or false",
            Self::Null => "$null",
            Self::List(_) => "a list",
            Self::Table(_) => "a hashtable",
            Self::Script(_) => "a script block",
        }
    }
}

/// A hashtable in the order in which it is written. No name stands twice in it, whatever its case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table(pub(crate) Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Of the key.
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Table {
    /// The entry of a name, ignoring case as PowerShell does.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        let key = fold(key);
        self.0.iter().find(|entry| fold(&entry.key) == key)
    }
}

/// Why a text is no data file that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataMistake {
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl DataMistake {
    fn new(place: Place, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place, message: message.into(), hint: hint.into() }
    }
}
