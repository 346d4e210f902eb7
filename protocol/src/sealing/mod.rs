//! Sealed HTTP bodies: `multipart/encrypted` and `multipart/x-multi-encrypted`.
//! [MS-WSMV] 2.2.9.1.

mod content_type;
mod group;

pub use group::GroupReader;

use crate::Result;
use crate::error::{Malformed, Misuse};
use crate::limits::SEALED_CHUNK;
use zeroize::Zeroizing;

/// The boundary that every stock client and server writes.
const BOUNDARY: &str = "Encrypted Boundary";

/// What a sealed body holds unless told otherwise.
const SOAP: &str = "application/soap+xml;charset=UTF-8";

/// Bytes of one group around its sealed bytes, generously.
const GROUP_ROOM: usize = 512;

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

impl SealProtocol {
    /// The label on the wire.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Spnego => "application/HTTP-SPNEGO-session-encrypted",
            Self::CredSsp => "application/HTTP-CredSSP-session-encrypted",
        }
    }
}

/// A body ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBody {
    /// The value of the header `Content-Type`.
    pub content_type: String,
    /// The body.
    pub bytes: Vec<u8>,
}

/// Seals a SOAP message.
///
/// # Errors
/// As [`seal_body_as`].
pub fn seal_body(seal: &mut dyn MessageSeal, plain: &[u8]) -> Result<SealedBody> {
    seal_body_as(seal, SOAP, plain)
}

/// Seals a body of this type; for CredSSP in chunks of [`SEALED_CHUNK`] bytes.
///
/// # Errors
/// When the context fails; [`Misuse`] for a type that is not plain text, and for an empty body, which is
/// sent as it is.
pub fn seal_body_as(seal: &mut dyn MessageSeal, mime: &str, plain: &[u8]) -> Result<SealedBody> {
    let protocol = seal.protocol();
    let chunk = chunk_size(protocol);
    let kind = if plain.len() <= chunk { "multipart/encrypted" } else { "multipart/x-multi-encrypted" };
    let content_type = content_type(kind, protocol);
    let mut writer = GroupWriter::new(mime)?;
    let mut bytes = Vec::with_capacity(plain.len().saturating_add(GROUP_ROOM));
    bytes.extend(writer.group(seal, plain)?);
    bytes.extend(writer.finish());
    Ok(SealedBody { content_type, bytes })
}

/// Opens a sealed body.
///
/// # Errors
/// [`Malformed::SealedBody`], a body without any group among it, since nothing would vouch for it; bounds, a
/// label other than the context's, and whatever the context says of the bytes.
pub fn open_body(seal: &mut dyn MessageSeal, content_type: &str, body: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut reader = GroupReader::new(content_type, seal.protocol())?;
    // At its final size from the start: a vector that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    reader.push(body)?;
    let mut opened = false;
    while let Some(group) = reader.next_group(seal)? {
        plain.extend_from_slice(&group);
        opened = true;
    }
    reader.finish()?;
    if opened { Ok(plain) } else { Err(Malformed::SealedBody.into()) }
}

fn chunk_size(protocol: SealProtocol) -> usize {
    match protocol {
        SealProtocol::Spnego => usize::MAX,
        SealProtocol::CredSsp => SEALED_CHUNK,
    }
}

fn content_type(kind: &str, protocol: SealProtocol) -> String {
    format!("{kind};protocol=\"{}\";boundary=\"{BOUNDARY}\"", protocol.label())
}

/// The header `Content-Type` of a body of several groups, whose number is not known yet.
#[must_use]
pub fn streaming_content_type(protocol: SealProtocol) -> String {
    content_type("multipart/x-multi-encrypted", protocol)
}

/// Seals a body group by group, so that each can be read before the next is made.
///
/// Each group ends with the beginning of the next delimiter: CredSSP's sealed bytes have no length of
/// their own, and a reader knows only by what follows that they are over.
#[derive(Debug)]
pub struct GroupWriter {
    mime: String,
    started: bool,
}

impl GroupWriter {
    /// A writer of groups of this type.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] for a type that is not plain text.
    pub fn new(mime: &str) -> Result<Self> {
        if mime.is_empty() || !mime.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Misuse::WrongState.into());
        }
        Ok(Self { mime: mime.to_owned(), started: false })
    }

    /// Seals some bytes, in as many groups as they need.
    ///
    /// # Errors
    /// When the context fails; [`Misuse::WrongState`] for no bytes at all.
    pub fn group(&mut self, seal: &mut dyn MessageSeal, plain: &[u8]) -> Result<Vec<u8>> {
        if plain.is_empty() {
            return Err(Misuse::WrongState.into());
        }
        let protocol = seal.protocol();
        let mut bytes = Vec::with_capacity(plain.len().saturating_add(GROUP_ROOM));
        for chunk in plain.chunks(chunk_size(protocol)) {
            let sealed = seal.seal(chunk)?;
            let delimiter = if std::mem::replace(&mut self.started, true) { "" } else { "--Encrypted Boundary" };
            let head = format!(
                "{delimiter}\r\n\tContent-Type: {}\r\n\tOriginalContent: type={};Length={}\r\n\
                 --{BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n",
                protocol.label(),
                self.mime,
                chunk.len()
            );
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(&sealed.header_len.to_le_bytes());
            bytes.extend_from_slice(&sealed.bytes);
            bytes.extend_from_slice(b"--Encrypted Boundary");
        }
        Ok(bytes)
    }

    /// What closes the body.
    #[must_use]
    pub fn finish(self) -> &'static [u8] {
        if self.started { b"--\r\n" } else { b"--Encrypted Boundary--\r\n" }
    }
}
