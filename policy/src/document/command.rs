//! An entry of `cmdlets` or `functions`: a command, and what it may be given.

use std::sync::Arc;

use toml::de::DeTable;

use super::{check_description, check_name};
use crate::command_pattern::CommandPattern;
use crate::decision::Prompts;
use crate::fold::fold;
use crate::limits;
use crate::model::{Listed, ParameterSecrecy};
use crate::pattern::Pattern;
use crate::source_text::{Located, Patterns, Reader, Value, shown};

/// A command, not yet looked up in the catalogue.
#[derive(Debug)]
pub(crate) struct CommandDocument {
    /// As written.
    pub(crate) entry: Located,
    pub(crate) pattern: CommandPattern,
    /// The name of the rule, if the entry gives it one.
    pub(crate) rule: Option<Located>,
    /// All, if absent.
    pub(crate) parameters: Option<Vec<ParameterDocument>>,
    pub(crate) listed: Listed,
    pub(crate) prompts: Prompts,
}

/// A parameter of a command or a script, and the values it takes.
#[derive(Debug)]
pub(crate) struct ParameterDocument {
    pub(crate) name: Located,
    pub(crate) set: Option<Located>,
    pub(crate) values: Vec<String>,
    pub(crate) pattern: Option<(Located, Arc<Pattern>)>,
    pub(crate) secrecy: ParameterSecrecy,
}

const FORMS: &str = "write 'Get-Service', or { name = 'Restart-Service', parameters = ['Force', { name = 'Name', \
                     validate_set = ['Dns'] }] }";
const PARAMETER_KEYS: [&str; 5] = ["name", "validate_set", "validate_pattern", "secret", "secure"];

pub(super) fn read_all(
    reader: &mut Reader<'_>,
    patterns: &mut Patterns,
    value: &Value<'_>,
    (key, listed): (&str, Listed),
) -> Vec<CommandDocument> {
    let Some(list) = reader.list(value, &format!("`{key}`"), &format!("a list of commands: {FORMS}")) else {
        return Vec::new();
    };
    list.iter().filter_map(|entry| read(reader, patterns, entry, listed)).collect()
}

fn read(
    reader: &mut Reader<'_>,
    patterns: &mut Patterns,
    value: &Value<'_>,
    listed: Listed,
) -> Option<CommandDocument> {
    if value.get_ref().as_str().is_some() {
        let entry = reader.text(value, "a command")?;
        let pattern = read_name(reader, &entry)?;
        return Some(CommandDocument {
            entry,
            pattern,
            rule: None,
            parameters: None,
            listed,
            prompts: Prompts::Refused,
        });
    }
    let table = reader.table(value, "a command", &format!("a name or a table: {FORMS}"))?;
    reader.known_keys(table, "a command", &["name", "rule", "description", "parameters", "prompts"]);
    check_description(reader, table);
    let rule = table.get("rule").and_then(|rule| reader.text(rule, "`rule`"));
    rule.iter().for_each(|rule| check_name(reader, rule, "rule"));
    let parameters = table.get("parameters").map(|value| read_parameters(reader, patterns, value));
    let prompts = read_prompts(reader, table);
    let Some(name) = table.get("name") else {
        reader.missing(&value.span(), "the command", "name", FORMS);
        return None;
    };
    let entry = reader.text(name, "`name`")?;
    let pattern = read_name(reader, &entry)?;
    if parameters.is_some() && !pattern.is_plain() {
        let message = format!("`{}` cannot have a parameter list", shown(&entry.text));
        let hint = "write the whole name of one command, without a module and without wildcards";
        reader.mistake(&entry.span, message, hint);
        return None;
    }
    Some(CommandDocument { entry, pattern, rule, parameters, listed, prompts })
}

fn read_name(reader: &mut Reader<'_>, entry: &Located) -> Option<CommandPattern> {
    match CommandPattern::parse(&entry.text) {
        Ok(pattern) => Some(pattern),
        Err(message) => {
            let hint = r"write 'Get-Service', 'Module\Get-Service' or 'Get-Net*'";
            reader.mistake(&entry.span, format!("`{}` {message}", shown(&entry.text)), hint);
            None
        }
    }
}

/// Whether a command, or a script, may ask the user something.
pub(super) fn read_prompts(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Prompts {
    match table.get("prompts").and_then(|value| reader.switch(value, "`prompts`")) {
        Some(true) => Prompts::Permitted,
        Some(false) | None => Prompts::Refused,
    }
}

/// Reads the parameters of a command, or of a script.
pub(super) fn read_parameters(
    reader: &mut Reader<'_>,
    patterns: &mut Patterns,
    value: &Value<'_>,
) -> Vec<ParameterDocument> {
    const WANTED: &str = "a list, for instance ['Force', { name = 'Name', validate_set = ['Dns'] }]";
    let Some(list) = reader.list(value, "the list of parameters", WANTED) else {
        return Vec::new();
    };
    let mut parameters: Vec<ParameterDocument> = Vec::new();
    for entry in list {
        let Some(parameter) = read_parameter(reader, patterns, entry) else {
            continue;
        };
        let folded = fold(&parameter.name.text);
        if parameters.iter().any(|other| fold(&other.name.text) == folded) {
            let message = format!("the parameter `{}` is listed twice", shown(&parameter.name.text));
            reader.mistake(&parameter.name.span, message, "write all its values into one entry");
            continue;
        }
        parameters.push(parameter);
    }
    parameters
}

fn read_parameter(reader: &mut Reader<'_>, patterns: &mut Patterns, value: &Value<'_>) -> Option<ParameterDocument> {
    if value.get_ref().as_str().is_some() {
        let name = reader.text(value, "a parameter")?;
        check_parameter_name(reader, &name)?;
        return Some(ParameterDocument {
            name,
            set: None,
            values: Vec::new(),
            pattern: None,
            secrecy: ParameterSecrecy::Open,
        });
    }
    let table = reader.table(value, "a parameter", "a name or a table, for instance { name = 'Name' }")?;
    reader.known_keys(table, "a parameter", &PARAMETER_KEYS);
    let secrecy = read_secrecy(reader, table);
    let (set, values) = table.get("validate_set").map(|value| read_set(reader, value)).unwrap_or_default();
    let pattern = table.get("validate_pattern").and_then(|value| {
        let source = reader.text(value, "`validate_pattern`")?;
        let pattern = reader.pattern(&source, patterns)?;
        Some((source, pattern))
    });
    let Some(name) = table.get("name") else {
        reader.missing(&value.span(), "the parameter", "name", "write { name = 'Name', validate_set = ['Dns'] }");
        return None;
    };
    let name = reader.text(name, "`name`")?;
    check_parameter_name(reader, &name)?;
    if secrecy == ParameterSecrecy::Secure && (set.is_some() || table.contains_key("validate_pattern")) {
        let hint = "leave the restriction out: a SecureString and a PSCredential have no text to compare";
        reader.mistake(&name.span, "a `secure` parameter cannot have a set or a pattern", hint);
    }
    Some(ParameterDocument { name, set, values, pattern, secrecy })
}

fn read_set(reader: &mut Reader<'_>, value: &Value<'_>) -> (Option<Located>, Vec<String>) {
    let values = reader.texts(value, "`validate_set`");
    let place = Located { text: String::new(), span: value.span() };
    if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        let hint = "name the values, or take the parameter out of the list";
        reader.warning(&value.span(), "`validate_set` is empty, so that no value is accepted", hint);
    }
    (Some(place), values.into_iter().map(|value| value.text).collect())
}

fn read_secrecy(reader: &mut Reader<'_>, table: &DeTable<'_>) -> ParameterSecrecy {
    let mut set = |key| table.get(key).and_then(|value| reader.switch(value, &format!("`{key}`"))) == Some(true);
    match (set("secret"), set("secure")) {
        (false, false) => ParameterSecrecy::Open,
        (true, false) => ParameterSecrecy::Secret,
        (false, true) => ParameterSecrecy::Secure,
        (true, true) => {
            let span = table.get("secure").map(Value::span).unwrap_or_default();
            let hint =
                "`secret` is for plain text, `secure` for a SecureString or PSCredential, which is never audited";
            reader.mistake(&span, "a parameter cannot be `secret` and `secure`", hint);
            ParameterSecrecy::Secure
        }
    }
}

/// Never an empty name: one makes a target's PowerShell crash.
fn check_parameter_name(reader: &mut Reader<'_>, name: &Located) -> Option<()> {
    let text = &name.text;
    let sane = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let count = text.chars().count();
    if count > 0 && count <= limits::NAME && text.chars().all(sane) && !text.starts_with('-') {
        return Some(());
    }
    let message = format!("`{}` is no name for a parameter", shown(text));
    reader.mistake(&name.span, message, "write the whole name without a dash");
    None
}
