//! The policy in the form in which it is looked up.

use std::collections::HashMap;

use crate::action::{Principal, TargetFacts};
use crate::arguments::ArgumentRule;
use crate::decision::Input;
use crate::fold::{fold, fold_char};
use crate::program_path::ProgramPath;
use crate::target_pattern::TargetPattern;

/// A compiled policy: roles, their rules, and who holds them where.
#[derive(Debug)]
pub struct Policy {
    /// Ordered by name, so that the order of documents decides nothing.
    roles: Vec<Role>,
    assignments: Vec<Assignment>,
    /// Assignments by folded principal.
    by_principal: HashMap<String, Vec<usize>>,
    digest: String,
}

/// A role: what its holders may do. PowerShell's commands will stand beside the programs.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// Ordered by name.
    pub(crate) programs: Vec<ProgramRule>,
    /// Rules by the program's key.
    by_key: HashMap<String, Vec<usize>>,
}

/// A rule that allows one program.
#[derive(Debug)]
pub(crate) struct ProgramRule {
    pub(crate) name: String,
    pub(crate) path: ProgramPath,
    pub(crate) arguments: ArgumentRule,
    pub(crate) input: Input,
}

/// Who holds which roles on which targets.
#[derive(Debug)]
pub(crate) struct Assignment {
    /// Folded.
    pub(crate) principals: Vec<String>,
    pub(crate) targets: Vec<TargetPattern>,
    /// Folded.
    pub(crate) target_groups: Vec<String>,
    /// Folded.
    pub(crate) tags: Vec<String>,
    /// Indices of the policy's roles.
    pub(crate) roles: Vec<usize>,
}

impl Role {
    pub(crate) fn new(name: String, mut programs: Vec<ProgramRule>) -> Self {
        programs.sort_by(|a, b| a.name.cmp(&b.name));
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, rule) in programs.iter().enumerate() {
            by_key.entry(rule.path.key().to_owned()).or_default().push(index);
        }
        Self { name, programs, by_key }
    }

    /// The rules whose program could be meant by a key, in order of their names.
    pub(crate) fn rules_for(&self, key: &str) -> impl Iterator<Item = &ProgramRule> {
        self.by_key.get(key).into_iter().flatten().filter_map(|index| self.programs.get(*index))
    }
}

impl Policy {
    /// Takes roles that are ordered by name.
    pub(crate) fn new(roles: Vec<Role>, assignments: Vec<Assignment>, digest: String) -> Self {
        let mut by_principal: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, assignment) in assignments.iter().enumerate() {
            for principal in &assignment.principals {
                by_principal.entry(principal.clone()).or_default().push(index);
            }
        }
        Self { roles, assignments, by_principal, digest }
    }

    /// SHA-256 over the documents, in lower-case hex: what every audit line names the policy by.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The names of the roles that a principal holds on a target, in order.
    ///
    /// Rule R1: the union over all assignments that fit both.
    pub fn roles_on(&self, principal: &Principal, target: &TargetFacts) -> Vec<&str> {
        self.held(principal, target).iter().map(|role| role.name.as_str()).collect()
    }

    /// Whether a principal holds any role on a target. Who does not is not even told that it exists.
    pub fn may_reach(&self, principal: &Principal, target: &TargetFacts) -> bool {
        let target = FoldedTarget::new(target);
        self.assignments_of(principal).any(|assignment| target.fits(assignment))
    }

    /// The roles that a principal holds on a target, each once, ordered by name.
    pub(crate) fn held(&self, principal: &Principal, target: &TargetFacts) -> Vec<&Role> {
        let target = FoldedTarget::new(target);
        let mut indices: Vec<usize> = self
            .assignments_of(principal)
            .filter(|assignment| target.fits(assignment))
            .flat_map(|assignment| assignment.roles.iter().copied())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        indices.into_iter().filter_map(|index| self.roles.get(index)).collect()
    }

    fn assignments_of(&self, principal: &Principal) -> impl Iterator<Item = &Assignment> {
        let mut folded = String::new();
        std::iter::once(&principal.name)
            .chain(&principal.groups)
            .filter_map(move |name| {
                folded.clear();
                folded.extend(name.chars().map(fold_char));
                self.by_principal.get(folded.as_str())
            })
            .flatten()
            .filter_map(|index| self.assignments.get(*index))
    }
}

/// A target whose names were folded once for all assignments.
struct FoldedTarget {
    name: String,
    groups: Vec<String>,
    tags: Vec<String>,
}

impl FoldedTarget {
    fn new(target: &TargetFacts) -> Self {
        Self {
            name: fold(&target.name),
            groups: target.groups.iter().map(|group| fold(group)).collect(),
            tags: target.tags.iter().map(|tag| fold(tag)).collect(),
        }
    }

    /// One selector is enough.
    fn fits(&self, assignment: &Assignment) -> bool {
        assignment.targets.iter().any(|pattern| pattern.fits(&self.name))
            || assignment.target_groups.iter().any(|group| self.groups.contains(group))
            || assignment.tags.iter().any(|tag| self.tags.contains(tag))
    }
}
