//! The bounds of every buffer, depth, count and wait of this crate, beside the reason for each.

/// Plain bytes in one sealed CredSSP chunk: the size of one TLS record.
pub const SEALED_CHUNK: usize = 16 * 1024;

/// Bytes of a message identifier that is echoed.
pub const MESSAGE_ID: usize = 256;
