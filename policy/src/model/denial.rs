//! Rules that deny: they win over every allow.

use std::collections::HashMap;

use super::assignment::{FoldedTarget, Scope};
use crate::fold::{fold, fold_char};
use crate::program_path::ProgramPath;

use crate::action::{Principal, TargetFacts};

/// `[[deny]]`: what nobody in its scope may do, whatever roles say.
#[derive(Debug)]
pub(crate) struct Denial {
    /// What audit and messages call it.
    pub(crate) name: String,
    /// For the user: why.
    pub(crate) reason: Option<String>,
    /// Folded; empty means everybody.
    pub(crate) principals: Vec<String>,
    /// Without any selector: everywhere.
    pub(crate) scope: Scope,
}

/// A program that a rule denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeniedPath {
    /// One full path, folded.
    Whole(String),
    /// Every program with this file name, folded.
    Named(String),
}

/// All rules of a policy that deny, wildcards expanded.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    /// Ordered by name.
    denials: Vec<Denial>,
    by_command: HashMap<String, Vec<usize>>,
    by_program: HashMap<String, Vec<usize>>,
}

/// The rules that bind one principal on one target.
#[derive(Debug)]
pub(crate) struct Binding<'a> {
    all: &'a Denials,
    who: Option<(&'a Principal, FoldedTarget)>,
}

impl Denials {
    /// Takes rules that are ordered by name, and what each denies by its index: folded names of commands, and
    /// programs.
    pub(crate) fn new(
        denials: Vec<Denial>,
        commands: impl IntoIterator<Item = (usize, String)>,
        programs: impl IntoIterator<Item = (usize, DeniedPath)>,
    ) -> Self {
        let mut all = Self { denials, ..Self::default() };
        for (index, name) in commands {
            all.by_command.entry(name).or_default().push(index);
        }
        for (index, path) in programs {
            let (DeniedPath::Whole(key) | DeniedPath::Named(key)) = path;
            all.by_program.entry(key).or_default().push(index);
        }
        for indices in all.by_command.values_mut().chain(all.by_program.values_mut()) {
            indices.sort_unstable();
            indices.dedup();
        }
        all
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> &[Denial] {
        &self.denials
    }

    /// A rule that denies a command to anybody anywhere, by the command's folded name.
    pub(crate) fn touching_command(&self, folded: &str) -> Option<&Denial> {
        self.by_command.get(folded)?.first().and_then(|index| self.denials.get(*index))
    }

    /// A rule that denies a program to anybody anywhere.
    pub(crate) fn touching_program(&self, path: &ProgramPath) -> Option<&Denial> {
        let whole = self.by_program.get(&fold(path.text()));
        whole.or_else(|| self.by_program.get(path.base()))?.first().and_then(|index| self.denials.get(*index))
    }

    /// Folds names once for all commands of a request; does nothing in a policy that denies nothing.
    pub(crate) fn binding<'a>(&'a self, principal: &'a Principal, target: &TargetFacts) -> Binding<'a> {
        let who = (!self.denials.is_empty()).then(|| (principal, FoldedTarget::new(target)));
        Binding { all: self, who }
    }
}

impl<'a> Binding<'a> {
    /// The first rule by name that denies a command, by its folded name.
    pub(crate) fn of_command(&self, folded: &str) -> Option<&'a Denial> {
        self.first(self.all.by_command.get(folded)?)
    }

    /// The first rule by name that denies a program of a rule.
    pub(crate) fn of_program(&self, path: &ProgramPath) -> Option<&'a Denial> {
        let whole = self.all.by_program.get(&fold(path.text())).and_then(|indices| self.first(indices));
        let named = self.all.by_program.get(path.base()).and_then(|indices| self.first(indices));
        match (whole, named) {
            (Some(one), Some(other)) => Some(if other.name < one.name { other } else { one }),
            (one, other) => one.or(other),
        }
    }

    fn first(&self, indices: &[usize]) -> Option<&'a Denial> {
        let (principal, target) = self.who.as_ref()?;
        indices.iter().filter_map(|index| self.all.denials.get(*index)).find(|denial| denial.binds(principal, target))
    }
}

impl Denial {
    fn binds(&self, principal: &Principal, target: &FoldedTarget) -> bool {
        let mut names = std::iter::once(&principal.name).chain(&principal.groups);
        let who = self.principals.is_empty()
            || names.any(|name| self.principals.iter().any(|known| name.chars().map(fold_char).eq(known.chars())));
        who && (self.scope.is_empty() || self.scope.fits(target))
    }
}
