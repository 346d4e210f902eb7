//! The initiator against targets that do wrong.

use super::*;
use crate::auth::{BindingRule, NegotiateAcceptor, NegotiateStep};
use crate::error::LimitExceeded;
use crate::limits::LOGIN_LEGS;
use std::sync::Arc;

/// A target that has finished the TLS handshake and writes its messages by hand.
struct Target {
    tunnel: Tunnel,
    negotiate: NegotiateAcceptor,
    initiator: Initiator,
    /// The initiator's message that is not answered yet.
    asked: Vec<u8>,
}

impl Target {
    fn connected(wrapping: Wrapping) -> Self {
        let tls = Arc::clone(&config(InnerTls::Both).tls);
        let mut tunnel = Tunnel::new(rustls::ServerConnection::new(tls).unwrap());
        let rule = BindingRule::AbsentOrOneOf(Vec::new());
        let negotiate = NegotiateAcceptor::new(Arc::new(OneAccount::default()), rule);
        let mut initiator = initiator(wrapping, InnerTls::Both, PASSWORD, None);
        let mut token = initiator.start().unwrap();
        let mut asked = Zeroizing::<Vec<u8>>::default();
        while asked.is_empty() {
            tunnel.receive(&token, &mut asked, LOGIN_TOKEN).unwrap();
            if asked.is_empty() {
                let InitiateStep::Send { token: next } = initiator.step(&tunnel.output()).unwrap() else {
                    panic!("too early")
                };
                token = next;
            }
        }
        Self { tunnel, negotiate, initiator, asked: asked.to_vec() }
    }

    fn send(&mut self, request: &TsRequest<'_>) -> Result<InitiateStep, Error> {
        self.tunnel.send(&request.encode()).unwrap();
        let result = self.initiator.step(&self.tunnel.output());
        if let Err(error) = result {
            assert_eq!(self.initiator.step(b"").err(), Some(error), "failed stays failed");
        }
        result
    }

    /// Answers the first message with a challenge.
    fn challenge(&mut self, version: u32) -> Result<(), Error> {
        let asked = self.asked.clone();
        let token = TsRequest::decode(&asked).unwrap().nego_token.unwrap();
        let NegotiateStep::Continue { token } = self.negotiate.step(token).unwrap() else { panic!("too early") };
        let step = self.send(&TsRequest { version, nego_token: Some(&token), ..TsRequest::default() })?;
        let InitiateStep::Send { token } = step else { panic!("too early") };
        let mut asked = Zeroizing::default();
        self.tunnel.receive(&token, &mut asked, LOGIN_TOKEN).unwrap();
        self.asked = asked.to_vec();
        Ok(())
    }

    /// The last token of the login and its session, as a target that knows the password has them.
    fn accept(&mut self) -> (Option<Vec<u8>>, Box<dyn MessageSeal>) {
        let asked = self.asked.clone();
        let request = TsRequest::decode(&asked).unwrap();
        let NegotiateStep::Done { token, mut seal, .. } = self.negotiate.step(request.nego_token.unwrap()).unwrap()
        else {
            panic!("not done")
        };
        unwrap_token(&mut *seal, request.pub_key_auth.unwrap()).unwrap();
        (token, seal)
    }

    fn nonce(&self) -> Vec<u8> {
        TsRequest::decode(&self.asked).unwrap().nonce.unwrap().to_vec()
    }
}

/// What the initiator makes of a target's binding.
fn bind(proof: impl FnOnce(&[u8]) -> Vec<u8>, version: u32) -> Result<InitiateStep, Error> {
    let mut target = Target::connected(Wrapping::Spnego);
    target.challenge(VERSION)?;
    let (token, mut seal) = target.accept();
    let sealed = seal.seal(&proof(&target.nonce())).unwrap();
    let request =
        TsRequest { version, nego_token: token.as_deref(), pub_key_auth: Some(&sealed.bytes), ..TsRequest::default() };
    target.send(&request)
}

#[test]
fn the_target_gets_the_credential_when_it_is_honest() {
    let step = bind(|nonce| server_key().proof(Direction::ServerToClient, nonce).to_vec(), VERSION);
    assert!(matches!(step, Ok(InitiateStep::Deliver { .. })));
}

#[test]
fn a_target_with_another_key_gets_no_credential() {
    let wrong = Error::from(AuthFailure::KeyBindingWrong);
    let other = PublicKey::of_certificate(&OUTER).unwrap();
    assert_eq!(bind(|nonce| other.proof(Direction::ServerToClient, nonce).to_vec(), VERSION).err(), Some(wrong));
    let echo = bind(|nonce| server_key().proof(Direction::ClientToServer, nonce).to_vec(), VERSION);
    assert_eq!(echo.err(), Some(wrong));
    let stale = bind(|_| server_key().proof(Direction::ServerToClient, &NONCE).to_vec(), VERSION);
    assert_eq!(stale.err(), Some(wrong));
    assert_eq!(bind(|_| Vec::new(), VERSION).err(), Some(wrong));
}

#[test]
fn a_target_of_an_old_or_changing_version_gets_no_credential() {
    for version in [2, 3, 4] {
        assert_eq!(Target::connected(Wrapping::Raw).challenge(version), Err(Unsupported::CredSspVersion.into()));
    }
    let proof = |nonce: &[u8]| server_key().proof(Direction::ServerToClient, nonce).to_vec();
    assert_eq!(bind(proof, 5).err(), Some(PeerMisbehaved::VersionChanged.into()));
    assert_eq!(bind(proof, 4).err(), Some(Unsupported::CredSspVersion.into()));
}

#[test]
fn a_target_that_does_not_know_the_password_gets_no_credential() {
    for wrapping in [Wrapping::Raw, Wrapping::Spnego] {
        for sealed in [&[1; 48][..], &[0; 3], &[]] {
            let mut target = Target::connected(wrapping);
            target.challenge(VERSION).unwrap();
            let token = match wrapping {
                Wrapping::Raw => None,
                Wrapping::Spnego => target.accept().0,
            };
            let request = TsRequest { nego_token: token.as_deref(), pub_key_auth: Some(sealed), ..TsRequest::ours() };
            assert_eq!(target.send(&request).err(), Some(PeerMisbehaved::SealBroken.into()));
        }
    }
    // The list of mechanisms not signed.
    let mut target = Target::connected(Wrapping::Spnego);
    target.challenge(VERSION).unwrap();
    let accepted = [0xa1, 7, 0x30, 5, 0xa0, 3, 0x0a, 1, 0];
    let request = TsRequest { nego_token: Some(&accepted), pub_key_auth: Some(&[1; 48]), ..TsRequest::ours() };
    assert_eq!(target.send(&request).err(), Some(PeerMisbehaved::MechListMic.into()));
}

#[test]
fn a_token_after_the_login_is_done_is_an_error() {
    let mut target = Target::connected(Wrapping::Raw);
    target.challenge(VERSION).unwrap();
    let (_, mut seal) = target.accept();
    let sealed = seal.seal(&server_key().proof(Direction::ServerToClient, &target.nonce())).unwrap();
    let request = TsRequest { nego_token: Some(b"more"), pub_key_auth: Some(&sealed.bytes), ..TsRequest::ours() };
    assert_eq!(target.send(&request).err(), Some(PeerMisbehaved::OutOfOrder.into()));
}

#[test]
fn a_refusal_is_told_from_faults() {
    let mut target = Target::connected(Wrapping::Spnego);
    let step = target.send(&TsRequest { error_code: Some(LOGON_FAILURE), ..TsRequest::ours() });
    assert_eq!(step.err(), Some(AuthFailure::RefusedByPeer.into()));
    let mut target = Target::connected(Wrapping::Spnego);
    assert_eq!(target.send(&TsRequest::ours()).err(), Some(PeerMisbehaved::OutOfOrder.into()));
    let mut target = Target::connected(Wrapping::Spnego);
    target.challenge(VERSION).unwrap();
    assert_eq!(target.send(&TsRequest::ours()).err(), Some(PeerMisbehaved::OutOfOrder.into()));
}

#[test]
fn a_target_that_never_ends_is_cut_off() {
    let mut initiator = initiator(Wrapping::Spnego, InnerTls::Both, PASSWORD, None);
    initiator.start().unwrap();
    for _ in 0..LOGIN_LEGS {
        initiator.step(b"").unwrap();
    }
    assert_eq!(initiator.step(b"").err(), Some(LimitExceeded::LoginLegs.into()));
    let mut other = super::initiator(Wrapping::Spnego, InnerTls::Both, PASSWORD, None);
    other.start().unwrap();
    assert_eq!(other.step(&vec![22; LOGIN_TOKEN + 1]).err(), Some(LimitExceeded::LoginBytes.into()));
    assert_eq!(other.start().err(), Some(LimitExceeded::LoginBytes.into()));
}
