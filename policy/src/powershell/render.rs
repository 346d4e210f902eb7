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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{CheckedArgument, Prompts, Secrecy};
    use crate::value::{Opaque, Spelling};

    fn number(kind: NumberKind, text: &str) -> Value {
        Value::Number(Number { kind, text: text.to_owned(), spelling: Spelling::Plain })
    }

    fn checked(name: &str, arguments: CheckedArguments) -> CheckedCommand {
        CheckedCommand {
            name: name.to_owned(),
            module: String::new(),
            arguments,
            role: "role".to_owned(),
            rule: "rule".to_owned(),
            prompts: Prompts::Refused,
        }
    }

    fn named(parameters: Vec<(&str, Value, Secrecy)>) -> CheckedArguments {
        let parameter =
            |(name, value, secrecy): (&str, Value, Secrecy)| CheckedParameter { name: name.to_owned(), value, secrecy };
        CheckedArguments::Named(parameters.into_iter().map(parameter).collect())
    }

    #[test]
    fn text_is_quoted_so_that_no_character_ends_it() {
        let pipeline = parse("Get-A  \"it's ’\" -x:  5 -Force|b a,1.0,$NULL", &Bindings::default()).unwrap();
        assert_eq!(render(&pipeline).unwrap(), "Get-A 'it''s ’’' -x: 5 -Force | b 'a',1.0,$null");
    }

    #[test]
    fn every_number_that_text_can_give_is_written_with_its_type() {
        let literals =
            "5 2147483648 10l 3000000000l 1.5 1e3 1e17 0.00001 1.50d 9223372036854775808 0xFFFFFFFF 0x80000000 1kb";
        let pipeline = parse(&format!("x {literals}"), &Bindings::default()).unwrap();
        let text = render(&pipeline).unwrap();
        assert_eq!(
            text,
            "x 5 2147483648 10l 3000000000 1.5 1000.0 1E+17 1E-05 1.50d 9223372036854775808d 0xFFFFFFFF 0x80000000 1024"
        );
    }

    #[test]
    fn what_text_cannot_say_is_not_written() {
        let with = |value: Value| vec![Command::new("x", vec![Argument::positional(value)])];
        for value in [
            number(NumberKind::Byte, "5"),
            number(NumberKind::Int64, "-5"),
            number(NumberKind::Double, "NaN"),
            number(NumberKind::Double, "-1.5"),
            number(NumberKind::Int32, "5; Stop-Computer"),
            number(NumberKind::Decimal, "5; Stop-Computer #"),
            number(NumberKind::Double, "5.0 | Stop-Computer"),
            Value::List(Vec::new()),
            Value::List(vec![Value::text("a")]),
            Value::List(vec![Value::text("a"), Value::List(vec![Value::text("b"), Value::text("c")])]),
            Value::text("--%"),
            Value::Opaque(Opaque::Object),
            Value::Secure(Secure { kind: SecureKind::SecureString, handle: 1 }),
        ] {
            assert_eq!(render(&with(value.clone())), Err(Unrenderable), "{value:?}");
        }
        let named = |name: &str, value| vec![Command::new("x", vec![Argument::named(name, value)])];
        for name in
            ["", "-", "Name", "-Na me", "-Name\n", "-Name; x", "-Name -Other", "-Name:x", "-Na'me", "-Name:b,c:"]
        {
            assert_eq!(render(&named(name, Value::Null)), Err(Unrenderable), "{name:?}");
        }
        for name in ["", "a; b", "a|b", "a b", "C:\\Program Files\\x.exe", "if", "$x", "'a'", "a\n", "-a", "&a"] {
            assert_eq!(render(&[Command::new(name, Vec::new())]), Err(Unrenderable), "{name:?}");
        }
        assert_eq!(render(&[]), Err(Unrenderable));
        let script = Command { kind: CommandKind::Script, ..Command::new("a", Vec::new()) };
        assert_eq!(render(&[script]), Err(Unrenderable));
        let dotted = Command { local_scope: Some(false), ..Command::new("a", Vec::new()) };
        assert_eq!(render(&[dotted]), Err(Unrenderable));
    }

    #[test]
    fn allowed_commands_are_written_with_names_and_values_joined() {
        let list = Value::List(vec![Value::text("a"), Value::text("it's")]);
        let parameters = vec![
            ("Name", list, Secrecy::Open),
            ("Force", Value::Bool(true), Secrecy::Open),
            ("Password", Value::text("hunter2"), Secrecy::Secret),
        ];
        let program = CheckedArgument { value: "-a b".to_owned(), secrecy: Secrecy::Open };
        let secret = CheckedArgument { value: "hunter3".to_owned(), secrecy: Secrecy::Secret };
        let commands = [
            checked("Set-A", named(parameters)),
            checked("C:\\x.exe", CheckedArguments::Program(vec![program, secret])),
        ];
        assert_eq!(
            render_checked(&commands).unwrap(),
            "Set-A -Name:'a','it''s' -Force:$true -Password:'hunter2' | C:\\x.exe '-a b' 'hunter3'"
        );
        assert_eq!(
            describe(&commands),
            "Set-A -Name:@('a','it''s') -Force:$true -Password:<secret> | C:\\x.exe '-a b' <secret>"
        );
    }

    #[test]
    fn people_are_shown_what_text_cannot_say() {
        let secure = |kind| Value::Secure(Secure { kind, handle: 1 });
        let parameters = vec![
            ("A", number(NumberKind::Int32, "-5"), Secrecy::Open),
            ("B", Value::List(vec![Value::Null]), Secrecy::Open),
            ("C", secure(SecureKind::SecureString), Secrecy::Open),
            ("D", secure(SecureKind::Credential { user: "u".to_owned() }), Secrecy::Open),
        ];
        let commands = [checked("x", named(parameters))];
        assert_eq!(render_checked(&commands), Err(Unrenderable));
        assert_eq!(describe(&commands), "x -A:-5 -B:@($null) -C:<SecureString> -D:<PSCredential>");
    }
}
