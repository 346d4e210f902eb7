//! `[[assignments]]`: who holds which roles where, and under which conditions.

use toml::de::DeTable;

use super::{SELECTORS, check_description, condition, filled, read_principal, read_scope};
use crate::conditions::Conditions;
use crate::model::Scope;
use crate::source_text::{Located, Reader, Span, Value};

/// An assignment whose roles are still names.
#[derive(Debug)]
pub(crate) struct AssignmentDocument {
    /// Folded.
    pub(crate) principals: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) roles: Vec<Located>,
    pub(crate) conditions: Conditions,
}

const KEYS: [&str; 8] = ["description", "principals", "targets", "target_groups", "tags", "roles", "when", "sources"];

pub(super) fn read_all(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<AssignmentDocument> {
    let wanted = "one table for each assignment, headed [[assignments]]";
    let Some(list) = reader.list(value, "`assignments`", wanted) else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|entry| {
            let table = reader.table(entry, "an assignment", "a table headed [[assignments]]")?;
            Some(read(reader, table, &entry.span()))
        })
        .collect()
}

fn read(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span) -> AssignmentDocument {
    reader.known_keys(table, "an assignment", &KEYS);
    check_description(reader, table);
    if !SELECTORS.iter().any(|key| table.contains_key(*key)) {
        let hint = "say where it holds: targets = ['*.demo.example'], target_groups = ['web'] or tags = ['test']";
        reader.missing(span, "the assignment", "targets", hint);
    }
    let principals = required(reader, table, span, ("principals", r"say who: principals = ['DEMO\WebOps']"));
    AssignmentDocument {
        principals: principals.iter().filter_map(|principal| read_principal(reader, principal)).collect(),
        scope: read_scope(reader, table),
        roles: required(reader, table, span, ("roles", "say what they may do: roles = ['web-ops']")),
        conditions: condition::read(reader, table),
    }
}

/// A list that has to be there and to hold something.
fn required(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span, (key, hint): (&str, &str)) -> Vec<Located> {
    match table.get(key) {
        Some(value) => filled(reader, value, key),
        None => {
            reader.missing(span, "the assignment", key, hint);
            Vec::new()
        }
    }
}
