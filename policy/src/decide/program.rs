//! Programs through WinRS (rule R12).

use super::{Bench, Judged, forbidden, nearest, plain};
use crate::action::{Presence, ProgramRequest, ShellResource};
use crate::arguments::{checked, enumerate};
use crate::command_line::{self, Refusal};
use crate::decision::{Allowed, Checked, Denied, DeniedProgram, DenyReason, Input, Secrecy};
use crate::fold::fold;
use crate::model::{ProgramRule, Role};
use crate::program_path::key_of_piece;
use crate::{limits, render};

pub(super) fn judge(bench: &Bench<'_>, request: &ProgramRequest) -> Judged {
    let held = bench.held.as_slice();
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
    if let Some(denial) = bench.denials.of_program(&rule.path) {
        return Err(forbidden(denial, rule.path.name()));
    }
    render::checked_program(rule.path.text(), checked(arguments, &secrecies), rule.input)
        .map(|program| Allowed { role: role.name.clone(), rule: rule.name.clone(), checked: Checked::Program(program) })
        .ok_or_else(|| Box::new(not_renderable(role, rule)))
}

/// What a denied request asked for, if it can be read.
pub(super) fn asked(held: &[&Role], request: &ProgramRequest) -> Option<DeniedProgram> {
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
    let refused = |reason, message: &str| Err(Box::new(plain(reason, message)));
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
        // The first answers, and only a rule that marks secrets has something to add to it.
        if self.found.is_some() && !rule.arguments.marks_secrets() {
            return;
        }
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
    Denied { reason, message, nearest: Some(nearest(role, &rule.name)), place: None, program: None }
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
        nearest: Some(nearest(role, &rule.name)),
        place: None,
        program: None,
    }
}
