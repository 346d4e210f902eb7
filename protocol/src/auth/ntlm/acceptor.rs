//! The acceptor of NTLM by itself. [MS-NLMP] 3.2.

use super::guard::{self, Transcript};
use super::library::LibraryAcceptor;
use super::message::{NEGOTIATE, check_kind};
use super::session::{NtlmSession, Role};
use crate::Result;
use crate::auth::{AccountName, AccountSource, BindingRule};
use crate::error::{AuthFailure, Misuse, PeerMisbehaved};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Accepts one login. It is not used again after an error: the caller stays failed.
pub(crate) struct NtlmAcceptor {
    accounts: Arc<dyn AccountSource>,
    rule: BindingRule,
    library: LibraryAcceptor,
    state: State,
    claimed: Option<AccountName>,
}

enum State {
    Start,
    Challenged { negotiate: Vec<u8>, challenge: Vec<u8> },
    Done,
}

impl fmt::Debug for NtlmAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtlmAcceptor")
    }
}

impl NtlmAcceptor {
    pub(crate) fn new(accounts: Arc<dyn AccountSource>, rule: BindingRule) -> Self {
        Self { accounts, rule, library: LibraryAcceptor::new(), state: State::Start, claimed: None }
    }

    pub(crate) fn claimed(&self) -> Option<&AccountName> {
        self.claimed.as_ref()
    }

    /// Whether the next message is the AUTHENTICATE.
    pub(crate) fn is_challenged(&self) -> bool {
        matches!(self.state, State::Challenged { .. })
    }

    /// Takes the NEGOTIATE message; the CHALLENGE.
    pub(crate) fn challenge(&mut self, negotiate: &[u8]) -> Result<Vec<u8>> {
        check_kind(negotiate, NEGOTIATE)?;
        if !matches!(self.state, State::Start) {
            return Err(PeerMisbehaved::OutOfOrder.into());
        }
        let challenge = self.library.challenge(negotiate)?;
        self.state = State::Challenged { negotiate: negotiate.to_vec(), challenge: challenge.clone() };
        Ok(challenge)
    }

    /// Takes the AUTHENTICATE message; who logged in, and the session.
    pub(crate) fn authenticate(&mut self, message: &[u8]) -> Result<(AccountName, NtlmSession)> {
        let State::Challenged { negotiate, challenge } = std::mem::replace(&mut self.state, State::Done) else {
            return Err(PeerMisbehaved::OutOfOrder.into());
        };
        let name = guard::claimed_name(message)?;
        self.claimed = Some(name.clone());
        let hash = self.accounts.nt_hash(&name);
        let transcript = Transcript { negotiate: &negotiate, challenge: &challenge, authenticate: message };
        // (ntlm-guard)
        let session_key = guard::judge(transcript, hash.as_ref(), &self.rule)?;
        let hash = hash.ok_or(Misuse::WrongState)?;
        // Two implementations have to come to the same key.
        let second = self.library.complete(message, &hash)?;
        if !bool::from(session_key.ct_eq(&*second)) {
            return Err(AuthFailure::BadCredentials.into());
        }
        Ok((name, NtlmSession::new(&session_key, Role::Acceptor)))
    }
}
