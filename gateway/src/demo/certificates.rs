//! Certificates of the targets, by a CA that lives as long as the demo.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

/// Nobody needs them tomorrow.
const LIFETIME: Duration = Duration::days(2);
/// Clocks within one machine agree, but for the second that is cut off.
const BACKDATED: Duration = Duration::hours(1);

/// One target's certificate and key.
pub(super) struct Issued {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// The CA's certificate in PEM, and one certificate for each name. The CA's key is forgotten.
pub(super) fn issue(names: &[&str], now: OffsetDateTime) -> Result<(String, Vec<Issued>), rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut ca = params(&[], "Sekisho demo targets", now)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let pem = ca.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca, ca_key);
    let issued = names.iter().map(|name| {
        let key = KeyPair::generate()?;
        let mut server = params(&[(*name).to_owned()], name, now)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = server.signed_by(&key, &issuer)?.der().clone();
        Ok(Issued { certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
    });
    Ok((pem, issued.collect::<Result<_, rcgen::Error>>()?))
}

fn params(names: &[String], common_name: &str, now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = now.saturating_sub(BACKDATED);
    params.not_after = now.saturating_add(LIFETIME);
    Ok(params)
}
