//! A rule for a pinned script: the only text that passes as text.

use super::command::ParameterRule;
use crate::decision::Prompts;
use crate::fold::fold;

/// A rule that allows one script.
#[derive(Debug)]
pub(crate) struct ScriptRule {
    /// What audit and messages call it; unique among the role's scripts.
    pub(crate) name: String,
    /// Lower-case hex, over `text`.
    pub(crate) sha256: String,
    /// The policy's own copy, normalised: what is sent.
    pub(crate) text: String,
    /// What it may be given by name; ordered by folded name.
    pub(crate) parameters: Vec<ParameterRule>,
    /// The `$using:` names it may be given; ordered by folded name.
    pub(crate) using: Vec<ParameterRule>,
    /// What its `param(…)` declares.
    pub(crate) declared: Declared,
    pub(crate) prompts: Prompts,
}

/// What a script's `param(…)` declares, as far as it can be read without running anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Declared {
    /// In order of position: arguments without a name fill those that are no switches.
    InOrder(Vec<DeclaredParameter>),
    /// The names are known and their positions are not: arguments without a name are refused.
    Named(Vec<DeclaredParameter>),
    /// It cannot be read: names are taken as the rule has them, and arguments without one are refused.
    Unread,
}

/// One parameter of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeclaredParameter {
    /// Without `$`, as written.
    pub(crate) name: String,
    pub(crate) kind: DeclaredKind,
    /// Other names, as written.
    pub(crate) aliases: Vec<String>,
}

/// Whether a script's parameter takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeclaredKind {
    Switch,
    Value,
    /// A list, such as `[string[]]`.
    Several,
}

impl ScriptRule {
    /// What the rule says of a parameter of `param(…)`, by its folded name.
    pub(crate) fn parameter(&self, folded: &str) -> Option<&ParameterRule> {
        find(&self.parameters, folded)
    }

    /// Whether a parameter of `param(…)` is known to take a list.
    pub(crate) fn takes_several(&self, name: &str) -> bool {
        let (Declared::InOrder(list) | Declared::Named(list)) = &self.declared else { return false };
        list.iter().any(|one| one.kind == DeclaredKind::Several && fold(&one.name) == fold(name))
    }

    /// What the rule says of a `$using:` name, folded and without `$using:`.
    pub(crate) fn using(&self, folded: &str) -> Option<&ParameterRule> {
        find(&self.using, folded)
    }
}

fn find<'r>(rules: &'r [ParameterRule], folded: &str) -> Option<&'r ParameterRule> {
    rules.binary_search_by(|rule| rule.folded.as_str().cmp(folded)).ok().and_then(|index| rules.get(index))
}
