//! The system's randomness, for what makes and seals keys.

use ring::rand::{SecureRandom as _, SystemRandom};
use rsa::rand_core::{CryptoRng, TryCryptoRng, TryRng, UnwrapErr};
use zeroize::Zeroizing;

/// There is no randomness.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system has no randomness")]
pub struct NoRandomness;

/// A generator over the system's randomness.
///
/// # Errors
/// When there is none: here, if at all, and not inside the generator, which could not say so.
pub fn random() -> Result<impl CryptoRng, NoRandomness> {
    let mut random = Random(SystemRandom::new());
    random.try_next_u64()?;
    Ok(UnwrapErr(random))
}

struct Random(SystemRandom);

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
        self.0.fill(bytes).map_err(|_unspecified| NoRandomness)
    }
}

impl TryCryptoRng for Random {}
