//! Numbers as PowerShell reads them in an argument.

use crate::value::{Number, NumberKind, Spelling};

/// What an unquoted word that begins like a number is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A number.
    Number(Number),
    /// Text to every version of PowerShell: `10.0.0.1`, `12:30`, `1a`.
    Text,
    /// A number to some version of PowerShell, in a notation that is not taken.
    Refused,
}

/// Digits of a whole number that fit [`NumberKind::Decimal`] whatever they are.
const DECIMAL_DIGITS: usize = 28;
/// Digits of a hexadecimal number: with more, versions differ in the sign.
const HEX_DIGITS: usize = 8;
/// Characters of a number with a point or an exponent.
const REAL_CHARACTERS: usize = 64;
/// The suffixes that exist since PowerShell 6.2: before, the word is text.
const NEW_SUFFIXES: [&str; 7] = ["u", "ul", "us", "uy", "s", "y", "n"];

/// Reads a word that begins with a digit, or with a point and a digit.
pub(super) fn read(word: &str) -> Reading {
    let lower = word.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        return read_hexadecimal(digits);
    }
    if let Some(digits) = lower.strip_prefix("0b") {
        return if digits.starts_with(['0', '1']) || digits.is_empty() || is_suffix(digits) {
            Reading::Refused
        } else {
            Reading::Text
        };
    }
    let (mantissa, suffix) = split_mantissa(&lower);
    match suffix {
        "" => read_plain(mantissa),
        "l" if is_whole(mantissa) => read_long(mantissa),
        "d" if !mantissa.contains('e') => read_decimal(mantissa),
        _ if multiplier(suffix).is_some() => read_multiple(mantissa, multiplier(suffix).unwrap_or(1)),
        _ if is_suffix(suffix) => Reading::Refused,
        _ => Reading::Text,
    }
}

fn is_whole(mantissa: &str) -> bool {
    mantissa.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the rest of a number could be a suffix to some version: type, multiplier, or both.
fn is_suffix(rest: &str) -> bool {
    let kind = match rest.get(rest.len().saturating_sub(2)..) {
        Some(end) if multiplier(end).is_some() => rest.get(..rest.len().saturating_sub(2)).unwrap_or(""),
        Some(_) | None => rest,
    };
    kind.is_empty() || kind == "l" || kind == "d" || NEW_SUFFIXES.contains(&kind)
}

fn multiplier(suffix: &str) -> Option<i64> {
    match suffix {
        "kb" => Some(1 << 10),
        "mb" => Some(1 << 20),
        "gb" => Some(1 << 30),
        "tb" => Some(1 << 40),
        "pb" => Some(1 << 50),
        _ => None,
    }
}

/// Splits `1.5e3kb` into `1.5e3` and `kb`. An exponent without digits belongs to the rest.
fn split_mantissa(lower: &str) -> (&str, &str) {
    let digits = |from: usize| lower.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let byte = |at: usize| lower.as_bytes().get(at).copied();
    let mut end = digits(0);
    // `1..3` is a word, not `1.` and something.
    if byte(end) == Some(b'.') && byte(end.saturating_add(1)) != Some(b'.') {
        end = end.saturating_add(1);
        end = end.saturating_add(digits(end));
    }
    if byte(end) == Some(b'e') {
        let sign = usize::from(matches!(byte(end.saturating_add(1)), Some(b'+' | b'-')));
        let from = end.saturating_add(1).saturating_add(sign);
        let count = digits(from);
        if count > 0 {
            end = from.saturating_add(count);
        }
    }
    lower.split_at_checked(end).unwrap_or((lower, ""))
}

fn number(kind: NumberKind, text: impl Into<String>, spelling: Spelling) -> Reading {
    Reading::Number(Number { kind, text: text.into(), spelling })
}

/// The narrowest of the types that a whole number takes by itself.
fn whole(value: i128, spelling: Spelling) -> Reading {
    let kind = if i32::try_from(value).is_ok() {
        NumberKind::Int32
    } else if i64::try_from(value).is_ok() {
        NumberKind::Int64
    } else {
        NumberKind::Decimal
    };
    number(kind, value.to_string(), spelling)
}

fn parse_whole(mantissa: &str) -> Option<i128> {
    let significant = mantissa.trim_start_matches('0');
    if significant.len() > DECIMAL_DIGITS {
        return None;
    }
    if significant.is_empty() { Some(0) } else { significant.parse().ok() }
}

fn read_plain(mantissa: &str) -> Reading {
    if is_whole(mantissa) {
        return parse_whole(mantissa).map_or(Reading::Refused, |value| whole(value, Spelling::Plain));
    }
    let spelling = if mantissa.contains('e') { Spelling::Marked } else { Spelling::Plain };
    parse_real(mantissa).map_or(Reading::Refused, |value| number(NumberKind::Double, real_text(&value), spelling))
}

fn read_long(mantissa: &str) -> Reading {
    match parse_whole(mantissa).map(i64::try_from) {
        Some(Ok(value)) => number(NumberKind::Int64, value.to_string(), Spelling::Marked),
        Some(Err(_)) | None => Reading::Refused,
    }
}

/// A decimal keeps the zeros at its end: `1.50d` is 1.50.
fn read_decimal(mantissa: &str) -> Reading {
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let before = before.trim_start_matches('0');
    if before.len().saturating_add(after.len()) > DECIMAL_DIGITS {
        return Reading::Refused;
    }
    let before = if before.is_empty() { "0" } else { before };
    let text = if after.is_empty() { before.to_owned() } else { format!("{before}.{after}") };
    number(NumberKind::Decimal, text, Spelling::Marked)
}

fn read_multiple(mantissa: &str, multiplier: i64) -> Reading {
    if !is_whole(mantissa) {
        // Versions multiply before or after rounding.
        return Reading::Refused;
    }
    match parse_whole(mantissa).and_then(|value| value.checked_mul(i128::from(multiplier))) {
        Some(value) if i64::try_from(value).is_ok() => whole(value, Spelling::Marked),
        Some(_) | None => Reading::Refused,
    }
}

fn read_hexadecimal(digits: &str) -> Reading {
    let count = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    let (digits, rest) = digits.split_at_checked(count).unwrap_or((digits, ""));
    if !rest.is_empty() {
        return if is_suffix(rest) { Reading::Refused } else { Reading::Text };
    }
    if count == 0 || count > HEX_DIGITS {
        return Reading::Refused;
    }
    match u32::from_str_radix(digits, 16) {
        Ok(value) => number(NumberKind::Int32, value.cast_signed().to_string(), Spelling::Marked),
        Err(_) => Reading::Refused,
    }
}

fn parse_real(mantissa: &str) -> Option<f64> {
    if mantissa.len() > REAL_CHARACTERS {
        return None;
    }
    mantissa.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// The greatest power of ten that PowerShell writes without an exponent.
const MOST_BEFORE_POINT: i32 = 16;
/// The smallest, negated.
const MOST_ZEROS: i32 = 4;

/// The shortest text that gives the same finite number again, in the form that PowerShell gives it.
pub(crate) fn real_text<T: std::fmt::LowerExp + std::fmt::Display>(value: &T) -> String {
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent > MOST_BEFORE_POINT || exponent < MOST_ZEROS.saturating_neg() {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}E{sign}{:02}", exponent.unsigned_abs());
    }
    format!("{value}")
}
