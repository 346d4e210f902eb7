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
use crate::mistake::Mistake;

/// Reads the bytes of a data file: its hashtable.
///
/// Takes UTF-16 with a byte order mark and UTF-8 with and without one. Time is linear in the length, and nesting is
/// bounded by [`crate::limits::DATA_DEPTH`].
///
/// # Errors
/// The first thing that is not readable, or whose value only running it would tell, with its place.
pub fn read(name: &str, bytes: &[u8]) -> Result<Table, Mistake> {
    let in_file = |mistake: DataMistake| mistake.in_file(name);
    let (_, text) = decode(bytes).map_err(in_file)?;
    parse(&text).map_err(in_file)
}

/// Where something stands: line and column in characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it starts.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a data file can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text of any kind of quotes, without them.
    Text(String),
    /// As it is spelled.
    Number(String),
    /// `$true` or `$false`.
    Switch(bool),
    /// `$null`.
    Null,
    /// Several values, or `@( … )`.
    List(Vec<Node>),
    /// `@{ … }`.
    Table(Table),
    /// The text between the braces of a script block, which nobody looks into.
    Script(String),
}

impl Value {
    /// What it is called in messages.
    pub fn kind(&self) -> &'static str {
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
pub struct Table(pub Vec<Entry>);

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// The value.
    pub node: Node,
}

impl Table {
    /// The entry of a name, ignoring case as PowerShell does.
    pub fn get(&self, key: &str) -> Option<&Entry> {
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
    pub(crate) fn in_file(self, name: &str) -> Mistake {
        let Place { line, column } = self.place;
        Mistake { file: name.to_owned(), line, column, message: self.message, hint: self.hint }
    }

    fn new(place: Place, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place, message: message.into(), hint: hint.into() }
    }
}
