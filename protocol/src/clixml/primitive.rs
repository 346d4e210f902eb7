//! The text of primitive values: accepted where PowerShell accepts it, \[MS-PSRP\] 2.2.5.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::value::{Integer, IntegerKind, Real, RealKind, SecureText, Value};
use crate::Result;
use crate::error::Malformed;
use crate::limits::SHORT_TEXT;
use crate::xml::is_space;

/// Reads the text of a primitive element.
pub(super) fn parse(tag: &str, text: String) -> Result<Value> {
    if let Some(kind) = IntegerKind::ALL.into_iter().find(|kind| kind.tag() == tag) {
        return integer(kind, &text);
    }
    let trimmed = || text.trim_matches(is_space).to_owned();
    match tag {
        "SS" => Ok(Value::Secure(SecureText(Zeroizing::new(text)))),
        "B" => boolean(&text),
        "C" => character(&text),
        "Sg" => real(RealKind::Single, trimmed()),
        "Db" => real(RealKind::Double, trimmed()),
        "D" => real(RealKind::Decimal, trimmed()),
        "BA" => Ok(Value::Bytes(STANDARD.decode(text.trim_matches(is_space)).map_err(|_| Malformed::Base64)?)),
        "G" => guid(&text),
        "DT" => checked(is_date_time(text.trim_matches(is_space)), || Value::DateTime(trimmed())),
        "TS" => checked(is_duration(text.trim_matches(is_space)), || Value::Duration(trimmed())),
        "Version" => checked(is_version(&text), || Value::Version(trimmed())),
        "SemanticVersion" => checked(is_semantic_version(&text), || Value::SemanticVersion(trimmed())),
        _ => Err(Malformed::Clixml.into()),
    }
}

/// Any text is some address; only its length is bounded.
pub(super) fn uri(text: String) -> Result<Value> {
    checked(!text.trim().is_empty() && text.len() <= SHORT_TEXT, || Value::Uri(text))
}

fn checked(right: bool, value: impl FnOnce() -> Value) -> Result<Value> {
    if right { Ok(value()) } else { Err(Malformed::ClixmlValue.into()) }
}

fn boolean(text: &str) -> Result<Value> {
    match text.trim_matches(is_space) {
        "true" | "1" => Ok(Value::Bool(true)),
        "false" | "0" => Ok(Value::Bool(false)),
        _ => Err(Malformed::ClixmlValue.into()),
    }
}

fn character(text: &str) -> Result<Value> {
    let text = text.trim_matches(is_space);
    if !is_digits(text) {
        return Err(Malformed::ClixmlValue.into());
    }
    text.parse().map(Value::Char).map_err(|_| Malformed::ClixmlValue.into())
}

fn integer(kind: IntegerKind, text: &str) -> Result<Value> {
    let text = text.trim_matches(is_space);
    if !is_digits(text.strip_prefix('-').unwrap_or(text)) {
        return Err(Malformed::ClixmlValue.into());
    }
    let value: i128 = text.parse().map_err(|_| Malformed::ClixmlValue)?;
    checked(kind.holds(value), || Value::Integer(Integer { kind, value }))
}

/// Longest text of a number with a fraction: .NET writes up to 31 characters.
const REAL: usize = 64;

fn real(kind: RealKind, text: String) -> Result<Value> {
    let special = matches!(text.as_str(), "INF" | "-INF" | "NaN");
    let right = match kind {
        RealKind::Single | RealKind::Double if special => true,
        RealKind::Single => is_real(&text, Exponent::Allowed) && text.parse::<f32>().is_ok_and(f32::is_finite),
        RealKind::Double => is_real(&text, Exponent::Allowed) && text.parse::<f64>().is_ok_and(f64::is_finite),
        RealKind::Decimal => is_real(&text, Exponent::Refused) && is_within_decimal(&text),
    };
    checked(right, || Value::Real(Real { kind, text }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exponent {
    Allowed,
    Refused,
}

fn is_real(text: &str, exponent: Exponent) -> bool {
    if REAL < text.len() {
        return false;
    }
    let (number, power) = match text.split_once(['E', 'e']) {
        Some(_) if exponent == Exponent::Refused => return false,
        Some((number, power)) => (number, Some(power)),
        None => (text, None),
    };
    let number = number.strip_prefix('-').unwrap_or(number);
    let whole_and_part = number.split_once('.');
    let right = match whole_and_part {
        Some((whole, part)) => is_digits(whole) && is_digits(part),
        None => is_digits(number),
    };
    right && power.is_none_or(|power| is_digits(power.strip_prefix(['-', '+']).unwrap_or(power)))
}

/// `System.Decimal` has 96 bits and at most 28 digits behind the point.
fn is_within_decimal(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let behind = text.split_once('.').map_or(0, |(_, part)| part.len());
    behind <= 28 && digits.parse::<u128>().is_ok_and(|value| value >> 96_u32 == 0)
}

fn guid(text: &str) -> Result<Value> {
    let text = text.trim_matches(is_space);
    // Other spellings, in braces or without hyphens, are read by some readers only.
    let right = text.len() == 36;
    match Uuid::try_parse(text) {
        Ok(guid) if right => Ok(Value::Guid(guid)),
        Ok(_) | Err(_) => Err(Malformed::ClixmlValue.into()),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of exactly so many digits, within bounds.
fn is_field(text: &str, digits: usize, bounds: std::ops::RangeInclusive<u32>) -> bool {
    text.len() == digits && is_digits(text) && text.parse().is_ok_and(|value: u32| bounds.contains(&value))
}

/// xs:dateTime as PowerShell writes it: `2026-08-20T12:00:00.1234567+09:00`.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let mut date = date.split('-');
    let (Some(year), Some(month), Some(day), None) = (date.next(), date.next(), date.next(), date.next()) else {
        return false;
    };
    let year_right = is_field(year, 4, 1..=9999);
    let days = year.parse().ok().zip(month.parse().ok()).map_or(0, |(year, month)| days_of(year, month));
    year_right && is_field(month, 2, 1..=12) && is_field(day, 2, 1..=days) && is_time(time)
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Offsets are at most 14 hours. Extreme dates with an offset are left to the reader's refusal.
fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at_checked(at).unwrap_or((text, "")),
        None => (text, ""),
    };
    let zone_right = match zone.split_at_checked(1) {
        None => true,
        Some(("Z", "")) => true,
        Some((_, offset)) => offset
            .split_once(':')
            .is_some_and(|(hours, minutes)| is_field(hours, 2, 0..=13) && is_field(minutes, 2, 0..=59)),
    };
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, part)| (clock, Some(part)));
    let mut fields = clock.split(':');
    let right = matches!(
        (fields.next(), fields.next(), fields.next(), fields.next()),
        (Some(hours), Some(minutes), Some(seconds), None)
            if is_field(hours, 2, 0..=23) && is_field(minutes, 2, 0..=59) && is_field(seconds, 2, 0..=59)
    );
    zone_right && right && fraction.is_none_or(|part| is_digits(part) && part.len() <= 7)
}

/// xs:duration as PowerShell writes it: `P1DT2H3M4.5S`, without years and months, which have no fixed length.
fn is_duration(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (days, time) = rest.split_once('T').map_or((rest, None), |(days, time)| (days, Some(time)));
    let days_right = days.is_empty() || days.strip_suffix('D').is_some_and(|days| is_digits(days) && days.len() <= 7);
    let time_right = match time {
        None => !days.is_empty(),
        Some(time) => !time.is_empty() && is_clock(time),
    };
    days_right && time_right
}

/// `2H3M4.5S`, each at most once and in this order.
fn is_clock(mut time: &str) -> bool {
    for unit in ['H', 'M', 'S'] {
        let Some((number, rest)) = time.split_once(unit) else { continue };
        let (whole, part) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
        let part_right = part.is_none_or(|part| unit == 'S' && is_digits(part) && part.len() <= 7);
        if !is_digits(whole) || 9 < whole.len() || !part_right {
            return false;
        }
        time = rest;
    }
    time.is_empty()
}

fn is_version(text: &str) -> bool {
    let numbers: Vec<&str> = text.split('.').collect();
    let right = |number: &&str| is_digits(number) && number.parse::<i32>().is_ok();
    (2..=4).contains(&numbers.len()) && numbers.iter().all(right)
}

/// `7.6.0-preview.1+build`.
fn is_semantic_version(text: &str) -> bool {
    let (version, label) = text.split_once(['-', '+']).map_or((text, None), |(version, label)| (version, Some(label)));
    let numbers: Vec<&str> = version.split('.').collect();
    let right = |number: &&str| is_digits(number) && number.parse::<i32>().is_ok();
    let label_right = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte))
    };
    (1..=3).contains(&numbers.len()) && numbers.iter().all(right) && label.is_none_or(label_right)
}
