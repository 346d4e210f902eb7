//! A policy document: what one TOML file says. docs/policy.md is its reference.

mod assignment;
mod catalog;
mod command;
mod condition;
mod deny;
mod program;
mod requirement;
mod role;
mod script;

use toml::de::DeTable;

pub(crate) use assignment::AssignmentDocument;
pub(crate) use catalog::{CatalogDocument, Mode};
pub(crate) use command::{CommandDocument, ParameterDocument};
pub(crate) use deny::DenyDocument;
pub(crate) use role::RoleDocument;
pub(crate) use script::{ScriptDocument, pinned_files};

use crate::fold::fold;
use crate::limits;
use crate::model::{Requirement, Scope};
use crate::source_text::{Located, Patterns, Reader, Span, Value, shown};
use crate::target_pattern::TargetPattern;

/// What one file says.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) roles: Vec<RoleDocument>,
    pub(crate) assignments: Vec<AssignmentDocument>,
    pub(crate) requirement: Option<Requirement>,
    pub(crate) defaults: DefaultCommands,
    pub(crate) denials: Vec<DenyDocument>,
    pub(crate) catalog: Option<CatalogDocument>,
}

/// Whether a file asks for the default commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DefaultCommands {
    #[default]
    Hidden,
    Visible,
}

/// The keys of a document.
const KEYS: [&str; 6] = ["require_groups", "defaults", "roles", "assignments", "deny", "catalog"];

/// Reads a whole document; what is wrong with it ends up in the reader.
pub(crate) fn read(reader: &mut Reader<'_>, patterns: &mut Patterns) -> Document {
    let root = reader.parse();
    let root = root.get_ref();
    reader.known_keys(root, "a policy document", &KEYS);
    let defaults = match root.get("defaults").and_then(|value| reader.switch(value, "`defaults`")) {
        Some(true) => DefaultCommands::Visible,
        Some(false) | None => DefaultCommands::Hidden,
    };
    Document {
        roles: root.get("roles").map(|value| role::read_all(reader, patterns, value)).unwrap_or_default(),
        assignments: root.get("assignments").map(|value| assignment::read_all(reader, value)).unwrap_or_default(),
        requirement: root.get("require_groups").map(|value| requirement::read(reader, value)),
        defaults,
        denials: root.get("deny").map(|value| deny::read_all(reader, value)).unwrap_or_default(),
        catalog: root.get("catalog").and_then(|value| catalog::read(reader, value)),
    }
}

/// Names of roles and rules end up in the audit and in messages.
fn check_name(reader: &mut Reader<'_>, name: &Located, what: &str) {
    let odd = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | ' ');
    if name.text.trim().is_empty() || name.text.chars().any(odd) || name.text.chars().count() > limits::NAME {
        let message = format!("`{}` is no name for a {what}", shown(&name.text));
        reader.mistake(&name.span, message, "use letters, digits, blanks, `-`, `_` and `.`");
    }
}

/// A name that has to be there.
fn required_name(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span, what: &str) -> Option<Located> {
    let Some(value) = table.get("name") else {
        let hint = "give it a name: the audit and denials refer to it";
        reader.missing(span, &format!("the {what}"), "name", hint);
        return None;
    };
    let name = reader.text(value, "`name`")?;
    check_name(reader, &name, what);
    Some(name)
}

/// Text for people, which nothing depends on.
fn check_description(reader: &mut Reader<'_>, table: &DeTable<'_>) {
    if let Some(description) = table.get("description") {
        reader.text(description, "`description`");
    }
}

fn filled(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Vec<Located> {
    if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        reader.mistake(&value.span(), format!("`{key}` is empty"), "name at least one, or remove what it stands in");
    }
    reader.texts(value, &format!("`{key}`"))
}

/// Keys that select targets.
const SELECTORS: [&str; 3] = ["targets", "target_groups", "tags"];

fn read_scope(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Scope {
    Scope {
        targets: read_targets(reader, table),
        target_groups: read_names(reader, table, "target_groups"),
        tags: read_names(reader, table, "tags"),
    }
}

fn read_names(reader: &mut Reader<'_>, table: &DeTable<'_>, key: &str) -> Vec<String> {
    let names = table.get(key).map(|value| filled(reader, value, key)).unwrap_or_default();
    for name in &names {
        let odd = name.text.is_empty() || name.text.chars().any(|c| c.is_control() || c == '*');
        if odd || name.text.chars().count() > limits::NAME {
            let message = format!("`{}` is no name for `{key}`", shown(&name.text));
            reader.mistake(&name.span, message, "write the whole name as the gateway's configuration has it");
        }
    }
    names.iter().map(|name| fold(&name.text)).collect()
}

fn read_targets(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Vec<TargetPattern> {
    let sources = table.get("targets").map(|value| filled(reader, value, "targets")).unwrap_or_default();
    let mut patterns = Vec::new();
    for source in sources {
        match TargetPattern::parse(&source.text) {
            Ok(pattern) => {
                if pattern.is_lone_wildcard() {
                    let hint = "write `*.demo.example` for names with a domain, or a target group";
                    reader.warning(&source.span, "`*` fits no name that has a dot in it", hint);
                }
                patterns.push(pattern);
            }
            Err(message) => {
                let hint = "write a name such as `web01.demo.example` or `web*.demo.example`";
                reader.mistake(&source.span, message, hint);
            }
        }
    }
    patterns
}

/// Checks and folds `DOMAIN\name`.
fn read_principal(reader: &mut Reader<'_>, principal: &Located) -> Option<String> {
    let text = &principal.text;
    let message = match text.split_once('\\') {
        Some((domain, name)) if !domain.is_empty() && !name.is_empty() && !name.contains('\\') => {
            let odd = |c: char| c.is_control() || matches!(c, '*' | '?' | '/' | '"');
            if !text.chars().any(odd) && text.trim() == text && text.chars().count() <= limits::NAME {
                return Some(fold(text));
            }
            format!("`{}` holds what no name has; principals take no wildcards", shown(text))
        }
        Some(_) => format!("`{}` is no principal", shown(text)),
        None => format!("the principal `{}` has no domain", shown(text)),
    };
    let hint = r"write 'DOMAIN\name' of a user or group, or 'GATEWAY\name' for a local account";
    reader.mistake(&principal.span, message, hint);
    None
}
