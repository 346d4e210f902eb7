//! A hand-made NTLM client for tests, which breaks one rule at a time.

use super::av_pairs::{AvPairs, CHANNEL_BINDINGS, FLAGS, MIC_PRESENT, TARGET_NAME, TIMESTAMP};
use super::crypto::{KEY, Key, Rc4, hmac_md5};
use super::guard::{Transcript, encode_name, integrity_check, ntlm_v2_hash};
use super::message::{Authenticate, Challenge, Flags, negotiate, set_mic};
use super::session::{NtlmSession, Role};
use crate::auth::NtHash;
use crate::secret::SecretText;
use zeroize::Zeroizing;

/// What the client does about the integrity check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mic {
    Right,
    /// Said to be there, and wrong.
    Wrong,
    /// Neither there nor said to be.
    LeftOut,
}

/// What the client sends as NT response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    Right,
    RandomProof,
    /// 24 bytes, as NTLMv1 has them.
    Version1,
}

pub(crate) struct AttackClient {
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    /// A hash to use in the place of the password's.
    pub(crate) hash: Option<[u8; KEY]>,
    pub(crate) flags: u32,
    pub(crate) mic: Mic,
    pub(crate) response: Response,
    pub(crate) binding: [u8; KEY],
    negotiate: Vec<u8>,
}

impl AttackClient {
    /// A client that breaks no rule.
    pub(crate) fn honest(user: &'static str, password: &'static str) -> Self {
        Self {
            user,
            password,
            hash: None,
            flags: Flags::OFFERED,
            mic: Mic::Right,
            response: Response::Right,
            binding: [0; KEY],
            negotiate: Vec::new(),
        }
    }

    pub(crate) fn negotiate(&mut self) -> Vec<u8> {
        self.negotiate = negotiate(Flags::OFFERED);
        self.negotiate.clone()
    }

    pub(crate) fn authenticate(&self, challenge: &[u8]) -> (Vec<u8>, NtlmSession) {
        let read = Challenge::decode(challenge).unwrap();
        let mut pairs = AvPairs::decode(read.target_info).unwrap();
        let timestamp = *pairs.fixed::<8>(TIMESTAMP).unwrap().unwrap();
        let flags = if self.mic == Mic::LeftOut { 0 } else { MIC_PRESENT }.to_le_bytes();
        let target_name = encode_name("HTTP/gw");
        pairs.set(FLAGS, &flags);
        pairs.set(CHANNEL_BINDINGS, &self.binding);
        pairs.set(TARGET_NAME, &target_name);
        let mut proved = vec![1, 1, 0, 0, 0, 0, 0, 0];
        proved.extend_from_slice(&timestamp);
        proved.extend_from_slice(&[0xcc; 8]);
        proved.extend_from_slice(&[0; 4]);
        proved.extend_from_slice(&pairs.encode().unwrap());
        proved.extend_from_slice(&[0; 4]);

        let (user, domain) = (encode_name(self.user), encode_name("GATEWAY"));
        let of_password = || NtHash::of_password(&SecretText::new(self.password.to_owned()));
        let hash = self.hash.map_or_else(of_password, NtHash::from_bytes);
        let v2_hash = ntlm_v2_hash(&hash, &user, &domain).unwrap();
        let mut proof = hmac_md5(&v2_hash, &[&read.server_challenge, &proved]).unwrap();
        if self.response == Response::RandomProof {
            *proof = crate::auth::random().unwrap();
        }
        let session_key: Key = Zeroizing::new([0x5a; KEY]);
        let mut encrypted_key = *session_key;
        Rc4::new(&hmac_md5(&v2_hash, &[&proof[..]]).unwrap()).apply(&mut encrypted_key);
        let nt_response = match self.response {
            Response::Right | Response::RandomProof => [&proof[..], &proved].concat(),
            Response::Version1 => vec![7; 24],
        };
        let mut message = Authenticate {
            flags: Flags(self.flags),
            nt_response: &nt_response,
            domain: &domain,
            user: &user,
            encrypted_key: &encrypted_key,
            mic: [0; KEY],
        }
        .encode()
        .unwrap();
        let transcript = Transcript { negotiate: &self.negotiate, challenge, authenticate: &message };
        let mic = match self.mic {
            Mic::Right => integrity_check(&session_key, transcript).unwrap(),
            Mic::Wrong => Zeroizing::new([0xee; KEY]),
            Mic::LeftOut => Zeroizing::new([0; KEY]),
        };
        set_mic(&mut message, &mic).unwrap();
        (message, NtlmSession::new(&session_key, Role::Initiator))
    }
}
