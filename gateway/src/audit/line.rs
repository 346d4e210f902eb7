//! The lines of the log and how they are chained.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::head::Head;
use super::redact::hex;

/// The longest line, with its end. An envelope of 500 KiB fits, with every character of it escaped once.
pub(super) const MAX_LINE: usize = 1024 * 1024;
/// The version of the format.
pub(super) const FORMAT: u32 = 1;

pub(crate) type Digest = [u8; 32];

/// Before the first line.
pub(crate) const NOTHING: Digest = [0; 32];

/// A line of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPlace {
    /// The log's own name.
    pub chain: String,
    /// The number of the line.
    pub seq: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// The lines that the log writes about itself.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum OwnEvent {
    File(FileStart),
    /// A crash left something after the last whole line. It was moved aside.
    Recovered {
        bytes: u64,
        sha256: String,
        file: String,
    },
    /// Lines that could not be written since the last one.
    Lost {
        lines: u64,
        since: String,
    },
}

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileStart {
    pub(super) format: u32,
    pub(super) chain: String,
    pub(super) number: u64,
    pub(super) epoch: u64,
    /// The public key of the epoch.
    pub(super) key: String,
}

/// What every line has.
#[derive(Debug, Deserialize)]
pub(super) struct Common {
    pub(super) seq: u64,
    pub(super) time: String,
    pub(super) prev: String,
    pub(super) event: String,
}

/// The fields of a head that [`Common`] does not have.
#[derive(Serialize, Deserialize)]
pub(super) struct HeadFields {
    pub(super) chain: String,
    pub(super) epoch: u64,
    pub(super) next_key: String,
    pub(super) signature: String,
}

/// A line that was read.
pub(super) struct Line {
    pub(super) common: Common,
    pub(super) kind: LineKind,
    pub(super) digest: Digest,
}

pub(super) enum LineKind {
    File(FileStart),
    Head(Head),
    Other,
}

impl Line {
    /// Reads one line, without its end.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let common: Common = serde_json::from_slice(bytes).ok()?;
        let kind = match common.event.as_str() {
            "file" => LineKind::File(serde_json::from_slice(bytes).ok()?),
            "head" => LineKind::Head(head_of(&common, serde_json::from_slice(bytes).ok()?)),
            _ => LineKind::Other,
        };
        Some(Self { digest: line_digest(bytes), common, kind })
    }
}

/// Writes one line with its end. `body` is a JSON object with at least one field.
pub(crate) fn write_line(out: &mut Vec<u8>, seq: u64, time: &str, prev: &Digest, body: &str) -> Digest {
    let start = out.len();
    out.extend_from_slice(format!("{{\"seq\":{seq},\"time\":\"{time}\",\"prev\":\"{}\",", hex(prev)).as_bytes());
    out.extend_from_slice(body.strip_prefix('{').unwrap_or(body).as_bytes());
    let digest = line_digest(out.get(start..).unwrap_or_default());
    out.push(b'\n');
    digest
}

/// The body of a head's line.
pub(super) fn head_body(head: &Head) -> Option<String> {
    #[derive(Serialize)]
    struct Body<'a> {
        event: &'a str,
        #[serde(flatten)]
        fields: HeadFields,
    }
    let Head { chain, epoch, next_key, signature, .. } = head.clone();
    serde_json::to_string(&Body { event: "head", fields: HeadFields { chain, epoch, next_key, signature } }).ok()
}

pub(crate) fn line_digest(line: &[u8]) -> Digest {
    let mut bytes = NOTHING;
    bytes.copy_from_slice(digest(&SHA256, line).as_ref());
    bytes
}

/// A time as it is written: UTC, RFC 3339.
pub(crate) fn time_text(time: OffsetDateTime) -> String {
    time.to_offset(time::UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}

fn head_of(common: &Common, fields: HeadFields) -> Head {
    Head {
        chain: fields.chain,
        epoch: fields.epoch,
        seq: common.seq,
        time: common.time.clone(),
        prev: common.prev.clone(),
        next_key: fields.next_key,
        signature: fields.signature,
    }
}

/// The name of a file of the log.
pub(super) fn file_name(number: u64) -> String {
    format!("audit-{number:08}.jsonl")
}

/// The number in such a name.
pub(super) fn file_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    let number = digits.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_and_its_digest_is_that_of_its_bytes() {
        let mut out = Vec::new();
        let digest = write_line(&mut out, 7, "2026-01-01T00:00:00Z", &NOTHING, r#"{"event":"stop","reason":"signal"}"#);
        let (end, line) = out.split_last().unwrap();
        assert_eq!(*end, b'\n');
        let read = Line::parse(line).unwrap();
        assert_eq!((read.common.seq, read.common.event.as_str()), (7, "stop"));
        assert_eq!(read.digest, digest);
        assert_eq!(read.common.prev, "0".repeat(64));
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        assert!(Line::parse(br#"{"seq":1,"seq":2,"time":"t","prev":"p","event":"stop"}"#).is_none());
    }

    #[test]
    fn only_exact_names_are_files_of_the_log() {
        assert_eq!(file_number("audit-00000012.jsonl"), Some(12));
        assert_eq!(file_number(&file_name(123_456_789)), Some(123_456_789));
        for name in ["audit-12.jsonl", "audit-+0000012.jsonl", "audit-00000012.jsonl.gz", "x"] {
            assert_eq!(file_number(name), None, "{name}");
        }
    }
}
