//! The escapes of CLIXML: `_xHHHH_` stands for one UTF-16 unit, \[MS-PSRP\] 2.2.5.3.2.

use std::borrow::Cow;

use crate::Result;
use crate::error::Malformed;

/// Bytes of `_xHHHH_`.
const ESCAPE: usize = 7;

/// Writes text so that XML can carry it: what is escaped is control characters, whatever lies beyond the basic
/// plane, what XML forbids, and an underscore that would be read as an escape.
pub fn escape(text: &str, out: &mut String) {
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '_' if matches!(rest.peek(), Some('x' | 'X')) => out.push_str("_x005F_"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}' | '\u{10000}'.. => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    push_escape(*unit, out);
                }
            }
            c => out.push(c),
        }
    }
}

fn push_escape(unit: u16, out: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push_str("_x");
    for shift in [12_u32, 8, 4, 0] {
        let digit = usize::from(unit.checked_shr(shift).unwrap_or_default() & 0xF);
        out.extend(DIGITS.get(digit));
    }
    out.push('_');
}

/// Writes units that are no text: each one that stands alone as an escape.
pub fn escape_units(units: &[u16], out: &mut String) {
    let mut text = String::new();
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(c) => text.push(c),
            Err(alone) => {
                escape(&text, out);
                text.clear();
                push_escape(alone.unpaired_surrogate(), out);
            }
        }
    }
    escape(&text, out);
}

/// Reads what [`unescape`] refuses: the units, whatever they are.
pub fn unescape_units(text: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(unit) = leading_escape(rest) {
            units.push(unit);
            rest = rest.get(ESCAPE..).unwrap_or_default();
        } else {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    units
}

/// Reads text as a reader of CLIXML does: an escape of exactly this form stands for its unit, anything else for
/// itself.
///
/// # Errors
/// [`Malformed::ClixmlText`] when the units are no text: half of a pair, which no two readers treat alike.
pub fn unescape(text: Cow<'_, str>) -> Result<String> {
    let Some(first) = text.find("_x").into_iter().chain(text.find("_X")).min() else {
        return Ok(text.into_owned());
    };
    let mut out = String::with_capacity(text.len());
    let (plain, mut rest) = text.split_at_checked(first).ok_or(Malformed::ClixmlText)?;
    out.push_str(plain);
    let mut high: Option<u16> = None;
    while let Some(c) = rest.chars().next() {
        if let Some(unit) = leading_escape(rest) {
            rest = rest.get(ESCAPE..).unwrap_or_default();
            high = push_unit(unit, high, &mut out)?;
        } else {
            if high.is_some() {
                return Err(Malformed::ClixmlText.into());
            }
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    if high.is_some() { Err(Malformed::ClixmlText.into()) } else { Ok(out) }
}

/// The unit of an escape that the text begins with.
fn leading_escape(text: &str) -> Option<u16> {
    match text.as_bytes().get(..ESCAPE)? {
        [b'_', b'x' | b'X', digits @ .., b'_'] if digits.iter().all(u8::is_ascii_hexdigit) => {
            u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
        }
        _ => None,
    }
}

/// Adds a unit, or holds back the first half of a pair.
fn push_unit(unit: u16, high: Option<u16>, out: &mut String) -> Result<Option<u16>> {
    let starts_a_pair = (0xD800..0xDC00).contains(&unit);
    match high {
        None if starts_a_pair => return Ok(Some(unit)),
        None => out.push(char::from_u32(unit.into()).ok_or(Malformed::ClixmlText)?),
        Some(high) => {
            let mut pair = char::decode_utf16([high, unit]);
            out.push(pair.next().and_then(|c| c.ok()).ok_or(Malformed::ClixmlText)?);
            if pair.next().is_some() {
                return Err(Malformed::ClixmlText.into());
            }
        }
    }
    Ok(None)
}
