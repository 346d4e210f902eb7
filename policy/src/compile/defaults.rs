//! The default commands as a role of their own, held by whoever holds any role on a target.

use std::sync::{Arc, LazyLock};

use crate::catalog::{DefaultCommand, Edition, Values, default_commands};
use crate::decision::Prompts;
use crate::fold::fold;
use crate::model::{CommandRule, Coverage, Listed, ParameterRule, Parameters, Qualified, Role, RoleParts, ValueSet};
use crate::pattern::Pattern;

/// What audit and messages call the role. No document can define one of this name: it holds no parentheses.
const NAME: &str = "(default commands)";

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

/// Compiled once: the pattern for names of help topics spans the letters of all scripts.
static PATTERNS: LazyLock<Vec<(&str, Arc<Pattern>)>> = LazyLock::new(|| {
    let constraints = default_commands().commands.into_iter().flat_map(|command| command.constraints);
    let compiled = constraints.filter_map(|constraint| match constraint.values {
        Values::Set(_) => None,
        Values::Pattern(source) => Some((source, Arc::new(Pattern::parse(source).ok()?))),
    });
    compiled.collect()
});

/// The role. A command whose constraint cannot be compiled is left out, and so denied.
pub(super) fn role() -> Role {
    let defaults = default_commands();
    let aliases = defaults.aliases.iter().map(|(alias, name)| (fold(alias), fold(name))).collect();
    let mut parts = RoleParts { name: NAME.to_owned(), aliases, ..RoleParts::default() };
    for command in defaults.commands {
        let Some(parameters) = parameters(&command) else {
            continue;
        };
        let (rule, name) = (parts.commands.len(), command.info.name.clone());
        let info = Arc::new(command.info);
        parts.coverage.extend(EDITIONS.map(|edition| Coverage {
            rule,
            edition,
            info: Arc::clone(&info),
            qualified: Qualified::Refused,
        }));
        let parameters = Parameters::listed(parameters);
        let (listed, prompts) = (Listed::Functions, Prompts::Indifferent);
        parts.commands.push(CommandRule { entry: name.clone(), name, parameters, listed, prompts });
    }
    Role::new(parts)
}

fn parameters(command: &DefaultCommand) -> Option<Vec<ParameterRule>> {
    let rule = |name: &str| {
        let rule = ParameterRule::new(name);
        match command.constraints.iter().find(|one| one.parameter == name).map(|one| one.values) {
            None => Some(rule),
            Some(Values::Set(values)) => {
                let set = ValueSet::new(values.iter().map(|value| (*value).to_owned()).collect());
                Some(ParameterRule { set: Some(set), ..rule })
            }
            Some(Values::Pattern(source)) => {
                let (_, pattern) = PATTERNS.iter().find(|(known, _)| *known == source)?;
                Some(ParameterRule { pattern: Some(Arc::clone(pattern)), ..rule })
            }
        }
    };
    command.info.parameters.iter().map(|parameter| rule(&parameter.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_command_is_there_with_its_constraints() {
        let role = role();
        assert_eq!(role.commands.len(), default_commands().commands.len());
        let constrained = role.commands.iter().flat_map(|rule| match &rule.parameters {
            Parameters::All => panic!("a default command without a list"),
            Parameters::Listed(list) => list.iter().filter(|one| one.is_constrained()).collect::<Vec<_>>(),
        });
        assert_eq!(constrained.count(), 3);
        for edition in EDITIONS {
            assert_eq!(role.covered(edition).count(), 8);
        }
    }
}
