//! The errors of this crate, sorted by whose fault they are.
//!
//! Unit variants per rule, so that a test asserts the exact rule that was broken. No text that a peer sent
//! is ever part of an error.

/// What went wrong, by whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes that do not parse.
    #[error("malformed input: {0}")]
    Malformed(#[from] Malformed),
    /// A peer that parses but breaks the rules.
    #[error("the peer broke the protocol: {0}")]
    PeerMisbehaved(#[from] PeerMisbehaved),
    /// A peer that is right, and that we cannot serve.
    #[error("not supported: {0}")]
    Unsupported(#[from] Unsupported),
    /// A bound of [`crate::limits`] was crossed.
    #[error("limit exceeded: {0}")]
    LimitExceeded(#[from] LimitExceeded),
    /// A login that failed.
    #[error("authentication failed: {0}")]
    Auth(#[from] AuthFailure),
    /// A caller that used a machine against its contract.
    #[error("misuse: {0}")]
    Misuse(#[from] Misuse),
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Bytes that do not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A base64 value with a foreign character or a wrong length.
    #[error("invalid base64")]
    Base64,
}

/// A peer that parses but breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerMisbehaved {
    /// A message arrived that this state does not expect.
    #[error("message out of order")]
    OutOfOrder,
}

/// A peer that is right, and that we cannot serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The authentication scheme is none of ours.
    #[error("authentication scheme")]
    AuthScheme,
}

/// A bound of [`crate::limits`] was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// More bytes than this message may have.
    #[error("message too large")]
    MessageSize,
}

/// A login that failed. What is told to the peer never depends on which of these it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// Unknown account or wrong password; the two are one on purpose.
    #[error("unknown account or wrong password")]
    BadCredentials,
}

/// A caller that used a machine against its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// The machine is not in the state in which this may be called.
    #[error("called in the wrong state")]
    WrongState,
}
