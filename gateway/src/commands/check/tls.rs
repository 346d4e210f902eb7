//! Certificates and their keys.

use std::path::Path;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use super::Findings;
use crate::config::InnerCertificate;
use crate::private_file::{Access, read};

/// A chain or a bundle of authorities.
const MAX_PEM: u64 = 4 * 1024 * 1024;
/// Time to get another.
const SOON: Duration = Duration::days(30);
const LEAST_RSA_BITS: usize = 2048;

/// A listener's certificate and key.
pub(super) fn server(certificate: &Path, key: &Path, names: &[String], now: OffsetDateTime, findings: &mut Findings) {
    let Some(chain) = pair(certificate, key, findings) else { return };
    let shown = certificate.display();
    for der in &chain {
        with_parsed(certificate, der, findings, |parsed, findings| validity(certificate, parsed, now, findings));
    }
    let Some(leaf) = chain.first() else { return };
    with_parsed(certificate, leaf, findings, |parsed, findings| {
        for name in names.iter().filter(|name| !covers(parsed, name)) {
            findings.mistake(format!(
                "{shown} is not for the server name {name}; get a certificate that is, or take the name out"
            ));
        }
    });
}

/// The certificate inside CredSSP.
pub(super) fn credssp(inner: &InnerCertificate, now: OffsetDateTime, findings: &mut Findings) {
    let Some(chain) = pair(&inner.certificate, &inner.key, findings) else { return };
    let Some(leaf) = chain.first() else { return };
    with_parsed(&inner.certificate, leaf, findings, |parsed, findings| {
        validity(&inner.certificate, parsed, now, findings);
        let shown = inner.certificate.display();
        match parsed.public_key().parsed() {
            Ok(PublicKey::RSA(key)) if key.key_size() >= LEAST_RSA_BITS => {}
            Ok(PublicKey::RSA(_)) => findings
                .mistake(format!("{shown} has an RSA key of less than {LEAST_RSA_BITS} bits; make a longer one")),
            Ok(_) | Err(_) => findings.mistake(format!(
                "{shown} has no RSA key, on which stock clients crash; make an RSA certificate for credssp"
            )),
        }
    });
}

/// The authorities of targets.
pub(super) fn authorities(path: &Path, now: OffsetDateTime, findings: &mut Findings) {
    let Some(certificates) = certificates(path, findings) else { return };
    for der in &certificates {
        with_parsed(path, der, findings, |parsed, findings| {
            validity(path, parsed, now, findings);
            if !parsed.is_ca() {
                findings.warning(format!(
                    "{} has a certificate that is no authority; to trust one certificate alone, use `pin`",
                    path.display()
                ));
            }
        });
    }
}

/// A certificate chain that belongs to a private key.
fn pair(certificate: &Path, key_path: &Path, findings: &mut Findings) -> Option<Vec<CertificateDer<'static>>> {
    let chain = certificates(certificate, findings);
    let key = match read(key_path, MAX_PEM, Access::OwnerOnly) {
        Ok(bytes) => {
            PrivateKeyDer::from_pem_slice(&bytes).ok().and_then(|key| any_supported_type(&key).ok()).or_else(|| {
                findings.mistake(format!(
                    "{} has no private key that can be used; it must be PEM, without a passphrase",
                    key_path.display()
                ));
                None
            })
        }
        Err(error) => {
            findings.mistake(error.to_string());
            None
        }
    };
    let (chain, key) = (chain?, key?);
    if CertifiedKey::new(chain.clone(), key).keys_match().is_err() {
        findings.mistake(format!(
            "{} is not the key of {}; put the two that belong together there",
            key_path.display(),
            certificate.display()
        ));
    }
    Some(chain)
}

fn certificates(path: &Path, findings: &mut Findings) -> Option<Vec<CertificateDer<'static>>> {
    let shown = path.display();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            findings.mistake(format!("{shown}: {error}; name a PEM file that is there"));
            return None;
        }
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Some(certificates),
        Ok(_) | Err(_) => {
            findings.mistake(format!("{shown} has no certificate; it must be PEM"));
            None
        }
    }
}

fn with_parsed(
    path: &Path,
    der: &CertificateDer<'_>,
    findings: &mut Findings,
    look: impl FnOnce(&X509Certificate<'_>, &mut Findings),
) {
    match X509Certificate::from_der(der) {
        Ok((_, parsed)) => look(&parsed, findings),
        Err(_) => findings.mistake(format!("{} has a certificate that cannot be read; make it again", path.display())),
    }
}

fn validity(path: &Path, parsed: &X509Certificate<'_>, now: OffsetDateTime, findings: &mut Findings) {
    let (shown, validity) = (path.display(), parsed.validity());
    let not_after = validity.not_after.to_datetime();
    if not_after <= now {
        findings.mistake(format!("{shown} has expired on {}; get a new certificate", not_after.date()));
    } else if not_after - now < SOON {
        findings.warning(format!("{shown} expires on {}; get a new certificate", not_after.date()));
    }
    if validity.not_before.to_datetime() > now {
        findings.mistake(format!("{shown} is not valid yet; look at this machine's clock"));
    }
}

fn covers(parsed: &X509Certificate<'_>, name: &str) -> bool {
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|general| {
        let GeneralName::DNSName(pattern) = general else { return false };
        match pattern.strip_prefix("*.") {
            Some(rest) => name.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest)),
            None => pattern.eq_ignore_ascii_case(name),
        }
    })
}
