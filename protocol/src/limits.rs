//! The bounds of every buffer, depth, count and wait of this crate, beside the reason for each.

/// Plain bytes in one sealed CredSSP chunk: the size of one TLS record.
pub const SEALED_CHUNK: usize = 16 * 1024;

/// One certificate: real ones take 1 to 4 KiB.
pub const CERTIFICATE: usize = 64 * 1024;

/// One login token in an HTTP header, decoded: tickets with large group lists reach 48 KiB.
pub const LOGIN_TOKEN: usize = 64 * 1024;

/// All tokens that a peer sends in one login: one as large as it may be, and the rest. With NTLM about 4 KiB.
pub const LOGIN_BYTES: usize = 96 * 1024;

/// Round trips of one login: TLS takes 3, the mechanism at most 4, CredSSP itself 2.
pub const LOGIN_LEGS: u32 = 12;

/// An `Authorization` or `WWW-Authenticate` value: a base64 token and its scheme.
pub const AUTH_HEADER: usize = 90 * 1024;

/// One NTLM message: Windows takes 2,888 bytes.
pub const NTLM_MESSAGE: usize = 4 * 1024;

/// Mechanisms in a SPNEGO list: Windows sends 4.
pub const SPNEGO_MECHANISMS: usize = 16;

/// Attribute pairs in NTLM's target information: 11 kinds exist.
pub const NTLM_AV_PAIRS: usize = 16;

/// A user's, domain's or service's name, in UTF-16 units: Windows takes 256 for a UPN with its domain.
pub const ACCOUNT_NAME: usize = 512;

/// A delegated password, in UTF-16 units: Windows takes 256.
pub const PASSWORD: usize = 1024;
