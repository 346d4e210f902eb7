//! Reads one TOML document so that every mistake in it is found in one pass, each with its place.

#![expect(clippy::wildcard_enum_match_arm, reason = "TOML's kinds: whatever is not the wanted one is a mistake")]

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::Mistake;
use super::units;

/// Mistakes that are told; more would not be read.
const MAX_MISTAKES: usize = 100;

pub(super) type Span = Range<usize>;

/// A text and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Located {
    pub(super) text: String,
    pub(super) span: Span,
}

/// A document and what was found wrong with it.
pub(super) struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, mistakes: Vec::new() }
    }

    /// The document's top. What TOML cannot read is reported, and the rest is read all the same.
    pub(super) fn document(&mut self) -> Section<'a> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let span = error.span().unwrap_or_default();
            self.mistake(&span, format!("not readable as TOML: {}", error.message()), "correct the syntax here");
        }
        Section { name: String::new(), span: 0..0, table: table.into_inner(), known: Vec::new(), given: true }
    }

    pub(super) fn mistake(&mut self, span: &Span, message: impl Into<String>, fix: impl Into<String>) {
        if self.mistakes.len() < MAX_MISTAKES {
            let (line, column) = self.place(span.start);
            let file = self.file.to_owned();
            self.mistakes.push(Mistake { file, line, column, message: message.into(), fix: fix.into() });
        }
    }

    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Mistake>> {
        if value.is_none() && self.mistakes.is_empty() {
            self.mistake(&(0..0), "the configuration is incomplete", "compare it with the example");
        }
        self.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        match value {
            Some(value) if self.mistakes.is_empty() => Ok(value),
            Some(_) | None => Err(self.mistakes),
        }
    }

    /// A path as the document means it: from the folder that the document is in.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or_else(|| Path::new("")).join(path)
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let column = before.get(line_start..).unwrap_or_default().chars().count().saturating_add(1);
        (before.matches('\n').count().saturating_add(1), column)
    }
}

/// A table of the document. Keys are taken out as they are read; what stays is unknown.
pub(super) struct Section<'a> {
    name: String,
    pub(super) span: Span,
    table: DeTable<'a>,
    known: Vec<&'static str>,
    /// Whether the document has it at all.
    pub(super) given: bool,
}

impl<'a> Section<'a> {
    /// How mistakes call a key of this section.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// A table inside this one; an empty one if it is not there.
    pub(super) fn section(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Section<'a> {
        let name = self.path_of(key);
        match self.take(key) {
            None => Section { name, span: self.span.clone(), table: DeTable::new(), known: Vec::new(), given: false },
            Some(value) => into_section(reader, name, value),
        }
    }

    /// The tables of an array of tables.
    pub(super) fn sections(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<Section<'a>> {
        let name = self.path_of(key);
        let Some(value) = self.take(key) else { return Vec::new() };
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(items) => items.into_iter().map(|item| into_section(reader, name.clone(), item)).collect(),
            other => {
                wrong_kind(reader, &span, &name, "a list of tables", &other);
                Vec::new()
            }
        }
    }

    /// The tables of a table whose keys are names.
    pub(super) fn named(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<(Located, Section<'a>)> {
        let outer = self.section(reader, key);
        let name = outer.name;
        let entries = outer.table.into_iter();
        let read = entries.map(|(key, value)| {
            let located = located(&key);
            let section = into_section(reader, format!("{name}.{}", located.text), value);
            (located, section)
        });
        read.collect()
    }

    /// The tables of a table whose keys are names, where a list stands for a table with that list under `list_key`.
    pub(super) fn named_or_lists(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        list_key: &'static str,
    ) -> Vec<(Located, Section<'a>)> {
        let outer = self.section(reader, key);
        let name = outer.name;
        let entries = outer.table.into_iter();
        let read = entries.map(|(key, value)| {
            let located = located(&key);
            let section = into_section(reader, format!("{name}.{}", located.text), in_table(value, list_key));
            (located, section)
        });
        read.collect()
    }

    pub(super) fn text(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Located> {
        let name = self.path_of(key);
        let value = self.take(key)?;
        into_text(reader, &name, value)
    }

    /// A text that has to be there.
    pub(super) fn required(&mut self, reader: &mut Reader<'_>, key: &'static str, fix: &str) -> Option<Located> {
        let missing = !self.table.contains_key(key);
        let text = self.text(reader, key);
        if missing {
            let name = self.path_of(key);
            reader.mistake(&self.span, format!("`{name}` is missing"), fix);
        }
        text
    }

    pub(super) fn path(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<PathBuf> {
        let text = self.text(reader, key)?;
        checked_path(reader, &text)
    }

    pub(super) fn required_path(&mut self, reader: &mut Reader<'_>, key: &'static str, fix: &str) -> Option<PathBuf> {
        let text = self.required(reader, key, fix)?;
        checked_path(reader, &text)
    }

    pub(super) fn list(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<Located> {
        let name = self.path_of(key);
        self.take(key).map(|value| into_list(reader, &name, value)).unwrap_or_default()
    }

    pub(super) fn flag(&mut self, reader: &mut Reader<'_>, key: &'static str, default: bool) -> bool {
        let name = self.path_of(key);
        let Some(value) = self.take(key) else { return default };
        let span = value.span();
        match value.into_inner() {
            DeValue::Boolean(flag) => flag,
            other => {
                wrong_kind(reader, &span, &name, "true or false", &other);
                default
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        words: &[(&str, T)],
        default: T,
    ) -> T {
        let name = self.path_of(key);
        let Some(text) = self.text(reader, key) else { return default };
        match words.iter().find(|(word, _)| *word == text.text) {
            Some((_, value)) => *value,
            None => {
                let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                reader.mistake(
                    &text.span,
                    format!("`{name}` has no such value"),
                    format!("write {}", known.join(" or ")),
                );
                default
            }
        }
    }

    pub(super) fn number(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        self.measured(reader, key, range, default, |value| match value {
            DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        })
    }

    /// A number that a `usize` holds.
    pub(super) fn count(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> usize {
        let range = u64::from(*range.start())..=u64::from(*range.end());
        let number = self.number(reader, key, range, u64::from(default));
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    /// A number of bytes: an integer, or a text such as `"64MiB"`.
    pub(super) fn bytes(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let shown = format!(
            "a size from {} to {}, such as \"64KiB\"",
            units::size_text(*range.start()),
            units::size_text(*range.end())
        );
        let read = |value: &DeValue<'_>| match value {
            DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            DeValue::String(text) => units::parse_size(text),
            _ => None,
        };
        self.ranged(reader, key, (range, &shown), default, read)
    }

    /// A time: a text such as `"30s"`.
    pub(super) fn duration(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        range: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let shown = format!(
            "a time from {} to {}, such as \"30s\"",
            units::time_text(*range.start()),
            units::time_text(*range.end())
        );
        let read = |value: &DeValue<'_>| match value {
            DeValue::String(text) => units::parse_time(text),
            _ => None,
        };
        self.ranged(reader, key, (range, &shown), default, read)
    }

    fn measured(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
        read: impl FnOnce(&DeValue<'_>) -> Option<u64>,
    ) -> u64 {
        let shown = format!("a number from {} to {}", range.start(), range.end());
        self.ranged(reader, key, (range, &shown), default, read)
    }

    fn ranged<T: PartialOrd>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        (range, shown): (RangeInclusive<T>, &str),
        default: T,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> T {
        let name = self.path_of(key);
        let Some(value) = self.take(key) else { return default };
        match read(value.get_ref()) {
            Some(number) if range.contains(&number) => number,
            Some(_) => {
                reader.mistake(&value.span(), format!("`{name}` is out of range"), format!("write {shown}"));
                default
            }
            None => {
                wrong_kind(reader, &value.span(), &name, shown, value.get_ref());
                default
            }
        }
    }

    /// Reports the keys that nobody has read.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for key in self.table.keys() {
            let name = self.path_of(key.get_ref());
            let fix = match nearest(key.get_ref(), &self.known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            reader.mistake(&key.span(), format!("there is no key `{name}`"), fix);
        }
    }
}

fn into_section<'a>(reader: &mut Reader<'_>, name: String, value: Spanned<DeValue<'a>>) -> Section<'a> {
    let span = value.span();
    let table = match value.into_inner() {
        DeValue::Table(table) => table,
        other => {
            wrong_kind(reader, &span, &name, "a table", &other);
            DeTable::new()
        }
    };
    Section { name, span, table, known: Vec::new(), given: true }
}

/// A list as a table that has it under a key; any other value as it is.
fn in_table<'a>(value: Spanned<DeValue<'a>>, key: &'static str) -> Spanned<DeValue<'a>> {
    if !matches!(value.get_ref(), DeValue::Array(_)) {
        return value;
    }
    let span = value.span();
    let table = DeTable::from_iter([(Spanned::new(span.clone(), key.into()), value)]);
    Spanned::new(span, DeValue::Table(table))
}

fn into_text(reader: &mut Reader<'_>, name: &str, value: Spanned<DeValue<'_>>) -> Option<Located> {
    let span = value.span();
    match value.into_inner() {
        DeValue::String(text) if text.is_empty() => {
            reader.mistake(&span, format!("`{name}` is empty"), "write a value, or leave the key out");
            None
        }
        DeValue::String(text) => Some(Located { text: text.into_owned(), span }),
        other => {
            wrong_kind(reader, &span, name, "a text in quotes", &other);
            None
        }
    }
}

fn into_list(reader: &mut Reader<'_>, name: &str, value: Spanned<DeValue<'_>>) -> Vec<Located> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Array(items) => items.into_iter().filter_map(|item| into_text(reader, name, item)).collect(),
        other => {
            wrong_kind(reader, &span, name, "a list of texts", &other);
            Vec::new()
        }
    }
}

fn checked_path(reader: &mut Reader<'_>, text: &Located) -> Option<PathBuf> {
    if text.text.contains('\0') {
        reader.mistake(&text.span, "a path cannot have a NUL character", "take it out");
        return None;
    }
    Some(reader.resolve(&text.text))
}

fn located(key: &Spanned<std::borrow::Cow<'_, str>>) -> Located {
    Located { text: key.get_ref().clone().into_owned(), span: key.span() }
}

fn wrong_kind(reader: &mut Reader<'_>, span: &Span, name: &str, wanted: &str, found: &DeValue<'_>) {
    let found = match found {
        DeValue::String(_) => "this text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    reader.mistake(span, format!("`{name}` cannot be {found}"), format!("write {wanted}"));
}

/// The known word that differs least, if it differs little.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let close = known.iter().map(|candidate| (distance(word, candidate), *candidate)).min()?;
    (close.0 <= close.1.len().max(3) / 3).then_some(close.1)
}

/// Levenshtein's, over characters.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index.saturating_add(1);
        for (right, cell) in two.iter().zip(row.iter_mut().skip(1)) {
            let cost = diagonal.saturating_add(usize::from(left != *right));
            diagonal = *cell;
            before = cost.min(before.saturating_add(1)).min(cell.saturating_add(1));
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = index.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
