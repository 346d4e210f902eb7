//! Values as PowerShell writes them.

use std::fmt;

/// A constant of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    List(Vec<Literal>),
    Table(Vec<(String, Literal)>),
}

impl Literal {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn texts<'t, I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_quoted(f, text),
            Self::List(items) if items.is_empty() => f.write_str("@()"),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    item.fmt(f)?;
                }
                Ok(())
            }
            Self::Table(entries) => {
                f.write_str("@{ ")?;
                for (key, value) in entries {
                    write_key(f, key)?;
                    write!(f, " = {value}; ")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    if key.chars().all(|c| c.is_ascii_alphabetic()) && !key.is_empty() {
        return f.write_str(key);
    }
    write_quoted(f, key)
}

/// In single quotes nothing means anything but the quotes themselves, of which PowerShell knows five.
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("'")?;
    for character in text.chars() {
        if matches!(character, '\'' | '\u{2018}'..='\u{201B}') {
            write!(f, "{character}")?;
        }
        write!(f, "{character}")?;
    }
    f.write_str("'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jea::data;

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "",
            "a",
            "it's",
            "\u{2018}\u{201B}\u{201A}'",
            "\"$x`n\"",
            "two\r\nlines",
            "@{ }",
            "#",
            "受注\u{A0}",
            "'@\n",
        ] {
            let literal = Literal::Table(vec![
                ("Name".to_owned(), Literal::texts([text, "z"])),
                (format!("k{text}"), Literal::text(text)),
            ]);
            let table = data::parse(&literal.to_string()).unwrap();
            assert_eq!(table.get("name").unwrap().node.value.kind(), "a list");
            let data::Value::Text(read) = &table.0[1].node.value else { panic!("{literal}") };
            assert_eq!((read.as_str(), table.0[1].key.as_str()), (text, format!("k{text}").as_str()));
        }
    }
}
