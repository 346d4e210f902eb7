//! Cuts one input of a fuzzer into several.

/// Pieces of an input: two bytes of length, lowest first, and as many bytes, or what is left.
#[derive(Debug, Clone, Copy)]
pub struct Pieces<'a> {
    rest: &'a [u8],
}

/// More than any machine here takes before it refuses.
const MOST: usize = 32;

impl<'a> Pieces<'a> {
    /// The pieces of `input`.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// The next piece; empty when nothing is left.
    pub fn piece(&mut self) -> &'a [u8] {
        self.next().unwrap_or_default()
    }

    /// The pieces that are left, as many as make sense.
    pub fn bounded(self) -> impl Iterator<Item = &'a [u8]> {
        self.take(MOST)
    }

    /// Everything that is left, uncut.
    #[must_use]
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(piece)
    }
}
