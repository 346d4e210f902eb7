//! The TLS inside CredSSP, without a socket: tokens in, tokens out. [MS-CSSP] 3.1.5.

use crate::error::{LimitExceeded, Misuse, PeerMisbehaved};
use crate::limits::SEALED_CHUNK;
use crate::sealing::{MessageSeal, SealProtocol, SealedChunk};
use crate::{Error, Result};
use rustls::pki_types::CertificateDer;
use rustls::{Connection, ProtocolVersion};
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// One TLS connection inside tokens, then inside sealed bodies.
pub(crate) struct Tunnel {
    connection: Connection,
    failed: Option<Error>,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tunnel")
    }
}

impl Tunnel {
    pub(crate) fn new(connection: impl Into<Connection>) -> Self {
        Self { connection: connection.into(), failed: None }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// The peer's certificate, once the handshake has brought it.
    pub(crate) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.connection.peer_certificates().and_then(<[_]>::first)
    }

    /// Takes records, whole or cut anywhere; appends what they carry to `plain`, up to `limit` bytes in all.
    pub(crate) fn receive(&mut self, mut records: &[u8], plain: &mut Zeroizing<Vec<u8>>, limit: usize) -> Result<()> {
        while !records.is_empty() {
            let taken = self.connection.read_tls(&mut records).map_err(|_| PeerMisbehaved::InnerTls)?;
            // Nothing is taken after the peer has closed.
            if taken == 0 {
                return Err(PeerMisbehaved::InnerTls.into());
            }
            let state = self.connection.process_new_packets().map_err(|_| PeerMisbehaved::InnerTls)?;
            let ready = state.plaintext_bytes_to_read();
            let held = plain.len();
            let total = held.saturating_add(ready);
            if total > limit {
                return Err(LimitExceeded::MessageSize.into());
            }
            plain.resize(total, 0);
            let place = plain.get_mut(held..).unwrap_or_default();
            self.connection.reader().read_exact(place).map_err(|_| PeerMisbehaved::InnerTls)?;
            if state.peer_has_closed() {
                return Err(PeerMisbehaved::InnerTls.into());
            }
        }
        Ok(())
    }

    /// Puts plain bytes into records, which [`Tunnel::output`] takes out.
    pub(crate) fn send(&mut self, plain: &[u8]) -> Result<()> {
        self.connection.writer().write_all(plain).map_err(|_| Misuse::ChunkSize.into())
    }

    /// The records that wait to be sent.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to a Vec cannot fail.
        while self.connection.wants_write() && self.connection.write_tls(&mut out).is_ok() {}
        out
    }

    /// The size of what TLS adds behind the data, which stands in the length field of a sealed body. A peer
    /// needs no more of it than the number; TLS 1.3 hides the record's type there too. [MS-WSMV] 2.2.9.1.2.2.
    fn trailer_len(&self) -> u32 {
        if self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_2) { 16 } else { 17 }
    }

    fn try_seal(&mut self, plain: &[u8]) -> Result<SealedChunk> {
        if plain.len() > SEALED_CHUNK {
            return Err(Misuse::ChunkSize.into());
        }
        self.send(plain)?;
        Ok(SealedChunk { header_len: self.trailer_len(), bytes: self.output() })
    }

    fn try_open(&mut self, bytes: &[u8], plain_len: usize) -> Result<Zeroizing<Vec<u8>>> {
        // Room for exactly what was announced, so that the buffer does not grow and leave copies.
        let mut plain = Zeroizing::new(Vec::with_capacity(plain_len.min(bytes.len())));
        let received = self.receive(bytes, &mut plain, plain_len);
        match received {
            Err(Error::LimitExceeded(_)) => Err(PeerMisbehaved::SealedLength.into()),
            Err(error) => Err(error),
            Ok(()) if plain.len() == plain_len => Ok(plain),
            Ok(()) => Err(PeerMisbehaved::SealedLength.into()),
        }
    }
}

impl MessageSeal for Tunnel {
    fn protocol(&self) -> SealProtocol {
        SealProtocol::CredSsp
    }

    fn seal(&mut self, plain: &[u8]) -> Result<SealedChunk> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.try_seal(plain).inspect_err(|error| self.failed = Some(*error))
    }

    /// The length field is not used: pywinrm writes wrong ones under TLS 1.3, and records tell their own.
    fn open(&mut self, _header_len: u32, bytes: &[u8], plain_len: usize) -> Result<Zeroizing<Vec<u8>>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.try_open(bytes, plain_len).inspect_err(|error| self.failed = Some(*error))
    }
}
