//! Commands of a role: wildcards expanded, names looked up in the catalogue.

use std::sync::Arc;

use super::{Compiler, Numbering, known_names};
use crate::catalog::{Catalog, CommandInfo, CommonVerdict, Edition};
use crate::document::{CommandDocument, ParameterDocument, RoleDocument};
use crate::fold::fold;
use crate::limits;
use crate::model::{CommandRule, Coverage, ParameterRule, Parameters, Qualified, ValueSet};
use crate::source_text::{nearest_of, shown};

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

/// A command that an entry covers, in one edition.
type Found = (Edition, Arc<CommandInfo>);

impl Compiler<'_> {
    pub(super) fn commands(
        &mut self,
        at: usize,
        role: &RoleDocument,
        catalog: &Catalog,
    ) -> (Vec<CommandRule>, Vec<Coverage>) {
        let names = self.rule_names(at, role);
        let (mut rules, mut coverage) = (Vec::new(), Vec::new());
        for (command, name) in role.commands.iter().zip(names) {
            let found = self.find(at, command, catalog);
            let qualified = if command.parameters.is_some() { Qualified::Refused } else { Qualified::Permitted };
            let parameters = match &command.parameters {
                None => Parameters::All,
                Some(list) => self.parameters(at, list, &found),
            };
            let rule = rules.len();
            coverage.extend(found.into_iter().map(|(edition, info)| Coverage { rule, edition, info, qualified }));
            let entry = command.entry.text.clone();
            let CommandDocument { listed, prompts, .. } = *command;
            rules.push(CommandRule { name, entry, parameters, listed, prompts });
        }
        (rules, coverage)
    }

    /// What the rules are called: as they say themselves, else after the command.
    fn rule_names(&mut self, at: usize, role: &RoleDocument) -> Vec<String> {
        let mut numbering = Numbering::default();
        for rule in role.commands.iter().filter_map(|command| command.rule.as_ref()) {
            if numbering.next(&rule.text) != rule.text {
                let message = format!("the role has two rules named `{}`", shown(&rule.text));
                self.mistake(at, rule, message, "give each rule a name of its own: the audit names it");
            }
        }
        let commands = role.commands.iter();
        commands
            .map(|command| match &command.rule {
                Some(rule) => rule.text.clone(),
                None => numbering.next(&command.entry.text),
            })
            .collect()
    }

    fn find(&mut self, at: usize, command: &CommandDocument, catalog: &Catalog) -> Vec<Found> {
        let found =
            if command.pattern.is_wildcard() { self.expand(at, command, catalog) } else { lookup(command, catalog) };
        if !found.is_empty() {
            return found;
        }
        let entry = shown(&command.entry.text);
        let hint = near_command(&command.entry.text, catalog);
        if command.parameters.is_some() {
            let message = format!("the catalogue does not know `{entry}`, so that its parameters cannot be judged");
            self.mistake(at, &command.entry, message, hint);
        } else {
            let message = format!("`{entry}` is nothing that the catalogue knows, so that the rule never applies");
            self.warning(at, &command.entry, message, hint);
        }
        found
    }

    fn expand(&mut self, at: usize, command: &CommandDocument, catalog: &Catalog) -> Vec<Found> {
        let mut found = Vec::new();
        for known in self.known.get_or_init(|| known_names(catalog)) {
            if command.pattern.covers(&known.name, &known.module) {
                found.extend(catalog.lookup(known.edition, &known.name).map(|info| (known.edition, info)));
            }
        }
        self.covered = self.covered.saturating_add(found.len());
        if self.covered > limits::COVERED {
            let message = format!("the wildcards of the policy cover more than {} commands", limits::COVERED);
            self.mistake(at, &command.entry, message, "name the commands that are needed");
            return Vec::new();
        }
        found
    }

    /// Looks the parameters up, so that their names are those of the catalogue.
    fn parameters(&mut self, at: usize, list: &[ParameterDocument], found: &[Found]) -> Parameters {
        let rules = list.iter().map(|parameter| {
            let name = found.iter().find_map(|(_, info)| full_name(info, &parameter.name.text));
            if name.is_none() && !found.is_empty() {
                self.unknown_parameter(at, parameter, found);
            }
            parameter_rule(parameter, name)
        });
        Parameters::listed(rules.collect())
    }

    fn unknown_parameter(&mut self, at: usize, parameter: &ParameterDocument, found: &[Found]) {
        let text = &parameter.name.text;
        let restricts = parameter.set.is_some() || parameter.pattern.is_some();
        let common = found.iter().find_map(|(_, info)| info.common_parameters().find(|common| common.is_called(text)));
        let message = match common.map(|common| common.verdict) {
            Some(CommonVerdict::Allowed) if restricts => {
                let message = format!("the values of the common parameter `{}` cannot be restricted", shown(text));
                self.mistake(at, &parameter.name, message, "leave it out: every command takes it with every value");
                return;
            }
            Some(CommonVerdict::Allowed) => format!("`{}` is allowed on every command that takes it", shown(text)),
            Some(CommonVerdict::Denied) => format!("`{}` is denied on every command, listed or not", shown(text)),
            None => {
                let names: Vec<&str> = found
                    .iter()
                    .flat_map(|(_, info)| info.parameters.iter())
                    .map(|known| known.name.as_str())
                    .collect();
                let called = |known: &str| fold(known) == fold(text);
                let aliased = found
                    .iter()
                    .flat_map(|(_, info)| info.parameters.iter())
                    .find(|known| known.aliases.iter().any(|alias| called(alias)));
                let hint = match (aliased, nearest_of(text, &names)) {
                    (Some(known), _) => format!("it is an alias: write `{}`", known.name),
                    (None, Some(near)) => format!("did you mean `{near}`?"),
                    (None, None) => "see `sekisho-gateway policy catalog show`".to_owned(),
                };
                let message =
                    format!("the command has no parameter `{}`, so that nothing fits this entry", shown(text));
                self.warning(at, &parameter.name, message, hint);
                return;
            }
        };
        self.warning(at, &parameter.name, message, "leave it out of the list");
    }
}

fn lookup(command: &CommandDocument, catalog: &Catalog) -> Vec<Found> {
    let found = EDITIONS.into_iter().filter_map(|edition| {
        let info = catalog.lookup(edition, command.pattern.name())?;
        command.pattern.covers_module(&fold(&info.module)).then_some((edition, info))
    });
    found.collect()
}

fn full_name(info: &CommandInfo, name: &str) -> Option<String> {
    let folded = fold(name);
    info.parameters.iter().find(|known| fold(&known.name) == folded).map(|known| known.name.clone())
}

/// The rule for a parameter; its name is the document's where nobody knows a better one.
pub(super) fn parameter_rule(parameter: &ParameterDocument, name: Option<String>) -> ParameterRule {
    ParameterRule {
        set: parameter.set.as_ref().map(|_| ValueSet::new(parameter.values.clone())),
        pattern: parameter.pattern.as_ref().map(|(_, pattern)| Arc::clone(pattern)),
        secrecy: parameter.secrecy,
        ..ParameterRule::new(name.unwrap_or_else(|| parameter.name.text.clone()))
    }
}

/// A hint for a command that the catalogue does not know.
pub(super) fn near_command(entry: &str, catalog: &Catalog) -> String {
    let name = entry.rsplit_once('\\').map_or(entry, |(_, name)| name);
    let exact = EDITIONS.into_iter().find_map(|edition| catalog.lookup(edition, name));
    if let Some(info) = exact {
        return format!("it is in the module {}", if info.module.is_empty() { "without a name" } else { &info.module });
    }
    let known: Vec<&str> = catalog.names(Edition::Windows51).map(|(name, _)| name).collect();
    match nearest_of(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "import what a target has: see `policy catalog import` in docs/policy.md".to_owned(),
    }
}
