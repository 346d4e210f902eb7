//! Commands and scripts of PowerShell's in a request: names and typed values, never text that is put together.

use super::{ARGUMENTS, CALL_BYTES, JobMistake, PARAMETER_BYTES, PROGRAM_BYTES, SCRIPT_BYTES, TEXT_BYTES};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// One command of PowerShell's with its arguments. `docs/job-api.md`, "PowerShell".
///
/// `Debug` shows nothing of it, since arguments may be secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandCall {
    /// Its name, as the user names it; policy knows aliases.
    pub name: String,
    /// Its arguments, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<CallArgument>,
}

/// One argument of a command, of three kinds: `{"parameter":"Force"}` is a parameter as it is typed, which takes the
/// value that follows unless it is a switch; `{"value":"x"}` is such a value, or one by position;
/// `{"parameter":"Name","value":"x"}` is both in one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallArgument {
    /// The parameter's name, without dash and colon; abbreviations are the policy's to complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The value; `null` is one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<CallValue>,
}

/// A text of PowerShell's, with values for its `param(…)`.
///
/// `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptCall {
    /// The text: commands that the policy's subset of PowerShell reads, or a pinned script, letter by letter.
    pub text: String,
    /// Values by name, without `$`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<ScriptArgument>,
}

/// A value for one name of a script's `param(…)`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptArgument {
    /// The name.
    pub name: String,
    /// The value.
    pub value: CallValue,
}

/// A value: what JSON writes as such. Other numbers go as text, which PowerShell turns into the type that a parameter has.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CallValue {
    /// `$null`.
    Null,
    /// `$true` or `$false`.
    Bool(bool),
    /// A whole number: of 32 bits where it fits, else of 64.
    Integer(i64),
    /// Text, whatever is in it.
    Text(String),
    /// A list, without lists in it.
    List(Vec<Self>),
}

impl CommandCall {
    /// Checks every bound.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), JobMistake> {
        check_command_name(&self.name)?;
        if ARGUMENTS < self.arguments.len() {
            return Err(JobMistake::ArgumentCount);
        }
        let mut room = CALL_BYTES.saturating_sub(self.name.len());
        self.arguments.iter().try_for_each(|argument| {
            if argument.parameter.is_none() && argument.value.is_none() {
                return Err(JobMistake::EmptyArgument);
            }
            argument.parameter.as_deref().map_or(Ok(()), check_parameter)?;
            argument.value.as_ref().map_or(Ok(()), |value| value.check(&mut room))
        })
    }
}

impl ScriptCall {
    /// A text that no values come with.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self { text, arguments: Vec::new() }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), JobMistake> {
        check_script(&self.text, SCRIPT_BYTES)?;
        if ARGUMENTS < self.arguments.len() {
            return Err(JobMistake::ArgumentCount);
        }
        let mut room = CALL_BYTES;
        self.arguments.iter().try_for_each(|argument| {
            check_parameter(&argument.name)?;
            argument.value.check(&mut room)
        })
    }
}

impl CallValue {
    /// Takes the value's bytes from `room`.
    fn check(&self, room: &mut usize) -> Result<(), JobMistake> {
        let Self::List(items) = self else { return self.fits(room) };
        items.iter().try_for_each(|item| match item {
            Self::List(_) => Err(JobMistake::NestedList),
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Text(_) => item.fits(room),
        })
    }

    fn fits(&self, room: &mut usize) -> Result<(), JobMistake> {
        let bytes = match self {
            Self::Text(text) => text.len().saturating_add(1),
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::List(_) => 1,
        };
        *room = room.checked_sub(bytes).ok_or(JobMistake::CallLength)?;
        Ok(())
    }
}

fn check_command_name(name: &str) -> Result<(), JobMistake> {
    if name.trim().is_empty() {
        return Err(JobMistake::NoCommand);
    }
    if PROGRAM_BYTES < name.len() { Err(JobMistake::CallLength) } else { Ok(()) }
}

/// An empty name crashes the PowerShell of a target.
fn check_parameter(name: &str) -> Result<(), JobMistake> {
    let named = name.chars().any(char::is_alphanumeric) && name.len() <= PARAMETER_BYTES;
    if named { Ok(()) } else { Err(JobMistake::Parameter) }
}

fn check_script(text: &str, most: usize) -> Result<(), JobMistake> {
    if text.trim().is_empty() {
        return Err(JobMistake::NoCommand);
    }
    if most < text.len() { Err(JobMistake::ScriptLength) } else { Ok(()) }
}

/// Checks a text that stands in a question.
pub(super) fn check_text_of_question(text: &str) -> Result<(), JobMistake> {
    match check_script(text, TEXT_BYTES) {
        Err(JobMistake::ScriptLength) => Err(JobMistake::CommandLength),
        checked => checked,
    }
}

/// `null` is a value, and not the same as none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CallValue>, D::Error> {
    CallValue::deserialize(deserializer).map(Some)
}

/// Of all of these only sizes are shown.
impl fmt::Debug for CommandCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandCall").field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ScriptCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, arguments) = (self.text.len(), self.arguments.len());
        f.debug_struct("ScriptCall").field("text_bytes", &text).field("arguments", &arguments).finish()
    }
}

impl fmt::Debug for CallArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallArgument")
    }
}

impl fmt::Debug for ScriptArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptArgument")
    }
}

impl fmt::Debug for CallValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Integer(_) => "Integer",
            Self::Text(_) => "Text",
            Self::List(_) => "List",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(json: &str) -> Result<CommandCall, JobMistake> {
        let call: CommandCall = serde_json::from_str(json).map_err(|_| JobMistake::Malformed)?;
        call.validate().map(|()| call)
    }

    #[test]
    fn arguments_are_of_three_kinds_and_null_is_a_value() {
        let json = r#"{"name":"Get-It","arguments":[{"parameter":"Force"},{"value":null},{"value":5},{"parameter":"Name","value":["a",true,-1,null]}]}"#;
        let call = command(json).unwrap();
        assert_eq!(call.arguments[0], CallArgument { parameter: Some("Force".into()), value: None });
        assert_eq!(call.arguments[1].value, Some(CallValue::Null));
        assert_eq!(call.arguments[2].value, Some(CallValue::Integer(5)));
        assert_eq!(serde_json::to_string(&call).unwrap(), json);
    }

    #[test]
    fn what_no_argument_can_be_is_refused() {
        for (json, mistake) in [
            (r#"{"name":" "}"#, JobMistake::NoCommand),
            (r#"{"name":"a","arguments":[{}]}"#, JobMistake::EmptyArgument),
            (r#"{"name":"a","arguments":[{"parameter":""}]}"#, JobMistake::Parameter),
            (r#"{"name":"a","arguments":[{"parameter":"-"}]}"#, JobMistake::Parameter),
            (r#"{"name":"a","arguments":[{"value":[[1]]}]}"#, JobMistake::NestedList),
            (r#"{"name":"a","arguments":[{"value":1.5}]}"#, JobMistake::Malformed),
            (r#"{"name":"a","arguments":[{"value":{"a":1}}]}"#, JobMistake::Malformed),
            (r#"{"name":"a","arguments":[{"value":9223372036854775808}]}"#, JobMistake::Malformed),
            (r#"{"name":"a","module":"b"}"#, JobMistake::Malformed),
        ] {
            assert_eq!(command(json), Err(mistake), "{json}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let call = |arguments| CommandCall { name: "a".into(), arguments };
        let value = |value| CallArgument { parameter: None, value: Some(value) };
        assert_eq!(call(vec![value(CallValue::Null); ARGUMENTS + 1]).validate(), Err(JobMistake::ArgumentCount));
        let text = CallValue::Text("x".repeat(CALL_BYTES));
        assert_eq!(call(vec![value(text)]).validate(), Err(JobMistake::CallLength));
        let list = CallValue::List(vec![CallValue::Null; CALL_BYTES]);
        assert_eq!(call(vec![value(list)]).validate(), Err(JobMistake::CallLength));
        let name = CommandCall { name: "a".repeat(PROGRAM_BYTES + 1), arguments: vec![] };
        assert_eq!(name.validate(), Err(JobMistake::CallLength));
        assert_eq!(ScriptCall::new("x".repeat(SCRIPT_BYTES + 1)).validate(), Err(JobMistake::ScriptLength));
        assert_eq!(ScriptCall::new(" \n".into()).validate(), Err(JobMistake::NoCommand));
        let long = ScriptArgument { name: "n".repeat(PARAMETER_BYTES + 1), value: CallValue::Null };
        let script = ScriptCall { text: "x".into(), arguments: vec![long] };
        assert_eq!(script.validate(), Err(JobMistake::Parameter));
    }

    #[test]
    fn debug_keeps_names_and_values_to_itself() {
        let value = CallValue::Text("canary".into());
        let argument = CallArgument { parameter: Some("canary".into()), value: Some(value.clone()) };
        let command = CommandCall { name: "canary".into(), arguments: vec![argument.clone()] };
        let named = ScriptArgument { name: "canary".into(), value };
        let script = ScriptCall { text: "canary".into(), arguments: vec![named.clone()] };
        assert!(!format!("{argument:?}{command:?}{named:?}{script:?}").contains("canary"));
    }
}
