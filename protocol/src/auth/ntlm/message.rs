//! The three messages of NTLM. [MS-NLMP] 2.2.1.

use crate::Result;
use crate::error::{LimitExceeded, Malformed, Misuse, Unsupported};
use crate::limits::NTLM_MESSAGE;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Windows 10 and NTLM revision 15, as every implementation claims. [MS-NLMP] 2.2.2.10.
const VERSION: [u8; 8] = [0x0a, 0x00, 0x63, 0x45, 0x00, 0x00, 0x00, 0x0f];
/// Where the integrity check of AUTHENTICATE lies. [MS-NLMP] 2.2.1.3.
const MIC: std::ops::Range<usize> = 72..AUTHENTICATE_PAYLOAD;
const AUTHENTICATE_PAYLOAD: usize = 88;
const CHALLENGE_PAYLOAD: usize = 56;

/// Options of a login. [MS-NLMP] 2.2.2.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u32);

impl Flags {
    pub(crate) const UNICODE: u32 = 0x0000_0001;
    pub(crate) const REQUEST_TARGET: u32 = 0x0000_0004;
    pub(crate) const SIGN: u32 = 0x0000_0010;
    pub(crate) const SEAL: u32 = 0x0000_0020;
    pub(crate) const NTLM: u32 = 0x0000_0200;
    pub(crate) const ANONYMOUS: u32 = 0x0000_0800;
    pub(crate) const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub(crate) const EXTENDED_SECURITY: u32 = 0x0008_0000;
    pub(crate) const TARGET_INFO: u32 = 0x0080_0000;
    pub(crate) const VERSION: u32 = 0x0200_0000;
    pub(crate) const KEY_128: u32 = 0x2000_0000;
    pub(crate) const KEY_EXCHANGE: u32 = 0x4000_0000;
    pub(crate) const KEY_56: u32 = 0x8000_0000;

    /// Without any one of these a login is weaker than NTLMv2 can be.
    pub(crate) const REQUIRED: u32 = Self::UNICODE
        | Self::SIGN
        | Self::SEAL
        | Self::EXTENDED_SECURITY
        | Self::TARGET_INFO
        | Self::VERSION
        | Self::KEY_128
        | Self::KEY_EXCHANGE;

    /// What our initiator asks for.
    pub(crate) const OFFERED: u32 = Self::UNICODE
        | Self::REQUEST_TARGET
        | Self::SIGN
        | Self::SEAL
        | Self::NTLM
        | Self::ALWAYS_SIGN
        | Self::EXTENDED_SECURITY
        | Self::TARGET_INFO
        | Self::VERSION
        | Self::KEY_128
        | Self::KEY_EXCHANGE
        | Self::KEY_56;

    /// Refuses a login that is weaker than it should be.
    pub(crate) fn require_strong(self) -> Result<()> {
        if self.0 & Self::REQUIRED == Self::REQUIRED && self.0 & Self::ANONYMOUS == 0 {
            Ok(())
        } else {
            Err(Unsupported::NtlmFlags.into())
        }
    }
}

/// Whether a token is a message of NTLM by itself.
pub(crate) fn is_ntlm(token: &[u8]) -> bool {
    token.starts_with(SIGNATURE)
}

/// Bounds a message and checks what it says it is.
pub(crate) fn check_kind(message: &[u8], kind: u32) -> Result<()> {
    if message.len() > NTLM_MESSAGE {
        return Err(LimitExceeded::MessageSize.into());
    }
    if is_ntlm(message) && u32_at(message, 8)? == kind { Ok(()) } else { Err(Malformed::Ntlm.into()) }
}

/// The initiator's first message. [MS-NLMP] 2.2.1.1.
pub(crate) fn negotiate(flags: u32) -> Vec<u8> {
    let mut message = header(NEGOTIATE);
    message.extend_from_slice(&flags.to_le_bytes());
    // No domain and no workstation, each a length, a maximum and an offset.
    message.extend_from_slice(&[0; 16]);
    message.extend_from_slice(&VERSION);
    message
}

pub(crate) const NEGOTIATE: u32 = 1;
pub(crate) const CHALLENGE: u32 = 2;
pub(crate) const AUTHENTICATE: u32 = 3;

/// The acceptor's message. [MS-NLMP] 2.2.1.2.
#[derive(Debug)]
pub(crate) struct Challenge<'a> {
    pub(crate) flags: Flags,
    pub(crate) server_challenge: [u8; 8],
    pub(crate) target_info: &'a [u8],
}

impl<'a> Challenge<'a> {
    pub(crate) fn decode(message: &'a [u8]) -> Result<Self> {
        check_kind(message, CHALLENGE)?;
        let server_challenge = array_at(message, 24)?;
        let flags = Flags(u32_at(message, 20)?);
        let target_info = field_at(message, 40, CHALLENGE_PAYLOAD)?;
        Ok(Self { flags, server_challenge, target_info })
    }
}

/// The initiator's second message. [MS-NLMP] 2.2.1.3.
#[derive(Debug)]
pub(crate) struct Authenticate<'a> {
    pub(crate) flags: Flags,
    pub(crate) nt_response: &'a [u8],
    pub(crate) domain: &'a [u8],
    pub(crate) user: &'a [u8],
    pub(crate) encrypted_key: &'a [u8],
    pub(crate) mic: [u8; 16],
}

impl<'a> Authenticate<'a> {
    /// No field may reach into the header, so that none of them overlies the integrity check.
    pub(crate) fn decode(message: &'a [u8]) -> Result<Self> {
        check_kind(message, AUTHENTICATE)?;
        let field = |at| field_at(message, at, AUTHENTICATE_PAYLOAD);
        // The LM response and the workstation are read for their bounds alone.
        field(12)?;
        field(44)?;
        Ok(Self {
            flags: Flags(u32_at(message, 60)?),
            nt_response: field(20)?,
            domain: field(28)?,
            user: field(36)?,
            encrypted_key: field(52)?,
            mic: array_at(message, MIC.start)?,
        })
    }

    /// The fields' bytes put into a message whose integrity check is still empty.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        // NTLMv2 with a time sends no LM response. [MS-NLMP] 3.1.5.1.2.
        let lm_response: &[u8] = &[0; 24];
        let workstation: &[u8] = &[];
        let fields = [lm_response, self.nt_response, self.domain, self.user, workstation, self.encrypted_key];
        let mut message = header(AUTHENTICATE);
        let mut offset = u32::try_from(AUTHENTICATE_PAYLOAD).map_err(|_| Misuse::CredentialTooLong)?;
        for field in fields {
            let length = u16::try_from(field.len()).map_err(|_| Misuse::CredentialTooLong)?;
            message.extend_from_slice(&length.to_le_bytes());
            message.extend_from_slice(&length.to_le_bytes());
            message.extend_from_slice(&offset.to_le_bytes());
            offset = offset.saturating_add(length.into());
        }
        message.extend_from_slice(&self.flags.0.to_le_bytes());
        message.extend_from_slice(&VERSION);
        message.extend_from_slice(&self.mic);
        for field in fields {
            message.extend_from_slice(field);
        }
        Ok(message)
    }
}

/// Writes the integrity check into an AUTHENTICATE message.
pub(crate) fn set_mic(message: &mut [u8], mic: &[u8; 16]) -> Result<()> {
    message.get_mut(MIC).ok_or(Malformed::Ntlm)?.copy_from_slice(mic);
    Ok(())
}

fn header(kind: u32) -> Vec<u8> {
    let mut message = SIGNATURE.to_vec();
    message.extend_from_slice(&kind.to_le_bytes());
    message
}

fn array_at<const N: usize>(message: &[u8], at: usize) -> Result<[u8; N]> {
    let rest = message.get(at..).and_then(<[u8]>::first_chunk);
    rest.copied().ok_or_else(|| Malformed::Ntlm.into())
}

fn u32_at(message: &[u8], at: usize) -> Result<u32> {
    array_at(message, at).map(u32::from_le_bytes)
}

/// The bytes that a length, maximum and offset point at. [MS-NLMP] 2.2.1.1 `DomainNameFields`.
fn field_at(message: &[u8], at: usize, payload: usize) -> Result<&[u8]> {
    let [low, high, _, _] = array_at(message, at)?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if length == 0 {
        return Ok(&[]);
    }
    let offset = usize::try_from(u32_at(message, at.saturating_add(4))?).map_err(|_| Malformed::Ntlm)?;
    if offset < payload {
        return Err(Malformed::Ntlm.into());
    }
    let end = offset.checked_add(length).ok_or(Malformed::Ntlm)?;
    message.get(offset..end).ok_or_else(|| Malformed::Ntlm.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        let message = Authenticate {
            flags: Flags(Flags::OFFERED),
            nt_response: &[1; 60],
            domain: b"D\0",
            user: b"u\0",
            encrypted_key: &[2; 16],
            mic: [3; 16],
        };
        message.encode().unwrap()
    }

    #[test]
    fn authenticate_survives_the_way_through() {
        let bytes = sample();
        let read = Authenticate::decode(&bytes).unwrap();
        assert_eq!((read.domain, read.user), (&b"D\0"[..], &b"u\0"[..]));
        assert_eq!((read.nt_response, read.encrypted_key, read.mic), (&[1; 60][..], &[2; 16][..], [3; 16]));
        read.flags.require_strong().unwrap();
    }

    #[test]
    fn messages_cut_anywhere_are_errors() {
        let bytes = sample();
        for cut in 0..bytes.len() {
            assert!(Authenticate::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_field_over_the_integrity_check_is_refused() {
        let mut bytes = sample();
        bytes[40] = 72;
        assert_eq!(Authenticate::decode(&bytes).err(), Some(Malformed::Ntlm.into()));
    }

    #[test]
    fn every_missing_option_is_refused() {
        for bit in 0..32 {
            let flag = 1_u32 << bit;
            let weak = Flags(Flags::OFFERED & !flag).require_strong();
            assert_eq!(weak.is_err(), Flags::REQUIRED & flag != 0, "bit {bit}");
        }
        assert!(Flags(Flags::OFFERED | Flags::ANONYMOUS).require_strong().is_err());
    }

    #[test]
    fn a_message_too_large_is_refused() {
        let mut bytes = sample();
        bytes.resize(NTLM_MESSAGE + 1, 0);
        assert_eq!(check_kind(&bytes, AUTHENTICATE), Err(LimitExceeded::MessageSize.into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(kind in 0_u8..4, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut message = header(kind.into());
            message.extend_from_slice(&bytes);
            let _ = Challenge::decode(&message).is_ok();
            let _ = Authenticate::decode(&message).is_ok();
        }
    }
}
