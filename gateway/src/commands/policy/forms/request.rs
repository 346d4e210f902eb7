//! A request as JSON.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sekisho_policy::command::{Argument, Bindings, Command, CommandKind, CommandsRequest, ScriptRequest};
use sekisho_policy::{
    Action, Circumstances, Decision, Edition, Policy, Presence, Principal, ProgramRequest, RequestExtras,
    ShellResource, TargetFacts,
};
use serde::Deserialize;
use serde_json::Value as Json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::value::value_from_json;

/// The cmd shell of WinRS, \[MS-WSMV\] 3.1.4.1.
const CMD_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";

/// Everything that [`sekisho_policy::Policy::decide`] wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub principal: Principal,
    pub target: TargetFacts,
    pub circumstances: Circumstances,
    pub action: Action,
}

impl Request {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, for whoever wrote it.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(json).map_err(|error| format!("no request: {error}"))?;
        written.into_request()
    }

    /// What a policy decides about it.
    #[must_use]
    pub fn judge(&self, policy: &Policy) -> Decision {
        policy.decide(&self.principal, &self.target, &self.circumstances, &self.action)
    }
}

/// Keys that are not here are of no concern: cases have an `expect` and a `why`, for instance.
#[derive(Deserialize)]
struct Written {
    user: User,
    target: String,
    kind: Kind,
    request: Parts,
    time: Option<Time>,
    source: Option<IpAddr>,
    #[serde(default)]
    target_groups: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    edition: Option<String>,
}

#[derive(Deserialize)]
struct User {
    name: String,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Kind {
    PsrpCommand,
    PsrpScript,
    Winrs,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Seconds(i64),
    Text(String),
}

/// The parts of all kinds. A key that is not here is refused: it might change what the request means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    // Of commands.
    commands: Option<Vec<WrittenCommand>>,
    extra_commands: Option<Vec<Vec<WrittenCommand>>>,
    // Of script text.
    script: Option<String>,
    using: Option<BTreeMap<String, Json>>,
    // Of both.
    input: Option<Json>,
    // Of programs.
    command: Option<String>,
    environment: Option<Json>,
    working_directory: Option<Json>,
    stdin: Option<Json>,
    resource_uri: Option<Json>,
    // The arguments of a program (texts), or of a script (names and values).
    args: Option<Json>,
    /// What never changes a verdict (R10, R12).
    #[serde(rename = "history")]
    _history: Option<Json>,
    #[serde(rename = "is_nested")]
    _is_nested: Option<Json>,
    #[serde(rename = "merge")]
    _merge: Option<Json>,
    #[serde(rename = "options")]
    _options: Option<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCommand {
    cmd: String,
    #[serde(default)]
    is_script: bool,
    #[serde(alias = "local_scope")]
    use_local_scope: Option<bool>,
    #[serde(default)]
    args: Vec<WrittenArgument>,
    #[serde(rename = "merge")]
    _merge: Option<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenArgument {
    name: Option<String>,
    #[serde(default)]
    value: Json,
}

impl Written {
    fn into_request(self) -> Result<Request, String> {
        let edition = self.edition.as_deref().map_or_else(|| Ok(Edition::default()), edition)?;
        let unix_time = match self.time {
            Some(Time::Seconds(seconds)) => Some(seconds),
            Some(Time::Text(text)) => Some(time(&text)?),
            None => None,
        };
        Ok(Request {
            principal: Principal { name: self.user.name, groups: self.user.groups },
            target: TargetFacts { name: self.target, groups: self.target_groups, tags: self.tags, edition },
            circumstances: Circumstances { unix_time, source: self.source },
            action: self.request.into_action(self.kind)?,
        })
    }
}

impl Parts {
    fn into_action(self, kind: Kind) -> Result<Action, String> {
        let strange = self.strange_to(kind);
        if let Some((key, _)) = strange.into_iter().find(|(_, there)| *there) {
            return Err(format!("no request: `{key}` does not belong to this kind of request"));
        }
        match kind {
            Kind::PsrpCommand => self.into_commands(),
            Kind::PsrpScript => self.into_script(),
            Kind::Winrs => self.into_program(),
        }
    }

    /// Keys that belong to other kinds, and whether they are there.
    fn strange_to(&self, kind: Kind) -> Vec<(&'static str, bool)> {
        let of_commands =
            [("commands", self.commands.is_some()), ("extra_commands", self.extra_commands.is_some())].to_vec();
        let of_scripts = [("script", self.script.is_some()), ("using", self.using.is_some())].to_vec();
        let of_programs = [
            ("command", self.command.is_some()),
            ("environment", self.environment.is_some()),
            ("working_directory", self.working_directory.is_some()),
            ("stdin", self.stdin.is_some()),
            ("resource_uri", self.resource_uri.is_some()),
        ]
        .to_vec();
        match kind {
            Kind::PsrpCommand => [of_scripts, of_programs, vec![("args", self.args.is_some())]].concat(),
            Kind::PsrpScript => [of_commands, of_programs].concat(),
            Kind::Winrs => [of_commands, of_scripts, vec![("input", self.input.is_some())]].concat(),
        }
    }

    fn into_commands(self) -> Result<Action, String> {
        let pipeline = |commands: Vec<WrittenCommand>| commands.into_iter().map(Into::into).collect();
        Ok(Action::Commands(CommandsRequest {
            commands: pipeline(self.commands.ok_or("no request: it has no `commands`")?),
            extra_commands: self.extra_commands.map(|all| all.into_iter().map(pipeline).collect()),
            input: presence(self.input.as_ref()),
        }))
    }

    fn into_script(self) -> Result<Action, String> {
        let arguments: Vec<WrittenArgument> = match self.args {
            Some(args) => serde_json::from_value(args).map_err(|error| format!("no request: `args`: {error}"))?,
            None => Vec::new(),
        };
        let using = self.using.unwrap_or_default();
        Ok(Action::Script(ScriptRequest {
            text: self.script.ok_or("no request: it has no `script`")?,
            bindings: Bindings {
                using: using.into_iter().map(|(name, value)| (name, value_from_json(&value))).collect(),
                arguments: arguments.into_iter().map(Into::into).collect(),
            },
            input: presence(self.input.as_ref()),
        }))
    }

    fn into_program(self) -> Result<Action, String> {
        let arguments = match self.args {
            Some(args) => serde_json::from_value(args).map_err(|error| format!("no request: `args`: {error}"))?,
            None => Vec::new(),
        };
        let extras = RequestExtras {
            environment: presence(self.environment.as_ref()),
            working_directory: presence(self.working_directory.as_ref()),
            input: presence(self.stdin.as_ref()),
        };
        let resource = match self.resource_uri {
            Some(uri) if uri != CMD_SHELL => ShellResource::Other,
            Some(_) | None => ShellResource::CommandShell,
        };
        let command = self.command.ok_or("no request: it has no `command`")?;
        Ok(Action::Program(ProgramRequest { command, arguments, extras, resource }))
    }
}

/// Something is there even when it is empty.
fn presence(part: Option<&Json>) -> Presence {
    if part.is_some() { Presence::Present } else { Presence::Absent }
}

impl From<WrittenCommand> for Command {
    fn from(written: WrittenCommand) -> Self {
        Self {
            name: written.cmd,
            kind: if written.is_script { CommandKind::Script } else { CommandKind::Name },
            local_scope: written.use_local_scope,
            arguments: written.args.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<WrittenArgument> for Argument {
    fn from(written: WrittenArgument) -> Self {
        Self { name: written.name, value: value_from_json(&written.value) }
    }
}

/// A time: RFC 3339, or seconds since 1970.
///
/// # Errors
/// When it is neither.
pub fn time(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .map(OffsetDateTime::unix_timestamp)
        .map_err(|_| "this is no time: write RFC 3339 (2026-01-31T08:00:00Z) or seconds since 1970".to_owned())
}

/// An edition of PowerShell.
///
/// # Errors
/// When there is none of that name.
pub fn edition(text: &str) -> Result<Edition, String> {
    match text {
        "5.1" => Ok(Edition::Windows51),
        "7" => Ok(Edition::Core7),
        _ => Err("this is no edition of PowerShell: write 5.1 or 7".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(kind: &str, request: &Json) -> Result<Action, String> {
        let line = json!({"user": {"name": "D\\u"}, "target": "t", "kind": kind, "request": request});
        Request::parse(line.to_string().as_bytes()).map(|request| request.action)
    }

    #[test]
    fn commands_are_read_with_all_their_parts() {
        let one =
            json!({"cmd": "a", "is_script": false, "args": [{"name": "-x", "value": 1}, {"name": null, "value": "y"}]});
        let action = parsed(
            "psrp_command",
            &json!({"commands": [one], "extra_commands": [[one]], "input": [],
            "history": true, "is_nested": false, "merge": "x"}),
        );
        let Ok(Action::Commands(request)) = action else { panic!("{action:?}") };
        assert_eq!(request.commands[0].arguments[0].name.as_deref(), Some("-x"));
        assert_eq!(request.extra_commands, Some(vec![request.commands.clone()]));
        assert_eq!(request.input, Presence::Present);
        let script =
            parsed("psrp_command", &json!({"commands": [{"cmd": "a", "is_script": true, "use_local_scope": false}]}));
        let Ok(Action::Commands(request)) = script else { panic!("{script:?}") };
        assert_eq!((request.commands[0].kind, request.commands[0].local_scope), (CommandKind::Script, Some(false)));
        assert_eq!(request.input, Presence::Absent);
    }

    #[test]
    fn what_comes_with_a_program_is_seen_when_it_is_empty_too() {
        let request = json!({"command": "x", "args": ["y"], "environment": {}, "working_directory": "", "stdin": [],
            "options": {"WINRS_SKIP_CMD_SHELL": true}, "resource_uri": CMD_SHELL});
        let Ok(Action::Program(program)) = parsed("winrs", &request) else { panic!() };
        let all = RequestExtras {
            environment: Presence::Present,
            working_directory: Presence::Present,
            input: Presence::Present,
        };
        assert_eq!((program.extras, program.resource), (all, ShellResource::CommandShell));
        for uri in [json!("http://schemas.microsoft.com/powershell/Microsoft.PowerShell"), json!(1), json!("")] {
            let Ok(Action::Program(program)) = parsed("winrs", &json!({"command": "x", "resource_uri": uri})) else {
                panic!()
            };
            assert_eq!(program.resource, ShellResource::Other);
        }
    }

    #[test]
    fn a_script_comes_with_arguments_and_names() {
        let request = json!({"script": "x", "args": [{"name": "n", "value": 1}], "using": {"a": "b"}});
        let Ok(Action::Script(script)) = parsed("psrp_script", &request) else { panic!() };
        assert_eq!(script.bindings.arguments.len(), 1);
        assert_eq!(script.bindings.using, [("a".to_owned(), sekisho_policy::value::Value::text("b"))]);
    }

    #[test]
    fn a_part_that_is_unknown_doubled_or_of_another_kind_is_refused() {
        let refused = [
            ("psrp_command", json!({})),
            ("psrp_command", json!({"commands": [], "script": "x"})),
            ("psrp_command", json!({"commands": [], "stdin": ""})),
            ("psrp_command", json!({"commands": [], "powershell": {}})),
            ("psrp_command", json!({"commands": [{"cmd": "a", "is_script": "false"}]})),
            ("psrp_command", json!({"commands": [{"cmd": "a", "parameters": []}]})),
            ("psrp_command", json!({"commands": [{"cmd": "a", "args": [{"n": "x"}]}]})),
            ("psrp_command", json!({"commands": {"cmd": "a"}})),
            ("psrp_script", json!({"commands": []})),
            ("psrp_script", json!({"script": ["x"]})),
            ("winrs", json!({"command": "x", "args": "y"})),
            ("winrs", json!({"command": "x", "args": [1]})),
            ("winrs", json!({"command": "x", "input": []})),
            ("cmd", json!({"command": "x"})),
        ];
        for (kind, request) in refused {
            assert!(parsed(kind, &request).is_err(), "{kind} {request}");
        }
        let twice = r#"{"user":{"name":"u"},"target":"t","kind":"winrs","request":{"command":"a","command":"b"}}"#;
        assert!(Request::parse(twice.as_bytes()).unwrap_err().contains("duplicate"));
    }

    #[test]
    fn facts_are_read_or_the_line_is_bad() {
        let line = |more: Json| {
            let mut line = json!({"user": {"name": "u", "groups": ["g"]}, "target": "t", "kind": "winrs",
                "request": {"command": "x"}, "expect": "deny", "engine": {"verdict": "ran"}});
            line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Request::parse(line.to_string().as_bytes())
        };
        let full = line(json!({"time": "2026-01-31T08:00:00+09:00", "source": "10.1.2.3", "edition": "7",
            "tags": ["a"], "target_groups": ["b"]}))
        .unwrap();
        assert_eq!(full.circumstances.unix_time, Some(1_769_814_000));
        assert_eq!(full.circumstances.source, Some("10.1.2.3".parse().unwrap()));
        assert_eq!((full.target.edition, full.target.tags.len()), (Edition::Core7, 1));
        assert_eq!(line(json!({"time": 5})).unwrap().circumstances.unix_time, Some(5));
        assert_eq!(line(json!({})).unwrap().circumstances, Circumstances::default());
        for bad in [
            json!({"time": "noon"}),
            json!({"time": 1.5}),
            json!({"source": "x"}),
            json!({"edition": "6"}),
            json!({"tags": "a"}),
            json!({"user": "u"}),
        ] {
            assert!(line(bad.clone()).is_err(), "{bad}");
        }
    }
}
