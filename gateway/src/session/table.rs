//! The table of all shells.

use super::any::Session;
use super::places::{Place, Places, ShellRules, TableFull};
use super::pool::PoolShell;
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use sekisho_protocol::wsman::ShellId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

type Key = (PrincipalName, ShellId);

/// All shells of this process.
#[derive(Debug, Default)]
pub struct SessionTable {
    shells: Mutex<HashMap<Key, Seated>>,
    places: Arc<Places>,
}

#[derive(Debug)]
struct Seated {
    shell: Session,
    _place: Place,
}

impl SessionTable {
    /// Takes a shell in.
    ///
    /// # Errors
    /// When the principal or the target has its number already.
    pub fn insert(&self, shell: Session, rules: ShellRules) -> Result<(), TableFull> {
        let place = self.places.take(shell.principal(), &shell.target().name, rules)?;
        let key = (shell.principal().clone(), shell.id());
        self.shells.lock().insert(key, Seated { shell, _place: place });
        Ok(())
    }

    /// Takes a shell in whose place is there already; gives it back where the principal has one of this id.
    ///
    /// # Errors
    /// The shell, when its id is taken.
    pub fn seat(&self, shell: Session, place: Place) -> Result<(), Session> {
        let key = (shell.principal().clone(), shell.id());
        match self.shells.lock().entry(key) {
            Entry::Occupied(_) => Err(shell),
            Entry::Vacant(vacant) => {
                vacant.insert(Seated { shell, _place: place });
                Ok(())
            }
        }
    }

    /// The places of these shells, which what opens shells elsewhere takes too.
    #[must_use]
    pub fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// The shell of this principal with this id (identity-bound).
    #[must_use]
    pub fn find(&self, principal: &PrincipalName, id: ShellId) -> Option<Session> {
        self.shells.lock().get(&(principal.clone(), id)).map(|seated| seated.shell.clone())
    }

    /// Takes a shell out.
    pub fn remove(&self, principal: &PrincipalName, id: ShellId) -> Option<Session> {
        self.shells.lock().remove(&(principal.clone(), id)).map(|seated| seated.shell)
    }

    /// Takes out this very pool, and no other that has its id by now; whether it was there.
    pub fn remove_pool(&self, pool: &Arc<PoolShell>) -> bool {
        let key = (pool.principal().clone(), pool.id());
        let mut shells = self.shells.lock();
        let same = shells.get(&key).is_some_and(|seated| match &seated.shell {
            Session::Pool(seated) => Arc::ptr_eq(seated, pool),
            Session::Shell(_) => false,
        });
        same && shells.remove(&key).is_some()
    }

    /// Takes out all shells that `ended` picks.
    pub fn take(&self, ended: impl Fn(&Session) -> bool) -> Vec<Session> {
        self.shells.lock().extract_if(|_, seated| ended(&seated.shell)).map(|(_, seated)| seated.shell).collect()
    }

    /// Shells now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shells.lock().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shells.lock().is_empty()
    }

    /// Commands that run now.
    #[must_use]
    pub fn running_commands(&self) -> usize {
        self.shells.lock().values().map(|seated| seated.shell.running_commands()).sum()
    }
}
