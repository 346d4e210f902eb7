//! Sealed HTTP bodies: `multipart/encrypted` and `multipart/x-multi-encrypted`.
//! [MS-WSMV] 2.2.9.1.

use crate::Result;
use zeroize::Zeroizing;

/// The label that names how a body is sealed. [MS-WSMV] 2.2.9.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealProtocol {
    /// `application/HTTP-SPNEGO-session-encrypted`: NTLM or Kerberos after `Negotiate`.
    Spnego,
    /// `application/HTTP-CredSSP-session-encrypted`: records of the TLS inside CredSSP.
    CredSsp,
}

/// One sealed chunk: what stands in the length field and signature, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedChunk {
    /// The number written before the chunk: the signature's length, or for CredSSP the TLS trailer's size.
    pub header_len: u32,
    /// Signature and ciphertext (SPNEGO), or whole TLS records (CredSSP).
    pub bytes: Vec<u8>,
}

/// Seals and opens the bodies of one connection, strictly in order: one security context, one connection.
///
/// A context that has failed stays failed.
pub trait MessageSeal: Send + std::fmt::Debug {
    /// The label of what [`MessageSeal::seal`] makes.
    fn protocol(&self) -> SealProtocol;

    /// Seals one chunk of at most [`crate::limits::SEALED_CHUNK`] bytes for CredSSP, any length for SPNEGO.
    ///
    /// # Errors
    /// When the context has failed before, or fails now.
    fn seal(&mut self, plain: &[u8]) -> Result<SealedChunk>;

    /// Opens one chunk: everything after the four bytes of the length field.
    ///
    /// # Errors
    /// When a signature or record does not verify, or `plain_len` is not what came out.
    fn open(&mut self, header_len: u32, bytes: &[u8], plain_len: usize) -> Result<Zeroizing<Vec<u8>>>;
}
