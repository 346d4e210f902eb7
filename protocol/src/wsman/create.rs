//! Create: a shell asked for, and a shell described. [MS-WSMV] 3.1.4.1.31 and 2.2.4.

use super::body::{optional_text, sole, stream_names};
use super::compression::Compression;
use super::duration::{parse_duration, render_duration};
use super::id::ShellId;
use super::request::CreateShell;
use super::response::ShellDetails;
use crate::Result;
use crate::error::{LimitExceeded, Malformed};
use crate::limits::VARIABLES;
use crate::soap::envelope::{ANONYMOUS, bounded, short_text};
use crate::xml::{Element, Namespace, Writer};
use std::time::Duration;

/// What a Shell element of a request may hold.
const SHELL_PARTS: [&str; 8] = [
    "Name",
    "Environment",
    "WorkingDirectory",
    "Lifetime",
    "IdleTimeOut",
    "IdleTimeout",
    "InputStreams",
    "OutputStreams",
];

pub(crate) fn read_create(body: &[Element]) -> Result<CreateShell> {
    let shell = sole(body, Namespace::Shell, "Shell")?;
    for part in shell.children() {
        let known = SHELL_PARTS.iter().any(|known| part.is(Namespace::Shell, known));
        if !known && !part.is(Namespace::PowerShell, "creationXml") {
            return Err(Malformed::Body.into());
        }
    }
    Ok(CreateShell {
        name: read_name(shell)?.map(str::to_owned),
        shell_id: shell.attribute(Namespace::None, "ShellId").map(ShellId::parse).transpose()?,
        idle_timeout: match optional_duration(shell, "IdleTimeOut")? {
            Some(timeout) => Some(timeout),
            None => optional_duration(shell, "IdleTimeout")?,
        },
        lifetime: optional_duration(shell, "Lifetime")?,
        input_streams: stream_names(shell, "InputStreams")?,
        output_streams: stream_names(shell, "OutputStreams")?,
        environment: read_environment(shell)?,
        working_directory: shell
            .one(Namespace::Shell, "WorkingDirectory")?
            .map(short_text)
            .transpose()?
            .map(str::to_owned),
        creation_xml: shell
            .one(Namespace::PowerShell, "creationXml")?
            .map(Element::trimmed)
            .transpose()?
            .map(str::to_owned),
        // A header says it.
        compression: Compression::None,
    })
}

/// An attribute by the specification; pypsrp writes an element.
fn read_name(shell: &Element) -> Result<Option<&str>> {
    match shell.attribute(Namespace::None, "Name") {
        Some(name) => bounded(name).map(Some),
        None => shell.one(Namespace::Shell, "Name")?.map(short_text).transpose(),
    }
}

fn optional_duration(shell: &Element, name: &'static str) -> Result<Option<Duration>> {
    let text = shell.one(Namespace::Shell, name)?.map(short_text).transpose()?;
    Ok(text.map(parse_duration).transpose().map_err(|_| Malformed::Body)?.filter(|length| *length != Duration::ZERO))
}

fn read_environment(shell: &Element) -> Result<Vec<(String, String)>> {
    let Some(environment) = shell.one(Namespace::Shell, "Environment")? else {
        return Ok(Vec::new());
    };
    if VARIABLES < environment.children().len() {
        return Err(LimitExceeded::Items.into());
    }
    environment.children().iter().map(read_variable).collect()
}

fn read_variable(variable: &Element) -> Result<(String, String)> {
    if !variable.is(Namespace::Shell, "Variable") {
        return Err(Malformed::Body.into());
    }
    let name = variable.attribute(Namespace::None, "Name").ok_or(Malformed::Body)?;
    Ok((bounded(name)?.to_owned(), bounded(variable.text()?)?.to_owned()))
}

pub(crate) fn write_create(writer: &mut Writer, shell: &CreateShell) {
    writer.start("rsp:Shell");
    if let Some(name) = &shell.name {
        writer.attribute("Name", name);
    }
    if let Some(id) = shell.shell_id {
        writer.attribute("ShellId", &id.to_string());
    }
    // The order of stock clients, since targets may insist on one.
    if !shell.input_streams.is_empty() {
        writer.leaf("rsp:InputStreams", &shell.input_streams.join(" "));
    }
    if !shell.output_streams.is_empty() {
        writer.leaf("rsp:OutputStreams", &shell.output_streams.join(" "));
    }
    if !shell.environment.is_empty() {
        writer.start("rsp:Environment");
        for (name, value) in &shell.environment {
            writer.start("rsp:Variable").attribute("Name", name).text(value).end();
        }
        writer.end();
    }
    if let Some(lifetime) = shell.lifetime {
        writer.leaf("rsp:Lifetime", &render_duration(lifetime));
    }
    if let Some(timeout) = shell.idle_timeout {
        writer.leaf("rsp:IdleTimeOut", &render_duration(timeout));
    }
    if let Some(directory) = &shell.working_directory {
        writer.leaf("rsp:WorkingDirectory", directory);
    }
    if let Some(xml) = &shell.creation_xml {
        writer.start("creationXml").attribute("xmlns", Namespace::PowerShell.uri()).text(xml).end();
    }
    writer.end();
}

/// The selector and the element both name the shell: clients read one or the other.
pub(crate) fn write_created(writer: &mut Writer, shell: &ShellDetails) {
    let address = if shell.address.is_empty() { ANONYMOUS } else { &shell.address };
    writer.start("x:ResourceCreated").leaf("a:Address", address).start("a:ReferenceParameters");
    writer.leaf("w:ResourceURI", &shell.resource_uri).start("w:SelectorSet");
    writer.start("w:Selector").attribute("Name", "ShellId").text(&shell.shell_id.to_string()).end();
    writer.end().end().end();
    write_shell(writer, shell);
}

pub(crate) fn write_shell(writer: &mut Writer, shell: &ShellDetails) {
    writer
        .start("rsp:Shell")
        .leaf("rsp:ShellId", &shell.shell_id.to_string())
        .leaf("rsp:ResourceUri", &shell.resource_uri)
        .leaf("rsp:Owner", &shell.owner)
        .leaf("rsp:ClientIP", &shell.client_ip)
        .leaf("rsp:IdleTimeOut", &render_duration(shell.idle_timeout))
        .leaf("rsp:InputStreams", &shell.input_streams.join(" "))
        .leaf("rsp:OutputStreams", &shell.output_streams.join(" "))
        .leaf("rsp:CompressionMode", shell.compression.mode())
        .leaf("rsp:ShellRunTime", &render_duration(shell.run_time))
        .leaf("rsp:ShellInactivity", &render_duration(shell.inactivity))
        .end();
}

/// Reads what a target says of the shell it opened. Old ones give the selector alone.
pub(crate) fn read_created(body: &[Element]) -> Result<ShellDetails> {
    let (created, shell) = match body {
        [created, shell] if shell.is(Namespace::Shell, "Shell") => (created, Some(shell)),
        [created] => (created, None),
        [] | [_, ..] => return Err(Malformed::Body.into()),
    };
    if !created.is(Namespace::Transfer, "ResourceCreated") {
        return Err(Malformed::Body.into());
    }
    let parameters = created.one(Namespace::Addressing, "ReferenceParameters")?.ok_or(Malformed::Body)?;
    let set = parameters.one(Namespace::Wsman, "SelectorSet")?.ok_or(Malformed::Body)?;
    let mut named = set
        .all(Namespace::Wsman, "Selector")
        .filter(|selector| selector.attribute(Namespace::None, "Name") == Some("ShellId"));
    let (Some(selector), None) = (named.next(), named.next()) else {
        return Err(Malformed::Body.into());
    };
    let shell_id = ShellId::parse(short_text(selector)?)?;
    let mut details = match shell {
        Some(shell) => read_details(shell, Some(shell_id))?,
        None => empty_details(shell_id),
    };
    details.address = optional_text(created, Namespace::Addressing, "Address")?;
    if details.resource_uri.is_empty() {
        details.resource_uri = optional_text(parameters, Namespace::Wsman, "ResourceURI")?;
    }
    Ok(details)
}

/// Reads a description. If a name is given already, the description's has to be the same.
pub(crate) fn read_details(shell: &Element, named: Option<ShellId>) -> Result<ShellDetails> {
    let own = shell.one(Namespace::Shell, "ShellId")?.map(short_text).transpose()?.map(ShellId::parse).transpose()?;
    let shell_id = named.or(own).ok_or(Malformed::Body)?;
    if own.is_some_and(|own| own != shell_id) {
        return Err(Malformed::Body.into());
    }
    let length = |name| optional_duration(shell, name).map(Option::unwrap_or_default);
    Ok(ShellDetails {
        resource_uri: optional_text(shell, Namespace::Shell, "ResourceUri")?,
        owner: optional_text(shell, Namespace::Shell, "Owner")?,
        client_ip: optional_text(shell, Namespace::Shell, "ClientIP")?,
        idle_timeout: length("IdleTimeOut")?,
        input_streams: stream_names(shell, "InputStreams")?,
        output_streams: stream_names(shell, "OutputStreams")?,
        compression: read_mode(shell)?,
        run_time: length("ShellRunTime")?,
        inactivity: length("ShellInactivity")?,
        ..empty_details(shell_id)
    })
}

/// Old targets say nothing, and then nothing is compressed.
fn read_mode(shell: &Element) -> Result<Compression> {
    let mode = shell.one(Namespace::Shell, "CompressionMode")?.map(short_text).transpose()?;
    Ok(mode.map_or(Some(Compression::None), Compression::of_mode).ok_or(Malformed::Body)?)
}

fn empty_details(shell_id: ShellId) -> ShellDetails {
    ShellDetails {
        shell_id,
        address: String::new(),
        resource_uri: String::new(),
        owner: String::new(),
        client_ip: String::new(),
        idle_timeout: Duration::ZERO,
        input_streams: Vec::new(),
        output_streams: Vec::new(),
        compression: Compression::None,
        run_time: Duration::ZERO,
        inactivity: Duration::ZERO,
    }
}
