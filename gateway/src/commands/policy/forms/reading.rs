//! What script text is read as, as JSON: the form of what PowerShell's own conversion is recorded in.

use sekisho_policy::command::{Command, CommandKind};
use sekisho_policy::value::{Number, Value};
use serde_json::{Value as Json, json};

use super::value::value_to_json;

/// One pipeline: its commands with their arguments as a client would send them.
#[must_use]
pub fn reading(pipeline: &[Command]) -> Json {
    pipeline.iter().map(command).collect()
}

fn command(command: &Command) -> Json {
    let args: Json = command
        .arguments
        .iter()
        .map(|argument| json!({ "name": argument.name, "value": value(&argument.value) }))
        .collect();
    let is_script = match command.kind {
        CommandKind::Name => false,
        CommandKind::Script => true,
    };
    json!({ "cmd": command.name, "is_script": is_script, "local_scope": command.local_scope, "merge": null, "args": args })
}

/// A number has its type, since `1` and `1.0` are two values to PowerShell.
fn value(of: &Value) -> Json {
    match of {
        Value::Number(Number { kind, text, .. }) => json!({ "type": format!("{kind:?}"), "text": text }),
        Value::List(items) => items.iter().map(value).collect(),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::Secure(_) | Value::Opaque(_) => value_to_json(of),
    }
}
