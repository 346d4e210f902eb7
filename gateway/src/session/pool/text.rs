//! Objects as text: what `Out-String -Stream` and `Out-Default` make of them, where no target does.

use sekisho_protocol::clixml::{Value, show};
use sekisho_protocol::psrp::RecordBody;

/// The lines of an object, each as an output of its own.
pub(super) fn lines(value: &Value) -> Vec<RecordBody> {
    shown(value).into_iter().map(|line| RecordBody::encode(&Value::text(line))).collect()
}

/// The lines of an object.
pub(super) fn shown(value: &Value) -> Vec<String> {
    // Text is what it is.
    if let Value::Text(text) = value {
        return if text.is_empty() { vec![String::new()] } else { text.lines().map(str::to_owned).collect() };
    }
    show::lines(value, show::ShowLimits::default())
}
