//! `require_groups`: a group, or `and` and `or` of such, nested.

use super::read_principal;
use crate::limits;
use crate::model::Requirement;
use crate::source_text::{Reader, Value};

const FORMS: &str = r"write 'DEMO\mfa', { and = [ .. ] } or { or = ['DEMO\mfa', 'DEMO\smartcard'] }";

/// Reads a requirement. Where it cannot be read nobody meets it, beside the mistake that is reported.
pub(super) fn read(reader: &mut Reader<'_>, value: &Value<'_>) -> Requirement {
    read_at(reader, value, 0).unwrap_or_else(|| Requirement::Or(Vec::new()))
}

fn read_at(reader: &mut Reader<'_>, value: &Value<'_>, depth: usize) -> Option<Requirement> {
    if depth > limits::REQUIREMENT_DEPTH {
        let message = format!("`require_groups` is nested more than {} deep", limits::REQUIREMENT_DEPTH);
        reader.mistake(&value.span(), message, "put lists of the same kind into one");
        return None;
    }
    if value.get_ref().as_str().is_some() {
        let group = reader.text(value, "a required group")?;
        let folded = read_principal(reader, &group)?;
        return Some(Requirement::Group { shown: group.text, folded });
    }
    let table = reader.table(value, "`require_groups`", &format!("a group or a table: {FORMS}"))?;
    reader.known_keys(table, "`require_groups`", &["and", "or"]);
    match (table.get("and"), table.get("or")) {
        (Some(list), None) => read_list(reader, list, depth).map(Requirement::And),
        (None, Some(list)) => read_list(reader, list, depth).map(Requirement::Or),
        (Some(_), Some(_)) => {
            reader.mistake(&value.span(), "`require_groups` has both `and` and `or` in one table", FORMS);
            None
        }
        (None, None) => {
            reader.missing(&value.span(), "`require_groups`", "and` or `or", FORMS);
            None
        }
    }
}

fn read_list(reader: &mut Reader<'_>, value: &Value<'_>, depth: usize) -> Option<Vec<Requirement>> {
    let list = reader.list(value, "a list of required groups", &format!("a list: {FORMS}"))?;
    if list.is_empty() {
        reader.mistake(&value.span(), "the list of required groups is empty", FORMS);
        return None;
    }
    let parts = list.iter().map(|entry| read_at(reader, entry, depth.saturating_add(1)));
    parts.collect::<Vec<_>>().into_iter().collect()
}
