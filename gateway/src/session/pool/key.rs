//! The session key between a client and the gateway, \[MS-PSRP\] 3.2.5.4.5 to 3.2.5.4.7.

use super::front::Front;
use crate::random::random;
use parking_lot::Mutex;
use sekisho_protocol::Result;
use sekisho_protocol::clixml::SecureText;
use sekisho_protocol::error::Misuse;
use sekisho_protocol::psrp::SessionKey;
use sekisho_protocol::secret::SecretText;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How long a client may take to send its public key when it is asked for it.
const ASKED: Duration = Duration::from_secs(30);

/// The key of one client's session, once it was agreed on.
#[derive(Debug, Default)]
pub(super) struct ClientKey {
    key: Mutex<Option<Arc<SessionKey>>>,
    agreed: Notify,
}

impl ClientKey {
    /// Answers a public key with the session key, sealed under it: the same one when it is asked for again.
    ///
    /// # Errors
    /// When the public key is none that is served, or there is no randomness.
    pub(super) fn answer(&self, public_key: &str, front: &Front) -> Result<()> {
        let mut random = random().map_err(|_none| Misuse::Randomness)?;
        let mut known = self.key.lock();
        let key = if let Some(key) = known.as_ref() {
            Arc::clone(key)
        } else {
            let mut bytes = Zeroizing::new([0; 32]);
            rsa::rand_core::Rng::fill_bytes(&mut random, bytes.as_mut_slice());
            Arc::new(SessionKey::new(bytes))
        };
        let sealed = key.seal_for(public_key, &mut random)?;
        *known = Some(key);
        drop(known);
        front.say(|machine| machine.session_key(&sealed));
        self.agreed.notify_waiters();
        Ok(())
    }

    /// Opens what the client has sealed.
    ///
    /// # Errors
    /// When there is no key yet, or it is sealed under another one.
    pub(super) fn open(&self, sealed: &SecureText) -> Result<SecretText> {
        let key = self.key.lock().clone().ok_or(Misuse::WrongState)?;
        key.open(sealed)
    }

    /// The key, asked of the client if it has not sent its half yet; nothing when it does not come.
    pub(super) async fn agreed(&self, front: &Front) -> Option<Arc<SessionKey>> {
        let known = || self.key.lock().clone();
        if let Some(key) = known() {
            return Some(key);
        }
        front.say(sekisho_protocol::psrp::PoolServer::request_key);
        let waiting = async {
            loop {
                let agreed = self.agreed.notified();
                if let Some(key) = known() {
                    return key;
                }
                agreed.await;
            }
        };
        timeout(ASKED, waiting).await.ok()
    }
}
