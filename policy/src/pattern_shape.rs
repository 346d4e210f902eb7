//! What can be told of a pattern before its engine is asked: what every text that it matches has in common, by which
//! most other values are told at once, and how long the engine takes at most.

use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

/// Bytes that are looked at, at each end.
const ENDS: usize = 8;

/// The common shape of all texts that match.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    least: usize,
    most: usize,
    head: Vec<ByteSet>,
    tail: Vec<ByteSet>,
}

impl Shape {
    pub(crate) fn of(hir: &Hir) -> Self {
        let properties = hir.properties();
        let least = properties.minimum_len().unwrap_or(usize::MAX);
        let most = properties.maximum_len().unwrap_or(usize::MAX);
        let end = |direction| {
            let mut sets = End::of(hir, direction).sets.to_vec();
            sets.truncate(least);
            sets
        };
        Self { least, most, head: end(Direction::Forward), tail: end(Direction::Backward) }
    }

    /// Whether a text has this shape. No other text matches.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        (self.least..=self.most).contains(&bytes.len())
            && self.tail.iter().zip(bytes.iter().rev()).all(|(set, byte)| set.contains(*byte))
            && self.head.iter().zip(bytes).all(|(set, byte)| set.contains(*byte))
    }

    /// Bytes of the longest text that matches.
    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

/// What all texts of several shapes have in common: small, and beside the rule that asks, so that a thousand rules for
/// one program are gone through in the time that a few patterns take.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    least: usize,
    most: usize,
    first: ByteSet,
    last: ByteSet,
}

impl Gate {
    /// Lets everything through.
    pub(crate) const OPEN: Self = Self { least: 0, most: usize::MAX, first: ByteSet::ALL, last: ByteSet::ALL };

    /// Lets through what has one of these shapes, and some more.
    pub(crate) fn of(shapes: &mut dyn Iterator<Item = &Shape>) -> Self {
        let mut gate = Self { least: usize::MAX, most: 0, first: ByteSet::default(), last: ByteSet::default() };
        for shape in shapes {
            gate.least = gate.least.min(shape.least);
            gate.most = gate.most.max(shape.most);
            gate.first.unite(shape.head.first().unwrap_or(&ByteSet::ALL));
            gate.last.unite(shape.tail.first().unwrap_or(&ByteSet::ALL));
        }
        gate
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        (self.least..=self.most).contains(&bytes.len())
            && bytes.first().is_none_or(|byte| self.first.contains(*byte))
            && bytes.last().is_none_or(|byte| self.last.contains(*byte))
    }
}

/// How much of a pattern can be under way at once: what the time for one byte of a value grows with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Width {
    /// Characters of the shortest and the longest text.
    least: usize,
    most: usize,
    /// Places in the pattern, counts written out. A character beyond ASCII takes about four.
    places: usize,
    /// Places that can be under way at once when all began at the same character.
    active: usize,
}

impl Width {
    const EMPTY: Self = Self { least: 0, most: 0, places: 0, active: 0 };

    /// Recursion is as deep as the pattern, which is bounded before.
    pub(crate) fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::EMPTY,
            HirKind::Literal(literal) => {
                let count = std::str::from_utf8(&literal.0).map_or(literal.0.len(), |text| text.chars().count());
                Self { least: count, most: count, places: literal.0.len(), active: 1 }
            }
            HirKind::Class(class) => {
                let places = if class.maximum_len() == Some(1) { 1 } else { 4 };
                Self { least: 1, most: 1, places, active: places }
            }
            HirKind::Repetition(repetition) => Self::of(&repetition.sub).repeated(repetition.min, repetition.max),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Concat(parts) => parts.iter().map(Self::of).fold(Self::EMPTY, Self::then),
            HirKind::Alternation(parts) => {
                let parts: Vec<Self> = parts.iter().map(Self::of).collect();
                Self {
                    least: parts.iter().map(|part| part.least).min().unwrap_or_default(),
                    most: parts.iter().map(|part| part.most).max().unwrap_or_default(),
                    places: parts.iter().fold(0, |all, part| all.saturating_add(part.places)),
                    active: parts.iter().fold(0, |all, part| all.saturating_add(part.active)),
                }
            }
        }
    }

    /// Places that can be under way at once; never zero.
    pub(crate) fn active(self) -> usize {
        self.active.max(1)
    }

    /// At how many places of a text the end can be, for one beginning.
    fn spread(self) -> usize {
        self.most.saturating_sub(self.least).saturating_add(1)
    }

    fn then(self, next: Self) -> Self {
        let active = if self.spread() == 1 {
            // What comes next begins when all before has ended.
            self.active.max(next.active)
        } else {
            self.active.saturating_add(next.places.min(self.spread().saturating_mul(next.active)))
        };
        Self {
            least: self.least.saturating_add(next.least),
            most: self.most.saturating_add(next.most),
            places: self.places.saturating_add(next.places),
            active,
        }
    }

    fn repeated(self, min: u32, max: Option<u32>) -> Self {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let written = max.map_or_else(|| count(min).saturating_add(1), count);
        let places = self.places.saturating_mul(written);
        Self {
            least: self.least.saturating_mul(count(min)),
            most: match max {
                Some(max) => self.most.saturating_mul(count(max)),
                None if self.most == 0 => 0,
                None => usize::MAX,
            },
            places,
            active: match max {
                _ if self.spread() == 1 => self.active,
                Some(_) => self.overlapping(written, places),
                None => places,
            },
        }
    }

    /// Repetitions whose lengths change overlap ever more, until all their places are under way.
    fn overlapping(self, written: usize, places: usize) -> usize {
        let mut active = 0_usize;
        for number in 0..written {
            let spread = self.spread().saturating_sub(1).saturating_mul(number).saturating_add(1);
            let more = self.places.min(spread.saturating_mul(self.active));
            active = active.saturating_add(more);
            if more >= self.places {
                let left = written.saturating_sub(number).saturating_sub(1);
                return active.saturating_add(left.saturating_mul(self.places)).min(places);
            }
        }
        active.min(places)
    }
}

/// A set of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ByteSet([u64; 4]);

impl ByteSet {
    const ALL: Self = Self([u64::MAX; 4]);

    fn insert(&mut self, first: u8, last: u8) {
        for byte in first..=last {
            if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
    }

    fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word & (1 << (byte & 63)) != 0)
    }

    fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// The bytes at one end: which can stand at each place, and how long a text can be.
#[derive(Clone, PartialEq, Eq)]
struct End {
    sets: [ByteSet; ENDS],
    /// Bit `n`: a text can have `n` bytes; the last bit stands for all lengths from [`ENDS`] on.
    lengths: u16,
}

/// The bit of lengths that reach beyond what is looked at.
const LONG: u16 = 1 << ENDS;

impl End {
    const EMPTY: Self = Self { sets: [ByteSet([0; 4]); ENDS], lengths: 1 };
    const NEVER: Self = Self { sets: [ByteSet([0; 4]); ENDS], lengths: 0 };

    /// Recursion is as deep as the pattern, which is bounded before.
    fn of(hir: &Hir, direction: Direction) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::EMPTY,
            HirKind::Literal(literal) => Self::string(literal.0.iter().map(|byte| (*byte, *byte)), direction),
            HirKind::Class(class) => Self::class(class, direction),
            HirKind::Repetition(repetition) => {
                let part = Self::of(&repetition.sub, direction);
                part.repeated(repetition.min, repetition.max)
            }
            HirKind::Capture(capture) => Self::of(&capture.sub, direction),
            HirKind::Concat(parts) => {
                let follow = |before: Self, part: &Hir| before.then(|| Self::of(part, direction));
                match direction {
                    Direction::Forward => parts.iter().fold(Self::EMPTY, follow),
                    Direction::Backward => parts.iter().rev().fold(Self::EMPTY, follow),
                }
            }
            HirKind::Alternation(parts) => parts.iter().fold(Self::NEVER, |mut all, part| {
                all.unite(&Self::of(part, direction));
                all
            }),
        }
    }

    /// One string of byte ranges.
    fn string(ranges: impl DoubleEndedIterator<Item = (u8, u8)> + ExactSizeIterator, direction: Direction) -> Self {
        let mut end = Self { lengths: length(ranges.len()), ..Self::NEVER };
        let mut fill = |ranges: &mut dyn Iterator<Item = (u8, u8)>| {
            end.sets.iter_mut().zip(ranges).for_each(|(set, (first, last))| set.insert(first, last));
        };
        match direction {
            Direction::Forward => fill(&mut { ranges }),
            Direction::Backward => fill(&mut ranges.rev()),
        }
        end
    }

    fn class(class: &Class, direction: Direction) -> Self {
        let mut all = Self::NEVER;
        match class {
            Class::Unicode(class) => {
                for sequence in class.iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end())) {
                    let ranges = sequence.as_slice().iter().map(|range| (range.start, range.end));
                    all.unite(&Self::string(ranges, direction));
                }
            }
            Class::Bytes(class) => {
                for range in class.iter() {
                    all.unite(&Self::string(std::iter::once((range.start(), range.end())), direction));
                }
            }
        }
        all
    }

    fn unite(&mut self, other: &Self) {
        self.sets.iter_mut().zip(&other.sets).for_each(|(set, other)| set.unite(other));
        self.lengths |= other.lengths;
    }

    /// This, and then what is only asked for when some text is not long enough yet.
    fn then(mut self, after: impl FnOnce() -> Self) -> Self {
        if self.lengths & (LONG - 1) == 0 {
            return self;
        }
        let after = after();
        let mut lengths = self.lengths & LONG;
        for before in (0..ENDS).filter(|before| self.lengths & length(*before) != 0) {
            for (set, other) in self.sets.iter_mut().skip(before).zip(&after.sets) {
                set.unite(other);
            }
            lengths |= (0..=ENDS)
                .filter(|more| after.lengths & length(*more) != 0)
                .fold(0, |all, more| all | length(before.saturating_add(more)));
        }
        self.lengths = lengths;
        self
    }

    fn repeated(&self, min: u32, max: Option<u32>) -> Self {
        let mut all = Self::EMPTY;
        for _ in 0..min {
            let next = all.clone().then(|| self.clone());
            if next == all {
                break;
            }
            all = next;
        }
        let more = max.map_or(u32::MAX, |max| max.saturating_sub(min));
        for _ in 0..more {
            let mut next = all.clone().then(|| self.clone());
            next.unite(&all);
            if next == all {
                break;
            }
            all = next;
        }
        all
    }
}

/// The bit of a length.
fn length(bytes: usize) -> u16 {
    1_u16.checked_shl(u32::try_from(bytes.min(ENDS)).unwrap_or(u32::MAX)).unwrap_or(LONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(source: &str) -> Shape {
        Shape::of(&regex_syntax::ParserBuilder::new().case_insensitive(true).build().parse(source).unwrap())
    }

    #[test]
    fn texts_of_another_length_or_with_other_ends_are_told() {
        for (source, good, bad) in [
            ("csv|list", &["csv", "LIST", "lisv"][..], &["cs", "tables", "xsv", "csx", ""][..]),
            ("web[0-9]{2,3}", &["web01", "WEB012"], &["web1", "wab01", "web0a", "web0123"]),
            ("[a-z]+999", &["abc999", "a\u{17F}999"], &["abc998", "999", "1abc999"]),
            ("a.*z", &["az", "a受z"], &["za", "a"]),
            (".*", &["", "anything"], &[]),
            ("(ab)+", &["ab", "abab"], &["b", "ba", "abc"]),
            ("x?y?z", &["z", "yz", "xyz", "xz"], &["x", "", "zx"]),
            ("受{1,2}", &["受", "受受"], &["受受受", "注", "x"]),
            ("", &[""], &["a"]),
        ] {
            let shape = shape(source);
            for text in good {
                assert!(shape.fits(text), "{source} {text}");
            }
            for text in bad {
                assert!(!shape.fits(text), "{source} {text}");
            }
        }
    }

    #[test]
    fn a_gate_lets_through_what_has_one_of_its_shapes() {
        let shapes = ["/fo", "csv|list", "[a-z]+9"].map(shape);
        let gate = Gate::of(&mut shapes.iter());
        for good in ["/fo", "CSV", "abc9", "/xyz9"] {
            assert!(gate.fits(good), "{good}");
        }
        for bad in ["", "x", "abc8", "9bc9"] {
            assert!(!gate.fits(bad), "{bad}");
        }
        assert!(Gate::of(&mut [shape(".*")].iter()).fits("") && Gate::OPEN.fits("x"));
        assert!(!Gate::of(&mut std::iter::empty()).fits(""));
    }

    #[test]
    fn the_width_of_a_pattern_is_what_can_be_under_way_at_once() {
        let width = |source: &str| {
            let hir = regex_syntax::ParserBuilder::new().build().parse(source).unwrap();
            Width::of(&hir).active()
        };
        for (source, expected) in [
            ("", 1),
            ("abc", 1),
            ("[a-c]{1,1000}", 1),
            (r"\w{1,100}", 4),
            ("[0-9][a-c][0-9]", 1),
            ("[0-9]*[a-c]{100}", 101),
            ("[0-9]{1,3}[a-c]{100}", 4),
            ("(?:[0-9]*[a-c]*){300}", 600),
            ("(?:[0-9]|ab)*", 3),
            ("(?:[0-9]{1,20}){1,20}", 381),
            ("(?:[0-9]{2}){4000000000}", 1),
            ("(?:[0-9]*){4000000000}", 4_000_000_000),
        ] {
            assert_eq!(width(source), expected, "{source}");
        }
    }

    #[test]
    fn repetitions_without_end_and_of_nothing_come_to_an_end() {
        for source in ["(a*)*", "(|a){4000000000}", "((a|bc){0,3000000}){2,}", "(^)*a"] {
            assert!(shape(source).fits("a") || source.starts_with("((a|bc)"), "{source}");
        }
    }

    proptest::proptest! {
        /// What is told at once is never what the engine would have matched.
        #[test]
        fn whatever_matches_has_the_shape(
            source in "(\\(?([a-cKé受]|\\[a-c1\\]|\\[\\^ab\\]|\\.|\\\\w|\\\\d|\\||\\))(\\*|\\?|\\{0,2\\}|\\{1,3\\})?){0,6}",
            values in proptest::collection::vec("[a-cA-CkKéÉ受1\u{17F}\u{212A} ]{0,6}", 20),
        ) {
            let whole = format!(r"\A(?:{source})\z");
            let engine = regex::RegexBuilder::new(&whole).case_insensitive(true).build();
            let hir = regex_syntax::ParserBuilder::new().case_insensitive(true).build().parse(&source);
            if let (Ok(engine), Ok(hir)) = (engine, hir) {
                let shape = Shape::of(&hir);
                for value in values.iter().filter(|value| engine.is_match(value)) {
                    proptest::prop_assert!(shape.fits(value), "{source} {value}");
                }
            }
        }
    }
}
