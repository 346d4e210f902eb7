//! Rules that are needed, and how they come together without allowing more.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_policy::CheckedParameter;
use sekisho_policy::catalog::COMMON_PARAMETERS;
use sekisho_policy::value::{Spelling, Value};

use crate::audit::is_secret_name;
use crate::commands::policy::forms::Request;

/// One rule that a request needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// The default commands, as everybody has them.
    Defaults,
    /// A command with these parameters and no others.
    Command {
        name: String,
        parameters: BTreeMap<String, Values>,
    },
    /// A command with whatever parameters, since it takes input from the pipeline.
    Whole(String),
    Program(ProgramNeed),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProgramNeed {
    pub(super) path: String,
    /// Nobody said in which folder it lies.
    pub(super) guessed: bool,
    pub(super) arguments: Vec<String>,
}

/// The values that a parameter needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Values {
    /// These.
    Set(BTreeSet<String>),
    /// A switch, or a value that no list can name (null, an empty list, a number such as `1kb`).
    Any,
    /// Its name speaks of a secret, which must not stand in a policy.
    Secret,
    /// A SecureString or a credential.
    Secure,
}

impl Need {
    /// Of a command as it was judged. The common parameters are allowed anyway.
    pub(super) fn command(name: &str, parameters: &[CheckedParameter]) -> Self {
        let common = |name: &str| COMMON_PARAMETERS.iter().any(|one| one.name.eq_ignore_ascii_case(name));
        let own = parameters.iter().filter(|parameter| !common(parameter.name()));
        let parameters = own.map(|one| (one.name().to_owned(), Values::of(one))).collect();
        Self::Command { name: name.to_owned(), parameters }
    }

    /// This rule and another as one, if that allows nothing more: when at most one parameter differs, by its set.
    fn with(&self, other: &Self) -> Option<Self> {
        let (Self::Command { name, parameters }, Self::Command { name: theirs, parameters: others }) = (self, other)
        else {
            return None;
        };
        if name != theirs || !parameters.keys().eq(others.keys()) {
            return None;
        }
        let mut different = parameters.iter().filter(|(key, values)| others.get(*key) != Some(values));
        let (Some((key, Values::Set(mine))), None) = (different.next(), different.next()) else {
            return None;
        };
        let Some(Values::Set(more)) = others.get(key) else { return None };
        let mut parameters = parameters.clone();
        parameters.insert(key.clone(), Values::Set(mine.union(more).cloned().collect()));
        Some(Self::Command { name: name.clone(), parameters })
    }
}

impl Values {
    fn of(parameter: &CheckedParameter) -> Self {
        if matches!(parameter.value(), Value::Secure(_)) {
            return Self::Secure;
        }
        if is_secret_name(parameter.name()) {
            return Self::Secret;
        }
        let texts = if let Value::List(items) = parameter.value() {
            items.iter().map(text).collect()
        } else {
            text(parameter.value()).map(|text| BTreeSet::from([text]))
        };
        texts.filter(|texts: &BTreeSet<String>| !texts.is_empty()).map_or(Self::Any, Self::Set)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) if number.spelling == Spelling::Plain => Some(number.text.clone()),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::List(_) | Value::Secure(_) | Value::Opaque(_) => None,
    }
}

/// Who needs a rule, and where; and how often it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Holders {
    /// The targets of each principal.
    pub(super) targets: BTreeMap<String, BTreeSet<String>>,
    pub(super) times: usize,
}

impl Holders {
    pub(super) fn add(&mut self, request: &Request) {
        self.times = self.times.saturating_add(1);
        let (name, target) = (request.principal.name.clone(), request.target.name.clone());
        self.targets.entry(name).or_default().insert(target);
    }
}

/// Principals, or targets.
type Names = BTreeSet<String>;

/// Rules that the same people need on the same targets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) principals: BTreeSet<String>,
    pub(super) targets: BTreeSet<String>,
    /// Each with how often it was asked for.
    pub(super) rules: Vec<(Need, usize)>,
}

/// Puts rules together into roles, so that nobody gets a rule on a target where it was not asked for.
pub(super) fn roles(needs: BTreeMap<Need, Holders>) -> Vec<Role> {
    let mut roles: BTreeMap<(Names, Names), Vec<(Need, usize)>> = BTreeMap::new();
    for (need, holders) in needs {
        let mut by_targets: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
        for (principal, targets) in holders.targets {
            by_targets.entry(targets).or_default().insert(principal);
        }
        for (targets, principals) in by_targets {
            roles.entry((principals, targets)).or_default().push((need.clone(), holders.times));
        }
    }
    let role = |((principals, targets), rules)| Role { principals, targets, rules: merged(rules) };
    roles.into_iter().map(role).collect()
}

/// Rules in their order, each put together with the first one before it that it can be.
fn merged(rules: Vec<(Need, usize)>) -> Vec<(Need, usize)> {
    let mut out: Vec<(Need, usize)> = Vec::new();
    for (need, times) in rules {
        let found = out.iter_mut().find_map(|one| one.0.with(&need).map(|both| (one, both)));
        match found {
            Some((one, both)) => *one = (both, one.1.saturating_add(times)),
            None => out.push((need, times)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(parameters: &[(&str, &[&str])]) -> Need {
        let values = |texts: &[&str]| match texts {
            [] => Values::Any,
            _ => Values::Set(texts.iter().map(|text| (*text).to_owned()).collect()),
        };
        let parameters = parameters.iter().map(|(name, texts)| ((*name).to_owned(), values(texts))).collect();
        Need::Command { name: "Restart-X".to_owned(), parameters }
    }

    fn holders(pairs: &[(&str, &str)]) -> Holders {
        let mut holders = Holders { times: pairs.len(), ..Holders::default() };
        for (principal, target) in pairs {
            holders.targets.entry((*principal).to_owned()).or_default().insert((*target).to_owned());
        }
        holders
    }

    #[test]
    fn rules_come_together_only_where_that_allows_nothing_more() {
        let a = command(&[("Name", &["a"]), ("Force", &[])]);
        let b = command(&[("Name", &["b"]), ("Force", &[])]);
        assert_eq!(a.with(&b), Some(command(&[("Name", &["a", "b"]), ("Force", &[])])));
        let zones = [command(&[("Name", &["a"]), ("Zone", &["x"])]), command(&[("Name", &["b"]), ("Zone", &["y"])])];
        assert_eq!(zones[0].with(&zones[1]), None, "b in x was never asked for");
        assert_eq!(a.with(&command(&[("Name", &["b"])])), None, "without -Force it is another rule");
        assert_eq!(command(&[("Name", &["a"])]).with(&command(&[("Name", &[])])), None);
        let other = Need::Whole("Restart-X".to_owned());
        assert_eq!(other.with(&a), None);
    }

    #[test]
    fn nobody_gets_a_rule_where_it_was_not_asked_for() {
        let (stop, start) = (Need::Whole("Stop-X".to_owned()), Need::Whole("Start-X".to_owned()));
        let needs = BTreeMap::from([
            (stop.clone(), holders(&[("D\\a", "1"), ("D\\a", "2"), ("D\\b", "1")])),
            (start.clone(), holders(&[("D\\b", "1")])),
        ]);
        let roles = roles(needs);
        let shown: Vec<(Vec<&str>, Vec<&str>, Vec<&Need>)> = roles
            .iter()
            .map(|role| {
                (
                    role.principals.iter().map(String::as_str).collect(),
                    role.targets.iter().map(String::as_str).collect(),
                    role.rules.iter().map(|(need, _)| need).collect(),
                )
            })
            .collect();
        let expected = [(vec!["D\\a"], vec!["1", "2"], vec![&stop]), (vec!["D\\b"], vec!["1"], vec![&start, &stop])];
        assert_eq!(shown, expected);
    }
}
