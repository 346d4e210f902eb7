//! Values as text for people.

use super::types::SECURE_STRING;
use super::{is_enumeration, members};
use sekisho_protocol::clixml::{Content, Object, Real, Value};

/// Bytes after which the text of a list or of an object without a text of its own is cut off.
const LONG: usize = 4096;
const CUT: &str = "…";

/// The text of a value, as PowerShell would show it, but with dates and numbers that do not depend on a culture.
#[must_use]
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Nil => {}
        Value::Text(text) | Value::Uri(text) | Value::Version(text) | Value::SemanticVersion(text) => {
            out.push_str(text)
        }
        Value::Xml(text) | Value::ScriptBlock(text) => out.push_str(text),
        Value::Units(units) => out.push_str(&String::from_utf16_lossy(units)),
        Value::Char(unit) => out.push_str(&String::from_utf16_lossy(&[*unit])),
        Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Value::Integer(integer) => out.push_str(&integer.value.to_string()),
        Value::Real(real) => out.push_str(number(real)),
        Value::DateTime(text) => out.push_str(&moment(text)),
        Value::Duration(text) => out.push_str(&duration(text).unwrap_or_else(|| text.clone())),
        Value::Bytes(bytes) => write_list(out, bytes.iter(), |out, byte| out.push_str(&byte.to_string())),
        Value::Guid(guid) => out.push_str(&guid.to_string()),
        Value::Secure(_) => out.push_str(SECURE_STRING),
        Value::Progress(progress) => out.push_str(&progress.activity),
        Value::Object(object) => write_object(out, object),
    }
}

fn write_object(out: &mut String, object: &Object) {
    match (&object.content, &object.shown) {
        (Content::List(_, items), _) => write_list(out, items.iter(), write),
        (Content::Dictionary(entries), _) => write_list(out, entries.iter(), |out, (key, _)| write(out, key)),
        (Content::Value(inner), shown) => match shown {
            Some(shown) if is_enumeration(object) => out.push_str(shown),
            Some(_) | None => write(out, inner),
        },
        (Content::Nothing, Some(shown)) => out.push_str(shown),
        (Content::Nothing, None) => write_members(out, object),
    }
}

/// `{a, b, c}`.
fn write_list<T>(out: &mut String, items: impl Iterator<Item = T>, write: impl Fn(&mut String, T)) {
    let begin = out.len();
    out.push('{');
    for (index, item) in items.enumerate() {
        if 0 < index {
            out.push_str(", ");
        }
        if LONG < out.len().saturating_sub(begin) {
            out.push_str(CUT);
            break;
        }
        write(out, item);
    }
    out.push('}');
}

/// `@{A=1; B=2}`, as PowerShell writes an object that has no text of its own.
fn write_members(out: &mut String, object: &Object) {
    let begin = out.len();
    out.push_str("@{");
    for (index, (name, value)) in members(object).into_iter().enumerate() {
        if 0 < index {
            out.push_str("; ");
        }
        if LONG < out.len().saturating_sub(begin) {
            out.push_str(CUT);
            break;
        }
        out.push_str(name);
        out.push('=');
        write(out, value);
    }
    out.push('}');
}

/// Not the names that XML has for what is no number.
pub(super) fn number(real: &Real) -> &str {
    match real.text.as_str() {
        "INF" => "Infinity",
        "-INF" => "-Infinity",
        text => text,
    }
}

/// `2026-11-24T13:42:11.123+09:00` as `2026-11-24 13:42:11 +09:00`.
fn moment(text: &str) -> String {
    let Some((date, rest)) = text.split_once('T') else { return text.to_owned() };
    let zone = rest.find(['+', '-', 'Z']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone).unwrap_or((rest, ""));
    let time = time.split('.').next().unwrap_or(time);
    let gap = if zone.is_empty() || zone == "Z" { "" } else { " " };
    format!("{date} {time}{gap}{zone}")
}

/// `P1DT2H3M4.5S` as `1.02:03:04.5`; nothing for what has years or is no duration.
fn duration(text: &str) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (date, time) = rest.strip_prefix('P')?.split_once('T').unwrap_or((rest.strip_prefix('P')?, ""));
    let (days, rest) = part(date, 'D')?;
    let (hours, time) = part(time, 'H')?;
    let (minutes, time) = part(time, 'M')?;
    let (seconds, time) = part(time, 'S')?;
    if !rest.is_empty() || !time.is_empty() {
        return None;
    }
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let numbers: Vec<u64> =
        [days, hours, minutes, whole].iter().map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [days, hours, minutes, seconds] = numbers.as_slice() else { return None };
    let days = if *days == 0 { String::new() } else { format!("{days}.") };
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    Some(format!("{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}"))
}

/// What stands before a letter, zero where that is missing.
fn part(text: &str, letter: char) -> Option<(&str, &str)> {
    match text.split_once(letter) {
        None => Some(("0", text)),
        Some((number, rest)) => {
            let digits =
                !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || (letter == 'S' && c == '.'));
            digits.then_some((number, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::value;

    #[test]
    fn values_are_shown_as_powershell_shows_them() {
        for (clixml, expected) in [
            ("<Nil />", ""),
            ("<S>a_x000A_b</S>", "a\nb"),
            ("<S>_xD800_</S>", "\u{fffd}"),
            ("<C>120</C>", "x"),
            ("<B>true</B>", "True"),
            ("<I64>-5</I64>", "-5"),
            ("<Db>-INF</Db>", "-Infinity"),
            ("<D>3.250</D>", "3.250"),
            ("<DT>2026-11-24T13:42:11.1234567+09:00</DT>", "2026-11-24 13:42:11 +09:00"),
            ("<DT>2026-11-24T13:42:11Z</DT>", "2026-11-24 13:42:11Z"),
            ("<DT>2026-11-24T13:42:11</DT>", "2026-11-24 13:42:11"),
            ("<TS>P1DT1H1M1.5S</TS>", "1.01:01:01.5"),
            ("<TS>-PT0S</TS>", "-00:00:00"),
            ("<TS>PT90M</TS>", "00:90:00"),
            ("<BA>AQL/</BA>", "{1, 2, 255}"),
            ("<G>12345678-1234-1234-1234-123456789abc</G>", "12345678-1234-1234-1234-123456789abc"),
            ("<Version>1.2.3.4</Version>", "1.2.3.4"),
            ("<SS>AAAA</SS>", "System.Security.SecureString"),
            (
                "<Obj RefId=\"0\"><TN RefId=\"0\"><T>System.DayOfWeek</T><T>System.Enum</T></TN><ToString>Monday</ToString><I32>1</I32></Obj>",
                "Monday",
            ),
            ("<Obj RefId=\"0\"><LST><I32>1</I32><S>a</S><Nil /></LST></Obj>", "{1, a, }"),
            ("<Obj RefId=\"0\"><DCT><En><S N=\"Key\">a</S><I32 N=\"Value\">1</I32></En></DCT></Obj>", "{a}"),
            ("<Obj RefId=\"0\"><ToString>its text</ToString><MS><I32 N=\"A\">1</I32></MS></Obj>", "its text"),
            ("<Obj RefId=\"0\"><MS><I32 N=\"A\">1</I32><S N=\"B\">b</S></MS></Obj>", "@{A=1; B=b}"),
            ("<Obj RefId=\"0\"><S>wrapped</S><MS><I32 N=\"A\">1</I32></MS></Obj>", "wrapped"),
        ] {
            assert_eq!(text(&value(clixml)), expected, "{clixml}");
        }
    }

    #[test]
    fn a_long_list_is_cut_off() {
        let list = Value::object(Object {
            content: Content::List(sekisho_protocol::clixml::ListKind::List, vec![Value::int(12345); 10_000]),
            ..Object::default()
        });
        let text = text(&list);
        assert!(text.len() < LONG + 100 && text.ends_with("…}"), "{}", text.len());
    }

    #[test]
    fn what_is_no_duration_stays_as_it_is() {
        for text in ["P1Y", "PT", "x", "P", "PTS", "PT1.5M", "PT1H1H"] {
            let shown = duration(text);
            assert!(shown.is_none() || shown.as_deref() == Some("00:00:00"), "{text}: {shown:?}");
        }
    }
}
