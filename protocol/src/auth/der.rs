//! The little DER that login tokens need: definite lengths, one-byte tags, nothing copied. X.690 10.
//!
//! Lengths are bounded by the input; nesting is bounded since every caller descends by hand.

use crate::Result;
use crate::error::Malformed;
use zeroize::Zeroizing;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_ID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;
/// `[APPLICATION 0]`, constructed: the frame of a first GSS-API token. RFC 2743 3.1.
pub(crate) const APPLICATION_0: u8 = 0x60;

/// `[number]`, constructed and explicit.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Reads one value after another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The content of the next value, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<&'a [u8]> {
        self.optional(tag)?.ok_or_else(|| Malformed::Der.into())
    }

    /// A reader over the content of the next value, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<Self> {
        self.expect(tag).map(Self::new)
    }

    /// The content of the next value if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>> {
        if self.rest.first() != Some(&tag) {
            return Ok(None);
        }
        let whole = value_size(self.rest)?.ok_or(Malformed::Der)?;
        let (value, rest) = self.rest.split_at_checked(whole.total).ok_or(Malformed::Der)?;
        self.rest = rest;
        value.get(whole.header..).map(Some).ok_or_else(|| Malformed::Der.into())
    }

    /// The content of the value inside an optional `[number]`.
    pub(crate) fn optional_inside(&mut self, number: u8, tag: u8) -> Result<Option<&'a [u8]>> {
        let Some(content) = self.optional(context(number))? else {
            return Ok(None);
        };
        let mut inner = Self::new(content);
        let value = inner.expect(tag)?;
        inner.finish()?;
        Ok(Some(value))
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Refuses bytes that are left.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::Der.into()) }
    }
}

/// The sizes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueSize {
    pub(crate) header: usize,
    pub(crate) total: usize,
}

/// The sizes of the value that `bytes` begin with; `None` when more bytes are needed to tell.
pub(crate) fn value_size(bytes: &[u8]) -> Result<Option<ValueSize>> {
    let Some(&first) = bytes.get(1) else {
        return Ok(None);
    };
    let (header, content) = match first {
        0..=0x7f => (2, usize::from(first)),
        // Four length bytes are more than any limit of ours; indefinite lengths are not DER.
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let header = count.saturating_add(2);
            let Some(digits) = bytes.get(2..header) else {
                return Ok(None);
            };
            let content = digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
            (header, content)
        }
        0x80 | 0x85..=0xff => return Err(Malformed::Der.into()),
    };
    let total = header.checked_add(content).ok_or(Malformed::Der)?;
    Ok(Some(ValueSize { header, total }))
}

/// An INTEGER that is not negative and fits. X.690 8.3.
pub(crate) fn unsigned(content: &[u8]) -> Result<u32> {
    let digits = match content {
        [] => return Err(Malformed::Der.into()),
        [first, ..] if *first >= 0x80 => return Err(Malformed::Der.into()),
        [0, digits @ ..] => digits,
        digits => digits,
    };
    if digits.len() > 4 {
        return Err(Malformed::Der.into());
    }
    Ok(digits.iter().fold(0_u32, |sum, digit| (sum << 8) | u32::from(*digit)))
}

/// The size of a value with `content` bytes.
pub(crate) fn size_of(content: usize) -> usize {
    content.saturating_add(1).saturating_add(length_bytes(content).count())
}

/// Appends the header of a value.
pub(crate) fn write_header(out: &mut Vec<u8>, tag: u8, content: usize) {
    out.push(tag);
    out.extend(length_bytes(content));
}

/// Appends a value.
pub(crate) fn write(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    write_header(out, tag, content.len());
    out.extend_from_slice(content);
}

/// A value of its own; wiped, since some carry secrets.
pub(crate) fn value(tag: u8, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(size_of(content.len())));
    write(&mut out, tag, content);
    out
}

/// An INTEGER.
pub(crate) fn integer(number: u32) -> Vec<u8> {
    let digits = number.to_be_bytes();
    let mut significant: Vec<u8> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
    if significant.first().is_none_or(|first| *first >= 0x80) {
        significant.insert(0, 0);
    }
    let mut out = Vec::new();
    write(&mut out, INTEGER, &significant);
    out
}

fn length_bytes(content: usize) -> impl Iterator<Item = u8> {
    let digits = content.to_be_bytes();
    let significant = digits.into_iter().skip_while(|digit| *digit == 0);
    let count = significant.clone().count();
    let prefix = if content < 0x80 {
        None
    } else {
        // At most eight, the bytes of a usize.
        u8::try_from(count).ok().map(|count| 0x80 | count)
    };
    let zero = (content == 0).then_some(0);
    prefix.into_iter().chain(significant).chain(zero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_survive_the_way_through() {
        for size in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let bytes = value(OCTET_STRING, &vec![7; size]);
            assert_eq!(bytes.len(), size_of(size));
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.expect(OCTET_STRING).unwrap().len(), size);
            reader.finish().unwrap();
        }
    }

    #[test]
    fn integers_survive_the_way_through() {
        for number in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x8000, 0xc000_006d, u32::MAX] {
            let bytes = integer(number);
            let content = Reader::new(&bytes).expect(INTEGER).unwrap();
            assert_eq!(unsigned(content), Ok(number));
        }
        for broken in [&[][..], &[0x80], &[0xff, 0xff, 0xff, 0xff], &[0, 1, 2, 3, 4, 5]] {
            assert!(unsigned(broken).is_err());
        }
    }

    #[test]
    fn a_value_cut_anywhere_is_an_error() {
        let bytes = value(SEQUENCE, &value(OCTET_STRING, &[1; 300]));
        for cut in 0..bytes.len() {
            assert!(Reader::new(&bytes[..cut]).expect(SEQUENCE).is_err());
        }
    }

    #[test]
    fn indefinite_and_huge_lengths_are_errors() {
        for header in [&[0x30, 0x80, 0, 0][..], &[0x30, 0x85, 1, 0, 0, 0, 0], &[0x30, 0xff]] {
            assert!(value_size(header).is_err());
        }
        assert!(Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).expect(SEQUENCE).is_err());
        assert_eq!(value_size(&[0x30, 0x82, 1]), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes);
            let tag = bytes.first().copied().unwrap_or_default();
            while let Ok(Some(_)) = reader.optional(tag) {}
        }
    }
}
