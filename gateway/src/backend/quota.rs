//! What a target itself allows: the gateway stays inside it, so that targets need not refuse.

use super::error::BackendError;
use crate::config::{Target, TargetName, TargetQuotas};
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug, Default)]
struct Used {
    connections: usize,
    shells: HashMap<PrincipalName, usize>,
}

/// The use of all targets, kept over reloads.
#[derive(Debug, Default)]
pub struct Quotas(Mutex<HashMap<TargetName, Arc<Mutex<Used>>>>);

/// The use of one target.
#[derive(Debug, Clone)]
pub(super) struct Quota {
    used: Arc<Mutex<Used>>,
    rules: TargetQuotas,
}

impl Quotas {
    /// The use of one target, under the rules that it has now.
    pub(super) fn of(&self, target: &Target) -> Quota {
        let used = Arc::clone(self.0.lock().entry(target.name.clone()).or_default());
        Quota { used, rules: target.quotas.clone() }
    }
}

impl Quota {
    /// A place for one more connection.
    pub(super) fn connection(&self) -> Result<ConnectionPlace, BackendError> {
        let mut used = self.used.lock();
        if self.rules.connections <= used.connections {
            return Err(BackendError::Busy);
        }
        used.connections = used.connections.saturating_add(1);
        Ok(ConnectionPlace(Arc::clone(&self.used)))
    }

    /// A place for one more shell of this principal.
    pub(super) fn shell(&self, principal: &PrincipalName) -> Result<ShellPlace, BackendError> {
        let mut used = self.used.lock();
        let others = used.shells.len().saturating_sub(usize::from(used.shells.contains_key(principal)));
        let own = used.shells.get(principal).copied().unwrap_or_default();
        if self.rules.accounts <= others || self.rules.shells_per_account <= own {
            return Err(BackendError::Busy);
        }
        used.shells.insert(principal.clone(), own.saturating_add(1));
        Ok(ShellPlace { used: Arc::clone(&self.used), principal: principal.clone() })
    }
}

/// One connection; gives its place back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace(Arc<Mutex<Used>>);

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut used = self.0.lock();
        used.connections = used.connections.saturating_sub(1);
    }
}

/// One shell; gives its place back when dropped.
#[derive(Debug)]
pub(super) struct ShellPlace {
    used: Arc<Mutex<Used>>,
    principal: PrincipalName,
}

impl Drop for ShellPlace {
    fn drop(&mut self) {
        let mut used = self.used.lock();
        let left = used.shells.get(&self.principal).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            used.shells.remove(&self.principal);
        } else {
            used.shells.insert(self.principal.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(shells_per_account: usize, accounts: usize, connections: usize) -> Quota {
        Quota { used: Arc::default(), rules: TargetQuotas { shells_per_account, accounts, connections } }
    }

    fn name(text: &str) -> PrincipalName {
        PrincipalName::local(text).unwrap()
    }

    #[test]
    fn shells_and_accounts_are_counted_and_given_back() {
        let quota = quota(2, 2, 9);
        let first = quota.shell(&name("a")).unwrap();
        let _second = quota.shell(&name("a")).unwrap();
        assert_eq!(quota.shell(&name("a")).unwrap_err(), BackendError::Busy);
        let other = quota.shell(&name("b")).unwrap();
        assert_eq!(quota.shell(&name("c")).unwrap_err(), BackendError::Busy);
        drop(first);
        let _third = quota.shell(&name("a")).unwrap();
        drop(other);
        assert!(quota.shell(&name("c")).is_ok());
    }

    #[test]
    fn connections_are_counted_and_given_back() {
        let quota = quota(9, 9, 1);
        let first = quota.connection().unwrap();
        assert_eq!(quota.connection().unwrap_err(), BackendError::Busy);
        drop(first);
        assert!(quota.connection().is_ok());
    }
}
