//! The certificates of a first installation.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use rustls::pki_types::PrivatePkcs8KeyDer;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::CommandError;
use crate::random::random;

/// What clients and the gateway's own crypto take for a server today.
const RSA_BITS: usize = 2048;
const CA_DAYS: i64 = 3650;
/// The most that clients accept of a server's certificate.
const SERVER_DAYS: i64 = 825;
/// Clocks that are behind must not refuse a fresh certificate.
const BACKDATED: Duration = Duration::hours(1);

/// PEM texts.
pub(super) struct Certificates {
    pub(super) ca: String,
    pub(super) ca_key: Zeroizing<String>,
    pub(super) server: String,
    pub(super) server_key: Zeroizing<String>,
    pub(super) credssp: String,
    pub(super) credssp_key: Zeroizing<String>,
}

/// A CA of its own, a server certificate for these names, and the one inside CredSSP, which signs itself:
/// clients bind the login to its key and verify no name.
pub(super) fn make(names: &[String], now: OffsetDateTime) -> Result<Certificates, CommandError> {
    let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut ca = params(&[], "Sekisho CA", now, CA_DAYS)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key).map_err(failed)?;
    let ca_key_text = Zeroizing::new(ca_key.serialize_pem());
    let issuer = Issuer::new(ca, ca_key);

    let first = names.first().map_or("localhost", String::as_str);
    let server_key = rsa_key()?;
    let server = server_params(names, first, now)?.signed_by(&server_key, &issuer).map_err(failed)?;
    let inner_key = rsa_key()?;
    let inner = server_params(names, first, now)?.self_signed(&inner_key).map_err(failed)?;
    Ok(Certificates {
        ca: ca_certificate.pem(),
        ca_key: ca_key_text,
        server: server.pem(),
        server_key: Zeroizing::new(server_key.serialize_pem()),
        credssp: inner.pem(),
        credssp_key: Zeroizing::new(inner_key.serialize_pem()),
    })
}

fn server_params(names: &[String], common_name: &str, now: OffsetDateTime) -> Result<CertificateParams, CommandError> {
    let mut params = params(names, common_name, now, SERVER_DAYS)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(
    names: &[String],
    common_name: &str,
    now: OffsetDateTime,
    days: i64,
) -> Result<CertificateParams, CommandError> {
    let mut params = CertificateParams::new(names.to_vec()).map_err(failed)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = now - BACKDATED;
    params.not_after = now + Duration::days(days);
    Ok(params)
}

/// ring signs with RSA keys and cannot make them.
fn rsa_key() -> Result<KeyPair, CommandError> {
    let mut random = random().map_err(|error| CommandError::Certificate(error.to_string()))?;
    let key =
        RsaPrivateKey::new(&mut random, RSA_BITS).map_err(|error| CommandError::Certificate(error.to_string()))?;
    let der = key.to_pkcs8_der().map_err(|error| CommandError::Certificate(error.to_string()))?;
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der.as_bytes()), &PKCS_RSA_SHA256).map_err(failed)
}

fn failed(error: rcgen::Error) -> CommandError {
    CommandError::Certificate(error.to_string())
}
