//! The authentication headers of WinRM over HTTP, and the client's login machine. RFC 9110 11, RFC 4559.

use crate::auth::{self, AccountName, ChannelBinding, NegotiateInitiator, NtHash, NtlmSession, Wrapping};
use crate::credssp::{DelegatedCredential, InitiateStep, Initiator};
use crate::error::{AuthFailure, LimitExceeded, Malformed, Misuse, PeerMisbehaved, Unsupported};
use crate::limits::{AUTH_HEADER, LOGIN_TOKEN};
use crate::memory::with_wiped_stack;
use crate::sealing::MessageSeal;
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The schemes that are served and spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `CredSSP`: TLS inside the header, and the credential delegated. [MS-CSSP].
    CredSsp,
    /// `Negotiate`: SPNEGO or raw NTLM. RFC 4559.
    Negotiate,
}

/// Reads an `Authorization` value into scheme and token. RFC 9110 11.6.2.
///
/// # Errors
/// When the scheme is none of ours, the value is too long, or the token is not base64.
pub fn parse_authorization(value: &str) -> Result<(Scheme, Vec<u8>)> {
    if value.len() > AUTH_HEADER {
        return Err(LimitExceeded::MessageSize.into());
    }
    let (name, token) = value.trim().split_once(' ').unwrap_or_else(|| (value.trim(), ""));
    let scheme = [Scheme::CredSsp, Scheme::Negotiate]
        .into_iter()
        .find(|scheme| name.eq_ignore_ascii_case(challenge(*scheme)))
        .ok_or(Unsupported::AuthScheme)?;
    Ok((scheme, decode_token(token)?))
}

/// The `WWW-Authenticate` value that offers a scheme.
#[must_use]
pub fn challenge(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::CredSsp => "CredSSP",
        Scheme::Negotiate => "Negotiate",
    }
}

/// A header value with a token, for `WWW-Authenticate` and `Authorization` alike. The blank stays even when the
/// token is empty, since stock clients look for it.
#[must_use]
pub fn token_header(scheme: Scheme, token: &[u8]) -> String {
    format!("{} {}", challenge(scheme), STANDARD.encode(token))
}

/// One login of a client on one connection: requests with empty bodies until [`LoginStep::Done`]. The machines
/// inside bound its legs and bytes.
#[derive(Debug)]
pub struct ClientLogin {
    scheme: Scheme,
    state: State,
}

/// What the client does next.
#[derive(Debug)]
pub enum LoginStep {
    /// Send a request with an empty body and this `Authorization` value.
    Send {
        /// The value.
        authorization: String,
    },
    /// The login is done: bodies are sealed with this from now on.
    Done(Box<dyn MessageSeal>),
}

/// The machines are boxed since a CredSSP login is large while it lasts.
#[derive(Debug)]
enum State {
    CredSsp(Box<Initiator>),
    /// The credential is delivered; a success is awaited.
    Delivered(Box<dyn MessageSeal>),
    Negotiate(Box<NegotiateInitiator>),
    /// Everything is sent, and no further token is awaited.
    Sent(Box<NtlmSession>),
    Done,
    Failed(Error),
}

impl State {
    fn new(
        scheme: Scheme,
        credential: &DelegatedCredential,
        spn: &str,
        outer: Option<&ChannelBinding>,
    ) -> Result<Self> {
        match scheme {
            Scheme::CredSsp => Ok(Self::CredSsp(Box::new(Initiator::new(credential, spn, outer)?))),
            Scheme::Negotiate => {
                let name = AccountName { domain: credential.domain.clone(), user: credential.user.clone() };
                let hash = NtHash::of_password(&credential.password);
                let initiator = NegotiateInitiator::new(Wrapping::Spnego, &name, hash, spn, outer)?;
                Ok(Self::Negotiate(Box::new(initiator)))
            }
        }
    }
}

impl ClientLogin {
    /// Prepares a login. `spn` is the target's service name (`HTTP/host`), `outer` the binding to the certificate
    /// of the HTTPS connection; both stand in the login, so that it cannot be relayed.
    ///
    /// # Errors
    /// When a name or the password is too long.
    pub fn new(
        scheme: Scheme,
        credential: &DelegatedCredential,
        spn: &str,
        outer: Option<ChannelBinding>,
    ) -> Result<Self> {
        let state = with_wiped_stack(|| State::new(scheme, credential, spn, outer.as_ref()))?;
        Ok(Self { scheme, state })
    }

    /// The first `Authorization` value; no request without one is needed before.
    ///
    /// # Errors
    /// When called twice.
    pub fn start(&mut self) -> Result<String> {
        let token = match &mut self.state {
            State::CredSsp(initiator) => initiator.start()?,
            State::Negotiate(initiator) => initiator.start()?,
            State::Delivered(_) | State::Sent(_) | State::Done => return Err(Misuse::WrongState.into()),
            State::Failed(error) => return Err(*error),
        };
        Ok(token_header(self.scheme, &token))
    }

    /// Takes the answer to the last request: its status and all its `WWW-Authenticate` values.
    ///
    /// # Errors
    /// [`AuthFailure::RefusedByPeer`] when the peer refuses the credential; other errors are faults of the
    /// protocol. A login that has failed stays failed.
    pub fn step(&mut self, status: u16, www_authenticate: &[&str]) -> Result<LoginStep> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        with_wiped_stack(|| self.try_step(status, www_authenticate))
            .inspect_err(|error| self.state = State::Failed(*error))
    }

    fn try_step(&mut self, status: u16, www_authenticate: &[&str]) -> Result<LoginStep> {
        let token = find_token(self.scheme, www_authenticate)?;
        match status {
            200 => self.succeeded(token.as_deref()),
            401 => self.challenged(token.as_deref()),
            _ => Err(PeerMisbehaved::HttpStatus.into()),
        }
    }

    fn challenged(&mut self, token: Option<&[u8]>) -> Result<LoginStep> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::CredSsp(mut initiator) => {
                // An empty token and an offer are the same once an HTTP library has trimmed the blank away.
                let token = token.or_else(|| initiator.takes_empty_token().then_some(&[]));
                let token = match initiator.step(token.ok_or(AuthFailure::RefusedByPeer)?)? {
                    InitiateStep::Send { token } => {
                        self.state = State::CredSsp(initiator);
                        token
                    }
                    InitiateStep::Deliver { token, seal } => {
                        self.state = State::Delivered(seal);
                        token
                    }
                };
                Ok(self.send(&token))
            }
            State::Negotiate(mut initiator) => {
                let token = match initiator.step(token.ok_or(AuthFailure::RefusedByPeer)?)? {
                    auth::InitiateStep::Send(token) => {
                        self.state = State::Negotiate(initiator);
                        token
                    }
                    auth::InitiateStep::SendLast(token, session) => {
                        self.state = State::Sent(session);
                        token
                    }
                    // Complete on our side, and the peer says 401.
                    auth::InitiateStep::Done(_) => return Err(AuthFailure::RefusedByPeer.into()),
                };
                Ok(self.send(&token))
            }
            State::Delivered(_) | State::Sent(_) => Err(AuthFailure::RefusedByPeer.into()),
            State::Done | State::Failed(_) => Err(Misuse::WrongState.into()),
        }
    }

    /// A success counts only where the login is complete: an early one would leave bodies unsealed.
    fn succeeded(&mut self, token: Option<&[u8]>) -> Result<LoginStep> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Delivered(seal) => Ok(LoginStep::Done(seal)),
            State::Sent(session) => Ok(LoginStep::Done(session)),
            State::Negotiate(mut initiator) => match initiator.step(token.ok_or(PeerMisbehaved::OutOfOrder)?)? {
                auth::InitiateStep::Done(session) => Ok(LoginStep::Done(session)),
                auth::InitiateStep::Send(_) | auth::InitiateStep::SendLast(..) => {
                    Err(PeerMisbehaved::OutOfOrder.into())
                }
            },
            State::CredSsp(_) => Err(PeerMisbehaved::OutOfOrder.into()),
            State::Done | State::Failed(_) => Err(Misuse::WrongState.into()),
        }
    }

    fn send(&self, token: &[u8]) -> LoginStep {
        LoginStep::Send { authorization: token_header(self.scheme, token) }
    }
}

/// The token of our scheme; a list of schemes may come in one value. `CredSSP` with a blank and nothing behind it
/// is an empty token; without the blank it is an offer, and no token.
fn find_token(scheme: Scheme, values: &[&str]) -> Result<Option<Vec<u8>>> {
    if values.iter().fold(0_usize, |sum, value| sum.saturating_add(value.len())) > AUTH_HEADER {
        return Err(LimitExceeded::MessageSize.into());
    }
    let offers = values.iter().flat_map(|value| value.split(','));
    let mut tokens = offers.filter_map(|offer| {
        let (name, token) = offer.trim_start().split_once(' ')?;
        name.eq_ignore_ascii_case(challenge(scheme)).then_some(token)
    });
    tokens.next().map(decode_token).transpose()
}

fn decode_token(token: &str) -> Result<Vec<u8>> {
    let bytes = STANDARD.decode(token.trim()).map_err(|_| Malformed::Base64)?;
    if bytes.len() > LOGIN_TOKEN { Err(LimitExceeded::MessageSize.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
