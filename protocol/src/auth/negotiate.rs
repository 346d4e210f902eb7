//! The acceptor and initiator of `Negotiate`: NTLM by itself, or NTLM inside SPNEGO. RFC 4178, [MS-SPNG].

use crate::auth::ntlm::acceptor::NtlmAcceptor;
use crate::auth::ntlm::initiator::NtlmInitiator;
use crate::auth::ntlm::is_ntlm;
use crate::auth::ntlm::session::NtlmSession;
use crate::auth::spnego::{self, NTLM_OID, NegState, NegTokenInit, NegTokenResp};
use crate::auth::{AccountName, AccountSource, BindingRule, ChannelBinding, NtHash};
use crate::error::{Malformed, Misuse, PeerMisbehaved, Unsupported};
use crate::sealing::MessageSeal;
use crate::{Error, Result};
use std::sync::Arc;

/// Accepts one login by NTLM, raw or inside SPNEGO: the first token tells which, the HTTP scheme does not.
#[derive(Debug)]
pub struct NegotiateAcceptor {
    ntlm: NtlmAcceptor,
    framing: Framing,
    failed: Option<Error>,
}

/// How the peer wraps its messages.
#[derive(Debug)]
enum Framing {
    Unknown,
    Raw,
    /// With the list that the peer signs at the end.
    Spnego {
        mech_list: Vec<u8>,
    },
    Done,
}

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
    pub fn new(accounts: Arc<dyn AccountSource>, rule: BindingRule) -> Self {
        Self { ntlm: NtlmAcceptor::new(accounts, rule), framing: Framing::Unknown, failed: None }
    }

    /// Takes one token of the peer.
    ///
    /// # Errors
    /// When the login fails; it stays failed.
    pub fn step(&mut self, token: &[u8]) -> Result<NegotiateStep> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.try_step(token).inspect_err(|error| self.failed = Some(*error))
    }

    /// Who the peer claims to be, as soon as it said so: for audit and lockout, never for a decision.
    #[must_use]
    pub fn claimed(&self) -> Option<&AccountName> {
        self.ntlm.claimed()
    }

    fn try_step(&mut self, token: &[u8]) -> Result<NegotiateStep> {
        match std::mem::replace(&mut self.framing, Framing::Done) {
            Framing::Unknown if is_ntlm(token) => {
                self.framing = Framing::Raw;
                Ok(NegotiateStep::Continue { token: self.ntlm.challenge(token)? })
            }
            Framing::Unknown if spnego::is_first_token(token) => self.first_spnego(token),
            // A bare Kerberos ticket, or nothing known at all.
            Framing::Unknown => Err(Unsupported::Mechanism.into()),
            Framing::Raw => {
                let (name, session) = self.ntlm.authenticate(token)?;
                Ok(NegotiateStep::Done { token: None, name, seal: Box::new(session) })
            }
            Framing::Spnego { mech_list } => self.next_spnego(token, mech_list),
            Framing::Done => Err(PeerMisbehaved::OutOfOrder.into()),
        }
    }

    fn first_spnego(&mut self, token: &[u8]) -> Result<NegotiateStep> {
        let init = NegTokenInit::decode(token)?;
        if !init.mechanisms.contains(&NTLM_OID) {
            return Err(Unsupported::Mechanism.into());
        }
        let preferred = init.mechanisms.first() == Some(&NTLM_OID);
        // A token for another mechanism is dropped; the peer begins anew with NTLM. RFC 4178 3.2.
        let challenge = match init.token.filter(|_| preferred) {
            Some(message) => Some(self.ntlm.challenge(message)?),
            None => None,
        };
        let state = if preferred { NegState::Incomplete } else { NegState::RequestMic };
        let answer =
            NegTokenResp { state: Some(state), mechanism: Some(NTLM_OID), token: challenge.as_deref(), mic: None };
        self.framing = Framing::Spnego { mech_list: init.mech_list };
        Ok(NegotiateStep::Continue { token: answer.encode() })
    }

    fn next_spnego(&mut self, token: &[u8], mech_list: Vec<u8>) -> Result<NegotiateStep> {
        let response = NegTokenResp::decode(token)?;
        if response.state == Some(NegState::Reject) {
            return Err(PeerMisbehaved::Rejected.into());
        }
        let message = response.token.ok_or(Malformed::Spnego)?;
        if !self.ntlm.is_challenged() {
            let challenge = self.ntlm.challenge(message)?;
            let answer =
                NegTokenResp { state: Some(NegState::Incomplete), token: Some(&challenge), ..NegTokenResp::default() };
            self.framing = Framing::Spnego { mech_list };
            return Ok(NegotiateStep::Continue { token: answer.encode() });
        }
        let (name, mut session) = self.ntlm.authenticate(message)?;
        // The signature is demanded always: without it the list of mechanisms could have been changed on the
        // way. RFC 4178 5, and [MS-SPNG] 3.3.5.1 for NTLM with its integrity check.
        session.verify_list(&mech_list, response.mic.ok_or(PeerMisbehaved::MechListMic)?)?;
        let mic = session.sign_list(&mech_list)?;
        let answer = NegTokenResp { state: Some(NegState::Completed), mic: Some(&mic), ..NegTokenResp::default() };
        Ok(NegotiateStep::Done { token: Some(answer.encode()), name, seal: Box::new(session) })
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

/// Logs in by NTLM, raw or inside SPNEGO, with channel binding, service name and integrity check.
#[derive(Debug)]
pub(crate) struct NegotiateInitiator {
    ntlm: NtlmInitiator,
    wrapping: Wrapping,
    state: InitiatorState,
}

#[derive(Debug)]
enum InitiatorState {
    Start,
    AwaitChallenge { mech_list: Vec<u8> },
    AwaitSignature { mech_list: Vec<u8>, session: Box<NtlmSession> },
    Done,
}

/// What an initiator's step leads to.
#[derive(Debug)]
pub(crate) enum InitiateStep {
    /// Send this token; the peer has one more to send before messages can be opened.
    Send(Vec<u8>),
    /// Send this token; nothing more is awaited.
    SendLast(Vec<u8>, Box<NtlmSession>),
    /// Nothing is left to send.
    Done(Box<NtlmSession>),
}

impl NegotiateInitiator {
    pub(crate) fn new(
        wrapping: Wrapping,
        name: &AccountName,
        hash: NtHash,
        spn: &str,
        binding: Option<&ChannelBinding>,
    ) -> Result<Self> {
        let ntlm = NtlmInitiator::new(name, hash, spn, binding)?;
        Ok(Self { ntlm, wrapping, state: InitiatorState::Start })
    }

    /// The first token.
    pub(crate) fn start(&mut self) -> Result<Vec<u8>> {
        if !matches!(self.state, InitiatorState::Start) {
            return Err(Misuse::WrongState.into());
        }
        let message = self.ntlm.negotiate();
        let (token, mech_list) = match self.wrapping {
            Wrapping::Spnego => NegTokenInit::encode_ntlm(&message),
            Wrapping::Raw => (message, Vec::new()),
        };
        self.state = InitiatorState::AwaitChallenge { mech_list };
        Ok(token)
    }

    /// Takes one token of the peer. After an error every further call fails.
    pub(crate) fn step(&mut self, token: &[u8]) -> Result<InitiateStep> {
        match std::mem::replace(&mut self.state, InitiatorState::Done) {
            InitiatorState::Start => Err(Misuse::WrongState.into()),
            InitiatorState::AwaitChallenge { mech_list } => match self.wrapping {
                Wrapping::Raw => {
                    let (message, session) = self.ntlm.authenticate(token)?;
                    Ok(InitiateStep::SendLast(message, Box::new(session)))
                }
                Wrapping::Spnego => self.answer_challenge(token, mech_list),
            },
            InitiatorState::AwaitSignature { mech_list, mut session } => {
                let response = NegTokenResp::decode(token)?;
                if response.state != Some(NegState::Completed) {
                    return Err(PeerMisbehaved::Rejected.into());
                }
                session.verify_list(&mech_list, response.mic.ok_or(PeerMisbehaved::MechListMic)?)?;
                Ok(InitiateStep::Done(session))
            }
            InitiatorState::Done => Err(PeerMisbehaved::OutOfOrder.into()),
        }
    }

    fn answer_challenge(&mut self, token: &[u8], mech_list: Vec<u8>) -> Result<InitiateStep> {
        let response = NegTokenResp::decode(token)?;
        if response.state == Some(NegState::Reject) {
            return Err(PeerMisbehaved::Rejected.into());
        }
        if response.mechanism.is_some_and(|mechanism| mechanism != NTLM_OID) {
            return Err(Unsupported::Mechanism.into());
        }
        let (message, mut session) = self.ntlm.authenticate(response.token.ok_or(Malformed::Spnego)?)?;
        let mic = session.sign_list(&mech_list)?;
        let answer = NegTokenResp { token: Some(&message), mic: Some(&mic), ..NegTokenResp::default() };
        self.state = InitiatorState::AwaitSignature { mech_list, session: Box::new(session) };
        Ok(InitiateStep::Send(answer.encode()))
    }

    /// The session before the peer's last token, which may come together with messages under it.
    pub(crate) fn session(&mut self) -> Option<&mut NtlmSession> {
        match &mut self.state {
            InitiatorState::AwaitSignature { session, .. } => Some(session),
            InitiatorState::Start | InitiatorState::AwaitChallenge { .. } | InitiatorState::Done => None,
        }
    }
}
