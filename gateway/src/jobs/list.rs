//! The targets that a principal may reach.

use super::Refused;
use crate::enforce::{Refusal, open_targets};
use crate::identity::Identity;
use crate::state::Gateway;
use sekisho_protocol::job::{TargetEntry, TargetList, TargetsRequest};
use std::net::SocketAddr;

/// The document that lists them, and nothing of others.
///
/// # Errors
/// When the request is none, or comes too often.
pub fn list(gateway: &Gateway, identity: &Identity, client: SocketAddr, json: &[u8]) -> Result<Vec<u8>, Refused> {
    let TargetsRequest {} = TargetsRequest::decode(json).map_err(Refused::mistake)?;
    gateway.rates.request(&identity.principal).map_err(Refusal::Limited)?;
    let live = gateway.live_full();
    let entries = open_targets(&live, identity, client).map(|(target, roles)| TargetEntry {
        name: target.name.to_string(),
        groups: live.config.targets.groups_of(&target.name).into_iter().map(ToString::to_string).collect(),
        tags: target.tags.clone(),
        roles,
    });
    TargetList::new(entries.collect()).encode().map_err(Refused::mistake)
}
