//! The envelope of a request: what of it is refused always, and what stock clients put around every line.

use super::{Form, Shown, Why};
use sekisho_protocol::psrp::{Command, CommandKind, CreatePipeline, Merge, MergeTarget, Scope};

/// How servers recognise the debugger's commands, before they look for any other.
const DEBUGGER: &str = "__";
const OUT_DEFAULT: &str = "Out-Default";

/// The statements that are left.
pub(super) struct Peeled<'r> {
    /// At least one, none of them empty.
    pub(super) statements: Vec<&'r [Command]>,
    pub(super) form: Form,
}

/// Checks the envelope and takes off what is no part of what is asked for.
pub(super) fn peel(request: &CreatePipeline) -> Result<Peeled<'_>, Why> {
    if request.is_nested {
        return Err(Why::Nested);
    }
    let mut statements = statements(request)?;
    for command in statements.iter().copied().flatten() {
        check(command)?;
    }
    let mut form = Form { shown: take_out_default(&mut statements)?, ..Form::default() };
    form.merges = merges(&statements)?;
    Ok(Peeled { statements, form })
}

fn statements(request: &CreatePipeline) -> Result<Vec<&[Command]>, Why> {
    match &request.statements {
        None => Ok(vec![request.commands.as_slice()]),
        Some(all) if all.first() == Some(&request.commands) => Ok(all.iter().map(Vec::as_slice).collect()),
        Some(_) => Err(Why::Batch),
    }
}

fn check(command: &Command) -> Result<(), Why> {
    match command.scope {
        Scope::Default | Scope::Local => {}
        Scope::Session => return Err(Why::Scope),
    }
    let debugger = command.kind == CommandKind::Name && command.name.starts_with(DEBUGGER);
    if debugger { Err(Why::Debugger) } else { Ok(()) }
}

/// Takes the `Out-Default` off that an interactive client puts behind every statement: never one that somebody typed.
fn take_out_default(statements: &mut [&[Command]]) -> Result<Shown, Why> {
    let ended = statements.iter().filter(|statement| without_out_default(statement).is_some()).count();
    if ended == 0 {
        return Ok(Shown::Objects);
    }
    if ended < statements.len() {
        return Err(Why::MixedOutput);
    }
    for statement in statements {
        *statement = without_out_default(statement).ok_or(Why::MixedOutput)?;
    }
    Ok(Shown::Host)
}

fn without_out_default(statement: &[Command]) -> Option<&[Command]> {
    let (last, rest) = statement.split_last()?;
    let previous = Merge { previous: true, ..Merge::default() };
    let is_wrapper = last.kind == CommandKind::Name
        && last.name.eq_ignore_ascii_case(OUT_DEFAULT)
        && last.arguments.is_empty()
        && last.merge == previous;
    (is_wrapper && !rest.is_empty()).then_some(rest)
}

/// Where the streams of each command go: into its output, or their own way.
fn merges(statements: &[&[Command]]) -> Result<Vec<Vec<Merge>>, Why> {
    let all = statements.iter().copied().flatten();
    for Merge { error, warning, verbose, debug, information, previous } in all.map(|command| command.merge) {
        let lost = [error, warning, verbose, debug, information].contains(&MergeTarget::Null);
        if previous || lost {
            return Err(Why::Merge);
        }
    }
    let merges: Vec<Vec<Merge>> =
        statements.iter().map(|statement| statement.iter().map(|command| command.merge).collect()).collect();
    let plain = merges.iter().flatten().all(|merge| *merge == Merge::default());
    Ok(if plain { Vec::new() } else { merges })
}
