//! Values of many targets, sorted into tables and lists: what has the same columns stands together.

use super::view::{Column, Selection, Shown, View, view};
use super::{text, type_names, types};
use sekisho_protocol::clixml::{Content, Value};
use std::collections::HashMap;

/// Tables and lists, in the order in which their first rows came.
#[derive(Debug, Default)]
pub struct Rows {
    pub(super) blocks: Vec<Block>,
    index: HashMap<Key, usize>,
}

/// What rows of one block have in common: the first type keeps apart what only looks alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Table { kind: String, columns: Vec<Column> },
    Entries,
    List { kind: String },
}

/// A table or a list.
#[derive(Debug)]
pub(super) enum Block {
    Table { headings: Vec<String>, rows: Vec<Row> },
    List { objects: Vec<Listed> },
}

/// One object of one target with all its properties.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) target: String,
    pub(super) properties: Vec<(String, String)>,
}

/// One object of one target.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) target: String,
    pub(super) cells: Vec<Shown>,
}

impl Rows {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Takes a value of a target in; what is only text is given back, a line or more for each.
    pub fn add(&mut self, target: &str, value: &Value, selection: Option<&Selection>) -> Vec<String> {
        let mut texts = Vec::new();
        self.take(target, value, selection, &mut texts);
        texts
    }

    /// A list is taken as PowerShell takes one in its output: item by item. Lists within lists are as deep as the
    /// decoder lets them be.
    fn take(&mut self, target: &str, value: &Value, selection: Option<&Selection>, texts: &mut Vec<String>) {
        if let Some(Content::List(_, items)) = value.as_object().map(|object| &object.content) {
            items.iter().for_each(|item| self.take(target, item, selection, texts));
            return;
        }
        let kind = || types::plain(type_names(value).first().copied().unwrap_or_default()).to_owned();
        match view(value, selection) {
            View::Text => texts.push(text(value)),
            View::Table(columns) => {
                let cells = columns.iter().map(|column| column.of(value)).collect();
                let headings = || columns.iter().map(|column| column.heading.clone()).collect();
                let key = Key::Table { kind: kind(), columns: columns.clone() };
                self.row(key, headings, Row { target: target.to_owned(), cells });
            }
            View::Entries(entries) => self.entries(target, entries),
            View::List(members) => {
                let properties = members.into_iter().map(|(name, value)| (name.clone(), text(value))).collect();
                self.listed(Key::List { kind: kind() }, Listed { target: target.to_owned(), properties });
            }
        }
    }

    /// A dictionary, as PowerShell shows one: a row for each entry.
    fn entries(&mut self, target: &str, entries: &[(Value, Value)]) {
        for (key, value) in entries {
            let cells = vec![Shown::left(text(key)), Shown::of(value)];
            let headings = || vec!["Name".to_owned(), "Value".to_owned()];
            self.row(Key::Entries, headings, Row { target: target.to_owned(), cells });
        }
    }

    fn row(&mut self, key: Key, headings: impl FnOnce() -> Vec<String>, row: Row) {
        match self.block(key, || Block::Table { headings: headings(), rows: Vec::new() }) {
            Some(Block::Table { rows, .. }) => rows.push(row),
            Some(Block::List { .. }) | None => {}
        }
    }

    fn listed(&mut self, key: Key, listed: Listed) {
        match self.block(key, || Block::List { objects: Vec::new() }) {
            Some(Block::List { objects }) => objects.push(listed),
            Some(Block::Table { .. }) | None => {}
        }
    }

    fn block(&mut self, key: Key, new: impl FnOnce() -> Block) -> Option<&mut Block> {
        let next = self.blocks.len();
        let index = *self.index.entry(key).or_insert(next);
        if index == next {
            self.blocks.push(new());
        }
        self.blocks.get_mut(index)
    }
}
