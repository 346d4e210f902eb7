//! What the acceptors of a listener share, and what initiators do.

use super::binding::PublicKey;
use crate::Result;
use crate::auth::{BindingRule, ChannelBinding};
use crate::error::{Misuse, Unsupported};
use crate::known_certificate::{KnownBy, KnownCertificate};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ServerConfig, SignatureAlgorithm, SupportedProtocolVersion, version};
use std::sync::Arc;

/// Which versions of TLS are offered inside CredSSP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InnerTls {
    /// TLS 1.2 and 1.3: the peer picks.
    #[default]
    Both,
    /// TLS 1.2 alone, which Windows before 2022 uses, for peers that fail under 1.3.
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

impl InnerTls {
    pub(crate) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
        static TLS12: [&SupportedProtocolVersion; 1] = [&version::TLS12];
        static TLS13: [&SupportedProtocolVersion; 1] = [&version::TLS13];
        match self {
            Self::Both => &BOTH,
            Self::Tls12 => &TLS12,
            Self::Tls13 => &TLS13,
        }
    }
}

/// What all acceptors of one listener share: the TLS inside CredSSP, its key, and the certificate outside.
#[derive(Debug)]
pub struct AcceptorConfig {
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) key: PublicKey,
    pub(crate) rule: BindingRule,
}

impl AcceptorConfig {
    /// Checks the certificate and makes the TLS configuration. `outer_certificate` is the one of the HTTPS
    /// listener: a login that is bound to a channel must be bound to it or to the inner one.
    ///
    /// # Errors
    /// When the key is not RSA, which stock clients cannot read, or does not belong to the certificate.
    pub fn new(
        inner_cert: CertificateDer<'static>,
        inner_key: PrivateKeyDer<'static>,
        outer_certificate: Option<&[u8]>,
    ) -> Result<Self> {
        Self::with_tls(inner_cert, inner_key, outer_certificate, InnerTls::Both)
    }

    /// The same with the versions of TLS chosen.
    ///
    /// # Errors
    /// As [`AcceptorConfig::new`].
    pub fn with_tls(
        inner_cert: CertificateDer<'static>,
        inner_key: PrivateKeyDer<'static>,
        outer_certificate: Option<&[u8]>,
        inner_tls: InnerTls,
    ) -> Result<Self> {
        let unusable = |_| Misuse::CertificateAndKey;
        let provider = Arc::new(ring::default_provider());
        let signing = provider.key_provider.load_private_key(inner_key.clone_key()).map_err(unusable)?;
        if signing.algorithm() != SignatureAlgorithm::RSA {
            return Err(Unsupported::InnerCertificateNotRsa.into());
        }
        let key = PublicKey::of_certificate(&inner_cert)?;
        let mut bindings = vec![ChannelBinding::tls_server_end_point(&inner_cert)?];
        if let Some(certificate) = outer_certificate {
            bindings.push(ChannelBinding::tls_server_end_point(certificate)?);
        }
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(inner_tls.versions())
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(vec![inner_cert], inner_key)
            .map_err(unusable)?;
        // Under TLS 1.3 the tickets are all that the server has to send after the handshake, and clients wait
        // for something.
        tls.ticketer = ring::Ticketer::new().map_err(|_| Misuse::Randomness)?;
        // One is enough for that.
        tls.send_tls13_tickets = 1;
        // Stock Python clients send no binding inside CredSSP, so that its absence has to be accepted.
        Ok(Self { tls: Arc::new(tls), key, rule: BindingRule::AbsentOrOneOf(bindings) })
    }
}

/// The TLS of an initiator: no resumption, since each login is to stand by itself.
pub(crate) fn client_tls(inner_tls: InnerTls) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    // Certificates inside CredSSP sign themselves: (key-binding) proves their key, and what is around proves the name.
    let verifier = KnownCertificate::new(KnownBy::DangerousNothing, &provider);
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(inner_tls.versions())
        .map_err(|_| Misuse::CertificateAndKey)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    tls.resumption = rustls::client::Resumption::disabled();
    // No name goes over the wire: the target's is in the service name, where the login proves it.
    tls.enable_sni = false;
    Ok(Arc::new(tls))
}
