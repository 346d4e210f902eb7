//! The old primitives that NTLM is made of. [MS-NLMP] 3.3.2, 3.4.

use crate::Result;
use crate::error::Misuse;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The size of every key, hash and signature of NTLM.
pub(crate) const KEY: usize = 16;

/// A key, hash or proof that is wiped.
pub(crate) type Key = Zeroizing<[u8; KEY]>;

/// HMAC-MD5 over the parts, one after another.
pub(crate) fn hmac_md5(key: &[u8; KEY], parts: &[&[u8]]) -> Result<Key> {
    // A 16-byte key always fits; the error has no other cause.
    let mut mac = Hmac::<Md5>::new_from_slice(key).map_err(|_| Misuse::WrongState)?;
    for part in parts {
        mac.update(part);
    }
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// MD5 over the parts, one after another.
pub(crate) fn md5(parts: &[&[u8]]) -> Key {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(part);
    }
    Zeroizing::new(digest.finalize().into())
}

/// RC4, whose state runs on from message to message. Wiped, since its state is as good as its key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    pub(crate) fn new(key: &[u8; KEY]) -> Self {
        let mut rc4 = Self { state: std::array::from_fn(|index| u8::try_from(index).unwrap_or(u8::MAX)), i: 0, j: 0 };
        let mut j = 0_u8;
        for (i, byte) in (0..=u8::MAX).zip(key.iter().cycle()) {
            j = j.wrapping_add(rc4.at(i)).wrapping_add(*byte);
            rc4.state.swap(usize::from(i), usize::from(j));
        }
        rc4
    }

    /// Encrypts or decrypts in place.
    pub(crate) fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.i = self.i.wrapping_add(1);
            self.j = self.j.wrapping_add(self.at(self.i));
            self.state.swap(usize::from(self.i), usize::from(self.j));
            *byte ^= self.at(self.at(self.i).wrapping_add(self.at(self.j)));
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a u8 is always inside an array of 256")]
    fn at(&self, index: u8) -> u8 {
        self.state[usize::from(index)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6229 2, the 128-bit key 0x0102…10.
    #[test]
    fn rc4_makes_the_stream_of_the_rfc() {
        let key: [u8; KEY] = std::array::from_fn(|index| u8::try_from(index).unwrap() + 1);
        let mut stream = [0; 32];
        Rc4::new(&key).apply(&mut stream);
        assert_eq!(stream[..8], [0x9a, 0xc7, 0xcc, 0x9a, 0x60, 0x9d, 0x1e, 0xf7]);
        assert_eq!(stream[16..20], [0x52, 0x48, 0xc4, 0x95]);
        let mut parts = [0; 32];
        let mut rc4 = Rc4::new(&key);
        for part in parts.chunks_mut(5) {
            rc4.apply(part);
        }
        assert_eq!(parts, stream);
    }

    /// RFC 2202 2, test case 1.
    #[test]
    fn hmac_is_the_one_of_the_rfc() {
        let mac = hmac_md5(&[0x0b; KEY], &[b"Hi ", b"There"]).unwrap();
        assert_eq!(mac[..4], [0x92, 0x94, 0x72, 0x7a]);
    }
}
