//! Texts that are likely to be read differently by two readers.

/// Numbers from a seed, the same everywhere (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    /// One of the words of a text.
    fn word(&mut self, words: &'static str) -> &'static str {
        let words: Vec<&str> = words.split_ascii_whitespace().collect();
        words[self.below(words.len())]
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const COMMANDS: &str = "Get-Service gsv Get-部署一覧 ping.exe C:\\Windows\\System32\\ping.exe Module\\Get-X foreach % ? where if exit \
    return break using class data param function in type 7z.exe 7zip 1.2 -x -- . & .\\x.ps1 ..\\x 'Get-X' \
    \"Get-X\" $x $true [int] a=b a.b a[0] a:b a::b a+b a,b {x} (x) ~ 0x10";

const WORDS: &str = "a Spooler café 営業部 Ａ ʼa 10 0 007 1.5 5. .5 1..3 1.2.3 10.0.0.1 12:30 1kb 1KB 1.5kb 1kbl 1lkb 5mb 3gb 1tb 9pb \
    0x10 0X1f 0x 0xg 0x1kb 0xFFFFFFFF 0x80000000 0x1FFFFFFFF 0x123456789abcdef0 0b1 0b 0b2 1e3 1e 1e+3 1e-3 \
    1E400 1e3kb 1.e3 .e3 .5e1 1l 1d 1.5d 1.50d 1u 1y 1s 1n 1ul 1us 1lu 1ll 1_0 1a 1f 2147483647 2147483648 \
    9223372036854775807 9223372036854775808 79228162514264337593543950335 79228162514264337593543950336 \
    99999999999999999999999999999999999999 0.1234567890123456789 1234567.125 +5 -5 -1.5 -.5 +.5 --5 - -- --x --% \
    --%x -% + * / % ! = == += -= *= ++ .. . ... .a ..a ~ ^ ? : :: :a ::a :5 [ ] [] [a] [a-z]* ]a a] a[ a[0] a=b \
    a+b a!b a#b #a a@b @a @ @x a%b %a% a?b a*b a^b a~b a/b /a a\\b \\\\a\\b a:b a::b C:\\x HKLM:\\x if true null \
    a-b -_ 2>1 2> > < a>b";

const QUOTED: &[&str] = &[
    "''",
    "'a'",
    "'a b'",
    "'it''s'",
    "'a\"b'",
    "'$x'",
    "'$(1)'",
    "'`n'",
    "'--%'",
    "\"--%\"",
    "'a\nb'",
    "'a\r\nb'",
    "'-x'",
    "\"\"",
    "\"a\"",
    "\"a\"\"b\"",
    "\"it's\"",
    "\"$x\"",
    "\"$\"",
    "\"`n\"",
    "\"a'b\"",
    "'’'",
    "'a’’b'",
    "'a’‘b'",
    "\"“\"",
    "\"a””b\"",
    "\"a’b\"",
    "'a“b'",
    "@'\nx\n'@",
    "‘a’",
    "“a”",
];

const VARIABLES: &str =
    "$true $FALSE $null $x $_ $using:x $env:x ${true} $true.x $true[0] $true: $true? $(1) $true, $nul";

const PARAMETERS: &str = "-Name -N -詳細 -_x -P1 -Name: -n: -Name:: -a:b -a:b:c -a=b -a.b -a[0] -a-b -a#b -a/b -a?b -? -a'b' -a>b -a@b \
    -Ａ -é -Ⓐ -ʼa -𝒜 -a$b";

const BLANKS: &[&str] =
    &[" ", " ", " ", " ", "  ", "\t", " \t", "", "\u{a0}", "\u{3000}", "\u{85}", "\u{b}", "` ", "`\n"];

const SEPARATORS: &[&str] = &[
    "|",
    " | ",
    "|\n",
    " |\r\n  ",
    "|\r",
    "\n|",
    "||",
    "&&",
    ";",
    "&",
    "\n",
    "\r",
    "\r\n",
    "\u{2028}",
    " # ",
    " <# x #> ",
    "|&",
    "| |",
    " | \n\n\t",
    "|\u{a0}",
    "|;",
    " 2>&1 | ",
    "| #x\n",
    "|`\n",
];

const COMMAS: &[&str] = &[",", ",", ",", ", ", " ,", " , ", ",\n", ",\r\n ", "\n,", ",,"];

/// A text after the grammar, with much in it that is not of the subset.
pub(crate) fn by_grammar(dice: &mut Dice, odd: usize) -> String {
    let mut text = String::new();
    if dice.one_in(6) {
        text.push_str(dice.pick(&[" ", "\n", "\r\n\t", "\u{feff}", ";", "#x\n", "\u{3000}", "using module X\n"]));
    }
    for index in 0..=dice.below(3) {
        if index > 0 {
            let separator = if dice.one_in(odd) { dice.pick(SEPARATORS) } else { "|" };
            text.push_str(separator);
        }
        text.push_str(if dice.one_in(odd) { dice.word(COMMANDS) } else { "Get-A" });
        for _ in 0..dice.below(5) {
            text.push_str(if dice.one_in(odd) { dice.pick(BLANKS) } else { " " });
            argument(dice, odd, &mut text);
        }
    }
    if dice.one_in(6) {
        text.push_str(dice.pick(&[" ", "\n", "\r\n", ";", " &", "|", ",", "#", "`", "\u{2029}", " \n \n"]));
    }
    text
}

fn argument(dice: &mut Dice, odd: usize, text: &mut String) {
    if dice.one_in(3) {
        text.push_str(dice.word(PARAMETERS));
        if !dice.one_in(3) {
            return;
        }
    }
    value(dice, odd, text);
    while dice.one_in(4) {
        text.push_str(dice.pick(COMMAS));
        value(dice, odd, text);
    }
}

fn value(dice: &mut Dice, odd: usize, text: &mut String) {
    let plain = ["x", "'a b'", "5", "$true", "$null", "C:\\x", "\"b\"", "*"];
    let odd_one = match dice.below(5) {
        0 | 1 => dice.word(WORDS),
        2 => dice.pick(QUOTED),
        3 => dice.word(VARIABLES),
        _ => dice.word(PARAMETERS),
    };
    text.push_str(if dice.one_in(odd) { odd_one } else { dice.pick(&plain) });
    // Two things without a blank between them.
    if dice.one_in(odd.saturating_mul(8)) {
        text.push_str(dice.word(WORDS));
    }
}

/// Characters that are syntax, look like it, or show nothing.
const DEVIOUS: &str = "\0\u{1}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b} !\"#$%&'()*+,-./0159:;<=>?@AEKLXaeklx[\\]^_`bn{|}~\u{7f}\u{80}\u{85}\
    \u{a0}\u{ad}µ·ˈʼʻ˗́ー־᠆᠎‎\u{200b}\u{200c}\u{200d}\u{2002}‐‑‒–—―‘’‚‛“”„‟\u{2028}\u{2029}\u{202e}\u{202f}′″‹›⁃⁻₋⁠−─Ⓐ\u{3000}〜ー﹘﹣﹨＂＇（）－；｜＄＠＆｛｝０２Ａａ\u{feff}\u{fffd}𝒜𝟘😀\u{e0041}";

/// A text with one to four places changed.
pub(crate) fn mutated(dice: &mut Dice, text: &str, other: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let devious: Vec<char> = DEVIOUS.chars().collect();
    for _ in 0..=dice.below(4) {
        let at = dice.below(characters.len().saturating_add(1));
        let inside = at < characters.len();
        match dice.below(9) {
            0..=2 => characters.insert(at, devious[dice.below(devious.len())]),
            3 | 4 if inside => characters[at] = devious[dice.below(devious.len())],
            5 if inside => {
                characters.remove(at);
            }
            6 if inside => characters.insert(at, characters[at]),
            7 => {
                let word = if dice.one_in(2) { dice.word(WORDS) } else { dice.pick(QUOTED) };
                characters.splice(at..at, word.chars());
            }
            8 => {
                // The end of another text.
                let from = dice.below(other.chars().count().saturating_add(1));
                characters.truncate(at);
                characters.extend(other.chars().skip(from));
            }
            _ => characters.insert(at, char::from_u32(u32::try_from(dice.below(0x3100)).unwrap()).unwrap_or('x')),
        }
    }
    characters.into_iter().collect()
}

/// Devious characters only.
pub(crate) fn soup(dice: &mut Dice) -> String {
    let devious: Vec<char> = DEVIOUS.chars().collect();
    let mut text =
        String::from(dice.pick(&["", "a ", "Get-A ", "Get-A -", "Get-A '", "Get-A \"", "Get-A a,", "a -b:"]));
    for _ in 0..dice.below(12) {
        if dice.one_in(3) {
            text.push_str(dice.pick(&["a", " ", "'", "-", "x", "1"]));
        } else {
            text.push(devious[dice.below(devious.len())]);
        }
    }
    text
}

/// The places of a text where one character decides.
const PLACES: &[&str] = &[
    "@", "@x", "x@", "x @", "x @y", "x y@", "x y@z", "x -@", "x -@a", "x -a@", "x -a@b", "x -a:@", "x '@'", "x 'a@'",
    "x \"@\"", "x 1@", "x 1@2", "x @1", "x a,@", "x a@,b", "x|@y", "x '@@'",
];

/// Every one of these characters in every place.
pub(crate) fn every_place(characters: impl Iterator<Item = char>) -> impl Iterator<Item = String> {
    characters.flat_map(|c| PLACES.iter().map(move |place| place.replace('@', &c.to_string())))
}
