//! Messages from the fragments of a recording.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::clixml;
use sekisho_protocol::psrp::{Defragmenter, Destination, Message};
use serde_json::{Value, json};

/// Bytes of a fragment's header, and of a message's.
const FRAGMENT: usize = 21;
const MESSAGE: usize = 40;

/// The messages in the order in which they are complete.
pub(crate) fn read(fragments: &[Value]) -> Result<Value, String> {
    let mut streams = Streams::default();
    let mut messages = Vec::new();
    for fragment in fragments {
        let text = fragment.as_str().ok_or("a fragment is no text")?;
        let bytes = STANDARD.decode(text).map_err(|_| "a fragment is no base64")?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (first, others) = split(rest)?;
            for object in streams.receive(first)? {
                messages.push(message(object)?);
            }
            rest = others;
        }
    }
    if streams.0.iter().any(|stream| stream.objects.is_within()) {
        return Err("the last message is not complete".to_owned());
    }
    Ok(json!({"messages": messages}))
}

/// One fragment, and what follows it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let length = bytes.get(17..FRAGMENT).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or("a fragment is cut")?;
    bytes.split_at_checked(length.saturating_add(FRAGMENT)).ok_or_else(|| "a fragment is cut".to_owned())
}

/// A recording in the order of the wire may hold both ways, and the streams of several pipelines: fragments do not
/// interleave within each, and object numbers count for each sender.
#[derive(Default)]
struct Streams(Vec<Stream>);

struct Stream {
    /// Destination, pool and pipeline, as the first fragment has them.
    of: Vec<u8>,
    object: u64,
    objects: Defragmenter,
}

impl Streams {
    fn receive(&mut self, fragment: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let object = fragment.first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default();
        let starts = fragment.get(16).is_some_and(|flags| flags & 1 != 0);
        let place = if starts {
            let of = owner(fragment);
            // Servers name no pool in what they say first: several of them may be in one recording.
            let named = !of.is_empty() && of.iter().skip(4).any(|byte| *byte != 0);
            self.0.iter().position(|known| named && known.of == of).unwrap_or_else(|| {
                self.0.push(Stream { of, object, objects: Defragmenter::new() });
                self.0.len().saturating_sub(1)
            })
        } else {
            let goes_on = |known: &Stream| known.object == object && known.objects.is_within();
            self.0.iter().position(goes_on).ok_or("a fragment of an object that has not begun")?
        };
        let stream = self.0.get_mut(place).ok_or("no stream")?;
        stream.object = object;
        stream.objects.receive(fragment).map_err(|error| error.to_string())
    }
}

fn owner(fragment: &[u8]) -> Vec<u8> {
    let message = fragment.get(FRAGMENT..).unwrap_or_default();
    let destination = message.get(..4).unwrap_or_default();
    [destination, message.get(8..MESSAGE).unwrap_or_default()].concat()
}

fn message(object: Vec<u8>) -> Result<Value, String> {
    let message = Message::decode(object).map_err(|error| error.to_string())?;
    let body = if message.body.is_empty() {
        String::new()
    } else {
        clixml::encode(&message.value().map_err(|error| error.to_string())?)
    };
    let header = message.header;
    Ok(json!({
        "destination": match header.destination {
            Destination::Client => "client",
            Destination::Server => "server",
        },
        "type": header.kind.name(),
        "rpid": header.pool.to_string(),
        "pid": header.pipeline.to_string(),
        "clixml": body,
    }))
}
