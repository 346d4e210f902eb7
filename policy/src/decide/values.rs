//! Whether a value is acceptable (rule R7) and whether a rule accepts it (rule R6).

use crate::model::{ParameterRule, ParameterSecrecy};
use crate::value::{Number, Opaque, Spelling, Value};

/// Why a value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueRefusal {
    /// A script block.
    ScriptBlock,
    /// An object, or a list within a list.
    Object,
    /// A SecureString or PSCredential where no rule takes one.
    Secure,
    /// A plain value where a SecureString or PSCredential is wanted.
    Plain,
    /// Null, an empty list, or a list with a null in it, where values are restricted.
    Missing,
    /// A number that is not written in plain decimal digits, where values are restricted.
    Spelling,
    /// Another value than those that are accepted.
    NotAccepted,
}

impl ValueRefusal {
    /// Whether the kind of the value is refused, whatever a rule accepts.
    pub(super) fn is_of_kind(self) -> bool {
        match self {
            Self::ScriptBlock | Self::Object | Self::Secure => true,
            Self::Plain | Self::Missing | Self::Spelling | Self::NotAccepted => false,
        }
    }
}

/// Rule R7: null, booleans, numbers, text and lists of them.
pub(super) fn check_kind(value: &Value) -> Result<(), ValueRefusal> {
    match value {
        Value::List(items) => items.iter().try_for_each(|item| match item {
            Value::List(_) => Err(ValueRefusal::Object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secure(_) | Value::Opaque(_) => {
                check_kind_of_one(item)
            }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secure(_) | Value::Opaque(_) => {
            check_kind_of_one(value)
        }
    }
}

fn check_kind_of_one(value: &Value) -> Result<(), ValueRefusal> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Ok(()),
        Value::Secure(_) => Err(ValueRefusal::Secure),
        Value::Opaque(Opaque::ScriptBlock) => Err(ValueRefusal::ScriptBlock),
        Value::Opaque(Opaque::Object) | Value::List(_) => Err(ValueRefusal::Object),
    }
}

/// Whether a list stands where values are restricted one by one: what takes a single text, a plain function's
/// parameter or a variable in a string, gets all of them joined by blanks, which no rule has judged.
pub(super) fn is_joined(rule: &ParameterRule, value: &Value) -> bool {
    rule.is_constrained() && matches!(value, Value::List(items) if items.len() != 1)
}

/// What a rule says of a value of its parameter.
pub(super) fn judge(rule: &ParameterRule, value: &Value) -> Result<(), ValueRefusal> {
    match (rule.secrecy, value) {
        (ParameterSecrecy::Secure, Value::Secure(_)) => return Ok(()),
        (ParameterSecrecy::Secure, _) => return Err(check_kind(value).err().unwrap_or(ValueRefusal::Plain)),
        (ParameterSecrecy::Open | ParameterSecrecy::Secret, _) => check_kind(value)?,
    }
    if !rule.is_constrained() {
        return Ok(());
    }
    match value {
        Value::List(items) if items.is_empty() => Err(ValueRefusal::Missing),
        Value::List(items) => items.iter().try_for_each(|item| judge_one(rule, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secure(_) | Value::Opaque(_) => {
            judge_one(rule, value)
        }
    }
}

/// One value, or one element of a list, by its text in the invariant culture.
fn judge_one(rule: &ParameterRule, value: &Value) -> Result<(), ValueRefusal> {
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::Number(Number { text, spelling: Spelling::Plain, .. }) => text.as_str(),
        Value::Number(Number { spelling: Spelling::Marked, .. }) => return Err(ValueRefusal::Spelling),
        Value::Bool(true) => "True",
        Value::Bool(false) => "False",
        Value::Null => return Err(ValueRefusal::Missing),
        Value::List(_) | Value::Secure(_) | Value::Opaque(_) => return Err(ValueRefusal::Object),
    };
    if rule.accepts(text) { Ok(()) } else { Err(ValueRefusal::NotAccepted) }
}
