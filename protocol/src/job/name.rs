//! Names of targets and groups.

use super::{JobMistake, NAME_BYTES, TARGET_LIST_BYTES, TARGETS};
use std::collections::HashSet;

/// Checks the name of a target or a group: a letter or digit, then letters, digits, `.`, `-`, `_`.
///
/// # Errors
/// [`JobMistake::Name`].
pub fn check_name(name: &str) -> Result<(), JobMistake> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if first && rest && name.len() <= NAME_BYTES { Ok(()) } else { Err(JobMistake::Name) }
}

/// Checks a whole list: at least one, bounded in number and bytes, each name once.
pub(super) fn check_names(names: &[String]) -> Result<(), JobMistake> {
    if names.is_empty() {
        return Err(JobMistake::NoTarget);
    }
    let bytes = names.iter().fold(0_usize, |sum, name| sum.saturating_add(name.len()));
    if names.len() > TARGETS || bytes > TARGET_LIST_BYTES {
        return Err(JobMistake::TargetCount);
    }
    let mut seen = HashSet::with_capacity(names.len());
    for name in names {
        check_name(name)?;
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(JobMistake::TargetTwice);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize, length: usize) -> Vec<String> {
        (0..count).map(|index| format!("{index:0>length$}")).collect()
    }

    #[test]
    fn names_are_what_a_host_may_be_called() {
        for name in ["web01", "0", "db.lab.test", "a_b-c", &"a".repeat(NAME_BYTES)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", ".a", "-a", "_a", "a b", "a/b", "a\u{e9}", "a\n", "a,b", "..", &"a".repeat(254)] {
            assert_eq!(check_name(name), Err(JobMistake::Name), "{name}");
        }
    }

    #[test]
    fn lists_are_bounded_in_number_and_bytes() {
        assert_eq!(check_names(&[]), Err(JobMistake::NoTarget));
        assert_eq!(check_names(&names(TARGETS, 8)), Ok(()));
        assert_eq!(check_names(&names(TARGETS + 1, 8)), Err(JobMistake::TargetCount));
        assert_eq!(check_names(&names(1000, 200)), Ok(()));
        assert_eq!(check_names(&names(1001, 200)), Err(JobMistake::TargetCount));
    }

    #[test]
    fn a_target_is_named_once_whatever_its_letter_case() {
        assert_eq!(check_names(&["web01".into(), "WEB01".into()]), Err(JobMistake::TargetTwice));
    }
}
