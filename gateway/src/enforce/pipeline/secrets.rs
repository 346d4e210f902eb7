//! SecureStrings on their way from a client's key to a target's.

use super::Why;
use sekisho_protocol::clixml::SecureText;
use sekisho_protocol::secret::SecretText;

/// How many secrets one pipeline may bring.
const SECRETS: usize = 64;

/// Opens what a client has sealed under the session's key.
pub type Opener<'a> = &'a dyn Fn(&SecureText) -> sekisho_protocol::Result<SecretText>;

/// Seals for a target under the key of its session.
pub type Sealer<'a> = &'a dyn Fn(&SecretText) -> sekisho_protocol::Result<SecureText>;

/// The opened secrets of one pipeline, which policy knows by handles alone. They are wiped with it.
#[derive(Default)]
pub struct Secrets(Vec<SecretText>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes one over; its handle.
    pub(super) fn add(&mut self, secret: SecretText) -> Result<u64, Why> {
        if SECRETS <= self.0.len() {
            return Err(Why::TooMuch);
        }
        let handle = u64::try_from(self.0.len()).map_err(|_| Why::TooMuch)?;
        self.0.push(secret);
        Ok(handle)
    }

    pub(super) fn find(&self, handle: u64) -> Option<&SecretText> {
        self.0.get(usize::try_from(handle).ok()?)
    }
}
