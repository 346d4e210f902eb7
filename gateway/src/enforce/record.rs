//! How a judgement is written: what was allowed in canonical form, what was denied as far as it could be read.

use super::permit::Leave;
use crate::audit::{
    Asked, AuditedCommands, AuditedProgram, DeniedArgument, DeniedCommand, JudgedArgument, Permitted, Redactor,
};
use sekisho_policy::command::{Command, CommandsRequest};
use sekisho_policy::value::Value;
use sekisho_policy::{Action, CheckedProgram, Denied, DeniedProgram, ProgramRequest};

/// What was allowed.
pub(super) fn permitted(redactor: &Redactor, what: &Leave) -> Permitted {
    match what {
        Leave::Program(checked) => Permitted::Program(program(redactor, checked)),
        Leave::Encoded(encoded) => Permitted::Commands(redactor.commands(&encoded.commands)),
        Leave::Commands(commands, _) => Permitted::Commands(redactor.commands(commands)),
        Leave::Script(script, _) => Permitted::Script(redactor.script(script)),
    }
}

/// What was denied: as it was read, or else the length and digest of its text.
pub(super) fn asked(redactor: &Redactor, action: &Action, denied: &Denied) -> Asked {
    if let Some(program) = &denied.program {
        return Asked::Program(redactor.program(program.name(), &judged_denied(redactor, program)));
    }
    if let Some(commands) = denied_commands(redactor, action) {
        return Asked::Commands(commands);
    }
    Asked::Unread(redactor.unread(&text(action), denied.place))
}

fn program(redactor: &Redactor, program: &CheckedProgram) -> AuditedProgram {
    let arguments = program.arguments().iter();
    let judged = arguments.map(|argument| JudgedArgument { value: argument.value(), secret: argument.is_secret() });
    redactor.program(program.path(), &judged.collect::<Vec<_>>())
}

/// The arguments of a denied program: nobody has said that they are no secrets, so that they stand in clear only
/// where the operator wants to see denied text.
fn judged_denied<'p>(redactor: &Redactor, program: &'p DeniedProgram) -> Vec<JudgedArgument<'p>> {
    let shown = redactor.shows_denied_text();
    let arguments = program.arguments().iter();
    arguments
        .map(|argument| JudgedArgument { value: argument.value(), secret: !shown || argument.is_secret() })
        .collect()
}

/// Commands that were denied as they came. Which values a rule calls secret is not known here, so that none is shown.
fn denied_commands(redactor: &Redactor, action: &Action) -> Option<AuditedCommands> {
    match action {
        Action::Commands(request) => {
            let statements: Vec<_> =
                statements(request).map(|statement| statement.iter().map(denied_command).collect()).collect();
            redactor.denied_commands(&statements)
        }
        Action::Program(_) | Action::Script(_) => None,
    }
}

/// Every pipeline of a request, the first one once.
fn statements(request: &CommandsRequest) -> impl Iterator<Item = &Vec<Command>> {
    let extra = request.extra_commands.iter().flatten();
    std::iter::once(&request.commands).chain(extra.filter(|pipeline| **pipeline != request.commands))
}

fn denied_command(command: &Command) -> DeniedCommand<'_> {
    let arguments = command.arguments.iter();
    DeniedCommand {
        name: &command.name,
        arguments: arguments
            .map(|argument| DeniedArgument { name: argument.name.as_deref(), value: &argument.value, secret: true })
            .collect(),
    }
}

/// A request as one text, for its length and digest.
fn text(action: &Action) -> String {
    match action {
        Action::Program(request) => joined(request),
        Action::Script(request) => request.text.clone(),
        Action::Commands(request) => listed(request),
    }
}

fn joined(request: &ProgramRequest) -> String {
    std::iter::once(request.command.as_str())
        .chain(request.arguments.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The words of commands, one a line.
fn listed(request: &CommandsRequest) -> String {
    let mut words: Vec<&str> = Vec::new();
    for command in statements(request).flatten() {
        words.push(&command.name);
        for argument in &command.arguments {
            words.extend(argument.name.as_deref());
            match &argument.value {
                Value::Text(text) => words.push(text),
                Value::Number(number) => words.push(&number.text),
                Value::Null | Value::Bool(_) | Value::List(_) | Value::Secure(_) | Value::Opaque(_) => {}
            }
        }
    }
    words.join("\n")
}
