//! Reads a whole document into elements with resolved names.
//!
//! quick-xml finds the tokens; what they may be is decided here. A document holds at most
//! [`XML_DOCUMENT`] bytes, so its text needs no bound of its own.

use super::names::Namespace;
use super::{are_carried, is_carried, is_space};
use crate::Result;
use crate::error::{LimitExceeded, Malformed, Unsupported};
use crate::limits::{XML_ATTRIBUTES, XML_ATTRIBUTES_IN_ALL, XML_BINDINGS, XML_DEPTH, XML_DOCUMENT, XML_ELEMENTS};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::fmt;

/// An element, its names resolved whatever the prefix was.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    namespace: Namespace,
    local: String,
    attributes: Vec<Attribute>,
    children: Vec<Element>,
    text: String,
}

#[derive(Clone, PartialEq, Eq)]
struct Attribute {
    namespace: Namespace,
    local: String,
    value: String,
}

impl fmt::Debug for Element {
    /// Names and counts: text and values belong to the peer, and may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("namespace", &self.namespace)
            .field("children", &self.children.len())
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl Element {
    /// Whether it has this name.
    #[must_use]
    pub fn is(&self, namespace: Namespace, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Its name without prefix.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// An attribute's value.
    #[must_use]
    pub fn attribute(&self, namespace: Namespace, local: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.namespace == namespace && attribute.local == local)
            .map(|attribute| attribute.value.as_str())
    }

    /// All elements inside, in order.
    #[must_use]
    pub fn children(&self) -> &[Element] {
        &self.children
    }

    /// The elements inside that have this name.
    pub fn all(&self, namespace: Namespace, local: &'static str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.is(namespace, local))
    }

    /// The one element inside that has this name.
    ///
    /// # Errors
    /// [`Malformed::Duplicate`] when there are several: readers differ on which one counts.
    pub fn one(&self, namespace: Namespace, local: &'static str) -> Result<Option<&Element>> {
        let mut found = self.all(namespace, local);
        let first = found.next();
        if found.next().is_some() {
            return Err(Malformed::Duplicate.into());
        }
        Ok(first)
    }

    /// Its text.
    ///
    /// # Errors
    /// [`Malformed::Xml`] when there are elements inside: readers differ on what the text is.
    pub fn text(&self) -> Result<&str> {
        if self.children.is_empty() { Ok(&self.text) } else { Err(Malformed::Xml.into()) }
    }

    /// Its text without white space around it.
    ///
    /// # Errors
    /// As [`Element::text`].
    pub fn trimmed(&self) -> Result<&str> {
        Ok(self.text()?.trim_matches(is_space))
    }

    /// Its text and that of all elements inside, in no promised order: for people only.
    #[must_use]
    pub fn mixed_text(&self) -> String {
        let mut text = self.text.clone();
        for child in &self.children {
            text.push_str(&child.mixed_text());
        }
        text
    }
}

/// Reads a document in UTF-8, or in UTF-16 of either order.
///
/// # Errors
/// Whatever is not well-formed; a DTD, a processing instruction or an entity; and every bound of
/// [`crate::limits`].
pub fn parse(document: &[u8]) -> Result<Element> {
    let text = decode_text(document)?;
    if XML_DOCUMENT < text.len() {
        return Err(LimitExceeded::MessageSize.into());
    }
    if !are_carried(&text) {
        return Err(Malformed::XmlCharacter.into());
    }
    let mut reader = Reader::from_str(&text);
    reader.config_mut().enable_all_checks(true);
    let mut builder = Builder::default();
    loop {
        let event = reader.read_event().map_err(|_| Malformed::Xml)?;
        if event == Event::Eof {
            return builder.finish();
        }
        builder.take(event)?;
    }
}

/// UTF-16 is told by its byte order mark, or by the zero beside the first `<`. XML 1.0 appendix F.
fn decode_text(document: &[u8]) -> Result<Cow<'_, str>> {
    match document {
        [0xEF, 0xBB, 0xBF, rest @ ..] => decode_utf8(rest),
        [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
        [b'<', 0, ..] => decode_utf16(document, u16::from_le_bytes),
        [0, b'<', ..] => decode_utf16(document, u16::from_be_bytes),
        _ => decode_utf8(document),
    }
}

fn decode_utf8(bytes: &[u8]) -> Result<Cow<'_, str>> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Malformed::XmlEncoding.into())
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>> {
    if XML_DOCUMENT.saturating_mul(2) < bytes.len() {
        return Err(LimitExceeded::MessageSize.into());
    }
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Malformed::XmlEncoding.into());
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<std::result::Result<String, _>>()
        .map(Cow::Owned)
        .map_err(|_| Malformed::XmlEncoding.into())
}

/// What has been read so far.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    bindings: Vec<(String, Namespace)>,
    root: Option<Element>,
    elements: usize,
    attributes: usize,
    started: bool,
}

/// An element whose end has not come yet.
struct Open {
    element: Element,
    /// How many prefixes were bound outside it.
    outer_bindings: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<()> {
        let first = !std::mem::replace(&mut self.started, true);
        match event {
            Event::Start(start) => self.start(&start),
            Event::Empty(start) => {
                self.start(&start)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.cdata(&text.xml10_content()),
            Event::GeneralRef(reference) => self.cdata(reference_char(&reference)?.encode_utf8(&mut [0; 4])),
            Event::Comment(_) => Ok(()),
            Event::Decl(declaration) if first => check_declaration(&declaration),
            Event::Decl(_) => Err(Malformed::Xml.into()),
            Event::PI(_) => Err(Unsupported::ProcessingInstruction.into()),
            Event::DocType(_) => Err(Unsupported::Dtd.into()),
            Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<()> {
        if self.root.is_some() {
            return Err(Malformed::Xml.into());
        }
        if XML_DEPTH <= self.open.len() {
            return Err(LimitExceeded::XmlDepth.into());
        }
        self.elements = self.elements.saturating_add(1);
        if XML_ELEMENTS < self.elements {
            return Err(LimitExceeded::XmlElements.into());
        }
        let outer_bindings = self.bindings.len();
        let raw = self.raw_attributes(start)?;
        let name = start.name();
        let (prefix, local) = split_name(name.as_ref())?;
        let namespace = self.resolve(prefix)?;
        let attributes = self.resolve_attributes(raw)?;
        let element =
            Element { namespace, local: local.to_owned(), attributes, children: Vec::new(), text: String::new() };
        self.open.push(Open { element, outer_bindings });
        Ok(())
    }

    /// Takes in the declarations, and returns the other attributes unresolved, since a prefix may be
    /// declared after its use.
    fn raw_attributes(&mut self, start: &BytesStart<'_>) -> Result<Vec<(String, String)>> {
        let mut raw: Vec<(String, String)> = Vec::new();
        let mut declared = 0_usize;
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| Malformed::Xml)?;
            self.attributes = self.attributes.saturating_add(1);
            if XML_ATTRIBUTES <= raw.len().saturating_add(declared) || XML_ATTRIBUTES_IN_ALL < self.attributes {
                return Err(LimitExceeded::XmlAttributes.into());
            }
            let name = attribute.key.as_ref();
            let value = attribute_value(&attribute.value)?;
            let prefix = if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") };
            if name == "xmlns:" {
                return Err(Malformed::XmlPrefix.into());
            }
            let Some(prefix) = prefix else {
                if raw.iter().any(|(other, _)| other == name) {
                    return Err(Malformed::Duplicate.into());
                }
                raw.push((name.to_owned(), value));
                continue;
            };
            let bound_here = self.bindings.iter().rev().take(declared);
            if bound_here.into_iter().any(|(other, _)| other == prefix) {
                return Err(Malformed::Duplicate.into());
            }
            self.bind(prefix, &value)?;
            declared = declared.saturating_add(1);
        }
        Ok(raw)
    }

    fn bind(&mut self, prefix: &str, uri: &str) -> Result<()> {
        let namespace = Namespace::of_uri(uri);
        let undeclares = uri.is_empty() && !prefix.is_empty();
        let reserved = prefix == "xmlns" || (prefix == "xml") != (namespace == Namespace::Xml);
        if undeclares || reserved {
            return Err(Malformed::XmlPrefix.into());
        }
        if !prefix.is_empty() {
            check_name(prefix)?;
        }
        if XML_BINDINGS <= self.bindings.len() {
            return Err(LimitExceeded::XmlAttributes.into());
        }
        self.bindings.push((prefix.to_owned(), namespace));
        Ok(())
    }

    fn resolve(&self, prefix: &str) -> Result<Namespace> {
        if prefix == "xml" {
            return Ok(Namespace::Xml);
        }
        match self.bindings.iter().rev().find(|(bound, _)| bound == prefix) {
            Some((_, namespace)) => Ok(*namespace),
            None if prefix.is_empty() => Ok(Namespace::None),
            None => Err(Malformed::XmlPrefix.into()),
        }
    }

    fn resolve_attributes(&self, raw: Vec<(String, String)>) -> Result<Vec<Attribute>> {
        let mut attributes: Vec<Attribute> = Vec::with_capacity(raw.len());
        for (name, value) in raw {
            let (prefix, local) = split_name(&name)?;
            // The default namespace does not reach attributes.
            let namespace = if prefix.is_empty() { Namespace::None } else { self.resolve(prefix)? };
            let twice = |other: &Attribute| other.namespace == namespace && other.local == local;
            if namespace != Namespace::Other && attributes.iter().any(twice) {
                return Err(Malformed::Duplicate.into());
            }
            attributes.push(Attribute { namespace, local: local.to_owned(), value });
        }
        Ok(attributes)
    }

    fn end(&mut self) -> Result<()> {
        let Some(Open { element, outer_bindings }) = self.open.pop() else {
            return Err(Malformed::Xml.into());
        };
        self.bindings.truncate(outer_bindings);
        match self.open.last_mut() {
            Some(parent) => parent.element.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        match self.open.last_mut() {
            Some(open) => open.element.text.push_str(text),
            None if text.chars().all(is_space) => {}
            None => return Err(Malformed::Xml.into()),
        }
        Ok(())
    }

    /// Text that, unlike white space, may not stand outside the root.
    fn cdata(&mut self, text: &str) -> Result<()> {
        let Some(open) = self.open.last_mut() else {
            return Err(Malformed::Xml.into());
        };
        open.element.text.push_str(text);
        Ok(())
    }

    fn finish(self) -> Result<Element> {
        if !self.open.is_empty() {
            return Err(Malformed::Xml.into());
        }
        Ok(self.root.ok_or(Malformed::Xml)?)
    }
}

/// The text is decoded already, so the declared encoding only has to be one of those that we decode.
fn check_declaration(declaration: &quick_xml::events::BytesDecl<'_>) -> Result<()> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) => {
            let known = ["utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii"];
            if known.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                Ok(())
            } else {
                Err(Malformed::XmlEncoding.into())
            }
        }
        Some(Err(_)) => Err(Malformed::Xml.into()),
    }
}

fn split_name(name: &str) -> Result<(&str, &str)> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    if local.len() < name.len() {
        check_name(prefix)?;
    }
    check_name(local)?;
    Ok((prefix, local))
}

/// Nearly production 4 of Namespaces in XML: all of ASCII exactly, and beyond it generously.
fn check_name(name: &str) -> Result<()> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let rest = |c: char| first(c) || c.is_ascii_digit() || c == '-' || c == '.';
    if name.starts_with(first) && name.chars().all(rest) { Ok(()) } else { Err(Malformed::Xml.into()) }
}

pub(crate) fn attribute_value(raw: &str) -> Result<String> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, after)) = rest.split_once('&') {
        push_normalised(&mut value, plain)?;
        let (reference, after) = after.split_once(';').ok_or(Malformed::Xml)?;
        value.push(reference_char(reference)?);
        rest = after;
    }
    push_normalised(&mut value, rest)?;
    Ok(value)
}

/// White space in attributes becomes blanks. XML 1.0, 2.11 and 3.3.3.
fn push_normalised(value: &mut String, plain: &str) -> Result<()> {
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '<' => return Err(Malformed::Xml.into()),
            '\r' => {
                chars.next_if_eq(&'\n');
                value.push(' ');
            }
            '\t' | '\n' => value.push(' '),
            other => value.push(other),
        }
    }
    Ok(())
}

/// The character that `&…;` stands for: one of the five of XML itself, or a character's number.
pub(crate) fn reference_char(reference: &str) -> Result<char> {
    let number = match reference {
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "amp" => return Ok('&'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        other => other.strip_prefix('#').ok_or(Unsupported::Entity)?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    // `from_str_radix` would take a sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Malformed::Xml.into());
    }
    let value = u32::from_str_radix(digits, radix).map_err(|_| Malformed::Xml)?;
    Ok(char::from_u32(value).filter(|c| is_carried(*c)).ok_or(Malformed::XmlCharacter)?)
}
