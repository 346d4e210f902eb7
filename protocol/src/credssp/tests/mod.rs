//! Acceptor and initiator as a pair, and both under attack.

use super::binding::{Direction, PublicKey};
use super::config::client_tls;
use super::ts_request::{LOGON_FAILURE, TsRequest, VERSION};
use super::tunnel::Tunnel;
use super::*;
use crate::auth::ntlm_attack::{AttackClient, Mic, Response};
use crate::auth::tests::{OneAccount, PASSWORD};
use crate::auth::{ChannelBinding, NtlmSession, Wrapping, unwrap_token};
use crate::error::{AuthFailure, Error, Misuse, PeerMisbehaved, Unsupported};
use crate::limits::{LOGIN_TOKEN, SEALED_CHUNK};
use crate::sealing::{MessageSeal, SealProtocol};
use crate::secret::SecretText;
use proptest::prelude::*;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::sync::{Arc, LazyLock};
use zeroize::Zeroizing;

/// Keys for tests, and for nothing else.
const KEY: &[u8] = include_bytes!("../../../testdata/rsa-2048-for-tests.pk8");
const OTHER_KEY: &[u8] = include_bytes!("../../../testdata/rsa-2048-for-tests-2.pk8");

fn private_key(pkcs8: &[u8]) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(pkcs8.to_vec()).into()
}

fn certificate(pkcs8: &[u8]) -> CertificateDer<'static> {
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), &rcgen::PKCS_RSA_SHA256).unwrap();
    let params = rcgen::CertificateParams::new(vec!["gw.test".to_owned()]).unwrap();
    params.self_signed(&pair).unwrap().der().clone()
}

static CERTIFICATE: LazyLock<CertificateDer<'static>> = LazyLock::new(|| certificate(KEY));
static OUTER: LazyLock<CertificateDer<'static>> = LazyLock::new(|| certificate(OTHER_KEY));
static CONFIGS: LazyLock<[Arc<AcceptorConfig>; 3]> = LazyLock::new(|| {
    [InnerTls::Tls12, InnerTls::Tls13, InnerTls::Both].map(|inner_tls| {
        let config = AcceptorConfig::with_tls(CERTIFICATE.clone(), private_key(KEY), Some(&OUTER), inner_tls);
        Arc::new(config.unwrap())
    })
});

fn config(inner_tls: InnerTls) -> &'static Arc<AcceptorConfig> {
    let [tls12, tls13, both] = &*CONFIGS;
    match inner_tls {
        InnerTls::Tls12 => tls12,
        InnerTls::Tls13 => tls13,
        InnerTls::Both => both,
    }
}

/// For tests of what is built on CredSSP: takes logins bound to this channel or to none.
pub(crate) fn acceptor_config(channel: [u8; 16]) -> Arc<AcceptorConfig> {
    let mut config = AcceptorConfig::new(CERTIFICATE.clone(), private_key(KEY), None).unwrap();
    config.rule = crate::auth::BindingRule::AbsentOrOneOf(vec![ChannelBinding::of_digest(channel)]);
    Arc::new(config)
}

fn acceptor(inner_tls: InnerTls) -> Acceptor {
    Acceptor::new(config(inner_tls), Arc::new(OneAccount::default()))
}

fn credential(password: &str) -> DelegatedCredential {
    DelegatedCredential {
        domain: "GATEWAY".to_owned(),
        user: "alice".to_owned(),
        password: SecretText::new(password.to_owned()),
    }
}

fn initiator(wrapping: Wrapping, inner_tls: InnerTls, password: &str, binding: Option<&ChannelBinding>) -> Initiator {
    let options = InitiatorOptions { wrapping, inner_tls };
    Initiator::with_options(&credential(password), "HTTP/gw.test", binding, options).unwrap()
}

const KINDS: [(Wrapping, InnerTls); 5] = [
    (Wrapping::Spnego, InnerTls::Tls12),
    (Wrapping::Spnego, InnerTls::Tls13),
    (Wrapping::Raw, InnerTls::Tls12),
    (Wrapping::Raw, InnerTls::Tls13),
    (Wrapping::Spnego, InnerTls::Both),
];

struct Paired {
    login: Login,
    client: Box<dyn MessageSeal>,
    server: Box<dyn MessageSeal>,
    legs: usize,
}

/// Runs a login to its end.
fn pair(mut acceptor: Acceptor, mut initiator: Initiator) -> Result<Paired, Error> {
    let mut token = initiator.start().unwrap();
    for legs in 1..10_usize {
        let answer = match acceptor.step(&token) {
            AcceptStep::Continue { token } => token,
            AcceptStep::Rejected { token, cause, claimed } => {
                // The peer learns of it, and no more than that.
                if let Some(token) = token {
                    assert_eq!(initiator.step(&token).err(), Some(AuthFailure::RefusedByPeer.into()));
                }
                assert_eq!(claimed.as_ref(), acceptor.claimed());
                return Err(cause);
            }
            AcceptStep::Done { .. } => panic!("too early"),
        };
        match initiator.step(&answer)? {
            InitiateStep::Send { token: next } => token = next,
            InitiateStep::Deliver { token, seal: client } => {
                let AcceptStep::Done { token, login, seal: server } = acceptor.step(&token) else { panic!("not done") };
                assert!(token.is_empty());
                assert!(matches!(acceptor.step(b""), AcceptStep::Rejected { .. }), "a login is done once");
                return Ok(Paired { login, client, server, legs: legs.saturating_add(1) });
            }
        }
    }
    panic!("no end")
}

#[test]
fn every_kind_of_login_delegates_and_seals() {
    for (wrapping, inner_tls) in KINDS {
        let mut paired = pair(acceptor(inner_tls), initiator(wrapping, inner_tls, PASSWORD, None)).unwrap();
        assert_eq!(paired.legs, 5);
        assert_eq!(paired.login.authenticated.user, "alice");
        assert_eq!(
            (paired.login.delegated.domain.as_str(), paired.login.delegated.user.as_str()),
            ("GATEWAY", "alice")
        );
        assert!(paired.login.delegated.password.ct_eq(&SecretText::new(PASSWORD.to_owned())));
        let header = if inner_tls == InnerTls::Tls12 { 16 } else { 17 };
        for text in [&b"ping"[..], &vec![3; SEALED_CHUNK], &[4; 100]] {
            let chunk = paired.client.seal(text).unwrap();
            assert_eq!(chunk.header_len, header);
            // Some clients write a wrong number there.
            assert_eq!(paired.server.open(1, &chunk.bytes, text.len()).unwrap()[..], *text);
            let chunk = paired.server.seal(text).unwrap();
            assert_eq!(paired.client.open(chunk.header_len, &chunk.bytes, text.len()).unwrap()[..], *text);
        }
        assert_eq!(paired.client.protocol(), SealProtocol::CredSsp);
    }
}

#[test]
fn wrong_passwords_are_refused_inside_the_tunnel() {
    for (wrapping, inner_tls) in KINDS {
        let error = pair(acceptor(inner_tls), initiator(wrapping, inner_tls, "wrong", None)).err();
        assert_eq!(error, Some(AuthFailure::BadCredentials.into()));
    }
}

#[test]
fn a_binding_to_either_certificate_is_taken_and_any_other_refused() {
    for certificate in [&*CERTIFICATE, &*OUTER] {
        let binding = ChannelBinding::tls_server_end_point(certificate).unwrap();
        let login = initiator(Wrapping::Spnego, InnerTls::Both, PASSWORD, Some(&binding));
        assert!(pair(acceptor(InnerTls::Both), login).is_ok());
    }
    let binding = ChannelBinding::of_digest([9; 16]);
    let login = initiator(Wrapping::Spnego, InnerTls::Both, PASSWORD, Some(&binding));
    assert_eq!(pair(acceptor(InnerTls::Both), login).err(), Some(AuthFailure::ChannelBindingWrong.into()));
}

#[test]
fn only_rsa_keys_that_belong_to_their_certificate_are_taken() {
    let ecdsa = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["gw.test".to_owned()]).unwrap();
    let certificate = params.self_signed(&ecdsa).unwrap().der().clone();
    let error = AcceptorConfig::new(certificate, private_key(&ecdsa.serialize_der()), None).err();
    assert_eq!(error, Some(Unsupported::InnerCertificateNotRsa.into()));
    let error = AcceptorConfig::new(CERTIFICATE.clone(), private_key(OTHER_KEY), None).err();
    assert_eq!(error, Some(Misuse::CertificateAndKey.into()));
    let error = AcceptorConfig::new(CERTIFICATE.clone(), private_key(b"junk"), None).err();
    assert_eq!(error, Some(Misuse::CertificateAndKey.into()));
}

/// A client that has finished the TLS handshake and writes its messages by hand.
struct Attacker {
    tunnel: Tunnel,
    acceptor: Acceptor,
    ntlm: AttackClient,
    last: Option<(Vec<u8>, NtlmSession)>,
}

impl Attacker {
    fn connected() -> Self {
        let nowhere = ServerName::try_from("gw.test").unwrap();
        let connection = rustls::ClientConnection::new(client_tls(InnerTls::Both).unwrap(), nowhere).unwrap();
        let (mut tunnel, mut acceptor) = (Tunnel::new(connection), acceptor(InnerTls::Both));
        for _ in 0..2 {
            let AcceptStep::Continue { token } = acceptor.step(&tunnel.output()) else { panic!("handshake") };
            tunnel.receive(&token, &mut Zeroizing::default(), 0).unwrap();
        }
        assert!(!tunnel.is_handshaking());
        Self { tunnel, acceptor, ntlm: AttackClient::honest("alice", PASSWORD), last: None }
    }

    fn send_bytes(&mut self, plain: &[u8]) -> AcceptStep {
        self.tunnel.send(plain).unwrap();
        self.acceptor.step(&self.tunnel.output())
    }

    fn send(&mut self, request: &TsRequest<'_>) -> AcceptStep {
        self.send_bytes(&request.encode())
    }

    /// What the acceptor answered, out of the tunnel.
    fn answer(&mut self, step: AcceptStep) -> Vec<u8> {
        let AcceptStep::Continue { token } = step else { panic!("refused: {step:?}") };
        self.open(&token)
    }

    fn open(&mut self, token: &[u8]) -> Vec<u8> {
        let mut plain = Zeroizing::default();
        self.tunnel.receive(token, &mut plain, LOGIN_TOKEN).unwrap();
        plain.to_vec()
    }

    /// Sends the first message and makes the last one, which is not sent yet.
    fn challenged(mut self, version: u32) -> Self {
        let negotiate = self.ntlm.negotiate();
        let step = self.send(&TsRequest { version, nego_token: Some(&negotiate), ..TsRequest::default() });
        let answer = self.answer(step);
        let challenge = TsRequest::decode(&answer).unwrap().nego_token.unwrap();
        self.last = Some(self.ntlm.authenticate(challenge));
        self
    }

    /// The refusal of a step, which must stay.
    fn refused(&mut self, step: AcceptStep) -> Error {
        let AcceptStep::Rejected { token, cause, .. } = step else { panic!("not refused: {step:?}") };
        if let Some(token) = token {
            let plain = self.open(&token);
            let answer = TsRequest::decode(&plain).unwrap();
            assert_eq!(answer, TsRequest { error_code: Some(LOGON_FAILURE), ..TsRequest::ours() });
        }
        let AcceptStep::Rejected { token: None, cause: again, .. } = self.acceptor.step(b"") else {
            panic!("failed stays failed")
        };
        assert_eq!(again, cause);
        cause
    }
}

fn server_key() -> PublicKey {
    PublicKey::of_certificate(&CERTIFICATE).unwrap()
}

const NONCE: [u8; 32] = [7; 32];

/// The message with login and binding in it.
fn bound(token: &[u8], session: &mut NtlmSession, proof: &[u8], nonce: Option<&[u8]>, version: u32) -> Vec<u8> {
    let sealed = session.seal(proof).unwrap();
    let request = TsRequest {
        version,
        nego_token: Some(token),
        pub_key_auth: Some(&sealed.bytes),
        nonce,
        ..TsRequest::default()
    };
    request.encode()
}

/// Plays a whole login by hand; the step that its last message leads to.
fn by_hand(versions: [u32; 3], credentials: impl FnOnce(&mut NtlmSession) -> Vec<u8>) -> Result<AcceptStep, Error> {
    let mut attacker = Attacker::connected().challenged(versions[0]);
    let (token, mut session) = attacker.last.take().unwrap();
    let proof = server_key().proof(Direction::ClientToServer, &NONCE);
    let message = bound(&token, &mut session, &proof, Some(&NONCE), versions[1]);
    let step = attacker.send_bytes(&message);
    if let AcceptStep::Rejected { .. } = step {
        return Err(attacker.refused(step));
    }
    let answer = attacker.answer(step);
    let sealed = TsRequest::decode(&answer).unwrap().pub_key_auth.unwrap().to_vec();
    let proof = unwrap_token(&mut session, &sealed).unwrap();
    server_key().verify(Direction::ServerToClient, &NONCE, &proof).unwrap();
    let sealed = credentials(&mut session);
    let step = attacker.send(&TsRequest { version: versions[2], auth_info: Some(&sealed), ..TsRequest::default() });
    match step {
        AcceptStep::Rejected { .. } => Err(attacker.refused(step)),
        AcceptStep::Continue { .. } | AcceptStep::Done { .. } => Ok(step),
    }
}

fn sealed_credential(session: &mut NtlmSession) -> Vec<u8> {
    session.seal(&ts_credentials::encode(&credential(PASSWORD)).unwrap()).unwrap().bytes
}

#[test]
fn the_attacker_gets_in_when_it_is_honest() {
    for version in [5, 6, 7] {
        assert!(matches!(by_hand([version; 3], sealed_credential), Ok(AcceptStep::Done { .. })));
    }
}

#[test]
fn versions_below_5_are_refused_before_anything_is_read() {
    for version in [0, 1, 2, 3, 4] {
        let mut attacker = Attacker::connected();
        let negotiate = attacker.ntlm.negotiate();
        let step = attacker.send(&TsRequest { version, nego_token: Some(&negotiate), ..TsRequest::default() });
        assert_eq!(attacker.refused(step), Unsupported::CredSspVersion.into());
    }
}

#[test]
fn a_version_that_changes_is_refused() {
    let changed = Error::from(PeerMisbehaved::VersionChanged);
    for versions in [[6, 5, 5], [5, 6, 6], [6, 6, 5], [6, 6, 7]] {
        assert_eq!(by_hand(versions, sealed_credential).err(), Some(changed));
    }
    for versions in [[6, 2, 2], [6, 6, 4]] {
        assert_eq!(by_hand(versions, sealed_credential).err(), Some(Unsupported::CredSspVersion.into()));
    }
}

#[test]
fn attacks_on_the_login_inside_are_refused() {
    type Attack = (fn(&mut AttackClient), Error);
    let attacks: [Attack; 5] = [
        (|client| (client.mic, client.password) = (Mic::LeftOut, "wrong"), AuthFailure::BadCredentials.into()),
        (|client| client.mic = Mic::LeftOut, AuthFailure::MicMissing.into()),
        (|client| client.response = Response::RandomProof, AuthFailure::BadCredentials.into()),
        (|client| client.response = Response::Version1, Unsupported::NtlmV1.into()),
        (|client| client.binding = [9; 16], AuthFailure::ChannelBindingWrong.into()),
    ];
    for (change, expected) in attacks {
        let mut attacker = Attacker::connected();
        change(&mut attacker.ntlm);
        let mut attacker = attacker.challenged(VERSION);
        let (token, mut session) = attacker.last.take().unwrap();
        let proof = server_key().proof(Direction::ClientToServer, &NONCE);
        let message = bound(&token, &mut session, &proof, Some(&NONCE), VERSION);
        let step = attacker.send_bytes(&message);
        assert_eq!(attacker.refused(step), expected);
        assert_eq!(attacker.acceptor.claimed().unwrap().user, "alice");
    }
}

/// CVE-2018-0886: the echo of the key, the proof of another key, the other side's proof, and none.
#[test]
fn wrong_key_bindings_are_refused() {
    let other = PublicKey::of_certificate(&OUTER).unwrap();
    let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&KEY.into(), &rcgen::PKCS_RSA_SHA256).unwrap();
    let proofs = [
        rcgen::PublicKeyData::der_bytes(&key).to_vec(),
        other.proof(Direction::ClientToServer, &NONCE).to_vec(),
        server_key().proof(Direction::ServerToClient, &NONCE).to_vec(),
        server_key().proof(Direction::ClientToServer, &[0; 32]).to_vec(),
        Vec::new(),
    ];
    for proof in proofs {
        let mut attacker = Attacker::connected().challenged(VERSION);
        let (token, mut session) = attacker.last.take().unwrap();
        let message = bound(&token, &mut session, &proof, Some(&NONCE), VERSION);
        let step = attacker.send_bytes(&message);
        assert_eq!(attacker.refused(step), AuthFailure::KeyBindingWrong.into());
    }
}

#[test]
fn a_missing_or_short_nonce_is_refused() {
    for nonce in [None, Some(&NONCE[..31]), Some(&[0; 33][..]), Some(&[])] {
        let mut attacker = Attacker::connected().challenged(VERSION);
        let (token, mut session) = attacker.last.take().unwrap();
        let proof = server_key().proof(Direction::ClientToServer, nonce.unwrap_or_default());
        let message = bound(&token, &mut session, &proof, nonce, VERSION);
        let step = attacker.send_bytes(&message);
        assert_eq!(attacker.refused(step), PeerMisbehaved::Nonce.into());
    }
}

/// sspi 0.23.1 panics on these.
#[test]
fn short_sealed_fields_are_errors() {
    for length in 0..SIGNED_PROOF {
        let mut attacker = Attacker::connected().challenged(VERSION);
        let (token, mut session) = attacker.last.take().unwrap();
        let sealed = session.seal(&server_key().proof(Direction::ClientToServer, &NONCE)).unwrap();
        let request = TsRequest {
            nego_token: Some(&token),
            pub_key_auth: Some(&sealed.bytes[..length]),
            nonce: Some(&NONCE),
            ..TsRequest::ours()
        };
        let step = attacker.send(&request);
        assert_eq!(attacker.refused(step), PeerMisbehaved::SealBroken.into());
    }
    for length in [0, 1, 15, 16, 17, 40] {
        let error = by_hand([VERSION; 3], |session| sealed_credential(session)[..length].to_vec()).err();
        assert_eq!(error, Some(PeerMisbehaved::SealBroken.into()));
    }
}

/// A signature and a SHA-256.
const SIGNED_PROOF: usize = 48;

#[test]
fn a_credential_before_the_binding_is_refused() {
    let out_of_order = Error::from(PeerMisbehaved::OutOfOrder);
    // By itself, first of all.
    let mut attacker = Attacker::connected();
    let step = attacker.send(&TsRequest { auth_info: Some(b"secret"), ..TsRequest::ours() });
    assert_eq!(attacker.refused(step), out_of_order);
    // Together with the first token.
    let mut attacker = Attacker::connected();
    let negotiate = attacker.ntlm.negotiate();
    let request = TsRequest { nego_token: Some(&negotiate), auth_info: Some(b"secret"), ..TsRequest::ours() };
    let step = attacker.send(&request);
    assert_eq!(attacker.refused(step), out_of_order);
    // In the place of the binding, with a login that is good.
    let mut attacker = Attacker::connected().challenged(VERSION);
    let (token, mut session) = attacker.last.take().unwrap();
    let step = attacker.send(&TsRequest { nego_token: Some(&token), ..TsRequest::ours() });
    attacker.answer(step);
    let sealed = sealed_credential(&mut session);
    let step = attacker.send(&TsRequest { auth_info: Some(&sealed), ..TsRequest::ours() });
    assert_eq!(attacker.refused(step), out_of_order);
    // Together with a binding that is good.
    let mut attacker = Attacker::connected().challenged(VERSION);
    let (token, mut session) = attacker.last.take().unwrap();
    let proof = session.seal(&server_key().proof(Direction::ClientToServer, &NONCE)).unwrap();
    let sealed = sealed_credential(&mut session);
    let request = TsRequest {
        nego_token: Some(&token),
        pub_key_auth: Some(&proof.bytes),
        auth_info: Some(&sealed),
        nonce: Some(&NONCE),
        ..TsRequest::ours()
    };
    let step = attacker.send(&request);
    assert_eq!(attacker.refused(step), out_of_order);
}

#[test]
fn a_credential_or_a_second_login_together_with_a_late_binding_is_refused() {
    for second_login in [true, false] {
        let mut attacker = Attacker::connected().challenged(VERSION);
        let (token, mut session) = attacker.last.take().unwrap();
        let step = attacker.send(&TsRequest { nego_token: Some(&token), ..TsRequest::ours() });
        attacker.answer(step);
        let proof = session.seal(&server_key().proof(Direction::ClientToServer, &NONCE)).unwrap();
        let sealed = sealed_credential(&mut session);
        let request = TsRequest {
            nego_token: second_login.then_some(&token),
            pub_key_auth: Some(&proof.bytes),
            auth_info: (!second_login).then_some(&sealed),
            nonce: Some(&NONCE),
            ..TsRequest::ours()
        };
        let step = attacker.send(&request);
        assert_eq!(attacker.refused(step), PeerMisbehaved::OutOfOrder.into());
    }
}

/// Clients that wait for the login's end before they prove the binding.
#[test]
fn a_binding_in_a_leg_of_its_own_is_taken() {
    let mut attacker = Attacker::connected().challenged(VERSION);
    let (token, mut session) = attacker.last.take().unwrap();
    let step = attacker.send(&TsRequest { nego_token: Some(&token), ..TsRequest::ours() });
    attacker.answer(step);
    let proof = session.seal(&server_key().proof(Direction::ClientToServer, &NONCE)).unwrap();
    let request = TsRequest { pub_key_auth: Some(&proof.bytes), nonce: Some(&NONCE), ..TsRequest::ours() };
    let step = attacker.send(&request);
    let answer = attacker.answer(step);
    assert!(TsRequest::decode(&answer).unwrap().pub_key_auth.is_some());
    let sealed = sealed_credential(&mut session);
    let step = attacker.send(&TsRequest { auth_info: Some(&sealed), ..TsRequest::ours() });
    assert!(matches!(step, AcceptStep::Done { .. }));
}

#[test]
fn credentials_of_other_kinds_are_refused() {
    let error = by_hand([VERSION; 3], |session| {
        let mut plain = ts_credentials::encode(&credential(PASSWORD)).unwrap();
        let place = plain.windows(3).position(|window| *window == [2, 1, 1]).unwrap();
        plain[place + 2] = 2;
        session.seal(&plain).unwrap().bytes
    });
    assert_eq!(error.err(), Some(Unsupported::CredentialType.into()));
}

mod bounds;
mod hostile_target;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_first_token_is_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(acceptor(InnerTls::Both).step(&bytes));
        let framed = [&[22, 3, 1, 1, 0][..], &bytes].concat();
        drop(acceptor(InnerTls::Both).step(&framed));
        let mut login = initiator(Wrapping::Spnego, InnerTls::Both, PASSWORD, None);
        login.start().unwrap();
        let _ = login.step(&framed).is_ok();
    }

    #[test]
    fn any_message_inside_the_tunnel_is_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut attacker = Attacker::connected();
        attacker.send_bytes(&bytes);
        let mut attacker = Attacker::connected();
        attacker.send(&TsRequest { nego_token: Some(&bytes), ..TsRequest::ours() });
        let mut attacker = Attacker::connected().challenged(VERSION);
        attacker.send(&TsRequest { nego_token: Some(&bytes), pub_key_auth: Some(&bytes), ..TsRequest::ours() });
    }
}
