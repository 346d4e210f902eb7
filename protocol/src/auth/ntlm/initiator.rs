//! The initiator of NTLM by itself. [MS-NLMP] 3.1.
//!
//! Ours and not sspi's, since the login has to name the service that it is meant for (`MsvAvTargetName`):
//! together with the channel binding it keeps a hostile target from passing the login on.

use super::av_pairs::{AvPairs, CHANNEL_BINDINGS, FLAGS, MIC_PRESENT, TARGET_NAME, TIMESTAMP};
use super::crypto::{KEY, Key, Rc4, hmac_md5};
use super::guard::{Transcript, encode_name, integrity_check, ntlm_v2_hash};
use super::message::{Authenticate, Challenge, Flags, negotiate, set_mic};
use super::session::{NtlmSession, Role};
use crate::Result;
use crate::auth::{AccountName, ChannelBinding, NtHash, random};
use crate::error::{Misuse, Unsupported};
use crate::limits::ACCOUNT_NAME;
use std::fmt;
use zeroize::Zeroizing;

/// Logs in once. It is not used again after an error: the caller stays failed.
pub(crate) struct NtlmInitiator {
    user: Vec<u8>,
    domain: Vec<u8>,
    hash: NtHash,
    target_name: Vec<u8>,
    binding: [u8; KEY],
    negotiate: Option<Vec<u8>>,
}

impl fmt::Debug for NtlmInitiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtlmInitiator")
    }
}

impl NtlmInitiator {
    pub(crate) fn new(name: &AccountName, hash: NtHash, spn: &str, binding: Option<&ChannelBinding>) -> Result<Self> {
        let encode = |text: &str| {
            let units = text.encode_utf16().count();
            if units > ACCOUNT_NAME { Err(Misuse::CredentialTooLong) } else { Ok(encode_name(text)) }
        };
        Ok(Self {
            user: encode(&name.user)?,
            domain: encode(&name.domain)?,
            hash,
            target_name: encode(spn)?,
            // All zeros say that there is no channel. [MS-NLMP] 3.1.5.1.2.
            binding: binding.map_or([0; KEY], |binding| *binding.digest()),
            negotiate: None,
        })
    }

    /// The NEGOTIATE message.
    pub(crate) fn negotiate(&mut self) -> Vec<u8> {
        let message = negotiate(Flags::OFFERED);
        self.negotiate = Some(message.clone());
        message
    }

    /// Takes the CHALLENGE message; the AUTHENTICATE and the session.
    pub(crate) fn authenticate(&mut self, challenge: &[u8]) -> Result<(Vec<u8>, NtlmSession)> {
        let negotiate = self.negotiate.take().ok_or(Misuse::WrongState)?;
        let read = Challenge::decode(challenge)?;
        let flags = Flags(read.flags.0 & Flags::OFFERED);
        flags.require_strong()?;
        let proved = self.proved(&read)?;

        let v2_hash = ntlm_v2_hash(&self.hash, &self.user, &self.domain)?;
        let proof = hmac_md5(&v2_hash, &[&read.server_challenge, &proved])?;
        let session_key: Key = Zeroizing::new(random()?);
        let mut encrypted_key = *session_key;
        let exchange_key = hmac_md5(&v2_hash, &[&*proof])?;
        Rc4::new(&exchange_key).apply(&mut encrypted_key);

        let nt_response = [&proof[..], &proved].concat();
        let mut message = Authenticate {
            flags,
            nt_response: &nt_response,
            domain: &self.domain,
            user: &self.user,
            encrypted_key: &encrypted_key,
            mic: [0; KEY],
        }
        .encode()?;
        let transcript = Transcript { negotiate: &negotiate, challenge, authenticate: &message };
        let mic = integrity_check(&session_key, transcript)?;
        set_mic(&mut message, &mic)?;
        Ok((message, NtlmSession::new(&session_key, Role::Initiator)))
    }

    /// What the proof covers: versions, time, our challenge, and the target's attributes with ours among them.
    /// [MS-NLMP] 2.2.2.7, 3.1.5.1.2.
    fn proved(&self, challenge: &Challenge<'_>) -> Result<Vec<u8>> {
        let mut pairs = AvPairs::decode(challenge.target_info)?;
        let timestamp = *pairs.fixed::<8>(TIMESTAMP)?.ok_or(Unsupported::ChallengeWithoutTimestamp)?;
        let flags = (pairs.flags()? | MIC_PRESENT).to_le_bytes();
        // `set` puts ours in the place of what a hostile target may have put there.
        pairs.set(FLAGS, &flags);
        pairs.set(CHANNEL_BINDINGS, &self.binding);
        pairs.set(TARGET_NAME, &self.target_name);

        let mut proved = vec![1, 1, 0, 0, 0, 0, 0, 0];
        proved.extend_from_slice(&timestamp);
        proved.extend_from_slice(&random::<8>()?);
        proved.extend_from_slice(&[0; 4]);
        proved.extend_from_slice(&pairs.encode()?);
        proved.extend_from_slice(&[0; 4]);
        Ok(proved)
    }
}
