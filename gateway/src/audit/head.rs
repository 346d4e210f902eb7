//! Signed heads: what each epoch's key says about the chain before it is wiped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// Separates these signatures from all others.
const CONTEXT: &str = "sekisho-audit-head-v1";

/// The end of an epoch. Its line is signed by the epoch's key, covers every line before it by `prev`, and
/// names the key of the next epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub chain: String,
    pub epoch: u64,
    /// The number of the head's own line.
    pub seq: u64,
    pub time: String,
    /// SHA-256 of the line before, in hex.
    pub prev: String,
    /// The public key of the next epoch.
    pub next_key: String,
    pub signature: String,
}

impl Head {
    /// Signs everything but `signature`, which is filled in.
    pub(super) fn signed(mut self, key: &SigningKey) -> Self {
        self.signature = STANDARD.encode(key.sign(self.message().as_bytes()).to_bytes());
        self
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        let mut bytes = [0; Signature::BYTE_SIZE];
        match STANDARD.decode_slice(&self.signature, &mut bytes) {
            Ok(Signature::BYTE_SIZE) => {
                key.verify_strict(self.message().as_bytes(), &Signature::from_bytes(&bytes)).is_ok()
            }
            Ok(_) | Err(_) => false,
        }
    }

    fn message(&self) -> String {
        let Self { chain, epoch, seq, time, prev, next_key, signature: _ } = self;
        format!("{CONTEXT}\n{chain}\n{epoch}\n{seq}\n{time}\n{prev}\n{next_key}\n")
    }
}

/// A public key as people copy it: `ed25519:` and base64.
#[must_use]
pub fn public_key_text(key: &VerifyingKey) -> String {
    format!("ed25519:{}", STANDARD.encode(key.as_bytes()))
}

/// Reads what [`public_key_text`] wrote.
#[must_use]
pub fn parse_public_key(text: &str) -> Option<VerifyingKey> {
    let mut bytes = [0; 32];
    let len = STANDARD.decode_slice(text.trim().strip_prefix("ed25519:")?, &mut bytes).ok()?;
    if len == bytes.len() { VerifyingKey::from_bytes(&bytes).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(key: &SigningKey) -> Head {
        let text = |text: &str| text.to_owned();
        let unsigned = Head {
            chain: text("c"),
            epoch: 1,
            seq: 2,
            time: text("t"),
            prev: text("p"),
            next_key: text("k"),
            signature: String::new(),
        };
        unsigned.signed(key)
    }

    #[test]
    fn a_signature_covers_every_field() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let public = key.verifying_key();
        assert!(head(&key).is_signed_by(&public));
        let changes: [fn(&mut Head); 7] = [
            |head| head.chain.push('x'),
            |head| head.epoch = 9,
            |head| head.seq = 9,
            |head| head.time.push('x'),
            |head| head.prev.push('x'),
            |head| head.next_key.push('x'),
            |head| head.signature.clear(),
        ];
        for change in changes {
            let mut head = head(&key);
            change(&mut head);
            assert!(!head.is_signed_by(&public), "{head:?}");
        }
        assert!(!head(&key).is_signed_by(&SigningKey::from_bytes(&[2; 32]).verifying_key()));
    }

    #[test]
    fn a_public_key_is_read_back() {
        let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
        assert_eq!(parse_public_key(&public_key_text(&key)), Some(key));
        for text in ["", "ed25519:", "ed25519:AAAA", &public_key_text(&key).replace("ed25519:", "")] {
            assert_eq!(parse_public_key(text), None);
        }
    }
}
