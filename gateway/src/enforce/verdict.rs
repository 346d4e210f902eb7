//! The judgement itself: the only translation between what clients ask for and what policy decides. Nothing is
//! counted, written or permitted here.

use super::permit::Leave;
use super::{Asker, circumstances, subject};
use crate::state::Live;
use sekisho_policy::{Action, Allowed, Decision, Denied, DenyReason};

/// What was allowed, by which role and rule.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) role: String,
    pub(super) rule: String,
    pub(super) what: Leave,
}

/// Judges an action by the policy that is in force in `live`.
///
/// Upholds (deny-by-default): what was allowed has to be of the kind that was asked for.
pub(super) fn decide(live: &Live, asker: Asker<'_>, action: &Action) -> Result<Granted, Box<Denied>> {
    let (principal, facts) = subject(live, asker.identity, asker.target).ok_or_else(|| Box::new(gone()))?;
    match live.policy.decide(&principal, facts, &circumstances(asker.client), action) {
        Decision::Deny(denied) => Err(Box::new(denied)),
        Decision::Allow(Allowed { role, rule, checked }) => {
            let what = match action {
                Action::Program(_) => Leave::through_cmd(checked),
                Action::Commands(request) => Leave::through_psrp(checked, request.input),
                Action::Script(request) => Leave::through_psrp(checked, request.input),
            };
            what.map(|what| Granted { role, rule, what }).ok_or_else(|| Box::new(misjudged()))
        }
    }
}

fn gone() -> Denied {
    plain(DenyReason::NoRole, "your account or this target is no longer known to the gateway")
}

/// No request can come here; if one does, it is denied.
fn misjudged() -> Denied {
    plain(DenyReason::NotRenderable, "what was allowed is of another kind than what was asked for: tell the operator")
}

fn plain(reason: DenyReason, message: &str) -> Denied {
    Denied { reason, message: message.to_owned(), nearest: None, place: None, program: None }
}
