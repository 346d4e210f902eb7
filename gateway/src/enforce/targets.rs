//! Which targets are open to a principal, and the one answer for all that are not.

use super::{Refusal, circumstances, correlation};
use crate::audit::{Context, Event, EventKind};
use crate::config::Target;
use crate::identity::Identity;
use crate::state::{Gateway, Live};
use sekisho_policy::Principal;
use std::net::SocketAddr;
use uuid::Uuid;

/// The reason in the audit log.
const CLOSED: &str = "TargetClosed";
/// What the user is told, whether the target exists or not: the table cannot be read by guessing.
const CLOSED_TEXT: &str = "no such target, or it is not open to you";

/// The targets that policy lets this principal do anything on, with the principal's roles there.
pub fn open_targets<'l>(
    live: &'l Live,
    identity: &Identity,
    client: SocketAddr,
) -> impl Iterator<Item = (&'l Target, Vec<String>)> {
    let groups = live.identity.groups(&identity.principal);
    let principal = groups.map(|groups| Principal { name: identity.principal.to_string(), groups });
    let circumstances = circumstances(client);
    live.config.targets.iter().filter_map(move |target| {
        let roles = live.policy.roles_on(principal.as_ref()?, live.facts(target)?, &circumstances);
        (!roles.is_empty()).then(|| (target, roles.into_iter().map(str::to_owned).collect()))
    })
}

/// Who asks for a target that is not open to them, or not there.
#[derive(Debug, Clone, Copy)]
pub struct Guess<'a> {
    /// Who is logged in.
    pub identity: &'a Identity,
    /// Where from.
    pub client: SocketAddr,
    /// The gateway's id of the session: a shell or a job.
    pub session: Uuid,
    /// What was asked for, if it is one name.
    pub name: Option<&'a str>,
}

impl Guess<'_> {
    pub(super) fn context(&self, gateway: &Gateway) -> Context {
        Context {
            principal: Some(self.identity.principal.to_string()),
            client_addr: Some(self.client),
            target: self.name.map(str::to_owned),
            session: Some(self.session.to_string()),
            policy: Some(gateway.live().policy.digest().to_owned()),
            correlation: Some(correlation()),
            ..Context::default()
        }
    }
}

/// Refuses a name that leads to no target that is open to this principal, and writes it. To be counted before, as a
/// command is: each of these writes a line.
pub async fn closed(gateway: &Gateway, guess: Guess<'_>) -> Refusal {
    let context = guess.context(gateway);
    let correlation = context.correlation.clone().unwrap_or_default();
    let kind = EventKind::Denial { reason: CLOSED.to_owned(), rule: None, asked: None };
    gateway.audit_after(Event::new(kind, &context)).await;
    gateway.metrics.decision("deny");
    Refusal::Denied { message: CLOSED_TEXT.to_owned(), rule: None, correlation }
}
