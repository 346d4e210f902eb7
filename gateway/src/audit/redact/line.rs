//! What is kept of a command, in one line for people: `Get-Service -Name 'Spooler'`.
//!
//! Texts stand in quotes always, and what stands for a secret never does, so that neither looks like the other.

use serde_json::Value as Json;

use super::commands::{AuditedArguments, AuditedCommand, AuditedParameter, AuditedValue};
use super::{AuditedArgument, AuditedCommands, AuditedProgram, AuditedScript};
use crate::audit::Permitted;

/// Digits of a digest that are shown: enough to see that two are equal.
const DIGITS: usize = 12;

impl Permitted {
    /// In one line.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Program(program) => program.line(),
            Self::Commands(commands) => commands.line(),
            Self::Script(script) => script.line(),
        }
    }
}

impl AuditedProgram {
    fn line(&self) -> String {
        invoked(&quoted(&self.path), &self.arguments)
    }
}

impl AuditedCommands {
    fn line(&self) -> String {
        let pipeline = |commands: &Vec<AuditedCommand>| joined(commands.iter().map(command), " | ");
        joined(self.statements.iter().map(pipeline), "; ")
    }
}

impl AuditedScript {
    fn line(&self) -> String {
        let digest = self.sha256.get(..DIGITS).unwrap_or(&self.sha256);
        let mut line = format!("<script {} sha256:{digest}>", quoted(&self.name));
        parameters(&self.parameters, "-", &mut line);
        parameters(&self.using, "$using:", &mut line);
        line
    }
}

fn command(command: &AuditedCommand) -> String {
    match &command.arguments {
        AuditedArguments::Parameters(given) => {
            let mut line = command.name.clone();
            parameters(given, "-", &mut line);
            line
        }
        AuditedArguments::Arguments(arguments) => invoked(&quoted(&command.name), arguments),
    }
}

fn parameters(given: &[AuditedParameter], mark: &str, line: &mut String) {
    for parameter in given {
        let value = value(&parameter.value);
        match &parameter.name {
            Some(name) if mark == "-" && value == "$true" => line.push_str(&format!(" -{name}")),
            Some(name) if mark == "-" && value == "$false" => line.push_str(&format!(" -{name}:$false")),
            Some(name) => line.push_str(&format!(" {mark}{name} {value}")),
            None => line.push_str(&format!(" {value}")),
        }
    }
}

fn value(value: &AuditedValue) -> String {
    match value {
        AuditedValue::Plain(Json::Null) => "$null".to_owned(),
        AuditedValue::Plain(Json::Bool(true)) => "$true".to_owned(),
        AuditedValue::Plain(Json::Bool(false)) => "$false".to_owned(),
        AuditedValue::Plain(Json::String(text)) => quoted(text),
        AuditedValue::Plain(other) => other.to_string(),
        AuditedValue::List(items) => format!("@({})", joined(items.iter().map(self::value), ", ")),
        AuditedValue::Secret { hmac } => secret(hmac),
        AuditedValue::Secure { secure, user: Some(user) } => format!("<{secure} {}>", quoted(user)),
        AuditedValue::Secure { secure, user: None } => format!("<{secure}>"),
        AuditedValue::Opaque { opaque } => format!("<{opaque}>"),
    }
}

fn invoked(path: &str, arguments: &[AuditedArgument]) -> String {
    let mut line = path.to_owned();
    for argument in arguments {
        line.push(' ');
        match argument {
            AuditedArgument::Plain(text) => line.push_str(&quoted(text)),
            AuditedArgument::Secret { prefix: Some(prefix), hmac } => {
                line.push_str(&format!("{}{}", quoted(prefix), secret(hmac)));
            }
            AuditedArgument::Secret { prefix: None, hmac } => line.push_str(&secret(hmac)),
        }
    }
    line
}

fn secret(hmac: &str) -> String {
    format!("<secret {}>", hmac.get(..DIGITS).unwrap_or(hmac))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{JudgedArgument, Redactor};
    use crate::config::DeniedText;

    fn parameter(name: &str, value: AuditedValue) -> AuditedParameter {
        AuditedParameter { name: Some(name.to_owned()), value }
    }

    #[test]
    fn commands_read_as_a_user_would_write_them() {
        let plain = |value: Json| AuditedValue::Plain(value);
        let first = AuditedCommand {
            name: "Get-Service".to_owned(),
            role: None,
            rule: None,
            arguments: AuditedArguments::Parameters(vec![
                parameter("Name", plain("O'Neil <secret x>".into())),
                parameter("Force", plain(true.into())),
                parameter("Confirm", plain(false.into())),
                parameter("First", plain(3.into())),
                parameter("List", AuditedValue::List(vec![plain("a".into()), plain(Json::Null)])),
                parameter("Credential", AuditedValue::Secure { secure: "Credential", user: Some("bob".to_owned()) }),
                parameter("Pin", AuditedValue::Secret { hmac: "0123456789abcdef".to_owned() }),
            ]),
        };
        let second = AuditedCommand {
            name: r"C:\x y.exe".to_owned(),
            role: None,
            rule: None,
            arguments: AuditedArguments::Arguments(vec![AuditedArgument::Plain("/all".to_owned())]),
        };
        let commands = AuditedCommands { statements: vec![vec![first.clone(), second], vec![first]] };
        let line = commands.line();
        let (pipeline, again) = line.split_once("; ").unwrap();
        assert_eq!(
            again,
            "Get-Service -Name 'O''Neil <secret x>' -Force -Confirm:$false -First 3 -List @('a', $null) \
             -Credential <Credential 'bob'> -Pin <secret 0123456789ab>"
        );
        assert_eq!(pipeline, format!(r"{again} | 'C:\x y.exe' '/all'"));
    }

    #[test]
    fn a_program_and_a_script_hide_what_the_log_hides() {
        let redactor = Redactor::new(&[7; 32], DeniedText::Digest);
        let judged = ["user", "/password:hunter2"].map(|value| JudgedArgument { value, secret: false });
        let line = Permitted::Program(redactor.program(r"C:\net.exe", &judged)).line();
        assert!(line.starts_with(r"'C:\net.exe' 'user' '/password:'<secret ") && !line.contains("hunter2"), "{line}");
        let script = AuditedScript {
            name: "clean".to_owned(),
            sha256: "ab".repeat(32),
            parameters: vec![parameter("Days", AuditedValue::Plain(7.into()))],
            using: vec![parameter("x", AuditedValue::Plain(true.into()))],
        };
        assert_eq!(script.line(), "<script 'clean' sha256:abababababab> -Days 7 $using:x $true");
    }
}
