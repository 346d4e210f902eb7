//! The judgement itself: the only translation between what clients ask for and what policy decides. Nothing is
//! counted, written or permitted here.

use super::permit::{EncodedCommands, Leave};
use super::wrapper::{self, Carried};
use super::{Asker, circumstances, subject};
use crate::state::Live;
use sekisho_policy::command::ScriptRequest;
use sekisho_policy::{
    Action, Allowed, AskedCommand, Checked, CheckedCommands, Circumstances, Decision, Denied, DenyReason, Principal,
    ProgramRequest, TargetFacts, powershell,
};

/// What was allowed, by which role and rule.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) role: String,
    pub(super) rule: String,
    pub(super) what: Leave,
}

/// What was denied, and what it was read as.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) denied: Box<Denied>,
    /// The text that the request carried, where that was judged in its place.
    pub(super) carried: Option<Action>,
    /// The commands that were asked for, as far as they could be read.
    pub(super) commands: Option<Vec<Vec<AskedCommand>>>,
}

/// Judges an action by the policy that is in force in `live`.
pub(super) fn decide(live: &Live, asker: Asker<'_>, action: &Action) -> Result<Granted, Box<Refused>> {
    let Some((principal, facts)) = subject(live, asker.identity, asker.target) else {
        return Err(Box::new(Refused { denied: gone(), carried: None, commands: None }));
    };
    let case = Case { live, principal, facts, circumstances: circumstances(asker.client) };
    match action {
        Action::Program(request) => case.program(request, action),
        Action::Commands(_) | Action::Script(_) => {
            case.plain(action).map_err(|denied| case.refused(denied, action, None))
        }
    }
}

/// What a judgement rests on beside the action.
struct Case<'a> {
    live: &'a Live,
    principal: Principal,
    facts: &'a TargetFacts,
    circumstances: Circumstances,
}

impl Case<'_> {
    /// Judges an action as what it is.
    ///
    /// Upholds (deny-by-default): what was allowed has to be of the kind that was asked for.
    fn plain(&self, action: &Action) -> Result<Granted, Box<Denied>> {
        match self.live.policy.decide(&self.principal, self.facts, &self.circumstances, action) {
            Decision::Deny(denied) => Err(Box::new(denied)),
            Decision::Allow(Allowed { role, rule, checked }) => {
                let what = match action {
                    Action::Program(_) => Leave::through_cmd(checked),
                    Action::Commands(request) => Leave::through_psrp(checked, request.input),
                    Action::Script(request) => Leave::through_psrp(checked, request.input),
                };
                what.map(|what| Granted { role, rule, what }).ok_or_else(misjudged)
            }
        }
    }

    /// Judges a program; a line that carries commands of PowerShell's by these, where a role says so. A role never
    /// takes away: what another one allows as a program stays allowed.
    fn program(&self, request: &ProgramRequest, action: &Action) -> Result<Granted, Box<Refused>> {
        let as_program = self.plain(action);
        if as_program.is_ok() {
            return as_program.map_err(|denied| self.refused(denied, action, None));
        }
        let carried = wrapper::carried(request).and_then(|carried| self.carried(carried, action));
        match (carried, as_program) {
            (None, as_program) => as_program.map_err(|denied| self.refused(denied, action, None)),
            (Some(judged), _) => judged,
        }
    }

    /// Judges what a line carries; nothing where no role of the principal's reads it.
    fn carried(&self, carried: Carried, line: &Action) -> Option<Result<Granted, Box<Refused>>> {
        let (text, refused) = match carried {
            Carried::Text(text) => (text, None),
            // Asked all the same, since only who holds such a role is told about it.
            Carried::Refused(why) => (String::new(), Some(why)),
        };
        let request = ScriptRequest::new(text);
        let policy = &self.live.policy;
        let decision = policy.decide_constant_commands(&self.principal, self.facts, &self.circumstances, &request)?;
        if let Some(why) = refused {
            return Some(Err(self.refused(plain(DenyReason::Arguments, why), line, None)));
        }
        let judged = match decision {
            Decision::Deny(denied) => Err(Box::new(denied)),
            Decision::Allow(Allowed { role, rule, checked: Checked::Commands(commands) }) => {
                encoded(commands).map(|what| Granted { role, rule, what })
            }
            Decision::Allow(Allowed { checked: Checked::Program(_) | Checked::Script(_), .. }) => Err(misjudged()),
        };
        Some(judged.map_err(|denied| self.refused(denied, line, Some(Action::Script(request)))))
    }

    fn refused(&self, denied: Box<Denied>, action: &Action, carried: Option<Action>) -> Box<Refused> {
        let read = carried.as_ref().unwrap_or(action);
        let commands = self.live.policy.asked(&self.principal, self.facts, &self.circumstances, read);
        Box::new(Refused { denied, carried, commands })
    }
}

/// Checked commands with the line that carries them.
///
/// Upholds (judged-is-rendered): the text is read back before it is sent, and has to be what was judged.
fn encoded(commands: CheckedCommands) -> Result<Leave, Box<Denied>> {
    let statements = commands.statements().iter().map(|statement| powershell::render_checked(statement));
    let text = statements.collect::<Result<Vec<_>, _>>().map_err(|_| unrenderable())?.join("\n");
    let line = wrapper::line(&text).ok_or_else(unrenderable)?;
    Ok(Leave::Encoded(EncodedCommands { commands, line }))
}

fn gone() -> Box<Denied> {
    plain(DenyReason::NoRole, "your account or this target is no longer known to the gateway")
}

/// No request can come here; if one does, it is denied.
fn misjudged() -> Box<Denied> {
    plain(DenyReason::NotRenderable, "what was allowed is of another kind than what was asked for: tell the operator")
}

fn unrenderable() -> Box<Denied> {
    let message = "the commands are allowed, but cannot be written into one line of cmd.exe's: send less at once, or use \
                   a session of PowerShell's";
    plain(DenyReason::NotRenderable, message)
}

/// A program whose exit code is asked for where none can be told.
pub(super) fn exit_code() -> Box<Denied> {
    let message = "the role allows the program, but this target's endpoint is restricted and tells no exit codes: leave \
                   `exit $LASTEXITCODE` out (Ansible's `raw` always adds it), run the program through WinRS, or have the \
                   operator set `endpoint = \"full\"` where the target's endpoint is one";
    plain(DenyReason::NotRenderable, message)
}

fn plain(reason: DenyReason, message: &str) -> Box<Denied> {
    Box::new(Denied { reason, message: message.to_owned(), nearest: None, place: None, program: None })
}
