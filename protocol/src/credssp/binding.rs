//! The binding of a login to the key of the TLS around it. [MS-CSSP] 3.1.5, CVE-2018-0886.

use crate::Result;
use crate::error::{AuthFailure, LimitExceeded, Malformed};
use crate::limits::CERTIFICATE;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use x509_parser::prelude::{FromDer, X509Certificate};

const CLIENT_TO_SERVER: &[u8] = b"CredSSP Client-To-Server Binding Hash\0";
const SERVER_TO_CLIENT: &[u8] = b"CredSSP Server-To-Client Binding Hash\0";

/// Whose proof it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    ClientToServer,
    ServerToClient,
}

/// The key in a certificate as CredSSP hashes it: the content of the BIT STRING, and not what is around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(Vec<u8>);

impl PublicKey {
    pub(crate) fn of_certificate(der: &[u8]) -> Result<Self> {
        if der.len() > CERTIFICATE {
            return Err(LimitExceeded::MessageSize.into());
        }
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Malformed::Certificate)?;
        Ok(Self(certificate.public_key().subject_public_key.data.to_vec()))
    }

    /// The hash that one side proves to know under the login's session.
    pub(crate) fn proof(&self, direction: Direction, nonce: &[u8]) -> [u8; 32] {
        let magic = match direction {
            Direction::ClientToServer => CLIENT_TO_SERVER,
            Direction::ServerToClient => SERVER_TO_CLIENT,
        };
        Sha256::new().chain_update(magic).chain_update(nonce).chain_update(&self.0).finalize().into()
    }

    /// INVARIANT(key-binding): no credential is read or sent before the peer has proved, under the session of
    /// the login, that it sees the same TLS key; compared in constant time.
    pub(crate) fn verify(&self, direction: Direction, nonce: &[u8], proof: &[u8]) -> Result<()> {
        if self.proof(direction, nonce).ct_eq(proof).into() { Ok(()) } else { Err(AuthFailure::KeyBindingWrong.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_depend_on_direction_nonce_and_key() {
        let key = PublicKey(b"key".to_vec());
        let proof = key.proof(Direction::ClientToServer, b"nonce");
        let by_hand: [u8; 32] = Sha256::digest(b"CredSSP Client-To-Server Binding Hash\0noncekey").into();
        assert_eq!(proof, by_hand);
        key.verify(Direction::ClientToServer, b"nonce", &proof).unwrap();
        let wrong = Err(AuthFailure::KeyBindingWrong.into());
        assert_eq!(key.verify(Direction::ServerToClient, b"nonce", &proof), wrong);
        assert_eq!(key.verify(Direction::ClientToServer, b"other", &proof), wrong);
        assert_eq!(PublicKey(b"kex".to_vec()).verify(Direction::ClientToServer, b"nonce", &proof), wrong);
        assert_eq!(key.verify(Direction::ClientToServer, b"nonce", &proof[..31]), wrong);
        assert_eq!(key.verify(Direction::ClientToServer, b"nonce", b""), wrong);
    }

    #[test]
    fn the_key_is_the_content_of_the_bit_string() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["gw.test".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let bound = PublicKey::of_certificate(certificate.der()).unwrap();
        assert_eq!(bound.0, key.public_key_raw());
        assert!(PublicKey::of_certificate(b"junk").is_err());
    }
}
