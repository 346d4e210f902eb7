//! Counters for Prometheus: few labels, and never the name of a user or target.

use crate::audit::Outcome;
use crate::limits::rates::LimitScope;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Gauges that are set just before they are read.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Open connections.
    pub connections: usize,
    /// Of these, not logged in.
    pub handshakes: usize,
    /// Shells, of sessions and of jobs.
    pub shells: usize,
    /// Jobs that have not ended.
    pub jobs: usize,
    /// Delegated credentials held.
    pub credentials: usize,
    /// Lines of the audit log that could not be written, since the start.
    pub audit_failures: u64,
    /// Signed heads whose copy could not be written, since the start.
    pub head_copies_failed: u64,
}

/// One command that runs, counted as long as this lives.
#[derive(Debug)]
pub struct RunningCommand(Arc<AtomicUsize>);

impl Drop for RunningCommand {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The counters of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    logins: Family<Kind, Counter>,
    decisions: Family<Kind, Counter>,
    results: Family<Kind, Counter>,
    limits: Family<Kind, Counter>,
    refused: Family<Kind, Counter>,
    audit_failures: Counter,
    head_copies_failed: Counter,
    commands: Arc<AtomicUsize>,
    now: Family<Kind, Gauge>,
    last_refusal: Mutex<Option<Instant>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("sekisho"),
            logins: Family::default(),
            decisions: Family::default(),
            results: Family::default(),
            limits: Family::default(),
            refused: Family::default(),
            audit_failures: Counter::default(),
            head_copies_failed: Counter::default(),
            commands: Arc::default(),
            now: Family::default(),
            last_refusal: Mutex::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("logins", "Logins by outcome", metrics.logins.clone());
        registry.register("decisions", "Commands judged, by decision", metrics.decisions.clone());
        registry.register("results", "Commands ended, by what is known of it", metrics.results.clone());
        registry.register("limits", "Requests refused by a rate, by its scope", metrics.limits.clone());
        registry.register("refused_connections", "Connections refused before a login, by why", metrics.refused.clone());
        registry.register("audit_failures", "Audit lines that could not be written", metrics.audit_failures.clone());
        let about = "Signed heads of the audit whose copy could not be written";
        registry.register("audit_head_copies_failed", about, metrics.head_copies_failed.clone());
        registry.register("now", "What there is at the moment", metrics.now.clone());
        metrics
    }

    /// A login that succeeded or failed.
    pub fn login(&self, kind: &'static str) {
        self.logins.get_or_create(&Kind { kind }).inc();
    }

    /// A decision.
    pub fn decision(&self, kind: &'static str) {
        self.decisions.get_or_create(&Kind { kind }).inc();
    }

    /// A command that begins to run.
    #[must_use]
    pub fn running(&self) -> RunningCommand {
        self.commands.fetch_add(1, Ordering::Relaxed);
        RunningCommand(Arc::clone(&self.commands))
    }

    /// A command's end.
    pub fn result(&self, outcome: &Outcome) {
        let kind = outcome.word();
        self.results.get_or_create(&Kind { kind }).inc();
    }

    /// A rate that was reached.
    pub fn limited(&self, scope: LimitScope) {
        self.limits.get_or_create(&Kind { kind: scope.as_str() }).inc();
    }

    /// A connection that was refused before a login.
    pub fn refused_connection(&self, kind: &'static str) {
        self.refused.get_or_create(&Kind { kind }).inc();
    }

    /// Whether no connection was refused by rate within the last second.
    pub fn first_refusal_of_second(&self) -> bool {
        let now = Instant::now();
        let mut last = self.last_refusal.lock();
        let first = last.is_none_or(|last| Duration::from_secs(1) <= now.saturating_duration_since(last));
        if first {
            *last = Some(now);
        }
        first
    }

    /// The text format, with these gauges.
    #[must_use]
    pub fn render(&self, now: Now) -> String {
        let gauges = [
            ("connections", now.connections),
            ("handshakes", now.handshakes),
            ("shells", now.shells),
            ("commands", self.commands.load(Ordering::Relaxed)),
            ("jobs", now.jobs),
            ("credentials", now.credentials),
        ];
        for (kind, value) in gauges {
            self.now.get_or_create(&Kind { kind }).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        // Counted by the audit log itself, whoever asked for the line and whatever came of it.
        self.audit_failures.inner().store(now.audit_failures, Ordering::Relaxed);
        self.head_copies_failed.inner().store(now.head_copies_failed, Ordering::Relaxed);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}
