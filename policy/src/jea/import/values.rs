//! Values of fields in the shapes that JEA takes them in.

use crate::jea::data::{Entry, Node, Place, Table, Value, number_text};
use crate::jea::note::Notes;
use crate::limits;

/// One value or a list: JEA takes both wherever it takes a list.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Text(_) | Value::Number(_) | Value::Switch(_) | Value::Null | Value::Table(_) | Value::Script(_) => {
            std::slice::from_ref(node)
        }
    }
}

/// A text, or a number that has only one spelling.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) => Some(text),
        Value::Number(token) => number_text(token),
        Value::Switch(_) | Value::Null | Value::List(_) | Value::Table(_) | Value::Script(_) => None,
    }
}

pub(super) fn table(node: &Node) -> Option<&Table> {
    match &node.value {
        Value::Table(table) => Some(table),
        Value::Text(_) | Value::Number(_) | Value::Switch(_) | Value::Null | Value::List(_) | Value::Script(_) => None,
    }
}

/// The texts of a field; what is none is noted.
pub(super) fn texts<'n>(entry: &'n Entry, notes: &mut Notes<'_>) -> Vec<(Place, &'n str)> {
    let mut found = Vec::new();
    for item in items(&entry.node) {
        match text(item) {
            Some(text) => found.push((item.place, text)),
            None => {
                notes.left_out(item.place, &entry.key, format!("{} where a text belongs", item.value.kind()));
            }
        }
    }
    found
}

/// The text of a member, for instance `Name`.
pub(super) fn member<'t>(table: &'t Table, name: &str) -> Option<&'t str> {
    table.get(name).and_then(|entry| text(&entry.node))
}

/// A name for a role, a rule or a document, made of what such names may hold.
pub(super) fn plain_name(text: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ') { c } else { '-' };
    let name: String = text.chars().take(limits::NAME / 2).map(plain).collect();
    match name.trim() {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}
