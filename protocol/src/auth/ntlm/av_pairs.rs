//! The attributes in target information. [MS-NLMP] 2.2.2.1.

use crate::Result;
use crate::error::{LimitExceeded, Malformed, Misuse};
use crate::limits::NTLM_AV_PAIRS;

pub(crate) const END: u16 = 0;
pub(crate) const FLAGS: u16 = 6;
pub(crate) const TIMESTAMP: u16 = 7;
pub(crate) const TARGET_NAME: u16 = 9;
pub(crate) const CHANNEL_BINDINGS: u16 = 10;
/// The bit of [`FLAGS`] that says that the integrity check is there.
pub(crate) const MIC_PRESENT: u32 = 2;

/// Attributes by number, in the order of the message; none stands there twice.
#[derive(Debug, Default)]
pub(crate) struct AvPairs<'a>(Vec<(u16, &'a [u8])>);

impl<'a> AvPairs<'a> {
    /// Reads up to the end mark, which must be there; what follows it is padding.
    pub(crate) fn decode(mut bytes: &'a [u8]) -> Result<Self> {
        let mut pairs = Self::default();
        loop {
            let (header, rest) = bytes.split_first_chunk::<4>().ok_or(Malformed::Ntlm)?;
            let [kind_low, kind_high, length_low, length_high] = *header;
            let kind = u16::from_le_bytes([kind_low, kind_high]);
            let length = usize::from(u16::from_le_bytes([length_low, length_high]));
            if kind == END {
                return Ok(pairs);
            }
            let (value, rest) = rest.split_at_checked(length).ok_or(Malformed::Ntlm)?;
            if pairs.0.len() == NTLM_AV_PAIRS {
                return Err(LimitExceeded::MessageSize.into());
            }
            // Of two, the reader behind us might take the other one.
            if pairs.value(kind).is_some() {
                return Err(Malformed::Ntlm.into());
            }
            pairs.0.push((kind, value));
            bytes = rest;
        }
    }

    pub(crate) fn value(&self, kind: u16) -> Option<&'a [u8]> {
        self.0.iter().find(|(other, _)| *other == kind).map(|(_, value)| *value)
    }

    /// The value of a kind that has a fixed size.
    pub(crate) fn fixed<const N: usize>(&self, kind: u16) -> Result<Option<&'a [u8; N]>> {
        let Some(value) = self.value(kind) else {
            return Ok(None);
        };
        value.try_into().map(Some).map_err(|_| Malformed::Ntlm.into())
    }

    pub(crate) fn flags(&self) -> Result<u32> {
        Ok(self.fixed(FLAGS)?.map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    /// Puts a value in the place of the one that was there.
    pub(crate) fn set(&mut self, kind: u16, value: &'a [u8]) {
        self.remove(kind);
        self.0.push((kind, value));
    }

    pub(crate) fn remove(&mut self, kind: u16) {
        self.0.retain(|(other, _)| *other != kind);
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (kind, value) in &self.0 {
            let length = u16::try_from(value.len()).map_err(|_| Misuse::CredentialTooLong)?;
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(&[0; 4]);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_survive_the_way_through() {
        let mut pairs = AvPairs::default();
        pairs.set(TIMESTAMP, &[1; 8]);
        pairs.set(FLAGS, &[2, 0, 0, 0]);
        pairs.set(TIMESTAMP, &[2; 8]);
        let bytes = pairs.encode().unwrap();
        let read = AvPairs::decode(&bytes).unwrap();
        assert_eq!(read.flags(), Ok(MIC_PRESENT));
        assert_eq!(read.fixed(TIMESTAMP), Ok(Some(&[2; 8])));
        assert!(read.fixed::<4>(TIMESTAMP).is_err());
        assert_eq!(read.value(TARGET_NAME), None);
        for cut in 0..bytes.len() {
            assert!(AvPairs::decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn a_pair_that_comes_twice_is_refused() {
        let twice = [6, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(AvPairs::decode(&twice).err(), Some(Malformed::Ntlm.into()));
    }

    #[test]
    fn too_many_pairs_are_refused() {
        let mut bytes = Vec::new();
        for kind in 1..=u16::try_from(NTLM_AV_PAIRS + 1).unwrap() {
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&[0, 0]);
        }
        bytes.extend_from_slice(&[0; 4]);
        assert_eq!(AvPairs::decode(&bytes).err(), Some(LimitExceeded::MessageSize.into()));
    }
}
