//! `[[deny]]`: what is denied whatever roles allow.

use toml::de::DeTable;

use super::{SELECTORS, check_description, filled, read_principal, read_scope, required_name};
use crate::command_pattern::CommandPattern;
use crate::fold::fold;
use crate::limits;
use crate::model::{DeniedPath, Scope};
use crate::program_path::ProgramPath;
use crate::source_text::{Located, Reader, Span, Value, shown};

/// A rule that denies, whose wildcards are not yet expanded.
#[derive(Debug)]
pub(crate) struct DenyDocument {
    pub(crate) name: Located,
    pub(crate) reason: Option<String>,
    /// Folded; empty means everybody.
    pub(crate) principals: Vec<String>,
    /// Empty means everywhere.
    pub(crate) scope: Scope,
    pub(crate) commands: Vec<(Located, CommandPattern)>,
    pub(crate) programs: Vec<DeniedPath>,
}

const KEYS: [&str; 9] =
    ["name", "description", "reason", "principals", "targets", "target_groups", "tags", "commands", "programs"];

pub(super) fn read_all(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<DenyDocument> {
    let Some(list) = reader.list(value, "`deny`", "one table for each rule, headed [[deny]]") else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|entry| {
            let table = reader.table(entry, "a rule that denies", "a table headed [[deny]]")?;
            read(reader, table, &entry.span())
        })
        .collect()
}

fn read(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span) -> Option<DenyDocument> {
    reader.known_keys(table, "a rule that denies", &KEYS);
    check_description(reader, table);
    let name = required_name(reader, table, span, "rule that denies");
    let reason = table.get("reason").and_then(|value| reader.text(value, "`reason`"));
    if let Some(reason) = reason.as_ref().filter(|reason| !is_reason(&reason.text)) {
        let message = "`reason` is empty, too long or holds control characters";
        reader.mistake(&reason.span, message, format!("write up to {} characters on one line", limits::REASON));
    }
    if !table.contains_key("commands") && !table.contains_key("programs") {
        let hint = "say what is denied: commands = ['Stop-Computer', 'Restart-*'] or programs = ['cmd.exe']";
        reader.missing(span, "the rule that denies", "commands` or `programs", hint);
    }
    let mut list = |key| table.get(key).map(|value| filled(reader, value, key)).unwrap_or_default();
    let (principals, commands, programs) = (list("principals"), list("commands"), list("programs"));
    let principals = principals.iter().filter_map(|principal| read_principal(reader, principal)).collect();
    let commands = commands.into_iter().filter_map(|command| read_command(reader, command)).collect();
    let programs = programs.iter().filter_map(|program| read_program(reader, program)).collect();
    let scope = read_scope(reader, table);
    debug_assert!(scope.is_empty() || SELECTORS.iter().any(|key| table.contains_key(*key)));
    Some(DenyDocument { name: name?, reason: reason.map(|reason| reason.text), principals, scope, commands, programs })
}

fn is_reason(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= limits::REASON && !text.chars().any(char::is_control)
}

fn read_command(reader: &mut Reader<'_>, command: Located) -> Option<(Located, CommandPattern)> {
    match CommandPattern::parse(&command.text) {
        Ok(pattern) => Some((command, pattern)),
        Err(message) => {
            let message = format!("`{}` {message}", shown(&command.text));
            reader.mistake(&command.span, message, "write 'Stop-Computer' or 'Restart-*'");
            None
        }
    }
}

/// A full path, or a file name that stands for every program of this name.
fn read_program(reader: &mut Reader<'_>, program: &Located) -> Option<DeniedPath> {
    let text = &program.text;
    let named = !text.contains(['\\', '/', ':']);
    let path = if named { format!("C:\\{text}") } else { text.clone() };
    match ProgramPath::parse(&path) {
        Ok(path) if named => Some(DeniedPath::Named(path.base().to_owned())),
        Ok(path) => Some(DeniedPath::Whole(fold(path.text()))),
        Err((message, hint)) => {
            reader.mistake(&program.span, message, hint);
            None
        }
    }
}
