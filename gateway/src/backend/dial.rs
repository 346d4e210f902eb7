//! Connecting and logging in to a target.

use super::connection::Connection;
use super::error::{BackendError, Effect};
use super::http::{HttpConnection, Kind};
use super::idle::IdleConnections;
use super::quota::{ConnectionPlace, Patience, Quota, Quotas, Reserved, ShellPlace};
use super::trust::{TrustError, client_config};
use crate::config::{Target, TargetAuthentication, TargetTransport};
use crate::credentials::{CredentialStore, Lease};
use crate::identity::PrincipalName;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use sekisho_protocol::auth::ChannelBinding;
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::error::AuthFailure;
use sekisho_protocol::http_auth::{ClientLogin, LoginStep, Scheme};
use sekisho_protocol::sealing::MessageSeal;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use uuid::Uuid;

/// Legs of one login. CredSSP over TLS 1.3 takes six.
const MAX_LEGS: usize = 12;

/// Everything needed to reach one target.
#[derive(Debug)]
pub struct Dialer {
    target: Arc<Target>,
    tls: Option<Arc<ClientConfig>>,
    store: Arc<CredentialStore>,
    quota: Quota,
}

impl Dialer {
    /// Reads what the target's trust names.
    ///
    /// # Errors
    /// When its roots cannot be read.
    pub fn new(target: Arc<Target>, store: Arc<CredentialStore>, quotas: &Quotas) -> Result<Self, TrustError> {
        let tls = client_config(&target)?;
        let quota = quotas.of(&target);
        Ok(Self { target, tls, store, quota })
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// A place for one more shell of this principal on the target.
    pub(super) fn shell_place(&self, principal: &PrincipalName) -> Result<ShellPlace, BackendError> {
        self.quota.shell(principal)
    }

    /// A place for one more connection.
    pub(super) async fn connection_place(&self, patience: Patience) -> Result<ConnectionPlace, BackendError> {
        self.quota.connection(patience).await
    }

    /// Waits for a place for one more shell of this principal and its connection.
    ///
    /// # Errors
    /// When the target allows none before `deadline`.
    pub async fn reserve(&self, principal: &PrincipalName, deadline: Instant) -> Result<Reserved, BackendError> {
        self.quota.reserve(principal, deadline).await
    }

    /// Connections of all shells on this target that are not used.
    pub(super) fn idle(&self) -> &IdleConnections {
        self.quota.idle()
    }

    /// Keeps a connection for the shell that has used it, or for whoever needs its place.
    pub(super) fn keep(&self, shell: Uuid, connection: Connection) {
        self.quota.idle().keep(shell, connection);
        self.quota.freed();
    }

    /// A new connection in this place, logged in as this principal.
    pub(super) async fn connect(
        &self,
        principal: &PrincipalName,
        place: ConnectionPlace,
    ) -> Result<Connection, BackendError> {
        let deadline = after(self.target.connect_timeout);
        let late = |_late| BackendError::TimedOut(Effect::NotDone);
        let (mut http, binding) = timeout_at(deadline, self.open()).await.map_err(late)??;
        let lease = self.store.lease(principal, self.target.account_domain.as_deref(), deadline).await?;
        let seal = timeout_at(deadline, self.login(&mut http, &lease, binding)).await.map_err(late).flatten();
        match &seal {
            Ok(_) => lease.accepted(),
            Err(BackendError::LoginRefused) => lease.refused(),
            Err(_) => drop(lease),
        }
        let seal = seal?;
        // With TLS, bodies are protected by it, and stock targets expect them in clear.
        let seal = if self.tls.is_some() { None } else { Some(seal) };
        Ok(Connection::new(http, seal, self.url(), self.target.read_timeout, place))
    }

    async fn open(&self) -> Result<(HttpConnection, Option<ChannelBinding>), BackendError> {
        let stream = TcpStream::connect((self.target.host.as_str(), self.target.port))
            .await
            .map_err(|_refused| BackendError::Unreachable)?;
        stream.set_nodelay(true).map_err(|_gone| BackendError::Unreachable)?;
        let host = format!("{}:{}", self.target.host, self.target.port);
        let (Some(config), TargetTransport::Https { server_name, .. }) = (&self.tls, &self.target.transport) else {
            return Ok((HttpConnection::open(stream, &host).await?, None));
        };
        let name = ServerName::try_from(server_name.clone()).map_err(|_not_a_name| BackendError::Tls)?;
        let stream =
            TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(|_refused| BackendError::Tls)?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).ok_or(BackendError::Tls)?;
        let binding = ChannelBinding::tls_server_end_point(certificate).map_err(BackendError::Login)?;
        Ok((HttpConnection::open(stream, &host).await?, Some(binding)))
    }

    async fn login(
        &self,
        http: &mut HttpConnection,
        lease: &Lease,
        binding: Option<ChannelBinding>,
    ) -> Result<Box<dyn MessageSeal>, BackendError> {
        let scheme = match self.target.authentication {
            TargetAuthentication::Negotiate => Scheme::Negotiate,
            TargetAuthentication::CredSsp => Scheme::CredSsp,
        };
        let mut login = self.prepare(scheme, lease.credential()?, binding)?;
        let mut authorization = login.start().map_err(BackendError::Login)?;
        for _leg in 0..MAX_LEGS {
            let answered = http.post(Kind::Login { authorization: &authorization }, Vec::new()).await;
            // Whatever broke: a login runs nothing.
            let answer = answered.map_err(|_broken| BackendError::Broken(Effect::NotDone))?;
            match login.step(answer.status.as_u16(), &answer.challenges()) {
                Ok(LoginStep::Send { authorization: next }) => authorization = next,
                Ok(LoginStep::Done(seal)) => return Ok(seal),
                Err(sekisho_protocol::Error::Auth(AuthFailure::RefusedByPeer)) => {
                    return Err(BackendError::LoginRefused);
                }
                Err(error) => return Err(BackendError::Login(error)),
            }
        }
        Err(BackendError::Login(sekisho_protocol::error::LimitExceeded::LoginLegs.into()))
    }

    fn prepare(
        &self,
        scheme: Scheme,
        credential: &DelegatedCredential,
        binding: Option<ChannelBinding>,
    ) -> Result<ClientLogin, BackendError> {
        ClientLogin::new(scheme, credential, &self.target.spn, binding).map_err(BackendError::Login)
    }

    fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}:{}/wsman", self.target.host, self.target.port)
    }
}

fn after(time: std::time::Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}
