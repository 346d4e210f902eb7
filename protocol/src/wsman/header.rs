//! The headers of a request. [MS-WSMV] 2.2.1, DSP0226 5 and 6.

use super::duration::{parse_duration, render_duration};
use super::id::{MessageId, ShellId};
use super::request::{Action, Request, RequestHeader, Resource, WsmanOption};
use crate::Result;
use crate::error::{LimitExceeded, Malformed, Unsupported};
use crate::limits::{ENVELOPE_DEFAULT, ENVELOPE_MAX, ENVELOPE_MIN, OPERATION_TIMEOUT_MAX, OPTIONS};
use crate::soap::envelope::{ANONYMOUS, Envelope, bounded, flag, short_text, start_envelope};
use crate::xml::{Element, Namespace, Writer};
use std::time::Duration;
use uuid::Uuid;

/// Options that this crate knows, so that a client may insist on them.
const KNOWN_OPTIONS: [&str; 6] = [
    "WINRS_NOPROFILE",
    "WINRS_CODEPAGE",
    "WINRS_CONSOLEMODE_STDIN",
    "WINRS_SKIP_CMD_SHELL",
    "WSMAN_CMDSHELL_OPTION_KEEPALIVE",
    "protocolversion",
];

pub(crate) fn read_message_id(envelope: &Envelope) -> Result<Option<MessageId>> {
    envelope.header_text(Namespace::Addressing, "MessageID")?.map(MessageId::parse).transpose()
}

/// Reads everything but what depends on the body.
pub(crate) fn read_header(envelope: &Envelope) -> Result<RequestHeader> {
    let message_id = read_message_id(envelope)?.ok_or(Malformed::Header)?;
    envelope.check_understood()?;
    envelope.check_reply_address()?;
    let uri = envelope.header_text(Namespace::Wsman, "ResourceURI")?.ok_or(Malformed::ResourceUri)?;
    let resource = Resource::of_uri(uri);
    let action = envelope.header_text(Namespace::Addressing, "Action")?.ok_or(Malformed::Header)?;
    let action = match (Action::of_uri(action), &resource) {
        // What is never served is described as far as possible, so that it is refused by name.
        (Err(_) | Ok(Action::Identify), Resource::Other(_)) => Action::Other,
        // Identify is known by its body.
        (Ok(Action::Identify), _) => return Err(Unsupported::Action.into()),
        (action, _) => action?,
    };
    let mut header = RequestHeader { message_id: Some(message_id), action, resource, ..identify_header() };
    envelope.header_text(Namespace::Addressing, "To")?.unwrap_or_default().clone_into(&mut header.to);
    header.operation_timeout = read_timeout(envelope)?;
    header.max_envelope_size = read_envelope_size(envelope)?;
    let session = envelope.header_text(Namespace::Microsoft, "SessionId")?;
    header.session_id = session.and_then(|text| Uuid::try_parse(text.strip_prefix("uuid:").unwrap_or(text)).ok());
    if !matches!(header.resource, Resource::Other(_)) {
        header.shell = read_shell(envelope)?;
        header.options = read_options(envelope)?;
        check_comply(&header.options)?;
    }
    Ok(header)
}

/// Identify has no headers that matter.
pub(crate) fn identify_header() -> RequestHeader {
    RequestHeader {
        message_id: None,
        action: Action::Identify,
        resource: Resource::None,
        to: String::new(),
        operation_timeout: None,
        max_envelope_size: ENVELOPE_DEFAULT,
        shell: None,
        options: Vec::new(),
        session_id: None,
    }
}

/// Zero means the default: some clients send it and would wait for ever.
fn read_timeout(envelope: &Envelope) -> Result<Option<Duration>> {
    let text = envelope.header_text(Namespace::Wsman, "OperationTimeout")?;
    let timeout = text.map(parse_duration).transpose()?.filter(|timeout| *timeout != Duration::ZERO);
    Ok(timeout.map(|timeout| timeout.min(OPERATION_TIMEOUT_MAX)))
}

fn read_envelope_size(envelope: &Envelope) -> Result<usize> {
    let Some(text) = envelope.header_text(Namespace::Wsman, "MaxEnvelopeSize")? else {
        return Ok(ENVELOPE_DEFAULT);
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::Header.into());
    }
    let size: usize = text.parse().map_err(|_| Malformed::Header)?;
    if size < ENVELOPE_MIN { Err(Malformed::Header.into()) } else { Ok(size.min(ENVELOPE_MAX)) }
}

fn read_shell(envelope: &Envelope) -> Result<Option<ShellId>> {
    let Some(set) = envelope.header(Namespace::Wsman, "SelectorSet")? else {
        return Ok(None);
    };
    match set.children() {
        [] => Ok(None),
        [selector] if selector.is(Namespace::Wsman, "Selector") => {
            let name = selector.attribute(Namespace::None, "Name").ok_or(Malformed::Selector)?;
            if !name.eq_ignore_ascii_case("ShellId") {
                return Err(Malformed::Selector.into());
            }
            ShellId::parse(short_text(selector)?).map(Some)
        }
        [_, ..] => Err(Malformed::Selector.into()),
    }
}

fn read_options(envelope: &Envelope) -> Result<Vec<WsmanOption>> {
    let Some(set) = envelope.header(Namespace::Wsman, "OptionSet")? else {
        return Ok(Vec::new());
    };
    if OPTIONS < set.children().len() {
        return Err(LimitExceeded::Items.into());
    }
    let mut options: Vec<WsmanOption> = Vec::with_capacity(set.children().len());
    for element in set.children() {
        let option = read_option(element)?;
        if options.iter().any(|other| other.name.eq_ignore_ascii_case(&option.name)) {
            return Err(Malformed::Option.into());
        }
        options.push(option);
    }
    Ok(options)
}

fn read_option(element: &Element) -> Result<WsmanOption> {
    if !element.is(Namespace::Wsman, "Option") {
        return Err(Malformed::Option.into());
    }
    let name = element.attribute(Namespace::None, "Name").filter(|name| !name.is_empty()).ok_or(Malformed::Option)?;
    Ok(WsmanOption {
        name: bounded(name)?.to_owned(),
        value: short_text(element)?.to_owned(),
        must_comply: flag(element, Namespace::None, "MustComply")?,
    })
}

fn check_comply(options: &[WsmanOption]) -> Result<()> {
    let known = |name: &str| KNOWN_OPTIONS.iter().any(|known| known.eq_ignore_ascii_case(name));
    if options.iter().any(|option| option.must_comply && !known(&option.name)) {
        return Err(Unsupported::MustComply.into());
    }
    Ok(())
}

/// Writes the envelope of a request up to its open body: the lean set of pypsrp, which all of Windows takes.
pub(crate) fn write_header(writer: &mut Writer, request: &Request) {
    let header = &request.header;
    start_envelope(writer);
    writer.start("s:Header");
    mandatory(writer, "a:Action", header.action.uri());
    locale(writer, "p:DataLocale");
    locale(writer, "w:Locale");
    mandatory(writer, "w:MaxEnvelopeSize", &header.max_envelope_size.to_string());
    if let Some(id) = &header.message_id {
        writer.leaf("a:MessageID", id.as_str());
    }
    if let Some(timeout) = header.operation_timeout {
        writer.leaf("w:OperationTimeout", &render_duration(timeout));
    }
    writer.start("a:ReplyTo");
    mandatory(writer, "a:Address", ANONYMOUS);
    writer.end();
    mandatory(writer, "w:ResourceURI", &header.resource.uri());
    if let Some(session) = header.session_id {
        let id = MessageId::new(session);
        writer.start("p:SessionId").attribute("s:mustUnderstand", "false").text(id.as_str()).end();
    }
    writer.leaf("a:To", &header.to);
    write_options(writer, &header.options);
    if let Some(shell) = header.shell {
        writer.start("w:SelectorSet");
        writer.start("w:Selector").attribute("Name", "ShellId").text(&shell.to_string()).end().end();
    }
    writer.end().start("s:Body");
}

fn write_options(writer: &mut Writer, options: &[WsmanOption]) {
    if options.is_empty() {
        return;
    }
    writer.start("w:OptionSet").attribute("s:mustUnderstand", "true");
    for option in options {
        writer.start("w:Option").attribute("Name", &option.name);
        if option.must_comply {
            writer.attribute("MustComply", "true");
        }
        writer.text(&option.value).end();
    }
    writer.end();
}

fn mandatory(writer: &mut Writer, name: &'static str, text: &str) {
    writer.start(name).attribute("s:mustUnderstand", "true").text(text).end();
}

fn locale(writer: &mut Writer, name: &'static str) {
    writer.start(name).attribute("s:mustUnderstand", "false").attribute("xml:lang", "en-US").end();
}
