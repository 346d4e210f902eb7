//! Writes a draft as TOML, the notes as comments where they belong.

use toml_edit::{Array, ArrayOfTables, Decor, DocumentMut, InlineTable, Item, Key, Table, Value, value};

use super::draft::{
    AliasDraft, AssignmentDraft, CommandDraft, Commented, DocumentDraft, ParameterDraft, ParametersDraft, ProgramDraft,
    Requirement, RoleDraft,
};
use crate::jea::note::plain;
use crate::limits;

/// The document's text.
pub(super) fn write(file: &str, draft: &DocumentDraft) -> String {
    let mut document = DocumentMut::new();
    let root = document.as_table_mut();
    let mut head =
        comment(&format!("Imported from {file}. Whoever assigns these roles stands by them: read the comments."), "");
    head.extend(draft.comments.iter().map(|text| comment(text, "")));
    let mut head = Some(head);
    if let Some(defaults) = &draft.defaults {
        top_level(root, "defaults", defaults, |on| (*on).into(), &mut head);
    }
    if let Some(required) = &draft.required {
        top_level(root, "require_groups", required, requirement, &mut head);
    }
    if !draft.roles.is_empty() {
        let mut roles = Table::new();
        roles.set_implicit(true);
        for role in &draft.roles {
            let prefix = head.take().unwrap_or_default();
            roles.insert(&role.name, Item::Table(role_table(role, &prefix)));
        }
        root.insert("roles", Item::Table(roles));
    }
    let trailing = assignments(root, &draft.assignments);
    let mut text = document.to_string();
    // What could not be put above anything.
    if let Some(head) = head {
        text.insert_str(0, &head);
    }
    text.push_str(&trailing);
    text
}

fn top_level<T>(
    root: &mut Table,
    key: &str,
    entry: &Commented<T>,
    write: impl Fn(&T) -> Value,
    head: &mut Option<String>,
) {
    let Some(item) = &entry.item else { return };
    let prefix = format!("{}\n{}", head.take().unwrap_or_default(), comments(&entry.comments, ""));
    let key = Key::new(key).with_leaf_decor(Decor::new(prefix, " "));
    root.insert_formatted(&key, value(write(item)));
}

fn requirement(required: &Requirement) -> Value {
    let (key, parts) = match required {
        Requirement::Group(name) => return name.as_str().into(),
        Requirement::All(parts) => ("and", parts),
        Requirement::Any(parts) => ("or", parts),
    };
    let list: Array = parts.iter().map(requirement).collect();
    InlineTable::from_iter([(key, Value::Array(list))]).into()
}

fn role_table(role: &RoleDraft, prefix: &str) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix(format!("{prefix}\n{}", comments(&role.comments, "")));
    if let Some(description) = &role.description {
        table.insert("description", value(description.as_str()));
    }
    for (key, commands) in [("cmdlets", &role.cmdlets), ("functions", &role.functions)] {
        if !commands.is_empty() {
            table.insert(key, value(list(commands, command)));
        }
    }
    if !role.aliases.is_empty() {
        table.insert("aliases", Item::Table(aliases(&role.aliases)));
    }
    if !role.programs.is_empty() {
        let (programs, left_over) = tables(&role.programs, program);
        table.insert("programs", Item::ArrayOfTables(programs));
        let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned();
        table.decor_mut().set_prefix(format!("{prefix}{left_over}"));
    }
    table
}

/// A list with an entry on each line, below its comments.
fn list<T>(entries: &[Commented<T>], write: impl Fn(&T) -> Value) -> Array {
    let mut array = Array::new();
    let mut before = String::new();
    for entry in entries {
        before.push_str(&comments(&entry.comments, "    "));
        if let Some(item) = &entry.item {
            let mut item = write(item);
            item.decor_mut().set_prefix(format!("\n{before}    "));
            array.push_formatted(item);
            before.clear();
        }
    }
    array.set_trailing_comma(!array.is_empty());
    array.set_trailing(format!("\n{before}"));
    array
}

/// An entry of a list of commands.
pub(super) fn command(command: &CommandDraft) -> Value {
    match &command.parameters {
        ParametersDraft::All => command.name.as_str().into(),
        ParametersDraft::Listed(parameters) => {
            let mut listed = Array::new();
            for entry in parameters {
                listed.push(parameter(entry));
            }
            InlineTable::from_iter([("name", Value::from(command.name.as_str())), ("parameters", listed.into())]).into()
        }
    }
}

fn parameter(parameter: &ParameterDraft) -> Value {
    let ParameterDraft { name, set, pattern } = parameter;
    if set.is_none() && pattern.is_none() {
        return name.as_str().into();
    }
    let mut table = InlineTable::from_iter([("name", Value::from(name.as_str()))]);
    if let Some(set) = set {
        table.insert("validate_set", Array::from_iter(set.iter().map(String::as_str)).into());
    }
    if let Some(pattern) = pattern {
        table.insert("validate_pattern", pattern.as_str().into());
    }
    table.into()
}

fn aliases(entries: &[Commented<AliasDraft>]) -> Table {
    let mut table = Table::new();
    let mut before = String::new();
    for entry in entries {
        before.push_str(&comments(&entry.comments, ""));
        if let Some(alias) = &entry.item {
            let key = Key::new(&alias.alias).with_leaf_decor(Decor::new(before.as_str(), " "));
            table.insert_formatted(&key, value(alias.command.as_str()));
            before.clear();
        }
    }
    // What is left out at the end stands above all.
    table.decor_mut().set_prefix(format!("\n{before}"));
    table
}

/// Tables with their comments, and the comments that no table follows.
fn tables<T>(entries: &[Commented<T>], write: impl Fn(&T) -> Table) -> (ArrayOfTables, String) {
    let mut tables = ArrayOfTables::new();
    let mut before = String::new();
    for entry in entries {
        before.push_str(&comments(&entry.comments, ""));
        if let Some(item) = &entry.item {
            let mut table = write(item);
            table.decor_mut().set_prefix(format!("\n{before}"));
            tables.push(table);
            before.clear();
        } else {
            before.push('\n');
        }
    }
    (tables, before)
}

fn program(program: &ProgramDraft) -> Table {
    let mut table = Table::new();
    table.insert("name", value(program.name.as_str()));
    table.insert("path", value(program.path.as_str()));
    table.insert("arguments", value(InlineTable::from_iter([("any", true)])));
    table
}

/// Adds the assignments, and gives the comments that belong after the last of them.
fn assignments(root: &mut Table, entries: &[Commented<AssignmentDraft>]) -> String {
    let (tables, left_over) = tables(entries, |assignment| {
        let mut table = Table::new();
        table.insert("principals", value(Array::from_iter([assignment.principal.as_str()])));
        table.insert("target_groups", value(Array::from_iter([assignment.target_group.as_str()])));
        table.insert("roles", value(Array::from_iter(assignment.roles.iter().map(String::as_str))));
        table
    });
    if !tables.is_empty() {
        root.insert("assignments", Item::ArrayOfTables(tables));
    }
    if left_over.is_empty() { left_over } else { format!("\n{left_over}") }
}

fn comments(texts: &[String], indent: &str) -> String {
    texts.iter().map(|text| comment(text, indent)).collect()
}

/// A text as comment lines: nothing of it can end the comment, and lines stay readable.
fn comment(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let word = plain(word);
        if !line.is_empty() && line.chars().count().saturating_add(word.chars().count()) > limits::COMMENT_WIDTH {
            lines.push_str(&format!("{indent}# {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if line.is_empty() { lines } else { format!("{lines}{indent}# {line}\n") }
}
