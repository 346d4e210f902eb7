//! Command and Signal. [MS-WSMV] 2.2.4.

use super::body::{command_id, sole};
use super::id::CommandId;
use super::request::{CommandLine, SignalCode};
use crate::Result;
use crate::error::{LimitExceeded, Malformed};
use crate::limits::ARGUMENTS;
use crate::soap::envelope::short_text;
use crate::xml::{Element, Namespace, Writer};

/// Reads a command. What surrounds its text is part of it: policy decides what is a program's name.
pub(crate) fn read_command(body: &[Element]) -> Result<CommandLine> {
    let line = sole(body, Namespace::Shell, "CommandLine")?;
    let command = line.one(Namespace::Shell, "Command")?.ok_or(Malformed::Body)?.text()?.to_owned();
    if ARGUMENTS < line.children().len() {
        return Err(LimitExceeded::Items.into());
    }
    let mut arguments = Vec::new();
    for part in line.children() {
        if part.is(Namespace::Shell, "Arguments") {
            arguments.push(part.text()?.to_owned());
        } else if !part.is(Namespace::Shell, "Command") {
            return Err(Malformed::Body.into());
        }
    }
    Ok(CommandLine { command, arguments, command_id: command_id(line)? })
}

pub(crate) fn write_command(writer: &mut Writer, line: &CommandLine) {
    writer.start("rsp:CommandLine");
    if let Some(id) = line.command_id {
        writer.attribute("CommandId", &id.to_string());
    }
    writer.leaf("rsp:Command", &line.command);
    for argument in &line.arguments {
        writer.leaf("rsp:Arguments", argument);
    }
    writer.end();
}

pub(crate) fn read_command_response(response: &Element) -> Result<CommandId> {
    let id = response.one(Namespace::Shell, "CommandId")?.ok_or(Malformed::Body)?;
    CommandId::parse(short_text(id)?)
}

pub(crate) fn read_signal(body: &[Element]) -> Result<(Option<CommandId>, SignalCode)> {
    let signal = sole(body, Namespace::Shell, "Signal")?;
    let code = signal.one(Namespace::Shell, "Code")?.ok_or(Malformed::Body)?;
    Ok((command_id(signal)?, SignalCode::of_uri(short_text(code)?)))
}

pub(crate) fn write_signal(writer: &mut Writer, command_id: Option<CommandId>, signal: SignalCode) {
    writer.start("rsp:Signal");
    if let Some(id) = command_id {
        writer.attribute("CommandId", &id.to_string());
    }
    writer.leaf("rsp:Code", signal.uri()).end();
}
