//! Canonical text of commands.

use std::fmt;

use super::chars;
use super::parse;
use crate::command::{Argument, Bindings, Command, CommandKind};
use crate::decision::{CheckedArguments, CheckedCommand, CheckedParameter};
use crate::value::{Number, NumberKind, Secure, SecureKind, Value};

/// Commands that cannot be written so that they are read as the same again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unrenderable;

impl std::error::Error for Unrenderable {}

impl fmt::Display for Unrenderable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these commands cannot be written as text: send them as structured commands")
    }
}

/// Writes a pipeline as text, with every value of text in single quotes.
///
/// # Errors
/// [`Unrenderable`] unless [`parse`] gives the same pipeline back, which has been tried.
pub fn render(pipeline: &[Command]) -> Result<String, Unrenderable> {
    let mut text = String::new();
    for (index, command) in pipeline.iter().enumerate() {
        if index > 0 {
            text.push_str(" | ");
        }
        write_command(&mut text, command)?;
    }
    match parse(&text, &Bindings::default()) {
        Ok(read) if read == pipeline => Ok(text),
        Ok(_) | Err(_) => Err(Unrenderable),
    }
}

/// Writes allowed commands as text for a target: `Name -Parameter:'value' | …`. Secret values stand in it.
///
/// # Errors
/// [`Unrenderable`] as for [`render`].
pub fn render_checked(commands: &[CheckedCommand]) -> Result<String, Unrenderable> {
    let pipeline: Vec<Command> = commands.iter().map(as_command).collect();
    render(&pipeline)
}

/// Writes allowed commands for people, without secrets. It need not be readable by PowerShell.
pub fn describe(commands: &[CheckedCommand]) -> String {
    let mut text = String::new();
    for (index, command) in commands.iter().enumerate() {
        if index > 0 {
            text.push_str(" | ");
        }
        text.push_str(command.name());
        match command.arguments() {
            CheckedArguments::Named(parameters) => {
                parameters.iter().for_each(|parameter| describe_parameter(&mut text, parameter));
            }
            CheckedArguments::Program(arguments) => {
                for argument in arguments {
                    text.push(' ');
                    if argument.is_secret() {
                        text.push_str(SECRET);
                    } else {
                        write_quoted(&mut text, argument.value());
                    }
                }
            }
        }
    }
    text
}

/// What stands for a value that is not shown.
const SECRET: &str = "<secret>";

fn describe_parameter(text: &mut String, parameter: &CheckedParameter) {
    text.push_str(" -");
    text.push_str(parameter.name());
    text.push(':');
    if parameter.is_secret() {
        text.push_str(SECRET);
    } else {
        describe_value(text, parameter.value());
    }
}

fn describe_value(text: &mut String, value: &Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Text(_) => write_simple(text, value),
        Value::Number(number) => text.push_str(&number.text),
        Value::List(items) => {
            text.push_str("@(");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                match item {
                    // Lists in lists are refused, so that this is never reached; nothing recurses over it.
                    Value::List(_) => text.push_str("@(…)"),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Text(_)
                    | Value::Secure(_)
                    | Value::Opaque(_) => describe_value(text, item),
                }
            }
            text.push(')');
        }
        Value::Secure(Secure { kind: SecureKind::SecureString, .. }) => text.push_str("<SecureString>"),
        Value::Secure(Secure { kind: SecureKind::Credential { .. }, .. }) => text.push_str("<PSCredential>"),
        Value::Opaque(_) => text.push_str("<object>"),
    }
}

fn as_command(checked: &CheckedCommand) -> Command {
    let arguments = match checked.arguments() {
        CheckedArguments::Named(parameters) => parameters
            .iter()
            .map(|parameter| Argument::named(format!("-{}:", parameter.name()), parameter.value().clone()))
            .collect(),
        CheckedArguments::Program(arguments) => {
            arguments.iter().map(|argument| Argument::positional(Value::text(argument.value()))).collect()
        }
    };
    Command::new(checked.name(), arguments)
}

fn write_command(text: &mut String, command: &Command) -> Result<(), Unrenderable> {
    if command.kind != CommandKind::Name || command.local_scope.is_some() {
        return Err(Unrenderable);
    }
    text.push_str(&command.name);
    for argument in &command.arguments {
        text.push(' ');
        match &argument.name {
            // A parameter alone carries null; one with a colon always has a value.
            Some(name) if !name.trim_end().ends_with(':') && argument.value == Value::Null => text.push_str(name),
            Some(name) if name.trim_end().ends_with(':') => {
                text.push_str(name);
                write_value(text, &argument.value)?;
            }
            Some(_) => return Err(Unrenderable),
            None => write_value(text, &argument.value)?,
        }
    }
    Ok(())
}

fn write_value(text: &mut String, value: &Value) -> Result<(), Unrenderable> {
    let Value::List(items) = value else { return write_element(text, value) };
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_element(text, item)?;
    }
    Ok(())
}

fn write_element(text: &mut String, value: &Value) -> Result<(), Unrenderable> {
    match value {
        Value::Null | Value::Bool(_) | Value::Text(_) => write_simple(text, value),
        Value::Number(number) => text.push_str(&literal(number).ok_or(Unrenderable)?),
        Value::List(_) | Value::Secure(_) | Value::Opaque(_) => return Err(Unrenderable),
    }
    Ok(())
}

fn write_simple(text: &mut String, value: &Value) {
    match value {
        Value::Bool(true) => text.push_str("$true"),
        Value::Bool(false) => text.push_str("$false"),
        Value::Text(content) => write_quoted(text, content),
        Value::Null | Value::Number(_) | Value::List(_) | Value::Secure(_) | Value::Opaque(_) => text.push_str("$null"),
    }
}

/// Every character that PowerShell takes for a single quote is doubled.
fn write_quoted(text: &mut String, content: &str) {
    text.push('\'');
    for c in content.chars() {
        if chars::is_single_quote(c) {
            text.push(c);
        }
        text.push(c);
    }
    text.push('\'');
}

/// The notation that gives a number with its type.
fn literal(number: &Number) -> Option<String> {
    let text = &number.text;
    match number.kind {
        NumberKind::Int32 => {
            let value: i32 = text.parse().ok()?;
            // An argument `-5` is text.
            Some(if value < 0 { format!("0x{value:X}") } else { value.to_string() })
        }
        NumberKind::Int64 => {
            let value: i64 = text.parse().ok()?;
            Some(if i32::try_from(value).is_ok() { format!("{value}l") } else { value.to_string() })
        }
        NumberKind::Double => Some(if text.contains(['.', 'E']) { text.clone() } else { format!("{text}.0") }),
        NumberKind::Decimal => Some(format!("{text}d")),
        NumberKind::Byte
        | NumberKind::SByte
        | NumberKind::Int16
        | NumberKind::UInt16
        | NumberKind::UInt32
        | NumberKind::UInt64
        | NumberKind::Single => None,
    }
}
