//! Commands of PowerShell: rules R3 to R10 and R13.

use super::explain::{self, Spot};
use super::search::{Asked, Feed, Found, Qualifier, Search};
use super::{Bench, Judged, forbidden, nearest, plain};
use crate::action::Presence;
use crate::arguments;
use crate::command::{Command, CommandKind, CommandsRequest, Pipeline};
use crate::decision::{Allowed, Checked, CheckedArguments, CheckedCommand, CheckedCommands, Denied, DenyReason};
use crate::fold::fold;
use crate::program_path::key_of_piece;

/// Judges a decoded CREATE_PIPELINE.
pub(super) fn judge(bench: &Bench<'_>, request: &CommandsRequest) -> Judged {
    let statements = match &request.extra_commands {
        None => std::slice::from_ref(&request.commands),
        Some(extra) if extra.first() == Some(&request.commands) => extra.as_slice(),
        Some(_) => {
            return Err(Box::new(plain(
                DenyReason::Batch,
                "the first statement of a batch has to be the one that stands before it, since targets differ in \
                 which of the two they run",
            )));
        }
    };
    judge_statements(bench, statements, request.input)
}

/// Judges pipelines that run one after the other: all before the first runs (rule R10).
pub(super) fn judge_statements(bench: &Bench<'_>, statements: &[Pipeline], input: Presence) -> Judged {
    let mut checked = Vec::with_capacity(statements.len());
    for (statement, pipeline) in statements.iter().enumerate() {
        if pipeline.is_empty() {
            return Err(Box::new(plain(DenyReason::Empty, "the request holds no command: send one")));
        }
        let mut commands = Vec::with_capacity(pipeline.len());
        for (index, command) in pipeline.iter().enumerate() {
            let feed = match (index, input) {
                (0, Presence::Absent) => Feed::Nothing,
                (_, Presence::Present) => Feed::Input,
                (_, Presence::Absent) => Feed::Pipeline,
            };
            let spot = Spot { statement, command: index, alone: statements.len() == 1 && pipeline.len() == 1 };
            commands.push(judge_command(bench, command, feed).map_err(|denied| explain::at(spot, denied))?);
        }
        checked.push(commands);
    }
    let all: Vec<&CheckedCommand> = checked.iter().flatten().collect();
    let role = joined(&all.iter().map(|command| command.role()).collect::<Vec<_>>());
    let rule = joined(&all.iter().map(|command| command.rule()).collect::<Vec<_>>());
    Ok(Allowed { role, rule, checked: Checked::Commands(CheckedCommands { statements: checked }) })
}

/// Names in their order, each once.
fn joined(names: &[&str]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(name) {
            seen.push(name);
        }
    }
    seen.join(", ")
}

fn judge_command(bench: &Bench<'_>, command: &Command, feed: Feed) -> Result<CheckedCommand, Box<Denied>> {
    check_envelope(command)?;
    let folded = fold(&command.name);
    let mut search = Search::new(&command.arguments, feed);
    ask_commands(bench, &folded, &mut search);
    if search.found.is_none() {
        ask_programs(bench, &folded, &mut search);
    }
    let Some(found) = search.found.take() else {
        return Err(Box::new(denied(bench, &search)));
    };
    permitted(bench, &search, &found)
}

/// Rule R10: what a command must not be, whoever asks.
fn check_envelope(command: &Command) -> Result<(), Box<Denied>> {
    match command.kind {
        CommandKind::Name => {}
        CommandKind::Script => {
            return Err(Box::new(plain(
                DenyReason::Script,
                "script text among commands is refused: send commands, or the text alone",
            )));
        }
    }
    match command.local_scope {
        None | Some(true) => Ok(()),
        Some(false) => Err(Box::new(plain(
            DenyReason::LocalScope,
            "a command that runs in the scope of its caller (dot-sourcing) is refused: send it without UseLocalScope",
        ))),
    }
}

/// Asks all rules that know the command: by its name, by an alias of the same role, or with its module.
fn ask_commands<'a>(bench: &Bench<'a>, folded: &str, search: &mut Search<'a>) {
    let (qualifier, name) = match folded.split_once('\\') {
        None => (Qualifier::None, folded),
        Some((module, name)) => (Qualifier::Module(module), name),
    };
    for (role, standing) in bench.roles() {
        let name = match qualifier {
            Qualifier::None => role.alias(name).unwrap_or(name),
            Qualifier::Module(_) => name,
        };
        for entry in role.command_entries(bench.edition, name) {
            search.ask(role, standing, qualifier, entry);
        }
    }
}

/// Asks all rules for a program of this name (R13). A role in which the bare name means a command means no program
/// by it, as PowerShell does: the full path is left.
fn ask_programs<'a>(bench: &Bench<'a>, folded: &str, search: &mut Search<'a>) {
    for role in &bench.held {
        if role.alias(folded).is_some() || role.command_entries(bench.edition, folded).next().is_some() {
            continue;
        }
        for rule in role.rules_for(key_of_piece(folded)) {
            search.ask_program(role, folded, rule);
        }
    }
}

/// What was found, unless a rule denies it.
fn permitted(bench: &Bench<'_>, search: &Search<'_>, found: &Found<'_>) -> Result<CheckedCommand, Box<Denied>> {
    let (name, module, arguments) = match found.rule {
        Asked::Command(_, info) => {
            if let Some(denial) = bench.denials.of_command(&fold(&info.name)) {
                return Err(forbidden(denial, &info.name));
            }
            (info.name.clone(), info.module.clone(), CheckedArguments::Named(search.parameters(found, info)))
        }
        Asked::Program(rule) => {
            if let Some(denial) = bench.denials.of_program(&rule.path) {
                return Err(forbidden(denial, rule.path.name()));
            }
            let texts = arguments::checked(search.texts(), &found.secrecies);
            (rule.path.text().to_owned(), String::new(), CheckedArguments::Program(texts))
        }
        // Scripts are judged as a whole and not in here.
        Asked::Script(_) => return Err(Box::new(plain(DenyReason::Script, "a script is no command: send it alone"))),
    };
    let (role, rule) = (found.role.name.clone(), found.rule.name().to_owned());
    Ok(CheckedCommand { name, module, arguments, role, rule, prompts: found.prompts })
}

fn denied(bench: &Bench<'_>, search: &Search<'_>) -> Denied {
    let Some(missed) = &search.missed else {
        return plain(DenyReason::Command, explain::unknown_command(&bench.held));
    };
    let (reason, message) = explain::missed(missed);
    Denied { nearest: Some(nearest(missed.role, missed.rule.name())), ..plain(reason, message) }
}
