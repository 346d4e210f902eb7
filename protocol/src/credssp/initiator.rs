//! The initiator of CredSSP. [MS-CSSP] 3.1.

use super::binding::{Direction, PublicKey};
use super::config::{InnerTls, client_tls};
use super::ts_request::{NONCE, TsRequest, VersionGate};
use super::tunnel::Tunnel;
use super::{DelegatedCredential, ts_credentials};
use crate::auth::{self, AccountName, ChannelBinding, NegotiateInitiator, NtHash, NtlmSession, Wrapping, der};
use crate::error::{AuthFailure, LimitExceeded, PeerMisbehaved};
use crate::limits::{LOGIN_BYTES, LOGIN_LEGS, LOGIN_TOKEN};
use crate::sealing::MessageSeal;
use crate::{Error, Result};
use rustls::pki_types::{IpAddr, Ipv4Addr, ServerName};
use zeroize::Zeroizing;

/// Logs in by CredSSP and delegates a credential, on one connection.
#[derive(Debug)]
pub struct Initiator {
    tunnel: Option<Tunnel>,
    negotiate: NegotiateInitiator,
    /// `TSCredentials`, sealed and sent only after (key-binding).
    credential: Zeroizing<Vec<u8>>,
    nonce: [u8; NONCE],
    versions: VersionGate,
    state: State,
    pending: Zeroizing<Vec<u8>>,
    legs: u32,
    bytes: usize,
}

/// How a login is wrapped; the defaults are what every known target takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitiatorOptions {
    /// SPNEGO around NTLM, or NTLM by itself.
    pub wrapping: Wrapping,
    /// The versions of TLS that are offered.
    pub inner_tls: InnerTls,
}

impl Default for InitiatorOptions {
    fn default() -> Self {
        Self { wrapping: Wrapping::Spnego, inner_tls: InnerTls::Both }
    }
}

#[derive(Debug)]
enum State {
    Start,
    Handshaking,
    AwaitChallenge,
    /// Our proof is sent; with raw NTLM the session is here already.
    AwaitBinding {
        session: Option<Box<NtlmSession>>,
    },
    Done,
    Failed(Error),
}

/// What an initiator's step leads to.
#[derive(Debug)]
pub enum InitiateStep {
    /// Send this token and wait for the answer.
    Send {
        /// The token to send.
        token: Vec<u8>,
    },
    /// Send this token, which carries the credential; nothing more is awaited but the peer's success.
    Deliver {
        /// The token to send.
        token: Vec<u8>,
        /// Seals and opens the bodies of this connection.
        seal: Box<dyn MessageSeal>,
    },
}

impl Initiator {
    /// Prepares a login with SPNEGO, whatever version of TLS the target picks.
    ///
    /// # Errors
    /// When a name or the password is too long.
    pub fn new(credential: &DelegatedCredential, spn: &str, binding: Option<&ChannelBinding>) -> Result<Self> {
        Self::with_options(credential, spn, binding, InitiatorOptions::default())
    }

    /// Prepares a login.
    ///
    /// # Errors
    /// When a name or the password is too long.
    pub fn with_options(
        credential: &DelegatedCredential,
        spn: &str,
        binding: Option<&ChannelBinding>,
        options: InitiatorOptions,
    ) -> Result<Self> {
        let name = AccountName { domain: credential.domain.clone(), user: credential.user.clone() };
        let hash = NtHash::of_password(&credential.password);
        // A name has to be given; it is neither sent nor verified.
        let nowhere = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([0, 0, 0, 0])));
        let connection = rustls::ClientConnection::new(client_tls(options.inner_tls)?, nowhere)
            .map_err(|_| PeerMisbehaved::InnerTls)?;
        Ok(Self {
            tunnel: Some(Tunnel::new(connection)),
            negotiate: NegotiateInitiator::new(options.wrapping, &name, hash, spn, binding)?,
            credential: ts_credentials::encode(credential)?,
            nonce: auth::random()?,
            versions: VersionGate::default(),
            state: State::Start,
            pending: Zeroizing::default(),
            legs: 0,
            bytes: 0,
        })
    }

    /// The first token.
    ///
    /// # Errors
    /// When called twice.
    pub fn start(&mut self) -> Result<Vec<u8>> {
        match self.state {
            State::Start => {
                self.state = State::Handshaking;
                Ok(self.tunnel()?.output())
            }
            State::Failed(error) => Err(error),
            State::Handshaking | State::AwaitChallenge | State::AwaitBinding { .. } | State::Done => {
                Err(crate::error::Misuse::WrongState.into())
            }
        }
    }

    /// Takes one token of the target, which may be empty.
    ///
    /// # Errors
    /// When the target refuses the login or breaks the protocol; it stays failed.
    pub fn step(&mut self, token: &[u8]) -> Result<InitiateStep> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        self.try_step(token).inspect_err(|error| {
            self.state = State::Failed(*error);
            self.tunnel = None;
            self.credential = Zeroizing::default();
            self.pending = Zeroizing::default();
        })
    }

    /// Whether the target may have nothing to say now, as after our last flight under TLS 1.3.
    pub(crate) fn takes_empty_token(&self) -> bool {
        matches!(self.state, State::Handshaking) && self.tunnel.as_ref().is_some_and(|tunnel| !tunnel.is_handshaking())
    }

    fn try_step(&mut self, token: &[u8]) -> Result<InitiateStep> {
        self.count(token)?;
        self.pending.reserve(token.len());
        let tunnel = self.tunnel.as_mut().ok_or(PeerMisbehaved::OutOfOrder)?;
        tunnel.receive(token, &mut self.pending, LOGIN_TOKEN)?;
        if matches!(self.state, State::Handshaking) {
            return self.shake_hands();
        }
        let message = self.whole_message()?;
        let request = TsRequest::decode(&message)?;
        if request.error_code.is_some_and(|status| status != 0) {
            return Err(AuthFailure::RefusedByPeer.into());
        }
        // (credssp-version)
        self.versions.pass(request.version)?;
        match std::mem::replace(&mut self.state, State::Done) {
            State::AwaitChallenge => self.answer_challenge(&request),
            State::AwaitBinding { session } => self.deliver(&request, session),
            State::Start | State::Handshaking | State::Done | State::Failed(_) => {
                Err(PeerMisbehaved::OutOfOrder.into())
            }
        }
    }

    /// Bounds what a hostile target can make of a login.
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

    /// Our flight goes out in a leg of its own: targets stumble over a first message in the same token.
    fn shake_hands(&mut self) -> Result<InitiateStep> {
        let tunnel = self.tunnel()?;
        let token = tunnel.output();
        if !token.is_empty() || tunnel.is_handshaking() {
            return Ok(InitiateStep::Send { token });
        }
        let first = self.negotiate.start()?;
        self.state = State::AwaitChallenge;
        self.send(&TsRequest { nego_token: Some(&first), ..TsRequest::ours() })
    }

    fn whole_message(&mut self) -> Result<Zeroizing<Vec<u8>>> {
        let size = der::value_size(&self.pending)?.ok_or(PeerMisbehaved::OutOfOrder)?;
        if size.total == self.pending.len() {
            Ok(std::mem::take(&mut self.pending))
        } else {
            Err(PeerMisbehaved::TrailingBytes.into())
        }
    }

    fn answer_challenge(&mut self, request: &TsRequest<'_>) -> Result<InitiateStep> {
        let challenge = request.nego_token.ok_or(PeerMisbehaved::OutOfOrder)?;
        let proof = self.peer_key()?.proof(Direction::ClientToServer, &self.nonce);
        let (token, sealed, session) = match self.negotiate.step(challenge)? {
            auth::InitiateStep::Send(token) => {
                let session = self.negotiate.session().ok_or(PeerMisbehaved::OutOfOrder)?;
                (token, session.seal(&proof)?, None)
            }
            auth::InitiateStep::SendLast(token, mut session) => {
                let sealed = session.seal(&proof)?;
                (token, sealed, Some(session))
            }
            auth::InitiateStep::Done(_) => return Err(PeerMisbehaved::OutOfOrder.into()),
        };
        self.state = State::AwaitBinding { session };
        let nonce = self.nonce;
        self.send(&TsRequest {
            nego_token: Some(&token),
            pub_key_auth: Some(&sealed.bytes),
            nonce: Some(&nonce),
            ..TsRequest::ours()
        })
    }

    fn deliver(&mut self, request: &TsRequest<'_>, session: Option<Box<NtlmSession>>) -> Result<InitiateStep> {
        let mut session = match (session, request.nego_token) {
            (Some(session), None) => session,
            (None, Some(token)) => match self.negotiate.step(token)? {
                auth::InitiateStep::Done(session) => session,
                auth::InitiateStep::Send(_) | auth::InitiateStep::SendLast(..) => {
                    return Err(PeerMisbehaved::OutOfOrder.into());
                }
            },
            (Some(_), Some(_)) | (None, None) => return Err(PeerMisbehaved::OutOfOrder.into()),
        };
        let sealed = request.pub_key_auth.ok_or(PeerMisbehaved::OutOfOrder)?;
        let proof = auth::unwrap_token(&mut *session, sealed)?;
        // (key-binding)
        self.peer_key()?.verify(Direction::ServerToClient, &self.nonce, &proof)?;
        let credential = std::mem::take(&mut self.credential);
        let sealed = session.seal(&credential)?;
        let mut tunnel = self.tunnel.take().ok_or(PeerMisbehaved::OutOfOrder)?;
        tunnel.send(&TsRequest { auth_info: Some(&sealed.bytes), ..TsRequest::ours() }.encode())?;
        Ok(InitiateStep::Deliver { token: tunnel.output(), seal: Box::new(tunnel) })
    }

    fn peer_key(&mut self) -> Result<PublicKey> {
        PublicKey::of_certificate(self.tunnel()?.peer_certificate().ok_or(PeerMisbehaved::InnerTls)?)
    }

    fn send(&mut self, request: &TsRequest<'_>) -> Result<InitiateStep> {
        let tunnel = self.tunnel()?;
        tunnel.send(&request.encode())?;
        Ok(InitiateStep::Send { token: tunnel.output() })
    }

    fn tunnel(&mut self) -> Result<&mut Tunnel> {
        self.tunnel.as_mut().ok_or_else(|| PeerMisbehaved::OutOfOrder.into())
    }
}
