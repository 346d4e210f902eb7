//! What all parts of a running gateway share, and what a reload replaces at once.

use crate::audit::{Audit, AuditError, Context, Event, EventKind, Receipt};
use crate::backend::{Dialer, Quotas, TrustError};
use crate::config::{self, Config, Limits, Target, TargetName};
use crate::credentials::CredentialStore;
use crate::identity::IdentityProvider;
use crate::jobs::JobTable;
use crate::limits::lockout::{Lockout, LockoutRules};
use crate::limits::rates::{Limited, Rate, RateRules, Rates};
use crate::listener::caps::{CapRules, Caps};
use crate::recording::Recordings;
use crate::session::SessionTable;
use crate::telemetry::Metrics;
use arc_swap::{ArcSwap, Guard};
use sekisho_policy::{Policy, TargetFacts};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a reload replaces: read whole, checked whole, then swapped in.
#[derive(Debug)]
pub struct Live {
    /// The configuration.
    pub config: Config,
    /// The allowlist.
    pub policy: Policy,
    /// Who there is.
    pub identity: Box<dyn IdentityProvider>,
    targets: BTreeMap<TargetName, Reachable>,
}

#[derive(Debug)]
struct Reachable {
    dialer: Arc<Dialer>,
    facts: TargetFacts,
}

impl Live {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When a target's roots cannot be read.
    pub fn new(
        config: Config,
        policy: Policy,
        identity: Box<dyn IdentityProvider>,
        reach: &Reach,
    ) -> Result<Self, TrustError> {
        let mut targets = BTreeMap::new();
        for target in config.targets.iter() {
            let dialer =
                Arc::new(Dialer::new(Arc::new(target.clone()), Arc::clone(&reach.credentials), &reach.quotas)?);
            let facts = TargetFacts {
                name: target.name.to_string(),
                groups: config.targets.groups_of(&target.name).into_iter().map(ToString::to_string).collect(),
                tags: target.tags.clone(),
                edition: target.edition,
            };
            targets.insert(target.name.clone(), Reachable { dialer, facts });
        }
        Ok(Self { config, policy, identity, targets })
    }

    /// How to reach a target of the table.
    #[must_use]
    pub fn dialer(&self, target: &Target) -> Option<&Arc<Dialer>> {
        self.targets.get(&target.name).map(|reachable| &reachable.dialer)
    }

    /// What policy knows of a target; nothing of one that has left the table, so that it is denied. A name that
    /// leads elsewhere now is another target: an open shell must not be judged as the machine it is not on.
    #[must_use]
    pub fn facts(&self, target: &Target) -> Option<&TargetFacts> {
        let known = self.targets.get(&target.name)?;
        known.dialer.target().is_same_machine(target).then_some(&known.facts)
    }
}

/// What reaching targets needs, whatever the configuration says.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Delegated credentials.
    pub credentials: Arc<CredentialStore>,
    /// What is in use of each target.
    pub quotas: Arc<Quotas>,
}

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    live: ArcSwap<Live>,
    /// The audit log.
    pub audit: Audit,
    /// What reaching targets needs.
    pub reach: Reach,
    /// Connections and handshakes.
    pub caps: Arc<Caps>,
    /// Requests over time.
    pub rates: Rates,
    /// Failed logins.
    pub lockout: Lockout,
    /// Shells.
    pub sessions: SessionTable,
    /// Jobs.
    pub jobs: Arc<JobTable>,
    /// What sessions show.
    pub recordings: Recordings,
    /// Counters.
    pub metrics: Metrics,
    /// Tasks that must end before the process does.
    pub tasks: TaskTracker,
    /// No new work from here on.
    pub stopping: CancellationToken,
    /// Connections end from here on.
    pub drained: CancellationToken,
    /// Somebody asks for a reload.
    pub reload: Notify,
}

impl Gateway {
    /// A gateway that listens to nobody yet.
    #[must_use]
    pub fn new(live: Live, audit: Audit, reach: Reach) -> Arc<Self> {
        let limits = live.config.limits.clone();
        Arc::new_cyclic(|gateway| Self {
            recordings: Recordings::new(Weak::clone(gateway)),
            caps: Caps::new(caps(&limits)),
            rates: Rates::new(rates(&limits.rates)),
            lockout: Lockout::new(lockout(&limits.lockout)),
            live: ArcSwap::from_pointee(live),
            audit,
            reach,
            sessions: SessionTable::default(),
            jobs: Arc::default(),
            metrics: Metrics::new(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            drained: CancellationToken::new(),
            reload: Notify::new(),
        })
    }

    /// What is in force now. To be asked anew for each decision, so that a reload binds the next command.
    pub fn live(&self) -> Guard<Arc<Live>> {
        self.live.load()
    }

    /// What is in force now, to be kept over a wait.
    #[must_use]
    pub fn live_full(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Replaces what is in force.
    pub fn replace(&self, live: Live) {
        self.live.store(Arc::new(live));
    }

    /// Writes one line, loud when that fails. Where the operator chose so, a lost line is no error.
    ///
    /// # Errors
    /// When it could not be written: what it tells of must not be done.
    pub async fn write(&self, mut event: Event) -> Result<(), AuditError> {
        // Every line names the policy: the one that judged, or else the one in force.
        event.context.policy.get_or_insert_with(|| self.live().policy.digest().to_owned());
        let written = self.audit.append(&event).await;
        match &written {
            Ok(Receipt::Written) => {}
            Ok(Receipt::Lost) => {
                tracing::error!("A line of the audit log was lost, and the configuration says to go on")
            }
            Err(error) => tracing::error!(%error, "The audit log cannot be written"),
        }
        written.map(drop)
    }

    /// Writes about something that has happened and cannot be taken back: a failure is loud, and changes nothing.
    pub async fn audit_after(&self, event: Event) {
        let _said = self.write(event).await;
    }

    /// Writes that a rate was reached.
    pub async fn audit_limit(&self, context: &Context, limited: Limited) {
        self.metrics.limited(limited.scope);
        let limit = limited.scope.as_str().to_owned();
        let kind = EventKind::Limit { limit, retry_after: Some(limited.retry_after) };
        self.audit_after(Event::new(kind, context)).await;
    }

    /// Counts a connection or login that was refused by its address's rate, and writes it without making anybody
    /// wait.
    pub fn audit_refused_address(self: &Arc<Self>, kind: &'static str, peer: SocketAddr, limited: Limited) {
        self.metrics.refused_connection(kind);
        let gateway = Arc::clone(self);
        let context = Context { client_addr: Some(peer), ..Context::default() };
        // The first of a burst is enough: the log must not be filled by whoever is refused.
        if self.metrics.first_refusal_of_second() {
            self.tasks.spawn(async move { gateway.audit_limit(&context, limited).await });
        }
    }
}

fn caps(limits: &Limits) -> CapRules {
    CapRules {
        connections: limits.connections,
        connections_per_address: limits.connections_per_address,
        handshakes: limits.handshakes,
        handshakes_per_address: limits.handshakes_per_address,
    }
}

fn rates(rates: &config::Rates) -> RateRules {
    let rate = |rate: config::Rate| Rate { per_minute: rate.per_minute, burst: rate.burst };
    RateRules {
        address: rate(rates.logins_per_address),
        principal: rate(rates.commands_per_principal),
        target: rate(rates.commands_per_target),
        total: rate(rates.commands),
    }
}

fn lockout(rules: &config::Lockout) -> LockoutRules {
    LockoutRules {
        threshold: rules.failures.saturating_add(1),
        base: rules.first,
        maximum: rules.longest,
        account_delay: rules.account_delay,
    }
}
