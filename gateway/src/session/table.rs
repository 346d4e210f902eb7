//! The table of all shells.

use super::shell::Shell;
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use sekisho_protocol::wsman::ShellId;
use std::collections::HashMap;
use std::sync::Arc;

/// How many shells there may be.
#[derive(Debug, Clone, Copy)]
pub struct ShellRules {
    /// Of one principal.
    pub per_principal: usize,
    /// On one target, of all principals.
    pub per_target: usize,
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

type Key = (PrincipalName, ShellId);

/// All shells of this process.
#[derive(Debug, Default)]
pub struct SessionTable {
    shells: Mutex<HashMap<Key, Arc<Shell>>>,
}

impl SessionTable {
    /// Takes a shell in.
    ///
    /// # Errors
    /// When the principal or the target has its number already.
    pub fn insert(&self, shell: Arc<Shell>, rules: ShellRules) -> Result<(), TableFull> {
        let mut shells = self.shells.lock();
        let (mut of_principal, mut on_target) = (0_usize, 0_usize);
        for other in shells.values() {
            of_principal = of_principal.saturating_add(usize::from(other.principal() == shell.principal()));
            on_target = on_target.saturating_add(usize::from(other.target().name == shell.target().name));
        }
        if rules.per_principal <= of_principal {
            return Err(TableFull::Principal);
        }
        if rules.per_target <= on_target {
            return Err(TableFull::Target);
        }
        shells.insert((shell.principal().clone(), shell.id()), shell);
        Ok(())
    }

    /// The shell of this principal with this id (identity-bound).
    #[must_use]
    pub fn find(&self, principal: &PrincipalName, id: ShellId) -> Option<Arc<Shell>> {
        self.shells.lock().get(&(principal.clone(), id)).cloned()
    }

    /// Takes a shell out.
    pub fn remove(&self, principal: &PrincipalName, id: ShellId) -> Option<Arc<Shell>> {
        self.shells.lock().remove(&(principal.clone(), id))
    }

    /// Takes out all shells that `ended` picks.
    pub fn take(&self, ended: impl Fn(&Shell) -> bool) -> Vec<Arc<Shell>> {
        self.shells.lock().extract_if(|_, shell| ended(shell)).map(|(_, shell)| shell).collect()
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
        self.shells.lock().values().map(|shell| shell.running_commands()).sum()
    }
}
