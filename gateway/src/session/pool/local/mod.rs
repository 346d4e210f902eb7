//! What the gateway answers itself, without a target.

mod object;
mod offered;
mod wildcard;

use super::text;
use crate::enforce::pipeline::{CommandQuery, Local, Shown, Then};
use crate::enforce::{Asker, listing};
use crate::state::Live;
use object::Objects;
use offered::{Kind, Offered, offered};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{ErrorCategory, ErrorRecord, HostCall, HostMethod};

/// `ci` of a call that wants no answer, as PowerShell writes it.
const NO_ANSWER: i64 = -100;
/// Most commands that are shown whole at once.
const SHOWN: usize = 2000;
/// Characters of a name in an error.
const ABOUT: usize = 128;

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Objects, in order.
    pub(super) output: Vec<Value>,
    /// The same as lines for people, where these are others than of any object.
    pub(super) table: Vec<String>,
    /// Errors beside them.
    pub(super) errors: Vec<ErrorRecord>,
    /// A call to the client's host.
    pub(super) call: Option<HostCall>,
}

impl Answers {
    /// The lines in which it is shown; none where objects are wanted.
    pub(super) fn lines(&self, shown: Shown) -> Vec<String> {
        match shown {
            Shown::Objects => Vec::new(),
            Shown::Text | Shown::Host if !self.table.is_empty() => self.table.clone(),
            Shown::Text | Shown::Host => self.output.iter().flat_map(text::shown).collect(),
        }
    }
}

/// The answer to what needs no target.
pub(super) fn answers(live: &Live, asker: Asker<'_>, local: &Local) -> Answers {
    match local {
        Local::Prompt => {
            Answers { output: vec![Value::text(format!("PS {}> ", asker.target.name))], ..Answers::default() }
        }
        Local::Nothing => Answers::default(),
        Local::Commands(query) => {
            let edition = live.facts(asker.target).map(|facts| facts.edition).unwrap_or_default();
            commands(&offered(&listing(live, asker), edition), query)
        }
        Local::Exit => {
            let call = HostCall { call: NO_ANSWER, method: HostMethod::PopRunspace, parameters: Vec::new() };
            Answers { call: Some(call), ..Answers::default() }
        }
    }
}

/// What a question for commands finds among those that are offered.
fn commands(all: &[Offered], query: &CommandQuery) -> Answers {
    let found: Vec<&Offered> = all.iter().filter(|one| is_asked(one, query)).collect();
    let mut objects = Objects::default();
    let output = match &query.then {
        Then::Count => return Answers { output: vec![object::measured(found.len())], ..Answers::default() },
        Then::Nothing | Then::Select(_) | Then::Metadata if SHOWN < found.len() => {
            return Answers { errors: vec![too_many()], ..Answers::default() };
        }
        Then::Nothing => found.iter().map(|one| objects.command(one)).collect(),
        Then::Select(names) => found.iter().map(|one| objects.selected(one, names)).collect(),
        Then::Metadata => {
            let count = std::iter::once(object::count(found.len()));
            count.chain(found.iter().map(|one| objects.metadata(one))).collect()
        }
    };
    let errors = match query.then {
        Then::Metadata => Vec::new(),
        Then::Nothing | Then::Select(_) | Then::Count => missing(all, query),
    };
    let table = if query.then == Then::Nothing { table(&found) } else { Vec::new() };
    Answers { output, table, errors, call: None }
}

/// As PowerShell shows commands; the versions of modules are not known here.
fn table(found: &[&Offered]) -> Vec<String> {
    const KIND: usize = 16;
    let width = found.iter().map(|one| one.name.chars().count()).max().unwrap_or_default().clamp(4, 60);
    let row = |kind: &str, name: &str, source: &str| {
        let line = format!("{kind:KIND$}{name:width$} {source}");
        line.trim_end().to_owned()
    };
    let title = [row("CommandType", "Name", "Source"), row("-----------", "----", "------")];
    let rows = found.iter().map(|one| {
        let name = match &one.kind {
            Kind::Alias(of) => format!("{} -> {of}", one.name),
            Kind::Cmdlet | Kind::Function | Kind::Application(_) => one.name.clone(),
        };
        row(one.kind.flag().0, &name, &one.module)
    });
    if found.is_empty() { Vec::new() } else { title.into_iter().chain(rows).collect() }
}

fn is_asked(one: &Offered, query: &CommandQuery) -> bool {
    let (_, flag) = one.kind.flag();
    let kind = match (query.kinds, &one.kind) {
        (Some(kinds), _) => kinds & flag != 0,
        // As PowerShell does: these are shown when they are asked for by name or by kind.
        (None, Kind::Alias(_) | Kind::Application(_)) => !query.names.is_empty(),
        (None, Kind::Cmdlet | Kind::Function) => true,
    };
    let named = query.names.is_empty() || query.names.iter().any(|pattern| is_named(one, pattern));
    let modules = query.modules.is_empty() || query.modules.iter().any(|module| wildcard::fits(module, &one.module));
    kind && named && modules
}

fn is_named(one: &Offered, pattern: &str) -> bool {
    if wildcard::fits(pattern, &one.name) {
        return true;
    }
    let by_module = pattern
        .split_once('\\')
        .is_some_and(|(module, name)| wildcard::fits(module, &one.module) && wildcard::fits(name, &one.name));
    let without_end = |name: &str| name.len() > 4 && name.to_ascii_lowercase().ends_with(".exe");
    let as_program = matches!(one.kind, Kind::Application(_))
        && without_end(&one.name)
        && wildcard::fits(&format!("{pattern}.exe"), &one.name);
    by_module || as_program
}

/// As PowerShell does: a name that is not there is an error, and a pattern that fits nothing is none.
fn missing(all: &[Offered], query: &CommandQuery) -> Vec<ErrorRecord> {
    let plain = query.names.iter().filter(|name| wildcard::is_plain(name));
    let missing = plain.filter(|name| !all.iter().any(|one| is_named(one, name)));
    let record = |name: &String| {
        let about: String = name.chars().filter(|c| !c.is_control()).take(ABOUT).collect();
        ErrorRecord {
            message: format!("'{about}' is no command that you are allowed on this target: Get-Command shows them"),
            id: "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand".to_owned(),
            category: ErrorCategory::ObjectNotFound,
            about,
        }
    };
    missing.take(SHOWN).map(record).collect()
}

fn too_many() -> ErrorRecord {
    ErrorRecord {
        message: format!("more than {SHOWN} commands: give Get-Command a -Name with wildcards, or a -Module"),
        id: "SekishoTooManyCommands".to_owned(),
        category: ErrorCategory::ResourceUnavailable,
        about: String::new(),
    }
}

#[cfg(test)]
mod tests;
