//! Assignments: their roles looked up.

use std::collections::HashSet;

use super::{Compiler, Roles};
use crate::document::{AssignmentDocument, Document};
use crate::fold::fold;
use crate::limits;
use crate::model::Assignment;
use crate::source_text::{nearest_of, shown};

impl Compiler<'_> {
    pub(super) fn assignments(&mut self, documents: &[Document], roles: &Roles) -> Vec<Assignment> {
        let all: usize = documents.iter().map(|document| document.assignments.len()).sum();
        if all > limits::ASSIGNMENTS {
            self.mistake_of_all(format!("the policy has more than {} assignments", limits::ASSIGNMENTS));
        }
        let mut resolved = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            for assignment in &document.assignments {
                resolved.push(Assignment {
                    principals: assignment.principals.clone(),
                    scope: assignment.scope.clone(),
                    roles: self.resolve(at, assignment, roles),
                    conditions: assignment.conditions.clone(),
                });
            }
        }
        resolved
    }

    fn resolve(&mut self, at: usize, assignment: &AssignmentDocument, roles: &Roles) -> Vec<usize> {
        let mut indices = Vec::new();
        for name in &assignment.roles {
            match roles.get(&fold(&name.text)) {
                Some(definition) => indices.push(definition.index),
                // In a document that was not readable as a whole the role may have been defined all the same.
                None if !self.is_whole() => {}
                None => {
                    let known: Vec<&str> = roles.values().map(|definition| definition.name.as_str()).collect();
                    let hint = match nearest_of(&name.text, &known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("define it: [roles.{}]", shown(&name.text)),
                    };
                    self.mistake(at, name, format!("there is no role `{}`", shown(&name.text)), hint);
                }
            }
        }
        indices
    }

    pub(super) fn warn_of_idle_roles(&mut self, documents: &[Document], roles: &Roles, assignments: &[Assignment]) {
        let held: HashSet<usize> = assignments.iter().flat_map(|assignment| assignment.roles.iter().copied()).collect();
        for (at, document) in documents.iter().enumerate() {
            for role in &document.roles {
                if roles.get(&fold(&role.name.text)).is_some_and(|definition| !held.contains(&definition.index)) {
                    let message = format!("nobody holds the role `{}`", shown(&role.name.text));
                    self.warning(at, &role.name, message, "assign it, or remove it");
                }
            }
        }
    }
}
