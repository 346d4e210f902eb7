//! Objects as text: what `Out-String -Stream` and `Out-Default` make of them, where no target does.

use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::RecordBody;

/// The lines of an object, each as an output of its own.
pub(super) fn lines(value: &Value) -> Vec<RecordBody> {
    shown(value).into_iter().map(|line| RecordBody::encode(&Value::text(line))).collect()
}

/// The lines of an object.
pub(super) fn shown(value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => text.lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
