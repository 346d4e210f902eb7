//! The header `Content-Type` of a sealed body.

use super::SealProtocol;
use crate::Result;
use crate::error::{Malformed, PeerMisbehaved, Unsupported};

/// Bytes of a boundary. RFC 2046 5.1.1.
const BOUNDARY_MAX: usize = 70;

/// Reads the boundary, and checks that the body is sealed as this connection seals.
pub(super) fn parse_content_type(value: &str, protocol: SealProtocol) -> Result<String> {
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let kinds = ["multipart/encrypted", "multipart/x-multi-encrypted"];
    if !kinds.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Err(Unsupported::ContentType.into());
    }
    let (mut label, mut boundary) = (None, None);
    for part in parts {
        let (name, value) = part.split_once('=').ok_or(Malformed::SealedBody)?;
        let value = unquoted(value.trim());
        let known = if name.trim().eq_ignore_ascii_case("protocol") {
            label.replace(value)
        } else if name.trim().eq_ignore_ascii_case("boundary") {
            boundary.replace(value)
        } else {
            None
        };
        if known.is_some() {
            return Err(Malformed::SealedBody.into());
        }
    }
    check_label(label.unwrap_or_default(), protocol)?;
    let boundary = boundary.unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if boundary.is_empty() || BOUNDARY_MAX < boundary.len() || !boundary.bytes().all(plain) {
        return Err(Malformed::SealedBody.into());
    }
    Ok(boundary.to_owned())
}

/// A body under another label than the login's is no body of this connection.
pub(super) fn check_label(label: &str, protocol: SealProtocol) -> Result<()> {
    if label.eq_ignore_ascii_case(protocol.label()) { Ok(()) } else { Err(PeerMisbehaved::SealLabel.into()) }
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}
