//! XPRESS: how Windows clients compress the streams of a shell, \[MS-WSMV\] 3.1.4.1.31.6.
//!
//! A stream is a sequence of blocks. Each has two numbers in front, low byte first: its plain and its stored size,
//! each less one. Equal sizes mean that it is stored as it is; else it is LZ77 and Huffman, \[MS-XCA\] 2.2.
//! What a Stream element carries is one such sequence; `creationXml` and arguments are never compressed.

mod huffman;

use crate::Result;
use crate::error::{LimitExceeded, Malformed};
use crate::limits::{XPRESS_BLOCKS, XPRESS_PLAIN};
use huffman::Decoder;

/// The most that one block holds, plain.
const BLOCK: usize = 64 * 1024;

/// Bytes of the two sizes.
const HEADER: usize = 4;

/// The plain bytes of a stream's piece; nothing for nothing.
///
/// # Errors
/// [`Malformed::Xpress`] when a block is cut, larger stored than plain, or does not decode to exactly its plain
/// size; [`LimitExceeded::Items`] beyond [`XPRESS_BLOCKS`], [`LimitExceeded::MessageSize`] beyond [`XPRESS_PLAIN`].
pub fn decompress(mut piece: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    let mut decoder = Decoder::default();
    let mut blocks: usize = 0;
    while !piece.is_empty() {
        blocks = blocks.saturating_add(1);
        if XPRESS_BLOCKS < blocks {
            return Err(LimitExceeded::Items.into());
        }
        let (block, rest) = split(piece)?;
        if XPRESS_PLAIN < plain.len().saturating_add(block.plain) {
            return Err(LimitExceeded::MessageSize.into());
        }
        if block.stored.len() == block.plain {
            plain.extend_from_slice(block.stored);
        } else {
            decoder.block(block.stored, block.plain, &mut plain)?;
        }
        piece = rest;
    }
    Ok(plain)
}

/// A piece of a stream in stored blocks: what every reader of XPRESS takes, at four bytes for each 64 KiB.
#[must_use]
pub fn store(plain: &[u8]) -> Vec<u8> {
    let headers = plain.len().div_ceil(BLOCK).saturating_mul(HEADER);
    let mut out = Vec::with_capacity(plain.len().saturating_add(headers));
    for block in plain.chunks(BLOCK) {
        let size = u16::try_from(block.len().saturating_sub(1)).unwrap_or(u16::MAX).to_le_bytes();
        out.extend_from_slice(&size);
        out.extend_from_slice(&size);
        out.extend_from_slice(block);
    }
    out
}

struct Block<'p> {
    plain: usize,
    stored: &'p [u8],
}

fn split(piece: &[u8]) -> Result<(Block<'_>, &[u8])> {
    let (plain, rest) = size(piece)?;
    let (stored, rest) = size(rest)?;
    let (stored, rest) = rest.split_at_checked(stored).ok_or(Malformed::Xpress)?;
    if plain < stored.len() { Err(Malformed::Xpress.into()) } else { Ok((Block { plain, stored }, rest)) }
}

fn size(piece: &[u8]) -> Result<(usize, &[u8])> {
    let (size, rest) = piece.split_first_chunk::<2>().ok_or(Malformed::Xpress)?;
    Ok((usize::from(u16::from_le_bytes(*size)).saturating_add(1), rest))
}

#[cfg(test)]
mod tests;
