//! The acceptor of CredSSP. [MS-CSSP] 3.2.

use super::binding::Direction;
use super::config::AcceptorConfig;
use super::ts_request::{LOGON_FAILURE, NONCE, TsRequest, VersionGate};
use super::tunnel::Tunnel;
use super::{Login, ts_credentials};
use crate::auth::der;
use crate::auth::{AccountName, AccountSource, NegotiateAcceptor, NegotiateStep, unwrap_token};
use crate::error::{LimitExceeded, PeerMisbehaved};
use crate::limits::{LOGIN_BYTES, LOGIN_LEGS, LOGIN_TOKEN};
use crate::memory::with_wiped_stack;
use crate::sealing::MessageSeal;
use crate::{Error, Result};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Accepts one CredSSP login on one connection.
#[derive(Debug)]
pub struct Acceptor {
    config: Arc<AcceptorConfig>,
    /// Taken out when the login is done: the connection's messages go on in it.
    tunnel: Option<Tunnel>,
    negotiate: NegotiateAcceptor,
    versions: VersionGate,
    state: State,
    /// Plain bytes of a message that is not whole yet.
    pending: Zeroizing<Vec<u8>>,
    legs: u32,
    bytes: usize,
}

#[derive(Debug)]
enum State {
    /// Before the login inside is done; the TLS handshake included.
    Negotiating,
    /// The login is done; the binding to our key is owed.
    AwaitBinding {
        name: AccountName,
        seal: Box<dyn MessageSeal>,
    },
    /// The binding is proved; the credential may come.
    AwaitCredential {
        name: AccountName,
        seal: Box<dyn MessageSeal>,
    },
    Done,
    Failed(Error),
}

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
    pub fn new(config: &Arc<AcceptorConfig>, accounts: Arc<dyn AccountSource>) -> Self {
        let tunnel = rustls::ServerConnection::new(Arc::clone(&config.tls)).map(Tunnel::new);
        let state = match tunnel {
            Ok(_) => State::Negotiating,
            Err(_) => State::Failed(PeerMisbehaved::InnerTls.into()),
        };
        Self {
            config: Arc::clone(config),
            tunnel: tunnel.ok(),
            negotiate: NegotiateAcceptor::new(accounts, config.rule.clone()),
            versions: VersionGate::default(),
            state,
            pending: Zeroizing::default(),
            legs: 0,
            bytes: 0,
        }
    }

    /// Takes one token of the client.
    pub fn step(&mut self, token: &[u8]) -> AcceptStep {
        match with_wiped_stack(|| self.try_step(token)) {
            Ok(step) => step,
            Err(cause) => self.reject(cause),
        }
    }

    /// Who the client claims to be, as soon as it said so: for audit and lockout, never for a decision.
    #[must_use]
    pub fn claimed(&self) -> Option<&AccountName> {
        self.negotiate.claimed()
    }

    fn try_step(&mut self, token: &[u8]) -> Result<AcceptStep> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        self.count(token)?;
        let tunnel = self.tunnel.as_mut().ok_or(PeerMisbehaved::OutOfOrder)?;
        self.pending.reserve(token.len());
        tunnel.receive(token, &mut self.pending, LOGIN_TOKEN)?;
        let Some(message) = self.whole_message()? else {
            // Under TLS 1.3 there may be nothing to say; the client waits for an answer all the same.
            return self.continued();
        };
        let request = TsRequest::decode(&message)?;
        self.take_message(&request)
    }

    /// Bounds the login before anything is known about the client.
    fn count(&mut self, token: &[u8]) -> Result<()> {
        self.legs = self.legs.saturating_add(1);
        self.bytes = self.bytes.saturating_add(token.len());
        if self.legs > LOGIN_LEGS {
            return Err(LimitExceeded::LoginLegs.into());
        }
        if token.len() > LOGIN_TOKEN || self.bytes > LOGIN_BYTES {
            return Err(LimitExceeded::LoginBytes.into());
        }
        Ok(())
    }

    /// A whole message, or nothing yet. One message, one leg: nothing may follow it.
    fn whole_message(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some(size) = der::value_size(&self.pending)? else {
            return Ok(None);
        };
        if size.total > LOGIN_TOKEN {
            return Err(LimitExceeded::MessageSize.into());
        }
        match self.pending.len().cmp(&size.total) {
            std::cmp::Ordering::Less => Ok(None),
            std::cmp::Ordering::Equal => Ok(Some(std::mem::take(&mut self.pending))),
            std::cmp::Ordering::Greater => Err(PeerMisbehaved::TrailingBytes.into()),
        }
    }

    fn take_message(&mut self, request: &TsRequest<'_>) -> Result<AcceptStep> {
        // (credssp-version)
        self.versions.pass(request.version)?;
        match std::mem::replace(&mut self.state, State::Done) {
            State::Negotiating => self.take_login(request),
            State::AwaitBinding { name, seal } => {
                if request.nego_token.is_some() {
                    return Err(PeerMisbehaved::OutOfOrder.into());
                }
                self.take_binding(request, None, name, seal)
            }
            State::AwaitCredential { name, seal } => self.take_credential(request, name, seal),
            State::Done | State::Failed(_) => Err(PeerMisbehaved::OutOfOrder.into()),
        }
    }

    fn take_login(&mut self, request: &TsRequest<'_>) -> Result<AcceptStep> {
        let token = request.nego_token.ok_or(PeerMisbehaved::OutOfOrder)?;
        // (key-binding): whatever comes before the login is done came without a session that protects it.
        if request.auth_info.is_some() {
            return Err(PeerMisbehaved::OutOfOrder.into());
        }
        match self.negotiate.step(token)? {
            NegotiateStep::Continue { token } => {
                if request.pub_key_auth.is_some() {
                    return Err(PeerMisbehaved::OutOfOrder.into());
                }
                self.state = State::Negotiating;
                self.answer(&TsRequest { nego_token: Some(&token), ..TsRequest::ours() })
            }
            // Stock clients send their proof together with the last token, and the answer has to carry our
            // last token and our proof together too.
            NegotiateStep::Done { token, name, seal } if request.pub_key_auth.is_some() => {
                self.take_binding(request, token.as_deref(), name, seal)
            }
            NegotiateStep::Done { token, name, seal } => {
                self.state = State::AwaitBinding { name, seal };
                self.answer(&TsRequest { nego_token: token.as_deref(), ..TsRequest::ours() })
            }
        }
    }

    fn take_binding(
        &mut self,
        request: &TsRequest<'_>,
        nego_token: Option<&[u8]>,
        name: AccountName,
        mut seal: Box<dyn MessageSeal>,
    ) -> Result<AcceptStep> {
        if request.auth_info.is_some() {
            return Err(PeerMisbehaved::OutOfOrder.into());
        }
        let sealed = request.pub_key_auth.ok_or(PeerMisbehaved::OutOfOrder)?;
        let nonce = request.nonce.filter(|nonce| nonce.len() == NONCE).ok_or(PeerMisbehaved::Nonce)?;
        let proof = unwrap_token(&mut *seal, sealed)?;
        // (key-binding)
        self.config.key.verify(Direction::ClientToServer, nonce, &proof)?;
        let ours = seal.seal(&self.config.key.proof(Direction::ServerToClient, nonce))?;
        self.state = State::AwaitCredential { name, seal };
        self.answer(&TsRequest { nego_token, pub_key_auth: Some(&ours.bytes), ..TsRequest::ours() })
    }

    fn take_credential(
        &mut self,
        request: &TsRequest<'_>,
        authenticated: AccountName,
        mut seal: Box<dyn MessageSeal>,
    ) -> Result<AcceptStep> {
        if request.nego_token.is_some() || request.pub_key_auth.is_some() {
            return Err(PeerMisbehaved::OutOfOrder.into());
        }
        let sealed = request.auth_info.ok_or(PeerMisbehaved::OutOfOrder)?;
        let plain = unwrap_token(&mut *seal, sealed)?;
        let delegated = ts_credentials::decode(&plain)?;
        let mut tunnel = self.tunnel.take().ok_or(PeerMisbehaved::OutOfOrder)?;
        let token = tunnel.output();
        let login = Login { authenticated, delegated };
        Ok(AcceptStep::Done { token, login, seal: Box::new(tunnel) })
    }

    fn answer(&mut self, request: &TsRequest<'_>) -> Result<AcceptStep> {
        self.tunnel.as_mut().ok_or(PeerMisbehaved::OutOfOrder)?.send(&request.encode())?;
        self.continued()
    }

    fn continued(&mut self) -> Result<AcceptStep> {
        let tunnel = self.tunnel.as_mut().ok_or(PeerMisbehaved::OutOfOrder)?;
        Ok(AcceptStep::Continue { token: tunnel.output() })
    }

    /// INVARIANT(one-refusal): every failure inside the TLS looks the same to the client. What was pending and
    /// what holds keys is dropped at once; the error stays.
    fn reject(&mut self, cause: Error) -> AcceptStep {
        self.state = State::Failed(cause);
        self.pending = Zeroizing::default();
        let token = self.tunnel.take().and_then(|tunnel| self.refusal(tunnel));
        AcceptStep::Rejected { token, cause, claimed: self.negotiate.claimed().cloned() }
    }

    fn refusal(&self, mut tunnel: Tunnel) -> Option<Vec<u8>> {
        if !tunnel.is_handshaking() && self.versions.reads_error_codes() {
            let refusal = TsRequest { error_code: Some(LOGON_FAILURE), ..TsRequest::ours() };
            tunnel.send(&refusal.encode()).ok()?;
        }
        // Before that only TLS's own alert can tell.
        Some(tunnel.output()).filter(|token| !token.is_empty())
    }
}
