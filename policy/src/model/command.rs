//! A rule for one command: which parameters it allows, with which values.

use std::sync::Arc;

use crate::decision::Prompts;
use crate::fold::{fold, fold_char};
use crate::pattern::Pattern;

/// A rule that allows a command, or all that a wildcard covers.
#[derive(Debug)]
pub(crate) struct CommandRule {
    /// What audit and messages call it; unique among the role's rules for commands.
    pub(crate) name: String,
    /// The entry as the document writes it: `Get-Service`, `Module\Get-Service` or `Get-Net*`.
    pub(crate) entry: String,
    pub(crate) parameters: Parameters,
    pub(crate) listed: Listed,
    pub(crate) prompts: Prompts,
}

/// The list of the document that a rule stands in. It does not change what the rule allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    Cmdlets,
    Functions,
}

/// The parameters that a rule allows.
#[derive(Debug)]
pub(crate) enum Parameters {
    /// Every one, with every value.
    All,
    /// These, and the common parameters. Ordered by folded name, each once.
    Listed(Vec<ParameterRule>),
}

/// What a rule allows for one parameter. Set and pattern must both hold where both are there.
#[derive(Debug)]
pub(crate) struct ParameterRule {
    /// The full name: as the catalogue writes it where the catalogue knows it.
    pub(crate) name: String,
    pub(crate) folded: String,
    pub(crate) set: Option<ValueSet>,
    pub(crate) pattern: Option<Arc<Pattern>>,
    pub(crate) secrecy: ParameterSecrecy,
}

/// How secret the values of a parameter are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterSecrecy {
    /// They may be shown.
    Open,
    /// `secret = true`: plain values, kept as keyed digests by the audit.
    Secret,
    /// `secure = true`: a SecureString or a PSCredential and nothing else.
    Secure,
}

/// The values of `validate_set`: whole values, compared ordinal ignoring case.
#[derive(Debug)]
pub(crate) struct ValueSet {
    /// As the document has them.
    shown: Vec<String>,
    /// Folded and sorted.
    folded: Vec<String>,
}

impl CommandRule {
    /// What the rule says of a parameter, by its full name, folded. Nothing is said where all are allowed.
    pub(crate) fn parameter(&self, folded: &str) -> Option<&ParameterRule> {
        match &self.parameters {
            Parameters::All => None,
            Parameters::Listed(list) => {
                list.binary_search_by(|rule| rule.folded.as_str().cmp(folded)).ok().and_then(|index| list.get(index))
            }
        }
    }
}

impl Parameters {
    /// Takes rules of different parameters.
    pub(crate) fn listed(mut rules: Vec<ParameterRule>) -> Self {
        rules.sort_by(|a, b| a.folded.cmp(&b.folded));
        Self::Listed(rules)
    }
}

impl ParameterRule {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let folded = fold(&name);
        Self { name, folded, set: None, pattern: None, secrecy: ParameterSecrecy::Open }
    }

    /// Whether the rule restricts values, so that null, empty lists and marked numbers are refused (R5, R6).
    pub(crate) fn is_constrained(&self) -> bool {
        self.set.is_some() || self.pattern.is_some()
    }

    /// Whether set and pattern accept one value as text; numbers come in their invariant text.
    pub(crate) fn accepts(&self, value: &str) -> bool {
        self.set.as_ref().is_none_or(|set| set.contains(value))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(value))
    }
}

impl ValueSet {
    pub(crate) fn new(shown: Vec<String>) -> Self {
        let mut folded: Vec<String> = shown.iter().map(|value| fold(value)).collect();
        folded.sort_unstable();
        folded.dedup();
        Self { shown, folded }
    }

    pub(crate) fn contains(&self, value: &str) -> bool {
        let by = |known: &String| known.chars().cmp(value.chars().map(fold_char));
        self.folded.binary_search_by(by).is_ok()
    }

    /// The values as the document has them.
    pub(crate) fn shown(&self) -> &[String] {
        &self.shown
    }
}
