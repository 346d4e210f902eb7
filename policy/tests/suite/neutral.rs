//! The neutral JSON of the policy corpus: requests as actions, and decisions in canonical form.

use sekisho_policy::command::{Argument, Command, CommandKind, CommandsRequest, Pipeline, ScriptRequest};
use sekisho_policy::value::{Number, NumberKind, Opaque, Spelling, Value};
use sekisho_policy::{
    Action, Allowed, Checked, CheckedArguments, CheckedCommand, Presence, Principal, ProgramRequest, RequestExtras,
    ShellResource,
};
use serde_json::{Value as Json, json};

const CMD_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";

pub(crate) fn strings(list: &Json) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

pub(crate) fn user(case: &Json) -> Principal {
    Principal { name: case["user"]["name"].as_str().unwrap().to_owned(), groups: strings(&case["user"]["groups"]) }
}

pub(crate) fn action(case: &Json) -> Action {
    let request = &case["request"];
    match case["kind"].as_str().unwrap() {
        "psrp_command" => Action::Commands(commands(request)),
        "psrp_script" => Action::Script(ScriptRequest::new(request["script"].as_str().unwrap())),
        "winrs" => Action::Program(program(request)),
        kind => panic!("an unknown kind of request: {kind}"),
    }
}

fn presence(request: &Json, key: &str) -> Presence {
    if request.get(key).is_some() { Presence::Present } else { Presence::Absent }
}

fn program(request: &Json) -> ProgramRequest {
    ProgramRequest {
        command: request["command"].as_str().unwrap().to_owned(),
        arguments: strings(&request["args"]),
        extras: RequestExtras {
            environment: presence(request, "environment"),
            working_directory: presence(request, "working_directory"),
            input: presence(request, "stdin"),
        },
        resource: match request.get("resource_uri") {
            Some(uri) if uri != CMD_SHELL => ShellResource::Other,
            Some(_) | None => ShellResource::CommandShell,
        },
    }
}

fn commands(request: &Json) -> CommandsRequest {
    let extra = request.get("extra_commands").map(|extra| extra.as_array().unwrap().iter().map(pipeline).collect());
    CommandsRequest {
        commands: pipeline(&request["commands"]),
        extra_commands: extra,
        input: presence(request, "input"),
    }
}

fn pipeline(commands: &Json) -> Pipeline {
    commands.as_array().unwrap().iter().map(command).collect()
}

fn command(command: &Json) -> Command {
    let arguments = command["args"].as_array().unwrap().iter().map(|argument| Argument {
        name: argument["name"].as_str().map(str::to_owned),
        value: value(&argument["value"]),
    });
    Command {
        name: command["cmd"].as_str().unwrap().to_owned(),
        kind: if command["is_script"] == true { CommandKind::Script } else { CommandKind::Name },
        local_scope: command.get("use_local_scope").and_then(Json::as_bool),
        arguments: arguments.collect(),
    }
}

pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            let kind = match number.as_i64() {
                Some(integer) if i32::try_from(integer).is_ok() => NumberKind::Int32,
                Some(_) => NumberKind::Int64,
                None => NumberKind::Double,
            };
            Value::Number(Number { kind, text: number.to_string(), spelling: Spelling::Plain })
        }
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::List(items.iter().map(value).collect()),
        Json::Object(object) => Value::Opaque(match object["$clixml"].as_str() {
            Some("ScriptBlock") => Opaque::ScriptBlock,
            _ => Opaque::Object,
        }),
    }
}

/// What was allowed, as the corpus writes commands.
pub(crate) fn canonical(allowed: &Allowed) -> Vec<Vec<Json>> {
    match &allowed.checked {
        Checked::Commands(commands) => {
            commands.statements().iter().map(|pipeline| pipeline.iter().map(canonical_command).collect()).collect()
        }
        Checked::Program(program) => {
            let values = program.arguments().iter().map(|argument| json!({"name": null, "value": argument.value()}));
            vec![vec![json!({"cmd": program.path(), "is_script": false, "args": values.collect::<Vec<_>>()})]]
        }
        Checked::Script(script) => vec![vec![json!({"cmd": script.text(), "is_script": true, "args": []})]],
    }
}

fn canonical_command(command: &CheckedCommand) -> Json {
    let arguments: Vec<Json> = match command.arguments() {
        CheckedArguments::Named(parameters) => {
            parameters.iter().map(|one| json!({"name": one.name(), "value": to_json(one.value())})).collect()
        }
        CheckedArguments::Program(texts) => {
            texts.iter().map(|one| json!({"name": null, "value": one.value()})).collect()
        }
    };
    json!({"cmd": command.name(), "is_script": false, "args": arguments})
}

pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Number(number) => serde_json::from_str(&number.text).unwrap(),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Secure(_) | Value::Opaque(_) => panic!("no plain value"),
    }
}
