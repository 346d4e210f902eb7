//! Reading values: one pass, no element copied twice.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::document::{self, StreamRecord};
use super::primitive;
use super::text::{unescape, unescape_units};
use super::value::{Content, ListKind, Member, Object, TypeNames, Value};
use crate::Result;
use crate::error::{LimitExceeded, Malformed, Unsupported};
use crate::limits::{CLIXML_BYTES, CLIXML_DEPTH, CLIXML_ELEMENTS, CLIXML_EXPANDED, CLIXML_REPEATED};
use crate::xml::{attribute_value, is_carried, is_space, reference_char};

/// Reads the body of a message: one element, in UTF-8, with or without byte order mark.
///
/// More lenient than PowerShell in nothing. Stricter: a member or part that stands twice, a `Ref` to an object that
/// is still open or whose number was given twice, comments, CDATA, processing instructions, attributes other than
/// `N` and `RefId`, white space before the first element.
///
/// # Errors
/// [`Malformed`] by the rule that was broken, or [`LimitExceeded`] when it is too large, too deep, or would be when
/// every reference is followed.
pub fn decode(body: &[u8]) -> Result<Value> {
    let text = checked_text(body)?;
    let mut decoder = Decoder::new(text);
    let (start, empty) = element(decoder.next()?).ok_or(Malformed::Clixml)?;
    let (name, value, _) = decoder.value(&start, empty, 1)?;
    if name.is_some() {
        return Err(Malformed::Clixml.into());
    }
    decoder.nothing_more()?;
    Ok(value)
}

pub(super) fn checked_text(body: &[u8]) -> Result<&str> {
    if CLIXML_BYTES < body.len() {
        return Err(LimitExceeded::MessageSize.into());
    }
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = str::from_utf8(body).map_err(|_| Malformed::Utf8)?;
    // The reader of XML would take a second mark for none.
    if text.starts_with('\u{FEFF}') {
        return Err(Malformed::Clixml.into());
    }
    if text.chars().all(is_carried) { Ok(text) } else { Err(Malformed::XmlCharacter.into()) }
}

/// How large an element is when every reference in it is followed.
#[derive(Clone, Copy)]
struct Measure {
    /// Levels of elements, itself included.
    height: usize,
    elements: usize,
    /// Bytes of text that references stand for.
    repeated: usize,
}

const LEAF: Measure = Measure { height: 1, elements: 1, repeated: 0 };

impl Measure {
    fn around(self, inner: Self) -> Self {
        Self {
            height: self.height.max(inner.height.saturating_add(1)),
            elements: self.elements.saturating_add(inner.elements),
            repeated: self.repeated.saturating_add(inner.repeated),
        }
    }
}

/// What a number stands for.
enum Known<T> {
    Once(T),
    /// Given twice, or to an object that is still open: readers differ on which one counts.
    Doubtful,
}

type Named = (Option<String>, Value, Measure);

pub(super) struct Decoder<'t> {
    reader: Reader<&'t [u8]>,
    elements: usize,
    objects: HashMap<u32, Known<(Arc<Object>, Measure)>>,
    types: HashMap<u32, Known<TypeNames>>,
}

impl<'t> Decoder<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().enable_all_checks(true);
        Self { reader, elements: 0, objects: HashMap::new(), types: HashMap::new() }
    }

    pub(super) fn next(&mut self) -> Result<Event<'t>> {
        let event = self.reader.read_event().map_err(|_| Malformed::Xml)?;
        match &event {
            Event::Start(_) | Event::Empty(_) => {
                self.elements = self.elements.saturating_add(1);
                if CLIXML_ELEMENTS < self.elements {
                    return Err(LimitExceeded::XmlElements.into());
                }
            }
            Event::DocType(_) => return Err(Unsupported::Dtd.into()),
            Event::PI(_) => return Err(Unsupported::ProcessingInstruction.into()),
            Event::Comment(_) | Event::CData(_) | Event::Decl(_) => return Err(Malformed::Clixml.into()),
            Event::End(_) | Event::Text(_) | Event::GeneralRef(_) | Event::Eof => {}
        }
        Ok(event)
    }

    /// The next element inside, or nothing at the end of the one around it. White space may stand between elements.
    pub(super) fn child(&mut self) -> Result<Option<(BytesStart<'t>, bool)>> {
        loop {
            let event = self.next()?;
            if is_blank(&event) {
                continue;
            }
            if let Event::End(_) = event {
                return Ok(None);
            }
            return element(event).map(Some).ok_or_else(|| Malformed::Clixml.into());
        }
    }

    pub(super) fn nothing_more(&mut self) -> Result<()> {
        loop {
            let event = self.next()?;
            if event == Event::Eof {
                return Ok(());
            }
            if !is_blank(&event) {
                return Err(Malformed::Clixml.into());
            }
        }
    }

    /// The text of an element that has no elements inside.
    pub(super) fn text(&mut self, empty: bool) -> Result<String> {
        let mut text = String::new();
        if empty {
            return Ok(text);
        }
        loop {
            let event = self.next()?;
            if let Event::Text(piece) = event {
                push(&mut text, piece.xml10_content());
            } else if let Event::GeneralRef(reference) = event {
                text.push(reference_char(&reference)?);
            } else if let Event::End(_) = event {
                return Ok(text);
            } else {
                return Err(Malformed::Clixml.into());
            }
        }
    }

    fn escaped(&mut self, empty: bool) -> Result<String> {
        let text = self.text(empty)?;
        unescape(Cow::Owned(text))
    }

    /// Text, or units that are none.
    fn string(&mut self, empty: bool) -> Result<Value> {
        let text = self.text(empty)?;
        match unescape(Cow::Borrowed(&text)) {
            Ok(text) => Ok(Value::Text(text)),
            Err(crate::Error::Malformed(Malformed::ClixmlText)) => Ok(Value::Units(unescape_units(&text))),
            Err(error) => Err(error),
        }
    }

    /// Reads one value, whose start tag was read already.
    fn value(&mut self, start: &BytesStart<'_>, empty: bool, depth: usize) -> Result<Named> {
        if CLIXML_DEPTH < depth {
            return Err(LimitExceeded::XmlDepth.into());
        }
        let Attributes { name, id } = attributes(start)?;
        let tag = start.name();
        let tag = tag.as_ref();
        match tag {
            "Obj" => {
                let (object, measure) = self.object(id, empty, depth)?;
                return Ok((name, Value::Object(object), measure));
            }
            "Ref" => {
                let (object, measure) = self.referred(id, empty, depth)?;
                return Ok((name, Value::Object(object), measure));
            }
            _ if id.is_some() => return Err(Malformed::Clixml.into()),
            _ => {}
        }
        let value = match tag {
            "Nil" => self.text(empty)?.is_empty().then_some(Value::Nil).ok_or(Malformed::Clixml)?,
            "S" => self.string(empty)?,
            "XD" => Value::Xml(self.escaped(empty)?),
            "SBK" => Value::ScriptBlock(self.escaped(empty)?),
            "URI" => primitive::uri(self.escaped(empty)?)?,
            "PR" => Value::Progress(Box::new(document::progress(self, empty)?)),
            _ => {
                let text = self.text(empty)?;
                primitive::parse(tag, text)?
            }
        };
        Ok((name, value, LEAF))
    }

    fn referred(&mut self, id: Option<u32>, empty: bool, depth: usize) -> Result<(Arc<Object>, Measure)> {
        if !self.text(empty)?.is_empty() {
            return Err(Malformed::Clixml.into());
        }
        match id.and_then(|id| self.objects.get(&id)) {
            Some(Known::Once((object, measure))) => {
                if CLIXML_DEPTH < depth.saturating_add(measure.height) {
                    return Err(LimitExceeded::XmlDepth.into());
                }
                Ok((Arc::clone(object), *measure))
            }
            Some(Known::Doubtful) | None => Err(Malformed::ClixmlReference.into()),
        }
    }

    fn object(&mut self, id: Option<u32>, empty: bool, depth: usize) -> Result<(Arc<Object>, Measure)> {
        let taken = id.is_some_and(|id| self.objects.insert(id, Known::Doubtful).is_some());
        let begin = self.reader.buffer_position();
        let mut parts = Parts::default();
        let mut measure = LEAF;
        while let Some((start, empty)) = if empty { None } else { self.child()? } {
            let inner = self.part(&mut parts, &start, empty, depth.saturating_add(1))?;
            measure = self.bounded(measure.around(inner))?;
        }
        let object = Arc::new(parts.into_object());
        if let Some(id) = id.filter(|_| !taken) {
            // Whoever follows a reference to it reads all of it again.
            let bytes = usize::try_from(self.reader.buffer_position().saturating_sub(begin)).unwrap_or(usize::MAX);
            let again = Measure { repeated: measure.repeated.saturating_add(bytes), ..measure };
            self.objects.insert(id, Known::Once((Arc::clone(&object), again)));
        }
        Ok((object, measure))
    }

    fn part(&mut self, parts: &mut Parts, start: &BytesStart<'_>, empty: bool, depth: usize) -> Result<Measure> {
        if CLIXML_DEPTH < depth {
            return Err(LimitExceeded::XmlDepth.into());
        }
        let tag = start.name();
        match tag.as_ref() {
            "TN" => {
                let types = self.type_names(start, empty)?;
                once(&mut parts.types, types)?;
                Ok(LEAF)
            }
            "TNRef" => {
                let types = self.referred_types(start, empty)?;
                once(&mut parts.types, types)?;
                Ok(LEAF)
            }
            "ToString" => {
                no_attributes(start)?;
                let shown = self.escaped(empty)?;
                once(&mut parts.shown, shown)?;
                Ok(LEAF)
            }
            "Props" => {
                let (members, measure) = self.members(start, empty, depth)?;
                once(&mut parts.adapted, members)?;
                Ok(measure)
            }
            "MS" => {
                let (members, measure) = self.members(start, empty, depth)?;
                once(&mut parts.extended, members)?;
                Ok(measure)
            }
            "DCT" => {
                no_attributes(start)?;
                let (entries, measure) = self.dictionary(empty, depth)?;
                once(&mut parts.content, Content::Dictionary(entries))?;
                Ok(measure)
            }
            tag => {
                if let Some(kind) = list_kind(tag) {
                    no_attributes(start)?;
                    let (items, measure) = self.list(empty, depth)?;
                    once(&mut parts.content, Content::List(kind, items))?;
                    return Ok(measure);
                }
                let (name, value, measure) = self.value(start, empty, depth)?;
                if name.is_some() {
                    return Err(Malformed::Clixml.into());
                }
                once(&mut parts.content, Content::Value(value))?;
                Ok(measure)
            }
        }
    }

    fn members(&mut self, start: &BytesStart<'_>, empty: bool, depth: usize) -> Result<(Vec<Member>, Measure)> {
        no_attributes(start)?;
        let mut members: Vec<Member> = Vec::new();
        let mut names = std::collections::HashSet::new();
        let mut measure = LEAF;
        while let Some((start, empty)) = if empty { None } else { self.child()? } {
            let (name, value, inner) = self.value(&start, empty, depth.saturating_add(1))?;
            let name = name.ok_or(Malformed::Clixml)?;
            // PowerShell looks members up without regard to case.
            if !names.insert(name.to_lowercase()) {
                return Err(Malformed::Duplicate.into());
            }
            members.push((name, value));
            measure = self.bounded(measure.around(inner))?;
        }
        Ok((members, measure))
    }

    fn list(&mut self, empty: bool, depth: usize) -> Result<(Vec<Value>, Measure)> {
        let mut items = Vec::new();
        let mut measure = LEAF;
        while let Some((start, empty)) = if empty { None } else { self.child()? } {
            let (name, value, inner) = self.value(&start, empty, depth.saturating_add(1))?;
            if name.is_some() {
                return Err(Malformed::Clixml.into());
            }
            items.push(value);
            measure = self.bounded(measure.around(inner))?;
        }
        Ok((items, measure))
    }

    fn dictionary(&mut self, empty: bool, depth: usize) -> Result<(Vec<(Value, Value)>, Measure)> {
        let mut entries = Vec::new();
        let mut measure = LEAF;
        while let Some((start, empty)) = if empty { None } else { self.child()? } {
            if start.name().as_ref() != "En" || empty {
                return Err(Malformed::Clixml.into());
            }
            no_attributes(&start)?;
            let (entry, inner) = self.entry(depth.saturating_add(1))?;
            entries.push(entry);
            measure = self.bounded(measure.around(inner))?;
        }
        Ok((entries, measure))
    }

    /// `Key` first, then `Value`.
    fn entry(&mut self, depth: usize) -> Result<((Value, Value), Measure)> {
        if CLIXML_DEPTH < depth {
            return Err(LimitExceeded::XmlDepth.into());
        }
        let mut read = |wanted: &str| {
            let (start, empty) = self.child()?.ok_or(Malformed::Clixml)?;
            match self.value(&start, empty, depth.saturating_add(1))? {
                (Some(name), value, measure) if name == wanted => Ok((value, measure)),
                _ => Err(crate::Error::from(Malformed::Clixml)),
            }
        };
        let (key, key_measure) = read("Key")?;
        let (value, value_measure) = read("Value")?;
        if self.child()?.is_some() {
            return Err(Malformed::Clixml.into());
        }
        Ok(((key, value), LEAF.around(key_measure).around(value_measure)))
    }

    fn type_names(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<TypeNames> {
        let Attributes { name, id } = attributes(start)?;
        let id = id.filter(|_| name.is_none()).ok_or(Malformed::Clixml)?;
        let mut names = Vec::new();
        while let Some((start, empty)) = if empty { None } else { self.child()? } {
            if start.name().as_ref() != "T" {
                return Err(Malformed::Clixml.into());
            }
            no_attributes(&start)?;
            names.push(self.escaped(empty)?);
        }
        let names: TypeNames = names.into();
        let known = match self.types.remove(&id) {
            None => Known::Once(Arc::clone(&names)),
            Some(_) => Known::Doubtful,
        };
        self.types.insert(id, known);
        Ok(names)
    }

    fn referred_types(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<TypeNames> {
        let Attributes { name, id } = attributes(start)?;
        if name.is_some() || !self.text(empty)?.is_empty() {
            return Err(Malformed::Clixml.into());
        }
        match id.and_then(|id| self.types.get(&id)) {
            Some(Known::Once(names)) => Ok(Arc::clone(names)),
            Some(Known::Doubtful) | None => Err(Malformed::ClixmlReference.into()),
        }
    }

    /// Values of the stream of a program, one after another.
    pub(super) fn record(&mut self, start: &BytesStart<'_>, empty: bool, stream: String) -> Result<StreamRecord> {
        let (name, value, _) = self.value(start, empty, 1)?;
        if name.is_some() { Err(Malformed::Clixml.into()) } else { Ok(StreamRecord { stream, value }) }
    }

    fn bounded(&self, measure: Measure) -> Result<Measure> {
        if CLIXML_EXPANDED < measure.elements {
            return Err(LimitExceeded::XmlElements.into());
        }
        if CLIXML_REPEATED < measure.repeated { Err(LimitExceeded::MessageSize.into()) } else { Ok(measure) }
    }
}

/// An element that begins, and whether it ends at once.
pub(super) fn element(event: Event<'_>) -> Option<(BytesStart<'_>, bool)> {
    if let Event::Start(start) = event {
        Some((start, false))
    } else if let Event::Empty(start) = event {
        Some((start, true))
    } else {
        None
    }
}

fn is_blank(event: &Event<'_>) -> bool {
    if let Event::Text(text) = event { text.xml10_content().chars().all(is_space) } else { false }
}

fn push(text: &mut String, piece: Cow<'_, str>) {
    if text.is_empty() {
        *text = piece.into_owned();
    } else {
        text.push_str(&piece);
    }
}

/// The parts of an object, each at most once.
#[derive(Default)]
struct Parts {
    types: Option<TypeNames>,
    shown: Option<String>,
    content: Option<Content>,
    adapted: Option<Vec<Member>>,
    extended: Option<Vec<Member>>,
}

impl Parts {
    fn into_object(self) -> Object {
        let Self { types, shown, content, adapted, extended } = self;
        Object { types, shown, content: content.unwrap_or_default(), adapted, extended }
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<()> {
    if place.is_some() {
        return Err(Malformed::Duplicate.into());
    }
    *place = Some(value);
    Ok(())
}

struct Attributes {
    name: Option<String>,
    id: Option<u32>,
}

fn attributes(start: &BytesStart<'_>) -> Result<Attributes> {
    let mut found = Attributes { name: None, id: None };
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| Malformed::Xml)?;
        let value = attribute_value(&attribute.value)?;
        match attribute.key.as_ref() {
            // Of the streams of programs: read before this.
            "S" => {}
            "N" => once(&mut found.name, unescape(Cow::Owned(value))?)?,
            "RefId" => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let id = value.parse().ok().filter(|_| digits).ok_or(Malformed::ClixmlReference)?;
                once(&mut found.id, id)?;
            }
            _ => return Err(Malformed::Clixml.into()),
        }
    }
    Ok(found)
}

fn no_attributes(start: &BytesStart<'_>) -> Result<()> {
    if start.attributes().with_checks(false).next().is_some() { Err(Malformed::Clixml.into()) } else { Ok(()) }
}

fn list_kind(tag: &str) -> Option<ListKind> {
    Some(match tag {
        "LST" => ListKind::List,
        "IE" => ListKind::Enumerable,
        "STK" => ListKind::Stack,
        "QUE" => ListKind::Queue,
        _ => return None,
    })
}
