//! Rules for commands: dangerous ones, wildcards, and rules that never decide anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dangers::{self, Danger, When};
use super::{Finding, patterns};
use crate::catalog::{CommandInfo, Edition, ParameterKind};
use crate::decision::Prompts;
use crate::document::{CommandDocument, ParameterDocument, RoleDocument};
use crate::fold::fold;
use crate::model::{CommandRule, ParameterRule, ParameterSecrecy, Parameters, Role};
use crate::source_text::{Located, shown};

/// Names that a finding shows.
const SHOWN: usize = 5;

/// What a rule covers: folded name to what the catalogue knows.
type Covered = BTreeMap<String, Vec<Arc<CommandInfo>>>;

pub(super) fn examine(role: &RoleDocument, built: &Role, findings: &mut Vec<Finding>) {
    let covered = covered(built);
    let rules = role.commands.iter().zip(&built.commands).zip(&covered);
    for (index, ((document, rule), covered)) in rules.enumerate() {
        examine_entry(document, rule, covered, findings);
        examine_prompts(rule.prompts, &document.entry, findings);
        examine_shadow(document, (index, rule), (built, covered), findings);
        for parameter in document.parameters.iter().flatten() {
            patterns::examine_parameter(parameter, findings);
            examine_secrecy(parameter, covered, findings);
        }
    }
}

/// What each rule covers, by its index.
fn covered(built: &Role) -> Vec<Covered> {
    let mut all: Vec<Covered> = built.commands.iter().map(|_| Covered::new()).collect();
    for edition in [Edition::Windows51, Edition::Core7] {
        for (name, entry) in built.covered(edition) {
            let index = built.commands.iter().position(|rule| std::ptr::eq(rule, entry.rule));
            if let Some(covered) = index.and_then(|index| all.get_mut(index)) {
                covered.entry(name.to_owned()).or_default().push(Arc::clone(entry.info));
            }
        }
    }
    all
}

fn examine_entry(document: &CommandDocument, rule: &CommandRule, covered: &Covered, findings: &mut Vec<Finding>) {
    let span = &document.entry.span;
    if document.pattern.is_wildcard() {
        examine_wildcard(document, covered, findings);
    } else {
        for (name, infos) in covered {
            let found = dangers::of_command(name).filter(|danger| is_reached(danger, rule, infos));
            findings.extend(found.map(|danger| Finding {
                span: span.clone(),
                message: format!("`{}` in an allowlist: {}", shown(&document.entry.text), danger.why),
                hint: danger.instead.to_owned(),
            }));
        }
    }
    if document.pattern.is_qualified() {
        findings.push(Finding {
            span: span.clone(),
            message: "the module changes nothing here, and on a JEA endpoint a call by module escapes a restriction \
                      that stands beside it"
                .to_owned(),
            hint: "write the command's name alone".to_owned(),
        });
    }
    if let Parameters::Listed(list) = &rule.parameters {
        examine_mandatory(document, list, covered, findings);
    }
}

fn examine_wildcard(document: &CommandDocument, covered: &Covered, findings: &mut Vec<Finding>) {
    let name = document.pattern.name();
    let dangerous: Vec<&str> = covered
        .iter()
        .filter(|(name, _)| dangers::of_command(name).next().is_some())
        .filter_map(|(_, infos)| infos.first().map(|info| info.name.as_str()))
        .collect();
    let count = covered.len();
    let message = if !dangerous.is_empty() {
        let some = dangerous.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        format!("`{}` covers {count} commands, among them {some}", shown(&document.entry.text))
    } else if !name.starts_with("get-") {
        format!("`{}` covers {count} commands, and not of the verb Get alone", shown(&document.entry.text))
    } else {
        return;
    };
    let hint = "name the commands that are needed: what a newer catalogue knows more would be allowed too".to_owned();
    findings.push(Finding { span: document.entry.span.clone(), message, hint });
}

/// A rule that lets a target ask the user.
pub(super) fn examine_prompts(prompts: Prompts, entry: &Located, findings: &mut Vec<Finding>) {
    match prompts {
        Prompts::Permitted => {}
        Prompts::Refused | Prompts::Indifferent => return,
    }
    findings.push(Finding {
        span: entry.span.clone(),
        message: format!("`{}` may ask the user: a target can then ask for a password, too", shown(&entry.text)),
        hint: "leave `prompts` out unless the command cannot do without".to_owned(),
    });
}

fn is_reached(danger: &Danger, rule: &CommandRule, infos: &[Arc<CommandInfo>]) -> bool {
    let parameters = match danger.when {
        When::Always => return true,
        When::Free(parameters) => parameters,
    };
    match &rule.parameters {
        Parameters::All => {
            infos.iter().flat_map(|info| &info.parameters).any(|known| parameters.contains(&known.name.as_str()))
        }
        Parameters::Listed(list) => {
            list.iter().any(|listed| is_free(listed) && parameters.contains(&listed.name.as_str()))
        }
    }
}

fn is_free(rule: &ParameterRule) -> bool {
    !rule.is_constrained() && rule.secrecy != ParameterSecrecy::Secure
}

/// A rule that names no parameter set whole: PowerShell would ask for what is missing, and nobody answers.
fn examine_mandatory(
    document: &CommandDocument,
    list: &[ParameterRule],
    covered: &Covered,
    findings: &mut Vec<Finding>,
) {
    let mut missing = Vec::new();
    for info in covered.values().flatten() {
        match needed(info, list) {
            None => return,
            Some(names) => missing = names,
        }
    }
    if missing.is_empty() {
        return;
    }
    findings.push(Finding {
        span: document.entry.span.clone(),
        message: format!(
            "the rule can never be used: `{}` needs {}, which is not listed",
            shown(&document.entry.text),
            missing.iter().map(|name| format!("-{name}")).collect::<Vec<_>>().join(" and ")
        ),
        hint: "list every parameter that the command cannot do without".to_owned(),
    });
}

/// What the set that comes nearest still needs; `None` when one set has all it needs.
fn needed<'i>(info: &'i CommandInfo, list: &[ParameterRule]) -> Option<Vec<&'i str>> {
    let listed = |name: &str| list.iter().any(|rule| rule.folded == fold(name));
    let mut nearest: Option<Vec<&str>> = None;
    for set in 0..info.sets.len().max(1) {
        let missing: Vec<&str> = info
            .parameters
            .iter()
            .filter(|parameter| {
                let mut places = parameter.membership.iter();
                places.any(|place| place.mandatory && place.set.is_none_or(|own| own == set))
            })
            .map(|parameter| parameter.name.as_str())
            .filter(|name| !listed(name))
            .collect();
        if missing.is_empty() {
            return None;
        }
        if nearest.as_ref().is_none_or(|nearest| missing.len() < nearest.len()) {
            nearest = Some(missing);
        }
    }
    nearest
}

/// A restriction beside a rule that allows the same command without one.
fn examine_shadow(
    document: &CommandDocument,
    (index, rule): (usize, &CommandRule),
    (built, covered): (&Role, &Covered),
    findings: &mut Vec<Finding>,
) {
    let Some(infos) = covered.values().next() else {
        return;
    };
    if document.pattern.is_wildcard() {
        return;
    }
    let others = |name: &str| {
        let editions = [Edition::Windows51, Edition::Core7].into_iter();
        editions.flat_map(|edition| built.command_entries(edition, name).map(|entry| entry.rule)).collect::<Vec<_>>()
    };
    let Some(info) = infos.first() else {
        return;
    };
    let earlier = |other: &&CommandRule| {
        let at = built.commands.iter().position(|known| std::ptr::eq(known, *other));
        at.is_some_and(|at| at < index)
    };
    let wider =
        others(&fold(&info.name)).into_iter().filter(|other| !std::ptr::eq(*other, rule)).find(|other| {
            match (&other.parameters, &rule.parameters) {
                (Parameters::All, Parameters::Listed(_)) => true,
                (Parameters::All, Parameters::All) => earlier(other),
                (Parameters::Listed(_), Parameters::All | Parameters::Listed(_)) => false,
            }
        });
    if let Some(wider) = wider {
        findings.push(Finding {
            span: document.entry.span.clone(),
            message: format!(
                "the rule changes nothing: `{}` of the same role allows the command with every parameter",
                shown(&wider.name)
            ),
            hint: "remove one of the two: within a role, entries for one command are alternatives".to_owned(),
        });
    }
}

/// Secrets that would be refused, or written down.
fn examine_secrecy(parameter: &ParameterDocument, covered: &Covered, findings: &mut Vec<Finding>) {
    let folded = fold(&parameter.name.text);
    let known = covered.values().flatten().flat_map(|info| &info.parameters);
    let kind = known.filter(|known| fold(&known.name) == folded).find_map(|known| match &known.kind {
        ParameterKind::Value(kind) => Some(kind.as_str()),
        ParameterKind::Switch(_) => None,
    });
    let Some(kind) = kind else {
        return;
    };
    let secure = ["SecureString", "PSCredential"].iter().any(|secure| kind.trim_end_matches("[]").ends_with(secure));
    let name = shown(&parameter.name.text);
    let (message, hint) = match parameter.secrecy {
        ParameterSecrecy::Open | ParameterSecrecy::Secret if secure => (
            format!("`{name}` takes a SecureString or a PSCredential, which are refused without `secure = true`"),
            "write { name = .., secure = true }",
        ),
        ParameterSecrecy::Open if speaks_of_secrets(&folded) => (
            format!("the values of `{name}` are written into the audit log as they are"),
            "write { name = .., secret = true } if they are secret",
        ),
        ParameterSecrecy::Secure if !secure => {
            (format!("`{name}` takes `{}`, and no SecureString or PSCredential", shown(kind)), "leave `secure` out")
        }
        ParameterSecrecy::Open | ParameterSecrecy::Secret | ParameterSecrecy::Secure => return,
    };
    findings.push(Finding { span: parameter.name.span.clone(), message, hint: hint.to_owned() });
}

fn speaks_of_secrets(folded: &str) -> bool {
    ["password", "passphrase", "secret", "token", "apikey"].iter().any(|word| folded.contains(word))
}
