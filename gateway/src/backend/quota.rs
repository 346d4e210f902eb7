//! What a target itself allows: the gateway stays inside it, so that targets need not refuse.

use super::error::BackendError;
use super::idle::IdleConnections;
use crate::config::{Target, TargetName, TargetQuotas};
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

#[derive(Debug, Default)]
struct Used {
    connections: usize,
    shells: HashMap<PrincipalName, usize>,
}

/// What is used of one target, and who waits for a part of it.
#[derive(Debug, Default)]
struct Shared {
    used: Mutex<Used>,
    freed: Notify,
}

/// The use of all targets, kept over reloads.
#[derive(Debug, Default)]
pub struct Quotas(Mutex<HashMap<TargetName, Kept>>);

#[derive(Debug, Clone, Default)]
struct Kept {
    shared: Arc<Shared>,
    idle: Arc<IdleConnections>,
}

/// The use of one target.
#[derive(Debug, Clone)]
pub(super) struct Quota {
    kept: Kept,
    rules: TargetQuotas,
}

/// How long a place is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Not at all: the client is told to try again.
    None,
    Until(Instant),
}

/// Places that are kept for a shell that is about to be opened.
#[derive(Debug)]
pub struct Reserved {
    pub(super) shell: ShellPlace,
    pub(super) connection: ConnectionPlace,
}

impl Quotas {
    /// The use of one target, under the rules that it has now.
    pub(super) fn of(&self, target: &Target) -> Quota {
        Quota { kept: self.0.lock().entry(target.name.clone()).or_default().clone(), rules: target.quotas.clone() }
    }
}

impl Quota {
    /// Connections to this target that nobody uses.
    pub(super) fn idle(&self) -> &IdleConnections {
        &self.kept.idle
    }

    /// A shell has no use for its connection any more: others may have its place, as soon as they need it.
    pub(super) fn freed(&self) {
        self.kept.shared.freed.notify_waiters();
    }

    /// A place for one more connection.
    ///
    /// # Errors
    /// [`BackendError::Busy`] when all are in use, for as long as there is patience.
    pub(super) async fn connection(&self, patience: Patience) -> Result<ConnectionPlace, BackendError> {
        self.wait(patience, || self.try_connection()).await
    }

    /// Places for one more shell of this principal and its connection.
    ///
    /// # Errors
    /// [`BackendError::Busy`] when there are none before `deadline`.
    pub(super) async fn reserve(&self, principal: &PrincipalName, deadline: Instant) -> Result<Reserved, BackendError> {
        self.wait(Patience::Until(deadline), || self.both(principal)).await
    }

    async fn wait<T>(
        &self,
        patience: Patience,
        attempt: impl Fn() -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        loop {
            let freed = self.kept.shared.freed.notified();
            match (attempt(), patience) {
                (Err(BackendError::Busy), Patience::Until(deadline)) if Instant::now() < deadline => {
                    timeout_at(deadline, freed).await.map_err(|_late| BackendError::Busy)?;
                }
                (done, Patience::None | Patience::Until(_)) => return done,
            }
        }
    }

    /// Both places or none. One is never taken only to be given back, which would wake those who wait, this one first.
    fn both(&self, principal: &PrincipalName) -> Result<Reserved, BackendError> {
        loop {
            let mut used = self.kept.shared.used.lock();
            if !self.has_shell(&used, principal) {
                return Err(BackendError::Busy);
            }
            if used.connections < self.rules.connections {
                let connection = self.take_connection(&mut used);
                let shell = self.take_shell(&mut used, principal);
                return Ok(Reserved { shell, connection });
            }
            drop(used);
            if !self.kept.idle.close_oldest() {
                return Err(BackendError::Busy);
            }
        }
    }

    /// An idle connection of another shell is no reason to be busy: it is closed, the longest unused one first, and
    /// its shell logs in once more when it needs one again.
    fn try_connection(&self) -> Result<ConnectionPlace, BackendError> {
        loop {
            if let Some(place) = self.free_connection() {
                return Ok(place);
            }
            if !self.kept.idle.close_oldest() {
                return Err(BackendError::Busy);
            }
        }
    }

    fn free_connection(&self) -> Option<ConnectionPlace> {
        let mut used = self.kept.shared.used.lock();
        (used.connections < self.rules.connections).then(|| self.take_connection(&mut used))
    }

    fn take_connection(&self, used: &mut Used) -> ConnectionPlace {
        used.connections = used.connections.saturating_add(1);
        ConnectionPlace(Arc::clone(&self.kept.shared))
    }

    /// A place for one more shell of this principal.
    pub(super) fn shell(&self, principal: &PrincipalName) -> Result<ShellPlace, BackendError> {
        let mut used = self.kept.shared.used.lock();
        if self.has_shell(&used, principal) {
            Ok(self.take_shell(&mut used, principal))
        } else {
            Err(BackendError::Busy)
        }
    }

    fn has_shell(&self, used: &Used, principal: &PrincipalName) -> bool {
        let others = used.shells.len().saturating_sub(usize::from(used.shells.contains_key(principal)));
        let own = used.shells.get(principal).copied().unwrap_or_default();
        others < self.rules.accounts && own < self.rules.shells_per_account
    }

    fn take_shell(&self, used: &mut Used, principal: &PrincipalName) -> ShellPlace {
        let own = used.shells.entry(principal.clone()).or_default();
        *own = own.saturating_add(1);
        ShellPlace { shared: Arc::clone(&self.kept.shared), principal: principal.clone() }
    }
}

/// One connection; gives its place back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace(Arc<Shared>);

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut used = self.0.used.lock();
        used.connections = used.connections.saturating_sub(1);
        drop(used);
        self.0.freed.notify_waiters();
    }
}

/// One shell; gives its place back when dropped.
#[derive(Debug)]
pub(super) struct ShellPlace {
    shared: Arc<Shared>,
    principal: PrincipalName,
}

impl Drop for ShellPlace {
    fn drop(&mut self) {
        let mut used = self.shared.used.lock();
        let left = used.shells.get(&self.principal).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            used.shells.remove(&self.principal);
        } else {
            used.shells.insert(self.principal.clone(), left);
        }
        drop(used);
        self.shared.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn quota(shells_per_account: usize, accounts: usize, connections: usize) -> Quota {
        Quota { kept: Kept::default(), rules: TargetQuotas { shells_per_account, accounts, connections } }
    }

    fn name(text: &str) -> PrincipalName {
        PrincipalName::local(text).unwrap()
    }

    /// A place that is taken and given back within an attempt would wake the attempt itself, for ever.
    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_connection_with_shells_to_spare_lets_others_run() {
        let quota = quota(2, 2, 1);
        let taken = quota.connection(Patience::None).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        assert_eq!(quota.reserve(&name("a"), deadline).await.unwrap_err(), BackendError::Busy);
        assert_eq!(Instant::now(), deadline, "the clock went on");
        let alice = name("a");
        let waiting = quota.reserve(&alice, deadline + Duration::from_secs(5));
        let freeing = async { drop(taken) };
        let (reserved, ()) = tokio::join!(waiting, freeing);
        assert!(reserved.is_ok());
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

    #[tokio::test]
    async fn connections_are_counted_and_given_back() {
        let quota = quota(9, 9, 1);
        let first = quota.connection(Patience::None).await.unwrap();
        assert_eq!(quota.connection(Patience::None).await.unwrap_err(), BackendError::Busy);
        drop(first);
        assert!(quota.connection(Patience::None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_waits_for_both_places_until_its_deadline_and_keeps_none_meanwhile() {
        let quota = quota(1, 9, 1);
        let deadline = Instant::now() + Duration::from_secs(30);
        let shell = quota.shell(&name("a")).unwrap();
        assert_eq!(quota.reserve(&name("a"), deadline).await.unwrap_err(), BackendError::Busy);
        assert!(deadline <= Instant::now());
        assert!(quota.connection(Patience::None).await.is_ok(), "what waits for a shell keeps no connection");

        let begun = Instant::now();
        let late = begun + Duration::from_secs(30);
        let waiting = tokio::spawn({
            let quota = quota.clone();
            async move { quota.reserve(&name("a"), late).await }
        });
        tokio::task::yield_now().await;
        drop(shell);
        let reserved = waiting.await.unwrap().unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO, "it is told when a place is free");
        assert_eq!(quota.shell(&name("a")).unwrap_err(), BackendError::Busy);
        drop(reserved);
        assert!(quota.shell(&name("a")).is_ok());
    }
}
