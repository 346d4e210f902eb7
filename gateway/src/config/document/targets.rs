//! `[targets.<name>]` and `[target_groups]`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::powershell::{self, Said};
use super::rest::host_name;
use crate::config::model::{Endpoint, Target, TargetAuthentication, TargetQuotas, TargetTable, TargetTransport, Trust};
use crate::config::reader::{Located, Reader, Section, Span};
use crate::config::{GroupName, TargetName, Warning};
use sekisho_policy::Edition;

/// The table is kept in memory, and copied when it is read again.
/// What stock clients ask for when they ask for nothing else.
const DEFAULT_CONFIGURATION: &str = "Microsoft.PowerShell";
const MAX_CONFIGURATIONS: usize = 32;
/// Bytes of the name of a session configuration.
const MAX_CONFIGURATION: usize = 128;
const MAX_TARGETS: usize = 100_000;
const MAX_TAGS: usize = 64;
const MAX_SPN: usize = 256;
/// RFC 1035 2.3.4.
const MAX_DOMAIN: usize = 253;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn table(top: &mut Section<'_>, reader: &mut Reader<'_>, warnings: &mut Vec<Warning>) -> TargetTable {
    let mut table = TargetTable::default();
    let mut said = BTreeMap::new();
    for (name, section) in top.named(reader, "targets") {
        match TargetName::parse(&name.text) {
            Ok(known) => {
                let Some((target, says)) = target(known, section, reader, warnings) else { continue };
                said.insert(target.name.clone(), says);
                insert(&mut table, target, &name.span, reader);
            }
            Err(error) => reader.mistake(&name.span, error.to_string(), "rename the target"),
        }
    }
    let said_of_groups = groups(top, reader, &mut table);
    powershell::settle(&mut table, &said, &said_of_groups, reader);
    table
}

fn insert(table: &mut TargetTable, target: Target, span: &Span, reader: &mut Reader<'_>) {
    if table.targets.len() >= MAX_TARGETS {
        reader.mistake(span, format!("there are more than {MAX_TARGETS} targets"), "take some out");
        return;
    }
    let name = target.name.clone();
    if table.targets.insert(name.clone(), target).is_some() {
        reader.mistake(span, format!("two targets are called `{name}`, since case does not matter"), "rename one");
    }
}

fn target(
    name: TargetName,
    mut section: Section<'_>,
    reader: &mut Reader<'_>,
    warnings: &mut Vec<Warning>,
) -> Option<(Target, Said)> {
    let host = section.required(reader, "address", "write the host name or IP address of the machine");
    let host = host
        .and_then(|host| if host.text.parse::<IpAddr>().is_ok() { Some(host.text) } else { host_name(reader, &host) });
    let transport = transport(&mut section, reader, &name, host.as_deref(), warnings);
    let default_port = match &transport {
        Some(TargetTransport::PlainHttp) => 5985,
        Some(TargetTransport::Https { .. }) | None => 5986,
    };
    let port = section.number(reader, "port", 1..=65_535, default_port);
    let authentications = [("negotiate", TargetAuthentication::Negotiate), ("credssp", TargetAuthentication::CredSsp)];
    let authentication = section.choice(reader, "authentication", &authentications, TargetAuthentication::Negotiate);
    let tags = tags(&mut section, reader);
    let code_page = section.number(reader, "code_page", 1..=65_535, 0);
    let account_domain = account_domain(&mut section, reader);
    let spn = spn(&mut section, reader);
    let connect_timeout = section.duration(reader, "connect_timeout", SECOND..=MINUTE, SECOND * 10);
    let read_timeout = section.duration(reader, "read_timeout", SECOND..=MINUTE * 10, SECOND * 30);
    let quotas = quotas(&mut section, reader);
    let configurations = configurations(&mut section, reader);
    let said = Said::read(&mut section, reader);
    section.finish(reader);
    let host = host?;
    let target = Target {
        name,
        port: u16::try_from(port).ok()?,
        transport: transport?,
        authentication,
        tags,
        code_page: u16::try_from(code_page).ok().filter(|page| *page != 0),
        account_domain,
        spn: spn.unwrap_or_else(|| format!("HTTP/{host}")),
        connect_timeout,
        read_timeout,
        quotas,
        edition: Edition::default(),
        endpoint: Endpoint::default(),
        configurations,
        host,
    };
    Some((target, said))
}

fn transport(
    section: &mut Section<'_>,
    reader: &mut Reader<'_>,
    name: &TargetName,
    host: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Option<TargetTransport> {
    let plain = section.flag(reader, "dangerous_plain_http", false);
    let trust = trust(section, reader);
    let server_name = section.text(reader, "server_name");
    let server_name = match server_name {
        Some(text) => host_name(reader, &text),
        None => host.map(str::to_owned),
    };
    match (plain, trust) {
        (true, Ok(None)) => {
            warnings.push(Warning::TargetPlainHttp(name.clone()));
            Some(TargetTransport::PlainHttp)
        }
        (true, Ok(Some(_)) | Err(())) => {
            let message = "without TLS there is no certificate to verify";
            reader.mistake(&section.span, message, "take out `dangerous_plain_http`, or what verifies the certificate");
            None
        }
        (false, Ok(trust)) => {
            let trust = trust.unwrap_or(Trust::SystemRoots);
            if trust == Trust::Unverified {
                warnings.push(Warning::TargetUnverified(name.clone()));
            }
            Some(TargetTransport::Https { trust, server_name: server_name? })
        }
        (false, Err(())) => None,
    }
}

/// What was said about the certificate, if anything; an error when it is said twice or cannot be read.
fn trust(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Result<Option<Trust>, ()> {
    let ca: Option<PathBuf> = section.path(reader, "ca");
    let pin = section.text(reader, "pin");
    let unverified = section.flag(reader, "dangerous_unverified_certificate", false);
    match (ca, pin, unverified) {
        (None, None, false) => Ok(None),
        (Some(ca), None, false) => Ok(Some(Trust::Ca(ca))),
        (None, Some(pin), false) => match parse_pin(&pin.text) {
            Some(digest) => Ok(Some(Trust::Pin(digest))),
            None => {
                reader.mistake(
                    &pin.span,
                    "this is no SHA-256 of a certificate",
                    "write its 64 hex digits: openssl x509 -noout -fingerprint -sha256 -in FILE",
                );
                Err(())
            }
        },
        (None, None, true) => Ok(Some(Trust::Unverified)),
        (Some(_), Some(_), _) | (Some(_), _, true) | (_, Some(_), true) => {
            let message = "a target has one of `ca`, `pin` and `dangerous_unverified_certificate`";
            reader.mistake(&section.span, message, "take the others out");
            Err(())
        }
    }
}

fn parse_pin(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|character| *character != ':').collect();
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut pin = [0; 32];
    for (index, byte) in pin.iter_mut().enumerate() {
        let start = index.checked_mul(2)?;
        *byte = u8::from_str_radix(digits.get(start..start.checked_add(2)?)?, 16).ok()?;
    }
    Some(pin)
}

fn tags(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let tags = section.list(reader, "tags");
    if let Some(one_too_many) = tags.get(MAX_TAGS) {
        reader.mistake(&one_too_many.span, format!("a target has at most {MAX_TAGS} tags"), "take some out");
    }
    let mut read = Vec::new();
    for tag in tags {
        // The same bounds as a group's name, so that policies write both alike.
        match GroupName::parse(&tag.text) {
            Ok(name) => read.push(name.as_str().to_owned()),
            Err(error) => reader.mistake(&tag.span, error.to_string(), "write the tag like a name"),
        }
    }
    read
}

fn configurations(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let listed = section.list(reader, "configurations");
    if let Some(one_too_many) = listed.get(MAX_CONFIGURATIONS) {
        let message = format!("a target has at most {MAX_CONFIGURATIONS} session configurations");
        reader.mistake(&one_too_many.span, message, "take some out");
    }
    let mut read = Vec::new();
    for name in listed {
        let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if name.text.is_empty() || MAX_CONFIGURATION < name.text.len() || !name.text.bytes().all(of_a_name) {
            let message = format!("`{}` is no name of a session configuration", name.text.escape_debug());
            reader.mistake(&name.span, message, "write it like 'Microsoft.PowerShell' or 'PowerShell.7'");
        } else {
            read.push(name.text);
        }
    }
    if read.is_empty() { vec![DEFAULT_CONFIGURATION.to_owned()] } else { read }
}

fn spn(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = section.text(reader, "spn")?;
    let valid = text.text.len() <= MAX_SPN
        && text.text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.text.split_once('/').is_some_and(|(class, host)| !class.is_empty() && !host.is_empty());
    if !valid {
        reader.mistake(&text.span, "this is no service name", "write it like \"HTTP/web01.example.com\"");
        return None;
    }
    Some(text.text)
}

/// A NetBIOS or DNS name, or `.` for the target's own accounts.
fn account_domain(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = section.text(reader, "account_domain")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if text.text.len() > MAX_DOMAIN || !text.text.bytes().all(plain) {
        reader.mistake(
            &text.span,
            "this is no domain",
            "write its short or DNS name, or \".\" for the target's own accounts",
        );
        return None;
    }
    Some(text.text)
}

/// Windows' defaults, a little lower.
fn quotas(target: &mut Section<'_>, reader: &mut Reader<'_>) -> TargetQuotas {
    let mut section = target.section(reader, "quotas");
    let quotas = TargetQuotas {
        shells_per_account: section.count(reader, "shells_per_account", 1..=10_000, 25),
        accounts: section.count(reader, "accounts", 1..=10_000, 10),
        connections: section.count(reader, "connections", 1..=10_000, 25),
    };
    section.finish(reader);
    quotas
}

/// Reads the groups, and what each says of its members' PowerShell.
fn groups(top: &mut Section<'_>, reader: &mut Reader<'_>, table: &mut TargetTable) -> Vec<(Located, GroupName, Said)> {
    let mut groups: BTreeMap<GroupName, Vec<TargetName>> = BTreeMap::new();
    let mut said = Vec::new();
    for (name, mut section) in top.named_or_lists(reader, "target_groups", "targets") {
        let members = section.list(reader, "targets");
        let says = Said::read(&mut section, reader);
        section.finish(reader);
        let group = match GroupName::parse(&name.text) {
            Ok(group) => group,
            Err(error) => {
                reader.mistake(&name.span, error.to_string(), "rename the group");
                continue;
            }
        };
        let members = members.iter().filter_map(|member| known_target(reader, table, member)).collect();
        if table.find(group.as_str()).is_some() {
            reader.mistake(&name.span, format!("`{group}` is a target and a group"), "rename one");
        }
        if groups.insert(group.clone(), members).is_some() {
            reader.mistake(
                &name.span,
                format!("two groups are called `{group}`, since case does not matter"),
                "rename one",
            );
        }
        said.push((name, group, says));
    }
    table.groups = groups;
    said
}

fn known_target(reader: &mut Reader<'_>, table: &TargetTable, member: &Located) -> Option<TargetName> {
    let known = table.find(&member.text).map(|target| target.name.clone());
    if known.is_none() {
        reader.mistake(&member.span, "there is no target of this name", "add it under `[targets]`, or take it out");
    }
    known
}
