//! Reads whole messages.

use super::command::{read_command, read_command_response, read_signal};
use super::compression::{Compression, read_compression};
use super::create::{read_create, read_created, read_details};
use super::header::{identify_header, read_header, read_message_id};
use super::id::MessageId;
use super::refusal::{RequestError, Stage};
use super::request::{Action, CommandLine, CreateShell, Request, RequestBody, RequestHeader, Resource};
use super::response::{Response, ResponseBody};
use super::service::{is_identify, read_config, read_identity};
use super::stream::{read_receive, read_receive_response, read_send};
use crate::Result;
use crate::error::{LimitExceeded, Malformed, Unsupported};
use crate::limits::COMMAND_TEXT;
use crate::soap::envelope::Envelope;
use crate::soap::read_fault;
use crate::xml::{Element, Namespace};

/// Reads a request of a client.
///
/// # Errors
/// Whatever is not a request that we serve; the answer is in the error.
pub fn decode_request(xml: &[u8]) -> Result<Request, Box<RequestError>> {
    let envelope = Envelope::decode(xml).map_err(|error| RequestError::new(error, Stage::Document, None))?;
    let relates_to = read_message_id(&envelope).ok().flatten();
    let refuse = |error, stage| RequestError::new(error, stage, relates_to.clone());
    if is_identify(envelope.body()) {
        envelope.check_understood().map_err(|error| refuse(error, Stage::Header))?;
        let header = RequestHeader { message_id: relates_to, ..identify_header() };
        return Ok(Request { header, body: RequestBody::Identify });
    }
    let header = read_header(&envelope).map_err(|error| refuse(error, Stage::Header))?;
    check_selector(&header).map_err(|error| refuse(error, Stage::Header))?;
    let compression = read_compression(&envelope, &header).map_err(|error| refuse(error, Stage::Header))?;
    let body = read_body(&header, compression, envelope.body()).map_err(|error| refuse(error, Stage::Body))?;
    Ok(Request { header, body })
}

/// Everything but Create is about a shell that exists.
fn check_selector(header: &RequestHeader) -> Result<()> {
    let wants_shell = match (&header.resource, header.action) {
        (Resource::Other(_) | Resource::None, _) => return Ok(()),
        (Resource::Config, Action::Get) => false,
        (Resource::Config, _) | (_, Action::Identify | Action::Other) => return Err(Unsupported::Action.into()),
        (_, Action::Create) => false,
        (_, Action::Delete | Action::Get | Action::Command | Action::Send | Action::Receive | Action::Signal) => true,
    };
    if header.shell.is_some() == wants_shell { Ok(()) } else { Err(Malformed::Selector.into()) }
}

fn read_body(header: &RequestHeader, compression: Compression, body: &[Element]) -> Result<RequestBody> {
    match &header.resource {
        Resource::CmdShell | Resource::PowerShell(_) | Resource::Config => {}
        Resource::Other(_) => return Ok(RequestBody::Other),
        Resource::None => return Err(Malformed::ResourceUri.into()),
    }
    let read = match header.action {
        Action::Create => RequestBody::Create(CreateShell { compression, ..read_create(body)? }),
        Action::Command => RequestBody::Command(read_command(body)?),
        Action::Send => RequestBody::Send(read_send(body)?),
        Action::Receive => {
            let (command_id, streams) = read_receive(body)?;
            RequestBody::Receive { command_id, streams }
        }
        Action::Signal => {
            let (command_id, signal) = read_signal(body)?;
            RequestBody::Signal { command_id, signal }
        }
        Action::Delete if body.is_empty() => RequestBody::Delete,
        Action::Get if body.is_empty() => RequestBody::Get,
        Action::Delete | Action::Get | Action::Identify | Action::Other => return Err(Malformed::Body.into()),
    };
    if header.resource == Resource::CmdShell {
        check_cmd_shell(&read)?;
    }
    Ok(read)
}

/// What PowerShell may do and the command shell may not.
fn check_cmd_shell(body: &RequestBody) -> Result<()> {
    match body {
        RequestBody::Command(line) if COMMAND_TEXT < text_of(line) => Err(LimitExceeded::Command.into()),
        RequestBody::Create(shell) if shell.creation_xml.is_some() => Err(Malformed::Body.into()),
        RequestBody::Receive { command_id: None, .. } | RequestBody::Signal { command_id: None, .. } => {
            Err(Malformed::NoCommandId.into())
        }
        RequestBody::Send(streams) if streams.iter().any(|stream| stream.command_id.is_none()) => {
            Err(Malformed::NoCommandId.into())
        }
        RequestBody::Identify
        | RequestBody::Create(_)
        | RequestBody::Command(_)
        | RequestBody::Send(_)
        | RequestBody::Receive { .. }
        | RequestBody::Signal { .. }
        | RequestBody::Delete
        | RequestBody::Get
        | RequestBody::Other => Ok(()),
    }
}

/// Bytes of the line that Windows would make: a blank before each argument.
fn text_of(line: &CommandLine) -> usize {
    let arguments = line.arguments.iter().map(|argument| argument.len().saturating_add(1));
    arguments.fold(line.command.len(), usize::saturating_add)
}

/// Reads the response of a target, which is not trusted.
///
/// # Errors
/// Whatever is neither a response nor a fault.
pub fn decode_response(xml: &[u8]) -> Result<Response> {
    let envelope = Envelope::decode(xml)?;
    let relates_to = envelope.header_text(Namespace::Addressing, "RelatesTo")?.filter(|text| !text.is_empty());
    let relates_to = relates_to.map(MessageId::parse).transpose()?;
    let outcome = match envelope.body() {
        [fault] if fault.is(Namespace::Soap, "Fault") => Err(read_fault(fault)?),
        [] => Ok(empty_response(&envelope)?),
        body => Ok(read_response(body)?),
    };
    Ok(Response { relates_to, outcome })
}

fn read_response(body: &[Element]) -> Result<ResponseBody> {
    let first = body.first().ok_or(Malformed::Body)?;
    if first.is(Namespace::Transfer, "ResourceCreated") {
        return Ok(ResponseBody::Created(read_created(body)?));
    }
    if 1 < body.len() {
        return Err(Malformed::Body.into());
    }
    match (first.namespace(), first.local()) {
        (Namespace::Shell, "CommandResponse") => {
            Ok(ResponseBody::Command { command_id: read_command_response(first)? })
        }
        (Namespace::Shell, "SendResponse") => Ok(ResponseBody::Send),
        (Namespace::Shell, "ReceiveResponse") => Ok(ResponseBody::Receive(read_receive_response(first)?)),
        (Namespace::Shell, "SignalResponse") => Ok(ResponseBody::Signal),
        (Namespace::Shell, "Shell") => Ok(ResponseBody::Shell(read_details(first, None)?)),
        (Namespace::Identity, "IdentifyResponse") => Ok(ResponseBody::Identify(read_identity(first)?)),
        (Namespace::Config, "Config") => Ok(ResponseBody::Config { max_envelope_size_kb: read_config(first)? }),
        _ => Err(Malformed::Body.into()),
    }
}

/// What an empty body means, the action says.
fn empty_response(envelope: &Envelope) -> Result<ResponseBody> {
    let action = envelope.header_text(Namespace::Addressing, "Action")?.unwrap_or_default();
    match Action::of_uri(action.strip_suffix("Response").unwrap_or_default()) {
        Ok(Action::Delete) => Ok(ResponseBody::Delete),
        Ok(Action::Signal) => Ok(ResponseBody::Signal),
        Ok(Action::Send) => Ok(ResponseBody::Send),
        Ok(Action::Identify | Action::Create | Action::Get | Action::Command | Action::Receive | Action::Other)
        | Err(_) => Err(Malformed::Body.into()),
    }
}
