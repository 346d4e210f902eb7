//! Writes a document, escaping everything.

use super::is_carried;
use crate::Result;
use crate::error::Malformed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// Writes elements one after another. Names are ours and constant; text is anybody's.
#[derive(Default)]
pub struct Writer {
    out: String,
    open: Vec<&'static str>,
    in_tag: bool,
    replaced: bool,
}

impl fmt::Debug for Writer {
    /// What is written may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("bytes", &self.out.len()).finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer with room for this many bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: String::with_capacity(capacity), ..Self::default() }
    }

    /// Opens an element.
    pub fn start(&mut self, name: &'static str) -> &mut Self {
        self.close_tag();
        self.out.push('<');
        self.out.push_str(name);
        self.open.push(name);
        self.in_tag = true;
        self
    }

    /// Adds an attribute to the element that was just opened.
    pub fn attribute(&mut self, name: &'static str, value: &str) -> &mut Self {
        debug_assert!(self.in_tag, "an attribute has to follow its start");
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.escaped(value);
        self.out.push('"');
        self
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.close_tag();
        self.escaped(text);
        self
    }

    /// Writes bytes in base64, which needs no escapes.
    pub fn base64(&mut self, bytes: &[u8]) -> &mut Self {
        self.close_tag();
        STANDARD.encode_string(bytes, &mut self.out);
        self
    }

    /// Closes the element that was opened last.
    pub fn end(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            if self.in_tag {
                self.out.push_str("/>");
                self.in_tag = false;
            } else {
                self.out.push_str("</");
                self.out.push_str(name);
                self.out.push('>');
            }
        }
        self
    }

    /// An element that holds text alone.
    pub fn leaf(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.start(name).text(text).end()
    }

    /// The document, all elements closed.
    ///
    /// # Errors
    /// When some text held a character that XML cannot carry.
    pub fn finish(mut self) -> Result<String> {
        self.close_all();
        if self.replaced { Err(Malformed::XmlCharacter.into()) } else { Ok(self.out) }
    }

    /// The document, with U+FFFD for each character that XML cannot carry: for texts to be read by people.
    #[must_use]
    pub fn finish_replaced(mut self) -> String {
        self.close_all();
        self.out
    }

    fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.end();
        }
    }

    fn close_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push('>');
        }
    }

    fn escaped(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| needs_escape(c)) {
            let (plain, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.out.push_str(plain);
            let mut chars = after.chars();
            if let Some(c) = chars.next() {
                self.out.push_str(escape(c));
                self.replaced |= !is_carried(c);
            }
            rest = chars.as_str();
        }
        self.out.push_str(rest);
    }
}

/// White space other than blanks is written as numbers, since readers change it.
fn escape(c: char) -> &'static str {
    match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&apos;",
        '\t' => "&#9;",
        '\n' => "&#10;",
        '\r' => "&#13;",
        _ => "\u{FFFD}",
    }
}

fn needs_escape(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '"' | '\'' | '\t' | '\n' | '\r') || !is_carried(c)
}
