//! The judgement. Every role is judged on its own (rule R2), and all rules of all roles that are held are asked.

mod commands;
mod explain;
mod native;
mod program;
mod script;
mod search;
mod values;

use crate::action::{Action, Circumstances, Principal, TargetFacts};
use crate::budget;
use crate::catalog::Edition;
use crate::command::ScriptRequest;
use crate::decision::{Allowed, Decision, Denied, DenyReason, Nearest};
use crate::model::{Binding, ConstantCommands, Denial, Policy, Role};
use crate::program_path::ProgramPath;

/// What runs commands that come through WinRS. By its full path: cmd.exe looks for a bare name in its working
/// directory first, which is the user's own profile, where a user can put a program of this name.
pub const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";

/// What became of a request.
type Judged = Result<Allowed, Box<Denied>>;

impl Policy {
    /// Judges one action of a principal on a target.
    ///
    /// Upholds (deny-by-default). Never fails and never panics: what is not understood is denied. The answer does
    /// not depend on the order of documents, roles or assignments; of several rules that allow an action the first
    /// by role and rule answers, and a value is secret when one of them says so. A rule that denies wins over all
    /// that allow.
    pub fn decide(
        &self,
        principal: &Principal,
        target: &TargetFacts,
        circumstances: &Circumstances,
        action: &Action,
    ) -> Decision {
        budget::bounded(|| self.decide_within(principal, target, circumstances, action))
    }

    fn decide_within(
        &self,
        principal: &Principal,
        target: &TargetFacts,
        circumstances: &Circumstances,
        action: &Action,
    ) -> Decision {
        let bench = Bench {
            held: self.held(principal, target, circumstances),
            defaults: self.defaults(),
            denials: self.denials().binding(principal, target),
            edition: target.edition,
        };
        let judged = self.check_standing(&bench, principal).and_then(|()| match action {
            Action::Program(request) => program::judge(&bench, request),
            Action::Commands(request) => commands::judge(&bench, request),
            Action::Script(request) => script::judge(&bench, request),
        });
        match judged {
            Ok(allowed) => Decision::Allow(allowed),
            Err(denied) => {
                let program = match action {
                    Action::Program(request) => program::asked(&bench.held, request),
                    Action::Commands(_) | Action::Script(_) => None,
                };
                Decision::Deny(Denied { program, ..*denied })
            }
        }
    }

    /// Judges the commands that came inside a line of `powershell.exe` through WinRS: by those roles alone that say
    /// `powershell = "constant-commands"`, without pinned scripts and, like everything that comes through WinRS,
    /// without the default commands (R12). What runs them is Windows PowerShell 5.1, whatever else the target has.
    ///
    /// `None` when the principal holds no such role there: then the line is a program like any other. The unwrapping
    /// is the gateway's, and what it is given here is the text alone.
    pub fn decide_constant_commands(
        &self,
        principal: &Principal,
        target: &TargetFacts,
        circumstances: &Circumstances,
        request: &ScriptRequest,
    ) -> Option<Decision> {
        let mut held = self.held(principal, target, circumstances);
        held.retain(|role| role.constant_commands() == ConstantCommands::Read);
        if held.is_empty() {
            return None;
        }
        let denials = self.denials().binding(principal, target);
        let bench = Bench { held, defaults: None, denials, edition: Edition::Windows51 };
        let judged = budget::bounded(|| {
            self.check_standing(&bench, principal)
                .and_then(|()| check_powershell(&bench))
                .and_then(|()| script::judge_text(&bench, request))
        });
        Some(judged.map_or_else(|denied| Decision::Deny(*denied), Decision::Allow))
    }

    /// Rule R1, and the groups that the policy requires of everybody.
    fn check_standing(&self, bench: &Bench<'_>, principal: &Principal) -> Result<(), Box<Denied>> {
        if bench.held.is_empty() {
            return Err(Box::new(plain(
                DenyReason::NoRole,
                "you hold no role on this target: check the target's name, or ask the gateway's administrator for a \
                 role",
            )));
        }
        if !self.meets_requirement(principal) {
            let message = explain::requirement(self.requirement());
            return Err(Box::new(plain(DenyReason::Requirement, message)));
        }
        Ok(())
    }
}

/// What a request is judged by.
struct Bench<'p> {
    /// The roles that the principal holds on the target, ordered by name.
    held: Vec<&'p Role>,
    /// The default commands, for everybody who holds a role.
    defaults: Option<&'p Role>,
    denials: Binding<'p>,
    edition: Edition,
}

/// Whose rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// A role's.
    Held,
    /// The default commands': they may stand anywhere in a pipeline.
    Default,
}

impl<'p> Bench<'p> {
    fn roles(&self) -> impl Iterator<Item = (&'p Role, Standing)> {
        let held = self.held.iter().map(|role| (*role, Standing::Held));
        held.chain(self.defaults.map(|role| (role, Standing::Default)))
    }
}

/// A rule that denies PowerShell's own program denies whatever it would run.
fn check_powershell(bench: &Bench<'_>) -> Result<(), Box<Denied>> {
    let path = ProgramPath::parse(POWERSHELL)
        .map_err(|(message, _)| Box::new(plain(DenyReason::NotRenderable, message.to_owned())))?;
    bench.denials.of_program(&path).map_or(Ok(()), |denial| Err(forbidden(denial, "powershell.exe")))
}

fn nearest(role: &Role, rule: &str) -> Nearest {
    Nearest { role: role.name.clone(), rule: rule.to_owned() }
}

fn plain(reason: DenyReason, message: impl Into<String>) -> Denied {
    Denied { reason, message: message.into(), nearest: None, place: None, program: None }
}

/// For a rule that denies: its reason is written for users.
fn forbidden(denial: &Denial, what: &str) -> Box<Denied> {
    let because = denial.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    let message = format!("{what} is denied here by the rule {}{because}", denial.name);
    Box::new(plain(DenyReason::Rule, message))
}
