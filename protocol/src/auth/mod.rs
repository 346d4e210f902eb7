//! NTLM and SPNEGO for both roles: the only place that names sspi.
//!
//! The acceptor puts checks of its own in front of sspi's NTLM, which by itself lets a client in with any
//! password when the client leaves the integrity check out. [MS-NLMP], [MS-SPNG], RFC 4178.

use crate::memory::with_wiped_stack;
use crate::secret::SecretText;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

mod channel_binding;
pub(crate) mod der;
mod negotiate;
mod ntlm;
mod spnego;

pub use channel_binding::{BindingRule, ChannelBinding};
pub(crate) use negotiate::{InitiateStep, NegotiateInitiator};
pub use negotiate::{NegotiateAcceptor, NegotiateStep, Wrapping};
#[cfg(test)]
pub(crate) use ntlm::attack as ntlm_attack;
/// What fuzzers call.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz {
    pub(crate) use super::ntlm::acceptor::NtlmAcceptor;
    pub(crate) use super::ntlm::guard::{Transcript, claimed_name, judge};
    pub(crate) use super::ntlm::initiator::NtlmInitiator;
    pub(crate) use super::spnego::{NegTokenInit, NegTokenResp, is_first_token};
}
pub(crate) use ntlm::session::{NtlmSession, unwrap_token};

/// An account as the peer wrote it: not normalised, not trusted before the login is done.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountName {
    /// The domain's or machine's name; empty when the user part is a UPN or a bare name.
    pub domain: String,
    /// The user's name, or a UPN.
    pub user: String,
}

/// The MD4 hash of a password, as good as the password itself. [MS-NLMP] 3.3.1 `NTOWFv1`.
pub struct NtHash(Zeroizing<[u8; NT_HASH_SIZE]>);

const NT_HASH_SIZE: usize = 16;

impl NtHash {
    /// Hashes a password. [MS-NLMP] 3.3.1.
    #[must_use]
    pub fn of_password(password: &SecretText) -> Self {
        use md4::Digest;
        // The hash function works on blocks of the password in its frame.
        with_wiped_stack(|| {
            let bytes = password.to_utf16().to_le_bytes();
            Self(Zeroizing::new(md4::Md4::digest(&*bytes).into()))
        })
    }

    /// Takes a stored hash.
    #[must_use]
    pub fn from_bytes(bytes: [u8; NT_HASH_SIZE]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Lends the 16 bytes for one call, for a store that seals them.
    pub fn with<R>(&self, borrow: impl FnOnce(&[u8; NT_HASH_SIZE]) -> R) -> R {
        borrow(&self.0)
    }

    /// Whether both are the same, in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash")
    }
}

/// Where an acceptor finds the hash of the account that a peer claims to be.
pub trait AccountSource: Send + Sync {
    /// Looks one account up when its AUTHENTICATE message has arrived.
    ///
    /// `None` leads to the same work and the same failure as a wrong password; the look-up itself should
    /// take the same time for known and unknown names too.
    fn nt_hash(&self, claimed: &AccountName) -> Option<NtHash>;
}

/// The random bytes that nonces and session keys are made of.
pub(crate) fn random<const N: usize>() -> crate::Result<[u8; N]> {
    use ring::rand::SecureRandom;
    let mut bytes = [0; N];
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| crate::error::Misuse::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
