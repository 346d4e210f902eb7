//! Decoders of login tokens.

use super::Pieces;
use crate::auth::fuzz::{NegTokenInit, NegTokenResp, NtlmInitiator, Transcript, claimed_name, is_first_token, judge};
use crate::auth::{AccountName, BindingRule, NtHash};
use crate::credssp::fuzz::{TsRequest, decode_credentials, encode_credentials};

/// Any bytes as a TSRequest; what is read is written and read again as the same.
pub fn ts_request(input: &[u8]) {
    if let Ok(request) = TsRequest::decode(input) {
        assert_eq!(TsRequest::decode(&request.encode()), Ok(request));
    }
}

/// Any bytes as TSCredentials; what is read is written and read again as the same, and is not shown.
pub fn ts_credentials(input: &[u8]) {
    let Ok(read) = decode_credentials(input) else { return };
    let encoded = encode_credentials(&read).expect("what was read can be written");
    let again = decode_credentials(&encoded).expect("what was written can be read");
    assert_eq!((&again.domain, &again.user), (&read.domain, &read.user));
    assert!(again.password.ct_eq(&read.password));
    assert!(format!("{read:?}").ends_with("password: SecretText }"));
}

/// Any bytes as the tokens of SPNEGO.
pub fn spnego(input: &[u8]) {
    if let Ok(init) = NegTokenInit::decode(input) {
        assert!(is_first_token(input) && !init.mechanisms.is_empty());
    }
    if let Ok(response) = NegTokenResp::decode(input) {
        let encoded = response.encode();
        let again = NegTokenResp::decode(&encoded).expect("what was written can be read");
        assert_eq!(
            (again.state, again.mechanism, again.token, again.mic),
            (response.state, response.mechanism, response.token, response.mic)
        );
    }
}

/// Any three messages before the guard: nobody who does not know the password passes.
pub fn ntlm_guard(input: &[u8]) {
    let mut pieces = Pieces::new(input);
    let transcript = Transcript { negotiate: pieces.piece(), challenge: pieces.piece(), authenticate: pieces.rest() };
    let _name = claimed_name(transcript.authenticate).is_ok();
    let rule = BindingRule::AbsentOrOneOf(Vec::new());
    // Any hash that no input can have been made for.
    let hash = NtHash::from_bytes(crate::auth::random().unwrap_or([7; 16]));
    for hash in [None, Some(&hash)] {
        assert!(judge(transcript, hash, &rule).is_err(), "a login without the password");
    }
}

/// Any bytes as a hostile target's CHALLENGE.
pub fn ntlm_challenge(input: &[u8]) {
    let name = AccountName { domain: "D".to_owned(), user: "u".to_owned() };
    let initiator = NtlmInitiator::new(&name, NtHash::from_bytes([7; 16]), "HTTP/t", None);
    let mut initiator = initiator.expect("the names are short");
    let negotiate = initiator.negotiate();
    if let Ok((authenticate, _)) = initiator.authenticate(input) {
        let transcript = Transcript { negotiate: &negotiate, challenge: input, authenticate: &authenticate };
        let rule = BindingRule::AbsentOrOneOf(Vec::new());
        assert!(judge(transcript, Some(&NtHash::from_bytes([7; 16])), &rule).is_ok(), "our own login is refused");
    }
}
