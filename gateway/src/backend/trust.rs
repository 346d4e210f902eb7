//! What makes a target's certificate the right one.

use crate::config::{Target, TargetTransport, Trust};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, Error, RootCertStore};
use sekisho_protocol::known_certificate::{KnownBy, KnownCertificate};
use std::path::PathBuf;
use std::sync::Arc;

/// Certificates in one file of roots.
const MAX_ROOTS: usize = 1024;

/// Why no trust can be made of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read or holds no certificate.
    #[error("{} holds no usable certificate in PEM: check path, permissions and format", .0.display())]
    Roots(PathBuf),
    /// The system has no roots.
    #[error("the system has no root certificates: install ca-certificates, or give the target a `ca` or `pin`")]
    SystemRoots,
    /// rustls refuses the settings.
    #[error("TLS cannot be set up: {0}")]
    Rustls(Error),
}

/// The TLS settings for a target, or none where it is reached without.
///
/// # Errors
/// When the roots cannot be read.
pub fn client_config(target: &Target) -> Result<Option<Arc<ClientConfig>>, TrustError> {
    let trust = match &target.transport {
        TargetTransport::Https { trust, .. } => trust,
        TargetTransport::PlainHttp => return Ok(None),
    };
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::SystemRoots => by_roots(system_roots()?, &provider)?,
        Trust::Ca(file) => by_roots(roots_of(file)?, &provider)?,
        Trust::Pin(pin) => KnownCertificate::new(KnownBy::Sha256(*pin), &provider),
        Trust::Unverified => KnownCertificate::new(KnownBy::DangerousNothing, &provider),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Rustls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // Connections belong to one principal each; a session ticket must not tie two together.
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

fn by_roots(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| TrustError::Rustls(Error::General(error.to_string())))?;
    Ok(verifier)
}

fn roots_of(file: &std::path::Path) -> Result<RootCertStore, TrustError> {
    let broken = || TrustError::Roots(file.to_owned());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|_unreadable| broken())?.take(MAX_ROOTS) {
        roots.add(certificate.map_err(|_unreadable| broken())?).map_err(|_unusable| broken())?;
    }
    if roots.is_empty() { Err(broken()) } else { Ok(roots) }
}

fn system_roots() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustError::SystemRoots) } else { Ok(roots) }
}
