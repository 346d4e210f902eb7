//! What ends a job before its time.

use crate::audit::TerminatedBy;
use std::sync::OnceLock;
use tokio_util::sync::CancellationToken;

/// Why a job ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Nobody listens any more.
    ClientGone,
    /// The time that a job may take is over.
    Deadline,
    /// The gateway ends.
    Shutdown,
}

impl Why {
    /// For the audit log.
    pub(super) fn by(self) -> TerminatedBy {
        match self {
            Self::ClientGone => TerminatedBy::Client,
            Self::Deadline => TerminatedBy::Deadline,
            Self::Shutdown => TerminatedBy::Shutdown,
        }
    }
}

/// Ends a job: the first reason counts.
#[derive(Debug)]
pub(super) struct Stop {
    why: OnceLock<Why>,
    token: CancellationToken,
    /// The gateway takes no new work; what runs may go on for a while.
    closing: CancellationToken,
}

impl Stop {
    pub(super) fn new(closing: CancellationToken) -> Self {
        Self { why: OnceLock::new(), token: CancellationToken::new(), closing }
    }

    /// Ends what runs, and begins nothing more.
    pub(super) fn stop(&self, why: Why) {
        self.why.get_or_init(|| why);
        self.token.cancel();
    }

    /// Why what runs has to end, once it has.
    pub(super) fn why(&self) -> Option<Why> {
        self.why.get().copied()
    }

    /// Why nothing more is begun, once that is so.
    pub(super) fn halt(&self) -> Option<Why> {
        self.why().or_else(|| self.closing.is_cancelled().then_some(Why::Shutdown))
    }

    /// Waits until what runs has to end.
    pub(super) async fn stopped(&self) -> Why {
        self.token.cancelled().await;
        self.why().unwrap_or(Why::Shutdown)
    }

    /// Waits until nothing more is begun.
    pub(super) async fn halted(&self) -> Why {
        tokio::select! {
            why = self.stopped() => why,
            () = self.closing.cancelled() => self.why().unwrap_or(Why::Shutdown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn the_first_reason_counts() {
        let stop = Stop::new(CancellationToken::new());
        assert_eq!((stop.why(), stop.halt(), stop.stopped().now_or_never()), (None, None, None));
        stop.stop(Why::Deadline);
        stop.stop(Why::ClientGone);
        assert_eq!((stop.why(), stop.halt()), (Some(Why::Deadline), Some(Why::Deadline)));
        assert_eq!(stop.halted().now_or_never(), Some(Why::Deadline));
    }

    #[test]
    fn a_gateway_that_takes_no_new_work_lets_go_on_what_runs() {
        let closing = CancellationToken::new();
        let stop = Stop::new(closing.clone());
        closing.cancel();
        assert_eq!((stop.why(), stop.stopped().now_or_never()), (None, None));
        assert_eq!((stop.halt(), stop.halted().now_or_never()), (Some(Why::Shutdown), Some(Why::Shutdown)));
    }
}
