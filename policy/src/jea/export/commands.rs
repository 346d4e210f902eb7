//! `VisibleCmdlets`, `VisibleFunctions` and `AliasDefinitions` of a role.

use std::collections::{BTreeMap, BTreeSet};

use super::{Literal, NOWHERE};
use crate::catalog::{Edition, ParameterKind};
use crate::decision::Prompts;
use crate::fold::fold;
use crate::jea::note::{Notes, shown};
use crate::model::{CommandRule, Listed, ParameterRule, ParameterSecrecy, Parameters, Policy, Role};

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

/// The fields of what a role makes visible.
pub(super) fn visible(policy: &Policy, role: &Role, notes: &mut Notes<'_>) -> Vec<(String, Literal)> {
    let mut chosen = Chosen { policy, role, rules: Vec::new(), listed: BTreeSet::new() };
    for rule in &role.commands {
        chosen.consider(rule, notes);
    }
    let mut fields = Vec::new();
    for (listed, name) in [(Listed::Cmdlets, "VisibleCmdlets"), (Listed::Functions, "VisibleFunctions")] {
        let entries: Vec<Literal> =
            chosen.rules.iter().filter(|(rule, _)| rule.listed == listed).map(|(_, entry)| entry.clone()).collect();
        if !entries.is_empty() {
            fields.push((name.to_owned(), Literal::List(entries)));
        }
    }
    let aliases = chosen.aliases(notes);
    if !aliases.is_empty() {
        fields.push(("AliasDefinitions".to_owned(), Literal::List(aliases)));
    }
    fields
}

fn field(rule: &CommandRule) -> &'static str {
    match rule.listed {
        Listed::Cmdlets => "VisibleCmdlets",
        Listed::Functions => "VisibleFunctions",
    }
}

struct Chosen<'p> {
    policy: &'p Policy,
    role: &'p Role,
    rules: Vec<(&'p CommandRule, Literal)>,
    /// Folded names of commands that stand there with a list of parameters.
    listed: BTreeSet<String>,
}

impl<'p> Chosen<'p> {
    fn consider(&mut self, rule: &'p CommandRule, notes: &mut Notes<'_>) {
        let left_out = |notes: &mut Notes<'_>, why: &str| {
            notes.left_out(NOWHERE, field(rule), format!("{}: {why}", shown(&rule.entry)));
        };
        if let Some((command, denial)) = self.denied(rule) {
            let why = format!(
                "the rule {} denies {}, and a role capability can deny nothing",
                shown(&denial),
                shown(&command)
            );
            return left_out(notes, &why);
        }
        if rule.prompts == Prompts::Permitted {
            let why =
                format!("{}: that it may ask the user something is what every command may there", shown(&rule.entry));
            notes.trap(NOWHERE, field(rule), why);
        }
        match &rule.parameters {
            Parameters::All => self.whole(rule, notes),
            Parameters::Listed(parameters) => {
                let name = fold(&rule.entry);
                if self.is_whole_elsewhere(rule) {
                    left_out(notes, "another entry of the role allows the command with all its parameters");
                } else if self.listed.insert(name) {
                    let entry = restricted(self.role, rule, parameters, notes);
                    self.rules.push((rule, entry));
                } else {
                    let why = "the role has another entry for the command. Each stands alone in the policy; in a role \
                               capability both would add up to more than they allow";
                    left_out(notes, why);
                }
            }
        }
    }

    fn whole(&mut self, rule: &'p CommandRule, notes: &mut Notes<'_>) {
        let known = |(other, _): &(&CommandRule, Literal)| fold(&other.entry) == fold(&rule.entry);
        if self.rules.iter().any(known) {
            return;
        }
        if rule.entry.contains('*') {
            let why = format!(
                "{}: covers on a target whatever it has by such a name, and here what the catalogue knows",
                shown(&rule.entry)
            );
            notes.trap(NOWHERE, field(rule), why);
        }
        self.rules.push((rule, Literal::text(&rule.entry)));
    }

    /// A command that a rule covers and that some rule of the policy denies, and the name of that one.
    fn denied(&self, rule: &CommandRule) -> Option<(String, String)> {
        let mut names = covered(self.role, rule);
        names.insert(bare(&rule.entry));
        names.into_iter().find_map(|name| {
            let denial = self.policy.denials().touching_command(&name)?;
            Some((name, denial.name.clone()))
        })
    }

    /// Whether another entry allows the command of this one with all parameters.
    fn is_whole_elsewhere(&self, rule: &CommandRule) -> bool {
        let name = bare(&rule.entry);
        let all = |other: &CommandRule| matches!(other.parameters, Parameters::All);
        let by_name = self.role.commands.iter().any(|other| all(other) && bare(&other.entry) == name);
        let by_wildcard = |edition| self.role.command_entries(edition, &name).any(|entry| all(entry.rule));
        by_name || EDITIONS.into_iter().any(by_wildcard)
    }

    /// The aliases of commands that are visible.
    fn aliases(&self, notes: &mut Notes<'_>) -> Vec<Literal> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for (rule, _) in &self.rules {
            if !rule.entry.contains('*') {
                names.insert(bare(&rule.entry), rule.entry.rsplit('\\').next().unwrap_or_default().to_owned());
            }
            for name in covered(self.role, rule) {
                names.entry(name.clone()).or_insert(name);
            }
        }
        let aliases: BTreeMap<&str, &str> = self.role.aliases().collect();
        let mut written = Vec::new();
        for (alias, command) in aliases {
            match names.get(command) {
                Some(name) => written.push(Literal::Table(vec![
                    ("Name".to_owned(), Literal::text(alias)),
                    ("Value".to_owned(), Literal::text(name)),
                ])),
                None => {
                    let why = format!("{}: its command {} is not visible", shown(alias), shown(command));
                    notes.left_out(NOWHERE, "AliasDefinitions", why);
                }
            }
        }
        written
    }
}

/// The name of a command without its module, folded.
fn bare(entry: &str) -> String {
    fold(entry.rsplit('\\').next().unwrap_or_default())
}

/// Folded names of what a rule covers in any edition.
fn covered(role: &Role, rule: &CommandRule) -> BTreeSet<String> {
    let of = |edition| role.covered(edition).filter(|(_, entry)| std::ptr::eq(entry.rule, rule));
    EDITIONS.into_iter().flat_map(of).map(|(name, _)| name.to_owned()).collect()
}

fn restricted(role: &Role, rule: &CommandRule, parameters: &[ParameterRule], notes: &mut Notes<'_>) -> Literal {
    let parameters = parameters.iter().filter_map(|parameter| restriction(role, rule, parameter, notes)).collect();
    Literal::Table(vec![
        ("Name".to_owned(), Literal::text(&rule.entry)),
        ("Parameters".to_owned(), Literal::List(parameters)),
    ])
}

fn restriction(role: &Role, rule: &CommandRule, parameter: &ParameterRule, notes: &mut Notes<'_>) -> Option<Literal> {
    let say = |what: &str| format!("{} -{}: {what}", shown(&rule.entry), shown(&parameter.name));
    let mut entries = vec![("Name".to_owned(), Literal::text(&parameter.name))];
    let values = parameter.set.iter().flat_map(|set| set.shown()).map(String::as_str);
    if values.chain(parameter.pattern.as_ref().map(|pattern| pattern.source())).any(|text| text.contains('\0')) {
        notes.left_out(NOWHERE, field(rule), say("a NUL in a value, which no data file can hold"));
        return None;
    }
    if let Some(set) = &parameter.set {
        if set.shown().is_empty() {
            notes.left_out(NOWHERE, field(rule), say("no value is accepted"));
            return None;
        }
        if set.shown().iter().any(String::is_empty) {
            notes.trap(NOWHERE, field(rule), say("PowerShell never accepts the empty text, although the set has it"));
        }
        entries.push(("ValidateSet".to_owned(), Literal::texts(set.shown().iter().map(String::as_str))));
    }
    if let Some(pattern) = &parameter.pattern {
        // The end of the value, which `$` is not where a line feed follows.
        entries.push(("ValidatePattern".to_owned(), Literal::text(format!(r"(?:{})\z", pattern.source()))));
    }
    if parameter.set.is_some() && parameter.pattern.is_some() {
        let why =
            "both a set and a pattern: PowerShell 7.6 demands both, its documentation says that the set is dropped";
        notes.trap(NOWHERE, field(rule), say(why));
    }
    match parameter.secrecy {
        ParameterSecrecy::Open => {}
        ParameterSecrecy::Secret => {
            notes.trap(NOWHERE, field(rule), say("transcripts and logs on the target show its values"));
        }
        ParameterSecrecy::Secure if takes_secrets_only(role, rule, parameter) => {
            notes.trap(
                NOWHERE,
                field(rule),
                say("that it takes secrets only is up to the type of the parameter there"),
            );
        }
        ParameterSecrecy::Secure => {
            notes.left_out(NOWHERE, field(rule), say("nothing there would keep it from taking plain values"));
            return None;
        }
    }
    Some(Literal::Table(entries))
}

/// Whether the parameter's own type, in every edition that has the command, takes nothing but secrets.
fn takes_secrets_only(role: &Role, rule: &CommandRule, parameter: &ParameterRule) -> bool {
    let entries = |edition| role.covered(edition).filter(|(_, entry)| std::ptr::eq(entry.rule, rule));
    let mut kinds = EDITIONS.into_iter().flat_map(entries).filter_map(|(_, entry)| {
        entry.info.parameters.iter().find(|info| fold(&info.name) == parameter.folded).map(|info| &info.kind)
    });
    let secret = |kind: &ParameterKind| match kind {
        ParameterKind::Switch(_) => false,
        ParameterKind::Value(of) => {
            let of = fold(of.trim_end_matches("[]"));
            ["securestring", "pscredential"].contains(&of.rsplit('.').next().unwrap_or_default())
        }
    };
    let mut any = false;
    kinds.all(|kind| {
        any = true;
        secret(kind)
    }) && any
}
