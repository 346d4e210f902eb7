//! A request, read and checked: what is to be run, and on which targets.

use super::{Caller, Refused};
use crate::config::TargetName;
use crate::enforce::{Guess, Refusal, closed, may_reach};
use crate::state::{Gateway, Live};
use sekisho_policy::command::{Argument, Bindings, Command, CommandsRequest, ScriptRequest};
use sekisho_policy::value::{Number, NumberKind, Spelling, Value};
use sekisho_policy::{Action, Presence, ProgramRequest};
use sekisho_protocol::job::{
    CallArgument, CallValue, CommandCall, JobRequest, ScriptArgument, ScriptCall, TARGET_LIST_BYTES, TARGETS,
    TargetSelection, Work,
};
use std::time::Duration;
use uuid::Uuid;

/// What a job is to do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) action: Action,
    /// Of the request, and so of the answer.
    pub(super) version: u32,
    /// In lower case, in the order of the request.
    pub(super) targets: Vec<String>,
    pub(super) throttle: Option<usize>,
    pub(super) timeout: Option<Duration>,
}

impl Plan {
    /// Reads a request. It is refused as a whole when it breaks a rule, or no target of it is open to the
    /// caller; single targets that are not open have their own outcome.
    pub(super) async fn read(gateway: &Gateway, caller: &Caller, job: Uuid, json: &[u8]) -> Result<Self, Refused> {
        let request = JobRequest::decode(json).map_err(Refused::mistake)?;
        let action = action(&request.work)?;
        let live = gateway.live_full();
        let open = |name: &str| {
            live.config
                .targets
                .find(name)
                .is_some_and(|target| may_reach(&live, &caller.identity, target, caller.address))
        };
        let (named, targets) = match &request.targets {
            TargetSelection::Names(names) => {
                (names.first(), names.iter().map(|name| name.to_ascii_lowercase()).collect())
            }
            TargetSelection::Group(group) => (Some(group), members(&live, group, open)),
        };
        check_size(&targets, live.config.jobs.targets)?;
        if !targets.iter().any(|name| open(name)) {
            // Counted, since each of these writes a line.
            gateway.rates.request(&caller.identity.principal).map_err(Refusal::Limited)?;
            let name = named.filter(|_| targets.len() <= 1).map(String::as_str);
            let guess = Guess { identity: &caller.identity, client: caller.address, session: job, name };
            return Err(closed(gateway, guess).await.into());
        }
        Ok(Self {
            action,
            version: request.work.version(),
            targets,
            throttle: request.throttle.map(usize::from),
            timeout: request.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
        })
    }
}

fn members(live: &Live, group: &str, open: impl Fn(&str) -> bool) -> Vec<String> {
    let members = live.config.targets.group(group).unwrap_or_default();
    members.iter().map(TargetName::as_str).filter(|name| open(name)).map(str::to_owned).collect()
}

fn check_size(targets: &[String], most: usize) -> Result<(), Refused> {
    let most = most.min(TARGETS);
    let bytes = targets.iter().fold(0_usize, |sum, name| sum.saturating_add(name.len()));
    if targets.len() <= most && bytes <= TARGET_LIST_BYTES {
        return Ok(());
    }
    Err(Refused::invalid(format!("too many targets: this gateway takes {most} in one job; split the job")))
}

/// What policy judges.
fn action(work: &Work) -> Result<Action, Refused> {
    Ok(match work {
        Work::Program(call) => Action::Program(program(&call.name, &call.arguments)?),
        Work::Command(call) => Action::Commands(commands(call)),
        Work::Script(call) => Action::Script(script(call)),
    })
}

/// One command as a stock client sends it: a name without a value is a name that was typed, and policy knows whether
/// the value after it is its own.
pub(super) fn commands(call: &CommandCall) -> CommandsRequest {
    let argument = |argument: &CallArgument| match (&argument.parameter, &argument.value) {
        (Some(name), None) => Argument::named(format!("-{name}"), Value::Null),
        (Some(name), Some(value)) => Argument::named(format!("-{name}:"), self::value(value)),
        (None, Some(value)) => Argument::positional(self::value(value)),
        (None, None) => Argument::positional(Value::Null),
    };
    let command = Command::new(call.name.as_str(), call.arguments.iter().map(argument).collect());
    CommandsRequest { commands: vec![command], extra_commands: None, input: Presence::Absent }
}

/// A text, with values for its `param(…)`.
pub(super) fn script(call: &ScriptCall) -> ScriptRequest {
    let argument = |argument: &ScriptArgument| Argument::named(argument.name.as_str(), value(&argument.value));
    let arguments = call.arguments.iter().map(argument).collect();
    ScriptRequest { bindings: Bindings { using: Vec::new(), arguments }, ..ScriptRequest::new(call.text.as_str()) }
}

fn value(given: &CallValue) -> Value {
    match given {
        CallValue::Null => Value::Null,
        CallValue::Bool(value) => Value::Bool(*value),
        CallValue::Integer(number) => {
            let kind = if i32::try_from(*number).is_ok() { NumberKind::Int32 } else { NumberKind::Int64 };
            Value::Number(Number { kind, text: number.to_string(), spelling: Spelling::Plain })
        }
        CallValue::Text(text) => Value::text(text.as_str()),
        CallValue::List(items) => Value::List(items.iter().map(value).collect()),
    }
}

/// The command as a WinRS client would send it: each argument is one piece for policy's reader.
pub(super) fn program(program: &str, arguments: &[String]) -> Result<ProgramRequest, Refused> {
    let refused = || {
        let text =
            "a program or argument cannot hold a double quote: leave it out, the gateway quotes arguments itself";
        Refused::invalid(text.to_owned())
    };
    let command = piece(program).ok_or_else(refused)?;
    let arguments = arguments.iter().map(|argument| piece(argument).ok_or_else(refused));
    Ok(ProgramRequest::new(command, arguments.collect::<Result<_, _>>()?))
}

/// One piece for `sekisho_policy::command_line::parse`; nothing for a text that would be read as several, or
/// as another one.
fn piece(text: &str) -> Option<String> {
    if text.contains('"') {
        return None;
    }
    let enclosed = text.is_empty() || text.contains([' ', '\t']);
    Some(if enclosed { format!("\"{text}\"") } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sekisho_policy::command_line::{join, parse};

    fn asked(name: &str, arguments: &[&str]) -> Result<ProgramRequest, Refused> {
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        program(name, &arguments)
    }

    fn read(name: &str, arguments: &[&str]) -> Option<Vec<String>> {
        let program = asked(name, arguments).ok()?;
        parse(&join(&program.command, &program.arguments).ok()?).ok()
    }

    #[test]
    fn arguments_are_read_one_by_one_as_they_were_sent() {
        let pieces = ["C:\\Program Files\\x.exe", "a b", "", "c\\", "\u{a0}"];
        assert_eq!(read(pieces[0], &pieces[1..]).unwrap(), pieces);
    }

    #[test]
    fn a_quote_cannot_turn_one_argument_into_two() {
        assert!(asked("net", &["x\" \"y"]).is_err());
        assert!(asked("\"net\"", &[]).is_err());
    }

    #[test]
    fn a_command_is_asked_for_as_stock_clients_do() {
        let json = r#"{"name":"Get-It","arguments":[{"parameter":"Name"},{"value":"a"},{"parameter":"All","value":false},{"value":[1,5000000000,null]}]}"#;
        let asked = commands(&serde_json::from_str(json).unwrap());
        let number =
            |kind, text: &str| Value::Number(Number { kind, text: text.to_owned(), spelling: Spelling::Plain });
        let list = vec![number(NumberKind::Int32, "1"), number(NumberKind::Int64, "5000000000"), Value::Null];
        let arguments = vec![
            Argument::named("-Name", Value::Null),
            Argument::positional(Value::text("a")),
            Argument::named("-All:", Value::Bool(false)),
            Argument::positional(Value::List(list)),
        ];
        let commands = vec![Command::new("Get-It", arguments)];
        assert_eq!(asked, CommandsRequest { commands, extra_commands: None, input: Presence::Absent });
    }

    #[test]
    fn a_script_comes_with_its_values_by_name() {
        let json = r#"{"text":"param($Days) Get-It $Days","arguments":[{"name":"Days","value":5}]}"#;
        let asked = script(&serde_json::from_str(json).unwrap());
        assert_eq!(asked.text, "param($Days) Get-It $Days");
        assert_eq!(asked.bindings.arguments, [Argument::named("Days", Value::int(5))]);
        assert_eq!((asked.bindings.using.len(), asked.input), (0, Presence::Absent));
    }

    #[test]
    fn the_gateway_has_its_own_bound_on_targets() {
        let targets = vec!["web01".to_owned(); 3];
        assert!(check_size(&targets, 3).is_ok());
        assert!(check_size(&targets, 2).is_err());
        assert!(check_size(&vec!["a".repeat(64); 4000], 10_000).is_err(), "they all stand in one line");
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_sent(arguments in proptest::collection::vec("[ -~\\t\u{e9}\u{201c}]{0,8}", 0..5)) {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if let Some(pieces) = read("net", &arguments) {
                prop_assert_eq!(&pieces[1..], &arguments[..]);
            }
        }
    }
}
