//! Channel bindings of type `tls-server-end-point`. RFC 5929 4.

use crate::Result;
use crate::error::{AuthFailure, LimitExceeded, Malformed};
use crate::limits::CERTIFICATE;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The binding of a login to the server's certificate. RFC 5929 4.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelBinding {
    /// MD5 over the `gss_channel_bindings_struct`, as NTLM's AUTHENTICATE carries it. [MS-NLMP] 2.2.2.1.
    digest: [u8; DIGEST_SIZE],
}

/// Which channel bindings an acceptor takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindingRule {
    /// A login may come without a binding (stock Python clients in CredSSP do); a wrong one is refused.
    AbsentOrOneOf(Vec<ChannelBinding>),
    /// A login must be bound to one of these.
    OneOf(Vec<ChannelBinding>),
}

const DIGEST_SIZE: usize = 16;
const PREFIX: &[u8] = b"tls-server-end-point:";
/// Four empty fields: types and lengths of the initiator's and acceptor's addresses. RFC 2744 3.11.
const NO_ADDRESSES: [u8; 16] = [0; 16];

impl ChannelBinding {
    /// The binding to a certificate: its hash by the algorithm of its signature, SHA-256 where that is weaker
    /// or has none. RFC 5929 4.1.
    ///
    /// # Errors
    /// When the bytes are no certificate, or too many.
    pub fn tls_server_end_point(cert_der: &[u8]) -> Result<Self> {
        if cert_der.len() > CERTIFICATE {
            return Err(LimitExceeded::MessageSize.into());
        }
        let (_, certificate) = X509Certificate::from_der(cert_der).map_err(|_| Malformed::Certificate)?;
        let oid = hash_name(&certificate.signature_algorithm);
        let mut data = PREFIX.to_vec();
        match oid.as_str() {
            SHA384_RSA | SHA384_ECDSA | SHA384 => data.extend_from_slice(&sha2::Sha384::digest(cert_der)),
            SHA512_RSA | SHA512_ECDSA | SHA512 => data.extend_from_slice(&sha2::Sha512::digest(cert_der)),
            _ => data.extend_from_slice(&sha2::Sha256::digest(cert_der)),
        }
        let length = u32::try_from(data.len()).map_err(|_| LimitExceeded::MessageSize)?;
        let digest =
            Md5::new().chain_update(NO_ADDRESSES).chain_update(length.to_le_bytes()).chain_update(&data).finalize();
        Ok(Self { digest: digest.into() })
    }

    /// What NTLM's AUTHENTICATE carries. [MS-NLMP] 2.2.2.1 `MsvAvChannelBindings`.
    pub(crate) fn digest(&self) -> &[u8; DIGEST_SIZE] {
        &self.digest
    }

    #[cfg(test)]
    pub(crate) fn of_digest(digest: [u8; DIGEST_SIZE]) -> Self {
        Self { digest }
    }
}

impl BindingRule {
    /// Judges what a login carries; all zeros say "none". [MS-NLMP] 3.1.5.1.2.
    pub(crate) fn judge(&self, digest: Option<&[u8; DIGEST_SIZE]>) -> Result<(), AuthFailure> {
        let present = digest.filter(|digest| **digest != [0; DIGEST_SIZE]);
        match (self, present) {
            (Self::AbsentOrOneOf(_), None) => Ok(()),
            (Self::OneOf(_), None) => Err(AuthFailure::ChannelBindingMissing),
            (Self::AbsentOrOneOf(accepted) | Self::OneOf(accepted), Some(digest)) => {
                let known = accepted.iter().any(|one| one.digest.ct_eq(digest).into());
                if known { Ok(()) } else { Err(AuthFailure::ChannelBindingWrong) }
            }
        }
    }
}

const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const SHA384_RSA: &str = "1.2.840.113549.1.1.12";
const SHA512_RSA: &str = "1.2.840.113549.1.1.13";
const SHA384_ECDSA: &str = "1.2.840.10045.4.3.3";
const SHA512_ECDSA: &str = "1.2.840.10045.4.3.4";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";

/// The OID that tells the hash: the signature's, or for RSA-PSS the one in its parameters. RFC 4055 3.1.
fn hash_name(algorithm: &x509_parser::x509::AlgorithmIdentifier<'_>) -> String {
    let name = algorithm.algorithm.to_id_string();
    if name != RSA_PSS {
        return name;
    }
    algorithm
        .parameters
        .as_ref()
        .and_then(|parameters| x509_parser::signature_algorithm::RsaSsaPssParams::try_from(parameters).ok())
        .map_or(name, |parameters| parameters.hash_algorithm_oid().to_id_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let params = rcgen::CertificateParams::new(vec!["gw.test".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn by_hand(hash: &[u8]) -> ChannelBinding {
        let mut data = vec![0; 16];
        data.extend_from_slice(&u32::try_from(PREFIX.len().saturating_add(hash.len())).unwrap().to_le_bytes());
        data.extend_from_slice(PREFIX);
        data.extend_from_slice(hash);
        ChannelBinding::of_digest(Md5::digest(&data).into())
    }

    #[test]
    fn the_hash_follows_the_signature() {
        let der = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        let binding = ChannelBinding::tls_server_end_point(&der).unwrap();
        assert_eq!(binding, by_hand(&sha2::Sha256::digest(&der)));
        let der = certificate(&rcgen::PKCS_ECDSA_P384_SHA384);
        let binding = ChannelBinding::tls_server_end_point(&der).unwrap();
        assert_eq!(binding, by_hand(&sha2::Sha384::digest(&der)));
        let der = certificate(&rcgen::PKCS_ED25519);
        let binding = ChannelBinding::tls_server_end_point(&der).unwrap();
        assert_eq!(binding, by_hand(&sha2::Sha256::digest(&der)));
    }

    #[test]
    fn rules_judge_absent_right_and_wrong_bindings() {
        let ours = ChannelBinding::of_digest([1; 16]);
        let lax = BindingRule::AbsentOrOneOf(vec![ours.clone()]);
        let strict = BindingRule::OneOf(vec![ours]);
        for rule in [&lax, &strict] {
            assert_eq!(rule.judge(Some(&[1; 16])), Ok(()));
            assert_eq!(rule.judge(Some(&[2; 16])), Err(AuthFailure::ChannelBindingWrong));
        }
        for absent in [None, Some(&[0; 16])] {
            assert_eq!(lax.judge(absent), Ok(()));
            assert_eq!(strict.judge(absent), Err(AuthFailure::ChannelBindingMissing));
        }
    }

    #[test]
    fn no_certificate_is_an_error() {
        assert!(ChannelBinding::tls_server_end_point(b"junk").is_err());
        assert!(ChannelBinding::tls_server_end_point(&[0x30; CERTIFICATE + 1]).is_err());
    }
}
