//! `[audit]`.

use std::time::Duration;

use crate::config::model::{AuditSettings, DeniedText, Durability, HeadCopies, OnFailure, Rotation, Signing};
use crate::config::reader::{Reader, Section};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn audit(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<AuditSettings> {
    let mut section = top.section(reader, "audit");
    let directory = section.required_path(reader, "directory", "name the folder of the log");
    let digest_key = section.required_path(reader, "digest_key", "name the key file that `init` made for digests");
    let durabilities = [("write", Durability::Write), ("fsync", Durability::Fsync)];
    let durability = section.choice(reader, "durability", &durabilities, Durability::Fsync);
    let reactions = [("deny", OnFailure::Deny), ("degrade", OnFailure::Degrade)];
    let on_failure = section.choice(reader, "on_failure", &reactions, OnFailure::Deny);
    let texts = [("digest", DeniedText::Digest), ("text", DeniedText::Text)];
    let denied_text = section.choice(reader, "denied_text", &texts, DeniedText::Digest);
    let rotation = rotation(&mut section, reader);
    let signing = signing(&mut section, reader);
    let heads = heads(&mut section, reader);
    section.finish(reader);
    Some(AuditSettings {
        directory: directory?,
        durability,
        on_failure,
        rotation,
        signing: signing?,
        heads,
        denied_text,
        digest_key: digest_key?,
    })
}

fn rotation(audit: &mut Section<'_>, reader: &mut Reader<'_>) -> Rotation {
    let mut section = audit.section(reader, "rotate");
    let rotation = Rotation {
        bytes: section.bytes(reader, "bytes", (1 << 20)..=(1 << 30), 64 << 20),
        age: section.duration(reader, "age", MINUTE * 10..=DAY * 366, DAY),
    };
    section.finish(reader);
    rotation
}

fn signing(audit: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<Signing> {
    let mut section = audit.section(reader, "sign");
    let key = section.required_path(reader, "key", "name the key file that `init` made for signing");
    let lines = section.number(reader, "lines", 1..=1_000_000, 1000);
    let interval = section.duration(reader, "interval", Duration::from_secs(1)..=DAY, MINUTE);
    section.finish(reader);
    Some(Signing { key: key?, lines, interval })
}

fn heads(audit: &mut Section<'_>, reader: &mut Reader<'_>) -> HeadCopies {
    let mut section = audit.section(reader, "heads");
    let heads = HeadCopies { file: section.path(reader, "file"), syslog: section.path(reader, "syslog") };
    section.finish(reader);
    heads
}
