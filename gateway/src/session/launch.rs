//! The way of a command from its permit to its start, and who decides whether it is sent.

use super::command::Command;
use crate::audit::TerminatedBy;
use crate::backend::{BackendError, Effect};
use std::sync::{Arc, OnceLock};
use tokio::sync::oneshot;

/// Why a command did not start, and whether it may have all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLaunched {
    /// What went wrong.
    pub error: BackendError,
    /// What that means for the command, whatever it means for the request that failed.
    pub effect: Effect,
}

impl NotLaunched {
    /// What became of it, in a word.
    pub(crate) fn word(&self) -> &'static str {
        match self.effect {
            Effect::NotDone => "not_sent",
            Effect::Unknown => "unknown",
        }
    }
}

/// Decides once and for all whether a command is sent or given up, so that both sides know.
#[derive(Debug, Default)]
pub(super) struct Gate {
    way: OnceLock<Way>,
    given_up: OnceLock<TerminatedBy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Sent,
    NotSent,
}

impl Gate {
    /// Just before it is sent; `false`: it was given up, and must not be.
    pub(super) fn pass(&self) -> bool {
        *self.way.get_or_init(|| Way::Sent) == Way::Sent
    }

    /// Who gave it up, if anybody did, sent or not.
    pub(super) fn given_up(&self) -> Option<TerminatedBy> {
        self.given_up.get().copied()
    }

    fn give_up(&self, by: TerminatedBy) -> Effect {
        self.given_up.get_or_init(|| by);
        match self.way.get_or_init(|| Way::NotSent) {
            Way::NotSent => Effect::NotDone,
            Way::Sent => Effect::Unknown,
        }
    }
}

/// A command on its way. Dropped before it was sent, it is not sent; afterwards, that is of no consequence.
#[derive(Debug)]
pub struct Launch {
    pub(super) gate: Arc<Gate>,
    pub(super) sending: oneshot::Receiver<()>,
    pub(super) launched: oneshot::Receiver<Result<Arc<Command>, NotLaunched>>,
}

impl Launch {
    /// Waits until the command is about to be sent; `false` when it will not be. To be asked once.
    pub async fn sending(&mut self) -> bool {
        (&mut self.sending).await.is_ok()
    }

    /// Waits until it runs. To be asked once.
    ///
    /// # Errors
    /// When it did not start.
    pub async fn launched(&mut self) -> Result<Arc<Command>, NotLaunched> {
        let panicked = NotLaunched { error: BackendError::Closed, effect: Effect::Unknown };
        (&mut self.launched).await.unwrap_or(Err(panicked))
    }

    /// Stops waiting: what was not sent is not sent, what was is terminated as soon as it is known. Says
    /// which of the two.
    pub fn give_up(&self, by: TerminatedBy) -> Effect {
        self.gate.give_up(by)
    }

    /// Waits until a command that was given up after it was sent has been told to stop, and the line that says so
    /// is at least on its way.
    pub async fn settled(mut self) {
        let Ok(Ok(command)) = (&mut self.launched).await else { return };
        if let Some(by) = self.gate.given_up() {
            command.terminate(by);
        }
        command.ended().await;
    }
}

impl Drop for Launch {
    fn drop(&mut self) {
        self.gate.give_up(TerminatedBy::Client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_first_decides_for_both() {
        let gate = Gate::default();
        assert_eq!(gate.give_up(TerminatedBy::Client), Effect::NotDone);
        assert!(!gate.pass());
        assert_eq!(gate.give_up(TerminatedBy::Deadline), Effect::NotDone);
        assert_eq!(gate.given_up(), Some(TerminatedBy::Client));

        let gate = Gate::default();
        assert!(gate.pass());
        assert_eq!(gate.given_up(), None);
        assert_eq!(gate.give_up(TerminatedBy::Deadline), Effect::Unknown);
        assert_eq!(gate.given_up(), Some(TerminatedBy::Deadline));
        assert!(gate.pass());
    }

    #[test]
    fn a_launch_that_nobody_waits_for_is_given_up() {
        let gate = Arc::new(Gate::default());
        let (_about_to_send, sending) = oneshot::channel();
        let (_sender, launched) = oneshot::channel();
        drop(Launch { gate: Arc::clone(&gate), sending, launched });
        assert_eq!(gate.given_up(), Some(TerminatedBy::Client));
        assert!(!gate.pass());
    }
}
