//! A WinRM target of the demo: HTTPS on loopback, a login that insists on its channel binding, and shells whose
//! programs are local ones of a closed table, and whose cmdlets are a few of its own. It serves the demo and nothing else.

mod connection;
mod powershell;
mod programs;
mod run;
mod service;
mod shell;

#[cfg(test)]
mod tests;

use connection::Connection;
use powershell::Machine;
#[cfg(test)]
pub(super) use powershell::{Asked, Heard, Say};
#[cfg(test)]
pub(super) use programs::paths;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho_protocol::auth::{AccountName, AccountSource, BindingRule, ChannelBinding, NegotiateAcceptor, NtHash};
use service::Service;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections at the same time.
const MAX_CONNECTIONS: usize = 64;
/// How long the end of connections and programs is waited for.
const STOP: Duration = Duration::from_secs(5);
/// How long accept pauses when the process is out of file descriptors, so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why a target does not start.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No socket.
    #[error("a demo target cannot listen on 127.0.0.1: {0}")]
    Bind(std::io::Error),
    /// TLS refuses the certificate.
    #[error("the certificate of a demo target cannot be used: {0}")]
    Tls(rustls::Error),
    /// No channel can be bound to the certificate.
    #[error("the certificate of a demo target cannot be used: {0}")]
    Binding(sekisho_protocol::Error),
}

/// What a target is and whom it lets in.
pub(super) struct Setup {
    /// Its own name, which users may write as their domain.
    pub(super) name: String,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) accounts: Vec<(String, NtHash)>,
    /// What its cmdlets show of files.
    pub(super) folder: PathBuf,
}

/// What all connections of one target share.
#[derive(Debug)]
struct Target {
    tls: Tls,
    binding: ChannelBinding,
    accounts: Arc<Accounts>,
    service: Service,
    stop: CancellationToken,
}

impl Target {
    /// A login without the binding, or with that of another channel, is refused.
    fn acceptor(&self) -> NegotiateAcceptor {
        let accounts = Arc::clone(&self.accounts);
        NegotiateAcceptor::new(accounts, BindingRule::OneOf(vec![self.binding.clone()]))
    }
}

/// A target that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) address: SocketAddr,
    target: Arc<Target>,
    tasks: TaskTracker,
}

impl Running {
    /// Starts a target on a free port of 127.0.0.1.
    pub(super) async fn start(setup: Setup) -> Result<Self, TargetError> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(TargetError::Bind)?;
        let address = socket.local_addr().map_err(TargetError::Bind)?;
        let binding = ChannelBinding::tls_server_end_point(&setup.certificate).map_err(TargetError::Binding)?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let target = Arc::new(Target {
            tls: Tls::new(setup.certificate, setup.key)?,
            binding,
            service: Service::new(
                Arc::new(Machine::new(setup.name.clone(), setup.folder)),
                tasks.clone(),
                stop.clone(),
            ),
            accounts: Arc::new(Accounts { machine: setup.name, accounts: setup.accounts }),
            stop,
        });
        tasks.spawn(accept(socket, Arc::clone(&target), tasks.clone()));
        Ok(Self { address, target, tasks })
    }

    /// How many shells are open.
    #[cfg(test)]
    pub(super) fn shells(&self) -> usize {
        self.target.service.shells()
    }

    /// What its cmdlets work on.
    #[cfg(test)]
    pub(super) fn machine(&self) -> &Machine {
        self.target.service.machine()
    }

    /// Ends connections and programs, and waits for them.
    pub(super) async fn stop(self) {
        self.target.stop.cancel();
        self.tasks.close();
        // What is left after that ends with the process: programs are killed with their handles.
        let _ = tokio::time::timeout(STOP, self.tasks.wait()).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.target.stop.cancel();
    }
}

async fn accept(socket: TcpListener, target: Arc<Target>, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = target.stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(_out_of_descriptors) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Nobody waits for a place: who finds none is sent away.
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let connection = Connection::new(Arc::clone(&target), peer);
            tasks.spawn(async move {
                connection.serve(stream).await;
                drop(place);
            });
        }
    }
}

/// The target's TLS.
struct Tls(TlsAcceptor);

impl Tls {
    fn new(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<Self, TargetError> {
        let mut config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(TargetError::Tls)?
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .map_err(TargetError::Tls)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

impl std::ops::Deref for Tls {
    type Target = TlsAcceptor;

    fn deref(&self) -> &TlsAcceptor {
        &self.0
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// The accounts that a target knows.
#[derive(Debug)]
struct Accounts {
    machine: String,
    accounts: Vec<(String, NtHash)>,
}

impl AccountSource for Accounts {
    /// A name stands alone or under the machine's own name, as with local accounts of Windows.
    fn nt_hash(&self, claimed: &AccountName) -> Option<NtHash> {
        let local = claimed.domain.is_empty() || claimed.domain.eq_ignore_ascii_case(&self.machine);
        let known = self.accounts.iter().find(|(name, _)| name.eq_ignore_ascii_case(&claimed.user));
        known.filter(|_| local).map(|(_, hash)| hash.with(|bytes| NtHash::from_bytes(*bytes)))
    }
}
