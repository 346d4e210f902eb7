//! `serve`: puts a gateway together from its configuration, runs it, reloads it, and drains it.

use crate::admin;
use crate::audit::{Audit, Context, Event, EventKind, ReloadOutcome, SessionEnd, StopReason};
use crate::commands::Status;
use crate::config::Config;
use crate::credentials::CredentialStore;
use crate::identity::LocalAccounts;
use crate::listener::accept::{Door, accept};
use crate::policy_files;
use crate::recording::desk;
use crate::session::{TerminatedBy, reap_forever};
use crate::state::{Gateway, Live, Reach};
use crate::telemetry;
use sekisho_protocol::memory::wipe_stack;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long cleaning up at targets may take after commands that run had their time. More than the two steps at
/// one target may, so that what is known by then is written.
const CLEANUP: Duration = Duration::from_secs(15);
/// How often the drain looks whether it is done.
const DRAIN_STEP: Duration = Duration::from_millis(100);

/// Why the gateway does not start, or a reload was refused.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration has mistakes.
    #[error("{0}")]
    Config(crate::config::ConfigError),
    /// The policy has mistakes.
    #[error("{0}")]
    Policy(policy_files::PolicyError),
    /// The accounts cannot be read.
    #[error("{0}")]
    Accounts(crate::identity::AccountsError),
    /// A certificate cannot be used.
    #[error("{0}")]
    Certificate(#[from] crate::listener::tls::CertificateError),
    /// A target's roots cannot be used.
    #[error("{0}")]
    Trust(#[from] crate::backend::TrustError),
    /// The audit log cannot be opened.
    #[error("{0}")]
    Audit(#[from] crate::audit::OpenError),
    /// Logging cannot be started.
    #[error("{0}")]
    Log(#[from] telemetry::LogError),
    /// The credential store cannot be made.
    #[error("{0}")]
    Store(#[from] crate::credentials::LeaseError),
    /// A socket cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The system refuses something else.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// The command `serve`: a runtime of its own, and what there is to say on standard output.
///
/// # Errors
/// When the gateway cannot be started.
pub fn command(file: &Path) -> Result<Status, ServeError> {
    // Requests leave pieces of themselves on the stacks of the threads that work on them.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().on_thread_park(wipe_stack).build()?;
    runtime.block_on(run(file, &mut std::io::stdout()))?;
    // Blocking work that hangs, such as a name that does not resolve, must not keep the process alive.
    runtime.shutdown_background();
    Ok(Status::Fine)
}

/// Runs until a signal says to stop.
///
/// # Errors
/// When it cannot be started.
pub async fn run(file: &Path, out: &mut dyn Write) -> Result<(), ServeError> {
    let config = Config::load(file).map_err(ServeError::Config)?;
    telemetry::start(&config.log)?;
    for warning in sekisho_protocol::memory::harden_process() {
        tracing::warn!(%warning, "The process could not be hardened in full");
    }
    let mut hangup = signal(SignalKind::hangup())?;
    let mut stop = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let server = Server::start(config).await?;
    for address in &server.addresses {
        writeln!(out, "listening on {address}")?;
    }
    out.flush()?;
    let file = file.to_owned();
    loop {
        tokio::select! {
            () = server.reload_requested() => server.reload(&file).await,
            _ = hangup.recv() => server.reload(&file).await,
            () = any(&mut stop) => break,
        }
    }
    server.stop(StopReason::Signal).await;
    Ok(())
}

async fn any(signals: &mut [Signal; 2]) {
    let [terminate, interrupt] = signals;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// A gateway that runs.
#[derive(Debug)]
pub struct Server {
    /// What its parts share.
    pub gateway: Arc<Gateway>,
    /// Where it listens to clients.
    pub addresses: Vec<SocketAddr>,
    /// Where health and metrics are.
    pub admin: Option<SocketAddr>,
    accepting: CancellationToken,
    background: CancellationToken,
}

impl Server {
    /// Binds everything and starts to serve.
    ///
    /// # Errors
    /// When any part cannot be started; nothing is left running then.
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        for warning in &config.warnings {
            tracing::warn!(%warning, "A dangerous setting is in force");
        }
        let reach = Reach { credentials: CredentialStore::new()?, quotas: Arc::default() };
        let settings = config.audit.clone();
        let directory = settings.directory.clone();
        let live = assemble(config, &reach)?;
        let sockets = bind(&live.config).await?;
        let admin = match live.config.admin.address {
            Some(address) => Some(bind_one(address).await?),
            None => None,
        };
        let start = Event::new(EventKind::Start { version: env!("CARGO_PKG_VERSION").to_owned() }, &context(&live));
        let (audit, opened) = Audit::open(&settings, Arc::new(OffsetDateTime::now_utc), &start)?;
        tracing::info!(
            seq = opened.seq,
            torn_bytes = opened.torn_bytes,
            policy = live.policy.digest(),
            "Audit log opened"
        );
        let gateway = Gateway::new(live, audit, reach);
        let server = Self {
            addresses: sockets.iter().filter_map(|(_, socket)| socket.local_addr().ok()).collect(),
            admin: admin.as_ref().and_then(|socket| socket.local_addr().ok()),
            gateway,
            accepting: CancellationToken::new(),
            background: CancellationToken::new(),
        };
        server.gateway.recordings.start().await;
        server.spawn(sockets, admin);
        server.attend_readers(&directory);
        Ok(server)
    }

    fn spawn(&self, sockets: Vec<(Arc<Door>, TcpListener)>, admin: Option<TcpListener>) {
        for (door, socket) in sockets {
            tracing::info!(address = %door.address, "Listening");
            tokio::spawn(accept(Arc::clone(&self.gateway), door, socket, self.accepting.clone()));
        }
        if let Some(socket) = admin {
            tokio::spawn(admin::serve(Arc::clone(&self.gateway), socket, self.background.clone()));
        }
        tokio::spawn(reap_forever(Arc::clone(&self.gateway), self.background.clone()));
    }

    /// Without the socket nobody can read a recording while the gateway runs, and nothing else is wrong.
    fn attend_readers(&self, directory: &Path) {
        match desk::bind(directory) {
            Ok(socket) => {
                tokio::spawn(desk::serve(Arc::clone(&self.gateway), socket, self.background.clone()));
            }
            Err(error) => tracing::warn!(%error, "Recordings cannot be shown while the gateway runs"),
        }
    }

    /// Waits until somebody asks for a reload at the admin listener.
    pub async fn reload_requested(&self) {
        self.gateway.reload.notified().await;
    }

    /// Reads everything anew and swaps it in whole, or keeps the old and says why.
    pub async fn reload(&self, file: &Path) {
        let old = self.gateway.live_full();
        let old_policy = Some(old.policy.digest().to_owned());
        let read =
            Config::load(file).map_err(ServeError::Config).and_then(|config| assemble(config, &self.gateway.reach));
        let (outcome, new_policy) = match read {
            Ok(live) => {
                let digest = live.policy.digest().to_owned();
                self.gateway.replace(live);
                tracing::info!(policy = %digest, "Configuration and policy reloaded");
                (ReloadOutcome::Taken, Some(digest))
            }
            Err(error) => {
                tracing::error!(%error, "Reload refused, the old configuration and policy stay in force");
                (ReloadOutcome::Refused, None)
            }
        };
        let context = context(&self.gateway.live());
        self.gateway.audit_after(Event::new(EventKind::Reload { outcome, old_policy, new_policy }, &context)).await;
    }

    /// Takes no new work, lets running commands end, cleans up at targets, wipes, and closes the audit log.
    pub async fn stop(self, reason: StopReason) {
        let gateway = &self.gateway;
        tracing::info!("Stopping");
        self.accepting.cancel();
        gateway.stopping.cancel();
        let idle = async {
            while 0 < gateway.sessions.running_commands().saturating_add(gateway.jobs.running()) {
                sleep(DRAIN_STEP).await;
            }
        };
        let drain = gateway.live().config.sessions.drain;
        if timeout(drain, idle).await.is_err() {
            tracing::warn!("Commands still ran when the time to drain was over; they are terminated");
        }
        gateway.drained.cancel();
        for shell in gateway.sessions.take(|_| true) {
            let closing = Arc::clone(gateway);
            gateway
                .tasks
                .spawn(async move { shell.close(&closing, SessionEnd::Shutdown, TerminatedBy::Shutdown).await });
        }
        gateway.tasks.close();
        if timeout(CLEANUP, gateway.tasks.wait()).await.is_err() {
            tracing::warn!("Not everything could be cleaned up at the targets");
        }
        self.background.cancel();
        let stop = Event::new(EventKind::Stop { reason }, &context(&gateway.live()));
        if let Err(error) = gateway.audit.close(&stop).await {
            tracing::error!(%error, "The audit log could not be closed");
        }
        tracing::info!("Stopped");
    }
}

fn assemble(config: Config, reach: &Reach) -> Result<Live, ServeError> {
    let policy = policy_files::load(&config.policy).map_err(ServeError::Policy)?;
    let identity = LocalAccounts::load(&config.accounts).map_err(ServeError::Accounts)?;
    Ok(Live::new(config, policy, Box::new(identity), reach)?)
}

fn context(live: &Live) -> Context {
    Context { policy: Some(live.policy.digest().to_owned()), ..Context::default() }
}

async fn bind(config: &Config) -> Result<Vec<(Arc<Door>, TcpListener)>, ServeError> {
    let mut sockets = Vec::new();
    for listener in &config.listeners {
        let door = Door::new(listener, &config.credssp)?;
        sockets.push((Arc::new(door), bind_one(listener.address).await?));
    }
    Ok(sockets)
}

async fn bind_one(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
}
