//! Signing and sealing after the login. [MS-NLMP] 3.4.

use super::crypto::{KEY, Key, Rc4, hmac_md5, md5};
use crate::error::{Misuse, PeerMisbehaved};
use crate::sealing::{MessageSeal, SealProtocol, SealedChunk};
use crate::{Error, Result};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The size of a signature. [MS-NLMP] 2.2.2.9.
pub(crate) const SIGNATURE: usize = 16;
const SIGNATURE_U32: u32 = 16;
const SIGNATURE_VERSION: [u8; 4] = [1, 0, 0, 0];
/// The part of the digest that a signature carries.
const CHECKSUM: usize = 8;

const CLIENT_SIGN: &[u8] = b"session key to client-to-server signing key magic constant\0";
const SERVER_SIGN: &[u8] = b"session key to server-to-client signing key magic constant\0";
const CLIENT_SEAL: &[u8] = b"session key to client-to-server sealing key magic constant\0";
const SERVER_SEAL: &[u8] = b"session key to server-to-client sealing key magic constant\0";

/// Which end of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Acceptor,
    Initiator,
}

/// The keys of one login, with 128 bits, extended session security and key exchange.
pub(crate) struct NtlmSession {
    outgoing: Direction,
    incoming: Direction,
    failed: Option<Error>,
}

struct Direction {
    signing_key: Key,
    cipher: Rc4,
    sequence: u32,
}

impl fmt::Debug for NtlmSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtlmSession")
    }
}

impl NtlmSession {
    pub(crate) fn new(session_key: &Key, role: Role) -> Self {
        let direction = |sign, seal| Direction {
            signing_key: md5(&[&**session_key, sign]),
            cipher: Rc4::new(&md5(&[&**session_key, seal])),
            sequence: 0,
        };
        let from_client = direction(CLIENT_SIGN, CLIENT_SEAL);
        let from_server = direction(SERVER_SIGN, SERVER_SEAL);
        let (outgoing, incoming) = match role {
            Role::Acceptor => (from_server, from_client),
            Role::Initiator => (from_client, from_server),
        };
        Self { outgoing, incoming, failed: None }
    }

    /// Signs SPNEGO's mechanism list. The cipher is rewound afterwards, the sequence number is not.
    /// [MS-SPNG] 3.2.5.1, 3.3.5.1.
    pub(crate) fn sign_list(&mut self, list: &[u8]) -> Result<[u8; SIGNATURE]> {
        let cipher = self.outgoing.cipher.clone();
        let signature = self.outgoing.sign(list);
        self.outgoing.cipher = cipher;
        signature
    }

    /// Verifies the peer's signature over SPNEGO's mechanism list.
    pub(crate) fn verify_list(&mut self, list: &[u8], signature: &[u8]) -> Result<()> {
        let cipher = self.incoming.cipher.clone();
        let expected = self.incoming.sign(list);
        self.incoming.cipher = cipher;
        if expected?.ct_eq(signature).into() { Ok(()) } else { Err(PeerMisbehaved::MechListMic.into()) }
    }

    fn try_open(&mut self, header_len: u32, bytes: &[u8], plain_len: usize) -> Result<Zeroizing<Vec<u8>>> {
        let (signature, sealed) = bytes.split_at_checked(SIGNATURE).ok_or(PeerMisbehaved::SealBroken)?;
        if header_len != SIGNATURE_U32 || sealed.len() != plain_len {
            return Err(PeerMisbehaved::SealedLength.into());
        }
        let mut plain = Zeroizing::new(sealed.to_vec());
        self.incoming.cipher.apply(&mut plain);
        let expected = self.incoming.sign(&plain)?;
        if expected.ct_eq(signature).into() { Ok(plain) } else { Err(PeerMisbehaved::SealBroken.into()) }
    }
}

impl Direction {
    /// [MS-NLMP] 3.4.4.2. The sequence number never comes round: RC4 keys would be long worn out.
    fn sign(&mut self, plain: &[u8]) -> Result<[u8; SIGNATURE]> {
        let sequence = self.sequence.to_le_bytes();
        self.sequence = self.sequence.checked_add(1).ok_or(Misuse::WrongState)?;
        let digest = hmac_md5(&self.signing_key, &[&sequence, plain])?;
        let mut signature = [0; SIGNATURE];
        let parts = SIGNATURE_VERSION.iter().chain(digest.iter().take(CHECKSUM)).chain(&sequence);
        for (place, byte) in signature.iter_mut().zip(parts) {
            *place = *byte;
        }
        if let Some(checksum) = signature.get_mut(4..12) {
            self.cipher.apply(checksum);
        }
        Ok(signature)
    }
}

impl MessageSeal for NtlmSession {
    fn protocol(&self) -> SealProtocol {
        SealProtocol::Spnego
    }

    fn seal(&mut self, plain: &[u8]) -> Result<SealedChunk> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut bytes = Vec::with_capacity(plain.len().saturating_add(SIGNATURE));
        bytes.extend_from_slice(&[0; SIGNATURE]);
        bytes.extend_from_slice(plain);
        // First the data and then its signature pass through the cipher. [MS-NLMP] 3.4.3.
        if let Some((place, data)) = bytes.split_at_mut_checked(SIGNATURE) {
            self.outgoing.cipher.apply(data);
            let signature = self.outgoing.sign(plain).inspect_err(|error| self.failed = Some(*error))?;
            place.copy_from_slice(&signature);
        }
        Ok(SealedChunk { header_len: SIGNATURE_U32, bytes })
    }

    fn open(&mut self, header_len: u32, bytes: &[u8], plain_len: usize) -> Result<Zeroizing<Vec<u8>>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.try_open(header_len, bytes, plain_len).inspect_err(|error| self.failed = Some(*error))
    }
}

/// Opens what a token of CredSSP carries: signature and data in one piece. [MS-CSSP] 2.2.1.
pub(crate) fn unwrap_token(seal: &mut dyn MessageSeal, token: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let plain_len = token.len().checked_sub(SIGNATURE).ok_or(PeerMisbehaved::SealBroken)?;
    seal.open(SIGNATURE_U32, token, plain_len)
}

const _: () = assert!(SIGNATURE == KEY);

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (NtlmSession, NtlmSession) {
        let key = Zeroizing::new([7; KEY]);
        (NtlmSession::new(&key, Role::Initiator), NtlmSession::new(&key, Role::Acceptor))
    }

    #[test]
    fn messages_survive_the_way_through_in_both_directions() {
        let (mut client, mut server) = pair();
        for text in [&b"one"[..], b"", &[3; 70_000]] {
            let chunk = client.seal(text).unwrap();
            assert_eq!(server.open(chunk.header_len, &chunk.bytes, text.len()).unwrap()[..], *text);
            let chunk = server.seal(text).unwrap();
            assert_eq!(client.open(chunk.header_len, &chunk.bytes, text.len()).unwrap()[..], *text);
        }
    }

    /// [MS-NLMP] 4.2.4.4: session key 0x55…, sequence number 0, "Plaintext" in UTF-16.
    #[test]
    fn the_seal_is_the_one_of_the_specification() {
        let key = Zeroizing::new([0x55; KEY]);
        let plain: Vec<u8> = "Plaintext".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let chunk = NtlmSession::new(&key, Role::Initiator).seal(&plain).unwrap();
        let data = [
            0x54, 0xe5, 0x01, 0x65, 0xbf, 0x19, 0x36, 0xdc, 0x99, 0x60, 0x20, 0xc1, 0x81, 0x1b, 0x0f, 0x06, 0xfb, 0x5f,
        ];
        let signature = [0x01, 0, 0, 0, 0x7f, 0xb3, 0x8e, 0xc5, 0xc5, 0x5d, 0x49, 0x76, 0, 0, 0, 0];
        assert_eq!(chunk.bytes[SIGNATURE..], data);
        assert_eq!(chunk.bytes[..SIGNATURE], signature);
    }

    #[test]
    fn the_list_rewinds_the_cipher_but_not_the_sequence() {
        let (mut client, mut server) = pair();
        let mic = client.sign_list(b"list").unwrap();
        server.verify_list(b"list", &mic).unwrap();
        let (mut fresh, _) = pair();
        let mut streams = [[0; 32]; 2];
        client.outgoing.cipher.clone().apply(&mut streams[0]);
        fresh.outgoing.cipher.apply(&mut streams[1]);
        assert_eq!(streams[0], streams[1]);
        assert_eq!(client.outgoing.sequence, 1);
        let chunk = client.seal(b"next").unwrap();
        assert_eq!(server.open(16, &chunk.bytes, 4).unwrap()[..], *b"next");
        assert_eq!(server.verify_list(b"list", &mic), Err(PeerMisbehaved::MechListMic.into()));
    }

    #[test]
    fn a_changed_replayed_or_short_message_fails_for_ever() {
        for position in 0..20 {
            let (mut client, mut server) = pair();
            let mut chunk = client.seal(b"text").unwrap();
            chunk.bytes[position] ^= 1;
            assert_eq!(server.open(16, &chunk.bytes, 4).err(), Some(PeerMisbehaved::SealBroken.into()));
            chunk.bytes[position] ^= 1;
            assert_eq!(server.open(16, &chunk.bytes, 4).err(), Some(PeerMisbehaved::SealBroken.into()));
            assert!(server.seal(b"x").is_err());
        }
        let (mut client, mut server) = pair();
        let chunk = client.seal(b"text").unwrap();
        server.open(16, &chunk.bytes, 4).unwrap();
        assert_eq!(server.open(16, &chunk.bytes, 4).err(), Some(PeerMisbehaved::SealBroken.into()));
        for cut in 0..chunk.bytes.len() {
            let (_, mut server) = pair();
            assert!(server.open(16, &chunk.bytes[..cut], 4).is_err());
            let (_, mut server) = pair();
            assert!(unwrap_token(&mut server, &chunk.bytes[..cut]).is_err());
        }
    }
}
