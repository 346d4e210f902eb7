//! Reading one TOML document so that every mistake in it is found in one pass, each with its place.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::limits;
use crate::mistake::{Mistake, Warning};
use crate::pattern::{Pattern, PatternMistake};

/// A value of a document.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;

/// Bytes of a document.
pub(crate) type Span = Range<usize>;

/// A name and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// Whether the document was readable as TOML. If not, what is missing in it may only have been unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completeness {
    Whole,
    Partial,
}

/// A document, and what was found in it so far.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
    pub(crate) completeness: Completeness,
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) warnings: Vec<Warning>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at.saturating_add(1))).collect();
        Self { file, text, lines, completeness: Completeness::Whole, mistakes: Vec::new(), warnings: Vec::new() }
    }

    /// Line and column in characters, both from 1.
    pub(crate) fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default().trim_start_matches('\u{FEFF}');
        (line, before.chars().count().saturating_add(1))
    }

    pub(crate) fn mistake(&mut self, span: &Span, message: impl Into<String>, hint: impl Into<String>) {
        let (line, column) = self.place(span.start);
        let file = self.file.to_owned();
        self.mistakes.push(Mistake { file, line, column, message: message.into(), hint: hint.into() });
    }

    pub(crate) fn warning(&mut self, span: &Span, message: impl Into<String>, hint: impl Into<String>) {
        let (line, column) = self.place(span.start);
        let file = self.file.to_owned();
        self.warnings.push(Warning { file, line, column, message: message.into(), hint: hint.into() });
    }

    /// Parses the document. What TOML cannot read is reported, and the rest of it is read all the same.
    pub(crate) fn parse(&mut self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let hint = "correct the TOML here; text that holds backslashes stands in single quotes";
            let span = error.span().unwrap_or_default();
            self.mistake(&span, format!("not readable as TOML: {}", error.message()), hint);
            self.completeness = Completeness::Partial;
        }
        table
    }

    /// Reports keys that nobody reads.
    pub(crate) fn known_keys(&mut self, table: &DeTable<'_>, what: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let hint = match nearest_of(key.get_ref(), known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            self.mistake(&key.span(), format!("unknown key `{}` in {what}", shown(key.get_ref())), hint);
        }
    }

    /// Reports a key that has to be there.
    pub(crate) fn missing(&mut self, span: &Span, what: &str, key: &str, hint: &str) {
        if self.completeness == Completeness::Whole {
            self.mistake(span, format!("{what} has no `{key}`"), hint);
        }
    }

    fn wrong_type(&mut self, value: &Value<'_>, what: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        self.mistake(&value.span(), format!("{what} is a TOML {found}"), format!("write {wanted}"));
    }

    pub(crate) fn table<'t, 'i>(&mut self, value: &'t Value<'i>, what: &str, wanted: &str) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, what, wanted);
        }
        table
    }

    pub(crate) fn list<'t, 'i>(&mut self, value: &'t Value<'i>, what: &str, wanted: &str) -> Option<&'t DeArray<'i>> {
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_type(value, what, wanted);
            return None;
        };
        if list.len() > limits::LIST {
            self.mistake(&value.span(), format!("{what} has more than {} entries", limits::LIST), "split it");
            return None;
        }
        Some(list)
    }

    pub(crate) fn text(&mut self, value: &Value<'_>, what: &str) -> Option<Located> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(value, what, "text in quotes");
            return None;
        };
        Some(Located { text: text.to_owned(), span: value.span() })
    }

    /// A list of texts; entries that are none are reported, the others returned.
    pub(crate) fn texts(&mut self, value: &Value<'_>, what: &str) -> Vec<Located> {
        let Some(list) = self.list(value, what, "a list of texts, for instance ['a', 'b']") else {
            return Vec::new();
        };
        let what = format!("an entry of {what}");
        list.iter().filter_map(|entry| self.text(entry, &what)).collect()
    }

    pub(crate) fn switch(&mut self, value: &Value<'_>, what: &str) -> Option<bool> {
        let switch = value.get_ref().as_bool();
        if switch.is_none() {
            self.wrong_type(value, what, "true or false");
        }
        switch
    }

    pub(crate) fn count(&mut self, value: &Value<'_>, what: &str, most: usize) -> Option<usize> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(value, what, "a whole number");
            return None;
        };
        let count = usize::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|count| *count <= most);
        if count.is_none() {
            self.mistake(&value.span(), format!("{what} is out of range"), format!("write a number from 0 to {most}"));
        }
        count
    }

    pub(crate) fn pattern(&mut self, source: &Located, patterns: &mut Patterns) -> Option<Arc<Pattern>> {
        match patterns.parse(&source.text) {
            Ok(pattern) => {
                if let Some(bytes) = pattern.shortens() {
                    let message = format!("values of more than {bytes} bytes are refused: judging them takes too long");
                    self.warning(&source.span, message, "lower the counts of the pattern, or nest them less");
                }
                Some(pattern)
            }
            Err(PatternMistake { message, hint }) => {
                self.mistake(&source.span, message, hint);
                None
            }
        }
    }
}

/// The patterns of a policy, each compiled once.
#[derive(Debug, Default)]
pub(crate) struct Patterns(HashMap<String, Arc<Pattern>>);

impl Patterns {
    fn parse(&mut self, source: &str) -> Result<Arc<Pattern>, PatternMistake> {
        if let Some(known) = self.0.get(source) {
            return Ok(Arc::clone(known));
        }
        if self.0.len() >= limits::PATTERNS {
            return Err(PatternMistake {
                message: format!("the policy has more than {} different patterns", limits::PATTERNS),
                hint: "use exact lists where few values are allowed".to_owned(),
            });
        }
        let pattern = Arc::new(Pattern::parse(source)?);
        self.0.insert(source.to_owned(), Arc::clone(&pattern));
        Ok(pattern)
    }
}

/// The name that somebody most likely meant: at most two letters away, and a third of the name.
pub(crate) fn nearest_of<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    if name.chars().count() > limits::NAME {
        return None;
    }
    let most = name.chars().count().div_ceil(3).min(2);
    let count = name.chars().count();
    known
        .iter()
        .filter(|known| known.chars().count().abs_diff(count) <= most)
        .map(|known| (distance(name, known), *known))
        .filter(|(far, _)| *far <= most)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance, ignoring the case of ASCII.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (index, letter) in b.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let mut diagonal = index;
        let mut left = index.saturating_add(1);
        let mut next = vec![left];
        for (other, above) in a.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(*other != letter));
            left = replaced.min(left.saturating_add(1)).min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// A text of a document in a message: short, on one line.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(limits::SHOWN_VALUE).flat_map(char::escape_debug).collect();
    if text.chars().nth(limits::SHOWN_VALUE).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let reader = Reader::new("f", "ab\n受x\r\n\ny");
        assert_eq!(reader.place(0), (1, 1));
        assert_eq!(reader.place(2), (1, 3));
        assert_eq!(reader.place(3), (2, 1));
        assert_eq!(reader.place(6), (2, 2));
        assert_eq!(reader.place(9), (3, 1));
        assert_eq!(reader.place(10), (4, 1));
        assert_eq!(reader.place(999), (4, 1));
        assert_eq!(Reader::new("f", "\u{FEFF}ab").place(3), (1, 1));
    }

    #[test]
    fn the_nearest_name_is_two_letters_away_at_most() {
        assert_eq!(nearest_of("princpals", &["roles", "principals"]), Some("principals"));
        assert_eq!(nearest_of("Path", &["path", "name"]), Some("path"));
        assert_eq!(nearest_of("cmdlets", &["path", "name"]), None);
        assert_eq!(nearest_of("ab", &["cd"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }
}
