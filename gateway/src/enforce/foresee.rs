//! Questions about what is not done: judged like the deed, by the same policy at the same moment, but nothing is
//! permitted, and nothing is written, since nothing happens.

use super::permit::Leave;
use super::verdict::{Granted, decide};
use super::{Asker, circumstances, subject};
use crate::state::Live;
use sekisho_policy::{Action, CheckedCommands, CheckedProgram, Denied, RoleListing, powershell};

/// What would become of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreseen {
    /// It would be allowed.
    Allow {
        /// The role.
        role: String,
        /// Its rule.
        rule: String,
        /// What would be sent, for people: without secrets.
        canonical: String,
    },
    /// It would be denied.
    Deny {
        /// For the user, as policy words it.
        message: String,
        /// The rule that came nearest.
        rule: Option<String>,
    },
}

/// What would become of an action now.
#[must_use]
pub fn foresee(live: &Live, asker: Asker<'_>, action: &Action) -> Foreseen {
    match decide(live, asker, action) {
        Ok(Granted { role, rule, what }) => Foreseen::Allow { role, rule, canonical: canonical(&what) },
        Err(refused) => {
            let Denied { message, nearest, .. } = *refused.denied;
            Foreseen::Deny { message, rule: nearest.map(|nearest| format!("{}/{}", nearest.role, nearest.rule)) }
        }
    }
}

/// The principal's roles on a target, with all that they allow there now.
#[must_use]
pub fn listing<'l>(live: &'l Live, asker: Asker<'_>) -> Vec<RoleListing<'l>> {
    subject(live, asker.identity, asker.target)
        .map(|(principal, facts)| live.policy.listing(&principal, facts, &circumstances(asker.client)))
        .unwrap_or_default()
}

pub(super) fn canonical(what: &Leave) -> String {
    match what {
        Leave::Program(checked) => program(checked),
        Leave::Encoded(encoded) => commands(&encoded.commands),
        Leave::Commands(checked, _) => commands(checked),
        Leave::Script(script, _) => format!("the pinned script {}", script.name()),
    }
}

fn commands(commands: &CheckedCommands) -> String {
    commands.statements().iter().map(|one| powershell::describe(one)).collect::<Vec<_>>().join("; ")
}

fn program(program: &CheckedProgram) -> String {
    let mut words = vec![program.path().to_owned()];
    for argument in program.arguments() {
        words.push(match argument.is_secret() {
            true => "<secret>".to_owned(),
            false if argument.value().is_empty() || argument.value().contains(char::is_whitespace) => {
                format!("\"{}\"", argument.value())
            }
            false => argument.value().to_owned(),
        });
    }
    words.join(" ")
}
