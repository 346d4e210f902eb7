//! The text of primitive values in the invariant culture, as PowerShell's cast to a string gives it; dates stay as
//! they are on the wire, since the invariant culture's order of day and month is read both ways.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::clixml::value::{Progress, Real, Value};

/// Bytes of a byte array that are looked at: more than a line shows.
const BYTES: usize = 256;

/// The text; an object has none here.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Nil | Value::Object(_) => "".into(),
        Value::Text(text)
        | Value::Uri(text)
        | Value::Version(text)
        | Value::SemanticVersion(text)
        | Value::Xml(text)
        | Value::DateTime(text)
        | Value::ScriptBlock(text) => text.into(),
        Value::Units(units) => of_units(units).into(),
        Value::Char(unit) => of_units(&[*unit]).into(),
        Value::Bool(value) => if *value { "True" } else { "False" }.into(),
        Value::Integer(integer) => integer.value.to_string().into(),
        Value::Real(real) => of_real(real).into(),
        Value::Duration(text) => time_span(text).map_or_else(|| text.into(), Cow::Owned),
        Value::Bytes(bytes) => of_bytes(bytes).into(),
        Value::Guid(guid) => guid.hyphenated().to_string().into(),
        Value::Secure(_) => "System.Security.SecureString".into(),
        Value::Progress(progress) => of_progress(progress).into(),
    }
}

/// Units that are no text show as escapes.
fn of_units(units: &[u16]) -> String {
    let mut text = String::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(c) => text.push(c),
            Err(alone) => {
                let _always = write!(text, "\\u{{{:x}}}", alone.unpaired_surrogate());
            }
        }
    }
    text
}

fn of_real(real: &Real) -> &str {
    match real.text.as_str() {
        "INF" => "Infinity",
        "-INF" => "-Infinity",
        text => text,
    }
}

fn of_bytes(bytes: &[u8]) -> String {
    let mut text = String::from("{");
    for (at, byte) in bytes.iter().take(BYTES).enumerate() {
        let lead = if at == 0 { "" } else { ", " };
        let _always = write!(text, "{lead}{byte}");
    }
    text.push_str(if BYTES < bytes.len() { ", …}" } else { "}" });
    text
}

fn of_progress(progress: &Progress) -> String {
    let Progress { activity, status, percent, .. } = progress;
    if *percent < 0 { format!("{activity}: {status}") } else { format!("{activity}: {status} ({percent} %)") }
}

/// Units of `PnDTnHnMnS` and the seconds in each.
const UNITS: [(char, u64); 4] = [('D', 86_400), ('H', 3600), ('M', 60), ('S', 1)];

/// `P1DT2H3M4.5S` as .NET writes it: `1.02:03:04.5000000`.
fn time_span(text: &str) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let mut rest = rest.strip_prefix('P')?;
    let (mut seconds, mut fraction) = (0_u64, "");
    while !rest.is_empty() {
        rest = rest.strip_prefix('T').unwrap_or(rest);
        let (number, after) = rest.split_at_checked(rest.find(|c: char| c.is_ascii_alphabetic())?)?;
        let unit = after.chars().next()?;
        let (_, length) = UNITS.iter().find(|(known, _)| *known == unit)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        fraction = part;
        seconds = seconds.checked_add(whole.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = after.get(1..)?;
    }
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let days = if days == 0 { String::new() } else { format!("{days}.") };
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction:0<7}") };
    Some(format!("{sign}{days}{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60))
}
