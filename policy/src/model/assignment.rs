//! Who holds which roles where, and under which conditions.

use crate::action::{Circumstances, TargetFacts};
use crate::conditions::Conditions;
use crate::fold::fold;
use crate::target_pattern::TargetPattern;

/// Who holds which roles on which targets.
#[derive(Debug)]
pub(crate) struct Assignment {
    /// Folded.
    pub(crate) principals: Vec<String>,
    pub(crate) scope: Scope,
    /// Indices of the policy's roles.
    pub(crate) roles: Vec<usize>,
    pub(crate) conditions: Conditions,
}

/// Targets: one selector is enough.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) targets: Vec<TargetPattern>,
    /// Folded.
    pub(crate) target_groups: Vec<String>,
    /// Folded.
    pub(crate) tags: Vec<String>,
}

impl Assignment {
    pub(crate) fn holds(&self, target: &FoldedTarget, circumstances: &Circumstances) -> bool {
        self.scope.fits(target) && self.conditions.hold(circumstances)
    }
}

impl Scope {
    /// Whether it names nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.target_groups.is_empty() && self.tags.is_empty()
    }

    pub(crate) fn fits(&self, target: &FoldedTarget) -> bool {
        self.targets.iter().any(|pattern| pattern.fits(&target.name))
            || self.target_groups.iter().any(|group| target.groups.contains(group))
            || self.tags.iter().any(|tag| target.tags.contains(tag))
    }
}

/// A target whose names were folded once for all assignments.
#[derive(Debug)]
pub(crate) struct FoldedTarget {
    name: String,
    groups: Vec<String>,
    tags: Vec<String>,
}

impl FoldedTarget {
    pub(crate) fn new(target: &TargetFacts) -> Self {
        Self {
            name: fold(&target.name),
            groups: target.groups.iter().map(|group| fold(group)).collect(),
            tags: target.tags.iter().map(|tag| fold(tag)).collect(),
        }
    }
}
