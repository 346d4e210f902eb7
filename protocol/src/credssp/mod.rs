//! CredSSP for both roles: TLS, a login inside it, a binding to the TLS key, and then the delegated credential.
//! [MS-CSSP] 3.

use crate::auth::{AccountName, AccountSource};
use crate::error::Misuse;
use crate::sealing::MessageSeal;
use crate::secret::SecretText;
use crate::{Error, Result};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// A credential that a client delegated. [MS-CSSP] 2.2.1.2.1.
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

/// What all acceptors of one listener share: the TLS inside CredSSP, and the certificate outside.
#[derive(Debug)]
pub struct AcceptorConfig {}

impl AcceptorConfig {
    /// Checks the certificate and makes the TLS configuration.
    ///
    /// # Errors
    /// When the key is not RSA, or does not belong to the certificate.
    pub fn new(
        _inner_cert: CertificateDer<'static>,
        _inner_key: PrivateKeyDer<'static>,
        _outer_certificate: Option<&[u8]>,
    ) -> Result<Self> {
        Err(Misuse::CertificateAndKey.into())
    }
}

/// Accepts one CredSSP login on one connection.
#[derive(Debug)]
pub struct Acceptor {}

/// What an acceptor's step leads to.
#[derive(Debug)]
pub enum AcceptStep {
    /// Answer 401 with this token, which may be empty, and wait for the next one.
    Continue {
        /// The token to send.
        token: Vec<u8>,
    },
    /// The login failed and stays failed.
    Rejected {
        /// A token that tells the peer so inside the TLS, when there is one: answer 401 with it.
        token: Option<Vec<u8>>,
        /// What failed, for logs and audit; the peer is told nothing of it.
        cause: Error,
        /// Who the peer claimed to be, if it came so far.
        claimed: Option<AccountName>,
    },
    /// The login is done: go on with the request that carried this token.
    Done {
        /// A token to send with the answer; usually empty.
        token: Vec<u8>,
        /// Who logged in, and what was delegated.
        login: Login,
        /// Seals and opens the bodies of this connection.
        seal: Box<dyn MessageSeal>,
    },
}

impl Acceptor {
    /// An acceptor for one login.
    #[must_use]
    pub fn new(_config: &Arc<AcceptorConfig>, _accounts: Arc<dyn AccountSource>) -> Self {
        Self {}
    }

    /// Takes one token of the client.
    pub fn step(&mut self, _token: &[u8]) -> AcceptStep {
        AcceptStep::Rejected { token: None, cause: Misuse::WrongState.into(), claimed: None }
    }

    /// Who the client claims to be, as soon as it said so: for audit and lockout, never for a decision.
    #[must_use]
    pub fn claimed(&self) -> Option<&AccountName> {
        None
    }
}
