//! The authentication headers of WinRM over HTTP, and the client's login machine. RFC 9110 11, RFC 4559.

use crate::Result;
use crate::auth::ChannelBinding;
use crate::credssp::DelegatedCredential;
use crate::error::Misuse;
use crate::sealing::MessageSeal;

/// The schemes that are served and spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `CredSSP`: TLS inside the header, and the credential delegated. [MS-CSSP].
    CredSsp,
    /// `Negotiate`: SPNEGO or raw NTLM. RFC 4559.
    Negotiate,
}

/// Reads an `Authorization` value into scheme and token.
///
/// # Errors
/// When the scheme is none of ours, the value is too long, or the token is not base64.
pub fn parse_authorization(_value: &str) -> Result<(Scheme, Vec<u8>)> {
    Err(Misuse::WrongState.into())
}

/// The `WWW-Authenticate` value that offers a scheme.
#[must_use]
pub fn challenge(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::CredSsp => "CredSSP",
        Scheme::Negotiate => "Negotiate",
    }
}

/// A header value with a token, for `WWW-Authenticate` and `Authorization` alike. The blank stays even
/// when the token is empty, since stock clients look for it.
#[must_use]
pub fn token_header(scheme: Scheme, _token: &[u8]) -> String {
    format!("{} ", challenge(scheme))
}

/// One login of a client on one connection: empty requests until [`LoginStep::Done`].
#[derive(Debug)]
pub struct ClientLogin {}

/// What the client does next.
#[derive(Debug)]
pub enum LoginStep {
    /// Send an empty request with this `Authorization` value.
    Send {
        /// The value.
        authorization: String,
    },
    /// The login is done: bodies are sealed with this from now on.
    Done(Box<dyn MessageSeal>),
}

impl ClientLogin {
    /// Prepares a login. `spn` is the target's service name (`HTTP/host`), `outer` the binding to the
    /// certificate of the HTTPS connection; both stand in the login, so that it cannot be relayed.
    ///
    /// # Errors
    /// When a name or the password is too long.
    pub fn new(
        _scheme: Scheme,
        _credential: &DelegatedCredential,
        _spn: &str,
        _outer: Option<ChannelBinding>,
    ) -> Result<Self> {
        Err(Misuse::WrongState.into())
    }

    /// The first `Authorization` value; no request without one is needed before.
    ///
    /// # Errors
    /// When called twice.
    pub fn start(&mut self) -> Result<String> {
        Err(Misuse::WrongState.into())
    }

    /// Takes the answer to the last request: its status and all its `WWW-Authenticate` values.
    ///
    /// # Errors
    /// [`crate::error::AuthFailure::RefusedByPeer`] when the peer refuses the credential; other errors are
    /// faults of the protocol. A login that has failed stays failed.
    pub fn step(&mut self, _status: u16, _www_authenticate: &[&str]) -> Result<LoginStep> {
        Err(Misuse::WrongState.into())
    }
}
