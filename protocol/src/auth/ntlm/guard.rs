//! Our own judgement of an AUTHENTICATE message, before sspi sees it.
//!
//! INVARIANT(ntlm-guard): nobody logs in without the proof of the password (`NTProofStr`) and the integrity
//! check over all three messages, both verified here in constant time. sspi 0.23.1 verifies the first never
//! and the second only when the client says that it is there. [MS-NLMP] 3.2.5.1.2, 3.3.2.

use super::av_pairs::{AvPairs, CHANNEL_BINDINGS, MIC_PRESENT};
use super::crypto::{KEY, Key, Rc4, hmac_md5};
use super::message::{Authenticate, Challenge, set_mic};
use crate::Result;
use crate::auth::{AccountName, BindingRule, NtHash};
use crate::error::{AuthFailure, LimitExceeded, Malformed, Unsupported};
use crate::limits::ACCOUNT_NAME;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// The size of `NTProofStr` at the head of an NTLMv2 response. [MS-NLMP] 2.2.2.8.
const PROOF: usize = KEY;
/// Versions, time, client's challenge and reserved fields before the attributes. [MS-NLMP] 2.2.2.7.
const RESPONSE_HEAD: usize = 28;
/// An NTLMv1 or LM response. [MS-NLMP] 2.2.2.6.
const NTLM_V1_RESPONSE: usize = 24;

/// The three messages as they went over the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transcript<'a> {
    pub(crate) negotiate: &'a [u8],
    pub(crate) challenge: &'a [u8],
    pub(crate) authenticate: &'a [u8],
}

/// The name in an AUTHENTICATE message.
pub(crate) fn claimed_name(authenticate: &[u8]) -> Result<AccountName> {
    let message = Authenticate::decode(authenticate)?;
    Ok(AccountName { domain: decode_name(message.domain)?, user: decode_name(message.user)? })
}

/// Judges the login of `hash`'s account; `None` is an account that does not exist, and takes as long.
/// The session key of the login.
pub(crate) fn judge(transcript: Transcript<'_>, hash: Option<&NtHash>, rule: &BindingRule) -> Result<Key> {
    let message = Authenticate::decode(transcript.authenticate)?;
    message.flags.require_strong()?;
    let response = Response::decode(message.nt_response)?;
    let encrypted_key: [u8; KEY] = message.encrypted_key.try_into().map_err(|_| Malformed::Ntlm)?;
    let mic_present = response.pairs.flags()? & MIC_PRESENT != 0;

    let nobody = NtHash::from_bytes([0; KEY]);
    let known = Choice::from(u8::from(hash.is_some()));
    let v2_hash = ntlm_v2_hash(hash.unwrap_or(&nobody), message.user, message.domain)?;
    let server_challenge = Challenge::decode(transcript.challenge)?.server_challenge;
    let proof = hmac_md5(&v2_hash, &[&server_challenge, response.proved])?;
    let session_key = session_key(&v2_hash, &proof, encrypted_key)?;
    let mic = integrity_check(&session_key, transcript)?;

    if !bool::from(known & proof.ct_eq(response.proof)) {
        return Err(AuthFailure::BadCredentials.into());
    }
    if !mic_present {
        return Err(AuthFailure::MicMissing.into());
    }
    if !bool::from(mic.ct_eq(&message.mic)) {
        return Err(AuthFailure::MicWrong.into());
    }
    rule.judge(response.pairs.fixed(CHANNEL_BINDINGS)?)?;
    Ok(session_key)
}

/// [MS-NLMP] 3.3.2 `NTOWFv2`: the name's letters are made large, the domain's are not.
pub(crate) fn ntlm_v2_hash(hash: &NtHash, user: &[u8], domain: &[u8]) -> Result<Key> {
    let user = decode_name(user)?.to_uppercase();
    hash.with(|key| hmac_md5(key, &[&encode_name(&user), domain]))
}

/// The exported session key, which the client made up and encrypted. [MS-NLMP] 3.4.5.1, 3.4.5.3.
pub(crate) fn session_key(v2_hash: &Key, proof: &Key, mut encrypted: [u8; KEY]) -> Result<Key> {
    let exchange_key = hmac_md5(v2_hash, &[&**proof])?;
    Rc4::new(&exchange_key).apply(&mut encrypted);
    Ok(Zeroizing::new(encrypted))
}

/// The check over all three messages, its own place in the last one left empty. [MS-NLMP] 3.2.5.1.2.
pub(crate) fn integrity_check(session_key: &Key, transcript: Transcript<'_>) -> Result<Key> {
    let mut authenticate = transcript.authenticate.to_vec();
    set_mic(&mut authenticate, &[0; KEY])?;
    hmac_md5(session_key, &[transcript.negotiate, transcript.challenge, &authenticate])
}

/// A name in UTF-16, as NTLM carries it.
pub(crate) fn encode_name(name: &str) -> Vec<u8> {
    name.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn decode_name(bytes: &[u8]) -> Result<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if pairs.len() > ACCOUNT_NAME {
        return Err(LimitExceeded::MessageSize.into());
    }
    if !rest.is_empty() {
        return Err(Malformed::Utf16.into());
    }
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| Malformed::Utf16.into())
}

/// An NTLMv2 response. [MS-NLMP] 2.2.2.8.
struct Response<'a> {
    proof: &'a [u8],
    /// Everything that the proof covers besides the server's challenge.
    proved: &'a [u8],
    pairs: AvPairs<'a>,
}

impl<'a> Response<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() <= NTLM_V1_RESPONSE {
            return Err(Unsupported::NtlmV1.into());
        }
        let (proof, proved) = bytes.split_at_checked(PROOF).ok_or(Malformed::Ntlm)?;
        if !proved.starts_with(&[1, 1]) {
            return Err(Malformed::Ntlm.into());
        }
        let attributes = proved.get(RESPONSE_HEAD..).ok_or(Malformed::Ntlm)?;
        Ok(Self { proof, proved, pairs: AvPairs::decode(attributes)? })
    }
}
