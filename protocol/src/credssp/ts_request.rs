//! The message of CredSSP. [MS-CSSP] 2.2.1.

use crate::Result;
use crate::auth::der::{self, Reader, context};
use crate::error::{Malformed, PeerMisbehaved, Unsupported};

/// The version that we speak. [MS-CSSP] 2.2.1.
pub(crate) const VERSION: u32 = 6;
/// The first version whose key binding is a hash with a nonce, and not an echo. CVE-2018-0886.
const FIRST_SAFE_VERSION: u32 = 5;
/// `STATUS_LOGON_FAILURE`: all that a peer learns of a login that failed.
pub(crate) const LOGON_FAILURE: u32 = 0xc000_006d;

/// The size of the client's nonce.
pub(crate) const NONCE: usize = 32;

/// One message; every field but the version is optional.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct TsRequest<'a> {
    pub(crate) version: u32,
    pub(crate) nego_token: Option<&'a [u8]>,
    pub(crate) auth_info: Option<&'a [u8]>,
    pub(crate) pub_key_auth: Option<&'a [u8]>,
    pub(crate) error_code: Option<u32>,
    pub(crate) nonce: Option<&'a [u8]>,
}

impl<'a> TsRequest<'a> {
    /// An empty message of our version.
    pub(crate) fn ours() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut outer = Reader::new(bytes);
        let mut fields = outer.enter(der::SEQUENCE)?;
        outer.finish()?;
        let version = fields.optional_inside(0, der::INTEGER)?.ok_or(Malformed::TsRequest)?;
        let request = Self {
            version: der::unsigned(version)?,
            nego_token: read_nego_token(&mut fields)?,
            auth_info: fields.optional_inside(2, der::OCTET_STRING)?,
            pub_key_auth: fields.optional_inside(3, der::OCTET_STRING)?,
            error_code: fields.optional_inside(4, der::INTEGER)?.map(read_status).transpose()?,
            nonce: fields.optional_inside(5, der::OCTET_STRING)?,
        };
        // A field that we do not know could be one that a later check should have seen.
        fields.finish()?;
        Ok(request)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        der::write(&mut fields, context(0), &der::integer(self.version));
        if let Some(token) = self.nego_token {
            let token = der::value(context(0), &der::value(der::OCTET_STRING, token));
            let list = der::value(der::SEQUENCE, &der::value(der::SEQUENCE, &token));
            der::write(&mut fields, context(1), &list);
        }
        for (number, bytes) in [(2, self.auth_info), (3, self.pub_key_auth)] {
            if let Some(bytes) = bytes {
                der::write(&mut fields, context(number), &der::value(der::OCTET_STRING, bytes));
            }
        }
        if let Some(status) = self.error_code {
            // Four bytes whatever the sign, as Windows writes it.
            der::write(&mut fields, context(4), &der::value(der::INTEGER, &status.to_be_bytes()));
        }
        if let Some(nonce) = self.nonce {
            der::write(&mut fields, context(5), &der::value(der::OCTET_STRING, nonce));
        }
        der::value(der::SEQUENCE, &fields).to_vec()
    }
}

/// `NegoData`: a list of which only the first token is ever used; more than one is refused.
fn read_nego_token<'a>(fields: &mut Reader<'a>) -> Result<Option<&'a [u8]>> {
    let Some(list) = fields.optional_inside(1, der::SEQUENCE)? else {
        return Ok(None);
    };
    let mut list = Reader::new(list);
    let mut item = list.enter(der::SEQUENCE)?;
    list.finish()?;
    let token = item.optional_inside(0, der::OCTET_STRING)?.ok_or(Malformed::TsRequest)?;
    item.finish()?;
    Ok(Some(token))
}

/// An NTSTATUS, which some write as a negative number and some with a zero before it.
fn read_status(content: &[u8]) -> Result<u32> {
    let digits = content.strip_prefix(&[0]).unwrap_or(content);
    if content.is_empty() || digits.len() > 4 {
        return Err(Malformed::TsRequest.into());
    }
    Ok(digits.iter().fold(0, |sum, digit| (sum << 8) | u32::from(*digit)))
}

/// INVARIANT(credssp-version): version 5 or later, and the same one in every message of a login, on both
/// sides. Below lies the echo of the public key that CVE-2018-0886 is about.
#[derive(Debug, Default)]
pub(crate) struct VersionGate {
    seen: Option<u32>,
}

impl VersionGate {
    pub(crate) fn pass(&mut self, version: u32) -> Result<()> {
        if version < FIRST_SAFE_VERSION {
            return Err(Unsupported::CredSspVersion.into());
        }
        if *self.seen.get_or_insert(version) == version { Ok(()) } else { Err(PeerMisbehaved::VersionChanged.into()) }
    }

    /// Whether the peer reads an error code: version 5 has none. [MS-CSSP] 2.2.1.
    pub(crate) fn reads_error_codes(&self) -> bool {
        self.seen.is_some_and(|version| version > FIRST_SAFE_VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn full() -> TsRequest<'static> {
        TsRequest {
            version: 6,
            nego_token: Some(&[1; 300]),
            auth_info: Some(b"auth"),
            pub_key_auth: Some(b"key"),
            error_code: Some(LOGON_FAILURE),
            nonce: Some(&[2; NONCE]),
        }
    }

    #[test]
    fn messages_survive_the_way_through() {
        for message in [full(), TsRequest::ours()] {
            assert_eq!(TsRequest::decode(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn messages_cut_or_lengthened_anywhere_are_errors() {
        let mut bytes = full().encode();
        for cut in 0..bytes.len() {
            assert!(TsRequest::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        bytes.push(0);
        assert!(TsRequest::decode(&bytes).is_err());
    }

    #[test]
    fn unknown_fields_and_a_missing_version_are_errors() {
        let version = der::value(context(0), &der::integer(6));
        let mut fields = version.to_vec();
        der::write(&mut fields, context(6), &der::integer(1));
        assert!(TsRequest::decode(&der::value(der::SEQUENCE, &fields)).is_err());
        assert_eq!(TsRequest::decode(&der::value(der::SEQUENCE, &[])), Err(Malformed::TsRequest.into()));
    }

    #[test]
    fn a_status_is_read_in_every_spelling() {
        assert_eq!(read_status(&[0xc0, 0, 0, 0x6d]), Ok(LOGON_FAILURE));
        assert_eq!(read_status(&[0, 0xc0, 0, 0, 0x6d]), Ok(LOGON_FAILURE));
        assert_eq!(read_status(&[5]), Ok(5));
        assert!(read_status(&[]).is_err());
        assert!(read_status(&[1, 2, 3, 4, 5]).is_err());
    }

    #[test]
    fn versions_are_safe_and_constant() {
        for version in [0, 2, 3, 4] {
            assert_eq!(VersionGate::default().pass(version), Err(Unsupported::CredSspVersion.into()));
        }
        let mut gate = VersionGate::default();
        gate.pass(5).unwrap();
        assert!(!gate.reads_error_codes());
        gate.pass(5).unwrap();
        assert_eq!(gate.pass(6), Err(PeerMisbehaved::VersionChanged.into()));
        let mut gate = VersionGate::default();
        gate.pass(6).unwrap();
        assert!(gate.reads_error_codes());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = TsRequest::decode(&bytes).is_ok();
            let _ = TsRequest::decode(&der::value(der::SEQUENCE, &bytes)).is_ok();
        }
    }
}
