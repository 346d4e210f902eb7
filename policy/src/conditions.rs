//! Conditions of an assignment: when and from where. What is not known does not hold.

use crate::action::Circumstances;

/// What has to hold beside user and target. Nothing stated holds always.
#[derive(Debug, Default)]
pub(crate) struct Conditions {}

impl Conditions {
    /// Whether they hold; a fact that is missing does not.
    pub(crate) fn hold(&self, _circumstances: &Circumstances) -> bool {
        true
    }
}
