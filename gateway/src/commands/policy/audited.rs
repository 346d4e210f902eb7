//! Requests out of an audit log: what was asked for, by whom and where, as far as the log has it.

use std::collections::HashMap;
use std::path::Path;

use sekisho_policy::command::{Argument, Command, CommandsRequest};
use sekisho_policy::value::Value;
use sekisho_policy::{Action, Circumstances, Edition, Presence, Principal, ProgramRequest, TargetFacts};
use serde_json::{Value as Json, json};

use super::PolicyCommandError;
use super::forms::{Request, time, value_from_json};
use crate::audit::read_events;

/// What a log has of requests.
#[derive(Debug, Default)]
pub(super) struct Audited {
    pub(super) requests: Vec<AuditedRequest>,
    /// Requests that cannot be made again, by reason.
    pub(super) left_out: Vec<(&'static str, usize)>,
}

#[derive(Debug)]
pub(super) struct AuditedRequest {
    /// The number of its line.
    pub(super) seq: u64,
    pub(super) outcome: AuditedOutcome,
    pub(super) request: Request,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuditedOutcome {
    Allowed,
    Denied,
}

const SECRET: &str = "the audit keeps a digest of a value";
const UNREAD: &str = "its text could not be read, or was not kept";
const PINNED: &str = "it was a pinned script";
const INCOMPLETE: &str = "the line names no user or target";

/// Reads a log. The groups of a user are those of the last login before.
pub(super) fn load(directory: &Path) -> Result<Audited, PolicyCommandError> {
    let mut reader = Reader::default();
    let unreadable = read_events(directory, &mut |event| reader.event(event))
        .map_err(|error| PolicyCommandError::Asked(error.to_string()))?;
    for _ in 0..unreadable {
        reader.audited.leave_out("the line is damaged");
    }
    Ok(reader.audited)
}

impl Audited {
    fn leave_out(&mut self, why: &'static str) {
        match self.left_out.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.left_out.push((why, 1)),
        }
    }
}

#[derive(Default)]
struct Reader {
    audited: Audited,
    groups: HashMap<String, Vec<String>>,
}

impl Reader {
    fn event(&mut self, event: &Json) {
        let text = |key: &str| event.get(key).and_then(Json::as_str);
        let outcome = match text("event") {
            Some("login") => return self.login(event),
            Some("command") => AuditedOutcome::Allowed,
            Some("denial") => AuditedOutcome::Denied,
            Some(_) | None => return,
        };
        // A target that is closed to somebody, for instance: nothing was asked of the policy's rules.
        let asked = ["program", "commands", "script", "unread"].iter().any(|key| event.get(key).is_some());
        if !asked {
            return;
        }
        match self.request(event) {
            Ok(request) => {
                let seq = event.get("seq").and_then(Json::as_u64).unwrap_or_default();
                self.audited.requests.push(AuditedRequest { seq, outcome, request });
            }
            Err(why) => self.audited.leave_out(why),
        }
    }

    fn login(&mut self, event: &Json) {
        let Some(principal) = event.get("principal").and_then(Json::as_str) else { return };
        if let Some(groups) = event.get("groups").and_then(Json::as_array) {
            let groups = groups.iter().filter_map(Json::as_str).map(str::to_owned).collect();
            self.groups.insert(principal.to_owned(), groups);
        }
    }

    fn request(&self, event: &Json) -> Result<Request, &'static str> {
        let text = |key: &str| event.get(key).and_then(Json::as_str).map(str::to_owned);
        let name = text("principal").ok_or(INCOMPLETE)?;
        let groups = self.groups.get(&name).cloned().unwrap_or_default();
        let target = text("target").ok_or(INCOMPLETE)?;
        let source =
            text("client_addr").and_then(|address| address.parse().ok()).map(|at: std::net::SocketAddr| at.ip());
        Ok(Request {
            principal: Principal { name, groups },
            target: TargetFacts { name: target, groups: Vec::new(), tags: Vec::new(), edition: Edition::default() },
            circumstances: Circumstances { unix_time: text("time").and_then(|at| time(&at).ok()), source },
            action: action(event)?,
        })
    }
}

fn action(event: &Json) -> Result<Action, &'static str> {
    match (event.get("program"), event.get("commands"), event.get("script")) {
        (Some(program), _, _) => {
            let name = program.get("path").and_then(Json::as_str).ok_or(UNREAD)?;
            let arguments = texts(program.get("arguments"))?;
            Ok(Action::Program(ProgramRequest::new(
                in_quotes(name),
                arguments.iter().map(|one| in_quotes(one)).collect(),
            )))
        }
        (None, Some(commands), _) => statements(commands),
        (None, None, Some(_)) => Err(PINNED),
        (None, None, None) => Err(UNREAD),
    }
}

/// As a piece of a command line (R12).
fn in_quotes(piece: &str) -> String {
    if piece.is_empty() || piece.contains([' ', '\t']) { format!("\"{piece}\"") } else { piece.to_owned() }
}

fn statements(commands: &Json) -> Result<Action, &'static str> {
    let pipeline = |pipeline: &Json| -> Result<Vec<Command>, &'static str> {
        pipeline.as_array().ok_or(UNREAD)?.iter().map(command).collect()
    };
    let all: Vec<Vec<Command>> = commands.as_array().ok_or(UNREAD)?.iter().map(pipeline).collect::<Result<_, _>>()?;
    let commands = all.first().cloned().ok_or(UNREAD)?;
    let extra_commands = (all.len() > 1).then_some(all);
    Ok(Action::Commands(CommandsRequest { commands, extra_commands, input: Presence::Absent }))
}

fn command(command: &Json) -> Result<Command, &'static str> {
    let name = command.get("name").and_then(Json::as_str).ok_or(UNREAD)?;
    let arguments = match command.get("parameters").and_then(Json::as_array) {
        Some(parameters) => parameters.iter().map(parameter).collect::<Result<_, _>>()?,
        None => {
            texts(command.get("arguments"))?.into_iter().map(|text| Argument::positional(Value::Text(text))).collect()
        }
    };
    Ok(Command::new(name, arguments))
}

/// Names of what was allowed come without a dash, those of what was denied as they were sent.
fn parameter(parameter: &Json) -> Result<Argument, &'static str> {
    let name = parameter.get("name").and_then(Json::as_str).map(str::to_owned);
    Ok(Argument { name, value: value(parameter.get("value").unwrap_or(&Json::Null))? })
}

fn value(audited: &Json) -> Result<Value, &'static str> {
    if let Some(items) = audited.as_array() {
        return Ok(Value::List(items.iter().map(value).collect::<Result<_, _>>()?));
    }
    if audited.get("hmac").is_some() {
        return Err(SECRET);
    }
    if let Some(secure) = audited.get("secure") {
        return Ok(value_from_json(&json!({ "$secure": secure })));
    }
    Ok(value_from_json(audited))
}

fn texts(list: Option<&Json>) -> Result<Vec<String>, &'static str> {
    let text = |item: &Json| item.as_str().map(str::to_owned).ok_or(SECRET);
    list.and_then(Json::as_array).ok_or(UNREAD)?.iter().map(text).collect()
}
