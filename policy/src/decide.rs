//! The judgement. Every role is judged on its own (rule R2), and all rules of all roles that are held are asked.

use crate::action::{Action, Circumstances, Presence, Principal, ProgramRequest, ShellResource, TargetFacts};
use crate::arguments::{checked, enumerate};
use crate::command_line::{self, Refusal};
use crate::decision::{Allowed, Checked, Decision, Denied, DeniedProgram, DenyReason, Input, Nearest, Secrecy};
use crate::fold::fold;
use crate::model::{Policy, ProgramRule, Role};
use crate::program_path::key_of_piece;
use crate::{limits, render};

impl Policy {
    /// Judges one action of a principal on a target.
    ///
    /// Upholds (deny-by-default). Never fails and never panics: what is not understood is denied. The answer does
    /// not depend on the order of documents, roles or rules; of several rules that allow an action the first by
    /// role and rule name answers, and an argument is secret when one of them says so.
    pub fn decide(
        &self,
        principal: &Principal,
        target: &TargetFacts,
        circumstances: &Circumstances,
        action: &Action,
    ) -> Decision {
        let held = self.held(principal, target, circumstances);
        let request = match action {
            Action::Program(request) => request,
            Action::Commands(_) | Action::Script(_) => {
                let message = "no role of yours allows commands of PowerShell".to_owned();
                return Decision::Deny(plain(DenyReason::Program, message));
            }
        };
        let judged = if held.is_empty() { Err(no_role()) } else { judge_program(&held, request) };
        match judged {
            Ok(allowed) => Decision::Allow(allowed),
            Err(denied) => Decision::Deny(Denied { program: denied_program(&held, request), ..*denied }),
        }
    }
}

fn judge_program(held: &[&Role], request: &ProgramRequest) -> Result<Allowed, Box<Denied>> {
    check_envelope(request)?;
    let line = command_line::join(&request.command, &request.arguments).map_err(unreadable)?;
    let mut pieces = command_line::parse(&line).map_err(unreadable)?.into_iter();
    let program = fold(&pieces.next().unwrap_or_default());
    let arguments: Vec<String> = pieces.collect();

    let mut search =
        Search { program: &program, arguments: &arguments, input: request.extras.input, found: None, missed: None };
    for role in held {
        for rule in role.rules_for(key_of_piece(&program)) {
            search.ask(role, rule);
        }
    }
    let Some(found) = search.found else {
        return Err(Box::new(missed(held, search.missed)));
    };
    let Found { role, rule, secrecies } = found;
    render::checked_program(rule.path.text(), checked(arguments, &secrecies), rule.input)
        .map(|program| Allowed { role: role.name.clone(), rule: rule.name.clone(), checked: Checked::Program(program) })
        .ok_or_else(|| Box::new(not_renderable(role, rule)))
}

fn no_role() -> Box<Denied> {
    let message =
        "you hold no role on this target: check the target's name, or ask the gateway's administrator for a role";
    Box::new(plain(DenyReason::NoRole, message.to_owned()))
}

/// What a denied request asked for, if it can be read.
fn denied_program(held: &[&Role], request: &ProgramRequest) -> Option<DeniedProgram> {
    let line = command_line::join(&request.command, &request.arguments).ok()?;
    let mut pieces = command_line::parse(&line).ok()?.into_iter();
    let name = pieces.next()?;
    let key = fold(&name);
    let mut rules = held.iter().flat_map(|role| role.rules_for(key_of_piece(&key)));
    let secrecy = if rules.any(|rule| rule.arguments.marks_secrets()) { Secrecy::Secret } else { Secrecy::Open };
    let arguments: Vec<String> = pieces.collect();
    let secrecies = vec![secrecy; arguments.len()];
    Some(DeniedProgram { name, arguments: checked(arguments, &secrecies) })
}

/// Refuses what a request carries beside its line and could change what the line does (rule R12).
fn check_envelope(request: &ProgramRequest) -> Result<(), Box<Denied>> {
    let refused = |reason, message: &str| Err(Box::new(plain(reason, message.to_owned())));
    match request.resource {
        ShellResource::CommandShell => {}
        ShellResource::Other => {
            return refused(
                DenyReason::Resource,
                "this kind of shell is not available through the gateway: use the cmd shell (WinRS)",
            );
        }
    }
    match request.extras.environment {
        Presence::Absent => {}
        Presence::Present => {
            return refused(
                DenyReason::Environment,
                "environment variables are refused, since they change what a program's name runs: open the shell \
                 without an environment",
            );
        }
    }
    match request.extras.working_directory {
        Presence::Absent => Ok(()),
        Presence::Present => refused(
            DenyReason::WorkingDirectory,
            "a working directory is refused, since programs are looked for there first: open the shell without one \
             and use full paths",
        ),
    }
}

/// One request on its way through the rules.
struct Search<'r, 'p> {
    program: &'r str,
    arguments: &'r [String],
    input: Presence,
    found: Option<Found<'p>>,
    missed: Option<Missed<'p>>,
}

/// The first rule that allows, and what all that allow say of the arguments.
struct Found<'a> {
    role: &'a Role,
    rule: &'a ProgramRule,
    secrecies: Vec<Secrecy>,
}

/// The rule that came nearest so far.
struct Missed<'a> {
    role: &'a Role,
    rule: &'a ProgramRule,
    by: Distance,
}

/// By how much a rule was missed, farthest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    /// The same file name in another folder or spelling.
    Spelling,
    /// The program, with other arguments.
    Arguments,
    /// The program with its arguments, without input.
    Input,
}

impl<'p> Search<'_, 'p> {
    fn ask(&mut self, role: &'p Role, rule: &'p ProgramRule) {
        match self.judge(rule) {
            Ok(secrecies) => match &mut self.found {
                None => self.found = Some(Found { role, rule, secrecies }),
                Some(found) => found.secrecies.iter_mut().zip(secrecies).for_each(|(one, other)| *one = one.or(other)),
            },
            Err(by) if self.missed.as_ref().is_none_or(|missed| missed.by < by) => {
                self.missed = Some(Missed { role, rule, by });
            }
            Err(_) => {}
        }
    }

    fn judge(&self, rule: &ProgramRule) -> Result<Vec<Secrecy>, Distance> {
        if !rule.path.is_named(self.program) {
            return Err(Distance::Spelling);
        }
        let secrecies = rule.arguments.judge(self.arguments).ok_or(Distance::Arguments)?;
        match (self.input, rule.input) {
            (Presence::Present, Input::Refused) => Err(Distance::Input),
            (Presence::Absent, Input::Refused | Input::Permitted) | (Presence::Present, Input::Permitted) => {
                Ok(secrecies)
            }
        }
    }
}

fn missed(held: &[&Role], missed: Option<Missed<'_>>) -> Denied {
    let Some(Missed { role, rule, by }) = missed else {
        return plain(DenyReason::Program, unknown_program(held));
    };
    let (name, path, role_name) = (rule.path.name(), rule.path.text(), &role.name);
    let (reason, message) = match by {
        Distance::Spelling => (
            DenyReason::Program,
            format!("{name} is allowed in role {role_name}, but only as {path}: call it by this path or as {name}"),
        ),
        Distance::Arguments => (
            DenyReason::Arguments,
            format!("{name} is allowed in role {role_name}, but with other arguments: {}", rule.arguments.describe()),
        ),
        Distance::Input => (
            DenyReason::Input,
            format!("{name} is allowed in role {role_name}, but without input: run it without standard input"),
        ),
    };
    Denied { reason, message, nearest: Some(nearest(role, rule)), place: None, program: None }
}

/// Names what is allowed instead: it is the user's own roles that are shown.
fn unknown_program(held: &[&Role]) -> String {
    let mut names: Vec<&str> = held
        .iter()
        .flat_map(|role| role.programs.iter().map(|rule| rule.path.name()).take(limits::SHOWN_ENTRIES))
        .take(limits::SHOWN_ENTRIES.saturating_mul(2))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return "none of your roles on this target allows programs: ask the gateway's administrator for a rule"
            .to_owned();
    }
    let all = names.len();
    format!(
        "none of your roles on this target allows this program; among those that are allowed: {}",
        enumerate(names.into_iter().map(str::to_owned), all, ", ")
    )
}

fn unreadable(refusal: Refusal) -> Box<Denied> {
    Box::new(Denied {
        reason: DenyReason::Unreadable(refusal.construct),
        message: refusal.to_string(),
        nearest: None,
        place: Some(refusal.place),
        program: None,
    })
}

fn not_renderable(role: &Role, rule: &ProgramRule) -> Denied {
    Denied {
        reason: DenyReason::NotRenderable,
        message: "the arguments cannot be written so that the target reads the same: leave out backslashes at the end \
                  of arguments that hold blanks, and send less at once"
            .to_owned(),
        nearest: Some(nearest(role, rule)),
        place: None,
        program: None,
    }
}

fn nearest(role: &Role, rule: &ProgramRule) -> Nearest {
    Nearest { role: role.name.clone(), rule: rule.name.clone() }
}

fn plain(reason: DenyReason, message: String) -> Denied {
    Denied { reason, message, nearest: None, place: None, program: None }
}
