//! How many jobs each principal has.

use crate::identity::PrincipalName;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// The jobs of this process.
#[derive(Debug, Default)]
pub struct JobTable {
    running: Mutex<HashMap<PrincipalName, usize>>,
}

/// One job's place; free again when dropped.
#[derive(Debug)]
pub(super) struct JobPlace {
    table: Arc<JobTable>,
    principal: PrincipalName,
}

impl JobTable {
    /// A place for one more job of this principal, if it has fewer than `most`.
    pub(super) fn enter(self: &Arc<Self>, principal: &PrincipalName, most: usize) -> Option<JobPlace> {
        let mut running = self.running.lock();
        let jobs = running.get(principal).copied().unwrap_or(0);
        if most <= jobs {
            return None;
        }
        running.insert(principal.clone(), jobs.saturating_add(1));
        Some(JobPlace { table: Arc::clone(self), principal: principal.clone() })
    }

    /// Jobs that have not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.lock().values().sum()
    }
}

impl Drop for JobPlace {
    fn drop(&mut self) {
        let mut running = self.table.running.lock();
        let Some(jobs) = running.get_mut(&self.principal) else { return };
        *jobs = jobs.saturating_sub(1);
        if *jobs == 0 {
            running.remove(&self.principal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_has_its_number_of_jobs_and_no_more() {
        let table = Arc::new(JobTable::default());
        let (alice, bob) = (PrincipalName::local("alice").unwrap(), PrincipalName::local("bob").unwrap());
        let first = table.enter(&alice, 2).unwrap();
        let _second = table.enter(&alice, 2).unwrap();
        assert!(table.enter(&alice, 2).is_none());
        let other = table.enter(&bob, 2).unwrap();
        drop(first);
        assert!(table.enter(&alice, 2).is_some());
        drop(other);
        assert_eq!(table.running(), 1);
        assert!(!table.running.lock().contains_key(&bob));
    }
}
