//! `[accounts]`, `[policy]`, `[admin]`, `[routing]` and `[log]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::config::Warning;
use crate::config::model::{Accounts, Admin, KeySource, Log, LogFormat, Routing};
use crate::config::reader::{Located, Reader, Section};

const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9986);
/// RFC 1035 2.3.4.
const MAX_HOST_NAME: usize = 253;
const MAX_CREDENTIAL_NAME: usize = 255;

pub(super) fn accounts(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<Accounts> {
    let mut section = top.section(reader, "accounts");
    let file = section.required_path(reader, "file", "name the file of the local accounts");
    let key = key_source(&mut section, reader);
    let names = section.list(reader, "local_names");
    let local_names = names.iter().filter_map(|name| host_name(reader, name)).collect();
    section.finish(reader);
    Some(Accounts { file: file?, key: key?, local_names })
}

pub(super) fn policy(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<PathBuf> {
    let mut section = top.section(reader, "policy");
    let path = section.required_path(reader, "path", "name the policy's file, or the folder of its files");
    section.finish(reader);
    path
}

pub(super) fn admin(top: &mut Section<'_>, reader: &mut Reader<'_>, warnings: &mut Vec<Warning>) -> Admin {
    let mut section = top.section(reader, "admin");
    let enabled = section.flag(reader, "enabled", true);
    let exposed = section.flag(reader, "dangerous_exposed", false);
    let text = section.text(reader, "address");
    section.finish(reader);
    let address = text.as_ref().map_or(Some(DEFAULT_ADMIN), |text| text.text.parse().ok());
    match (address, &text) {
        (None, Some(text)) => {
            reader.mistake(&text.span, "this is no address and port", "write it like \"127.0.0.1:9986\"")
        }
        (Some(address), Some(text)) if enabled && !address.ip().is_loopback() => {
            if exposed {
                warnings.push(Warning::AdminExposed(address));
            } else {
                let fix = "write a loopback address, or add `dangerous_exposed = true`";
                reader.mistake(&text.span, "health and metrics would be open to other machines", fix);
            }
        }
        (Some(_) | None, Some(_) | None) => {}
    }
    Admin { address: address.filter(|_| enabled) }
}

pub(super) fn routing(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Routing {
    let mut section = top.section(reader, "routing");
    let suffix = section.text(reader, "host_suffix");
    section.finish(reader);
    let host_suffix = suffix.and_then(|suffix| host_name(reader, &suffix));
    Routing { host_suffix }
}

pub(super) fn log(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Log {
    let mut section = top.section(reader, "log");
    let filter = section.text(reader, "filter");
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = section.choice(reader, "format", &formats, LogFormat::Text);
    section.finish(reader);
    let filter = match filter {
        Some(text) if tracing_subscriber::EnvFilter::try_new(&text.text).is_err() => {
            reader.mistake(&text.span, "this is no log filter", "write \"info\", or \"info,sekisho_gateway=debug\"");
            None
        }
        Some(text) => Some(text.text),
        None => None,
    };
    Log { filter: filter.unwrap_or_else(|| "info".to_owned()), format }
}

/// A DNS name in lower case, without a dot at either end.
pub(super) fn host_name(reader: &mut Reader<'_>, name: &Located) -> Option<String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.text.len() > MAX_HOST_NAME || !name.text.split('.').all(label) {
        reader.mistake(&name.span, "this is no host name", "write letters, digits and '-', parted by dots");
        return None;
    }
    Some(name.text.to_ascii_lowercase())
}

fn key_source(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<KeySource> {
    let file = section.path(reader, "key_file");
    let credential = section.text(reader, "key_credential");
    match (file, credential) {
        (Some(file), None) => Some(KeySource::File(file)),
        (None, Some(name)) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            if name.text.len() > MAX_CREDENTIAL_NAME || name.text.starts_with('.') || !name.text.bytes().all(plain) {
                reader.mistake(
                    &name.span,
                    "this is no credential's name",
                    "write the name that LoadCredential= gives it",
                );
                return None;
            }
            Some(KeySource::Credential(name.text))
        }
        (None, None) => {
            let fix = "add `key_file`, or `key_credential` under systemd; the key lies elsewhere than the accounts";
            reader.mistake(&section.span, "the accounts have no key", fix);
            None
        }
        (Some(_), Some(_)) => {
            reader.mistake(&section.span, "the accounts have two keys", "take out `key_file` or `key_credential`");
            None
        }
    }
}
