//! The key under which a SecureString travels, \[MS-PSRP\] 2.2.2.3, 2.2.2.4 and 2.2.5.1.24.
//!
//! The client makes an RSA key pair and sends its public half; the server seals an AES-256 key under it. The
//! gateway is the server of a client and the client of a target, and has a key of its own with each. What the
//! protocol says of the cipher is weak: the initialisation vector is zero, so that equal secrets look alike.

use std::fmt;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::rand_core::CryptoRng;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, Pkcs1v15Encrypt, RsaPrivateKey, RsaPublicKey};
use zeroize::Zeroizing;

use crate::Result;
use crate::clixml::SecureText;
use crate::error::{Malformed, Misuse, PeerMisbehaved, Unsupported};
use crate::limits::SECURE_TEXT;
use crate::secret::{SecretBytes, SecretText};

/// `bType` 6, `bVersion` 2, `aiKeyAlg` CALG_RSA_KEYX. \[MS-PSRP\] 2.2.2.3.
const PUBLIC_HEADER: [u8; 8] = [0x06, 0x02, 0, 0, 0x00, 0xA4, 0, 0];
const MAGIC: [u8; 4] = *b"RSA1";
/// `bType` 1, `bVersion` 2, CALG_AES_256, CALG_RSA_KEYX. \[MS-PSRP\] 2.2.2.4.
const SEALED_HEADER: [u8; 12] = [0x01, 0x02, 0, 0, 0x10, 0x66, 0, 0, 0x00, 0xA4, 0, 0];
const BITS: usize = 2048;
const MODULUS: usize = BITS / 8;
const KEY: usize = 32;
/// The only exponent that Windows makes.
const EXPONENT: u32 = 65_537;
const ZERO_IV: [u8; 16] = [0; 16];

type Encryptor = cbc::Encryptor<aes::Aes256>;
type Decryptor = cbc::Decryptor<aes::Aes256>;

/// A session key.
pub struct SessionKey(SecretBytes);

impl SessionKey {
    /// A key of these bytes, which the caller has drawn.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; KEY]>) -> Self {
        let mut owned = Vec::with_capacity(KEY);
        owned.extend_from_slice(bytes.as_slice());
        Self(SecretBytes::new(owned))
    }

    /// Seals text for an `SS`.
    ///
    /// # Errors
    /// [`Misuse::CredentialTooLong`] beyond [`SECURE_TEXT`].
    pub fn seal(&self, text: &SecretText) -> Result<SecureText> {
        let plain = text.with(utf16_bytes)?;
        let sealed = self.0.with(|key| {
            let cipher = Encryptor::new_from_slices(key, &ZERO_IV).map_err(|_| Misuse::WrongState)?;
            Ok::<_, crate::Error>(cipher.encrypt_padded_vec::<Pkcs7>(&plain))
        })?;
        Ok(SecureText(Zeroizing::new(STANDARD.encode(sealed))))
    }

    /// Opens the text of an `SS`.
    ///
    /// # Errors
    /// [`PeerMisbehaved::SealBroken`] whatever is wrong with it.
    pub fn open(&self, sealed: &SecureText) -> Result<SecretText> {
        if SECURE_TEXT.saturating_mul(4) < sealed.0.len() {
            return Err(PeerMisbehaved::SealBroken.into());
        }
        let sealed = STANDARD.decode(sealed.0.as_bytes()).map_err(|_| PeerMisbehaved::SealBroken)?;
        let plain = self.0.with(|key| {
            let cipher = Decryptor::new_from_slices(key, &ZERO_IV).map_err(|_| Misuse::WrongState)?;
            let plain = cipher.decrypt_padded_vec::<Pkcs7>(&sealed).map_err(|_| PeerMisbehaved::SealBroken)?;
            Ok::<_, crate::Error>(Zeroizing::new(plain))
        })?;
        utf16_text(&plain)
    }

    /// Seals the key under a client's public key: the body of ENCRYPTED_SESSION_KEY.
    ///
    /// # Errors
    /// When the public key is none of 2048 bits with the usual exponent.
    pub fn seal_for(&self, public_key: &str, random: &mut impl CryptoRng) -> Result<String> {
        let public = read_public_key(public_key)?;
        let mut sealed =
            self.0.with(|key| public.encrypt(random, Pkcs1v15Encrypt, key)).map_err(|_| Unsupported::SessionKey)?;
        // Windows writes numbers from their lowest byte.
        sealed.reverse();
        Ok(STANDARD.encode([&SEALED_HEADER[..], &sealed].concat()))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

/// The key pair under which a target sends its session key: one for each session, so that what the target learns
/// from our answers to broken ciphertext is worth nothing.
pub struct ExchangeKey(RsaPrivateKey);

impl ExchangeKey {
    /// Makes a key pair, which takes a tenth of a second or more.
    ///
    /// # Errors
    /// [`Misuse::Randomness`].
    pub fn generate(random: &mut impl CryptoRng) -> Result<Self> {
        RsaPrivateKey::new(random, BITS).map(Self).map_err(|_| Misuse::Randomness.into())
    }

    /// The body of PUBLIC_KEY.
    #[must_use]
    pub fn public_key(&self) -> String {
        let bits = u32::try_from(BITS).unwrap_or_default();
        let mut modulus = self.0.n_bytes().to_vec();
        modulus.reverse();
        modulus.resize(MODULUS, 0);
        let parts = [&PUBLIC_HEADER[..], &MAGIC[..], &bits.to_le_bytes(), &EXPONENT.to_le_bytes(), &modulus].concat();
        STANDARD.encode(parts)
    }

    /// Opens the body of ENCRYPTED_SESSION_KEY.
    ///
    /// # Errors
    /// [`PeerMisbehaved::SealBroken`] whatever is wrong with it.
    pub fn open(&self, sealed: &str) -> Result<SessionKey> {
        let broken = || crate::Error::from(PeerMisbehaved::SealBroken);
        if sealed.len() > 1024 {
            return Err(broken());
        }
        let blob = STANDARD.decode(sealed).map_err(|_| broken())?;
        let sealed = blob.strip_prefix(&SEALED_HEADER).filter(|sealed| sealed.len() == MODULUS).ok_or_else(broken)?;
        let mut sealed = sealed.to_vec();
        sealed.reverse();
        let key = Zeroizing::new(self.0.decrypt(Pkcs1v15Encrypt, &sealed).map_err(|_| broken())?);
        let key: [u8; KEY] = key.as_slice().try_into().map_err(|_| broken())?;
        Ok(SessionKey::new(Zeroizing::new(key)))
    }
}

impl fmt::Debug for ExchangeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangeKey")
    }
}

fn read_public_key(text: &str) -> Result<RsaPublicKey> {
    if text.len() > 1024 {
        return Err(Unsupported::SessionKey.into());
    }
    let blob = STANDARD.decode(text).map_err(|_| Malformed::Base64)?;
    let rest = blob.strip_prefix(&PUBLIC_HEADER).and_then(|rest| rest.strip_prefix(&MAGIC));
    let (bits, rest) = rest.and_then(|rest| rest.split_first_chunk::<4>()).ok_or(Malformed::PsrpBody)?;
    let (exponent, modulus) = rest.split_first_chunk::<4>().ok_or(Malformed::PsrpBody)?;
    let bits = usize::try_from(u32::from_le_bytes(*bits)).unwrap_or_default();
    let exponent = u32::from_le_bytes(*exponent);
    if bits != BITS || exponent != EXPONENT || modulus.len() != MODULUS {
        return Err(Unsupported::SessionKey.into());
    }
    let bits = u32::try_from(BITS).map_err(|_| Unsupported::SessionKey)?;
    let modulus = BoxedUint::from_le_slice(modulus, bits).map_err(|_| Unsupported::SessionKey)?;
    RsaPublicKey::new(modulus, BoxedUint::from(exponent)).map_err(|_| Unsupported::SessionKey.into())
}

fn utf16_bytes(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    let units = text.encode_utf16().count();
    if SECURE_TEXT < units {
        return Err(Misuse::CredentialTooLong.into());
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(units.saturating_mul(2)));
    for unit in text.encode_utf16() {
        plain.extend_from_slice(&unit.to_le_bytes());
    }
    Ok(plain)
}

fn utf16_text(plain: &[u8]) -> Result<SecretText> {
    let (pairs, rest) = plain.as_chunks::<2>();
    if !rest.is_empty() || SECURE_TEXT < pairs.len() {
        return Err(PeerMisbehaved::SealBroken.into());
    }
    // Filled once at its final size: three bytes are the most that one unit takes.
    let mut text = String::with_capacity(pairs.len().saturating_mul(3));
    for c in char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))) {
        let Ok(c) = c else {
            let _wiped = Zeroizing::new(text);
            return Err(PeerMisbehaved::SealBroken.into());
        };
        text.push(c);
    }
    Ok(SecretText::new(text))
}

#[cfg(test)]
mod tests {
    use rsa::rand_core::{TryCryptoRng, TryRng, UnwrapErr};

    use super::*;

    /// A generator that is good enough for a test, and the same every time.
    struct Counter(u64);

    impl TryRng for Counter {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> std::result::Result<u32, Self::Error> {
            Ok(u32::try_from(self.try_next_u64()? >> 32).unwrap_or_default())
        }

        fn try_next_u64(&mut self) -> std::result::Result<u64, Self::Error> {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            Ok(mixed ^ (mixed >> 31))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Self::Error> {
            for chunk in bytes.chunks_mut(8) {
                let word = self.try_next_u64()?.to_le_bytes();
                chunk.copy_from_slice(&word[..chunk.len()]);
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Counter {}

    fn random() -> UnwrapErr<Counter> {
        UnwrapErr(Counter(7))
    }

    fn key() -> SessionKey {
        SessionKey::new(Zeroizing::new([9; 32]))
    }

    fn text(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn a_key_travels_under_the_public_key_and_opens_what_was_sealed() {
        let exchange = ExchangeKey::generate(&mut random()).unwrap();
        let ours = key();
        let sealed = ours.seal_for(&exchange.public_key(), &mut random()).unwrap();
        let theirs = exchange.open(&sealed).unwrap();
        for password in ["", "a", "pässwörd 日本語 \u{1F600}", &"x".repeat(5000)] {
            let secure = ours.seal(&text(password)).unwrap();
            assert!(!secure.0.contains(password) || password.len() < 2);
            theirs.open(&secure).unwrap().with(|opened| assert_eq!(opened, password));
        }
    }

    #[test]
    fn the_cipher_is_that_of_the_protocol() {
        // From an independent implementation: AES-256-CBC, zero vector, PKCS7 over UTF-16LE.
        let secure = key().seal(&text("pass")).unwrap();
        assert_eq!(secure.0.as_str(), "eBwlunnC5zQTnjlJRxRrfA==");
    }

    #[test]
    fn a_recorded_public_key_is_read() {
        let recorded = "BgIAAACkAABSU0ExAAgAAAEAAQCXodMpM71it5e3m3MvDLZ5eWBv/i1r/OOw7HYqjVgh6od1a80lz4hx9M3qBLBSJpLLV9NLxUuO8gEkMJG5ycpSsivLZ6SX1Qv7T3Vn1FAWDOalW3v7iMGZSRlFxj9wN/hVn0QmcnamG35jDWW3403ZT5j+aCl9kEkItEYRXSY+ak9PhL4wuGmqrCw2/SChkXyd4agBmF0xPw5c+XeFRLuQkSTeU/2FrWfx7ggDatKYn2GKuFTwO0OMCYEqOHqgTT8nq7YaR1XOP6esgbWzDhaSkR3pWH/BfkMbg1Of6XLIlH6bsn61kAOxZ8zAgLquVY2kdUZ8n1nlIkrnrQEujKXZ";
        assert_eq!(read_public_key(recorded).unwrap().size(), 256);
        let sealed = key().seal_for(recorded, &mut random()).unwrap();
        assert_eq!(STANDARD.decode(sealed).unwrap().len(), 268);
    }

    #[test]
    fn other_keys_are_refused() {
        let exchange = ExchangeKey::generate(&mut random()).unwrap();
        let blob = STANDARD.decode(exchange.public_key()).unwrap();
        for (at, value) in [(0, 7), (5, 0xA5), (8, b'X'), (12, 1), (13, 4), (16, 3)] {
            let mut changed = blob.clone();
            changed[at] = value;
            assert!(key().seal_for(&STANDARD.encode(&changed), &mut random()).is_err(), "{at}");
        }
        for changed in [&blob[..blob.len() - 1], &[blob.as_slice(), &[0]].concat(), &[]] {
            assert!(key().seal_for(&STANDARD.encode(changed), &mut random()).is_err());
        }
        assert!(key().seal_for("?", &mut random()).is_err());
    }

    #[test]
    fn broken_ciphertext_is_one_error() {
        let exchange = ExchangeKey::generate(&mut random()).unwrap();
        let sealed = key().seal_for(&exchange.public_key(), &mut random()).unwrap();
        let blob = STANDARD.decode(&sealed).unwrap();
        let broken = PeerMisbehaved::SealBroken.into();
        for at in [0, 4, 12, 100, 267] {
            let mut changed = blob.clone();
            changed[at] ^= 1;
            assert_eq!(exchange.open(&STANDARD.encode(changed)).map(|_| ()), Err(broken), "{at}");
        }
        assert_eq!(exchange.open(&STANDARD.encode(&blob[..100])).map(|_| ()), Err(broken));
        let secure = |text: &str| SecureText(Zeroizing::new(text.to_owned()));
        for text in ["", "?", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert_eq!(key().open(&secure(text)).map(|_| ()), Err(broken), "{text}");
        }
        let long = text(&"x".repeat(SECURE_TEXT + 1));
        assert_eq!(key().seal(&long).map(|_| ()), Err(Misuse::CredentialTooLong.into()));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", key()), "SessionKey");
    }
}
