//! What several tests need.

use sekisho_protocol::error::Malformed;
use sekisho_protocol::sealing::{MessageSeal, SealProtocol, SealedChunk};
use sekisho_protocol::wsman::{Action, CommandId, MessageId, Request, RequestBody, RequestHeader, Resource, ShellId};
use sekisho_protocol::{Error, Result};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Text that breaks writers: quotes, markup, what looks like an end of CDATA, an entity, white space that
/// readers change, and characters beyond the basic plane.
pub(crate) const NASTY: &str = "a\"b'c<d>&amp;]]>\t\n\r\r\n&#x41; \u{1F600}\u{FFFD}é _x0041_ %PATH%";

pub(crate) fn shell_id() -> ShellId {
    ShellId::new(Uuid::from_u128(0x1111_2222))
}

pub(crate) fn command_id() -> CommandId {
    CommandId::new(Uuid::from_u128(0x3333_4444))
}

pub(crate) fn request(action: Action, shell: Option<ShellId>, body: RequestBody) -> Request {
    let header = RequestHeader {
        message_id: Some(MessageId::new(Uuid::from_u128(7))),
        action,
        resource: Resource::CmdShell,
        to: "http://127.0.0.1/wsman".to_owned(),
        operation_timeout: Some(std::time::Duration::from_secs(20)),
        max_envelope_size: 153_600,
        shell,
        options: Vec::new(),
        session_id: Some(Uuid::from_u128(9)),
    };
    Request { header, body }
}

/// A seal that flips bits, framed as NTLM or as TLS records. It counts, so that order matters.
#[derive(Debug)]
pub(crate) struct Flip {
    protocol: SealProtocol,
    sealed: u8,
    opened: u8,
}

/// Bytes of a made-up signature or tag.
const TAG: usize = 16;

impl Flip {
    pub(crate) fn new(protocol: SealProtocol) -> Self {
        Self { protocol, sealed: 0, opened: 0 }
    }
}

fn flip(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0x5A).collect()
}

impl MessageSeal for Flip {
    fn protocol(&self) -> SealProtocol {
        self.protocol
    }

    fn seal(&mut self, plain: &[u8]) -> Result<SealedChunk> {
        let tag = [self.sealed; TAG];
        self.sealed = self.sealed.wrapping_add(1);
        let mut bytes = Vec::new();
        match self.protocol {
            SealProtocol::Spnego => {
                bytes.extend(tag);
                bytes.extend(flip(plain));
            }
            SealProtocol::CredSsp => {
                let length = u16::try_from(plain.len() + TAG).unwrap();
                bytes.extend([0x17, 3, 3]);
                bytes.extend(length.to_be_bytes());
                bytes.extend(flip(plain));
                bytes.extend(tag);
            }
        }
        Ok(SealedChunk { header_len: 16, bytes })
    }

    fn open(&mut self, header_len: u32, bytes: &[u8], plain_len: usize) -> Result<Zeroizing<Vec<u8>>> {
        let broken = || Error::from(Malformed::SealedBody);
        let mut plain = Zeroizing::new(Vec::new());
        match self.protocol {
            SealProtocol::Spnego => {
                let (tag, sealed) = bytes.split_at_checked(usize::try_from(header_len).unwrap()).ok_or_else(broken)?;
                check_tag(tag, self.opened)?;
                plain.extend(flip(sealed));
            }
            SealProtocol::CredSsp => {
                let mut rest = bytes;
                while let [_, _, _, high, low, after @ ..] = rest {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    let (record, after) = after.split_at_checked(length).ok_or_else(broken)?;
                    let (sealed, tag) = record.split_at_checked(length.saturating_sub(TAG)).ok_or_else(broken)?;
                    check_tag(tag, self.opened)?;
                    plain.extend(flip(sealed));
                    rest = after;
                }
            }
        }
        self.opened = self.opened.wrapping_add(1);
        if plain.len() == plain_len { Ok(plain) } else { Err(broken()) }
    }
}

/// Recordings carry letters for a tag, ours the number of the message.
fn check_tag(tag: &[u8], number: u8) -> Result<()> {
    let own = tag == [number; TAG] || tag == [b'S'; TAG] || tag == [b'T'; TAG];
    if own { Ok(()) } else { Err(Malformed::SealedBody.into()) }
}
