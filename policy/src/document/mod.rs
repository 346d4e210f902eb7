//! A policy document: roles and assignments as TOML. docs/policy.md is its reference.

mod program;

use toml::de::DeTable;

use crate::fold::fold;
use crate::limits;
use crate::model::ProgramRule;
use crate::source_text::{Located, Patterns, Reader, Span, Value, shown};
use crate::target_pattern::TargetPattern;

/// What one file says.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) roles: Vec<RoleDocument>,
    pub(crate) assignments: Vec<AssignmentDocument>,
}

#[derive(Debug)]
pub(crate) struct RoleDocument {
    pub(crate) name: Located,
    pub(crate) programs: Vec<ProgramRule>,
}

/// An assignment whose roles are still names.
#[derive(Debug)]
pub(crate) struct AssignmentDocument {
    /// Folded.
    pub(crate) principals: Vec<String>,
    pub(crate) targets: Vec<TargetPattern>,
    /// Folded.
    pub(crate) target_groups: Vec<String>,
    /// Folded.
    pub(crate) tags: Vec<String>,
    pub(crate) roles: Vec<Located>,
}

/// Reads a whole document; what is wrong with it ends up in the reader.
pub(crate) fn read(reader: &mut Reader<'_>, patterns: &mut Patterns) -> Document {
    let root = reader.parse();
    let root = root.get_ref();
    reader.known_keys(root, "a policy document", &["roles", "assignments"]);
    Document {
        roles: root.get("roles").map(|value| read_roles(reader, patterns, value)).unwrap_or_default(),
        assignments: root.get("assignments").map(|value| read_assignments(reader, value)).unwrap_or_default(),
    }
}

fn read_roles(reader: &mut Reader<'_>, patterns: &mut Patterns, value: &Value<'_>) -> Vec<RoleDocument> {
    let Some(table) = reader.table(value, "`roles`", "a table for each role, for instance [roles.web-ops]") else {
        return Vec::new();
    };
    let mut roles = Vec::new();
    for (key, value) in table {
        let name = Located { text: key.get_ref().to_string(), span: key.span() };
        check_name(reader, &name, "role");
        if let Some(role) = reader.table(value, "a role", "a table, for instance [roles.web-ops]") {
            let programs = read_role(reader, patterns, role);
            roles.push(RoleDocument { name, programs });
        }
    }
    roles
}

fn read_role(reader: &mut Reader<'_>, patterns: &mut Patterns, role: &DeTable<'_>) -> Vec<ProgramRule> {
    reader.known_keys(role, "a role", &["description", "programs"]);
    if let Some(description) = role.get("description") {
        reader.text(description, "`description`");
    }
    let Some(value) = role.get("programs") else {
        return Vec::new();
    };
    let wanted = "one table for each rule, for instance [[roles.web-ops.programs]]";
    let Some(list) = reader.list(value, "`programs`", wanted) else {
        return Vec::new();
    };
    let mut rules: Vec<ProgramRule> = Vec::new();
    for entry in list {
        let Some((name, rule)) = program::read(reader, patterns, entry) else {
            continue;
        };
        if rules.iter().any(|other| other.name == rule.name) {
            let message = format!("the role has two rules named `{}`", shown(&rule.name));
            reader.mistake(&name.span, message, "give each rule a name of its own: the audit names it");
        }
        rules.push(rule);
    }
    rules
}

/// Names of roles and rules end up in the audit and in messages.
fn check_name(reader: &mut Reader<'_>, name: &Located, what: &str) {
    let odd = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | ' ');
    if name.text.trim().is_empty() || name.text.chars().any(odd) || name.text.chars().count() > limits::NAME {
        let message = format!("`{}` is no name for a {what}", shown(&name.text));
        reader.mistake(&name.span, message, "use letters, digits, blanks, `-`, `_` and `.`");
    }
}

fn read_assignments(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<AssignmentDocument> {
    let wanted = "one table for each assignment, headed [[assignments]]";
    let Some(list) = reader.list(value, "`assignments`", wanted) else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|entry| {
            let table = reader.table(entry, "an assignment", "a table headed [[assignments]]")?;
            Some(read_assignment(reader, table, &entry.span()))
        })
        .collect()
}

fn read_assignment(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span) -> AssignmentDocument {
    const KEYS: [&str; 6] = ["description", "principals", "targets", "target_groups", "tags", "roles"];
    const SELECTORS: [&str; 3] = ["targets", "target_groups", "tags"];
    reader.known_keys(table, "an assignment", &KEYS);
    if let Some(description) = table.get("description") {
        reader.text(description, "`description`");
    }
    if !SELECTORS.iter().any(|key| table.contains_key(*key)) {
        let hint = "say where it holds: targets = ['*.demo.example'], target_groups = ['web'] or tags = ['test']";
        reader.missing(span, "the assignment", "targets", hint);
    }
    let principals = required(reader, table, span, ("principals", r"say who: principals = ['DEMO\WebOps']"));
    AssignmentDocument {
        principals: principals.iter().filter_map(|principal| read_principal(reader, principal)).collect(),
        targets: read_targets(reader, table),
        target_groups: read_names(reader, table, "target_groups"),
        tags: read_names(reader, table, "tags"),
        roles: required(reader, table, span, ("roles", "say what they may do: roles = ['web-ops']")),
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

fn filled(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Vec<Located> {
    if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        reader.mistake(&value.span(), format!("`{key}` is empty"), "name at least one, or remove the assignment");
    }
    reader.texts(value, &format!("`{key}`"))
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
                reader.mistake(
                    &source.span,
                    message,
                    "write a name such as `web01.demo.example` or `web*.demo.example`",
                );
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
