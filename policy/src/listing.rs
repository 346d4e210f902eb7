//! What a principal may do on a target, as a list for people who ask. Decisions rest on [`Policy::decide`] alone.

use crate::action::{Circumstances, Principal, TargetFacts};
use crate::catalog::{CommandInfo, Edition};
use crate::decision::Prompts;
use crate::model::{
    Binding, CommandRule, ConstantCommands, ParameterRule, ParameterSecrecy, Parameters, Policy, ProgramRule, Role,
    ScriptRule,
};

/// A role that a principal holds on a target, with all that it allows there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleListing<'p> {
    /// Its name.
    pub name: &'p str,
    /// Whether encoded text for `powershell.exe` is read as commands when it comes through WinRS.
    pub constant_commands: ConstantCommands,
    /// Cmdlets and functions, wildcards expanded, ordered by name and rule.
    pub commands: Vec<CommandListing<'p>>,
    /// Other names of commands, each with the command that it stands for; both in lower case, ordered.
    pub aliases: Vec<(&'p str, &'p str)>,
    /// Programs, ordered by the names of their rules.
    pub programs: Vec<ProgramListing<'p>>,
    /// Pinned scripts, in the order of the policy.
    pub scripts: Vec<ScriptListing<'p>>,
}

/// A command that a role allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandListing<'p> {
    /// The full name, as the catalogue writes it.
    pub name: &'p str,
    /// Its module; empty when it has none.
    pub module: &'p str,
    /// The rule that allows it.
    pub rule: &'p str,
    /// The only parameters that are allowed, beside the common ones. `None`: all are.
    pub parameters: Option<Vec<ParameterListing<'p>>>,
    /// Whether it may ask the user.
    pub prompts: Prompts,
    /// What the catalogue knows of it.
    pub info: &'p CommandInfo,
}

/// A parameter that a rule allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterListing<'p> {
    /// The full name, without a dash.
    pub name: &'p str,
    /// The only values that are allowed. Empty: any, or what the pattern says; and for secret ones.
    pub values: &'p [String],
    /// What the whole value has to match; never of secret ones.
    pub pattern: Option<&'p str>,
    /// How its values are treated.
    pub secrecy: ListedSecrecy,
}

/// How the values of a parameter are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedSecrecy {
    /// Like any.
    Open,
    /// The audit keeps a keyed digest.
    Secret,
    /// A SecureString or a PSCredential, and nothing else.
    Secure,
}

/// A program that a role allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramListing<'p> {
    /// The rule that allows it.
    pub rule: &'p str,
    /// Its full path.
    pub path: &'p str,
    /// In words, which arguments it takes.
    pub arguments: String,
}

/// A pinned script that a role allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptListing<'p> {
    /// Its name in the policy.
    pub name: &'p str,
    /// SHA-256 of its text in lower-case hex.
    pub sha256: &'p str,
    /// What may be given to its `param(…)`.
    pub parameters: Vec<ParameterListing<'p>>,
    /// The `$using:` names that may be given, without `$using:`.
    pub using: Vec<ParameterListing<'p>>,
    /// Whether it may ask the user.
    pub prompts: Prompts,
}

impl Policy {
    /// The roles that a principal holds on a target now, ordered by name and the default commands last, with all that
    /// they allow there and no rule denies. Empty for who holds none, or lacks the required groups.
    pub fn listing(
        &self,
        principal: &Principal,
        target: &TargetFacts,
        circumstances: &Circumstances,
    ) -> Vec<RoleListing<'_>> {
        let held = self.held(principal, target, circumstances);
        if held.is_empty() || !self.meets_requirement(principal) {
            return Vec::new();
        }
        let denials = self.denials().binding(principal, target);
        held.into_iter().chain(self.defaults()).map(|role| listed(role, target.edition, &denials)).collect()
    }
}

fn listed<'p>(role: &'p Role, edition: Edition, denials: &Binding<'_>) -> RoleListing<'p> {
    let allowed = role.covered(edition).filter(|(folded, _)| denials.of_command(folded).is_none());
    let mut commands: Vec<_> = allowed.map(|(_, entry)| command(entry.info, entry.rule)).collect();
    commands.sort_by(|a, b| (a.name, a.rule).cmp(&(b.name, b.rule)));
    let mut aliases: Vec<_> = role.aliases().collect();
    aliases.sort_unstable();
    let programs = role.programs.iter().filter(|rule| denials.of_program(&rule.path).is_none());
    RoleListing {
        name: &role.name,
        constant_commands: role.constant_commands(),
        commands,
        aliases,
        programs: programs.map(program).collect(),
        scripts: role.scripts.iter().map(script).collect(),
    }
}

fn command<'p>(info: &'p CommandInfo, rule: &'p CommandRule) -> CommandListing<'p> {
    let parameters = match &rule.parameters {
        Parameters::All => None,
        Parameters::Listed(rules) => Some(rules.iter().map(parameter).collect()),
    };
    let (name, module) = (info.name.as_str(), info.module.as_str());
    CommandListing { name, module, rule: &rule.name, parameters, prompts: rule.prompts, info }
}

/// What a secret may be is secret too.
fn parameter(rule: &ParameterRule) -> ParameterListing<'_> {
    let (values, pattern, secrecy) = match rule.secrecy {
        ParameterSecrecy::Open => (
            rule.set.as_ref().map(|set| set.shown()).unwrap_or_default(),
            rule.pattern.as_ref().map(|pattern| pattern.source()),
            ListedSecrecy::Open,
        ),
        ParameterSecrecy::Secret => (Default::default(), None, ListedSecrecy::Secret),
        ParameterSecrecy::Secure => (Default::default(), None, ListedSecrecy::Secure),
    };
    ParameterListing { name: &rule.name, values, pattern, secrecy }
}

fn program(rule: &ProgramRule) -> ProgramListing<'_> {
    ProgramListing { rule: &rule.name, path: rule.path.text(), arguments: rule.arguments.describe() }
}

fn script(rule: &ScriptRule) -> ScriptListing<'_> {
    ScriptListing {
        name: &rule.name,
        sha256: &rule.sha256,
        parameters: rule.parameters.iter().map(parameter).collect(),
        using: rule.using.iter().map(parameter).collect(),
        prompts: rule.prompts,
    }
}
