//! The key under which SecureStrings travel to and from this target.

use crate::random::random;
use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use sekisho_protocol::clixml::SecureText;
use sekisho_protocol::psrp::SessionKey;
use sekisho_protocol::secret::SecretText;
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
        let sealed = key.seal_for(public_key, &mut random().ok()?).ok()?;
        *known = Some(key);
        Some(sealed)
    }

    /// Opens what the client has sealed.
    pub(super) fn open(&self, sealed: &SecureText) -> Option<SecretText> {
        self.0.lock().as_ref()?.open(sealed).ok()
    }
}
