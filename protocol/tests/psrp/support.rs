//! Recordings.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use sekisho_protocol::psrp::{Fragmenter, Message};
use serde_json::Value;
use uuid::Uuid;

/// A message in one fragment, as the object of this number.
pub(crate) fn one_fragment(object: u64, message: Message) -> Vec<u8> {
    let mut fragment = Fragmenter::new(1 << 24).unwrap().cut(&message.encode()).concat();
    fragment[..8].copy_from_slice(&object.to_be_bytes());
    fragment
}

/// One line of a recording.
pub(crate) struct Packet {
    pub(crate) way: Way,
    pub(crate) kind: String,
    pub(crate) pipeline: Option<Uuid>,
    pub(crate) prompt: bool,
    pub(crate) object: u64,
    pub(crate) raw: Vec<u8>,
    /// On the last fragment of a message.
    pub(crate) message: Option<Told>,
}

/// What the recorder has read.
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) rpid: Uuid,
    pub(crate) clixml: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    Client,
    Server,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/psrp")
}

#[expect(clippy::disallowed_methods, reason = "recordings are files")]
fn text(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(std::fs::read(path).unwrap().as_slice()).read_to_string(&mut text).unwrap();
    text
}

fn lines(path: &Path) -> Vec<Value> {
    text(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the engine shows of objects that refer to themselves is deeper than this reader of JSON goes: two of them
/// are left out.
pub(crate) fn oracle() -> Vec<Value> {
    let text = text(&folder().join("pipelines.jsonl.gz"));
    let rows: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(1490 < rows.len(), "{}", rows.len());
    rows
}

/// All recordings by name, those of two ends that speak 2.3 under `v23/`.
pub(crate) fn recordings() -> Vec<(String, Vec<Packet>)> {
    let mut found = Vec::new();
    for (prefix, folder) in [("", folder()), ("v23/", folder().join("v23"))] {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".jsonl.gz") && name != "pipelines.jsonl.gz" {
                found.push((format!("{prefix}{name}"), lines(&path).iter().map(packet).collect()));
            }
        }
    }
    assert_eq!(found.len(), 20, "recordings");
    found
}

/// Conversations with a real Windows Server by name: one exchange after another.
pub(crate) fn windows() -> Vec<(String, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/windows");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let found: Vec<_> =
        paths.iter().filter(|path| name(path).ends_with(".jsonl.gz")).map(|path| (name(path), lines(path))).collect();
    assert!(20 < found.len(), "recordings");
    found
}

fn packet(line: &Value) -> Packet {
    let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let id = |key: &str| Uuid::parse_str(line[key].as_str().unwrap_or_default()).unwrap_or_default();
    Packet {
        way: if line["way"] == "client" { Way::Client } else { Way::Server },
        kind: text("packet"),
        pipeline: Some(id("pipeline")).filter(|id| !id.is_nil()),
        prompt: line["stream"] == "PromptResponse",
        object: line["object"].as_u64().unwrap_or_default(),
        raw: STANDARD.decode(text("raw")).unwrap(),
        message: line["message"].as_str().map(|name| Told {
            name: name.to_owned(),
            rpid: id("rpid"),
            clixml: text("clixml"),
        }),
    }
}

/// The conversations of a recording by their pools, each in the order of the wire.
pub(crate) fn sessions(packets: Vec<Packet>) -> Vec<(Uuid, Vec<Packet>)> {
    let pools: Vec<Uuid> = packets.iter().enumerate().map(|(at, _)| pool_of(&packets, at)).collect();
    let mut sessions: Vec<(Uuid, Vec<Packet>)> = Vec::new();
    for (packet, pool) in packets.into_iter().zip(pools) {
        if packet.kind != "Data" {
            continue;
        }
        // A server's first message names no pool: it answers the first client that waits for one.
        let waits = |(_, session): &(Uuid, Vec<Packet>)| session.iter().all(|known| known.way == Way::Client);
        let named = sessions.iter().position(|(known, _)| *known == pool);
        let at = match named.or_else(|| if pool.is_nil() { sessions.iter().position(waits) } else { None }) {
            Some(at) => at,
            // A message that was cut off when the client went away.
            None if pool.is_nil() => sessions.len() - 1,
            None => {
                sessions.push((pool, Vec::new()));
                sessions.len() - 1
            }
        };
        let session = &mut sessions[at];
        session.1.push(packet);
    }
    sessions
}

/// The pool of the message that a packet is a part of.
fn pool_of(packets: &[Packet], at: usize) -> Uuid {
    let part = &packets[at];
    let same = |packet: &&Packet| {
        (packet.way, packet.pipeline, packet.object) == (part.way, part.pipeline, part.object) && packet.kind == "Data"
    };
    let whole = packets[at..].iter().filter(same).find_map(|packet| packet.message.as_ref());
    whole.map(|message| message.rpid).unwrap_or_default()
}
