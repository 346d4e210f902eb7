//! What a denied user is told: what was refused and what to do, in the words of the user's own roles and of the
//! catalogue, and never in the request's.

use super::search::{Asked, Feed, Miss, Missed};
use super::values::ValueRefusal;
use crate::arguments::{enumerate, shorten};
use crate::bind::{BindReason, BindRefusal};
use crate::decision::{Denied, DenyReason};
use crate::limits;
use crate::model::{CommandRule, ParameterRule, ParameterSecrecy, Parameters, Requirement, Role};

/// Where a command stands in a request, from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) statement: usize,
    pub(super) command: usize,
    /// Whether it is the only one.
    pub(super) alone: bool,
}

/// Says which command of several is meant.
pub(super) fn at(spot: Spot, denied: Box<Denied>) -> Box<Denied> {
    if spot.alone {
        return denied;
    }
    let (command, statement) = (spot.command.saturating_add(1), spot.statement.saturating_add(1));
    let place = if spot.statement == 0 { String::new() } else { format!(" of statement {statement}") };
    let message = format!("command {command}{place}: {}", denied.message);
    Box::new(Denied { message, ..*denied })
}

pub(super) fn requirement(requirement: &Requirement) -> String {
    format!(
        "the policy requires membership in {}: log on in the way that gives it, or ask the gateway's administrator",
        groups(requirement)
    )
}

fn groups(requirement: &Requirement) -> String {
    let several = |parts: &[Requirement], word| match parts {
        [one] => groups(one),
        parts => {
            let shown = parts.iter().take(limits::SHOWN_ENTRIES).map(|part| match part {
                Requirement::Group { shown, .. } => shown.clone(),
                Requirement::And(_) | Requirement::Or(_) => format!("({})", groups(part)),
            });
            enumerate(shown, parts.len(), word)
        }
    };
    match requirement {
        Requirement::Group { shown, .. } => shown.clone(),
        Requirement::And(parts) => several(parts, " and "),
        Requirement::Or(parts) => several(parts, " or "),
    }
}

/// Names what is allowed instead: it is the user's own roles that are shown.
pub(super) fn unknown_command(held: &[&Role]) -> String {
    let mut names: Vec<&str> = held
        .iter()
        .flat_map(|role| role.commands.iter().map(|rule| rule.entry.as_str()).take(limits::SHOWN_ENTRIES))
        .take(limits::SHOWN_ENTRIES.saturating_mul(2))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return "none of your roles on this target allows commands of PowerShell: ask the gateway's administrator for \
                a rule"
            .to_owned();
    }
    let all = names.len();
    format!(
        "none of your roles on this target allows this command: write its whole name, or one of those that are \
         allowed, among them {}",
        enumerate(names.into_iter().map(str::to_owned), all, ", ")
    )
}

/// The reason and the words for the rule that came nearest.
pub(super) fn missed(missed: &Missed<'_>) -> (DenyReason, String) {
    let role = &missed.role.name;
    let name = match missed.rule {
        Asked::Command(_, info) => info.name.as_str(),
        Asked::Program(rule) => rule.path.name(),
        Asked::Script(rule) => rule.name.as_str(),
    };
    let (reason, but) = reason(missed.rule, missed.by);
    (reason, format!("{name} is allowed in role {role}, but {but}"))
}

fn reason(rule: Asked<'_>, miss: Miss<'_>) -> (DenyReason, String) {
    match miss {
        Miss::Path => (DenyReason::Command, only_as(rule)),
        Miss::Qualified => (
            DenyReason::Qualified,
            "with a list of parameters, and then by its bare name only: leave the module out".to_owned(),
        ),
        Miss::Unbound(refusal) => (unbound(refusal), format!("{refusal}{}", allowed_names(rule, refusal))),
        Miss::Hidden(parameter) => (DenyReason::Parameter, format!("without -{parameter}{}", instead(rule))),
        Miss::Kind(parameter, refusal) => (DenyReason::ValueKind, of_kind(parameter, refusal)),
        Miss::Value(parameter, refusal) => (DenyReason::Value, of_value(parameter, refusal)),
        Miss::Using => (DenyReason::Parameter, using(rule)),
        Miss::Texts => (
            DenyReason::Arguments,
            "with arguments that are plain texts: write each as a word or a quoted text without quotes in it"
                .to_owned(),
        ),
        Miss::Arguments => (DenyReason::Arguments, other_arguments(rule)),
        Miss::Fed(feed) => fed(rule, feed),
    }
}

fn only_as(rule: Asked<'_>) -> String {
    match rule {
        Asked::Program(rule) => {
            let (path, name) = (rule.path.text(), rule.path.name());
            format!("only as {path}: call it by this path or as {name}")
        }
        Asked::Command(_, info) => format!("only as {}: call it by this name", info.name),
        Asked::Script(rule) => format!("only as {}", rule.name),
    }
}

fn other_arguments(rule: Asked<'_>) -> String {
    match rule {
        Asked::Program(rule) => format!("with other arguments: {}", rule.arguments.describe()),
        Asked::Command(..) | Asked::Script(_) => format!("with other arguments{}", instead(rule)),
    }
}

fn unbound(refusal: BindRefusal<'_>) -> DenyReason {
    match refusal.reason {
        BindReason::NotAName | BindReason::UnknownName | BindReason::Ambiguous(..) | BindReason::Duplicate(_) => {
            DenyReason::ParameterName
        }
        BindReason::Denied(_) => DenyReason::Variable,
        BindReason::MissingValue(_)
        | BindReason::TwoReadings(_)
        | BindReason::SwitchValue(_)
        | BindReason::DoubtfulSwitch(_)
        | BindReason::Unnamed
        | BindReason::Undecided(..)
        | BindReason::NotByPosition(_)
        | BindReason::Surplus => DenyReason::Binding,
    }
}

/// After a refusal that is about names: those that there are.
fn allowed_names(rule: Asked<'_>, refusal: BindRefusal<'_>) -> String {
    match refusal.reason {
        BindReason::UnknownName | BindReason::Surplus => instead(rule),
        BindReason::NotAName
        | BindReason::Ambiguous(..)
        | BindReason::Duplicate(_)
        | BindReason::Denied(_)
        | BindReason::MissingValue(_)
        | BindReason::TwoReadings(_)
        | BindReason::SwitchValue(_)
        | BindReason::DoubtfulSwitch(_)
        | BindReason::Unnamed
        | BindReason::Undecided(..)
        | BindReason::NotByPosition(_) => String::new(),
    }
}

fn instead(rule: Asked<'_>) -> String {
    match rule {
        Asked::Command(rule, _) => of_rule(rule),
        Asked::Script(rule) => of_list(&rule.parameters),
        Asked::Program(_) => String::new(),
    }
}

fn using(rule: Asked<'_>) -> String {
    let names = match rule {
        Asked::Script(rule) => rule.using.as_slice(),
        Asked::Command(..) | Asked::Program(_) => &[],
    };
    let shown = names.iter().map(|one| format!("$using:{}", one.name));
    match names.len() {
        0 => "without `$using:` values".to_owned(),
        all => format!("with no other `$using:` values than {}, each once", enumerate(shown, all, ", ")),
    }
}

fn of_rule(rule: &CommandRule) -> String {
    match &rule.parameters {
        Parameters::All => String::new(),
        Parameters::Listed(list) => of_list(list),
    }
}

fn of_list(list: &[ParameterRule]) -> String {
    if list.is_empty() {
        return ": it takes no parameters here".to_owned();
    }
    let names = list.iter().map(|parameter| format!("-{}", parameter.name));
    format!(": it takes {} here", enumerate(names, list.len(), ", "))
}

fn of_kind(parameter: &str, refusal: ValueRefusal) -> String {
    let what = match refusal {
        ValueRefusal::ScriptBlock => "a script block",
        ValueRefusal::Object
        | ValueRefusal::Plain
        | ValueRefusal::Missing
        | ValueRefusal::Spelling
        | ValueRefusal::NotAccepted => "an object or a list within a list",
        ValueRefusal::Secure => {
            return format!(
                "-{parameter} takes no SecureString and no PSCredential: it has to be marked `secure = true` in the role"
            );
        }
    };
    format!("-{parameter} never takes {what}: give texts, numbers, $true, $false, or a list of them")
}

fn of_value(rule: &ParameterRule, refusal: ValueRefusal) -> String {
    let name = &rule.name;
    match refusal {
        ValueRefusal::Plain => format!("-{name} takes a SecureString or a PSCredential only"),
        ValueRefusal::Missing => format!("-{name} takes no null and no empty list: {}", accepts(rule)),
        ValueRefusal::Spelling => format!("-{name} takes numbers in decimal digits only: {}", accepts(rule)),
        ValueRefusal::NotAccepted | ValueRefusal::ScriptBlock | ValueRefusal::Object | ValueRefusal::Secure => {
            accepts(rule)
        }
    }
}

/// What a parameter accepts. Values of a secret one may be secrets themselves.
fn accepts(rule: &ParameterRule) -> String {
    let name = &rule.name;
    match (rule.secrecy, &rule.set, &rule.pattern) {
        (ParameterSecrecy::Secret | ParameterSecrecy::Secure, _, _) | (_, None, None) => {
            format!("-{name} accepts other values only")
        }
        (ParameterSecrecy::Open, Some(set), None) => format!("-{name} accepts {} only", shown(set.shown())),
        (ParameterSecrecy::Open, None, Some(pattern)) => {
            format!("-{name} accepts only what matches {} as a whole", shorten(pattern.source()))
        }
        (ParameterSecrecy::Open, Some(set), Some(pattern)) => format!(
            "-{name} accepts {} only, and only what matches {} as a whole",
            shown(set.shown()),
            shorten(pattern.source())
        ),
    }
}

fn shown(values: &[String]) -> String {
    enumerate(values.iter().map(|value| shorten(value)), values.len(), ", ")
}

fn fed(rule: Asked<'_>, feed: Feed) -> (DenyReason, String) {
    let what = match rule {
        Asked::Command(..) => "values from a pipeline cannot be checked: name them in arguments",
        Asked::Program(_) | Asked::Script(_) => "what comes from a pipeline cannot be checked",
    };
    match feed {
        Feed::Input => (DenyReason::Input, format!("without input, since {what}")),
        Feed::Pipeline | Feed::Nothing => {
            (DenyReason::Pipeline, format!("only as the first command of a pipeline, since {what}"))
        }
    }
}
