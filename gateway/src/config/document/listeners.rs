//! `[[listeners]]` and `[credssp]`.

use std::net::SocketAddr;

use super::rest::host_name;
use crate::config::Warning;
use crate::config::model::{BodyRule, InnerCertificate, Listener, ListenerTransport};
use crate::config::reader::{Reader, Section};

/// More would be a mistake of a script.
const MAX_LISTENERS: usize = 64;

pub(super) fn listeners(top: &mut Section<'_>, reader: &mut Reader<'_>, warnings: &mut Vec<Warning>) -> Vec<Listener> {
    let sections = top.sections(reader, "listeners");
    if sections.is_empty() {
        reader.mistake(&(0..0), "there is no `[[listeners]]`", "add one with `address = \"0.0.0.0:5986\"` and `tls`");
    }
    if let Some(one_too_many) = sections.get(MAX_LISTENERS) {
        reader.mistake(&one_too_many.span, format!("there are more than {MAX_LISTENERS} listeners"), "take some out");
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for section in sections {
        let span = section.span.clone();
        let Some(listener) = listener(section, reader, warnings) else { continue };
        if listeners.iter().any(|other| other.address == listener.address) {
            reader.mistake(
                &span,
                format!("two listeners have the address {}", listener.address),
                "give one another port",
            );
        }
        listeners.push(listener);
    }
    listeners
}

pub(super) fn credssp(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<InnerCertificate> {
    let mut section = top.section(reader, "credssp");
    let certificate = section.required_path(reader, "certificate", "name the PEM file of an RSA certificate");
    let key = section.required_path(reader, "key", "name the PEM file of that certificate's key");
    section.finish(reader);
    Some(InnerCertificate { certificate: certificate?, key: key? })
}

fn listener(mut section: Section<'_>, reader: &mut Reader<'_>, warnings: &mut Vec<Warning>) -> Option<Listener> {
    let address = section.required(reader, "address", "write an address and port, such as \"0.0.0.0:5986\"");
    let address = address.and_then(|text| {
        let address = text.text.parse::<SocketAddr>().ok();
        if address.is_none() {
            reader.mistake(
                &text.span,
                "this is no address and port",
                "write it like \"0.0.0.0:5986\" or \"[::]:5986\"",
            );
        }
        address
    });
    let names = section.list(reader, "server_names");
    let server_names = names.iter().filter_map(|name| host_name(reader, name)).collect();
    let transport = transport(&mut section, reader);
    section.finish(reader);
    let (address, transport) = (address?, transport?);
    if transport == ListenerTransport::PlainHttp {
        warnings.push(Warning::ListenerPlainHttp(address));
    }
    Some(Listener { address, transport, server_names })
}

fn transport(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<ListenerTransport> {
    let plain = section.flag(reader, "dangerous_plain_http", false);
    let sealed = section.flag(reader, "require_sealed_bodies", false);
    let mut tls = section.section(reader, "tls");
    let transport = match (plain, tls.given) {
        (true, false) => Some(ListenerTransport::PlainHttp),
        (true, true) => {
            reader.mistake(&tls.span, "a listener has `tls` or `dangerous_plain_http`, not both", "take one out");
            None
        }
        (false, true) => {
            let bodies = if sealed { BodyRule::SealedOnly } else { BodyRule::SealedOrProtectedByTls };
            let certificate =
                tls.required_path(reader, "certificate", "name the PEM file of the certificate and its chain");
            let key = tls.required_path(reader, "key", "name the PEM file of the certificate's key");
            Some((certificate, key)).and_then(|(certificate, key)| {
                Some(ListenerTransport::Tls { certificate: certificate?, key: key?, bodies })
            })
        }
        (false, false) => {
            reader.mistake(&section.span, "a listener needs `tls`", "add `tls = { certificate = \"…\", key = \"…\" }`");
            None
        }
    };
    if transport.is_some() || !tls.given || !plain {
        tls.finish(reader);
    }
    transport
}
