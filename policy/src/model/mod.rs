//! The policy in the form in which it is looked up.

mod assignment;
mod command;
mod denial;
mod requirement;
mod role;
mod script;

use std::collections::HashMap;

pub(crate) use assignment::{Assignment, FoldedTarget, Scope};
pub(crate) use command::{CommandRule, Listed, ParameterRule, ParameterSecrecy, Parameters, ValueSet};
pub(crate) use denial::{Binding, Denial, Denials, DeniedPath};
pub(crate) use requirement::Requirement;
pub use role::ConstantCommands;
pub(crate) use role::{Coverage, Entry, ProgramRule, Qualified, Role, RoleParts};
pub(crate) use script::{Declared, DeclaredKind, DeclaredParameter, ScriptRule};

use crate::action::{Circumstances, Principal, TargetFacts};
use crate::catalog::Catalog;
use crate::fold::fold_char;

/// A compiled policy: roles, their rules, and who holds them where.
#[derive(Debug)]
pub struct Policy {
    parts: PolicyParts,
    /// Assignments by folded principal.
    by_principal: HashMap<String, Vec<usize>>,
}

/// What a policy is made of.
#[derive(Debug)]
pub(crate) struct PolicyParts {
    /// Ordered by name, so that the order of documents decides nothing.
    pub(crate) roles: Vec<Role>,
    pub(crate) assignments: Vec<Assignment>,
    /// All documents' together.
    pub(crate) requirement: Requirement,
    pub(crate) denials: Denials,
    pub(crate) defaults: Option<Role>,
    /// What the commands of its rules accept.
    pub(crate) catalog: Catalog,
    pub(crate) digest: String,
}

impl Policy {
    pub(crate) fn new(parts: PolicyParts) -> Self {
        let mut by_principal: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, assignment) in parts.assignments.iter().enumerate() {
            for principal in &assignment.principals {
                by_principal.entry(principal.clone()).or_default().push(index);
            }
        }
        Self { parts, by_principal }
    }

    /// SHA-256 over the documents, in lower-case hex: what every audit line names the policy by.
    pub fn digest(&self) -> &str {
        &self.parts.digest
    }

    /// The names of the roles that a principal holds on a target, in order.
    ///
    /// Rule R1: the union over all assignments that fit both and whose conditions hold; none for who lacks the
    /// required groups.
    pub fn roles_on(&self, principal: &Principal, target: &TargetFacts, circumstances: &Circumstances) -> Vec<&str> {
        if !self.meets_requirement(principal) {
            return Vec::new();
        }
        self.held(principal, target, circumstances).iter().map(|role| role.name.as_str()).collect()
    }

    /// Whether a principal can do anything at all on a target: holds a role there and is in the required groups.
    /// Who cannot is not even told that it exists.
    pub fn may_reach(&self, principal: &Principal, target: &TargetFacts, circumstances: &Circumstances) -> bool {
        let target = FoldedTarget::new(target);
        self.meets_requirement(principal)
            && self.assignments_of(principal).any(|assignment| assignment.holds(&target, circumstances))
    }

    /// Whether a principal is in the groups that the policy requires of everybody.
    pub fn meets_requirement(&self, principal: &Principal) -> bool {
        self.parts.requirement.is_met(&principal.groups)
    }

    /// The catalogue that the policy was compiled against: the shipped one, with what its documents say.
    pub fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    /// The groups that everybody has to be in.
    pub(crate) fn requirement(&self) -> &Requirement {
        &self.parts.requirement
    }

    /// The rules that deny.
    pub(crate) fn denials(&self) -> &Denials {
        &self.parts.denials
    }

    /// The default commands, as a role that everybody holds who holds any role on a target.
    pub(crate) fn defaults(&self) -> Option<&Role> {
        self.parts.defaults.as_ref()
    }

    /// Who holds which roles where.
    pub(crate) fn assignments(&self) -> &[Assignment] {
        &self.parts.assignments
    }

    /// All roles, ordered by name.
    pub(crate) fn roles(&self) -> &[Role] {
        &self.parts.roles
    }

    /// The roles that a principal holds on a target, each once, ordered by name. The required groups and the
    /// default commands are not looked at.
    pub(crate) fn held(
        &self,
        principal: &Principal,
        target: &TargetFacts,
        circumstances: &Circumstances,
    ) -> Vec<&Role> {
        let target = FoldedTarget::new(target);
        let mut indices: Vec<usize> = self
            .assignments_of(principal)
            .filter(|assignment| assignment.holds(&target, circumstances))
            .flat_map(|assignment| assignment.roles.iter().copied())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        indices.into_iter().filter_map(|index| self.parts.roles.get(index)).collect()
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
            .filter_map(|index| self.parts.assignments.get(*index))
    }
}
