//! Types that hold secrets: wiped on drop, never shown.
//!
//! Each is filled once at its final size, since a growing buffer leaves copies behind. They have no `Clone`,
//! `Display`, `Deref`, `PartialEq` or `Serialize`: who needs the secret borrows it for the length of one call.
//!
//! ```
//! use sekisho_protocol::secret::SecretText;
//! let secret = SecretText::new(String::from("hunter2"));
//! assert_eq!(secret.with(str::len), 7);
//! assert_eq!(format!("{secret:?}"), "SecretText");
//! ```
//!
//! A secret is not copied by accident:
//!
//! ```compile_fail,E0599
//! use sekisho_protocol::secret::SecretText;
//! let secret = SecretText::new(String::from("hunter2"));
//! let copy = secret.clone();
//! ```
//!
//! nor printed:
//!
//! ```compile_fail,E0277
//! use sekisho_protocol::secret::SecretText;
//! let secret = SecretText::new(String::from("hunter2"));
//! let text = format!("{secret}");
//! ```
//!
//! nor compared in a time that depends on its content:
//!
//! ```compile_fail,E0369
//! use sekisho_protocol::secret::SecretText;
//! let secret = SecretText::new(String::from("hunter2"));
//! let same = secret == SecretText::new(String::from("hunter2"));
//! ```
//!
//! nor taken for what it holds:
//!
//! ```compile_fail,E0308
//! use sekisho_protocol::secret::SecretText;
//! let secret = SecretText::new(String::from("hunter2"));
//! let text: &str = &secret;
//! ```

use crate::Result;
use crate::error::Malformed;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Secret bytes: keys, hashes, tokens.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

/// Secret text in UTF-8: passwords.
pub struct SecretText(Zeroizing<String>);

/// Secret text in UTF-16, as Windows protocols carry it.
pub struct SecretUtf16(Zeroizing<Vec<u16>>);

macro_rules! shows_its_name_only {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}
shows_its_name_only!(SecretBytes, SecretText, SecretUtf16);

impl SecretBytes {
    /// Takes the bytes over; they are wiped with the secret.
    #[must_use]
    pub fn new(owned: Vec<u8>) -> Self {
        Self(Zeroizing::new(owned))
    }

    /// Lends the bytes for one call.
    pub fn with<R>(&self, borrow: impl FnOnce(&[u8]) -> R) -> R {
        borrow(&self.0)
    }

    /// Whether both are the same, in a time that depends on their lengths only.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl SecretText {
    /// Takes the text over; it is wiped with the secret.
    #[must_use]
    pub fn new(owned: String) -> Self {
        Self(Zeroizing::new(owned))
    }

    /// Takes bytes over that should be UTF-8; they are wiped when they are not.
    ///
    /// # Errors
    /// When the bytes are not UTF-8.
    pub fn from_utf8(mut owned: Zeroizing<Vec<u8>>) -> Result<Self> {
        match String::from_utf8(std::mem::take(&mut *owned)) {
            Ok(text) => Ok(Self::new(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(Malformed::Utf8.into())
            }
        }
    }

    /// Lends the text for one call.
    pub fn with<R>(&self, borrow: impl FnOnce(&str) -> R) -> R {
        borrow(&self.0)
    }

    /// The same text in UTF-16, allocated once at its size.
    #[must_use]
    pub fn to_utf16(&self) -> SecretUtf16 {
        let mut units = Vec::with_capacity(self.0.encode_utf16().count());
        units.extend(self.0.encode_utf16());
        SecretUtf16::new(units)
    }

    /// Whether both are the same, in a time that depends on their lengths only.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl SecretUtf16 {
    /// Takes the units over; they are wiped with the secret.
    #[must_use]
    pub fn new(owned: Vec<u16>) -> Self {
        Self(Zeroizing::new(owned))
    }

    /// Reads little-endian bytes, as [MS-CSSP] 2.2.1.2.1 carries a password.
    ///
    /// # Errors
    /// When the number of bytes is odd.
    pub fn from_le_bytes(bytes: &[u8]) -> Result<Self> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Malformed::Utf16.into());
        }
        let mut units = Vec::with_capacity(pairs.len());
        units.extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair)));
        Ok(Self::new(units))
    }

    /// Lends the units for one call.
    pub fn with<R>(&self, borrow: impl FnOnce(&[u16]) -> R) -> R {
        borrow(&self.0)
    }

    /// The little-endian bytes, wiped on drop.
    #[must_use]
    pub fn to_le_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len().saturating_mul(2)));
        for unit in self.0.iter() {
            bytes.extend_from_slice(&unit.to_le_bytes());
        }
        bytes
    }

    /// The same text in UTF-8, allocated once at its size.
    ///
    /// # Errors
    /// When a surrogate stands alone.
    pub fn to_text(&self) -> Result<SecretText> {
        let characters = || char::decode_utf16(self.0.iter().copied());
        let mut size = 0_usize;
        for character in characters() {
            let character = character.map_err(|_| Malformed::Utf16)?;
            size = size.saturating_add(character.len_utf8());
        }
        let mut text = String::with_capacity(size);
        text.extend(characters().map_while(std::result::Result::ok));
        Ok(SecretText::new(text))
    }

    /// Whether both are the same, in a time that depends on their lengths only.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn debug_shows_the_name_only() {
        assert_eq!(format!("{:?}", SecretBytes::new(b"canary".to_vec())), "SecretBytes");
        assert_eq!(format!("{:?}", SecretText::new("canary".to_owned())), "SecretText");
        assert_eq!(format!("{:?}", SecretText::new("canary".to_owned()).to_utf16()), "SecretUtf16");
    }

    #[test]
    fn text_survives_the_way_through_utf16() {
        let secret = SecretText::new("p\u{e4}ssw\u{f6}rd \u{1f511}".to_owned());
        let bytes = secret.to_utf16().to_le_bytes();
        let back = SecretUtf16::from_le_bytes(&bytes).and_then(|units| units.to_text()).unwrap();
        assert!(back.ct_eq(&secret));
        assert!(!back.ct_eq(&SecretText::new("p\u{e4}ssw\u{f6}rd".to_owned())));
    }

    #[test]
    fn conversions_allocate_once_at_the_final_size() {
        let secret = SecretText::new("\u{e4}\u{1f511}x".to_owned());
        let units = secret.to_utf16();
        assert_eq!(units.0.capacity(), units.0.len());
        let text = units.to_text().unwrap();
        assert_eq!(text.0.capacity(), text.0.len());
        assert_eq!(units.to_le_bytes().capacity(), units.0.len() * 2);
    }

    #[test]
    fn broken_text_is_an_error() {
        assert_eq!(SecretUtf16::from_le_bytes(&[1]).err(), Some(Error::Malformed(Malformed::Utf16)));
        let lone = SecretUtf16::new(vec![0xd800]);
        assert_eq!(lone.to_text().err(), Some(Error::Malformed(Malformed::Utf16)));
        let invalid = SecretText::from_utf8(Zeroizing::new(vec![0xff]));
        assert_eq!(invalid.err(), Some(Error::Malformed(Malformed::Utf8)));
        assert!(SecretText::from_utf8(Zeroizing::new(b"fine".to_vec())).is_ok());
    }

    #[test]
    fn bytes_compare_by_content() {
        let secret = SecretBytes::new(vec![1, 2, 3]);
        assert!(secret.ct_eq(&SecretBytes::new(vec![1, 2, 3])));
        assert!(!secret.ct_eq(&SecretBytes::new(vec![1, 2, 4])));
        assert!(!secret.ct_eq(&SecretBytes::new(vec![1, 2])));
        assert_eq!(secret.with(<[u8]>::len), 3);
        let units = SecretText::new("ab".to_owned()).to_utf16();
        assert!(units.ct_eq(&SecretUtf16::new(vec![0x61, 0x62])));
        assert_eq!(units.with(<[u16]>::len), 2);
    }
}
