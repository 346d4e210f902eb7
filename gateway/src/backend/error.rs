//! What can go wrong towards a target, and whether the target may have acted.

use crate::credentials::LeaseError;
use crate::recording::NotRecorded;
use sekisho_protocol::soap::{FaultCode, PeerFault};

/// Whether the request that failed may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The target never got it, or said that it did not do it.
    NotDone,
    /// It left here; whether it was carried out is unknown. Never repeated.
    Unknown,
}

/// What went wrong towards a target. No text of the target is in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// No connection.
    #[error("the target cannot be reached")]
    Unreachable,
    /// TLS failed: no shared version or a certificate that is not trusted.
    #[error("the target's certificate is not the one that is configured, or TLS failed")]
    Tls,
    /// The target refused the credential.
    #[error("the target refused the delegated credential")]
    LoginRefused,
    /// The login did not come to an end; nothing says that the password is wrong.
    #[error("the login to the target failed: {0}")]
    Login(sekisho_protocol::Error),
    /// The credential could not be used.
    #[error("{0}")]
    Lease(#[from] LeaseError),
    /// No answer in time.
    #[error("the target did not answer in time")]
    TimedOut(Effect),
    /// The connection broke.
    #[error("the connection to the target broke")]
    Broken(Effect),
    /// An answer that is none.
    #[error("the target's answer is not valid: {0}")]
    Invalid(sekisho_protocol::Error),
    /// An HTTP status without a SOAP answer.
    #[error("the target answered with HTTP status {0}")]
    Status(u16),
    /// A fault of the target.
    #[error("the target answered with fault {code}", code = .0.0)]
    Fault(FaultCode),
    /// The target's answer fits another request.
    #[error("the target's answer belongs to another request")]
    Mismatch,
    /// All connections that this target may have are in use.
    #[error("all connections to the target are in use: try again")]
    Busy,
    /// The shell that a command needs was not opened for certain, so the command was not sent.
    #[error("the target gave no shell: {0}")]
    NotOpened(NotOpened),
    /// What was permitted is not for a cmd shell.
    #[error("what was permitted is for another kind of shell")]
    OtherShell,
    /// What was permitted cannot be written for this target.
    #[error("what was permitted cannot be written for this target")]
    Unsendable,
    /// The target's PowerShell did not open.
    #[error("the target's PowerShell opened no session for this account and configuration")]
    NoPool,
    /// No session key could be agreed on, so that no secret can travel.
    #[error("no session key could be agreed on with the target, so that no secret can be sent to it")]
    NoKey,
    /// The shell was closed while this was under way.
    #[error("the shell was closed")]
    Closed,
    /// The policy by which it was permitted is no longer in force, and nothing was sent.
    #[error("the policy changed while this waited for the target: send it again")]
    Outdated,
    /// It cannot be recorded, and nothing was sent.
    #[error("{0}")]
    NotRecorded(#[from] NotRecorded),
    /// The shell was closed, and the target's answer is not waited for any more.
    #[error("the shell was closed before the target answered")]
    Abandoned,
}

/// Why it is not known whether a shell was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// No answer in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The answer is none.
    #[error("its answer is not valid")]
    Invalid,
    /// The session ended while it was waited for.
    #[error("the session ended before it answered")]
    Abandoned,
}

impl BackendError {
    /// The same failure, met while opening the shell of a command: the command itself was not sent.
    #[must_use]
    pub(super) fn while_opening(self) -> Self {
        match self {
            Self::TimedOut(Effect::Unknown) => Self::NotOpened(NotOpened::TimedOut),
            Self::Broken(Effect::Unknown) => Self::NotOpened(NotOpened::Broken),
            Self::Invalid(_) | Self::Status(_) | Self::Mismatch => Self::NotOpened(NotOpened::Invalid),
            Self::TimedOut(Effect::NotDone)
            | Self::Broken(Effect::NotDone)
            | Self::Unreachable
            | Self::Tls
            | Self::LoginRefused
            | Self::Login(_)
            | Self::Lease(_)
            | Self::Fault(_)
            | Self::Busy
            | Self::OtherShell
            | Self::NotOpened(_)
            | Self::Unsendable
            | Self::NoPool
            | Self::NoKey
            | Self::Closed
            | Self::NotRecorded(_)
            | Self::Outdated => self,
            Self::Abandoned => Self::NotOpened(NotOpened::Abandoned),
        }
    }

    /// Whether the target may have acted on the request that failed.
    #[must_use]
    pub fn effect(self) -> Effect {
        match self {
            Self::Unreachable | Self::Tls | Self::LoginRefused | Self::Login(_) | Self::Lease(_) => Effect::NotDone,
            // A fault is the target's own word that it did not do it.
            Self::Fault(_)
            | Self::Busy
            | Self::OtherShell
            | Self::Unsendable
            | Self::NoPool
            | Self::NoKey
            | Self::Closed
            | Self::NotRecorded(_)
            | Self::Outdated
            | Self::NotOpened(_) => Effect::NotDone,
            Self::TimedOut(effect) | Self::Broken(effect) => effect,
            Self::Invalid(_) | Self::Status(_) | Self::Mismatch | Self::Abandoned => Effect::Unknown,
        }
    }

    /// The word for audit and metrics.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::LoginRefused => "login_refused",
            Self::Login(_) => "login_failed",
            Self::Lease(_) => "credential",
            Self::TimedOut(_) | Self::NotOpened(NotOpened::TimedOut) => "timeout",
            Self::Broken(_) | Self::NotOpened(NotOpened::Broken) => "broken",
            Self::Invalid(_) | Self::Mismatch | Self::NotOpened(NotOpened::Invalid) => "invalid_answer",
            Self::Status(_) => "http_status",
            Self::Fault(_) => "fault",
            Self::Busy => "busy",
            Self::OtherShell => "other_shell",
            Self::Unsendable => "unsendable",
            Self::NoPool => "no_pool",
            Self::NoKey => "no_key",
            Self::Closed => "closed",
            Self::Outdated => "outdated",
            Self::NotRecorded(_) => "not_recorded",
            Self::Abandoned | Self::NotOpened(NotOpened::Abandoned) => "abandoned",
        }
    }
}

impl From<&PeerFault> for BackendError {
    fn from(fault: &PeerFault) -> Self {
        Self::Fault(fault.code)
    }
}
