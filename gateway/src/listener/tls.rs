//! Certificates of a listener: the outer one of HTTPS, and the RSA one of the TLS inside CredSSP.

use crate::config::InnerCertificate;
use crate::private_file::{self, Access, FileError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho_protocol::credssp::AcceptorConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Certificates in one file.
const MAX_CHAIN: usize = 16;
/// Bytes of a key's file. RSA-4096 takes 3 KB.
const MAX_KEY: u64 = 64 * 1024;

/// Why a certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read, or holds no PEM of this kind.
    #[error("{} holds no usable PEM {what}: check path, permissions and format", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The key's file cannot be read, or others can read it.
    #[error("{0}")]
    Key(#[from] FileError),
    /// rustls refuses certificate and key.
    #[error("certificate {path} and its key do not work together: {source}", path = path.display())]
    Rustls {
        /// The certificate's file.
        path: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The certificate inside CredSSP is not usable.
    #[error("CredSSP cannot use certificate {path}: {source}", path = path.display())]
    Inner {
        /// The certificate's file.
        path: PathBuf,
        /// What the acceptor says.
        source: sekisho_protocol::Error,
    },
}

/// TLS of one listener.
pub(crate) struct ListenerTls {
    pub(crate) acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
}

impl std::fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ListenerTls")
    }
}

impl ListenerTls {
    pub(crate) fn load(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let (chain, first) = read_chain(certificate)?;
        let key = read_key(key)?;
        let broken = |source| CertificateError::Rustls { path: certificate.to_owned(), source };
        let mut config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(broken)?
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .map_err(broken)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A client sends nothing before the login that early data would speed up.
        config.max_early_data_size = 0;
        // Each is worked for in every handshake; a client that comes back needs one.
        config.send_tls13_tickets = 1;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: first })
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

/// The acceptor's configuration for CredSSP on a listener.
pub(crate) fn inner_config(
    inner: &InnerCertificate,
    outer: Option<&[u8]>,
) -> Result<Arc<AcceptorConfig>, CertificateError> {
    let (_chain, certificate) = read_chain(&inner.certificate)?;
    let key = read_key(&inner.key)?;
    AcceptorConfig::new(certificate, key, outer)
        .map(Arc::new)
        .map_err(|source| CertificateError::Inner { path: inner.certificate.clone(), source })
}

/// All certificates of a file, and its first.
pub(crate) fn read_chain(
    path: &Path,
) -> Result<(Vec<CertificateDer<'static>>, CertificateDer<'static>), CertificateError> {
    let broken = || CertificateError::Pem { path: path.to_owned(), what: "certificate" };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(|found| found.take(MAX_CHAIN).collect())
        .map_err(|_unreadable| broken())?;
    let first = chain.first().cloned().ok_or_else(broken)?;
    Ok((chain, first))
}

/// A private key, refused when others can read its file.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let pem = private_file::read(path, MAX_KEY, Access::OwnerOnly)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_unreadable| CertificateError::Pem { path: path.to_owned(), what: "private key" })
}
