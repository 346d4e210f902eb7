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
    1E400 1e3kb 1.e3 1e15 1e16 1e17 12345678901234567.0 0.0001 0.00001 .e3 .5e1 1l 1d 1.5d 1.50d 1u 1y 1s 1n 1ul 1us 1lu 1ll 1_0 1a 1f 2147483647 2147483648 \
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

/// A value of text for which quotes are needed, as often as not.
pub(crate) fn content(dice: &mut Dice) -> String {
    let devious: Vec<char> = DEVIOUS.chars().collect();
    let letter = |dice: &mut Dice| if dice.one_in(2) { devious[dice.below(devious.len())] } else { 'a' };
    (0..dice.below(9)).map(|_| letter(dice)).collect()
}

/// Random words of a few characters, nearly all of which PowerShell takes for words too.
const LETTERS: &str = "abxekdlu0159.:/\\_-+=*?%!~^[]#@é受";

/// What texts are made of.
#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    commands: Vec<&'static str>,
    values: Vec<&'static str>,
    parameters: Vec<&'static str>,
    blanks: Vec<&'static str>,
    separators: Vec<&'static str>,
    commas: Vec<&'static str>,
    ends: Vec<&'static str>,
}

impl Pieces {
    /// All of them, most of which make a text no constant command.
    pub(crate) fn all() -> Self {
        let words = |text: &'static str| text.split_ascii_whitespace();
        Self {
            commands: words(COMMANDS).collect(),
            values: words(WORDS).chain(QUOTED.iter().copied()).chain(words(VARIABLES)).collect(),
            parameters: words(PARAMETERS).collect(),
            blanks: BLANKS.to_vec(),
            separators: SEPARATORS.to_vec(),
            commas: COMMAS.to_vec(),
            ends: vec!["", "", "", "", " ", "\n", "\r\n", ";", " &", "|", ",", "#", "`", "\u{2029}", " \n \n"],
        }
    }

    /// Those that are accepted by themselves, so that texts of them mostly are.
    pub(crate) fn such(accepted: impl Fn(&str) -> bool) -> Self {
        let mut pieces = Self::all();
        pieces.commands.retain(|it| accepted(it));
        pieces.values.retain(|it| accepted(&format!("x {it}")));
        pieces.parameters.retain(|it| accepted(&format!("x {it}")) || accepted(&format!("x {it}y")));
        pieces.blanks.retain(|it| accepted(&format!("x{it}y")) && !it.is_empty());
        pieces.separators.retain(|it| accepted(&format!("x{it}y")) && it.contains('|'));
        pieces.commas.retain(|it| accepted(&format!("x a{it}b")));
        pieces.ends.retain(|it| accepted(&format!("x{it}")));
        pieces
    }

    /// A text after the grammar.
    pub(crate) fn text(&self, dice: &mut Dice) -> String {
        let mut text = String::from(dice.pick(&["", "", "", " ", "\n", "\r\n\t"]));
        for index in 0..=dice.below(3) {
            if index > 0 {
                text.push_str(dice.pick(&self.separators));
            }
            text.push_str(dice.pick(&self.commands));
            for _ in 0..dice.below(5) {
                text.push_str(dice.pick(&self.blanks));
                self.argument(dice, &mut text);
            }
        }
        text.push_str(dice.pick(&self.ends));
        text
    }

    fn argument(&self, dice: &mut Dice, text: &mut String) {
        if dice.one_in(3) {
            let parameter = dice.pick(&self.parameters);
            text.push_str(parameter);
            if !parameter.ends_with(':') {
                return;
            }
            text.push_str(dice.pick(&["", " ", "\t "]));
        }
        self.value(dice, text);
        while dice.one_in(4) {
            text.push_str(dice.pick(&self.commas));
            self.value(dice, text);
        }
    }

    fn value(&self, dice: &mut Dice, text: &mut String) {
        if dice.one_in(3) {
            let letters: Vec<char> = LETTERS.chars().collect();
            text.extend((0..=dice.below(5)).map(|_| letters[dice.below(letters.len())]));
        } else {
            text.push_str(dice.pick(&self.values));
        }
    }
}

/// Characters that are syntax, look like it, or show nothing.
const DEVIOUS: &str = "\0\u{1}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b} !\"#$%&'()*+,-./0159:;<=>?@AEKLXaeklx[\\]^_`bn{|}~\u{7f}\u{80}\
    \u{85}\u{a0}\u{ad}\u{b5}\u{b7}\u{2c8}\u{2bc}\u{2bb}\u{2d7}\u{301}\u{30fc}\u{5be}\u{1806}\u{180e}\u{200e}\
    \u{200b}\u{200c}\u{200d}\u{2002}\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2018}\u{2019}\u{201a}\
    \u{201b}\u{201c}\u{201d}\u{201e}\u{201f}\u{2028}\u{2029}\u{202e}\u{202f}\u{2032}\u{2033}\u{2039}\u{203a}\
    \u{2043}\u{207b}\u{208b}\u{2060}\u{2212}\u{2500}\u{24b6}\u{3000}\u{301c}\u{30fc}\u{fe58}\u{fe63}\u{fe68}\
    \u{ff02}\u{ff07}\u{ff08}\u{ff09}\u{ff0d}\u{ff1b}\u{ff5c}\u{ff04}\u{ff20}\u{ff06}\u{ff5b}\u{ff5d}\u{ff10}\
    \u{ff12}\u{ff21}\u{ff41}\u{feff}\u{fffd}\u{1d49c}\u{1d7d8}\u{1f600}\u{e0041}";

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
