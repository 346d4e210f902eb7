//! How a judgement is written: what was allowed in canonical form, what was denied as far as it could be read.

use super::permit::Leave;
use super::verdict::Refused;
use crate::audit::{
    Asked, AuditedCommands, AuditedProgram, DeniedArgument, DeniedCommand, JudgedArgument, Permitted, Redactor,
};
use sekisho_policy::command::CommandsRequest;
use sekisho_policy::value::Value;
use sekisho_policy::{Action, AskedCommand, AskedName, AskedValues, CheckedProgram, DeniedProgram, ProgramRequest};

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
pub(super) fn asked(redactor: &Redactor, action: &Action, refused: &Refused) -> Asked {
    if let Some(commands) = refused.commands.as_ref().and_then(|commands| denied_commands(redactor, commands)) {
        return Asked::Commands(commands);
    }
    if let Some(program) = refused.denied.program.as_ref().filter(|_| refused.carried.is_none()) {
        return Asked::Program(redactor.program(program.name(), &judged_denied(redactor, program)));
    }
    Asked::Unread(redactor.unread(&text(refused.carried.as_ref().unwrap_or(action)), refused.denied.place))
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

fn denied_commands(redactor: &Redactor, asked: &[Vec<AskedCommand>]) -> Option<AuditedCommands> {
    let mut statements: Vec<Vec<DeniedCommand<'_>>> = Vec::with_capacity(asked.len());
    for statement in asked {
        statements.push(statement.iter().map(|one| denied_command(redactor, one)).collect());
    }
    redactor.denied_commands(&statements)
}

/// Stands for a name that is none of the command's parameters: it may be a value, as `-pHunter2` is.
const FOREIGN_NAME: &str = "-<unknown>";

fn denied_command<'a>(redactor: &Redactor, asked: &'a AskedCommand) -> DeniedCommand<'a> {
    let secret = match asked.values {
        AskedValues::Open => false,
        AskedValues::Secret => true,
    };
    let arguments = asked.command.arguments.iter();
    DeniedCommand {
        name: &asked.command.name,
        arguments: arguments
            .zip(&asked.names)
            .map(|(argument, standing)| {
                let name = match standing {
                    AskedName::Foreign if !redactor.shows_denied_text() => Some(FOREIGN_NAME),
                    AskedName::None | AskedName::Known | AskedName::Foreign => argument.name.as_deref(),
                };
                DeniedArgument { name, value: &argument.value, secret }
            })
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
    let statements = std::iter::once(&request.commands).chain(request.extra_commands.iter().flatten());
    for command in statements.flatten() {
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
