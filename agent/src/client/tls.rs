//! TLS to the gateway: verified by a CA file, a pinned fingerprint or the system's roots, never unverified.

use crate::error::{AgentError, CertificateFault, UsageMistake};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use sekisho_protocol::known_certificate::{KnownBy, KnownCertificate};
use std::fmt;
use std::io;
use std::sync::Arc;

/// Certificates that a CA file may hold.
const CA_CERTIFICATES: usize = 256;
/// Bytes that a CA file may have.
pub const CA_FILE_BYTES: usize = 1024 * 1024;

/// By what the gateway is verified.
#[derive(Clone, PartialEq, Eq)]
pub enum Trust {
    /// These CA certificates.
    Ca(Vec<CertificateDer<'static>>),
    /// The SHA-256 of the gateway's certificate, whatever its name and time.
    Pin([u8; 32]),
    /// The system's roots.
    System,
}

impl Trust {
    /// Reads a CA file.
    ///
    /// # Errors
    /// When it is no PEM or holds no certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, UsageMistake> {
        if pem.len() > CA_FILE_BYTES {
            return Err(UsageMistake::FileSize);
        }
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .take(CA_CERTIFICATES)
            .collect::<Result<_, _>>()
            .map_err(|_| UsageMistake::BadCa)?;
        if certificates.is_empty() {
            return Err(UsageMistake::EmptyCa);
        }
        // Tried here, so that a useless file is found before the password is asked for.
        roots(&certificates)?;
        Ok(Self::Ca(certificates))
    }

    /// Reads a fingerprint: 64 hexadecimal digits, with or without colons.
    ///
    /// # Errors
    /// [`UsageMistake::Pin`].
    pub fn from_pin(text: &str) -> Result<Self, UsageMistake> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|character| *character != ':')
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(UsageMistake::Pin)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| (high << 4) | low).collect();
        match <[u8; 32]>::try_from(bytes) {
            Ok(pin) if rest.is_empty() => Ok(Self::Pin(pin)),
            Ok(_) | Err(_) => Err(UsageMistake::Pin),
        }
    }

    pub(super) fn client_config(&self) -> Result<ClientConfig, AgentError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|_| AgentError::Tls)?;
        let mut config = match self {
            Self::Ca(certificates) => builder.with_root_certificates(roots(certificates)?).with_no_client_auth(),
            Self::System => builder.with_root_certificates(system_roots()?).with_no_client_auth(),
            Self::Pin(pin) => builder
                .dangerous()
                .with_custom_certificate_verifier(KnownCertificate::new(KnownBy::Sha256(*pin), &provider))
                .with_no_client_auth(),
        };
        // One connection and no second one: nothing to resume.
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ca(certificates) => write!(f, "Ca({} certificates)", certificates.len()),
            Self::Pin(_) => f.write_str("Pin"),
            Self::System => f.write_str("System"),
        }
    }
}

fn roots(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, UsageMistake> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).map_err(|_| UsageMistake::BadCa)?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, UsageMistake> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(UsageMistake::NoRoots);
    }
    Ok(roots)
}

/// The words for what the handshake failed with.
pub(super) fn explain(error: io::Error) -> AgentError {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return AgentError::Unreachable(error);
    };
    let rustls::Error::InvalidCertificate(fault) = tls else { return AgentError::Tls };
    // Not our enum, and open for more.
    let fault = if matches!(fault, CertificateError::UnknownIssuer) {
        CertificateFault::UnknownIssuer
    } else if matches!(fault, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) {
        CertificateFault::WrongName
    } else if matches!(
        fault,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    ) {
        CertificateFault::Expired
    } else if matches!(fault, CertificateError::ApplicationVerificationFailure) {
        CertificateFault::PinMismatch
    } else {
        CertificateFault::Other
    };
    fault.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_64_digits_with_or_without_colons() {
        let plain = "0123456789abcdefABCDEF0123456789".repeat(2);
        let colons = plain.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect::<Vec<_>>();
        assert_eq!(Trust::from_pin(&plain), Trust::from_pin(&colons.join(":")));
        assert!(matches!(Trust::from_pin(&plain), Ok(Trust::Pin([0x01, 0x23, ..]))));
        let short = plain.replacen('0', "", 1);
        for text in ["", "00", &short, &format!("{plain}00"), &format!("{plain}0"), &plain.replace('0', "g")] {
            assert_eq!(Trust::from_pin(text), Err(UsageMistake::Pin), "{text}");
        }
    }

    #[test]
    fn a_ca_file_without_a_usable_certificate_is_refused() {
        assert_eq!(Trust::from_pem(b""), Err(UsageMistake::EmptyCa));
        assert_eq!(Trust::from_pem(b"hello"), Err(UsageMistake::EmptyCa));
        let no_certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(Trust::from_pem(no_certificate), Err(UsageMistake::BadCa));
        let broken = b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        assert_eq!(Trust::from_pem(broken), Err(UsageMistake::BadCa));
        assert_eq!(Trust::from_pem(&vec![b' '; CA_FILE_BYTES + 1]), Err(UsageMistake::FileSize));
    }
}
