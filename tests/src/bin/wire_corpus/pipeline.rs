//! The commands of a CREATE_PIPELINE body as JSON.

use sekisho_protocol::clixml::{Content, IntegerKind, ListKind, Object, RealKind, Value as Clixml};
use sekisho_protocol::psrp::{Command, CommandKind, CreatePipeline, Scope};
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

pub(crate) fn read(body: &Clixml) -> Result<Value, String> {
    let pipeline = CreatePipeline::decode(body).map_err(|error| error.to_string())?;
    let mut answer = Map::new();
    answer.insert("commands".to_owned(), commands(&pipeline.commands)?);
    if let Some(statements) = &pipeline.statements {
        let statements = statements.iter().map(|statement| commands(statement)).collect::<Result<_, _>>()?;
        answer.insert("statements".to_owned(), Value::Array(statements));
    }
    for (name, flag) in
        [("NoInput", pipeline.no_input), ("AddToHistory", pipeline.add_to_history), ("IsNested", pipeline.is_nested)]
    {
        answer.insert(name.to_owned(), Value::from(if flag { "True" } else { "False" }));
    }
    Ok(Value::Object(answer))
}

fn commands(commands: &[Command]) -> Result<Value, String> {
    commands.iter().map(command).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn command(command: &Command) -> Result<Value, String> {
    let arguments: Vec<Value> = command
        .arguments
        .iter()
        .map(|argument| Ok(json!({"name": argument.name, "value": value(&argument.value)?})))
        .collect::<Result<_, String>>()?;
    Ok(json!({
        "cmd": command.name,
        "is_script": command.kind == CommandKind::Script,
        "end": false,
        "local_scope": match command.scope {
            Scope::Default => None,
            Scope::Local => Some(true),
            Scope::Session => Some(false),
        },
        "args": arguments,
    }))
}

fn value(clixml: &Clixml) -> Result<Value, String> {
    let typed = |kind: &str, text: String| json!({"type": kind, "text": text});
    Ok(match clixml {
        Clixml::Nil => Value::Null,
        Clixml::Text(text) | Clixml::ScriptBlock(text) => typed("String", text.clone()),
        Clixml::Char(unit) => typed("Char", String::from_utf16_lossy(&[*unit])),
        Clixml::Bool(value) => typed("Boolean", if *value { "True" } else { "False" }.to_owned()),
        Clixml::Integer(integer) => typed(integer_type(integer.kind), integer.value.to_string()),
        Clixml::Real(real) => match real.kind {
            RealKind::Single => typed("Single", single(&real.text)),
            RealKind::Double => typed("Double", double(&real.text)),
            RealKind::Decimal => typed("Decimal", real.text.clone()),
        },
        Clixml::DateTime(text) => typed("DateTime", date_time(text)?),
        Clixml::Duration(text) => typed("TimeSpan", time_span(text)?),
        Clixml::Bytes(bytes) => typed("Byte[]", bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
        Clixml::Guid(guid) => typed("Guid", guid.to_string()),
        Clixml::Uri(text) => typed("Uri", text.clone()),
        Clixml::Version(text) => typed("Version", text.clone()),
        Clixml::Xml(text) => typed("Xml", outer_xml(text)),
        Clixml::Secure(_) => typed("SecureString", String::new()),
        Clixml::Units(_) | Clixml::SemanticVersion(_) | Clixml::Progress(_) => {
            return Err("a value that no argument of this form has".to_owned());
        }
        Clixml::Object(object) => of_object(object)?,
    })
}

/// Elements without content as .NET writes them: `<a />`.
fn outer_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_tag, mut quote) = (false, None);
    for c in text.chars() {
        match (c, quote) {
            ('"' | '\'', None) if in_tag => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('<', None) => in_tag = true,
            ('>', None) => {
                in_tag = false;
                if out.ends_with('/') && !out.ends_with(" /") {
                    out.insert(out.len().saturating_sub(1), ' ');
                }
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

fn integer_type(kind: IntegerKind) -> &'static str {
    match kind {
        IntegerKind::Byte => "Byte",
        IntegerKind::SByte => "SByte",
        IntegerKind::UInt16 => "UInt16",
        IntegerKind::Int16 => "Int16",
        IntegerKind::UInt32 => "UInt32",
        IntegerKind::Int32 => "Int32",
        IntegerKind::UInt64 => "UInt64",
        IntegerKind::Int64 => "Int64",
    }
}

fn of_object(object: &Object) -> Result<Value, String> {
    let base = match &object.content {
        Content::Nothing => None,
        Content::Value(inner) => Some(value(inner)?),
        Content::List(kind, items) => {
            let items: Vec<Value> = items.iter().map(value).collect::<Result<_, _>>()?;
            let kind = match kind {
                ListKind::List | ListKind::Enumerable => "ArrayList",
                ListKind::Stack => "Stack",
                ListKind::Queue => "Queue",
            };
            Some(json!({"type": kind, "items": items}))
        }
        Content::Dictionary(entries) => {
            let pairs: Vec<Value> = entries
                .iter()
                .map(|(key, item)| Ok(json!([value(key)?, value(item)?])))
                .collect::<Result<_, String>>()?;
            Some(json!({"type": "Hashtable", "pairs": pairs}))
        }
    };
    let members = object.extended.as_deref().unwrap_or_default();
    if let (Some(base), true) = (&base, members.is_empty()) {
        return Ok(base.clone());
    }
    let mut answer = match base {
        Some(Value::Object(base)) => base,
        Some(_) | None => Map::new(),
    };
    if !answer.contains_key("type_names") {
        answer.insert("type_names".to_owned(), type_names(object));
    }
    let mut properties = match answer.remove("properties") {
        Some(Value::Object(properties)) => properties,
        Some(_) | None => Map::new(),
    };
    for (name, member) in members {
        properties.insert(name.clone(), value(member)?);
    }
    if !answer.contains_key("text") {
        let shown = object.shown.clone().unwrap_or_else(|| of_properties(&properties));
        answer.insert("text".to_owned(), Value::from(shown));
    }
    answer.insert("properties".to_owned(), Value::Object(properties));
    Ok(Value::Object(answer))
}

/// What PowerShell shows of an object that does not say it itself: `@{A=1; B=b}`.
fn of_properties(properties: &Map<String, Value>) -> String {
    let text = |value: &Value| value.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let members: Vec<String> = properties.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    if members.is_empty() { String::new() } else { format!("@{{{}}}", members.join("; ")) }
}

fn type_names(object: &Object) -> Value {
    match &object.types {
        None => match &object.content {
            Content::Nothing => json!(["System.Management.Automation.PSCustomObject", "System.Object"]),
            Content::Value(Clixml::Text(_)) => json!(["System.String", "System.Object"]),
            Content::Value(Clixml::Integer(integer)) => {
                json!([format!("System.{}", integer_type(integer.kind)), "System.ValueType", "System.Object"])
            }
            Content::List(..) => json!(["System.Collections.ArrayList", "System.Object"]),
            Content::Dictionary(_) => json!(["System.Collections.Hashtable", "System.Object"]),
            Content::Value(_) => json!([]),
        },
        Some(types) => types.iter().map(|name| Value::from(format!("Deserialized.{name}"))).collect(),
    }
}

/// As .NET shows it: shortest digits, an exponent of at least two.
fn double(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => shown(&format!("{value:e}"), 15),
        Ok(_) | Err(_) => special(text),
    }
}

fn single(text: &str) -> String {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => shown(&format!("{value:e}"), 7),
        Ok(_) | Err(_) => special(text),
    }
}

fn special(text: &str) -> String {
    match text {
        "INF" => "Infinity",
        "-INF" => "-Infinity",
        _ => "NaN",
    }
    .to_owned()
}

/// From Rust's `1.5e-7` to .NET's form.
fn shown(scientific: &str, digits: i32) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific.to_owned() };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-5..digits).contains(&exponent) {
        return format!("{}", scientific.parse::<f64>().unwrap_or_default());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}E{sign}{:02}", exponent.abs())
}

/// With a zone it is shown in UTC, as an engine there shows it.
fn date_time(text: &str) -> Result<String, String> {
    let (clock, zone) = match text.rfind(['Z', '+', '-']).filter(|at| *at > 10) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (whole, part) = clock.split_once('.').unwrap_or((clock, ""));
    let full = format!("{whole}.{part:0<7}");
    if zone.is_empty() || zone == "Z" {
        return Ok(format!("{full}{zone}"));
    }
    let time = OffsetDateTime::parse(&format!("{full}{zone}"), &Rfc3339).map_err(|error| error.to_string())?;
    let time = time.checked_to_offset(UtcOffset::UTC).ok_or("a date that has no place in UTC")?;
    let (date, clock) = (time.date(), time.time());
    let (hours, minutes, seconds) = clock.as_hms();
    Ok(format!("{date}T{hours:02}:{minutes:02}:{seconds:02}.{:07}+00:00", clock.nanosecond() / 100))
}

/// `P1DT2H3M4.5S` as .NET shows it.
fn time_span(text: &str) -> Result<String, String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let mut ticks: u128 = 0;
    let mut number = String::new();
    for c in rest.chars() {
        let unit: u128 = match c {
            'P' | 'T' => continue,
            'D' => 864_000_000_000,
            'H' => 36_000_000_000,
            'M' => 600_000_000,
            'S' => 10_000_000,
            digit => {
                number.push(digit);
                continue;
            }
        };
        let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
        let whole: u128 = whole.parse().map_err(|_| "no duration")?;
        let part: u128 = format!("{part:0<7}").parse().map_err(|_| "no duration")?;
        ticks += whole * unit + part;
        number.clear();
    }
    let (seconds, part) = (ticks / 10_000_000, ticks % 10_000_000);
    let days = seconds / 86_400;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let days = if days > 0 { format!("{days}.") } else { String::new() };
    let part = if part > 0 { format!(".{part:07}") } else { String::new() };
    Ok(format!("{sign}{days}{clock}{part}"))
}
