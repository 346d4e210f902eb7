//! Logins with one end that is ours and one that says what the fuzzer wants.

use super::Pieces;
use crate::auth::fuzz::{NtlmAcceptor, NtlmInitiator};
use crate::auth::{AccountName, AccountSource, BindingRule, NtHash};
use crate::credssp::InnerTls;
use crate::credssp::fuzz::{Tunnel, client_tls};
use crate::credssp::{AcceptStep, Acceptor, AcceptorConfig, DelegatedCredential, InitiateStep, Initiator};
use crate::secret::SecretText;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::sync::{Arc, LazyLock};
use zeroize::Zeroizing;

const KEY: &[u8] = include_bytes!("../../testdata/rsa-2048-for-tests.pk8");
const CERTIFICATE: &[u8] = include_bytes!("../../testdata/certificate-for-tests.der");
const HASH: [u8; 16] = [7; 16];
/// More than a login may carry.
const PLAIN: usize = 1 << 20;

static CONFIG: LazyLock<Arc<AcceptorConfig>> = LazyLock::new(|| {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
    let config = AcceptorConfig::with_tls(CertificateDer::from(CERTIFICATE), key, None, InnerTls::Tls13);
    Arc::new(config.expect("the key belongs to the certificate"))
});

/// Knows everybody, by a hash that is not in any input.
struct Everybody;

impl AccountSource for Everybody {
    fn nt_hash(&self, _claimed: &AccountName) -> Option<NtHash> {
        Some(NtHash::from_bytes(HASH))
    }
}

/// Any messages inside a real TLS tunnel to the acceptor: no one logs in, and failed stays failed.
pub fn credssp_acceptor(input: &[u8]) {
    let mut acceptor = Acceptor::new(&CONFIG, Arc::new(Everybody));
    let Some(mut tunnel) = client_tunnel(&mut acceptor) else { panic!("the handshake failed") };
    let mut failed = false;
    for piece in Pieces::new(input).bounded() {
        let token = if piece.is_empty() || tunnel.send(piece).is_err() { piece.to_vec() } else { tunnel.output() };
        match acceptor.step(&token) {
            AcceptStep::Continue { .. } => assert!(!failed, "a login went on after it had failed"),
            AcceptStep::Rejected { .. } => failed = true,
            AcceptStep::Done { .. } => panic!("a login without the password"),
        }
    }
}

/// Shakes hands with the acceptor as a client that then says what it wants.
fn client_tunnel(acceptor: &mut Acceptor) -> Option<Tunnel> {
    let name = ServerName::try_from("fuzz.test").ok()?;
    let mut tunnel = Tunnel::new(rustls::ClientConnection::new(client_tls(InnerTls::Tls13).ok()?, name).ok()?);
    let mut plain = Zeroizing::default();
    while tunnel.is_handshaking() {
        let AcceptStep::Continue { token } = acceptor.step(&tunnel.output()) else { return None };
        tunnel.receive(&token, &mut plain, PLAIN).ok()?;
    }
    let AcceptStep::Continue { token } = acceptor.step(&tunnel.output()) else { return None };
    tunnel.receive(&token, &mut plain, PLAIN).ok()?;
    Some(tunnel)
}

/// Any messages of a hostile target inside a real TLS tunnel: the credential is never delivered.
pub fn credssp_initiator(input: &[u8]) {
    let credential = DelegatedCredential {
        domain: "D".to_owned(),
        user: "u".to_owned(),
        password: SecretText::new("canary".to_owned()),
    };
    let mut initiator = Initiator::new(&credential, "HTTP/fuzz.test", None).expect("the names are short");
    let server = rustls::ServerConnection::new(Arc::clone(&CONFIG.tls)).expect("the configuration is right");
    let mut tunnel = Tunnel::new(server);
    let mut plain = Zeroizing::default();
    let mut token = initiator.start().expect("nothing was started before");
    while tunnel.is_handshaking() {
        tunnel.receive(&token, &mut plain, PLAIN).expect("the handshake is right");
        let Ok(InitiateStep::Send { token: next }) = initiator.step(&tunnel.output()) else {
            panic!("the handshake failed")
        };
        token = next;
    }
    let mut failed = false;
    for piece in Pieces::new(input).bounded() {
        let token = if piece.is_empty() || tunnel.send(piece).is_err() { piece.to_vec() } else { tunnel.output() };
        match initiator.step(&token) {
            Ok(InitiateStep::Send { .. }) => assert!(!failed, "a login went on after it had failed"),
            Ok(InitiateStep::Deliver { .. }) => panic!("the credential was delivered"),
            Err(_) => failed = true,
        }
    }
}

/// An honest login of which single bytes are changed on the way: it is refused as soon as one really is.
pub fn ntlm_patched(input: &[u8]) {
    let name = AccountName { domain: "D".to_owned(), user: "u".to_owned() };
    let initiator = NtlmInitiator::new(&name, NtHash::from_bytes(HASH), "HTTP/t", None);
    let mut initiator = initiator.expect("the names are short");
    let mut acceptor = NtlmAcceptor::new(Arc::new(Everybody), BindingRule::AbsentOrOneOf(Vec::new()));
    let mut pieces = Pieces::new(input);

    let mut changed = false;
    let negotiate = patched(initiator.negotiate(), pieces.piece(), &mut changed);
    let Ok(challenge) = acceptor.challenge(&negotiate) else { return };
    let challenge = patched(challenge, pieces.piece(), &mut changed);
    let Ok((authenticate, _)) = initiator.authenticate(&challenge) else { return };
    let authenticate = patched(authenticate, pieces.piece(), &mut changed);
    let accepted = acceptor.authenticate(&authenticate).is_ok();
    assert_eq!(accepted, !changed, "a changed login was accepted, or an honest one refused");
}

/// Changes bytes in place: two bytes of position and one of content each; a byte more or less at the end.
fn patched(mut message: Vec<u8>, patches: &[u8], changed: &mut bool) -> Vec<u8> {
    let before = message.clone();
    let (patches, length) = patches.as_chunks::<3>();
    for [low, high, content] in patches {
        let place = usize::from(u16::from_le_bytes([*low, *high]));
        if let Some(byte) = message.get_mut(place) {
            *byte = *content;
        }
    }
    match length {
        [extra] => message.push(*extra),
        [fewer, _] => message.truncate(message.len().saturating_sub(usize::from(*fewer))),
        _ => {}
    }
    *changed |= before != message;
    message
}
