//! What was seen of all values of a job.

use super::view::has_properties;
use super::{Selection, property, text};
use sekisho_protocol::clixml::{Content, Value};
use std::cell::{Cell, RefCell};

/// Whether the properties that were asked for are there at all, and whether everything could be read.
#[derive(Debug, Default)]
pub(crate) struct Values {
    selection: Option<Selection>,
    /// Which names of the selection were found.
    found: RefCell<Vec<bool>>,
    unreadable: Cell<bool>,
}

impl Values {
    pub(crate) fn new(selection: Option<Selection>) -> Self {
        Self { selection, ..Self::default() }
    }

    pub(crate) fn selection(&self) -> Option<&Selection> {
        self.selection.as_ref()
    }

    /// An object of the output.
    pub(crate) fn saw(&self, value: &Value) {
        let Some(selection) = self.selection.as_ref() else { return };
        if let Some(Content::List(_, items)) = value.as_object().map(|object| &object.content) {
            items.iter().for_each(|item| self.saw(item));
            return;
        }
        if !has_properties(value) {
            return;
        }
        let mut found = self.found.borrow_mut();
        found.resize(selection.names().len(), false);
        for (found, name) in found.iter_mut().zip(selection.names()).filter(|(found, _)| !**found) {
            *found = Selection::finds(value, name);
        }
    }

    pub(crate) fn cannot_read(&self) {
        self.unreadable.set(true);
    }

    pub(crate) fn has_unreadable(&self) -> bool {
        self.unreadable.get()
    }

    /// Properties that were asked for and that none of the objects had; none where there was no object.
    pub(crate) fn missing(&self) -> Vec<&str> {
        let found = self.found.borrow();
        let names = self.selection.iter().flat_map(Selection::names);
        names.zip(found.iter()).filter(|(_, found)| !**found).map(|(name, _)| name.as_str()).collect()
    }
}

/// The text of a value, of a list those of its items; of an object the texts of the properties that are asked for, with
/// tabs between them.
pub(crate) fn texts(value: &Value, selection: Option<&Selection>) -> Vec<String> {
    if let Some(Content::List(_, items)) = value.as_object().map(|object| &object.content) {
        return items.iter().flat_map(|item| texts(item, selection)).collect();
    }
    let Some(selection) = selection.filter(|_| has_properties(value)) else { return vec![text(value)] };
    let chosen = selection.names().iter().map(|name| property(value, name).map_or_else(String::new, text));
    vec![chosen.collect::<Vec<_>>().join("\t")]
}
