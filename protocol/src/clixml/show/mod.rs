//! Values for people: what is shown where a console would stand.
//!
//! It is text of a peer: bounded, without control characters, and without secrets. It is never read again.

mod harmless;
mod primitive;

use super::value::{Content, Member, Object, Value};
use crate::limits::{SHOW_CELL, SHOW_COLUMNS, SHOW_DEPTH, SHOW_LINES, SHOW_VALUES, SHOW_WIDTH};
use harmless::Bounded;

pub use harmless::harmless;

/// How much is shown of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShowLimits {
    /// Lines; one more says that there would be others.
    pub lines: usize,
    /// Characters of a line; a longer one ends with `…`.
    pub width: usize,
    /// Objects within objects, on one line.
    pub depth: usize,
}

impl Default for ShowLimits {
    fn default() -> Self {
        Self { lines: SHOW_LINES, width: SHOW_WIDTH, depth: SHOW_DEPTH }
    }
}

/// Stands for what is left out.
const MORE: &str = "…";

/// What a session adds to the objects of another computer: no property of theirs.
const OF_THE_SESSION: [&str; 3] = ["PSComputerName", "RunspaceId", "PSShowComputerName"];

/// Types whose text says what they are, better than their many members.
const BY_THEIR_TEXT: [&str; 4] = [
    "System.Management.Automation.ErrorRecord",
    "System.Management.Automation.InformationalRecord",
    "System.Management.Automation.HostInformationMessage",
    "System.Exception",
];

/// A value in lines: text as it is, an object as `Name : value` lines like Format-List, a list one item after the
/// other, and nothing for `$null`.
#[must_use]
pub fn lines(value: &Value, limits: ShowLimits) -> Vec<String> {
    let mut lines = Lines { limits, out: Vec::new(), left: SHOW_VALUES, over: false };
    lines.value(value, 0);
    if lines.over || limits.lines < lines.out.len() {
        lines.out.truncate(limits.lines);
        lines.out.push(MORE.to_owned());
    }
    lines.out
}

/// A value on one line of at most `max` characters: as a property's value is shown in a table.
#[must_use]
pub fn inline(value: &Value, max: usize) -> String {
    inline_within(value, max, SHOW_DEPTH)
}

fn inline_within(value: &Value, max: usize, depth: usize) -> String {
    let mut line = Line { out: Bounded::new(max), depth, left: SHOW_VALUES };
    line.value(value, 0);
    line.out.finish()
}

/// The members that PowerShell would print, each on one line: those of the type first, then those that were added;
/// the entries of a dictionary likewise. Nothing for what has none.
#[must_use]
pub fn columns(value: &Value) -> Vec<(String, String)> {
    let cell = |value: &Value| inline(value, SHOW_CELL);
    let Some(object) = value.as_object() else { return Vec::new() };
    if let Content::Dictionary(entries) = &object.content {
        return entries.iter().take(SHOW_COLUMNS).map(|(key, value)| (cell(key), cell(value))).collect();
    }
    members(object).into_iter().map(|(name, value)| (harmless(name, SHOW_CELL), cell(value))).collect()
}

/// The members of an object, and of one within it. An added one stands in the place of the type's own.
fn members(object: &Object) -> Vec<(&str, &Value)> {
    let mut found: Vec<(&str, &Value)> = Vec::new();
    let mut inner = Some(object);
    let mut layers = 0_usize;
    while let Some(object) = inner.filter(|_| layers < SHOW_DEPTH) {
        layers = layers.saturating_add(1);
        let own = [&object.adapted, &object.extended].into_iter().flatten();
        own.flat_map(|members| members.iter().take(SHOW_COLUMNS)).for_each(|member| add(&mut found, member));
        inner = match &object.content {
            Content::Value(value) => value.as_object(),
            Content::Nothing | Content::List(..) | Content::Dictionary(_) => None,
        };
    }
    found
}

fn add<'m>(found: &mut Vec<(&'m str, &'m Value)>, (name, value): &'m Member) {
    if OF_THE_SESSION.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return;
    }
    if let Some((_, place)) = found.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        *place = value;
        return;
    }
    if found.len() < SHOW_COLUMNS {
        found.push((name, value));
    }
}

/// What an object is shown as.
enum Shape<'v> {
    /// Its text.
    Text(&'v str),
    /// What it is a wrapping of.
    Within(&'v Value),
    /// Its items.
    Items(&'v [Value]),
    /// Its entries.
    Entries(&'v [(Value, Value)]),
    /// Its members.
    Members(Vec<(&'v str, &'v Value)>),
    /// The name of its type, for want of anything else.
    Nothing(&'v str),
}

fn shape(object: &Object) -> Shape<'_> {
    let is =
        |wanted: &[&str]| object.types.iter().any(|types| types.iter().any(|name| wanted.contains(&name.as_str())));
    if let Some(shown) = object.shown.as_deref().filter(|_| is(&BY_THEIR_TEXT) || is(&["System.Enum"])) {
        return Shape::Text(shown);
    }
    match &object.content {
        Content::Value(value) if value.as_object().is_none() => return Shape::Within(value),
        Content::List(_, items) => return Shape::Items(items),
        Content::Dictionary(entries) => return Shape::Entries(entries),
        Content::Value(_) | Content::Nothing => {}
    }
    // INFORMATION_RECORD, [MS-PSRP] 2.2.2.26.
    if let (Some(message), Some(_), None) =
        (object.member("MessageData"), object.member("TimeGenerated"), &object.types)
    {
        return Shape::Within(message);
    }
    let members = members(object);
    match (&object.content, &object.shown) {
        _ if !members.is_empty() => Shape::Members(members),
        (_, Some(shown)) => Shape::Text(shown),
        (Content::Value(inner), None) => Shape::Within(inner),
        (Content::Nothing | Content::List(..) | Content::Dictionary(_), None) => {
            let first = object.types.as_ref().and_then(|types| types.first());
            Shape::Nothing(first.map_or("", String::as_str))
        }
    }
}

struct Lines {
    limits: ShowLimits,
    out: Vec<String>,
    /// Values that may still be looked at, those without text among them.
    left: usize,
    over: bool,
}

impl Lines {
    fn value(&mut self, value: &Value, depth: usize) {
        self.left = self.left.saturating_sub(1);
        self.over |= self.left == 0;
        if self.over {
            return;
        }
        let Some(object) = value.as_object() else {
            if *value != Value::Nil {
                self.text("", &primitive::text(value));
            }
            return;
        };
        match shape(object) {
            Shape::Text(text) | Shape::Nothing(text) => self.text("", text),
            Shape::Within(inner) => self.value(inner, depth.saturating_add(1)),
            Shape::Items(items) if depth <= self.limits.depth => {
                items.iter().for_each(|item| self.item(item, depth));
            }
            Shape::Items(_) => self.text("", &inline_within(value, self.limits.width, 0)),
            Shape::Entries(entries) => {
                let named = entries.iter().map(|(key, value)| (inline(key, SHOW_CELL), value));
                self.pairs(named.take(SHOW_COLUMNS).collect());
            }
            Shape::Members(members) => {
                let named = members.into_iter().map(|(name, value)| (harmless(name, SHOW_CELL), value));
                self.pairs(named.collect());
            }
        }
    }

    /// Objects of several lines stand apart.
    fn item(&mut self, item: &Value, depth: usize) {
        if self.over {
            return;
        }
        let before = self.out.len();
        self.value(item, depth.saturating_add(1));
        if 0 < before && before.saturating_add(1) < self.out.len() {
            self.out.insert(before, String::new());
        }
    }

    fn pairs(&mut self, pairs: Vec<(String, &Value)>) {
        let widest = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in pairs {
            if self.over {
                return;
            }
            let lead = format!("{name:<widest$} : ");
            if let Value::Text(text) = value {
                self.text(&lead, text);
            } else {
                self.text(&lead, &inline_within(value, self.limits.width, self.limits.depth));
            }
        }
    }

    /// Text behind a name; what follows its first line stands below it.
    fn text(&mut self, lead: &str, text: &str) {
        let indent = " ".repeat(lead.chars().count());
        let mut lead = lead;
        for line in text.lines().chain(text.is_empty().then_some("")) {
            if self.limits.lines <= self.out.len() {
                self.over = true;
                return;
            }
            let mut out = Bounded::new(self.limits.width);
            out.push(lead);
            out.push(line);
            self.out.push(out.finish());
            lead = &indent;
        }
    }
}

struct Line {
    out: Bounded,
    depth: usize,
    left: usize,
}

impl Line {
    fn value(&mut self, value: &Value, depth: usize) {
        self.left = self.left.saturating_sub(1);
        if self.out.is_full() {
            return;
        }
        if self.left == 0 {
            return self.out.push(MORE);
        }
        let Some(object) = value.as_object() else {
            return self.out.push_line(&primitive::text(value));
        };
        let inner = depth.saturating_add(1);
        match shape(object) {
            Shape::Text(text) | Shape::Nothing(text) => self.out.push_line(text),
            Shape::Within(value) => self.value(value, inner),
            Shape::Items(_) | Shape::Entries(_) | Shape::Members(_) if self.depth <= depth => self.out.push(MORE),
            Shape::Items(items) => self.group("{", items.iter().map(|item| (None, item)), inner),
            Shape::Entries(entries) => {
                let entries = entries.iter().map(|(key, value)| (Some(inline(key, SHOW_CELL)), value));
                self.group("@{", entries, inner);
            }
            Shape::Members(members) => match &object.shown {
                Some(shown) => self.out.push_line(shown),
                None => {
                    let members = members.into_iter().map(|(name, value)| (Some(harmless(name, SHOW_CELL)), value));
                    self.group("@{", members, inner);
                }
            },
        }
    }

    fn group<'v, P>(&mut self, open: &str, parts: P, depth: usize)
    where
        P: Iterator<Item = (Option<String>, &'v Value)>,
    {
        self.out.push(open);
        let mut first = true;
        for (name, value) in parts {
            if self.out.is_full() || self.left == 0 {
                break;
            }
            if !std::mem::take(&mut first) {
                self.out.push(if name.is_some() { "; " } else { ", " });
            }
            if let Some(name) = name {
                self.out.push(&name);
                self.out.push("=");
            }
            self.value(value, depth);
        }
        self.out.push("}");
    }
}

#[cfg(test)]
mod tests;
