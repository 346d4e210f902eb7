//! What is kept of PowerShell's commands: names always; values as they are judged, secret ones as keyed digests, and
//! nothing of what is inside a SecureString.

use std::fmt;

use ring::hmac;
use sekisho_policy::value::{Opaque, SecureKind, Value};
use sekisho_policy::{CheckedArguments, CheckedCommand, CheckedCommands, CheckedParameter, CheckedScript};
use serde::Serialize;
use serde_json::Value as Json;

use super::{AuditedArgument, JudgedArgument, Redactor, hex, is_secret_name};

/// Bytes that denied commands take in a line at most; of longer ones a digest of all is kept. A client decides how
/// much is denied, and a line that does not fit is none.
const MAX_DENIED: usize = 64 * 1024;

/// Pipelines in the order in which they run, each with its commands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AuditedCommands {
    pub(super) statements: Vec<Vec<AuditedCommand>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct AuditedCommand {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<String>,
    #[serde(flatten)]
    pub(super) arguments: AuditedArguments,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuditedArguments {
    /// Of a cmdlet or function.
    Parameters(Vec<AuditedParameter>),
    /// Of a program.
    Arguments(Vec<AuditedArgument>),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct AuditedParameter {
    /// Without one the value was given by position, which only what is denied can have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) value: AuditedValue,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum AuditedValue {
    Plain(Json),
    List(Vec<AuditedValue>),
    Secret {
        /// HMAC-SHA-256 of the value, in hex.
        hmac: String,
    },
    Secure {
        secure: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
    /// A value that is refused everywhere.
    Opaque {
        opaque: &'static str,
    },
}

/// A pinned script that was allowed, by its digest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditedScript {
    pub(super) name: String,
    pub(super) sha256: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<AuditedParameter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) using: Vec<AuditedParameter>,
}

/// One command as it was asked for, and denied.
pub struct DeniedCommand<'a> {
    /// As the client wrote it.
    pub name: &'a str,
    /// In the client's order.
    pub arguments: Vec<DeniedArgument<'a>>,
}

/// One argument of a denied command.
pub struct DeniedArgument<'a> {
    /// As the client wrote it.
    pub name: Option<&'a str>,
    pub value: &'a Value,
    /// Marked `secret`, or not known to be none.
    pub secret: bool,
}

/// The request's own words may hold secrets anywhere.
impl fmt::Debug for DeniedCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeniedCommand").field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for DeniedArgument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeniedArgument").field("secret", &self.secret).finish_non_exhaustive()
    }
}

/// How freely a value is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Value,
    Digest,
}

impl Keep {
    fn of(secret: bool) -> Self {
        if secret { Self::Digest } else { Self::Value }
    }
}

impl Redactor {
    /// Commands as they were judged.
    #[must_use]
    pub fn commands(&self, commands: &CheckedCommands) -> AuditedCommands {
        let audited = |statement: &Vec<CheckedCommand>| statement.iter().map(|command| self.command(command)).collect();
        AuditedCommands { statements: commands.statements().iter().map(audited).collect() }
    }

    /// A pinned script, with what is given to it.
    #[must_use]
    pub fn script(&self, script: &CheckedScript) -> AuditedScript {
        AuditedScript {
            name: script.name().to_owned(),
            sha256: script.sha256().to_owned(),
            parameters: self.parameters(script.parameters()),
            using: self.parameters(script.using()),
        }
    }

    /// Commands as they were asked for: every value is a digest unless the operator wants to see what is denied and
    /// no rule calls it secret. Nothing when they are too many for a line.
    #[must_use]
    pub fn denied_commands(&self, statements: &[Vec<DeniedCommand<'_>>]) -> Option<AuditedCommands> {
        let audited = |statement: &Vec<DeniedCommand<'_>>| statement.iter().map(|one| self.denied(one)).collect();
        let audited = AuditedCommands { statements: statements.iter().map(audited).collect() };
        let size = serde_json::to_vec(&audited).map_or(usize::MAX, |json| json.len());
        (size <= MAX_DENIED).then_some(audited)
    }

    fn command(&self, command: &CheckedCommand) -> AuditedCommand {
        let arguments = match command.arguments() {
            CheckedArguments::Named(parameters) => AuditedArguments::Parameters(self.parameters(parameters)),
            CheckedArguments::Program(arguments) => {
                let judged: Vec<_> = arguments
                    .iter()
                    .map(|argument| JudgedArgument { value: argument.value(), secret: argument.is_secret() })
                    .collect();
                AuditedArguments::Arguments(self.arguments(&judged))
            }
        };
        AuditedCommand {
            name: command.name().to_owned(),
            role: Some(command.role().to_owned()),
            rule: Some(command.rule().to_owned()),
            arguments,
        }
    }

    fn parameters(&self, parameters: &[CheckedParameter]) -> Vec<AuditedParameter> {
        let audited = |parameter: &CheckedParameter| AuditedParameter {
            name: Some(parameter.name().to_owned()),
            value: self.value(parameter.value(), Keep::of(parameter.is_secret() || is_secret_name(parameter.name()))),
        };
        parameters.iter().map(audited).collect()
    }

    fn denied(&self, command: &DeniedCommand<'_>) -> AuditedCommand {
        let mut follows_secret = false;
        let parameters = command.arguments.iter().map(|argument| {
            // `-Password x` comes as two entries.
            let secret_name = argument.name.is_some_and(is_secret_name);
            let secret = argument.secret || secret_name || follows_secret || !self.shows_denied_text();
            follows_secret = secret_name;
            AuditedParameter {
                name: argument.name.map(str::to_owned),
                value: self.value(argument.value, Keep::of(secret)),
            }
        });
        let arguments = AuditedArguments::Parameters(parameters.collect());
        AuditedCommand { name: command.name.to_owned(), role: None, rule: None, arguments }
    }

    fn value(&self, value: &Value, keep: Keep) -> AuditedValue {
        match (value, keep) {
            (Value::Text(text), Keep::Digest) => self.digest(text),
            (Value::Number(number), Keep::Digest) => self.digest(&number.text),
            (Value::List(_), Keep::Digest) => {
                self.digest(&serde_json::to_string(&self.value(value, Keep::Value)).unwrap_or_default())
            }
            (Value::List(items), Keep::Value) => {
                AuditedValue::List(items.iter().map(|item| scalar(item, keep)).collect())
            }
            (scalar_value, keep) => scalar(scalar_value, keep),
        }
    }

    fn digest(&self, text: &str) -> AuditedValue {
        AuditedValue::Secret { hmac: hex(hmac::sign(&self.key, text.as_bytes()).as_ref()) }
    }
}

/// A value that is no list: policy refuses lists within lists, so that none is followed.
fn scalar(value: &Value, keep: Keep) -> AuditedValue {
    match value {
        Value::Null => AuditedValue::Plain(Json::Null),
        Value::Bool(flag) => AuditedValue::Plain(Json::Bool(*flag)),
        Value::Number(number) => AuditedValue::Plain(number_json(&number.text)),
        Value::Text(text) => AuditedValue::Plain(Json::String(text.clone())),
        Value::List(_) => AuditedValue::Opaque { opaque: "List" },
        Value::Opaque(Opaque::ScriptBlock) => AuditedValue::Opaque { opaque: "ScriptBlock" },
        Value::Opaque(Opaque::Object) => AuditedValue::Opaque { opaque: "Object" },
        Value::Secure(secure) => match &secure.kind {
            SecureKind::SecureString => AuditedValue::Secure { secure: "SecureString", user: None },
            SecureKind::Credential { user } => {
                let user = (keep == Keep::Value).then(|| user.clone());
                AuditedValue::Secure { secure: "Credential", user }
            }
        },
    }
}

/// A number as JSON has it, or its text where JSON would change a digit.
fn number_json(text: &str) -> Json {
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(number) if number.to_string() == text => Json::Number(number),
        Ok(_) | Err(_) => Json::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DeniedText;
    use sekisho_policy::value::{Number, NumberKind, Secure, Spelling};

    fn redactor(denied_text: DeniedText) -> Redactor {
        Redactor::new(&[7; 32], denied_text)
    }

    fn number(text: &str) -> Value {
        Value::Number(Number { kind: NumberKind::Double, text: text.to_owned(), spelling: Spelling::Plain })
    }

    fn denied(keep: DeniedText, name: Option<&str>, value: &Value, secret: bool) -> String {
        let arguments = vec![DeniedArgument { name, value, secret }];
        let commands = [vec![DeniedCommand { name: "Get-It", arguments }]];
        serde_json::to_string(&redactor(keep).denied_commands(&commands).unwrap()).unwrap()
    }

    #[test]
    fn what_is_denied_keeps_names_and_digests() {
        let line = denied(DeniedText::Digest, Some("-Name"), &Value::text("hunter2"), false);
        assert!(line.starts_with(r#"[[{"name":"Get-It","parameters":[{"name":"-Name","value":{"hmac":""#), "{line}");
        for value in [
            Value::text("hunter2"),
            Value::List(vec![Value::text("hunter2")]),
            number("20022002"),
            Value::Secure(Secure { kind: SecureKind::Credential { user: "hunter2".to_owned() }, handle: 20_022_002 }),
        ] {
            let line = denied(DeniedText::Digest, None, &value, false);
            assert!(!line.contains("hunter2") && !line.contains("20022002"), "{line}");
        }
    }

    #[test]
    fn denied_values_are_shown_where_that_is_asked_for_but_never_secret_ones() {
        let shown = |name, secret| denied(DeniedText::Text, name, &Value::text("hunter2"), secret);
        assert_eq!(
            shown(Some("-Name"), false),
            r#"[[{"name":"Get-It","parameters":[{"name":"-Name","value":"hunter2"}]}]]"#
        );
        for line in [shown(Some("-Name"), true), shown(Some("-Password:"), false), shown(None, true)] {
            assert!(!line.contains("hunter2"), "{line}");
        }
        let (null, secret) = (Value::Null, Value::text("hunter2"));
        let pair = vec![
            DeniedArgument { name: Some("-Password"), value: &null, secret: false },
            DeniedArgument { name: None, value: &secret, secret: false },
        ];
        let split = [vec![DeniedCommand { name: "Get-It", arguments: pair }]];
        let line = serde_json::to_string(&redactor(DeniedText::Text).denied_commands(&split).unwrap()).unwrap();
        assert!(!line.contains("hunter2"), "{line}");
    }

    #[test]
    fn values_are_written_by_their_kinds() {
        let written =
            |value: &Value| serde_json::to_string(&redactor(DeniedText::Text).value(value, Keep::Value)).unwrap();
        for (value, expected) in [
            (Value::Null, "null"),
            (Value::Bool(true), "true"),
            (Value::int(-5), "-5"),
            (number("1.5"), "1.5"),
            (number("1E+400"), r#""1E+400""#),
            (number("NaN"), r#""NaN""#),
            (number("79228162514264337593543950335"), r#""79228162514264337593543950335""#),
            (Value::text("a\"b"), r#""a\"b""#),
            (Value::List(vec![Value::text("a"), Value::int(1), Value::Null]), r#"["a",1,null]"#),
            (Value::List(vec![Value::List(vec![])]), r#"[{"opaque":"List"}]"#),
            (Value::Opaque(Opaque::ScriptBlock), r#"{"opaque":"ScriptBlock"}"#),
            (Value::Secure(Secure { kind: SecureKind::SecureString, handle: 7 }), r#"{"secure":"SecureString"}"#),
            (
                Value::Secure(Secure { kind: SecureKind::Credential { user: "LAB\\a".to_owned() }, handle: 7 }),
                r#"{"secure":"Credential","user":"LAB\\a"}"#,
            ),
        ] {
            assert_eq!(written(&value), expected);
        }
    }

    #[test]
    fn denied_commands_that_fit_no_line_are_left_to_their_digest() {
        let name = "a".repeat(MAX_DENIED);
        let commands = [vec![DeniedCommand { name: &name, arguments: vec![] }]];
        assert_eq!(redactor(DeniedText::Text).denied_commands(&commands), None);
    }
}
