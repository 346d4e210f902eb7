//! Rates before a judgement: refused at once, or waited for.

use super::{Ask, Guess, Refusal, context};
use crate::audit::Context;
use crate::limits::rates::{LimitScope, Limited, Toll};
use crate::state::Gateway;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

/// One operation has been counted against every rate. Made here alone, and used up by one judgement.
#[derive(Debug)]
pub struct Counted(());

/// The operations of one job, which wait for rates instead of failing at once.
#[derive(Debug, Default)]
pub struct Queue {
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
    /// Counts one operation, waiting as long as the rates say. Dropping the future is no harm.
    ///
    /// # Errors
    /// When the wait would end after `deadline`.
    pub async fn count(&self, gateway: &Gateway, ask: &Ask<'_>, deadline: Instant) -> Result<Counted, Refusal> {
        let mut toll = Toll::default();
        let pay = || gateway.rates.pay(&mut toll, &ask.identity.principal, ask.target.name.as_str());
        self.pay(gateway, pay, || context(&gateway.live_full(), ask), deadline).await?;
        Ok(Counted(()))
    }

    /// Counts one name that leads to no target, in the same way.
    ///
    /// # Errors
    /// When the wait would end after `deadline`.
    pub async fn count_closed(&self, gateway: &Gateway, guess: Guess<'_>, deadline: Instant) -> Result<(), Refusal> {
        let mut toll = Toll::default();
        let pay = || gateway.rates.pay_request(&mut toll, &guess.identity.principal);
        self.pay(gateway, pay, || guess.context(gateway), deadline).await
    }

    async fn pay(
        &self,
        gateway: &Gateway,
        mut pay: impl FnMut() -> Result<(), Limited>,
        context: impl Fn() -> Context,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        while let Err(limited) = pay() {
            if self.is_first(limited.scope) {
                gateway.audit_limit(&context(), limited).await;
            }
            wait(limited, deadline).await?;
        }
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

/// Waits as long as a rate says, or not at all when that is too long.
async fn wait(limited: Limited, deadline: Instant) -> Result<(), Refusal> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left <= limited.retry_after {
        return Err(Refusal::Limited(limited));
    }
    sleep(limited.retry_after).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_waited_for_within_the_deadline_and_not_for_nothing() {
        let began = Instant::now();
        let limited = Limited { scope: LimitScope::Principal, retry_after: Duration::from_secs(3) };
        assert!(wait(limited, began + Duration::from_secs(4)).await.is_ok());
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        let refused = wait(limited, Instant::now() + Duration::from_secs(3)).await;
        assert_eq!(refused, Err(Refusal::Limited(limited)));
        assert_eq!(began.elapsed(), Duration::from_secs(3), "what cannot help is not waited for");
    }

    #[test]
    fn a_limit_is_written_once_for_each_scope() {
        let queue = Queue::default();
        assert!(queue.is_first(LimitScope::Principal));
        assert!(!queue.is_first(LimitScope::Principal));
        assert!(queue.is_first(LimitScope::Target));
    }
}
