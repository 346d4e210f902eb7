//! Which characters PowerShell takes for syntax, and which of them this reader takes at all.

use std::ops::RangeInclusive;

/// A blank that separates words. PowerShell knows many more, which are refused: see [`is_odd_blank`].
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// CR and LF, the only characters that end a line.
pub(super) fn is_newline(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

/// A character that PowerShell takes for `'`, in strings too.
pub(super) fn is_single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}'..='\u{201B}')
}

/// A character that PowerShell takes for `"`, in strings too.
pub(super) fn is_double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201C}'..='\u{201E}')
}

/// A character other than `-` that PowerShell takes for a dash.
pub(super) fn is_odd_dash(c: char) -> bool {
    matches!(c, '\u{2013}'..='\u{2015}')
}

/// A blank that PowerShell, in one of its versions, takes for a separator although it does not look like a plain
/// one; U+180E was one until Unicode 6.3.
pub(super) fn is_odd_blank(c: char) -> bool {
    !is_blank(c) && !is_newline(c) && (c.is_whitespace() || c == '\u{180E}')
}

/// Characters that show nothing: what people read is not what is there.
const INVISIBLE: [RangeInclusive<char>; 21] = [
    '\u{AD}'..='\u{AD}',
    '\u{34F}'..='\u{34F}',
    '\u{600}'..='\u{605}',
    '\u{61C}'..='\u{61C}',
    '\u{6DD}'..='\u{6DD}',
    '\u{70F}'..='\u{70F}',
    '\u{890}'..='\u{891}',
    '\u{8E2}'..='\u{8E2}',
    '\u{115F}'..='\u{1160}',
    '\u{17B4}'..='\u{17B5}',
    '\u{180B}'..='\u{180F}',
    '\u{200B}'..='\u{200F}',
    '\u{202A}'..='\u{202E}',
    '\u{2060}'..='\u{206F}',
    '\u{3164}'..='\u{3164}',
    '\u{FE00}'..='\u{FE0F}',
    '\u{FEFF}'..='\u{FEFF}',
    '\u{FFA0}'..='\u{FFA0}',
    '\u{FFF0}'..='\u{FFFF}',
    '\u{1D173}'..='\u{1D17A}',
    '\u{E0000}'..='\u{E0FFF}',
];

/// A character that shows nothing, or a control character.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control() || (!c.is_ascii() && INVISIBLE.iter().any(|range| range.contains(&c)))
}

/// Letters beyond ASCII which every version of PowerShell takes for letters. After a dash this makes the difference
/// between a parameter and a value, and versions differ in their tables of Unicode: anything else is refused there.
const LETTERS: [RangeInclusive<char>; 9] = [
    '\u{C0}'..='\u{24F}',
    '\u{388}'..='\u{3FF}',
    '\u{400}'..='\u{481}',
    '\u{48A}'..='\u{523}',
    '\u{3041}'..='\u{3096}',
    '\u{30A1}'..='\u{30FA}',
    '\u{4E00}'..='\u{9FA5}',
    '\u{AC00}'..='\u{D7A3}',
    '\u{FF21}'..='\u{FF5A}',
];

/// A character that surely makes a word with a dash before it a parameter.
pub(super) fn starts_parameter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (c.is_alphabetic() && LETTERS.iter().any(|range| range.contains(&c)))
}

/// A character of a variable's name.
pub(super) fn is_variable_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_of_powershell_is_a_plain_one_or_refused() {
        let blanks = "\u{B}\u{C}\u{85}\u{A0}\u{1680}\u{180E}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\
                      \u{2007}\u{2008}\u{2009}\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}";
        assert!(blanks.chars().all(is_odd_blank));
        assert!(!" \t\r\nax-'\"".chars().any(is_odd_blank));
    }

    #[test]
    fn what_shows_nothing_is_known() {
        assert!("\0\u{1}\u{1b}\u{7f}\u{85}\u{ad}\u{200b}\u{200d}\u{2060}\u{feff}\u{e0041}".chars().all(is_invisible));
        assert!(!"aé受Ａ-_/\\'\"’—".chars().any(is_invisible));
    }

    #[test]
    fn a_parameter_starts_with_a_letter_that_all_versions_know() {
        assert!("aZ_éŁΩЯあカ詳한Ａ".chars().all(starts_parameter));
        assert!(!"5-?.×÷Ⓐ\u{345}\u{16ee}\u{1d49c}\u{10330}".chars().any(starts_parameter));
    }
}
