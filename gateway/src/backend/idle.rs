//! Connections to one target that their shells do not use at the moment. Each stays its shell's own: it is logged in
//! as that shell's principal, and is given to nobody else.

use super::connection::Connection;
use parking_lot::Mutex;
use std::collections::VecDeque;
use uuid::Uuid;

/// The longest unused first. As many as the target's quota lets there be at most.
#[derive(Debug, Default)]
pub(super) struct IdleConnections(Mutex<VecDeque<Idle>>);

#[derive(Debug)]
struct Idle {
    shell: Uuid,
    connection: Connection,
}

impl IdleConnections {
    pub(super) fn keep(&self, shell: Uuid, connection: Connection) {
        self.0.lock().push_back(Idle { shell, connection });
    }

    /// The one that this shell has used last and that can still be used.
    pub(super) fn take(&self, shell: Uuid) -> Option<Connection> {
        loop {
            let mut idle = self.0.lock();
            let newest = idle.iter().rposition(|one| one.shell == shell)?;
            let connection = idle.remove(newest)?.connection;
            drop(idle);
            if connection.usable() {
                return Some(connection);
            }
        }
    }

    /// Closes the longest unused one of any shell; `false` when there is none.
    pub(super) fn close_oldest(&self) -> bool {
        let oldest = self.0.lock().pop_front();
        oldest.is_some()
    }

    /// Closes all of a shell.
    pub(super) fn close_all(&self, shell: Uuid) {
        let mut idle = self.0.lock();
        let (closed, kept): (VecDeque<_>, _) =
            std::mem::take(&mut *idle).into_iter().partition(|one| one.shell == shell);
        *idle = kept;
        drop(idle);
        // Out of the lock: each tells those who wait for its place.
        drop(closed);
    }
}
