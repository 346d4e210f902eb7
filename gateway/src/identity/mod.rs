//! Who somebody is, and what is known about them.
//!
//! Accounts of the gateway itself are one provider; a directory can be another.

mod local;
mod name;
mod sealed;

use sekisho_protocol::auth::{AccountName, AccountSource};
use sekisho_protocol::secret::SecretText;

pub use local::{Account, AccountsError, LocalAccounts, new_account_key};
pub use name::{LOCAL_DOMAIN, NameRefused, NameTable, PrincipalName};

/// Somebody who has logged in. Groups are asked for anew at each decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub principal: PrincipalName,
}

/// Knows accounts. The look-up of a hash for the login itself is [`AccountSource`].
pub trait IdentityProvider: AccountSource + std::fmt::Debug {
    /// Who this name leads to. The name that logs in and the name of the delegated credential both pass here.
    ///
    /// # Errors
    /// When it leads to nobody for certain.
    fn normalise(&self, claimed: &AccountName) -> Result<PrincipalName, NameRefused>;

    /// The groups of an account, as policy writes them: `DOMAIN\group`; `None`: there is no such account any more.
    fn groups(&self, principal: &PrincipalName) -> Option<Vec<String>>;

    /// Whether this is the account's password. For an unknown account: no, after the same work.
    fn confirms(&self, principal: &PrincipalName, password: &SecretText) -> bool;
}
