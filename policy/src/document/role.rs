//! `[roles.NAME]`: what its holders may do.

use toml::de::DeTable;

use super::{CommandDocument, ScriptDocument, check_description, check_name, command, program, script};
use crate::command_pattern::CommandPattern;
use crate::model::{ConstantCommands, Listed, ProgramRule};
use crate::source_text::{Located, Patterns, Reader, Value, shown};

#[derive(Debug)]
pub(crate) struct RoleDocument {
    pub(crate) name: Located,
    /// With the place of each rule's name.
    pub(crate) programs: Vec<(Located, ProgramRule)>,
    pub(crate) commands: Vec<CommandDocument>,
    pub(crate) aliases: Vec<AliasDocument>,
    pub(crate) scripts: Vec<ScriptDocument>,
    pub(crate) constant_commands: ConstantCommands,
}

/// One alias and the command it stands for.
#[derive(Debug)]
pub(crate) struct AliasDocument {
    pub(crate) alias: Located,
    pub(crate) command: Located,
}

const KEYS: [&str; 7] = ["description", "cmdlets", "functions", "programs", "scripts", "aliases", "powershell"];

pub(super) fn read_all(reader: &mut Reader<'_>, patterns: &mut Patterns, value: &Value<'_>) -> Vec<RoleDocument> {
    let Some(table) = reader.table(value, "`roles`", "a table for each role, for instance [roles.web-ops]") else {
        return Vec::new();
    };
    let mut roles = Vec::new();
    for (key, value) in table {
        let name = Located { text: key.get_ref().to_string(), span: key.span() };
        check_name(reader, &name, "role");
        if let Some(role) = reader.table(value, "a role", "a table, for instance [roles.web-ops]") {
            roles.push(read(reader, patterns, name, role));
        }
    }
    roles
}

fn read(reader: &mut Reader<'_>, patterns: &mut Patterns, name: Located, role: &DeTable<'_>) -> RoleDocument {
    reader.known_keys(role, "a role", &KEYS);
    check_description(reader, role);
    let mut commands = Vec::new();
    for (key, listed) in [("cmdlets", Listed::Cmdlets), ("functions", Listed::Functions)] {
        if let Some(value) = role.get(key) {
            commands.extend(command::read_all(reader, patterns, value, (key, listed)));
        }
    }
    RoleDocument {
        name,
        programs: role.get("programs").map(|value| read_programs(reader, patterns, value)).unwrap_or_default(),
        commands,
        aliases: role.get("aliases").map(|value| read_aliases(reader, value)).unwrap_or_default(),
        scripts: role.get("scripts").map(|value| script::read_all(reader, patterns, value)).unwrap_or_default(),
        constant_commands: role.get("powershell").map(|value| read_powershell(reader, value)).unwrap_or_default(),
    }
}

fn read_programs(reader: &mut Reader<'_>, patterns: &mut Patterns, value: &Value<'_>) -> Vec<(Located, ProgramRule)> {
    let wanted = "one table for each rule, for instance [[roles.web-ops.programs]]";
    let Some(list) = reader.list(value, "`programs`", wanted) else {
        return Vec::new();
    };
    let mut rules: Vec<(Located, ProgramRule)> = Vec::new();
    for entry in list {
        let Some((name, rule)) = program::read(reader, patterns, entry) else {
            continue;
        };
        if rules.iter().any(|(_, other)| other.name == rule.name) {
            let message = format!("the role has two rules named `{}`", shown(&rule.name));
            reader.mistake(&name.span, message, "give each rule a name of its own: the audit names it");
        }
        rules.push((name, rule));
    }
    rules
}

fn read_aliases(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<AliasDocument> {
    const WANTED: &str = "a table, for instance { gsv = 'Get-Service' }";
    let Some(table) = reader.table(value, "`aliases`", WANTED) else {
        return Vec::new();
    };
    let mut aliases: Vec<AliasDocument> = Vec::new();
    for (key, value) in table {
        let alias = Located { text: key.get_ref().to_string(), span: key.span() };
        let Some(command) = reader.text(value, "what an alias stands for") else {
            continue;
        };
        for name in [&alias, &command] {
            if !CommandPattern::parse(&name.text).is_ok_and(|name| name.is_plain()) {
                let message = format!("`{}` is no name for an alias or what it stands for", shown(&name.text));
                reader.mistake(&name.span, message, "write whole names without a module: { gsv = 'Get-Service' }");
            }
        }
        let folded = crate::fold::fold(&alias.text);
        if aliases.iter().any(|other| crate::fold::fold(&other.alias.text) == folded) {
            let message = format!("the role has the alias `{}` twice, ignoring case", shown(&alias.text));
            reader.mistake(&alias.span, message, "remove one of the two");
        }
        aliases.push(AliasDocument { alias, command });
    }
    aliases
}

fn read_powershell(reader: &mut Reader<'_>, value: &Value<'_>) -> ConstantCommands {
    let Some(word) = reader.text(value, "`powershell`") else {
        return ConstantCommands::Unread;
    };
    if word.text == "constant-commands" {
        return ConstantCommands::Read;
    }
    let message = format!("`powershell` can only be \"constant-commands\", and is `{}`", shown(&word.text));
    reader.mistake(&word.span, message, "write powershell = \"constant-commands\", or leave it out");
    ConstantCommands::Unread
}
