//! Rates before a judgement: refused at once, or waited for.

use super::{Ask, Refusal, context};
use crate::limits::rates::{LimitScope, Limited, Toll};
use crate::state::Gateway;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

/// One operation has been counted against every rate. Made here alone, and used up by one judgement.
#[derive(Debug)]
pub struct Counted(());

/// The operations of one job, which wait for rates instead of failing.
#[derive(Debug)]
pub struct Queue {
    deadline: Instant,
    /// The scopes whose limit was written: once for a job, however often its targets wait for it.
    written: Mutex<Vec<LimitScope>>,
}

/// Counts one operation now; a limit is written.
///
/// # Errors
/// When a rate is reached.
pub(super) async fn count(gateway: &Gateway, ask: &Ask<'_>) -> Result<Counted, Refusal> {
    match gateway.rates.operation(&ask.identity.principal, ask.target.name.as_str()) {
        Ok(()) => Ok(Counted(())),
        Err(limited) => {
            let context = context(&gateway.live_full(), ask);
            gateway.audit_limit(&context, limited).await;
            Err(Refusal::Limited(limited))
        }
    }
}

impl Queue {
    /// Nothing waits beyond `deadline`.
    #[must_use]
    pub fn new(deadline: Instant) -> Self {
        Self { deadline, written: Mutex::default() }
    }

    /// Counts one operation, waiting as long as the rates say. Dropping the future is no harm.
    ///
    /// # Errors
    /// When the wait would end after the deadline.
    pub async fn count(&self, gateway: &Gateway, ask: &Ask<'_>) -> Result<Counted, Refusal> {
        let mut toll = Toll::default();
        loop {
            let paid = gateway.rates.pay(&mut toll, &ask.identity.principal, ask.target.name.as_str());
            let Err(limited) = paid else { return Ok(Counted(())) };
            self.wait(gateway, ask, limited).await?;
        }
    }

    async fn wait(&self, gateway: &Gateway, ask: &Ask<'_>, limited: Limited) -> Result<(), Refusal> {
        if self.is_first(limited.scope) {
            let context = context(&gateway.live_full(), ask);
            gateway.audit_limit(&context, limited).await;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left <= limited.retry_after {
            return Err(Refusal::Limited(limited));
        }
        sleep(limited.retry_after).await;
        Ok(())
    }

    fn is_first(&self, scope: LimitScope) -> bool {
        let mut written = self.written.lock();
        let first = !written.contains(&scope);
        if first {
            written.push(scope);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_written_once_for_each_scope() {
        let queue = Queue::new(Instant::now() + Duration::from_secs(1));
        assert!(queue.is_first(LimitScope::Principal));
        assert!(!queue.is_first(LimitScope::Principal));
        assert!(queue.is_first(LimitScope::Target));
    }
}
