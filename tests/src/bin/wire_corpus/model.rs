//! From commands in canonical form to the body that a target gets.

use sekisho_protocol::clixml::{self, Integer, IntegerKind, Real, RealKind, Value as Clixml};
use sekisho_protocol::psrp::{Argument, Command, CommandKind, CreatePipeline};
use serde_json::Value;

/// One pipeline as a list of commands, or several as a list of lists.
pub(crate) fn body(model: &Value) -> Result<String, String> {
    let items = model.get("commands").unwrap_or(model).as_array().ok_or("`model` is no list")?;
    let statements = if items.iter().all(Value::is_array) && !items.is_empty() {
        items.iter().map(|item| pipeline(item.as_array().map(Vec::as_slice).unwrap_or_default())).collect()
    } else {
        pipeline(items).map(|commands| vec![commands])
    };
    Ok(clixml::encode(&CreatePipeline::of_statements(statements?).encode()))
}

fn pipeline(items: &[Value]) -> Result<Vec<Command>, String> {
    if items.is_empty() {
        return Err("a pipeline has no command".to_owned());
    }
    items.iter().map(command).collect()
}

fn command(item: &Value) -> Result<Command, String> {
    let name =
        item.get("cmd").and_then(Value::as_str).filter(|name| !name.is_empty()).ok_or("a command has no `cmd`")?;
    let kind = match item.get("is_script") {
        Some(Value::Bool(true)) => CommandKind::Script,
        Some(Value::Bool(false) | Value::Null) | None => CommandKind::Name,
        Some(_) => return Err("`is_script` is no boolean".to_owned()),
    };
    let arguments = match item.get("args") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(argument).collect::<Result<_, _>>()?,
        Some(Value::Object(items)) => items
            .iter()
            .map(|(name, item)| Ok(Argument { name: Some(named(name)?), value: value(item)? }))
            .collect::<Result<_, String>>()?,
        Some(_) => return Err("`args` is no list".to_owned()),
    };
    Ok(Command { kind, ..Command::new(name, arguments) })
}

fn argument(item: &Value) -> Result<Argument, String> {
    let name = match item.get("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(named(name)?),
        Some(_) => return Err("`name` is no text".to_owned()),
    };
    Ok(Argument { name, value: value(item.get("value").unwrap_or(&Value::Null))? })
}

/// An empty name crashes the PowerShell of a target.
fn named(name: &str) -> Result<String, String> {
    if name.trim_matches('-').is_empty() { Err("a parameter has no name".to_owned()) } else { Ok(name.to_owned()) }
}

fn value(item: &Value) -> Result<Clixml, String> {
    Ok(match item {
        Value::Null => Clixml::Nil,
        Value::Bool(value) => Clixml::Bool(*value),
        Value::String(text) => Clixml::text(text.as_str()),
        Value::Number(number) => of_number(number)?,
        Value::Array(items) => Clixml::array(items.iter().map(value).collect::<Result<_, _>>()?),
        Value::Object(typed) => of_typed(typed)?,
    })
}

/// The smallest type of PowerShell's own reading that holds it.
fn of_number(number: &serde_json::Number) -> Result<Clixml, String> {
    if let Some(value) = number.as_i64() {
        let kind = if i32::try_from(value).is_ok() { IntegerKind::Int32 } else { IntegerKind::Int64 };
        return Ok(Clixml::Integer(Integer { kind, value: value.into() }));
    }
    if let Some(value) = number.as_u64() {
        return Ok(Clixml::Real(Real { kind: RealKind::Decimal, text: value.to_string() }));
    }
    let value = number.as_f64().ok_or("a number that no type holds")?;
    Ok(Clixml::Real(Real { kind: RealKind::Double, text: format!("{value:?}").replace('e', "E") }))
}

/// `{type, text}`: a number whose type is not the one that its spelling has.
fn of_typed(typed: &serde_json::Map<String, Value>) -> Result<Clixml, String> {
    let part = |name: &str| typed.get(name).and_then(Value::as_str).ok_or("a value without `type` and `text`");
    let (kind, text) = (part("type")?, part("text")?);
    let tag = match kind {
        "Byte" => "By",
        "SByte" => "SB",
        "UInt16" => "U16",
        "Int16" => "I16",
        "UInt32" => "U32",
        "Int32" => "I32",
        "UInt64" => "U64",
        "Int64" => "I64",
        "Single" => "Sg",
        "Double" => "Db",
        "Decimal" => "D",
        "String" => return Ok(Clixml::text(text)),
        _ => return Err("a value of a type that no judged command has".to_owned()),
    };
    let text = match text {
        "Infinity" => "INF",
        "-Infinity" => "-INF",
        other => other,
    };
    Clixml::primitive(tag, text).map_err(|error| error.to_string())
}
