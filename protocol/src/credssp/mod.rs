//! CredSSP for both roles: TLS, a login inside it, a binding to the TLS key, and then the delegated credential.
//! [MS-CSSP] 3.

use crate::auth::AccountName;
use crate::secret::SecretText;

mod acceptor;
mod binding;
mod config;
mod initiator;
mod ts_credentials;
mod ts_request;
mod tunnel;

/// What fuzzers call.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz {
    pub(crate) use super::config::client_tls;
    pub(crate) use super::ts_credentials::{decode as decode_credentials, encode as encode_credentials};
    pub(crate) use super::ts_request::TsRequest;
    pub(crate) use super::tunnel::Tunnel;
}

pub use acceptor::{AcceptStep, Acceptor};
pub use config::{AcceptorConfig, InnerTls};
pub use initiator::{InitiateStep, Initiator, InitiatorOptions};

/// A credential that a client delegates. [MS-CSSP] 2.2.1.2.1.
#[derive(Debug)]
pub struct DelegatedCredential {
    /// The domain as the client wrote it.
    pub domain: String,
    /// The user as the client wrote it.
    pub user: String,
    /// The password.
    pub password: SecretText,
}

/// A login that is done. Whether the two names are the same account is for the caller to judge.
#[derive(Debug)]
pub struct Login {
    /// Who proved to be whom.
    pub authenticated: AccountName,
    /// What the client delegated, which may be another account altogether.
    pub delegated: DelegatedCredential,
}

#[cfg(test)]
pub(crate) mod tests;
