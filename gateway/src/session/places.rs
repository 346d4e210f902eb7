//! How many shells there may be: of one principal, and on one target. What a target itself allows is counted
//! where it is reached, in the backend.

use crate::config::{Limits, TargetName};
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
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
}

impl ShellRules {
    /// The rules of a configuration.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { per_principal: limits.shells_per_principal, per_target: limits.shells_per_target }
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
}

#[derive(Debug, Default)]
struct Taken {
    of_principals: HashMap<PrincipalName, usize>,
    on_targets: HashMap<TargetName, usize>,
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

    /// Places taken now: open shells, of sessions and of jobs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.taken.lock().on_targets.values().sum()
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
        let on_target = self.on_targets.get(target).copied().unwrap_or(0);
        if rules.per_principal <= of_principal {
            return Err(TableFull::Principal);
        }
        if rules.per_target <= on_target {
            return Err(TableFull::Target);
        }
        self.of_principals.insert(principal.clone(), of_principal.saturating_add(1));
        self.on_targets.insert(target.clone(), on_target.saturating_add(1));
        Ok(())
    }

    fn give_back(&mut self, principal: &PrincipalName, target: &TargetName) {
        less(&mut self.of_principals, principal);
        less(&mut self.on_targets, target);
    }
}

/// One less; what has none left is forgotten, so that the tables stay as small as what is open.
fn less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    let Some(count) = counts.get_mut(key) else { return };
    *count = count.saturating_sub(1);
    if *count == 0 {
        counts.remove(key);
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

    const RULES: ShellRules = ShellRules { per_principal: 4, per_target: 3 };

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
        let _here = [take("a", "web01").unwrap(), take("b", "web01").unwrap()];
        assert_eq!(take("b", "web01").unwrap_err(), TableFull::Target);
        drop(first);
        let _c = take("c", "web01").unwrap();
        let _there = [take("a", "x").unwrap(), take("a", "y").unwrap(), take("a", "z").unwrap()];
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
