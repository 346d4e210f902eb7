#![expect(clippy::arithmetic_side_effects, reason = "an encoder in a test may stop at a number out of range")]

use proptest::collection::vec;
use proptest::prelude::*;

use super::{BLOCK, decompress, store};
use crate::Error;
use crate::error::{LimitExceeded, Malformed};
use crate::limits::{XPRESS_BLOCKS, XPRESS_PLAIN};

/// A table with these lengths, which stand for the symbols given.
fn table(lengths: &[(u16, u8)]) -> Vec<u8> {
    let mut table = vec![0; 256];
    for (symbol, length) in lengths {
        table[usize::from(symbol / 2)] |= if symbol % 2 == 0 { *length } else { length << 4 };
    }
    table
}

fn block(plain: usize, stored: &[u8]) -> Vec<u8> {
    let size = |size: usize| u16::try_from(size - 1).unwrap().to_le_bytes();
    [&size(plain)[..], &size(stored.len()), stored].concat()
}

/// \[MS-XCA\] 3.2, the first example.
#[test]
fn the_alphabet_of_the_specification() {
    let short = (b'w'..=b'z').map(|letter| (u16::from(letter), 4)).chain([(256, 4)]);
    let lengths: Vec<(u16, u8)> = (b'a'..=b'v').map(|letter| (u16::from(letter), 5)).chain(short).collect();
    let codes =
        [0xd8, 0x52, 0x3e, 0xd7, 0x94, 0x11, 0x5b, 0xe9, 0x19, 0x5f, 0xf9, 0xd6, 0x7c, 0xdf, 0x8d, 0x04, 0, 0, 0, 0];
    // The plain size is smaller than the stored one, which WS-Man would store as it is.
    let mut out = Vec::new();
    super::Decoder::default().block(&[table(&lengths), codes.to_vec()].concat(), 26, &mut out).unwrap();
    assert_eq!(out, b"abcdefghijklmnopqrstuvwxyz");
}

/// \[MS-XCA\] 3.2, the second example: `abc` a hundred times.
#[test]
fn the_repetition_of_the_specification() {
    let lengths = table(&[(97, 3), (98, 3), (99, 2), (256, 2), (287, 2)]);
    let stored = [lengths, vec![0xa8, 0xdc, 0, 0, 0xff, 0x26, 0x01]].concat();
    assert_eq!(decompress(&block(300, &stored)).unwrap(), b"abc".repeat(100));
}

#[test]
fn equal_sizes_are_stored_as_they_are() {
    assert_eq!(decompress(b"").unwrap(), b"");
    assert_eq!(store(b""), b"");
    assert_eq!(store(b"hello"), b"\x04\x00\x04\x00hello");
    for size in [1, 65_535, 65_536, 65_537, 200_000] {
        let plain: Vec<u8> = (0..size).map(|at: usize| at.to_le_bytes()[1]).collect();
        let stored = store(&plain);
        assert_eq!(stored.len(), size + 4 * size.div_ceil(BLOCK));
        assert_eq!(decompress(&stored).unwrap(), plain);
    }
}

#[test]
fn blocks_of_both_kinds_follow_each_other() {
    let text = b"<Obj RefId=\"0\"><MS><S N=\"Name\">Spooler</S></MS></Obj>".repeat(50);
    let piece = [compressed(&text), store(b"between"), compressed(&text)].concat();
    assert!(piece.len() < text.len());
    assert_eq!(decompress(&piece).unwrap(), [&text[..], b"between", &text].concat());
}

#[test]
fn what_is_no_block_is_refused() {
    let malformed: Error = Malformed::Xpress.into();
    let good = compressed(&b"abcabcabcd".repeat(60));
    for cut in 1..good.len() {
        assert_eq!(decompress(&good[..cut]), Err(malformed), "cut at {cut}");
    }
    let two = table(&[(97, 1), (256, 1)]);
    let cases: [(&str, Vec<u8>); 10] = [
        ("larger stored than plain", b"\x00\x00\x01\x00ab".to_vec()),
        ("no table", block(100, &[0; 50])),
        ("a table without codes", block(1000, &[0; 300])),
        ("codes that do not use up the table", block(1000, &[table(&[(97, 1), (98, 2)]), vec![0; 8]].concat())),
        ("more codes than the table holds", block(1000, &[table(&[(97, 1), (98, 1), (99, 15)]), vec![0; 8]].concat())),
        ("fewer bits than bytes", block(1000, &[two.clone(), vec![0; 8]].concat())),
        ("no bits", block(1000, &two)),
        ("a match before the first byte", block(1000, &[two, vec![0xFF; 200]].concat())),
        (
            "a length below what its form is for",
            block(1000, &[table(&[(97, 1), (271, 1)]), vec![0, 0x40, 0, 0, 0xFF, 3, 0, 0, 0]].concat()),
        ),
        (
            "a match beyond the block's size",
            block(
                270,
                &[table(&[(97, 1), (271, 1)]), vec![0, 0x40, 0, 0, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]].concat(),
            ),
        ),
    ];
    for (what, piece) in cases {
        assert_eq!(decompress(&piece), Err(malformed), "{what}");
    }
}

#[test]
fn a_block_does_not_refer_to_the_one_before() {
    let two = table(&[(97, 1), (256, 1)]);
    let piece = [store(b"aaaa"), block(1000, &[two, vec![0xFF; 200]].concat())].concat();
    assert_eq!(decompress(&piece), Err(Malformed::Xpress.into()));
}

#[test]
fn what_comes_out_is_bounded() {
    let full = compressed(&[b'a'; BLOCK]);
    assert!(full.len() < 300);
    let blocks = XPRESS_PLAIN / BLOCK;
    assert_eq!(decompress(&full.repeat(blocks)).unwrap().len(), XPRESS_PLAIN);
    assert_eq!(decompress(&[full.repeat(blocks), store(b"a")].concat()), Err(LimitExceeded::MessageSize.into()));
    assert_eq!(decompress(&store(b"a").repeat(XPRESS_BLOCKS)).unwrap().len(), XPRESS_BLOCKS);
    assert_eq!(decompress(&store(b"a").repeat(XPRESS_BLOCKS + 1)), Err(LimitExceeded::Items.into()));
}

proptest! {
    #[test]
    fn what_was_compressed_is_read_again(
        words in vec(vec(0_u8..8, 1..40), 1..20), picks in vec(0_usize..20, 1..2000),
    ) {
        let plain: Vec<u8> = picks.iter().flat_map(|pick| words[pick % words.len()].clone()).collect();
        prop_assert_eq!(&decompress(&compressed(&plain)).unwrap(), &plain);
        prop_assert_eq!(&decompress(&store(&plain)).unwrap(), &plain);
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut piece in vec(any::<u8>(), 0..2000), changes in vec((0_usize..2000, any::<u8>()), 0..8)) {
        let _any = decompress(&piece);
        piece = compressed(&piece);
        for (at, byte) in changes {
            if let Some(place) = piece.get_mut(at) {
                *place ^= byte;
            }
        }
        let _changed = decompress(&piece);
    }
}

/// Compresses as Windows does, each block by itself, with every form of length.
fn compressed(plain: &[u8]) -> Vec<u8> {
    plain
        .chunks(BLOCK)
        .flat_map(|part| {
            let stored = encoder::block(part);
            if stored.len() < part.len() { block(part.len(), &stored) } else { store(part) }
        })
        .collect()
}

/// An encoder as \[MS-XCA\] 2.1.4 describes it.
mod encoder {
    use std::collections::HashMap;

    enum Token {
        Byte(u8),
        Match { distance: usize, length: usize },
    }

    pub(super) fn block(plain: &[u8]) -> Vec<u8> {
        let tokens = tokens(plain);
        let mut counts = vec![0_u64; 512];
        counts[256] += 1;
        tokens.iter().for_each(|token| counts[symbol(token)] += 1);
        let lengths = lengths(counts);
        let mut bits = Bits::new(lengths.chunks(2).map(|pair| pair[0] | pair[1] << 4).collect());
        let codes = codes(&lengths);
        let put = |bits: &mut Bits, symbol: usize| bits.put(codes[symbol], u32::from(lengths[symbol]));
        for token in &tokens {
            put(&mut bits, symbol(token));
            if let Token::Match { distance, length } = token {
                let rest = length - 3;
                if (15..270).contains(&rest) {
                    bits.out.push(u8::try_from(rest - 15).unwrap());
                } else if 270 <= rest {
                    bits.out.push(255);
                    bits.out.extend(u16::try_from(rest).unwrap().to_le_bytes());
                }
                let width = distance.ilog2();
                bits.put(u32::try_from(distance - (1 << width)).unwrap(), width);
            }
        }
        put(&mut bits, 256);
        bits.finish()
    }

    /// The last place where the next three bytes stood, and as far as it goes.
    fn tokens(plain: &[u8]) -> Vec<Token> {
        let mut seen: HashMap<&[u8], usize> = HashMap::new();
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < plain.len() {
            let key = plain.get(at..at + 3);
            let from = key.and_then(|key| seen.insert(key, at));
            let length = from.map_or(0, |from| {
                plain[at..].iter().zip(&plain[from..]).take_while(|(here, there)| here == there).count()
            });
            match from {
                Some(from) if 3 <= length => {
                    tokens.push(Token::Match { distance: at - from, length });
                    at += length;
                }
                _ => {
                    tokens.push(Token::Byte(plain[at]));
                    at += 1;
                }
            }
        }
        tokens
    }

    fn symbol(token: &Token) -> usize {
        match token {
            Token::Byte(byte) => usize::from(*byte),
            Token::Match { distance, length } => {
                256 + 16 * usize::try_from(distance.ilog2()).unwrap() + (length - 3).min(15)
            }
        }
    }

    /// Huffman's lengths; counts are levelled until none is longer than 15. A second symbol makes one a code.
    fn lengths(mut counts: Vec<u64>) -> Vec<u8> {
        if counts.iter().filter(|count| 0 < **count).count() < 2 {
            counts[0] = 1;
        }
        loop {
            let mut trees: Vec<(u64, Vec<usize>)> = counts
                .iter()
                .enumerate()
                .filter(|(_, count)| 0 < **count)
                .map(|(at, count)| (*count, vec![at]))
                .collect();
            let mut lengths = vec![0_u8; 512];
            while 1 < trees.len() {
                trees.sort_by_key(|tree| std::cmp::Reverse(tree.0));
                let (one, other) = (trees.pop().unwrap(), trees.pop().unwrap());
                let both: Vec<usize> = one.1.into_iter().chain(other.1).collect();
                both.iter().for_each(|symbol| lengths[*symbol] += 1);
                trees.push((one.0 + other.0, both));
            }
            if lengths.iter().all(|length| *length <= 15) {
                return lengths;
            }
            counts.iter_mut().filter(|count| 0 < **count).for_each(|count| *count = *count / 2 + 1);
        }
    }

    fn codes(lengths: &[u8]) -> Vec<u32> {
        let mut codes = vec![0; 512];
        let mut next = 0_u32;
        for length in 1..=15_u8 {
            next <<= 1;
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, known)| **known == length) {
                codes[symbol] = next;
                next += 1;
            }
        }
        codes
    }

    /// Two words are kept free, in which the next bits will stand.
    struct Bits {
        out: Vec<u8>,
        free: u32,
        word: u32,
        places: [usize; 2],
    }

    impl Bits {
        fn new(mut out: Vec<u8>) -> Self {
            let places = [out.len(), out.len() + 2];
            out.extend([0; 4]);
            Self { out, free: 16, word: 0, places }
        }

        fn put(&mut self, bits: u32, count: u32) {
            if count <= self.free {
                self.free -= count;
                self.word = self.word << count | bits;
                return;
            }
            let over = count - self.free;
            self.word = self.word << self.free | bits >> over;
            self.write();
            self.places = [self.places[1], self.out.len()];
            self.out.extend([0; 2]);
            self.free = 16 - over;
            self.word = bits & ((1 << over) - 1);
        }

        fn write(&mut self) {
            let word = u16::try_from(self.word).unwrap().to_le_bytes();
            self.out[self.places[0]..self.places[0] + 2].copy_from_slice(&word);
        }

        fn finish(mut self) -> Vec<u8> {
            self.word <<= self.free;
            self.write();
            self.out
        }
    }
}
