//! The acceptor and initiator of `Negotiate`: NTLM by itself, or NTLM inside SPNEGO.
use crate::Result;
use crate::auth::{AccountName, AccountSource, BindingRule, ChannelBinding, NtHash};
use crate::error::Misuse;
use crate::sealing::MessageSeal;
use std::sync::Arc;

/// Accepts one login by NTLM, raw or inside SPNEGO: the first token tells which.
#[derive(Debug)]
pub struct NegotiateAcceptor {}

/// What an acceptor's step leads to.
#[derive(Debug)]
pub enum NegotiateStep {
    /// Send this token and wait for the next one.
    Continue {
        /// The token to send.
        token: Vec<u8>,
    },
    /// The peer has proved who it is.
    Done {
        /// The last token to send, if any.
        token: Option<Vec<u8>>,
        /// Who logged in, as the peer wrote it.
        name: AccountName,
        /// Seals and opens the messages of this connection.
        seal: Box<dyn MessageSeal>,
    },
}

impl NegotiateAcceptor {
    /// An acceptor for one login on one connection.
    #[must_use]
    pub fn new(_accounts: Arc<dyn AccountSource>, _rule: BindingRule) -> Self {
        Self {}
    }

    /// Takes one token of the peer.
    ///
    /// # Errors
    /// When the login fails; it stays failed.
    pub fn step(&mut self, _token: &[u8]) -> Result<NegotiateStep> {
        Err(Misuse::WrongState.into())
    }

    /// Who the peer claims to be, as soon as it said so: for audit and lockout, never for a decision.
    #[must_use]
    pub fn claimed(&self) -> Option<&AccountName> {
        None
    }
}

/// How an initiator wraps NTLM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// NTLM inside SPNEGO.
    Spnego,
    /// NTLM by itself.
    Raw,
}

/// Logs in by NTLM, raw or inside SPNEGO.
#[derive(Debug)]
pub struct NegotiateInitiator {}

impl NegotiateInitiator {
    /// An initiator for one login on one connection.
    #[must_use]
    pub fn new(
        _wrapping: Wrapping,
        _name: AccountName,
        _hash: NtHash,
        _spn: &str,
        _binding: Option<ChannelBinding>,
    ) -> Self {
        Self {}
    }
}
