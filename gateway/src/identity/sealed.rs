//! The bytes of the accounts file: a header, and the accounts under ChaCha20-Poly1305. RFC 8439.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Says what the file is, and in which version.
const HEADER: &[u8; 18] = b"sekisho-accounts-1";

/// Why the bytes cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsealed {
    /// The header is another one.
    Foreign,
    /// The key is another one, or the file was changed.
    Refused,
    NoRandomness,
}

/// Seals under a fresh nonce. The header is authenticated too.
pub(super) fn seal(key: &[u8; 32], plain: &[u8]) -> Result<Vec<u8>, Unsealed> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| Unsealed::NoRandomness)?;
    // At its final size, since a growing buffer would leave copies of what is not sealed yet.
    let capacity = plain.len().saturating_add(CHACHA20_POLY1305.tag_len());
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    body.extend_from_slice(plain);
    let aad = Aad::from(HEADER);
    aead(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut *body)
        .map_err(|_| Unsealed::Refused)?;
    let mut bytes = HEADER.to_vec();
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Opens what [`seal`] made.
pub(super) fn open(key: &[u8; 32], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
    let rest = bytes.strip_prefix(HEADER).ok_or(Unsealed::Foreign)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unsealed::Refused)?;
    let mut body = Zeroizing::new(body.to_vec());
    let aad = Aad::from(HEADER);
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let len = aead(key)?.open_in_place(nonce, aad, &mut body).map_err(|_| Unsealed::Refused)?.len();
    body.truncate(len);
    Ok(body)
}

fn aead(key: &[u8; 32]) -> Result<LessSafeKey, Unsealed> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map_err(|_| Unsealed::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_by_the_same_key_alone() {
        let sealed = seal(&[1; 32], b"hello").unwrap();
        assert_eq!(*open(&[1; 32], &sealed).unwrap(), b"hello");
        assert_eq!(open(&[2; 32], &sealed), Err(Unsealed::Refused));
        assert!(!sealed.windows(5).any(|window| window == b"hello"));
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_refused() {
        let sealed = seal(&[1; 32], b"hello").unwrap();
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(open(&[1; 32], &bad).is_err(), "{at}");
            assert!(open(&[1; 32], &sealed[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn no_nonce_is_used_twice() {
        let one = seal(&[1; 32], b"hello").unwrap();
        let two = seal(&[1; 32], b"hello").unwrap();
        assert_ne!(one[HEADER.len()..], two[HEADER.len()..]);
    }
}
