//! Delegated credentials: encrypted in memory, opened for one authentication, wiped when nobody holds them.
//!
//! INVARIANT(leases-end): an entry exists exactly as long as a [`Hold`] on it does. Connections, shells and
//! jobs hold; the last one to go wipes it.

mod account;
mod attempts;
mod vault;

pub use attempts::Refused;

use crate::identity::PrincipalName;
use attempts::Attempts;
use parking_lot::Mutex;
use sekisho_protocol::credssp::DelegatedCredential;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::Instant;
use vault::{Sealed, Vault};

/// Why a credential cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Nobody holds a credential of this principal any more.
    #[error("the delegated credential is gone: log in again")]
    Gone,
    /// Targets have refused it too often.
    #[error(
        "targets refused the delegated credential {0} times, it is not tried again: log in again with the right password"
    )]
    Refused(u32),
    /// The lease's time is over, or it was never free in that time.
    #[error("the delegated credential was not free in time")]
    Deadline,
    /// The vault failed; only a bug or broken memory gets here.
    #[error("the credential store failed")]
    Vault,
}

#[derive(Debug)]
struct Entry {
    sealed: Sealed,
    holds: usize,
    attempts: Attempts,
    /// Tells a lease of an earlier login from one of this login.
    generation: u64,
}

/// All delegated credentials of this process, one per principal.
#[derive(Debug)]
pub struct CredentialStore {
    vault: Vault,
    entries: Mutex<HashMap<PrincipalName, Entry>>,
    changed: Notify,
}

impl CredentialStore {
    /// An empty store under a key that only this process has.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Arc<Self>, LeaseError> {
        Ok(Arc::new(Self { vault: Vault::new()?, entries: Mutex::default(), changed: Notify::new() }))
    }

    /// Takes a credential in; what this principal delegated before is wiped, and refusals are forgotten.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn keep(
        self: &Arc<Self>,
        principal: &PrincipalName,
        credential: DelegatedCredential,
    ) -> Result<Hold, LeaseError> {
        let sealed = self.vault.seal(credential)?;
        let mut entries = self.entries.lock();
        let (holds, generation) =
            entries.get(principal).map_or((0, 0), |entry| (entry.holds, entry.generation.wrapping_add(1)));
        let entry = Entry { sealed, holds: holds.saturating_add(1), attempts: Attempts::default(), generation };
        entries.insert(principal.clone(), entry);
        drop(entries);
        self.changed.notify_waiters();
        Ok(Hold { store: Arc::clone(self), principal: principal.clone() })
    }

    /// Whether a credential of this principal is here.
    #[must_use]
    pub fn has(&self, principal: &PrincipalName) -> bool {
        self.entries.lock().contains_key(principal)
    }

    /// How many credentials are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// Whether no credential is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.lock().is_empty()
    }

    /// Opens the credential for one authentication to a target, as the account that it is there: of the
    /// domain that the target's configuration names, or else of the one that the user typed.
    ///
    /// As long as no target has accepted the account, only as many authentications run at once as
    /// refusals are allowed, so that one wrong password fanned out to many targets locks no account.
    ///
    /// # Errors
    /// When the credential is gone, was refused too often, or is not free before `deadline`.
    pub async fn lease(
        self: &Arc<Self>,
        principal: &PrincipalName,
        domain: Option<&str>,
        deadline: Instant,
    ) -> Result<Lease, LeaseError> {
        loop {
            let changed = self.changed.notified();
            if let Some(lease) = self.try_lease(principal, domain, deadline)? {
                return Ok(lease);
            }
            tokio::time::timeout_at(deadline, changed).await.map_err(|_late| LeaseError::Deadline)?;
        }
    }

    fn try_lease(
        self: &Arc<Self>,
        principal: &PrincipalName,
        domain: Option<&str>,
        deadline: Instant,
    ) -> Result<Option<Lease>, LeaseError> {
        let mut entries = self.entries.lock();
        let entry = entries.get_mut(principal).ok_or(LeaseError::Gone)?;
        let domain = entry.sealed.domain(domain);
        if !entry.attempts.begin(&domain).map_err(|Refused(times)| LeaseError::Refused(times))? {
            return Ok(None);
        }
        let ticket = Ticket {
            store: Arc::clone(self),
            principal: principal.clone(),
            realm: domain.clone(),
            generation: entry.generation,
            outcome: Outcome::Unknown,
        };
        let credential = self.vault.open(&entry.sealed);
        drop(entries);
        let credential = account::on_target(credential?, principal, &domain);
        Ok(Some(Lease { credential, deadline, ticket }))
    }

    fn end(&self, ticket: &Ticket) {
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.get_mut(&ticket.principal).filter(|entry| entry.generation == ticket.generation) {
            match ticket.outcome {
                Outcome::Unknown => entry.attempts.unknown(&ticket.realm),
                Outcome::Accepted => entry.attempts.accepted(&ticket.realm),
                Outcome::Refused => entry.attempts.refused(&ticket.realm),
            }
        }
        drop(entries);
        self.changed.notify_waiters();
    }
}

/// Keeps a principal's credential in the store.
#[derive(Debug)]
pub struct Hold {
    store: Arc<CredentialStore>,
    principal: PrincipalName,
}

impl Hold {
    /// One more hold on the same credential.
    #[must_use]
    pub fn another(&self) -> Self {
        if let Some(entry) = self.store.entries.lock().get_mut(&self.principal) {
            entry.holds = entry.holds.saturating_add(1);
        }
        Self { store: Arc::clone(&self.store), principal: self.principal.clone() }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut entries = self.store.entries.lock();
        let Some(entry) = entries.get_mut(&self.principal) else { return };
        entry.holds = entry.holds.saturating_sub(1);
        if entry.holds == 0 {
            entries.remove(&self.principal);
            drop(entries);
            self.store.changed.notify_waiters();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Unknown,
    Accepted,
    Refused,
}

#[derive(Debug)]
struct Ticket {
    store: Arc<CredentialStore>,
    principal: PrincipalName,
    realm: String,
    generation: u64,
    outcome: Outcome,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        Arc::clone(&self.store).end(self);
    }
}

/// One opened credential, for one authentication. Wiped on drop.
#[derive(Debug)]
pub struct Lease {
    credential: DelegatedCredential,
    deadline: Instant,
    ticket: Ticket,
}

impl Lease {
    /// The credential, until the deadline.
    ///
    /// # Errors
    /// When the deadline has passed.
    pub fn credential(&self) -> Result<&DelegatedCredential, LeaseError> {
        if self.deadline <= Instant::now() {
            return Err(LeaseError::Deadline);
        }
        Ok(&self.credential)
    }

    /// The target took it.
    pub fn accepted(mut self) {
        self.ticket.outcome = Outcome::Accepted;
    }

    /// The target refused it.
    pub fn refused(mut self) {
        self.ticket.outcome = Outcome::Refused;
    }
}

#[cfg(test)]
mod tests;
