//! Encryption of credentials in memory, under a key of this process in locked, undumpable memory.

use super::{LeaseError, account};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::memory::{LockedBytes, with_wiped_stack};
use sekisho_protocol::secret::SecretText;
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// The per-process key.
#[derive(Debug)]
pub(super) struct Vault {
    key: LockedBytes,
    random: SystemRandom,
}

/// One encrypted password, with the account it belongs to in clear.
#[derive(Debug)]
pub(super) struct Sealed {
    domain: String,
    user: String,
    nonce: [u8; NONCE_LEN],
    ciphertext: Vec<u8>,
}

impl Sealed {
    /// The account's domain on a target whose configuration says this.
    pub(super) fn domain(&self, configured: Option<&str>) -> String {
        account::domain(configured, &self.domain, &self.user).to_owned()
    }
}

impl Vault {
    pub(super) fn new() -> Result<Self, LeaseError> {
        let random = SystemRandom::new();
        let (mut key, warnings) = LockedBytes::zeroed(KEY_LEN);
        for warning in warnings {
            tracing::warn!(%warning, "The key of the credential store is not protected in full");
        }
        key.with_mut(|bytes| random.fill(bytes)).map_err(|_unspecified| LeaseError::Vault)?;
        Ok(Self { key, random })
    }

    pub(super) fn seal(&self, credential: DelegatedCredential) -> Result<Sealed, LeaseError> {
        let DelegatedCredential { domain, user, password } = credential;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_unspecified| LeaseError::Vault)?;
        let mut buffer = password.with(|text| {
            // At its final size from the start: a buffer that grows leaves copies behind.
            let mut buffer = Vec::with_capacity(text.len().saturating_add(CHACHA20_POLY1305.tag_len()));
            buffer.extend_from_slice(text.as_bytes());
            buffer
        });
        drop(password);
        // The cipher unpacks the key in its frame.
        with_wiped_stack(|| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let sealed = self.key()?.seal_in_place_append_tag(nonce, aad(&domain, &user), &mut buffer);
            sealed.map_err(|_unspecified| LeaseError::Vault)
        })?;
        Ok(Sealed { domain, user, nonce, ciphertext: buffer })
    }

    pub(super) fn open(&self, sealed: &Sealed) -> Result<DelegatedCredential, LeaseError> {
        let mut buffer = Zeroizing::new(sealed.ciphertext.clone());
        let plain = with_wiped_stack(|| {
            let nonce = Nonce::assume_unique_for_key(sealed.nonce);
            let opened = self.key()?.open_in_place(nonce, aad(&sealed.domain, &sealed.user), &mut buffer);
            opened.map(|plain| plain.len()).map_err(|_unspecified| LeaseError::Vault)
        })?;
        buffer.truncate(plain);
        let text = std::str::from_utf8(&buffer).map_err(|_not_text| LeaseError::Vault)?;
        let password = SecretText::new(text.to_owned());
        Ok(DelegatedCredential { domain: sealed.domain.clone(), user: sealed.user.clone(), password })
    }

    fn key(&self) -> Result<LessSafeKey, LeaseError> {
        let key = self.key.with(|bytes| UnboundKey::new(&CHACHA20_POLY1305, bytes));
        key.map(LessSafeKey::new).map_err(|_unspecified| LeaseError::Vault)
    }
}

fn aad(domain: &str, user: &str) -> Aad<Vec<u8>> {
    Aad::from([domain.as_bytes(), b"\\", user.as_bytes()].concat())
}
