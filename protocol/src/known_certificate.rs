//! TLS certificates that are right for another reason than who signed them: known by their digest, or bound to the
//! login inside. RFC 8446 4.4.3.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What makes a certificate the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The SHA-256 of its DER, whatever its name and time.
    Sha256([u8; 32]),
    /// Nothing here: it has to be verified by other means, as CredSSP does by its binding to the key.
    DangerousNothing,
}

/// Accepts such a certificate. The handshake's signature is verified always: whoever answers has the key of the
/// certificate that he shows.
#[derive(Debug)]
pub struct KnownCertificate {
    known_by: KnownBy,
    provider: Arc<CryptoProvider>,
}

impl KnownCertificate {
    /// A verifier whose signatures are those of this provider.
    #[must_use]
    pub fn new(known_by: KnownBy, provider: &Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self { known_by, provider: Arc::clone(provider) })
    }
}

impl ServerCertVerifier for KnownCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let right = match &self.known_by {
            KnownBy::Sha256(digest) => bool::from(Sha256::digest(end_entity).as_slice().ct_eq(digest)),
            KnownBy::DangerousNothing => true,
        };
        if right {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(known_by: KnownBy, certificate: &[u8]) -> Result<ServerCertVerified, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let name = ServerName::try_from("gateway.example").unwrap();
        KnownCertificate::new(known_by, &provider).verify_server_cert(
            &CertificateDer::from(certificate),
            &[],
            &name,
            &[],
            UnixTime::now(),
        )
    }

    #[test]
    fn a_digest_accepts_its_certificate_alone() {
        let known_by = KnownBy::Sha256(Sha256::digest(b"one").into());
        assert!(judge(known_by, b"one").is_ok());
        assert_eq!(judge(known_by, b"two").unwrap_err(), CertificateError::ApplicationVerificationFailure.into());
        assert!(judge(KnownBy::DangerousNothing, b"two").is_ok());
    }
}
