//! An answer as JSON.

use sekisho_policy::{
    Checked, CheckedArgument, CheckedArguments, CheckedCommand, CheckedParameter, CheckedProgram, CheckedScript,
    Decision,
};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::value::value_to_json;

/// What `policy decide` says to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The request's own; null when it could not be read.
    pub id: Json,
    pub decision: &'static str,
    /// The role that answers for it.
    pub role: Option<String>,
    /// The rule of that role.
    pub rule: Option<String>,
    /// Why not, and what to do about it.
    pub reason: Option<String>,
    /// What would be sent, with full names and values.
    pub canonical: Option<Json>,
    /// Of a denial: the role and rule that came nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Json>,
}

impl Answer {
    /// What a policy decided.
    #[must_use]
    pub fn new(id: Json, decision: &Decision) -> Self {
        match decision {
            Decision::Allow(allowed) => Self {
                id,
                decision: "allow",
                role: Some(allowed.role.clone()),
                rule: Some(allowed.rule.clone()),
                reason: None,
                canonical: Some(canonical(&allowed.checked)),
                nearest: None,
            },
            Decision::Deny(denied) => {
                let nearest = denied.nearest.as_ref().map(|near| json!({ "role": near.role, "rule": near.rule }));
                Self { nearest, ..Self::denied(id, denied.message.clone()) }
            }
        }
    }

    /// A denial that no policy was asked for.
    #[must_use]
    pub fn denied(id: Json, reason: String) -> Self {
        Self { id, decision: "deny", role: None, rule: None, reason: Some(reason), canonical: None, nearest: None }
    }
}

/// The canonical form: a list of commands, or of such lists when there are several statements.
#[must_use]
pub fn canonical(checked: &Checked) -> Json {
    match checked {
        Checked::Program(program) => json!([winrs(program)]),
        Checked::Script(script) => json!([pinned(script)]),
        Checked::Commands(commands) => {
            let mut statements: Vec<Json> =
                commands.statements().iter().map(|pipeline| pipeline.iter().map(command).collect()).collect();
            if statements.len() == 1 { statements.pop().unwrap_or_default() } else { Json::Array(statements) }
        }
    }
}

fn command(command: &CheckedCommand) -> Json {
    let args: Json = match command.arguments() {
        CheckedArguments::Named(parameters) => named(parameters),
        CheckedArguments::Program(arguments) => unnamed(arguments),
    };
    json!({ "cmd": command.name(), "is_script": false, "args": args })
}

fn winrs(program: &CheckedProgram) -> Json {
    let args = unnamed(program.arguments());
    json!({ "cmd": program.path(), "is_script": false, "args": args })
}

fn pinned(script: &CheckedScript) -> Json {
    let mut form = json!({ "cmd": script.text(), "is_script": true, "args": named(script.parameters()) });
    if let (false, Some(members)) = (script.using().is_empty(), form.as_object_mut()) {
        members.insert("using".to_owned(), named(script.using()));
    }
    form
}

fn named(parameters: &[CheckedParameter]) -> Json {
    parameters.iter().map(|one| json!({ "name": one.name(), "value": value_to_json(one.value()) })).collect()
}

fn unnamed(arguments: &[CheckedArgument]) -> Json {
    arguments.iter().map(|argument| json!({ "name": null, "value": argument.value() })).collect()
}
