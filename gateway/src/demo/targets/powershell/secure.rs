//! The key under which SecureStrings travel to and from this target.

use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use rsa::rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use sekisho_protocol::clixml::SecureText;
use sekisho_protocol::psrp::SessionKey;
use sekisho_protocol::secret::SecretText;
use std::fmt;
use zeroize::Zeroizing;

/// One pool's key, once its client has asked for it.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<Option<SessionKey>>);

impl Keys {
    /// Makes the key and seals it for the client. Nothing when the client's own is none, or has its key already.
    pub(super) fn agree(&self, public_key: &str) -> Option<String> {
        let mut known = self.0.lock();
        if known.is_some() {
            return None;
        }
        let mut bytes = Zeroizing::new([0_u8; 32]);
        SystemRandom::new().fill(bytes.as_mut()).ok()?;
        let key = SessionKey::new(bytes);
        let sealed = key.seal_for(public_key, &mut UnwrapErr(Random::new())).ok()?;
        *known = Some(key);
        Some(sealed)
    }

    /// Opens what the client has sealed.
    pub(super) fn open(&self, sealed: &SecureText) -> Option<SecretText> {
        self.0.lock().as_ref()?.open(sealed).ok()
    }
}

/// The system's randomness, as the protocol takes it.
pub(super) struct Random(SystemRandom);

impl Random {
    pub(super) fn new() -> Self {
        Self(SystemRandom::new())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no random numbers from the system")]
pub(super) struct NoRandomness;

impl TryRng for Random {
    type Error = NoRandomness;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = Zeroizing::new([0; 4]);
        self.try_fill_bytes(&mut *bytes)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = Zeroizing::new([0; 8]);
        self.try_fill_bytes(&mut *bytes)?;
        Ok(u64::from_le_bytes(*bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes).map_err(|_| NoRandomness)
    }
}

impl TryCryptoRng for Random {}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
