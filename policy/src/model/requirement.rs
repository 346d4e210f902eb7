//! Groups that everybody has to be in, whatever roles they hold.

use crate::fold::fold_char;

/// `require_groups`: nested as deep as a document may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// A group.
    Group {
        /// For messages.
        shown: String,
        folded: String,
    },
    /// All of these; an empty list always holds.
    And(Vec<Self>),
    /// One of these; an empty list never holds.
    Or(Vec<Self>),
}

impl Requirement {
    /// Whether groups meet it. A user's own name is no group.
    pub(crate) fn is_met(&self, groups: &[String]) -> bool {
        match self {
            Self::Group { folded, .. } => groups.iter().any(|group| group.chars().map(fold_char).eq(folded.chars())),
            Self::And(parts) => parts.iter().all(|part| part.is_met(groups)),
            Self::Or(parts) => parts.iter().any(|part| part.is_met(groups)),
        }
    }
}
