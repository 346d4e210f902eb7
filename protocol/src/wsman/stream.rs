//! Send and Receive: input and output of commands. [MS-WSMV] 2.2.4.

use super::body::{bytes, command_id, sole, split_names};
use super::id::CommandId;
use super::request::SendStream;
use super::response::{CommandState, ReceiveResponse, StreamChunk};
use crate::Result;
use crate::error::{LimitExceeded, Malformed, PeerMisbehaved};
use crate::limits::STREAMS;
use crate::soap::envelope::{bounded, flag, short_text};
use crate::xml::{Element, Namespace, Writer};

const RUNNING: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Running";
const PENDING: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Pending";
const DONE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done";

pub(crate) fn read_send(body: &[Element]) -> Result<Vec<SendStream>> {
    let send = sole(body, Namespace::Shell, "Send")?;
    if STREAMS < send.children().len() {
        return Err(LimitExceeded::Items.into());
    }
    send.children().iter().map(read_input).collect()
}

fn read_input(element: &Element) -> Result<SendStream> {
    Ok(SendStream {
        stream: stream_name(element)?.to_owned(),
        command_id: command_id(element)?,
        end: flag(element, Namespace::None, "End").map_err(|_| Malformed::Body)?,
        data: bytes(element)?,
    })
}

fn stream_name(element: &Element) -> Result<&str> {
    if !element.is(Namespace::Shell, "Stream") {
        return Err(Malformed::Body.into());
    }
    bounded(element.attribute(Namespace::None, "Name").ok_or(Malformed::Body)?)
}

pub(crate) fn write_send(writer: &mut Writer, streams: &[SendStream]) {
    writer.start("rsp:Send");
    for stream in streams {
        write_stream(writer, &stream.stream, stream.command_id, stream.end);
        writer.base64(&stream.data).end();
    }
    writer.end();
}

fn write_stream(writer: &mut Writer, name: &str, command_id: Option<CommandId>, end: bool) {
    writer.start("rsp:Stream").attribute("Name", name);
    if let Some(id) = command_id {
        writer.attribute("CommandId", &id.to_string());
    }
    if end {
        writer.attribute("End", "true");
    }
}

pub(crate) fn read_receive(body: &[Element]) -> Result<(Option<CommandId>, Vec<String>)> {
    let receive = sole(body, Namespace::Shell, "Receive")?;
    let wanted = receive.one(Namespace::Shell, "DesiredStream")?.ok_or(Malformed::Body)?;
    Ok((command_id(wanted)?, split_names(wanted)?))
}

pub(crate) fn write_receive(writer: &mut Writer, command_id: Option<CommandId>, streams: &[String]) {
    writer.start("rsp:Receive").start("rsp:DesiredStream");
    if let Some(id) = command_id {
        writer.attribute("CommandId", &id.to_string());
    }
    writer.text(&streams.join(" ")).end().end();
}

pub(crate) fn write_receive_response(writer: &mut Writer, response: &ReceiveResponse) {
    writer.start("rsp:ReceiveResponse");
    for chunk in &response.streams {
        write_stream(writer, &chunk.stream, response.command_id, chunk.end);
        writer.base64(&chunk.data).end();
    }
    if let Some(state) = response.state {
        writer.start("rsp:CommandState");
        if let Some(id) = response.command_id {
            writer.attribute("CommandId", &id.to_string());
        }
        match state {
            CommandState::Running => writer.attribute("State", RUNNING),
            CommandState::Pending => writer.attribute("State", PENDING),
            CommandState::Done { exit_code } => {
                writer.attribute("State", DONE).leaf("rsp:ExitCode", &exit_code.to_string())
            }
        };
        writer.end();
    }
    writer.end();
}

/// Reads output. All of it has to be of one command.
pub(crate) fn read_receive_response(response: &Element) -> Result<ReceiveResponse> {
    let mut owner: Option<Option<CommandId>> = None;
    let mut streams = Vec::new();
    let mut state = None;
    for part in response.children() {
        let this = command_id(part)?;
        if *owner.get_or_insert(this) != this {
            return Err(PeerMisbehaved::UnexpectedOutput.into());
        }
        if part.is(Namespace::Shell, "CommandState") {
            let twice = state.replace(read_state(part)?).is_some();
            if twice {
                return Err(Malformed::Duplicate.into());
            }
        } else {
            streams.push(StreamChunk {
                stream: stream_name(part)?.to_owned(),
                data: bytes(part)?,
                end: flag(part, Namespace::None, "End").map_err(|_| Malformed::Body)?,
            });
        }
    }
    Ok(ReceiveResponse { command_id: owner.flatten(), streams, state })
}

fn read_state(element: &Element) -> Result<CommandState> {
    match element.attribute(Namespace::None, "State") {
        Some(RUNNING) => Ok(CommandState::Running),
        Some(PENDING) => Ok(CommandState::Pending),
        Some(DONE) => {
            let code = element.one(Namespace::Shell, "ExitCode")?.map(short_text).transpose()?;
            Ok(CommandState::Done { exit_code: code.map_or(Ok(0), parse_exit_code)? })
        }
        Some(_) | None => Err(Malformed::Body.into()),
    }
}

/// Signed as a rule; some targets write the same 32 bits unsigned.
fn parse_exit_code(text: &str) -> Result<i32> {
    let signed = text.parse::<i32>().ok();
    let unsigned = || text.parse::<u32>().ok().map(|code| i32::from_ne_bytes(code.to_ne_bytes()));
    Ok(signed.or_else(unsigned).ok_or(Malformed::Body)?)
}
