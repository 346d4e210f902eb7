//! Comparing text as .NET's ordinal comparison ignoring case does.
//!
//! One character for one character, by its simple upper case, and never across the border of ASCII: U+017F and
//! U+212A are not `s` and `k`, whatever Unicode's case folding says (rule R3).

/// The character that stands for all that differ from it by case only.
pub(crate) fn fold_char(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => character,
    }
}

/// The text that stands for all that differ from it by case only: the key of every look-up by name.
pub(crate) fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_fold_within_their_script() {
        assert_eq!(fold("Hostname.EXE"), "hostname.exe");
        assert_eq!(fold("MÜLLER"), fold("müller"));
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
        assert_eq!(fold("受注"), "受注");
    }

    #[test]
    fn nothing_outside_ascii_folds_into_it() {
        for c in (0x80..=0x10_FFFF).filter_map(char::from_u32) {
            assert!(!fold_char(c).is_ascii(), "U+{:04X}", u32::from(c));
        }
        assert_ne!(fold("\u{212A}"), fold("k"));
        assert_ne!(fold("\u{17F}"), fold("s"));
        assert_ne!(fold("\u{131}"), fold("i"));
        assert_ne!(fold("ß"), fold("ss"));
    }
}
