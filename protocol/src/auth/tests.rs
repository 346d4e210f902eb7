//! Acceptor and initiator as a pair, and the acceptor under attack.

use super::ntlm::Flags;
use super::ntlm::attack::{AttackClient, Mic, Response};
use super::ntlm::is_ntlm;
use super::spnego::{NTLM_OID, NegState, NegTokenInit, NegTokenResp};
use super::*;
use crate::error::{AuthFailure, Error, PeerMisbehaved, Unsupported};
use crate::sealing::MessageSeal;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) const PASSWORD: &str = "p\u{e4}ssw\u{f6}rd";

/// One account; counts how often it is asked.
#[derive(Default)]
pub(crate) struct OneAccount {
    asked: AtomicUsize,
}

impl AccountSource for OneAccount {
    fn nt_hash(&self, claimed: &AccountName) -> Option<NtHash> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let known = claimed.user.eq_ignore_ascii_case("alice");
        known.then(|| NtHash::of_password(&SecretText::new(PASSWORD.to_owned())))
    }
}

fn acceptor(rule: BindingRule) -> NegotiateAcceptor {
    NegotiateAcceptor::new(Arc::new(OneAccount::default()), rule)
}

fn lax() -> BindingRule {
    BindingRule::AbsentOrOneOf(vec![ChannelBinding::of_digest([1; 16])])
}

fn initiator(wrapping: Wrapping, user: &str, password: &str, binding: Option<&ChannelBinding>) -> NegotiateInitiator {
    let name = AccountName { domain: "GATEWAY".to_owned(), user: user.to_owned() };
    let hash = NtHash::of_password(&SecretText::new(password.to_owned()));
    NegotiateInitiator::new(wrapping, &name, hash, "HTTP/gw.test", binding).unwrap()
}

type Seals = (Box<dyn MessageSeal>, Box<dyn MessageSeal>);

/// Runs a login to its end.
fn pair(mut acceptor: NegotiateAcceptor, mut initiator: NegotiateInitiator) -> Result<(AccountName, Seals), Error> {
    let mut token = initiator.start()?;
    let mut ready: Option<Box<NtlmSession>> = None;
    for _ in 0..4 {
        match acceptor.step(&token)? {
            NegotiateStep::Continue { token: answer } => match initiator.step(&answer)? {
                InitiateStep::Send(next) => token = next,
                InitiateStep::SendLast(next, session) => {
                    token = next;
                    ready = Some(session);
                }
                InitiateStep::Done(_) => panic!("too early"),
            },
            NegotiateStep::Done { token, name, seal } => {
                let session = match (token, ready) {
                    (None, Some(session)) => session,
                    (Some(token), None) => match initiator.step(&token)? {
                        InitiateStep::Done(session) => session,
                        InitiateStep::Send(_) | InitiateStep::SendLast(..) => panic!("not done"),
                    },
                    (Some(_), Some(_)) | (None, None) => panic!("a token too many or too few"),
                };
                return Ok((name, (session, seal)));
            }
        }
    }
    panic!("no end")
}

fn exchange((mut client, mut server): Seals) {
    for text in [&b"ping"[..], &[3; 40_000]] {
        let chunk = client.seal(text).unwrap();
        assert_eq!(server.open(chunk.header_len, &chunk.bytes, text.len()).unwrap()[..], *text);
        let chunk = server.seal(text).unwrap();
        assert_eq!(client.open(chunk.header_len, &chunk.bytes, text.len()).unwrap()[..], *text);
    }
}

#[test]
fn both_wrappings_log_in_and_seal() {
    let binding = ChannelBinding::of_digest([1; 16]);
    for wrapping in [Wrapping::Raw, Wrapping::Spnego] {
        for binding in [None, Some(&binding)] {
            let (name, seals) = pair(acceptor(lax()), initiator(wrapping, "alice", PASSWORD, binding)).unwrap();
            assert_eq!(name, AccountName { domain: "GATEWAY".to_owned(), user: "alice".to_owned() });
            exchange(seals);
        }
    }
}

#[test]
fn wrong_passwords_and_unknown_accounts_fail_alike() {
    for wrapping in [Wrapping::Raw, Wrapping::Spnego] {
        for (user, password) in [("alice", "wrong"), ("nobody", PASSWORD), ("", PASSWORD), ("nobody", "")] {
            let error = pair(acceptor(lax()), initiator(wrapping, user, password, None)).err();
            assert_eq!(error, Some(AuthFailure::BadCredentials.into()), "{user}");
        }
    }
}

#[test]
fn channel_bindings_are_judged() {
    let (ours, other) = (ChannelBinding::of_digest([1; 16]), ChannelBinding::of_digest([2; 16]));
    let strict = BindingRule::OneOf(vec![ours.clone()]);
    let login = |rule: &BindingRule, binding| {
        pair(acceptor(rule.clone()), initiator(Wrapping::Spnego, "alice", PASSWORD, binding)).map(|_| ())
    };
    assert_eq!(login(&strict, Some(&ours)), Ok(()));
    assert_eq!(login(&strict, None), Err(AuthFailure::ChannelBindingMissing.into()));
    assert_eq!(login(&strict, Some(&other)), Err(AuthFailure::ChannelBindingWrong.into()));
    assert_eq!(login(&lax(), Some(&other)), Err(AuthFailure::ChannelBindingWrong.into()));
}

/// Whatever stands in for the hash of an account that does not exist, knowing it must not help.
#[test]
fn a_guessed_stand_in_for_an_unknown_account_is_refused() {
    for hash in [[0; 16], [0xff; 16]] {
        let error = attack(|client| (client.user, client.hash) = ("nobody", Some(hash)));
        assert_eq!(error, Err(AuthFailure::BadCredentials.into()));
    }
}

/// Raw NTLM with a client of the attack's making: what the acceptor says to the last message.
fn attack(change: impl FnOnce(&mut AttackClient)) -> Result<(), Error> {
    let mut client = AttackClient::honest("alice", PASSWORD);
    change(&mut client);
    let mut acceptor = acceptor(lax());
    let NegotiateStep::Continue { token } = acceptor.step(&client.negotiate())? else { panic!("too early") };
    let (message, _) = client.authenticate(&token);
    let result = acceptor.step(&message).map(|_| ());
    if let Err(error) = result {
        assert_eq!(acceptor.step(&message).err(), Some(error), "failed stays failed");
    }
    result
}

#[test]
fn the_attack_client_gets_in_when_it_is_honest() {
    assert_eq!(attack(|_| ()), Ok(()));
}

/// sspi 0.23.1 by itself lets these in.
#[test]
fn a_wrong_password_without_integrity_check_is_refused() {
    for password in ["wrong", ""] {
        let error = attack(|client| (client.mic, client.password) = (Mic::LeftOut, password));
        assert_eq!(error, Err(AuthFailure::BadCredentials.into()));
    }
}

/// sspi 0.23.1 by itself lets this in.
#[test]
fn a_random_proof_is_refused() {
    for mic in [Mic::Right, Mic::LeftOut] {
        let error = attack(|client| (client.mic, client.response) = (mic, Response::RandomProof));
        assert_eq!(error, Err(AuthFailure::BadCredentials.into()));
    }
}

#[test]
fn an_integrity_check_left_out_is_refused_even_with_the_right_password() {
    assert_eq!(attack(|client| client.mic = Mic::LeftOut), Err(AuthFailure::MicMissing.into()));
    assert_eq!(attack(|client| client.mic = Mic::Wrong), Err(AuthFailure::MicWrong.into()));
}

#[test]
fn ntlm_version_1_is_refused() {
    assert_eq!(attack(|client| client.response = Response::Version1), Err(Unsupported::NtlmV1.into()));
}

#[test]
fn weak_options_are_refused() {
    for flag in
        [Flags::KEY_EXCHANGE, Flags::KEY_128, Flags::EXTENDED_SECURITY, Flags::SEAL, Flags::SIGN, Flags::UNICODE]
    {
        assert_eq!(attack(|client| client.flags &= !flag), Err(Unsupported::NtlmFlags.into()));
    }
    assert_eq!(attack(|client| client.flags |= Flags::ANONYMOUS), Err(Unsupported::NtlmFlags.into()));
}

#[test]
fn a_wrong_binding_is_refused() {
    assert_eq!(attack(|client| client.binding = [9; 16]), Err(AuthFailure::ChannelBindingWrong.into()));
    assert_eq!(attack(|client| client.binding = [1; 16]), Ok(()));
}

#[test]
fn a_changed_negotiate_message_is_found_by_the_integrity_check() {
    let mut client = AttackClient::honest("alice", PASSWORD);
    let mut acceptor = acceptor(lax());
    let mut changed = client.negotiate();
    changed[15] ^= 0x80;
    let NegotiateStep::Continue { token } = acceptor.step(&changed).unwrap() else { panic!("too early") };
    let (message, _) = client.authenticate(&token);
    assert_eq!(acceptor.step(&message).err(), Some(AuthFailure::MicWrong.into()));
}

#[test]
fn a_login_recorded_on_another_connection_is_refused() {
    let mut client = AttackClient::honest("alice", PASSWORD);
    let (mut first, mut second) = (acceptor(lax()), acceptor(lax()));
    let negotiate = client.negotiate();
    let NegotiateStep::Continue { token } = first.step(&negotiate).unwrap() else { panic!("too early") };
    second.step(&negotiate).unwrap();
    let (message, _) = client.authenticate(&token);
    assert_eq!(second.step(&message).err(), Some(AuthFailure::BadCredentials.into()));
}

#[test]
fn accounts_are_asked_when_the_last_message_arrives_and_never_before() {
    let accounts = Arc::new(OneAccount::default());
    let mut acceptor = NegotiateAcceptor::new(Arc::<OneAccount>::clone(&accounts), lax());
    let mut client = AttackClient::honest("alice", "wrong");
    let NegotiateStep::Continue { token } = acceptor.step(&client.negotiate()).unwrap() else { panic!("too early") };
    assert_eq!((accounts.asked.load(Ordering::Relaxed), acceptor.claimed()), (0, None));
    acceptor.step(&client.authenticate(&token).0).unwrap_err();
    assert_eq!(accounts.asked.load(Ordering::Relaxed), 1);
    assert_eq!(acceptor.claimed().unwrap().user, "alice", "known after a failure too");
}

/// The first token of a client that prefers Kerberos, and its list of mechanisms.
pub(crate) fn prefers_kerberos(ticket: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let kerberos = der::value(der::OBJECT_ID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02]);
    let list = der::value(der::SEQUENCE, &[&kerberos[..], &der::value(der::OBJECT_ID, NTLM_OID)].concat());
    let mut fields = der::value(der::context(0), &list).to_vec();
    der::write(&mut fields, der::context(2), &der::value(der::OCTET_STRING, ticket));
    let mut frame = vec![6, 6, 0x2b, 6, 1, 5, 5, 2];
    der::write(&mut frame, der::context(0), &der::value(der::SEQUENCE, &fields));
    (der::value(der::APPLICATION_0, &frame).to_vec(), list.to_vec())
}

/// Its token for Kerberos is read by nobody; then comes NTLM.
#[test]
fn a_client_that_prefers_kerberos_is_led_to_ntlm() {
    let (first, list) = prefers_kerberos(b"a ticket");
    let mut acceptor = acceptor(lax());
    let mut client = AttackClient::honest("alice", PASSWORD);
    let NegotiateStep::Continue { token } = acceptor.step(&first).unwrap() else { panic!("too early") };
    let answer = NegTokenResp::decode(&token).unwrap();
    assert_eq!((answer.state, answer.mechanism, answer.token), (Some(NegState::RequestMic), Some(NTLM_OID), None));
    let negotiate = client.negotiate();
    let token = NegTokenResp { token: Some(&negotiate), ..NegTokenResp::default() }.encode();
    let NegotiateStep::Continue { token } = acceptor.step(&token).unwrap() else { panic!("too early") };
    let (message, mut session) = client.authenticate(NegTokenResp::decode(&token).unwrap().token.unwrap());
    let mic = session.sign_list(&list).unwrap();
    let token = NegTokenResp { token: Some(&message), mic: Some(&mic), ..NegTokenResp::default() }.encode();
    let NegotiateStep::Done { token: Some(token), seal, .. } = acceptor.step(&token).unwrap() else {
        panic!("not done")
    };
    session.verify_list(&list, NegTokenResp::decode(&token).unwrap().mic.unwrap()).unwrap();
    exchange((Box::new(session), seal));
}

#[test]
fn the_list_of_mechanisms_must_be_signed() {
    for wrong in [None, Some([0; 16])] {
        let mut client = AttackClient::honest("alice", PASSWORD);
        let mut acceptor = acceptor(lax());
        let (first, _) = NegTokenInit::encode_ntlm(&client.negotiate());
        let NegotiateStep::Continue { token } = acceptor.step(&first).unwrap() else { panic!("too early") };
        let (message, _) = client.authenticate(NegTokenResp::decode(&token).unwrap().token.unwrap());
        let last =
            NegTokenResp { token: Some(&message), mic: wrong.as_ref().map(|mic| &mic[..]), ..NegTokenResp::default() };
        assert_eq!(acceptor.step(&last.encode()).err(), Some(PeerMisbehaved::MechListMic.into()));
    }
}

#[test]
fn malformed_first_tokens_are_errors_and_nothing_dies() {
    let kerberos = [0x60, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 1, 0];
    let (first, _) = NegTokenInit::encode_ntlm(&AttackClient::honest("a", "b").negotiate());
    for token in [&kerberos[..], b"", b"\x60", b"NTLMSSP\0", b"GET / HTTP/1.1", &[0xa1, 0x03, 0x30, 0x01, 0x00]] {
        assert!(acceptor(lax()).step(token).is_err());
    }
    for cut in 0..first.len() {
        assert!(acceptor(lax()).step(&first[..cut]).is_err(), "cut at {cut}");
    }
    assert_eq!(acceptor(lax()).step(&kerberos).err(), Some(Unsupported::Mechanism.into()));
}

#[test]
fn last_tokens_cut_anywhere_are_errors() {
    for wrapping in [Wrapping::Raw, Wrapping::Spnego] {
        let mut length = 1;
        let mut cut = 0;
        while cut < length {
            let (mut acceptor, mut initiator) = (acceptor(lax()), initiator(wrapping, "alice", PASSWORD, None));
            let NegotiateStep::Continue { token } = acceptor.step(&initiator.start().unwrap()).unwrap() else {
                panic!("too early")
            };
            let last = match initiator.step(&token).unwrap() {
                InitiateStep::Send(last) | InitiateStep::SendLast(last, _) => last,
                InitiateStep::Done(_) => panic!("too early"),
            };
            length = last.len();
            assert!(acceptor.step(&last[..cut]).is_err(), "cut at {cut}");
            cut += 1;
        }
    }
}

/// A hostile target's challenge: cut anywhere, weak, or without a time.
#[test]
fn hostile_challenges_are_errors() {
    let mut acceptor = acceptor(lax());
    let challenge = |initiator: &mut NegotiateInitiator| initiator.start().unwrap();
    let NegotiateStep::Continue { token } =
        acceptor.step(&challenge(&mut initiator(Wrapping::Raw, "alice", PASSWORD, None))).unwrap()
    else {
        panic!("too early")
    };
    assert!(is_ntlm(&token));
    for cut in 0..token.len() {
        let mut initiator = initiator(Wrapping::Raw, "alice", PASSWORD, None);
        initiator.start().unwrap();
        assert!(initiator.step(&token[..cut]).is_err(), "cut at {cut}");
        assert!(initiator.step(&token).is_err(), "failed stays failed");
    }
    let mut weak = token.clone();
    weak[20] &= !0x20;
    let mut victim = initiator(Wrapping::Raw, "alice", PASSWORD, None);
    victim.start().unwrap();
    assert_eq!(victim.step(&weak).err(), Some(Unsupported::NtlmFlags.into()));
    let mut timeless = token;
    let place = timeless.windows(4).position(|window| *window == [7, 0, 8, 0]).unwrap();
    timeless[place] = 0x0b;
    let mut victim = initiator(Wrapping::Raw, "alice", PASSWORD, None);
    victim.start().unwrap();
    assert_eq!(victim.step(&timeless).err(), Some(Unsupported::ChallengeWithoutTimestamp.into()));
}

#[test]
fn names_too_long_are_refused_before_anything_is_sent() {
    let name = AccountName { domain: String::new(), user: "x".repeat(crate::limits::ACCOUNT_NAME + 1) };
    let login = NegotiateInitiator::new(Wrapping::Raw, &name, NtHash::from_bytes([0; 16]), "HTTP/gw", None);
    assert!(login.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_first_token_is_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = acceptor(lax()).step(&bytes).is_ok();
        let framed = [b"NTLMSSP\0\x01\0\0\0", &bytes[..]].concat();
        let _ = acceptor(lax()).step(&framed).is_ok();
    }

    #[test]
    fn any_change_of_the_last_token_is_an_error(place in any::<prop::sample::Index>(), change in 1_u8..=255, spnego: bool) {
        let wrapping = if spnego { Wrapping::Spnego } else { Wrapping::Raw };
        let (mut acceptor, mut initiator) = (acceptor(lax()), initiator(wrapping, "alice", PASSWORD, None));
        let NegotiateStep::Continue { token } = acceptor.step(&initiator.start().unwrap()).unwrap() else { panic!("too early") };
        let (InitiateStep::Send(mut last) | InitiateStep::SendLast(mut last, _)) = initiator.step(&token).unwrap() else { panic!("too early") };
        let place = place.index(last.len());
        last[place] ^= change;
        prop_assert!(acceptor.step(&last).is_err(), "byte {place}");
    }
}

/// [MS-NLMP] 4.2.2.1.2: the hash of `Password`.
#[test]
fn nt_hash_is_the_one_of_the_specification() {
    let hash = NtHash::of_password(&SecretText::new("Password".to_owned()));
    let expected = [0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca, 0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52];
    assert!(hash.ct_eq(&NtHash::from_bytes(expected)));
    assert!(!hash.ct_eq(&NtHash::from_bytes([0; 16])));
    assert_eq!(format!("{hash:?}"), "NtHash");
}
