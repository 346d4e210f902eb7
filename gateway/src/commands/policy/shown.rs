//! Requests and answers for people. What is shown here is never read again.

use sekisho_policy::command::Command;
use sekisho_policy::value::{Opaque, SecureKind, Value};
use sekisho_policy::{Action, Checked, CheckedArgument, CheckedParameter, CheckedScript, Decision, powershell};

use super::forms::Request;

/// Characters of a request that are shown.
const MAX_SHOWN: usize = 400;
const SECRET: &str = "<secret>";

/// The verdict in a line, and of a denial what to do.
pub(super) fn verdict(decision: &Decision) -> String {
    match decision {
        Decision::Allow(allowed) => format!("allow: rule {} of role {}", allowed.rule, allowed.role),
        Decision::Deny(denied) => format!("deny: {}", denied.message),
    }
}

/// What would be sent, a line for each statement. Nothing for a denial.
pub(super) fn canonical(decision: &Decision) -> Vec<String> {
    match decision.allowed().map(|allowed| &allowed.checked) {
        None => Vec::new(),
        Some(Checked::Program(program)) => vec![words(program.path(), program.arguments())],
        Some(Checked::Script(script)) => vec![pinned(script)],
        Some(Checked::Commands(commands)) => {
            commands.statements().iter().map(|pipeline| powershell::describe(pipeline)).collect()
        }
    }
}

fn pinned(script: &CheckedScript) -> String {
    format!("pinned script {}{}{}", script.name(), named(script.parameters()), named(script.using()))
}

fn named(parameters: &[CheckedParameter]) -> String {
    let one = |parameter: &CheckedParameter| {
        let shown = if parameter.is_secret() { SECRET.to_owned() } else { value(parameter.value()) };
        if *parameter.value() == Value::Bool(true) {
            format!(" -{}", parameter.name())
        } else {
            format!(" -{} {shown}", parameter.name())
        }
    };
    parameters.iter().map(one).collect()
}

fn words(program: &str, arguments: &[CheckedArgument]) -> String {
    let one = |argument: &CheckedArgument| {
        let shown = if argument.is_secret() { SECRET } else { argument.value() };
        format!(
            " {}",
            if shown.contains([' ', '\t']) || shown.is_empty() { format!("\"{shown}\"") } else { shown.to_owned() }
        )
    };
    program.to_owned() + &arguments.iter().map(one).collect::<String>()
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "$null".to_owned(),
        Value::Bool(flag) => format!("${flag}"),
        Value::Number(number) => number.text.clone(),
        Value::Text(text) => text_value(text),
        Value::List(items) => items.iter().map(self::value).collect::<Vec<_>>().join(","),
        Value::Secure(secure) => match &secure.kind {
            SecureKind::SecureString => "<SecureString>".to_owned(),
            SecureKind::Credential { .. } => "<PSCredential>".to_owned(),
        },
        Value::Opaque(Opaque::ScriptBlock) => "{ … }".to_owned(),
        Value::Opaque(Opaque::Object) => "<object>".to_owned(),
    }
}

fn text_value(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_.:\\/*-".contains(c));
    if plain && !text.starts_with('-') { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// Who asks for what on which target, on one line.
pub(super) fn request(request: &Request) -> String {
    format!("{} on {}: {}", request.principal.name, request.target.name, action(&request.action))
}

/// What is asked for, on one line.
pub(super) fn action(action: &Action) -> String {
    let text = match action {
        Action::Script(script) => script.text.trim().to_owned(),
        Action::Program(program) => {
            [&[program.command.as_str()], program.arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()]
                .concat()
                .join(" ")
        }
        Action::Commands(request) => request.commands.iter().map(asked).collect::<Vec<_>>().join(" | "),
    };
    let mut shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn asked(command: &Command) -> String {
    let mut line = text_value(&command.name);
    for argument in &command.arguments {
        line.push(' ');
        match (&argument.name, &argument.value) {
            (Some(name), Value::Null) => line.push_str(name),
            (Some(name), shown) => line.push_str(&format!("{name} {}", value(shown))),
            (None, shown) => line.push_str(&value(shown)),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use sekisho_policy::Presence;
    use sekisho_policy::ProgramRequest;
    use sekisho_policy::command::{Argument, CommandsRequest, ScriptRequest};

    use super::*;

    #[test]
    fn an_action_is_one_line_of_bounded_length() {
        let script = Action::Script(ScriptRequest::new(format!(" Get-X `\n {}", "y".repeat(1000))));
        let shown = action(&script);
        assert!(shown.starts_with("Get-X `  y") && !shown.contains('\n') && shown.chars().count() == MAX_SHOWN + 1);
        let program = Action::Program(ProgramRequest::new("a b", vec!["c".to_owned()]));
        assert_eq!(action(&program), "a b c");
    }

    #[test]
    fn commands_look_as_they_are_typed() {
        let commands = vec![
            Command::new(
                "Get-X",
                vec![
                    Argument::named("-Name", Value::Null),
                    Argument::positional(Value::List(vec![Value::text("a b"), Value::int(1)])),
                    Argument::named("-Force:", Value::Bool(false)),
                ],
            ),
            Command::new("Y Z", vec![Argument::positional(Value::text("-x"))]),
        ];
        let request = CommandsRequest { commands, extra_commands: None, input: Presence::Absent };
        assert_eq!(action(&Action::Commands(request)), "Get-X -Name 'a b',1 -Force: $false | 'Y Z' '-x'");
    }
}
