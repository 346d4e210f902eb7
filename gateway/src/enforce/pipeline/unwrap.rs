//! Text inside of other things: what `Invoke-Expression` carries for clients that want lines, and the ends that some
//! clients put behind every text.

use super::{ExitTail, Form, Shown, Why};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{Argument, Command, CommandKind, Merge};

/// The text that `Invoke-Expression` runs whose output `Out-String -Stream` turns into lines: nothing for any other
/// pipeline.
pub(super) fn invoked(statement: &[Command]) -> Option<&str> {
    let [invoke, out] = statement else { return None };
    let Value::Text(text) = only_value(invoke, "Invoke-Expression", "Command")? else { return None };
    let stream = only_value(out, "Out-String", "Stream")?;
    matches!(stream, Value::Nil | Value::Bool(true)).then_some(text)
}

/// The text of a batch in which one statement is such a pipeline cannot be told from what stands before it.
pub(super) fn refuse_batched(statements: &[&[Command]]) -> Result<(), Why> {
    let batched = statements.len() > 1 && statements.iter().any(|statement| invoked(statement).is_some());
    if batched { Err(Why::InvokedInBatch) } else { Ok(()) }
}

/// The value of the only parameter that a command has, in each of the forms that clients send.
fn only_value<'c>(command: &'c Command, name: &str, parameter: &str) -> Option<&'c Value> {
    let plain = command.kind == CommandKind::Name && command.merge == Merge::default();
    if !plain || !command.name.eq_ignore_ascii_case(name) {
        return None;
    }
    let is = |argument: &Argument, end: &str| {
        let given = argument.name.as_deref().and_then(|given| given.strip_prefix('-'));
        given.and_then(|given| given.strip_suffix(end)).is_some_and(|given| given.eq_ignore_ascii_case(parameter))
    };
    match command.arguments.as_slice() {
        [one] if one.name.as_deref().is_some_and(|given| given.eq_ignore_ascii_case(parameter)) => Some(&one.value),
        [one] if is(one, ":") => Some(&one.value),
        // A switch, as typed.
        [one] if is(one, "") && one.value == Value::Nil => Some(&one.value),
        [name, value] if is(name, "") && name.value == Value::Nil && value.name.is_none() => Some(&value.value),
        _ => None,
    }
}

/// Takes off the end that says how the exit code is found. Exactly the clients' own ends are taken: whatever else
/// stands there is part of what is judged.
pub(super) fn take_tail<'t>(text: &'t str, form: &mut Form) -> &'t str {
    let exit = match form.shown {
        Shown::Text => ExitTail::WinRb,
        Shown::Objects | Shown::Host => ExitTail::LastExitCode,
    };
    match text.strip_suffix(exit.text()) {
        Some(rest) if !rest.trim().is_empty() => {
            form.exit = exit;
            rest.strip_suffix('\r').unwrap_or(rest)
        }
        Some(_) | None => text,
    }
}
