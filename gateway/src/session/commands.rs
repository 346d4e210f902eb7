//! The commands of one shell.

use super::command::Command;
use parking_lot::Mutex;
use sekisho_protocol::wsman::CommandId;
use std::collections::HashMap;
use std::sync::Arc;

/// Commands that ended and were fetched whole, remembered so that a late Receive or Signal finds its own.
const MAX_FETCHED: usize = 32;

#[derive(Debug, Default)]
struct State {
    commands: HashMap<CommandId, Arc<Command>>,
    starting: usize,
}

/// All commands of one shell.
#[derive(Debug, Default)]
pub(super) struct Commands(Mutex<State>);

/// A place for one command that is being started; given back when dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Commands);

impl Commands {
    /// A place, unless as many as `limit` are being started, run, or keep output that nobody has fetched.
    pub(super) fn reserve(&self, limit: usize) -> Option<Place<'_>> {
        let mut state = self.0.lock();
        let taken = state.commands.values().filter(|command| !command.is_fetched()).count();
        if limit <= taken.saturating_add(state.starting) {
            return None;
        }
        state.starting = state.starting.saturating_add(1);
        Some(Place(self))
    }

    pub(super) fn running(&self) -> usize {
        self.0.lock().commands.values().filter(|command| command.is_running()).count()
    }

    pub(super) fn find(&self, id: CommandId) -> Option<Arc<Command>> {
        self.0.lock().commands.get(&id).cloned()
    }

    pub(super) fn remove(&self, id: CommandId) -> Option<Arc<Command>> {
        self.0.lock().commands.remove(&id)
    }

    pub(super) fn take_all(&self) -> Vec<Arc<Command>> {
        self.0.lock().commands.drain().map(|(_, command)| command).collect()
    }
}

impl Place<'_> {
    /// The command that was started in this place.
    pub(super) fn fill(self, command: Arc<Command>) {
        let mut state = self.0.0.lock();
        let fetched: Vec<_> =
            state.commands.iter().filter(|(_, command)| command.is_fetched()).map(|(id, _)| *id).collect();
        for old in fetched.iter().skip(MAX_FETCHED) {
            state.commands.remove(old);
        }
        state.commands.insert(command.id(), command);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        state.starting = state.starting.saturating_sub(1);
    }
}
