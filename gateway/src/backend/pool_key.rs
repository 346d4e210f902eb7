//! The session key of a pool on a target, \[MS-PSRP\] 3.1.5.4.3 to 3.1.5.4.5: agreed on when a secret has to travel.

use super::error::BackendError;
use super::pool::{EXCHANGE, Of, TargetPool, after};
use crate::random::random;
use parking_lot::Mutex;
use sekisho_protocol::clixml::SecureText;
use sekisho_protocol::psrp::{ExchangeKey, SessionKey, Stream};
use sekisho_protocol::secret::SecretText;
use std::sync::Arc;
use tokio::time::timeout_at;

/// The keys of one pool.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Who agrees on one.
    agreeing: tokio::sync::Mutex<()>,
    exchange: Mutex<Option<ExchangeKey>>,
    session: Mutex<Option<Arc<SessionKey>>>,
}

impl Keys {
    /// Takes the target's key, once: a target that sends another one is not believed.
    pub(super) fn learn(&self, sealed: &str) -> Result<(), BackendError> {
        let Some(exchange) = self.exchange.lock().take() else {
            return Err(BackendError::Invalid(sekisho_protocol::error::PeerMisbehaved::Unrelated.into()));
        };
        let key = exchange.open(sealed).map_err(BackendError::Invalid)?;
        *self.session.lock() = Some(Arc::new(key));
        Ok(())
    }

    fn is_awaited(&self) -> bool {
        self.exchange.lock().is_some()
    }

    fn session(&self) -> Option<Arc<SessionKey>> {
        self.session.lock().clone()
    }
}

impl TargetPool {
    /// The session key, agreed on with the target if it is not yet.
    ///
    /// # Errors
    /// When the target takes no part in it.
    pub async fn agree_on_key(self: &Arc<Self>) -> Result<Arc<SessionKey>, BackendError> {
        let _one = self.keys.agreeing.lock().await;
        if let Some(key) = self.keys.session() {
            return Ok(key);
        }
        // One that was given up half-way is answered still: a second one would never fit its answer.
        if !self.keys.is_awaited() {
            self.ask_for_key().await?;
        }
        self.flush(Of::Pool, Stream::Main).await?;
        let deadline = after(EXCHANGE);
        loop {
            let changed = self.changed().notified();
            if let Some(key) = self.keys.session() {
                return Ok(key);
            }
            let waited = async {
                tokio::select! {
                    polled = self.poll(self.link.patience()) => polled,
                    () = changed => Ok(()),
                }
            };
            timeout_at(deadline, waited).await.map_err(|_late| BackendError::NoKey)??;
        }
    }

    async fn ask_for_key(self: &Arc<Self>) -> Result<(), BackendError> {
        // Making a key pair keeps a processor busy for a tenth of a second and more.
        let made = tokio::task::spawn_blocking(|| {
            let mut random = random().ok()?;
            ExchangeKey::generate(&mut random).ok()
        });
        let exchange = made.await.ok().flatten().ok_or(BackendError::NoKey)?;
        let public = exchange.public_key();
        *self.keys.exchange.lock() = Some(exchange);
        self.with_machine(|machine| machine.public_key(&public));
        Ok(())
    }

    /// Opens a SecureString that the target has sealed.
    ///
    /// # Errors
    /// When there is no session key, or it is sealed under another one.
    pub fn open_secure(&self, sealed: &SecureText) -> Result<SecretText, BackendError> {
        let key = self.keys.session().ok_or(BackendError::NoKey)?;
        key.open(sealed).map_err(BackendError::Invalid)
    }
}
