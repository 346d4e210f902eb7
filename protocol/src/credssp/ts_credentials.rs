//! The credential that is delegated. [MS-CSSP] 2.2.1.2.

use super::DelegatedCredential;
use crate::Result;
use crate::auth::der::{self, Reader, context};
use crate::error::{LimitExceeded, Malformed, Misuse, Unsupported};
use crate::limits::{ACCOUNT_NAME, PASSWORD};
use crate::secret::SecretUtf16;
use zeroize::Zeroizing;

/// `credType` of a password. [MS-CSSP] 2.2.1.2.
const PASSWORD_TYPE: u32 = 1;

/// Reads `TSCredentials`; the input is the caller's to wipe.
pub(crate) fn decode(bytes: &[u8]) -> Result<DelegatedCredential> {
    let mut outer = Reader::new(bytes);
    let mut fields = outer.enter(der::SEQUENCE)?;
    outer.finish()?;
    let kind = fields.optional_inside(0, der::INTEGER)?.ok_or(Malformed::TsCredentials)?;
    if der::unsigned(kind)? != PASSWORD_TYPE {
        return Err(Unsupported::CredentialType.into());
    }
    let inner = fields.optional_inside(1, der::OCTET_STRING)?.ok_or(Malformed::TsCredentials)?;
    fields.finish()?;

    let mut inner = Reader::new(inner);
    let mut creds = inner.enter(der::SEQUENCE)?;
    inner.finish()?;
    let [domain, user, password] = [
        creds.optional_inside(0, der::OCTET_STRING)?.ok_or(Malformed::TsCredentials)?,
        creds.optional_inside(1, der::OCTET_STRING)?.ok_or(Malformed::TsCredentials)?,
        creds.optional_inside(2, der::OCTET_STRING)?.ok_or(Malformed::TsCredentials)?,
    ];
    creds.finish()?;
    Ok(DelegatedCredential {
        domain: decode_name(domain)?,
        user: decode_name(user)?,
        password: decode_units(password, PASSWORD)?.to_text()?,
    })
}

/// Writes `TSCredentials`, each part once at its final size.
pub(crate) fn encode(credential: &DelegatedCredential) -> Result<Zeroizing<Vec<u8>>> {
    let domain = encode_name(&credential.domain)?;
    let user = encode_name(&credential.user)?;
    let password = credential.password.to_utf16();
    if password.with(<[u16]>::len) > PASSWORD {
        return Err(Misuse::CredentialTooLong.into());
    }
    let password = password.to_le_bytes();
    let parts = [(0, domain.as_slice()), (1, &user), (2, &password)];

    let field = |content: usize| der::size_of(der::size_of(content));
    let size = parts.iter().fold(0_usize, |sum, (_, bytes)| sum.saturating_add(field(bytes.len())));
    let mut creds = Zeroizing::new(Vec::with_capacity(der::size_of(size)));
    der::write_header(&mut creds, der::SEQUENCE, size);
    for (number, bytes) in parts {
        der::write_header(&mut creds, context(number), der::size_of(bytes.len()));
        der::write(&mut creds, der::OCTET_STRING, bytes);
    }

    let kind = der::value(context(0), &der::integer(PASSWORD_TYPE));
    let size = kind.len().saturating_add(field(creds.len()));
    let mut out = Zeroizing::new(Vec::with_capacity(der::size_of(size)));
    der::write_header(&mut out, der::SEQUENCE, size);
    out.extend_from_slice(&kind);
    der::write_header(&mut out, context(1), der::size_of(creds.len()));
    der::write(&mut out, der::OCTET_STRING, &creds);
    Ok(out)
}

fn encode_name(name: &str) -> Result<Vec<u8>> {
    if name.encode_utf16().count() > ACCOUNT_NAME {
        return Err(Misuse::CredentialTooLong.into());
    }
    Ok(name.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

fn decode_name(bytes: &[u8]) -> Result<String> {
    Ok(decode_units(bytes, ACCOUNT_NAME)?.to_text()?.with(str::to_owned))
}

fn decode_units(bytes: &[u8], limit: usize) -> Result<SecretUtf16> {
    if bytes.len() > limit.saturating_mul(2) {
        return Err(LimitExceeded::MessageSize.into());
    }
    SecretUtf16::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretText;
    use proptest::prelude::*;

    fn credential(password: &str) -> DelegatedCredential {
        DelegatedCredential {
            domain: "GATEWAY".to_owned(),
            user: "j\u{f6}rg".to_owned(),
            password: SecretText::new(password.to_owned()),
        }
    }

    #[test]
    fn credentials_survive_the_way_through() {
        for password in ["", "hunter2", &"\u{1f511}".repeat(200)] {
            let bytes = encode(&credential(password)).unwrap();
            assert_eq!(bytes.capacity(), bytes.len(), "a buffer that grew leaves copies");
            let read = decode(&bytes).unwrap();
            assert_eq!((read.domain.as_str(), read.user.as_str()), ("GATEWAY", "j\u{f6}rg"));
            assert!(read.password.ct_eq(&SecretText::new(password.to_owned())));
        }
    }

    #[test]
    fn credentials_cut_anywhere_are_errors() {
        let bytes = encode(&credential("hunter2")).unwrap();
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn only_passwords_are_taken() {
        let mut bytes = encode(&credential("hunter2")).unwrap();
        let place = bytes.windows(3).position(|window| *window == [2, 1, 1]).unwrap();
        for kind in [0, 2, 6] {
            bytes[place + 2] = kind;
            assert_eq!(decode(&bytes).err(), Some(Unsupported::CredentialType.into()));
        }
    }

    #[test]
    fn sizes_are_bounded_both_ways() {
        let long = "x".repeat(PASSWORD + 1);
        assert_eq!(encode(&credential(&long)).err(), Some(Misuse::CredentialTooLong.into()));
        let mut named = credential("p");
        named.user = "x".repeat(ACCOUNT_NAME + 1);
        assert_eq!(encode(&named).err(), Some(Misuse::CredentialTooLong.into()));
        assert_eq!(decode_units(&[0; 10], 4).err(), Some(LimitExceeded::MessageSize.into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes).is_ok();
        }
    }
}
