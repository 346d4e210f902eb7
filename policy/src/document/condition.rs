//! `when` and `sources` of an assignment.

use toml::de::DeTable;

use super::filled;
use crate::conditions::{Conditions, Days, Hours, Window, network, time_zone, time_zone_names};
use crate::source_text::{Located, Reader, Span, Value, nearest_of, shown};

const WHEN: &str =
    "write when = { days = ['mon', 'fri'], from = '08:00', to = '18:00', time_zone = 'Asia/Tokyo' }, or a list of such";

/// Reads both. What cannot be read is a mistake; until it is mended nobody uses the policy.
pub(super) fn read(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Conditions {
    Conditions {
        when: table.get("when").map(|value| read_windows(reader, value)),
        sources: table.get("sources").map(|value| {
            let sources = filled(reader, value, "sources");
            sources.iter().filter_map(|source| read_network(reader, source)).collect()
        }),
    }
}

fn read_network(reader: &mut Reader<'_>, source: &Located) -> Option<ipnet::IpNet> {
    match network(&source.text) {
        Ok(network) => Some(network),
        Err(hint) => {
            reader.mistake(&source.span, format!("`{}` is no network", shown(&source.text)), hint);
            None
        }
    }
}

fn read_windows(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<Window> {
    if value.get_ref().as_table().is_some() {
        return read_window(reader, value).into_iter().collect();
    }
    let Some(list) = reader.list(value, "`when`", WHEN) else {
        return Vec::new();
    };
    if list.is_empty() {
        reader.mistake(&value.span(), "`when` is empty, so that the assignment never holds", WHEN);
    }
    list.iter().filter_map(|entry| read_window(reader, entry)).collect()
}

fn read_window(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Window> {
    let table = reader.table(value, "`when`", WHEN)?;
    reader.known_keys(table, "`when`", &["days", "from", "to", "time_zone"]);
    let span = value.span();
    let days = read_days(reader, table);
    let hours = read_hours(reader, table, &span);
    let zone = match table.get("time_zone") {
        Some(zone) => read_zone(reader, zone),
        None => {
            reader.missing(&span, "`when`", "time_zone", "say whose clock it is: time_zone = 'Asia/Tokyo' or 'UTC'");
            None
        }
    };
    Some(Window { days, hours: hours?, zone: zone? })
}

fn read_days(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Days {
    let Some(value) = table.get("days") else {
        return Days::ALL;
    };
    let mut days = Days::NONE;
    for day in filled(reader, value, "days") {
        match Days::parse(&day.text) {
            Some(known) => days = days.with(known),
            None => {
                let message = format!("`{}` is no day of the week", shown(&day.text));
                reader.mistake(&day.span, message, "write mon, tue, wed, thu, fri, sat or sun");
            }
        }
    }
    days
}

fn read_hours(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span) -> Option<Hours> {
    const BOTH: &str = "write both, for instance from = '08:00', to = '18:00', or neither for the whole day";
    let (from, to) = match (table.get("from"), table.get("to")) {
        (None, None) => return Some(Hours::ALL),
        (Some(from), Some(to)) => (from, to),
        (Some(_), None) => {
            reader.missing(span, "`when`", "to", BOTH);
            return None;
        }
        (None, Some(_)) => {
            reader.missing(span, "`when`", "from", BOTH);
            return None;
        }
    };
    let (begin, end) = (read_time(reader, from, "`from`"), read_time(reader, to, "`to`"));
    let hours = Hours::new(begin?, end?);
    if hours.is_none() {
        let message = "the hours are empty";
        let hint = "write different times; without both the whole day is meant, and 24:00 can only be an end";
        reader.mistake(&to.span(), message, hint);
    }
    hours
}

fn read_time(reader: &mut Reader<'_>, value: &Value<'_>, what: &str) -> Option<u16> {
    let text = reader.text(value, what)?;
    let time = Hours::parse(&text.text);
    if time.is_none() {
        let message = format!("`{}` is no time of day", shown(&text.text));
        reader.mistake(&text.span, message, "write hours and minutes, for instance 08:00");
    }
    time
}

fn read_zone(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<jiff::tz::TimeZone> {
    let name = reader.text(value, "`time_zone`")?;
    let zone = time_zone(&name.text);
    if zone.is_none() {
        let names = time_zone_names();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = match nearest_of(&name.text, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write an IANA name such as Asia/Tokyo, Europe/Berlin or UTC".to_owned(),
        };
        reader.mistake(&name.span, format!("there is no time zone `{}`", shown(&name.text)), hint);
    }
    zone
}
