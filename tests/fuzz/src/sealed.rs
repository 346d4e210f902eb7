//! Sealed bodies.

use super::pieces::Pieces;
use sekisho_protocol::Result;
use sekisho_protocol::error::{Malformed, PeerMisbehaved};
use sekisho_protocol::sealing::{self, GroupReader, MessageSeal, SealProtocol, SealedChunk, seal_body};
use zeroize::Zeroizing;

/// Seals nothing: a signature of zeros, or the plain text in records.
#[derive(Debug)]
struct Glass(SealProtocol);

const SIGNATURE: usize = 16;

impl MessageSeal for Glass {
    fn protocol(&self) -> SealProtocol {
        self.0
    }

    fn seal(&mut self, plain: &[u8]) -> Result<SealedChunk> {
        let head = match self.0 {
            SealProtocol::Spnego => vec![0; SIGNATURE],
            SealProtocol::CredSsp => {
                let length = u16::try_from(plain.len()).expect("a chunk fits into a record").to_be_bytes();
                [&[23, 3, 3], &length[..]].concat()
            }
        };
        Ok(SealedChunk { header_len: 16, bytes: [&head, plain].concat() })
    }

    fn open(&mut self, header_len: u32, bytes: &[u8], plain_len: usize) -> Result<Zeroizing<Vec<u8>>> {
        let plain = match self.0 {
            SealProtocol::Spnego => {
                let signature = usize::try_from(header_len).expect("the reader bounds it");
                bytes.get(signature..).expect("the signature is there").to_vec()
            }
            SealProtocol::CredSsp => records(bytes),
        };
        if plain.len() == plain_len { Ok(plain.into()) } else { Err(PeerMisbehaved::SealedLength.into()) }
    }
}

/// What whole records carry; the reader gives nothing else.
fn records(mut bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = bytes {
        assert!((20..=23).contains(kind), "what is no record was taken for one");
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (content, after) = rest.split_at(length);
        plain.extend_from_slice(content);
        bytes = after;
    }
    assert!(bytes.is_empty(), "a record was cut");
    plain
}

/// Any body under any header: read at once and cut anywhere it is the same. One byte tells the label, then come
/// the header's value and the cuts as pieces, and the rest is the body.
pub fn open_body(input: &[u8]) {
    let Some((label, rest)) = input.split_first() else { return };
    let protocol = if label & 1 == 0 { SealProtocol::CredSsp } else { SealProtocol::Spnego };
    let mut pieces = Pieces::new(rest);
    let (content_type, cuts) = (String::from_utf8_lossy(pieces.piece()), pieces.piece());
    let body = pieces.rest();
    let whole = sealing::open_body(&mut Glass(protocol), &content_type, body);
    let in_parts = open_in_parts(protocol, &content_type, body, cuts).map(Zeroizing::new);
    assert_eq!(whole.as_ref().ok(), in_parts.as_ref().ok(), "read otherwise when cut");
    if let Ok(plain) = whole
        && !plain.is_empty()
    {
        let sealed = seal_body(&mut Glass(protocol), &plain).expect("what was read can be sealed");
        let again = sealing::open_body(&mut Glass(protocol), &sealed.content_type, &sealed.bytes);
        assert_eq!(again.expect("our own body can be read"), plain);
    }
}

fn open_in_parts(protocol: SealProtocol, content_type: &str, body: &[u8], cuts: &[u8]) -> Result<Vec<u8>> {
    let mut reader = GroupReader::new(content_type, protocol)?;
    let mut plain = Vec::new();
    let mut opened = false;
    let mut rest = body;
    let mut cuts = cuts.iter().chain(std::iter::repeat(&u8::MAX));
    while !rest.is_empty() {
        let length = cuts.next().map_or(1, |cut| usize::from(*cut).max(1));
        let (part, after) = rest.split_at(length.min(rest.len()));
        reader.push(part)?;
        while let Some(group) = reader.next_group(&mut Glass(protocol))? {
            plain.extend_from_slice(&group);
            opened = true;
        }
        rest = after;
    }
    reader.finish()?;
    assert!(reader.is_finished());
    if opened { Ok(plain) } else { Err(Malformed::SealedBody.into()) }
}
