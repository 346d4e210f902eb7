//! What a denied request asked for, as commands: for the audit, never for the user.

use crate::action::{Action, Circumstances, Principal, TargetFacts};
use crate::catalog::{COMMON_PARAMETERS, Edition};
use crate::command::{Command, CommandKind, CommandsRequest, Pipeline};
use crate::fold::fold;
use crate::model::{CommandRule, ParameterSecrecy, Parameters, Policy, Role};
use crate::powershell;

/// One command as a client asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedCommand {
    /// The command, in the client's words.
    pub command: Command,
    /// Whether its values may be shown to operators who want to see what is denied.
    pub values: AskedValues,
    /// For each argument in order, what its name is.
    pub names: Vec<AskedName>,
}

/// What the name of a denied argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedName {
    /// There is none.
    None,
    /// One of the command's parameters, perhaps abbreviated.
    Known,
    /// Nothing that the catalogue knows of the command: it may hold a value, as `-pHunter2` does.
    Foreign,
}

/// Whether the values of a denied command may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedValues {
    /// No rule of a role that is held calls any of them secret.
    Open,
    /// A rule for this command calls one secret. Which of them was meant is unknown in a command that fits no rule.
    Secret,
}

impl Policy {
    /// Every statement of a request, if it can be read as commands: structured ones as they are, text as the
    /// commands that it spells. `None` for programs and for text that is none of the kind that can be judged.
    pub fn asked(
        &self,
        principal: &Principal,
        target: &TargetFacts,
        circumstances: &Circumstances,
        action: &Action,
    ) -> Option<Vec<Vec<AskedCommand>>> {
        let statements = match action {
            Action::Program(_) => return None,
            Action::Commands(request) => statements(request)?,
            Action::Script(request) => vec![powershell::parse(&request.text, &request.bindings).ok()?],
        };
        let held = self.held(principal, target, circumstances);
        let asked = |command| AskedCommand {
            values: values(&held, target.edition, &command),
            names: self.names(&held, target.edition, &command),
            command,
        };
        Some(statements.into_iter().map(|statement| statement.into_iter().map(asked).collect()).collect())
    }
}

impl Policy {
    fn names(&self, held: &[&Role], edition: Edition, command: &Command) -> Vec<AskedName> {
        let folded = fold(command.name.rsplit('\\').next().unwrap_or_default());
        let meant = held.iter().find_map(|role| role.alias(&folded)).unwrap_or(&folded);
        let info = self.catalog().lookup(edition, meant);
        let is_known = |name: &str| {
            let name = fold(name.trim_start_matches('-').trim_end_matches([':', ' ']));
            let begins = |known: &str| !name.is_empty() && fold(known).starts_with(&name);
            let common = COMMON_PARAMETERS.iter().any(|common| begins(common.name) || common.is_called(&name));
            let own = info.as_ref().is_some_and(|info| {
                info.parameters.iter().any(|one| begins(&one.name) || one.aliases.iter().any(|alias| begins(alias)))
            });
            common || own
        };
        let standing = |name: &Option<String>| match name {
            None => AskedName::None,
            Some(name) if is_known(name) => AskedName::Known,
            Some(_) => AskedName::Foreign,
        };
        command.arguments.iter().map(|argument| standing(&argument.name)).collect()
    }
}

/// The pipelines of a request, the first one once; nothing when a script stands among them, which is text to be
/// read and no command.
fn statements(request: &CommandsRequest) -> Option<Vec<Pipeline>> {
    let extra = request.extra_commands.iter().flatten().filter(|pipeline| **pipeline != request.commands);
    let all: Vec<Pipeline> = std::iter::once(&request.commands).chain(extra).cloned().collect();
    all.iter().flatten().all(|command| command.kind == CommandKind::Name).then_some(all)
}

fn values(held: &[&Role], edition: Edition, command: &Command) -> AskedValues {
    let name = command.name.rsplit('\\').next().unwrap_or_default();
    let folded = fold(name);
    let secret = held.iter().any(|role| {
        let meant = role.alias(&folded).unwrap_or(&folded);
        role.command_entries(edition, meant).any(|entry| marks_secrets(entry.rule))
            || role
                .rules_for(crate::program_path::key_of_piece(&fold(&command.name)))
                .any(|rule| rule.arguments.marks_secrets())
    });
    if secret { AskedValues::Secret } else { AskedValues::Open }
}

fn marks_secrets(rule: &CommandRule) -> bool {
    match &rule.parameters {
        Parameters::All => false,
        Parameters::Listed(rules) => rules.iter().any(|rule| match rule.secrecy {
            ParameterSecrecy::Open => false,
            ParameterSecrecy::Secret | ParameterSecrecy::Secure => true,
        }),
    }
}
