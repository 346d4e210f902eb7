//! Messages and fragments by hand, also those that no machine makes.

use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{Destination, Message, MessageHeader, MessageType};
use uuid::Uuid;

pub(super) const START: u8 = 1;
pub(super) const END: u8 = 2;
pub(super) const WHOLE: u8 = 3;

/// One fragment.
pub(super) fn fragment(object: u64, number: u64, flags: u8, blob: &[u8]) -> Vec<u8> {
    let length = u32::try_from(blob.len()).unwrap();
    let head = [&object.to_be_bytes()[..], &number.to_be_bytes(), &[flags], &length.to_be_bytes()].concat();
    [&head, blob].concat()
}

/// One message, not cut.
pub(super) fn message(destination: Destination, kind: MessageType, ids: (Uuid, Option<Uuid>), body: &Value) -> Vec<u8> {
    let (pool, pipeline) = ids;
    let header = MessageHeader { destination, kind, pool, pipeline: pipeline.unwrap_or_default() };
    Message::new(header, body).encode()
}

/// One message for the server in one fragment.
pub(super) fn to_server(object: u64, kind: MessageType, ids: (Uuid, Option<Uuid>), body: &Value) -> Vec<u8> {
    fragment(object, 0, WHOLE, &message(Destination::Server, kind, ids, body))
}

/// One message for the client in one fragment.
pub(super) fn to_client(object: u64, kind: MessageType, ids: (Uuid, Option<Uuid>), body: &Value) -> Vec<u8> {
    fragment(object, 0, WHOLE, &message(Destination::Client, kind, ids, body))
}
