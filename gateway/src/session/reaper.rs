//! Ends shells that nobody uses any more, on both sides.

use super::command::TerminatedBy;
use crate::audit::SessionEnd;
use crate::state::Gateway;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked.
const INTERVAL: Duration = Duration::from_secs(5);

/// Looks for idle and outlived shells until `stop`.
pub async fn reap_forever(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut clock = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            _ = clock.tick() => reap(&gateway).await,
            () = stop.cancelled() => return,
        }
    }
}

async fn reap(gateway: &Arc<Gateway>) {
    let rules = gateway.live().config.sessions.clone();
    let outlived = gateway.sessions.take(|shell| rules.lifetime <= shell.run_time());
    let idle = gateway.sessions.take(|shell| rules.idle <= shell.inactivity());
    let lifetimes = outlived.into_iter().map(|shell| (shell, SessionEnd::Lifetime, TerminatedBy::Deadline));
    let idles = idle.into_iter().map(|shell| (shell, SessionEnd::Idle, TerminatedBy::Idle));
    for (shell, reason, by) in lifetimes.chain(idles) {
        tracing::info!(shell = %shell.id(), target = %shell.target().name, ?reason, "Shell reaped");
        let closing = Arc::clone(gateway);
        // Targets that hang must not keep the others waiting.
        gateway.tasks.spawn(async move { shell.close(&closing, reason, by).await });
    }
    gateway.rates.forget_idle();
}
