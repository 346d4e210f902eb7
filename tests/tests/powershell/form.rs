//! A pipeline in the form of the recorded readings.

use sekisho_policy::command::{Argument, Command, Pipeline};
use sekisho_policy::value::{Number, NumberKind, Value};
use serde_json::{Value as Json, json};

/// One statement: a list of commands.
pub(crate) fn statement(pipeline: &Pipeline) -> Json {
    pipeline.iter().map(command).collect()
}

fn command(command: &Command) -> Json {
    json!({
        "cmd": command.name,
        "is_script": false,
        "local_scope": command.local_scope,
        "merge": null,
        "args": command.arguments.iter().map(argument).collect::<Json>(),
    })
}

fn argument(argument: &Argument) -> Json {
    json!({"name": argument.name, "value": value(&argument.value)})
}

fn value(value_: &Value) -> Json {
    match value_ {
        Value::Null => Json::Null,
        Value::Bool(is) => json!(is),
        Value::Number(number) => number_(number),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(value).collect(),
        Value::Secure(_) | Value::Opaque(_) => panic!("text holds no such value"),
    }
}

fn number_(number: &Number) -> Json {
    let kind = match number.kind {
        NumberKind::Int32 => "Int32",
        NumberKind::Int64 => "Int64",
        NumberKind::Double => "Double",
        NumberKind::Decimal => "Decimal",
        NumberKind::Byte
        | NumberKind::SByte
        | NumberKind::Int16
        | NumberKind::UInt16
        | NumberKind::UInt32
        | NumberKind::UInt64
        | NumberKind::Single => panic!("no number in accepted text has this type"),
    };
    json!({"type": kind, "text": number.text})
}
