//! The client's login against our own acceptors, and against peers that do wrong.

use super::*;
use crate::auth::tests::{OneAccount, PASSWORD};
use crate::auth::{BindingRule, NegotiateAcceptor, NegotiateStep};
use crate::credssp::tests::acceptor_config;
use crate::credssp::{AcceptStep, Acceptor};
use crate::secret::SecretText;
use proptest::prelude::*;
use std::sync::Arc;

fn credential(password: &str) -> DelegatedCredential {
    DelegatedCredential {
        domain: "GATEWAY".to_owned(),
        user: "alice".to_owned(),
        password: SecretText::new(password.to_owned()),
    }
}

fn login(scheme: Scheme, password: &str) -> ClientLogin {
    ClientLogin::new(scheme, &credential(password), "HTTP/gw.test", Some(ChannelBinding::of_digest([1; 16]))).unwrap()
}

/// One connection of a server.
enum Server {
    CredSsp(Box<Acceptor>),
    Negotiate(Box<NegotiateAcceptor>),
}

impl Server {
    fn new(scheme: Scheme) -> Self {
        let accounts = Arc::new(OneAccount::default());
        match scheme {
            Scheme::CredSsp => Self::CredSsp(Box::new(Acceptor::new(&acceptor_config([1; 16]), accounts))),
            Scheme::Negotiate => {
                let rule = BindingRule::OneOf(vec![ChannelBinding::of_digest([1; 16])]);
                Self::Negotiate(Box::new(NegotiateAcceptor::new(accounts, rule)))
            }
        }
    }

    /// Status, header, and the seal when the login is done.
    fn answer(&mut self, authorization: &str) -> (u16, String, Option<Box<dyn MessageSeal>>) {
        let (scheme, token) = parse_authorization(authorization).unwrap();
        let offer = challenge(scheme).to_owned();
        match self {
            Self::CredSsp(acceptor) => match acceptor.step(&token) {
                AcceptStep::Continue { token } => (401, token_header(scheme, &token), None),
                AcceptStep::Rejected { token, .. } => {
                    (401, token.map_or(offer, |token| token_header(scheme, &token)), None)
                }
                AcceptStep::Done { seal, .. } => (200, offer, Some(seal)),
            },
            Self::Negotiate(acceptor) => match acceptor.step(&token) {
                Ok(NegotiateStep::Continue { token }) => (401, token_header(scheme, &token), None),
                Ok(NegotiateStep::Done { token, seal, .. }) => (200, token_header(scheme, &token.unwrap()), Some(seal)),
                Err(_) => (401, offer, None),
            },
        }
    }
}

type Seals = (Box<dyn MessageSeal>, Box<dyn MessageSeal>);

/// Runs a login to its end; `trim` is an HTTP library that takes the blank before an empty token away.
fn run(scheme: Scheme, password: &str, trim: bool) -> Result<Seals> {
    let (mut server, mut login) = (Server::new(scheme), login(scheme, password));
    let mut value = login.start()?;
    let mut done = None;
    for _ in 0..10 {
        let (status, header, seal) = server.answer(&value);
        done = done.or(seal);
        let header = if trim { header.trim_end() } else { &header };
        match login.step(status, &["Kerberos", header])? {
            LoginStep::Send { authorization } => value = authorization,
            LoginStep::Done(client) => return Ok((client, done.unwrap())),
        }
    }
    panic!("no end")
}

#[test]
fn both_schemes_log_in_and_seal() {
    for scheme in [Scheme::CredSsp, Scheme::Negotiate] {
        for trim in [false, true] {
            let (mut client, mut server) = run(scheme, PASSWORD, trim).unwrap();
            let chunk = client.seal(b"ping").unwrap();
            assert_eq!(server.open(chunk.header_len, &chunk.bytes, 4).unwrap()[..], *b"ping");
            let chunk = server.seal(b"pong").unwrap();
            assert_eq!(client.open(chunk.header_len, &chunk.bytes, 4).unwrap()[..], *b"pong");
        }
    }
}

#[test]
fn a_wrong_password_is_a_refusal() {
    for scheme in [Scheme::CredSsp, Scheme::Negotiate] {
        assert_eq!(run(scheme, "wrong", false).err(), Some(AuthFailure::RefusedByPeer.into()));
    }
}

#[test]
fn a_scheme_that_is_not_offered_is_a_refusal() {
    for scheme in [Scheme::CredSsp, Scheme::Negotiate] {
        let mut login = login(scheme, PASSWORD);
        login.start().unwrap();
        let refused = Some(AuthFailure::RefusedByPeer.into());
        assert_eq!(login.step(401, &["Kerberos", "Basic realm=\"WSMAN\""]).err(), refused);
        assert_eq!(login.step(200, &[]).err(), refused, "failed stays failed");
        assert_eq!(login.start().err(), refused);
    }
}

/// A target that says yes too early would get bodies that are not sealed.
#[test]
fn an_early_success_is_an_error() {
    for scheme in [Scheme::CredSsp, Scheme::Negotiate] {
        for headers in [&[][..], &["Negotiate oQcwBaADCgEA"], &["CredSSP AAAA"]] {
            let mut login = login(scheme, PASSWORD);
            login.start().unwrap();
            assert!(login.step(200, headers).is_err());
        }
    }
}

/// The last token of SPNEGO proves that the target knew the password; it cannot be left out.
#[test]
fn a_success_without_the_targets_proof_is_an_error() {
    for last in [None, Some("Negotiate oQcwBaADCgEA")] {
        let (mut server, mut login) = (Server::new(Scheme::Negotiate), login(Scheme::Negotiate, PASSWORD));
        let value = login.start().unwrap();
        let (status, header, _) = server.answer(&value);
        login.step(status, &[&header]).unwrap();
        assert!(matches!(login.step(200, last.as_slice()), Err(Error::PeerMisbehaved(_))));
    }
}

#[test]
fn a_refusal_after_the_credential_is_a_refusal() {
    let (mut server, mut login) = (Server::new(Scheme::CredSsp), login(Scheme::CredSsp, PASSWORD));
    let mut value = login.start().unwrap();
    loop {
        let (status, header, _) = server.answer(&value);
        if status == 200 {
            break;
        }
        let LoginStep::Send { authorization } = login.step(status, &[&header]).unwrap() else { panic!("too early") };
        value = authorization;
    }
    assert_eq!(login.step(401, &["CredSSP"]).err(), Some(AuthFailure::RefusedByPeer.into()));
}

#[test]
fn other_statuses_are_faults() {
    for status in [100, 302, 403, 404, 500, 503] {
        let mut login = login(Scheme::Negotiate, PASSWORD);
        login.start().unwrap();
        assert_eq!(login.step(status, &[]).err(), Some(PeerMisbehaved::HttpStatus.into()));
    }
}

#[test]
fn tokens_are_found_in_any_spelling() {
    let find = |values: &[&str]| find_token(Scheme::CredSsp, values).unwrap();
    assert_eq!(find(&["Negotiate QQ==", "CredSSP Qg=="]), Some(b"B".to_vec()));
    assert_eq!(find(&["Negotiate, Kerberos, credssp Qg=="]), Some(b"B".to_vec()));
    assert_eq!(find(&["CredSSP "]), Some(Vec::new()));
    assert_eq!(find(&["CredSSP"]), None);
    assert_eq!(find(&["CredSSPX Qg=="]), None);
    assert_eq!(find_token(Scheme::CredSsp, &["CredSSP ?"]), Err(Malformed::Base64.into()));
    let long = format!("CredSSP {}", "A".repeat(AUTH_HEADER));
    assert_eq!(find_token(Scheme::CredSsp, &[&long]), Err(LimitExceeded::MessageSize.into()));
}

#[test]
fn authorization_is_read_strictly_and_bounded() {
    assert_eq!(parse_authorization("CredSSP FgMB"), Ok((Scheme::CredSsp, vec![0x16, 3, 1])));
    assert_eq!(parse_authorization(" negotiate  FgMB "), Ok((Scheme::Negotiate, vec![0x16, 3, 1])));
    assert_eq!(parse_authorization("CredSSP "), Ok((Scheme::CredSsp, Vec::new())));
    for scheme in ["NTLM QQ==", "Kerberos QQ==", "Basic QQ==", "", "CredSSPQQ=="] {
        assert_eq!(parse_authorization(scheme), Err(Unsupported::AuthScheme.into()));
    }
    for token in ["CredSSP Q", "CredSSP QQ==QQ==", "CredSSP QQ== QQ==", "CredSSP \u{e4}"] {
        assert_eq!(parse_authorization(token), Err(Malformed::Base64.into()));
    }
    let largest = token_header(Scheme::CredSsp, &vec![7; LOGIN_TOKEN]);
    assert!(parse_authorization(&largest).is_ok());
    let larger = token_header(Scheme::CredSsp, &vec![7; LOGIN_TOKEN + 3]);
    assert_eq!(parse_authorization(&larger), Err(LimitExceeded::MessageSize.into()));
    let longer = format!("CredSSP {}", "A".repeat(AUTH_HEADER));
    assert_eq!(parse_authorization(&longer), Err(LimitExceeded::MessageSize.into()));
}

proptest! {
    #[test]
    fn any_header_is_read_without_a_panic(text in ".{0,80}") {
        let _ = parse_authorization(&text).is_ok();
        let _ = find_token(Scheme::CredSsp, &[&text]).is_ok();
    }
}
