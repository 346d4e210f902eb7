//! Login headers and tokens, of clients and of hostile targets.

use super::pieces::Pieces;
use sekisho_protocol::auth::{
    AccountName, AccountSource, BindingRule, ChannelBinding, NegotiateAcceptor, NegotiateStep, NtHash,
};
use sekisho_protocol::credssp::{AcceptStep, Acceptor, AcceptorConfig, DelegatedCredential};
use sekisho_protocol::http_auth::{self, ClientLogin, LoginStep, Scheme, token_header};
use sekisho_protocol::secret::SecretText;
use std::sync::{Arc, LazyLock};

const KEY: &[u8] = include_bytes!("../../../protocol/testdata/rsa-2048-for-tests.pk8");
const CERTIFICATE: &[u8] = include_bytes!("../../../protocol/testdata/certificate-for-tests.der");

/// Knows everybody, by a hash that is not in any input.
struct Everybody;

impl AccountSource for Everybody {
    fn nt_hash(&self, _claimed: &AccountName) -> Option<NtHash> {
        Some(NtHash::from_bytes([7; 16]))
    }
}

/// Any text as an `Authorization` value; what is read is written and read again as the same.
pub fn parse_authorization(input: &[u8]) {
    let Ok(value) = std::str::from_utf8(input) else { return };
    if let Ok((scheme, token)) = http_auth::parse_authorization(value) {
        assert_eq!(http_auth::parse_authorization(&token_header(scheme, &token)), Ok((scheme, token)));
    }
}

static CONFIG: LazyLock<Arc<AcceptorConfig>> = LazyLock::new(|| {
    let key = KEY.to_vec().try_into().expect("it is a key");
    Arc::new(AcceptorConfig::new(CERTIFICATE.into(), key, None).expect("the key belongs to the certificate"))
});

/// Any tokens from the first one on, which is mostly broken TLS: no one logs in, and failed stays failed.
pub fn credssp_tokens(input: &[u8]) {
    let mut acceptor = Acceptor::new(&CONFIG, Arc::new(Everybody));
    let mut failed = false;
    for token in Pieces::new(input).bounded() {
        match acceptor.step(token) {
            AcceptStep::Continue { .. } => assert!(!failed, "a login went on after it had failed"),
            AcceptStep::Rejected { .. } => failed = true,
            AcceptStep::Done { .. } => panic!("a login without the password"),
        }
    }
}

/// Any tokens of SPNEGO and NTLM: no one logs in, and failed stays failed.
pub fn negotiate(input: &[u8]) {
    let mut acceptor = NegotiateAcceptor::new(Arc::new(Everybody), BindingRule::AbsentOrOneOf(Vec::new()));
    let mut failed = false;
    for token in Pieces::new(input).bounded() {
        match acceptor.step(token) {
            Ok(NegotiateStep::Continue { .. }) => assert!(!failed, "a login went on after it had failed"),
            Ok(NegotiateStep::Done { .. }) => panic!("a login without the password"),
            Err(_) => failed = true,
        }
    }
}

/// Any answers of a hostile target to our login: it never counts as done. The first byte tells the scheme; then
/// each piece is an answer: a byte for its status and form, and the token or the header's text.
pub fn client_login(input: &[u8]) {
    let Some((scheme, rest)) = input.split_first() else { return };
    let scheme = if scheme & 1 == 0 { Scheme::Negotiate } else { Scheme::CredSsp };
    let credential = DelegatedCredential {
        domain: "D".to_owned(),
        user: "u".to_owned(),
        password: SecretText::new("canary".to_owned()),
    };
    let mut login = ClientLogin::new(scheme, &credential, "HTTP/t", None).expect("the names are short");
    login.start().expect("nothing was started before");
    let mut failed = false;
    for piece in Pieces::new(rest).bounded() {
        let (form, content) = piece.split_first().map_or((0, &[][..]), |(form, content)| (*form, content));
        let status = if form & 1 == 0 { 401 } else { 200 };
        let header =
            if form & 2 == 0 { token_header(scheme, content) } else { String::from_utf8_lossy(content).into_owned() };
        let headers: Vec<&str> = header.split('\n').collect();
        match login.step(status, &headers) {
            Ok(LoginStep::Send { .. }) => assert!(!failed, "a login went on after it had failed"),
            Ok(LoginStep::Done(_)) => panic!("a target that knows no password was believed"),
            Err(_) => failed = true,
        }
    }
}

/// Any bytes as a hostile target's certificate.
pub fn certificate(input: &[u8]) {
    let binding = ChannelBinding::tls_server_end_point(input);
    assert_eq!(binding, ChannelBinding::tls_server_end_point(input));
}
