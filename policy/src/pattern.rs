//! Patterns for values: .NET's meaning, ignoring case, of the whole value, in linear time.
//!
//! The `regex` crate's syntax and .NET's agree on most of what people write. Where one text means two things,
//! the pattern is a mistake and not a guess; where both mean nearly the same, only what both accept matches.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{self, Ast, Visitor};

use crate::pattern_shape::{Shape, Width};
use crate::{budget, limits};

/// A pattern that must match a whole value.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: String,
    regex: Regex,
    traits: Traits,
    shape: Shape,
    /// Bytes of the longest value that is judged; longer ones do not match.
    longest: usize,
    /// Places that can be under way at once: what a byte of a value costs.
    active: usize,
}

/// What a pattern's form says about it.
#[derive(Debug, Clone, Copy)]
struct Traits {
    words: Words,
    reach: Reach,
}

/// Whether a pattern speaks of word characters, of which .NET knows fewer.
#[derive(Debug, Clone, Copy)]
enum Words {
    Unused,
    Used,
}

/// What a pattern lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A few texts, all spelled out.
    Listed,
    /// Texts of the sender's making.
    Open,
}

/// Why a pattern is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternMistake {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Pattern {
    pub(crate) fn parse(source: &str) -> Result<Self, PatternMistake> {
        if source.len() > limits::PATTERN_BYTES {
            return Err(mistake(
                format!("the pattern is longer than {} bytes", limits::PATTERN_BYTES),
                "split it into several patterns",
            ));
        }
        let traits = examine(source)?;
        let regex = RegexBuilder::new(&format!(r"\A(?:{source})\z"))
            .case_insensitive(true)
            .size_limit(limits::PATTERN_COMPILED_BYTES)
            .nest_limit(limits::PATTERN_DEPTH.saturating_add(4))
            .build()
            .map_err(|error| too_costly(&error))?;
        let hir = regex_syntax::ParserBuilder::new()
            .case_insensitive(true)
            .nest_limit(limits::PATTERN_DEPTH)
            .build()
            .parse(source)
            .map_err(|_| mistake("the pattern cannot be compiled", "write it more simply"))?;
        let active = Width::of(&hir).active();
        let longest = limits::PATTERN_COST.checked_div(active).unwrap_or(usize::MAX);
        if longest < limits::PATTERN_VALUE_LEAST {
            return Err(mistake(
                "the pattern takes too long to judge even a short value",
                "lower its counts, and put no repetition of changing length within another",
            ));
        }
        let longest = longest.min(limits::PATTERN_VALUE_BYTES);
        Ok(Self { source: source.to_owned(), regex, traits, shape: Shape::of(&hir), longest, active })
    }

    /// Whether the whole value matches, a final line feed included.
    pub(crate) fn matches(&self, value: &str) -> bool {
        value.len() <= self.longest
            && self.shape.fits(value)
            && budget::spend(self.active.saturating_mul(value.len().max(1)))
            && self.regex.is_match(value)
            && (value.is_ascii() || self.matches_as_dotnet(value))
    }

    /// What all values that match have in common.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Bytes of the longest value that is judged, where longer ones would match and are refused all the same: their
    /// judgement would take too long.
    pub(crate) fn shortens(&self) -> Option<usize> {
        (self.longest < self.shape.most().min(limits::PATTERN_VALUE_BYTES)).then_some(self.longest)
    }

    /// For values beyond ASCII: takes back what this engine matches and .NET's ordinal reading does not.
    fn matches_as_dotnet(&self, value: &str) -> bool {
        if value.contains(CROSSING) {
            // U+017F and U+212A are not s and k: what stands for them here folds to nothing.
            let opaque: String = value.chars().map(|c| if CROSSING.contains(&c) { '\u{FFFE}' } else { c }).collect();
            if !self.regex.is_match(&opaque) {
                return false;
            }
        }
        match self.traits.words {
            Words::Unused => true,
            Words::Used => !holds_doubtful_word_character(value),
        }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn reach(&self) -> Reach {
        self.traits.reach
    }
}

/// The only characters beyond ASCII that Unicode folds into it.
const CROSSING: [char; 2] = ['\u{17F}', '\u{212A}'];

/// Characters that `\w` matches here and not in .NET: joiners, enclosing marks, letter-like numbers and symbols.
static DOUBTFUL_WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\w--[\p{L}\p{Mn}\p{Nd}\p{Pc}]]").ok());

fn holds_doubtful_word_character(value: &str) -> bool {
    DOUBTFUL_WORD.as_ref().is_none_or(|doubtful| doubtful.is_match(value))
}

fn mistake(message: impl Into<String>, hint: impl Into<String>) -> PatternMistake {
    PatternMistake { message: message.into(), hint: hint.into() }
}

fn too_costly(error: &regex::Error) -> PatternMistake {
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        return mistake(
            "the pattern takes too much memory when compiled",
            "lower its counts, for instance `{1,1000}`, or name fewer kinds of characters",
        );
    }
    mistake("the pattern cannot be compiled", "write it more simply")
}

fn examine(source: &str) -> Result<Traits, PatternMistake> {
    let ast = ast::parse::ParserBuilder::new()
        .nest_limit(limits::PATTERN_DEPTH)
        .build()
        .parse(source)
        .map_err(|error| unreadable(&error))?;
    ast::visit(&ast, Examiner { traits: Traits { words: Words::Unused, reach: Reach::Listed } })
}

fn unreadable(error: &ast::Error) -> PatternMistake {
    use ast::ErrorKind as Kind;
    let kind = error.kind();
    let hint = if matches!(kind, Kind::UnsupportedLookAround) {
        "look-around takes unbounded time and is not supported: list what is allowed instead"
    } else if matches!(kind, Kind::UnsupportedBackreference) {
        "back-references take unbounded time and are not supported: list what is allowed instead"
    } else if matches!(kind, Kind::EscapeUnrecognized) {
        "put a backslash before punctuation only"
    } else if matches!(kind, Kind::NestLimitExceeded(_)) {
        "use fewer groups within groups"
    } else {
        "a character that is meant as it is takes a backslash before it, for instance `\\.` or `\\(`"
    };
    let at = error.span().start.column;
    mistake(format!("the pattern is not readable at its character {at}: {kind}"), hint)
}

/// Walks through a pattern once and stops at the first thing that .NET reads otherwise.
struct Examiner {
    traits: Traits,
}

impl Examiner {
    fn literal(&self, literal: &ast::Literal) -> Result<(), PatternMistake> {
        if CROSSING.contains(&literal.c) {
            return Err(crossing());
        }
        Ok(())
    }

    fn range(&self, range: &ast::ClassSetRange) -> Result<(), PatternMistake> {
        let (start, end) = (range.start.c, range.end.c);
        let crosses = |beyond: char, letter: char| start > letter && start <= beyond && beyond <= end;
        if crosses('\u{17F}', 's') || crosses('\u{212A}', 'k') {
            return Err(crossing());
        }
        Ok(())
    }

    fn group(&self, group: &ast::Group) -> Result<(), PatternMistake> {
        match &group.kind {
            ast::GroupKind::NonCapturing(flags) if !flags.items.is_empty() => Err(inline_flags()),
            ast::GroupKind::NonCapturing(_) | ast::GroupKind::CaptureIndex(_) | ast::GroupKind::CaptureName { .. } => {
                Ok(())
            }
        }
    }

    fn assertion(&mut self, assertion: &ast::Assertion) -> Result<(), PatternMistake> {
        use ast::AssertionKind as Kind;
        match assertion.kind {
            Kind::StartLine | Kind::EndLine | Kind::StartText | Kind::EndText => Ok(()),
            Kind::WordBoundary | Kind::NotWordBoundary => {
                self.traits.words = Words::Used;
                Ok(())
            }
            Kind::WordBoundaryStart
            | Kind::WordBoundaryEnd
            | Kind::WordBoundaryStartAngle
            | Kind::WordBoundaryEndAngle
            | Kind::WordBoundaryStartHalf
            | Kind::WordBoundaryEndHalf => Err(mistake(
                "one-sided word boundaries such as `\\<` mean something else in .NET",
                "use `\\b`, or `<` and `>` without a backslash",
            )),
        }
    }

    fn perl(&mut self, class: &ast::ClassPerl) {
        if class.kind == ast::ClassPerlKind::Word {
            self.traits.words = Words::Used;
        }
    }
}

impl Visitor for Examiner {
    type Output = Traits;
    type Err = PatternMistake;

    fn finish(self) -> Result<Traits, PatternMistake> {
        Ok(self.traits)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), PatternMistake> {
        match ast {
            Ast::Dot(_) | Ast::ClassUnicode(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) | Ast::Repetition(_) => {
                self.traits.reach = Reach::Open;
            }
            Ast::Empty(_)
            | Ast::Flags(_)
            | Ast::Literal(_)
            | Ast::Assertion(_)
            | Ast::Group(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => {}
        }
        match ast {
            Ast::Flags(_) => Err(inline_flags()),
            Ast::Literal(literal) => self.literal(literal),
            Ast::Assertion(assertion) => self.assertion(assertion),
            Ast::Group(group) => self.group(group),
            Ast::ClassPerl(class) => {
                self.perl(class);
                Ok(())
            }
            Ast::Empty(_)
            | Ast::Dot(_)
            | Ast::ClassUnicode(_)
            | Ast::ClassBracketed(_)
            | Ast::Repetition(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), PatternMistake> {
        match item {
            ast::ClassSetItem::Literal(literal) => self.literal(literal),
            ast::ClassSetItem::Range(range) => self.range(range),
            ast::ClassSetItem::Perl(class) => {
                self.perl(class);
                Ok(())
            }
            ast::ClassSetItem::Ascii(_) | ast::ClassSetItem::Bracketed(_) => Err(mistake(
                "a bracket within brackets means something else in .NET",
                "write `\\[` for the character, and `\\d`, `\\w` or the letters themselves for a kind of character",
            )),
            ast::ClassSetItem::Empty(_) | ast::ClassSetItem::Unicode(_) | ast::ClassSetItem::Union(_) => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), PatternMistake> {
        Err(mistake(
            "`&&`, `--` and `~~` within brackets mean something else in .NET",
            "put a backslash before each of the two characters, or list the characters that are allowed",
        ))
    }
}

fn crossing() -> PatternMistake {
    mistake(
        "the pattern holds U+017F or U+212A, which Unicode takes for `s` and `k` when case is ignored",
        "leave the two characters out of letters and ranges",
    )
}

fn inline_flags() -> PatternMistake {
    mistake("options such as `(?s)` or `(?-i)` are not supported", "patterns ignore case always; leave the option out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> Pattern {
        Pattern::parse(source).unwrap()
    }

    #[test]
    fn the_whole_value_matches_or_nothing() {
        let p = pattern("csv|list|table");
        assert!(p.matches("csv") && p.matches("LIST") && p.matches("Table"));
        for bad in ["csvx", "xcsv", "csv|list", "csv\n", "\ncsv", "", "cs", "listtable"] {
            assert!(!p.matches(bad), "{bad:?}");
        }
        assert!(pattern("^a$").matches("A"));
        assert!(!pattern("^a$").matches("a\n"));
        assert!(!pattern("a.b").matches("a\nb"));
        assert!(pattern("").matches("") && !pattern("").matches("a"));
        assert!(pattern(r"\d{1,3}").matches("123") && !pattern(r"\d{1,3}").matches("1234"));
    }

    #[test]
    fn case_is_ignored_within_ascii_and_never_into_it() {
        assert!(pattern("kiosk").matches("KIOSK"));
        assert!(!pattern("kiosk").matches("\u{212A}iosk"));
        assert!(!pattern("stop").matches("\u{17F}top"));
        assert!(!pattern("[a-z]+").matches("\u{17F}top"));
        assert!(!pattern("[^x]top").matches("xtop"));
        assert!(pattern("[^x]top").matches("\u{17F}top"));
        assert!(pattern("müller").matches("MÜLLER"));
        assert!(pattern(".*").matches("\u{212A}"));
    }

    #[test]
    fn letters_that_fold_into_ascii_are_mistakes_in_a_pattern() {
        for bad in ["\u{17F}", "[\u{212A}]", "[\u{C0}-\u{17F}]", "[\u{2000}-\u{3000}]", r"\u017F", "[t-\u{17F}]"] {
            assert!(Pattern::parse(bad).unwrap_err().message.contains("U+017F"), "{bad}");
        }
        assert!(Pattern::parse("[a-\u{3000}]").is_ok());
        assert!(Pattern::parse("[À-Ž]").is_err() || !pattern("[À-Ž]").matches("s"));
        assert!(!pattern("[ぁ-ん]").matches("k"));
    }

    #[test]
    fn word_characters_are_those_of_dotnet() {
        assert!(pattern(r"\w+").matches("受注_é1"));
        for bad in ["a\u{200D}b", "a\u{200C}", "\u{24B6}", "\u{20DD}a", "\u{2160}"] {
            assert!(!pattern(r"\w+").matches(bad), "{bad:?}");
            assert!(!pattern(r"[\w-]+").matches(bad), "{bad:?}");
        }
    }

    #[test]
    fn what_dotnet_reads_otherwise_is_a_mistake() {
        for (source, part) in [
            ("a(?=b)", "look-around"),
            ("(?<!a)b", "look-around"),
            (r"(a)\1", "back-references"),
            ("(?s)a.b", "leave the option out"),
            ("(?-i:a)", "leave the option out"),
            ("(?x) a b", "leave the option out"),
            ("[a-z-[aeiou]]", "within brackets"),
            ("[[:alpha:]]", "within brackets"),
            ("[a-z&&[^b]]", "within brackets"),
            ("[a--b]", "within brackets"),
            (r"\<a\>", "one-sided"),
            (r"\b{start}a", "one-sided"),
            ("a{,5}", "not readable"),
            ("(a", "not readable at its character 1"),
            ("a)|(b", "not readable"),
            ("[z-a]", "not readable"),
            ("*", "not readable"),
            (r"\Z", "not readable"),
            (r"\Qa", "not readable"),
            (r"(?>a+)b", "not readable"),
            (r"\p{IsGreek}{400}{400}", "pattern"),
            (r"\w{5000}", "memory"),
        ] {
            let found = Pattern::parse(source).expect_err(source);
            assert!(format!("{} {}", found.message, found.hint).contains(part), "{source}: {found:?}");
        }
        assert!(Pattern::parse(&"(".repeat(2000)).is_err());
        assert!(Pattern::parse(&"a".repeat(limits::PATTERN_BYTES + 1)).is_err());
        assert!(Pattern::parse(&format!("{}a{}", "(".repeat(40), ")".repeat(40))).is_err());
    }

    #[test]
    fn reach_is_listed_only_when_every_text_is_spelled_out() {
        for listed in ["/fo", "csv|list|(a|b)c", r"C:\\x\.ps1", "", "(?:a)(?<n>b)"] {
            assert_eq!(pattern(listed).reach(), Reach::Listed, "{listed}");
        }
        for open in [".", "a*", r"\d", "[ab]", "a?", "x(a|b+)", r"\p{L}"] {
            assert_eq!(pattern(open).reach(), Reach::Open, "{open}");
        }
    }

    #[test]
    fn the_time_of_one_judgement_is_bounded_whatever_the_value() {
        // Usual patterns judge whatever a command line can hold, or all that they match.
        for usual in
            [".*", r"[\w-]+", r"\d{1,3}", r"[-._:\\\p{L}]{1,100}", ".{0,1000}", "[a-z]{1,63}", r"C:\\Logs\\[\w-]+\.log"]
        {
            assert_eq!(pattern(usual).shortens(), None, "{usual}");
        }
        // These would take up to a second for a value of 8,000 letters.
        for (costly, most) in [(r"(?:\w*\d*){300}", 208), (r"(?:\w+ ?){1,200}", 278), (r"\w*a\w{300}", 414)] {
            let costly = pattern(costly);
            assert_eq!(costly.shortens(), Some(most), "{}", costly.source());
        }
        let words = pattern(r"(?:\w+ ?){1,200}");
        assert!(words.matches(&"ab ".repeat(90)) && !words.matches(&"ab ".repeat(100)));
        assert!(!pattern(".*").matches(&"x".repeat(limits::PATTERN_VALUE_BYTES + 1)));
        for hopeless in [r"(?:\w{1,20}){100,200}", "(?:a*b*c*){4000}"] {
            let found = Pattern::parse(hopeless).expect_err(hopeless);
            assert!(found.message.contains("too long") || found.message.contains("memory"), "{found:?}");
        }
    }

    #[test]
    fn the_largest_pattern_of_the_default_commands_compiles() {
        assert!(pattern(r"[-._:\\\p{Ll}\p{Lu}\p{Lt}\p{Lo}\p{Nd}\p{Lm}]{1,100}").matches("Get-Help"));
    }
}
