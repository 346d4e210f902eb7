//! What the gateway answers itself, since no target's answer would be right: it knows more commands than policy
//! allows, and its name is not what the user calls it.

use super::Why;
use sekisho_policy::command::{Argument, Bindings, Command, CommandKind};
use sekisho_policy::powershell;
use sekisho_policy::value::Value;
use sekisho_protocol::psrp::GetCommandMetadata;
use std::collections::BTreeSet;

/// What the gateway answers itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Local {
    /// `prompt`, which clients send before every typed line: the target's name.
    Prompt,
    /// A probe that is answered by the end of the pipeline alone: completion of words, and format data.
    Nothing,
    /// `Get-Command`: answered from the policy.
    Commands(CommandQuery),
    /// `Exit-PSSession`: the client is told to leave the session.
    Exit,
}

/// What `Get-Command` or GET_COMMAND_METADATA asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandQuery {
    /// Patterns of names; empty means all.
    pub names: Vec<String>,
    /// Patterns of modules; empty means all.
    pub modules: Vec<String>,
    /// The kinds of commands, as flags of `CommandTypes`; nothing means all.
    pub kinds: Option<i32>,
    /// What becomes of the commands that are found.
    pub then: Then,
}

/// What stands behind `Get-Command`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Then {
    /// Nothing: the commands themselves.
    #[default]
    Nothing,
    /// `Select-Object`: these properties alone.
    Select(Vec<String>),
    /// `Measure-Object`: how many they are.
    Count,
    /// What a server makes of GET_COMMAND_METADATA: how many they are, and what proxies for each are made from.
    Metadata,
}

/// Entries of a list of names, modules or kinds.
const LIST: usize = 256;
/// Bytes of one of them, and of the name of a property.
const ENTRY: usize = 512;
/// Properties that `Select-Object` may name: as many as a command has.
const PROPERTIES: usize = 11;

impl CommandQuery {
    /// Whether it asks for no more than is answered: otherwise a short question would be much work, or a long answer.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        let properties = match &self.then {
            Then::Select(names) => is_bounded(names, PROPERTIES) && !has_twins(names),
            Then::Nothing | Then::Count | Then::Metadata => true,
        };
        properties && is_bounded(&self.names, LIST) && is_bounded(&self.modules, LIST)
    }
}

fn is_bounded(entries: &[String], most: usize) -> bool {
    entries.len() <= most && entries.iter().all(|entry| entry.len() <= ENTRY)
}

/// PowerShell's names differ by more than case.
fn has_twins(names: &[String]) -> bool {
    let lower = |name: &String| name.to_lowercase();
    let distinct: BTreeSet<String> = names.iter().map(lower).collect();
    distinct.len() < names.len()
}

impl From<GetCommandMetadata> for CommandQuery {
    fn from(request: GetCommandMetadata) -> Self {
        let GetCommandMetadata { names, kinds, modules } = request;
        Self { names, modules, kinds: Some(kinds), then: Then::Metadata }
    }
}

/// Commands that are answered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Prompt,
    Completion,
    FormatData,
    Exit,
    GetCommand,
}

/// Their names, with the aliases that every session has.
const NAMES: [(&str, Name); 8] = [
    ("prompt", Name::Prompt),
    ("TabExpansion", Name::Completion),
    ("TabExpansion2", Name::Completion),
    ("Get-FormatData", Name::FormatData),
    ("Exit-PSSession", Name::Exit),
    ("exsn", Name::Exit),
    ("Get-Command", Name::GetCommand),
    ("gcm", Name::GetCommand),
];
const CORE: &str = r"Microsoft.PowerShell.Core\";
/// Longest text that may be a question of these.
const TEXT: usize = 4096;

impl Name {
    fn of(name: &str) -> Option<Self> {
        let bare = match name.split_at_checked(CORE.len()) {
            Some((module, bare)) if module.eq_ignore_ascii_case(CORE) => bare,
            Some(_) | None => name,
        };
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(bare)).map(|(_, name)| *name)
    }

    fn of_command(command: &Command) -> Option<Self> {
        if command.kind == CommandKind::Name { Self::of(&command.name) } else { None }
    }
}

/// What of commands is answered here; nothing when they are to be judged.
pub(super) fn of_statements(statements: &[Vec<Command>]) -> Result<Option<Local>, Why> {
    let asks = |command: &Command| Name::of_command(command) == Some(Name::GetCommand);
    let [statement] = statements else {
        return if statements.iter().flatten().any(asks) { Err(Why::GetCommand) } else { Ok(None) };
    };
    let Some((first, rest)) = statement.split_first() else { return Ok(None) };
    let local = match (Name::of_command(first), rest) {
        (Some(Name::GetCommand), _) => Some(Local::Commands(query(&first.arguments, rest)?)),
        (Some(Name::Prompt), []) if first.arguments.is_empty() => Some(Local::Prompt),
        (Some(Name::Exit), []) if first.arguments.is_empty() => Some(Local::Exit),
        (Some(Name::Completion | Name::FormatData), []) => Some(Local::Nothing),
        (Some(Name::Prompt | Name::Exit | Name::Completion | Name::FormatData) | None, rest) => {
            return if rest.iter().any(asks) { Err(Why::GetCommand) } else { Ok(None) };
        }
    };
    Ok(local)
}

/// The same for text, where nothing comes with it.
pub(super) fn of_text(text: &str, bindings: &Bindings) -> Result<Option<Local>, Why> {
    let alone = bindings.using.is_empty() && bindings.arguments.is_empty();
    if !alone || TEXT < text.len() || !mentions(text) {
        return Ok(None);
    }
    match powershell::parse(text, bindings) {
        Ok(pipeline) => of_statements(&[pipeline]),
        Err(_) => Ok(None),
    }
}

/// Whether a text holds one of the names at all: most do not, and need not be read twice.
fn mentions(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '\\');
    text.split(|c| !word(c)).any(|word| Name::of(word).is_some())
}

fn query(arguments: &[Argument], rest: &[Command]) -> Result<CommandQuery, Why> {
    let mut query = CommandQuery { then: then(rest)?, ..CommandQuery::default() };
    for (name, value) in bound(arguments, &["Name", "Module", "ArgumentList", "CommandType"])? {
        match name {
            "Name" => query.names = texts(value)?,
            "Module" => query.modules = texts(value)?,
            "CommandType" => query.kinds = kinds(value)?,
            // All that is offered is there already; and how a failure is shown is not ours to say.
            "ListImported" | "ErrorAction" => {}
            // It would make a target run code.
            "ArgumentList" if is_empty(value) => {}
            _ => return Err(Why::GetCommand),
        }
    }
    if query.is_bounded() { Ok(query) } else { Err(Why::GetCommand) }
}

fn then(rest: &[Command]) -> Result<Then, Why> {
    let [one] = rest else {
        return if rest.is_empty() { Ok(Then::Nothing) } else { Err(Why::GetCommand) };
    };
    let is = |names: [&str; 2]| names.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
    if one.kind == CommandKind::Script {
        Err(Why::GetCommand)
    } else if is(["Measure-Object", "measure"]) && one.arguments.is_empty() {
        Ok(Then::Count)
    } else if is(["Select-Object", "select"]) {
        match bound(&one.arguments, &["Property"])?.as_slice() {
            [("Property", value)] => Ok(Then::Select(texts(value)?)),
            _ => Err(Why::GetCommand),
        }
    } else {
        Err(Why::GetCommand)
    }
}

/// The parameters that are read, each in the one spelling.
const PARAMETERS: [&str; 7] =
    ["Name", "Module", "ArgumentList", "CommandType", "ListImported", "ErrorAction", "Property"];

/// Binds arguments by whole names and by position, each parameter once.
fn bound<'a>(arguments: &'a [Argument], positions: &[&'static str]) -> Result<Vec<(&'static str, &'a Value)>, Why> {
    let mut bound: Vec<(&'static str, &Value)> = Vec::new();
    let mut left = arguments.iter().peekable();
    let mut unnamed = Vec::new();
    while let Some(argument) = left.next() {
        let Some(given) = &argument.name else {
            unnamed.push(&argument.value);
            continue;
        };
        let dashed = given.strip_prefix('-');
        let word = dashed.unwrap_or(given);
        let whole = word.strip_suffix(':').unwrap_or(word);
        let known = PARAMETERS.into_iter().find(|known| known.eq_ignore_ascii_case(whole)).ok_or(Why::GetCommand)?;
        let split = dashed.is_some() && word == whole && argument.value == Value::Null && known != "ListImported";
        let value = match split {
            true => left.next_if(|next| next.name.is_none()).map(|next| &next.value).ok_or(Why::GetCommand)?,
            false => &argument.value,
        };
        if bound.iter().any(|(other, _)| *other == known) {
            return Err(Why::GetCommand);
        }
        bound.push((known, value));
    }
    let mut free = positions.iter().filter(|position| !bound.iter().any(|(name, _)| name == *position));
    let placed: Vec<_> = unnamed.into_iter().map(|value| free.next().map(|name| (*name, value))).collect();
    for one in placed {
        bound.push(one.ok_or(Why::GetCommand)?);
    }
    Ok(bound)
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Null) || matches!(value, Value::List(items) if items.is_empty())
}

/// One text or several, as many and as long as is answered; null means all.
fn texts(value: &Value) -> Result<Vec<String>, Why> {
    let text = |value: &Value| match value {
        Value::Text(text) if text.len() <= ENTRY => Ok(text.clone()),
        Value::Text(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::List(_)
        | Value::Secure(_)
        | Value::Opaque(_) => Err(Why::GetCommand),
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) if LIST < items.len() => Err(Why::GetCommand),
        Value::List(items) => items.iter().map(text).collect(),
        Value::Bool(_) | Value::Text(_) | Value::Number(_) | Value::Secure(_) | Value::Opaque(_) => {
            Ok(vec![text(value)?])
        }
    }
}

/// Kinds of commands and their flags, \[MS-PSRP\] 2.2.3.19.
const KINDS: [(&str, i32); 9] = [
    ("Alias", 1),
    ("Function", 2),
    ("Filter", 4),
    ("Cmdlet", 8),
    ("ExternalScript", 16),
    ("Application", 32),
    ("Script", 64),
    ("Configuration", 256),
    ("All", 383),
];

/// `CommandType` as number, as names with commas between them, or as a list of names.
fn kinds(value: &Value) -> Result<Option<i32>, Why> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => number.text.parse().map(Some).map_err(|_| Why::GetCommand),
        Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Secure(_) | Value::Opaque(_) => {
            let mut flags = 0;
            for name in texts(value)?.iter().flat_map(|text| text.split(',')) {
                let kind = KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
                flags |= kind.ok_or(Why::GetCommand)?.1;
            }
            Ok(Some(flags))
        }
    }
}
