//! How many shells there may be: of one principal, on one target, and of one account there.

use crate::config::{Limits, Target, TargetName};
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How many shells there may be.
#[derive(Debug, Clone, Copy)]
pub struct ShellRules {
    /// Of one principal, on all targets.
    pub per_principal: usize,
    /// On one target, of all principals.
    pub per_target: usize,
    /// Of one principal on one target: the target's own quota.
    pub per_account: usize,
    /// Principals with shells on one target: the target's own quota.
    pub accounts: usize,
}

impl ShellRules {
    /// The rules for shells on this target.
    #[must_use]
    pub fn new(limits: &Limits, target: &Target) -> Self {
        Self {
            per_principal: limits.shells_per_principal,
            per_target: limits.shells_per_target,
            per_account: target.quotas.shells_per_account,
            accounts: target.quotas.accounts,
        }
    }
}

/// Which number is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TableFull {
    /// Of one principal.
    #[error("you have as many shells open as one user may: close some, or wait until idle ones end")]
    Principal,
    /// On one target.
    #[error("the target has as many shells open through this gateway as it may: try again later")]
    Target,
    /// Of one principal on one target.
    #[error("you have as many shells open on this target as it lets one account have: close some or try again later")]
    Account,
    /// Principals on one target.
    #[error("as many users work on this target as it lets at the same time: try again later")]
    Accounts,
}

#[derive(Debug, Default)]
struct Taken {
    of_principals: HashMap<PrincipalName, usize>,
    on_targets: HashMap<TargetName, HashMap<PrincipalName, usize>>,
}

/// The places that are taken.
#[derive(Debug, Default)]
pub struct Places {
    taken: Mutex<Taken>,
    freed: Notify,
}

/// One shell's place; free again when dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    principal: PrincipalName,
    target: TargetName,
}

impl Places {
    /// Takes a place.
    ///
    /// # Errors
    /// When a number is reached.
    pub fn take(
        self: &Arc<Self>,
        principal: &PrincipalName,
        target: &TargetName,
        rules: ShellRules,
    ) -> Result<Place, TableFull> {
        self.taken.lock().take(principal, target, rules)?;
        Ok(Place { places: Arc::clone(self), principal: principal.clone(), target: target.clone() })
    }

    /// Whether all are free.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken.lock().of_principals.is_empty()
    }

    /// Takes a place as soon as there is one.
    ///
    /// # Errors
    /// When there is none before `deadline`.
    pub async fn wait(
        self: &Arc<Self>,
        principal: &PrincipalName,
        target: &TargetName,
        rules: ShellRules,
        deadline: Instant,
    ) -> Result<Place, TableFull> {
        loop {
            let freed = self.freed.notified();
            let full = match self.take(principal, target, rules) {
                Ok(place) => return Ok(place),
                Err(full) => full,
            };
            timeout_at(deadline, freed).await.map_err(|_late| full)?;
        }
    }
}

impl Taken {
    fn take(&mut self, principal: &PrincipalName, target: &TargetName, rules: ShellRules) -> Result<(), TableFull> {
        let of_principal = self.of_principals.get(principal).copied().unwrap_or(0);
        if rules.per_principal <= of_principal {
            return Err(TableFull::Principal);
        }
        if let Some(there) = self.on_targets.get(target) {
            if rules.per_target <= there.values().sum() {
                return Err(TableFull::Target);
            }
            match there.get(principal) {
                Some(mine) if rules.per_account <= *mine => return Err(TableFull::Account),
                None if rules.accounts <= there.len() => return Err(TableFull::Accounts),
                Some(_) | None => {}
            }
        }
        self.of_principals.insert(principal.clone(), of_principal.saturating_add(1));
        let mine = self.on_targets.entry(target.clone()).or_default().entry(principal.clone()).or_default();
        *mine = mine.saturating_add(1);
        Ok(())
    }

    fn give_back(&mut self, principal: &PrincipalName, target: &TargetName) {
        less(&mut self.of_principals, principal);
        if let Some(there) = self.on_targets.get_mut(target) {
            less(there, principal);
            if there.is_empty() {
                self.on_targets.remove(target);
            }
        }
    }
}

/// One less; what has none left is forgotten, so that the tables stay as small as what is open.
fn less(counts: &mut HashMap<PrincipalName, usize>, principal: &PrincipalName) {
    let Some(count) = counts.get_mut(principal) else { return };
    *count = count.saturating_sub(1);
    if *count == 0 {
        counts.remove(principal);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.lock().give_back(&self.principal, &self.target);
        self.places.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RULES: ShellRules = ShellRules { per_principal: 4, per_target: 3, per_account: 2, accounts: 2 };

    fn who(name: &str) -> PrincipalName {
        PrincipalName::local(name).unwrap()
    }

    fn target(name: &str) -> TargetName {
        TargetName::parse(name).unwrap()
    }

    #[test]
    fn each_number_is_counted_on_its_own() {
        let places = Arc::new(Places::default());
        let take = |name: &str, on: &str| places.take(&who(name), &target(on), RULES);
        let first = take("a", "web01").unwrap();
        let _second = take("a", "web01").unwrap();
        assert_eq!(take("a", "web01").unwrap_err(), TableFull::Account);
        let third = take("b", "web01").unwrap();
        assert_eq!(take("b", "web01").unwrap_err(), TableFull::Target);
        drop(first);
        assert_eq!(take("c", "web01").unwrap_err(), TableFull::Accounts);
        drop(third);
        let _c = take("c", "web01").unwrap();
        let _others = [take("a", "x").unwrap(), take("a", "y").unwrap(), take("a", "z").unwrap()];
        assert_eq!(take("a", "u").unwrap_err(), TableFull::Principal);
    }

    #[test]
    fn what_is_free_is_forgotten() {
        let places = Arc::new(Places::default());
        drop(places.take(&who("a"), &target("web01"), RULES).unwrap());
        let taken = places.taken.lock();
        assert!(taken.of_principals.is_empty() && taken.on_targets.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_a_place_or_at_its_deadline() {
        let places = Arc::new(Places::default());
        let rules = ShellRules { per_principal: 1, ..RULES };
        let held = places.take(&who("a"), &target("web01"), rules).unwrap();
        let soon = Instant::now() + Duration::from_secs(1);
        let late = places.wait(&who("a"), &target("web02"), rules, soon).await;
        assert_eq!(late.unwrap_err(), TableFull::Principal);
        let later = Instant::now() + Duration::from_secs(60);
        let waiting = {
            let places = Arc::clone(&places);
            tokio::spawn(async move { places.wait(&who("a"), &target("web02"), rules, later).await })
        };
        tokio::task::yield_now().await;
        drop(held);
        assert!(waiting.await.unwrap().is_ok());
        assert!(Instant::now() < later);
    }
}
