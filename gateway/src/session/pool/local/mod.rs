//! What the gateway answers itself, without a target.

mod object;
mod offered;
mod sought;
mod wildcard;

use super::text;
use crate::enforce::pipeline::{CommandQuery, Local, Shown, Then};
use crate::enforce::{Asker, listing};
use crate::state::Live;
use object::Objects;
use offered::{Kind, Offered, offered};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{ErrorCategory, ErrorRecord, HostCall, HostMethod};
use sought::Sought;

/// `ci` of a call that wants no answer, as PowerShell writes it.
const NO_ANSWER: i64 = -100;
/// Most commands that are shown whole at once.
const SHOWN: usize = 2000;

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
    if !query.is_bounded() {
        return Answers { errors: vec![asks_too_much()], ..Answers::default() };
    }
    let sought = Sought::of(query);
    let found: Vec<&Offered> = all.iter().filter(|one| sought.has(one)).collect();
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
        Then::Nothing | Then::Select(_) | Then::Count => sought.missing(all),
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

fn asks_too_much() -> ErrorRecord {
    ErrorRecord {
        message: "too many or too long names, modules or properties: ask Get-Command for fewer".to_owned(),
        id: "SekishoCommandQueryTooLong".to_owned(),
        category: ErrorCategory::ResourceUnavailable,
        about: String::new(),
    }
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
