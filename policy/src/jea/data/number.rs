//! Numbers, kept as they are spelled.

/// Whether a token is a number of which there is no doubt: decimal digits with an optional part and multiplier,
/// or hexadecimal digits.
pub(super) fn is_number(token: &str) -> bool {
    let token = token.strip_prefix('-').unwrap_or(token);
    let lower = token.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let plain = ["kb", "mb", "gb", "tb", "pb"].iter().find_map(|unit| lower.strip_suffix(unit)).unwrap_or(&lower);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match plain.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(plain),
    }
}

/// What a number is as a text, where the engine would make one of it: plain decimal digits only.
pub(crate) fn as_text(token: &str) -> Option<&str> {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0') && !digits.is_empty();
    // Longer ones may become floating-point numbers.
    (plain && digits.len() <= 9 || token == "0").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_words() {
        for good in ["0", "50000000", "-1", "1.5", "50MB", "0x1F", "1.5gb"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "1.", ".5", "0x", "1e3", "1x", "--1", "1..2", "1d", "kb", "١"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn only_plain_numbers_have_one_text() {
        for good in ["0", "10", "-7", "999999999"] {
            assert_eq!(as_text(good), Some(good));
        }
        for bad in ["007", "1.50", "0x10", "1kb", "-0", "1000000000000", ""] {
            assert_eq!(as_text(bad), None, "{bad}");
        }
    }
}
