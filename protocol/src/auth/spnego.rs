//! SPNEGO tokens. RFC 4178 4.2, [MS-SPNG] 2.2.

use crate::Result;
use crate::auth::der::{self, Reader, context};
use crate::error::{LimitExceeded, Malformed};
use crate::limits::SPNEGO_MECHANISMS;

/// The content of SPNEGO's object identifier, 1.3.6.1.5.5.2.
const SPNEGO_OID: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
/// The content of NTLM's, 1.3.6.1.4.1.311.2.2.10. [MS-SPNG] 1.9.
pub(crate) const NTLM_OID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a];

/// Where the negotiation is. RFC 4178 4.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NegState {
    Completed,
    Incomplete,
    Reject,
    RequestMic,
}

/// The first token. RFC 4178 4.2.1.
#[derive(Debug)]
pub(crate) struct NegTokenInit<'a> {
    /// The list as it was sent, which the signature over it covers.
    pub(crate) mech_list: Vec<u8>,
    /// The mechanisms in the peer's order.
    pub(crate) mechanisms: Vec<&'a [u8]>,
    /// A first token for the first mechanism.
    pub(crate) token: Option<&'a [u8]>,
}

/// Every other token. RFC 4178 4.2.2.
#[derive(Debug, Default)]
pub(crate) struct NegTokenResp<'a> {
    pub(crate) state: Option<NegState>,
    pub(crate) mechanism: Option<&'a [u8]>,
    pub(crate) token: Option<&'a [u8]>,
    pub(crate) mic: Option<&'a [u8]>,
}

/// Whether a token is a first SPNEGO token, and not of a mechanism by itself.
pub(crate) fn is_first_token(token: &[u8]) -> bool {
    let named =
        || -> Result<bool> { Ok(Reader::new(token).enter(der::APPLICATION_0)?.expect(der::OBJECT_ID)? == SPNEGO_OID) };
    named().unwrap_or(false)
}

impl<'a> NegTokenInit<'a> {
    pub(crate) fn decode(token: &'a [u8]) -> Result<Self> {
        let mut outer = Reader::new(token);
        let mut frame = outer.enter(der::APPLICATION_0)?;
        outer.finish()?;
        if frame.expect(der::OBJECT_ID)? != SPNEGO_OID {
            return Err(Malformed::Spnego.into());
        }
        let mut fields = frame.enter(context(0))?.enter(der::SEQUENCE)?;
        let list = fields.optional_inside(0, der::SEQUENCE)?.ok_or(Malformed::Spnego)?;
        let mechanisms = read_mechanisms(list)?;
        // reqFlags are not protected and are ignored. RFC 4178 4.2.1.
        fields.optional(context(1))?;
        let token = fields.optional_inside(2, der::OCTET_STRING)?;
        let mech_list = der::value(der::SEQUENCE, list).to_vec();
        Ok(Self { mech_list, mechanisms, token })
    }

    /// A first token that offers NTLM alone; also the list that is signed later.
    pub(crate) fn encode_ntlm(ntlm_token: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mech_list = der::value(der::SEQUENCE, &der::value(der::OBJECT_ID, NTLM_OID)).to_vec();
        let mut fields = der::value(context(0), &mech_list).to_vec();
        der::write(&mut fields, context(2), &der::value(der::OCTET_STRING, ntlm_token));
        let mut frame = der::value(der::OBJECT_ID, SPNEGO_OID).to_vec();
        der::write(&mut frame, context(0), &der::value(der::SEQUENCE, &fields));
        (der::value(der::APPLICATION_0, &frame).to_vec(), mech_list)
    }
}

fn read_mechanisms(list: &[u8]) -> Result<Vec<&[u8]>> {
    let mut reader = Reader::new(list);
    let mut mechanisms = Vec::new();
    while !reader.is_empty() {
        if mechanisms.len() == SPNEGO_MECHANISMS {
            return Err(LimitExceeded::MessageSize.into());
        }
        mechanisms.push(reader.expect(der::OBJECT_ID)?);
    }
    if mechanisms.is_empty() { Err(Malformed::Spnego.into()) } else { Ok(mechanisms) }
}

impl<'a> NegTokenResp<'a> {
    pub(crate) fn decode(token: &'a [u8]) -> Result<Self> {
        let mut outer = Reader::new(token);
        let mut frame = outer.enter(context(1))?;
        outer.finish()?;
        let mut fields = frame.enter(der::SEQUENCE)?;
        frame.finish()?;
        let state = match fields.optional_inside(0, der::ENUMERATED)? {
            None => None,
            Some([0]) => Some(NegState::Completed),
            Some([1]) => Some(NegState::Incomplete),
            Some([2]) => Some(NegState::Reject),
            Some([3]) => Some(NegState::RequestMic),
            Some(_) => return Err(Malformed::Spnego.into()),
        };
        let mechanism = fields.optional_inside(1, der::OBJECT_ID)?;
        let token = fields.optional_inside(2, der::OCTET_STRING)?;
        let mic = fields.optional_inside(3, der::OCTET_STRING)?;
        fields.finish()?;
        Ok(Self { state, mechanism, token, mic })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        if let Some(state) = self.state {
            let number = match state {
                NegState::Completed => 0,
                NegState::Incomplete => 1,
                NegState::Reject => 2,
                NegState::RequestMic => 3,
            };
            der::write(&mut fields, context(0), &der::value(der::ENUMERATED, &[number]));
        }
        if let Some(mechanism) = self.mechanism {
            der::write(&mut fields, context(1), &der::value(der::OBJECT_ID, mechanism));
        }
        for (number, bytes) in [(2, self.token), (3, self.mic)] {
            if let Some(bytes) = bytes {
                der::write(&mut fields, context(number), &der::value(der::OCTET_STRING, bytes));
            }
        }
        der::value(context(1), &der::value(der::SEQUENCE, &fields)).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_tokens_survive_the_way_through() {
        let (token, mech_list) = NegTokenInit::encode_ntlm(b"hello");
        assert!(is_first_token(&token));
        let read = NegTokenInit::decode(&token).unwrap();
        assert_eq!(read.mechanisms, [NTLM_OID]);
        assert_eq!(read.token, Some(&b"hello"[..]));
        assert_eq!(read.mech_list, mech_list);
    }

    #[test]
    fn later_tokens_survive_the_way_through() {
        for state in [NegState::Completed, NegState::Incomplete, NegState::Reject, NegState::RequestMic] {
            let token = NegTokenResp { state: Some(state), mechanism: Some(NTLM_OID), token: Some(b"t"), mic: None };
            let bytes = token.encode();
            let read = NegTokenResp::decode(&bytes).unwrap();
            assert_eq!(
                (read.state, read.mechanism, read.token, read.mic),
                (Some(state), Some(NTLM_OID), Some(&b"t"[..]), None)
            );
        }
        assert!(NegTokenResp::decode(&NegTokenResp::default().encode()).unwrap().token.is_none());
    }

    #[test]
    fn tokens_cut_anywhere_are_errors() {
        let (first, _) = NegTokenInit::encode_ntlm(&[7; 200]);
        let later = NegTokenResp { mic: Some(&[1; 16]), ..NegTokenResp::default() }.encode();
        for cut in 0..first.len() {
            assert!(NegTokenInit::decode(&first[..cut]).is_err());
        }
        for cut in 0..later.len() {
            assert!(NegTokenResp::decode(&later[..cut]).is_err());
        }
    }

    #[test]
    fn too_many_mechanisms_are_refused() {
        let one = der::value(der::OBJECT_ID, NTLM_OID).to_vec();
        assert!(read_mechanisms(&one.repeat(SPNEGO_MECHANISMS)).is_ok());
        let error = read_mechanisms(&one.repeat(SPNEGO_MECHANISMS + 1)).err();
        assert_eq!(error, Some(LimitExceeded::MessageSize.into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = is_first_token(&bytes);
            let _ = NegTokenInit::decode(&bytes).is_ok();
            let _ = NegTokenResp::decode(&bytes).is_ok();
        }
    }
}
