//! One block of LZ77 and Huffman, \[MS-XCA\] 2.2.4.

use crate::Result;
use crate::error::Malformed;

/// Bytes of the table in front: 512 lengths of four bits, the lower half of each byte first.
const LENGTHS: usize = 256;

/// The longest code, in bits.
const LONGEST: u32 = 15;

/// Symbols below are bytes, those from here on matches; the first one also stands behind the last.
const MATCHES: u16 = 256;

/// The shortest match.
const SHORTEST: usize = 3;

/// What the length in a symbol says when it follows in a byte.
const BY_BYTE: usize = 15;

/// A code and its symbol, for whatever the next 15 bits are: small enough to be filled for each block.
#[derive(Clone, Copy, Default)]
struct Code {
    symbol: u16,
    bits: u8,
}

/// Decodes blocks. One serves many, so that its table is allocated once.
#[derive(Default)]
pub(super) struct Decoder {
    table: Vec<Code>,
}

impl Decoder {
    /// Decodes a block of exactly `size` plain bytes behind what is in `out`. Blocks do not refer to each other.
    pub(super) fn block(&mut self, block: &[u8], size: usize, out: &mut Vec<u8>) -> Result<()> {
        let (lengths, codes) = block.split_at_checked(LENGTHS).ok_or(Malformed::Xpress)?;
        self.fill(lengths)?;
        let start = out.len();
        let end = start.saturating_add(size);
        out.reserve(size);
        let mut bits = Bits::new(codes);
        while out.len() < end {
            let symbol = self.symbol(&mut bits)?;
            match u8::try_from(symbol) {
                Ok(byte) => out.push(byte),
                Err(_) => copy(&mut bits, usize::from(symbol.saturating_sub(MATCHES)), start, end, out)?,
            }
        }
        Ok(())
    }

    /// Codes are canonical: ordered by length, then by symbol. All of them have to be used up and no more.
    fn fill(&mut self, lengths: &[u8]) -> Result<()> {
        let all = 1_usize.checked_shl(LONGEST).unwrap_or_default();
        self.table.clear();
        self.table.reserve(all);
        for bits in 1..=u8::try_from(LONGEST).unwrap_or_default() {
            let entries = all.checked_shr(bits.into()).unwrap_or_default();
            for (pair, symbol) in lengths.iter().zip((0_u16..).step_by(2)) {
                for (length, symbol) in [(pair & 0xF, symbol), (pair >> 4, symbol.saturating_add(1))] {
                    if length == bits {
                        if all < self.table.len().saturating_add(entries) {
                            return Err(Malformed::Xpress.into());
                        }
                        self.table.extend(std::iter::repeat_n(Code { symbol, bits }, entries));
                    }
                }
            }
        }
        if self.table.len() == all { Ok(()) } else { Err(Malformed::Xpress.into()) }
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Result<u16> {
        let code = self.table.get(bits.peek(LONGEST)).ok_or(Malformed::Xpress)?;
        bits.skip(code.bits.into())?;
        Ok(code.symbol)
    }
}

/// Repeats what stands before, which may run into what it makes.
fn copy(bits: &mut Bits<'_>, symbol: usize, start: usize, end: usize, out: &mut Vec<u8>) -> Result<()> {
    let distance_bits = u32::try_from(symbol / 16).unwrap_or_default();
    // The length stands among the words before the bits of the distance are taken.
    let length = bits.length(symbol % 16)?;
    let distance = 1_usize.checked_shl(distance_bits).unwrap_or_default().saturating_add(bits.peek(distance_bits));
    bits.skip(distance_bits)?;
    let mut from = out.len().checked_sub(distance).filter(|from| start <= *from).ok_or(Malformed::Xpress)?;
    if end < out.len().saturating_add(length) {
        return Err(Malformed::Xpress.into());
    }
    let mut left = length;
    while 0 < left {
        // All that stands there already, which doubles each time.
        let run = left.min(out.len().saturating_sub(from));
        let until = from.saturating_add(run);
        out.extend_from_within(from..until);
        from = until;
        left = left.saturating_sub(run);
    }
    Ok(())
}

/// Bits of words of 16, low byte first and high bit first, with lengths of matches between the words: when a word
/// is read decides what stands where, so that one is read as soon as fewer than 16 bits are left, and no sooner.
struct Bits<'b> {
    rest: &'b [u8],
    /// The next ones at the top.
    window: u32,
    /// How many of the window are there.
    there: u32,
}

impl<'b> Bits<'b> {
    fn new(rest: &'b [u8]) -> Self {
        let mut bits = Self { rest, window: 0, there: 0 };
        bits.refill();
        bits.refill();
        bits
    }

    fn refill(&mut self) {
        if let Some((word, rest)) = self.rest.split_first_chunk::<2>() {
            let shift = 16_u32.saturating_sub(self.there);
            self.window |= u32::from(u16::from_le_bytes(*word)).checked_shl(shift).unwrap_or_default();
            self.there = self.there.saturating_add(16);
            self.rest = rest;
        }
    }

    /// The next bits as a number; behind the end there are zeros.
    fn peek(&self, bits: u32) -> usize {
        let shifted = self.window.checked_shr(32_u32.saturating_sub(bits)).unwrap_or_default();
        usize::try_from(shifted).unwrap_or_default()
    }

    fn skip(&mut self, bits: u32) -> Result<()> {
        self.there = self.there.checked_sub(bits).ok_or(Malformed::Xpress)?;
        self.window = self.window.checked_shl(bits).unwrap_or_default();
        if self.there < 16 {
            self.refill();
        }
        Ok(())
    }

    /// The length of a match: in the symbol, in a byte, in two bytes, or in four.
    fn length(&mut self, in_symbol: usize) -> Result<usize> {
        let mut length = in_symbol;
        if in_symbol == BY_BYTE {
            let [byte] = self.bytes()?;
            length = usize::from(byte).saturating_add(BY_BYTE);
            if byte == u8::MAX {
                length = usize::from(u16::from_le_bytes(self.bytes()?));
                if length == 0 {
                    length = usize::try_from(u32::from_le_bytes(self.bytes()?)).map_err(|_| Malformed::Xpress)?;
                }
                if length < BY_BYTE {
                    return Err(Malformed::Xpress.into());
                }
            }
        }
        Ok(length.saturating_add(SHORTEST))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed::Xpress)?;
        self.rest = rest;
        Ok(*bytes)
    }
}
