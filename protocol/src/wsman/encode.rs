//! Writes whole messages.

use super::command::{write_command, write_signal};
use super::create::{write_create, write_created, write_shell};
use super::header::write_header;
use super::id::MessageId;
use super::request::{Action, Request, RequestBody};
use super::response::{ReceiveResponse, ResponseBody};
use super::service::{write_config, write_identify, write_identity};
use super::stream::{write_receive, write_receive_response, write_send};
use crate::Result;
use crate::error::Misuse;
use crate::soap::envelope::start_answer;
use crate::soap::{Fault, write_fault};
use crate::xml::{Namespace, Writer};
use uuid::Uuid;

/// Room for everything but streams.
const ROOM: usize = 4096;

/// Writes a request, as client.
///
/// # Errors
/// When a text holds a character that XML cannot carry: what was judged is sent as it is, or not at all.
/// [`Misuse::WrongState`] for what is never sent.
pub fn encode_request(request: &Request) -> Result<String> {
    let mut writer = Writer::with_capacity(ROOM.saturating_add(stream_room(&request.body)));
    if request.body == RequestBody::Identify {
        writer.start("s:Envelope").attribute("xmlns:s", Namespace::Soap.uri());
        writer.start("s:Header").end().start("s:Body");
        write_identify(&mut writer);
        return writer.finish();
    }
    write_header(&mut writer, request);
    match &request.body {
        RequestBody::Create(shell) => write_create(&mut writer, shell),
        RequestBody::Command(line) => write_command(&mut writer, line),
        RequestBody::Send(streams) => write_send(&mut writer, streams),
        RequestBody::Receive { command_id, streams } => write_receive(&mut writer, *command_id, streams),
        RequestBody::Signal { command_id, signal } => write_signal(&mut writer, *command_id, *signal),
        RequestBody::Delete | RequestBody::Get => {}
        RequestBody::Identify | RequestBody::Other => return Err(Misuse::WrongState.into()),
    }
    writer.finish()
}

fn stream_room(body: &RequestBody) -> usize {
    let RequestBody::Send(streams) = body else { return 0 };
    streams.iter().map(|stream| base64_room(stream.data.len())).fold(0, usize::saturating_add)
}

/// Bytes of base64 and of the element around it.
pub(crate) fn base64_room(plain: usize) -> usize {
    plain.div_ceil(3).saturating_mul(4).saturating_add(STREAM_ROOM)
}

/// Bytes of one Stream element around its data, generously.
const STREAM_ROOM: usize = 160;

/// Writes the answer to a request. Characters that XML cannot carry become U+FFFD.
#[must_use]
pub fn encode_response(relates_to: Option<&MessageId>, message_id: Uuid, body: &ResponseBody) -> String {
    let mut writer = started(answered_action(body), message_id, relates_to, 0);
    match body {
        ResponseBody::Identify(identity) => write_identity(&mut writer, identity),
        ResponseBody::Created(shell) => write_created(&mut writer, shell),
        ResponseBody::Command { command_id } => {
            writer.start("rsp:CommandResponse").leaf("rsp:CommandId", &command_id.to_string());
        }
        ResponseBody::Send => {
            writer.start("rsp:SendResponse");
        }
        ResponseBody::Receive(output) => return encode_output(relates_to, message_id, output),
        ResponseBody::Signal => {
            writer.start("rsp:SignalResponse");
        }
        ResponseBody::Delete => {}
        ResponseBody::Shell(shell) => write_shell(&mut writer, shell),
        ResponseBody::Config { max_envelope_size_kb } => write_config(&mut writer, *max_envelope_size_kb),
    }
    writer.finish_replaced()
}

/// [`encode_response`] of output that its owner keeps: it is large.
#[must_use]
pub fn encode_output(relates_to: Option<&MessageId>, message_id: Uuid, output: &ReceiveResponse) -> String {
    let room = output.streams.iter().map(|chunk| base64_room(chunk.data.len())).fold(0, usize::saturating_add);
    let mut writer = started(Action::Receive, message_id, relates_to, room);
    write_receive_response(&mut writer, output);
    writer.finish_replaced()
}

fn started(answered: Action, message_id: Uuid, relates_to: Option<&MessageId>, room: usize) -> Writer {
    let mut writer = Writer::with_capacity(ROOM.saturating_add(room));
    start_answer(&mut writer, &format!("{}Response", answered.uri()), message_id, relates_to);
    writer
}

fn answered_action(body: &ResponseBody) -> Action {
    match body {
        ResponseBody::Identify(_) => Action::Identify,
        ResponseBody::Created(_) => Action::Create,
        ResponseBody::Command { .. } => Action::Command,
        ResponseBody::Send => Action::Send,
        ResponseBody::Receive(_) => Action::Receive,
        ResponseBody::Signal => Action::Signal,
        ResponseBody::Delete => Action::Delete,
        ResponseBody::Shell(_) | ResponseBody::Config { .. } => Action::Get,
    }
}

/// Writes a fault, to be sent with status 500. Characters that XML cannot carry become U+FFFD.
#[must_use]
pub fn encode_fault(relates_to: Option<&MessageId>, message_id: Uuid, fault: &Fault) -> String {
    write_fault(relates_to, message_id, fault)
}
