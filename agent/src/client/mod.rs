//! The gateway, seen from here: one connection, one login, then jobs and lists over it.

mod http;
mod login;
mod sealed;
mod stream;
mod tls;
mod url;

pub use stream::JobStream;
pub use tls::{CA_FILE_BYTES, Trust};
pub use url::{DEFAULT_PORT, GatewayUrl};

use crate::can::checked;
use crate::error::{AgentError, GatewayFault, Refusal};
use http::{Connection, content_type, read_body, retry_after};
use hyper::Response;
use hyper::body::Incoming;
use rustls::pki_types::CertificateDer;
use sealed::Channel;
use sekisho_protocol::auth::ChannelBinding;
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::http_auth::{ClientLogin, Scheme};
use sekisho_protocol::job::{self, Capabilities, CapabilitiesRequest, JobRequest, Problem, TargetList, TargetsRequest};
use sekisho_protocol::secret::SecretText;
use std::sync::Arc;
use std::time::Duration;
use stream::EventDecoder;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// Bytes that sealing adds to a document at most: boundaries, labels, and a signature per 16 KiB.
const SEALED_SLACK: usize = 64 * 1024;

/// Where the gateway is, by what it is verified, and how long to wait for it.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The gateway's address.
    pub gateway: GatewayUrl,
    /// By what it is verified.
    pub trust: Trust,
    /// How long to wait for it.
    pub timeouts: Timeouts,
}

/// How long to wait for the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For TCP and TLS.
    pub connect: Duration,
    /// For the whole login.
    pub login: Duration,
    /// For the next line of a job, which comes every [`job::HEARTBEAT_SECONDS`] at the latest.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), login: Duration::from_secs(30), idle: Duration::from_secs(60) }
    }
}

/// A connection to the gateway that is logged in.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    channel: Channel,
    timeouts: Timeouts,
}

/// The credential for a user as people write it: `DOMAIN\name`, `name@domain` or `name`.
#[must_use]
pub fn credential(user: &str, password: SecretText) -> DelegatedCredential {
    // A UPN stays whole: its part after the at sign need not be the domain's name.
    let (domain, user) = user.split_once('\\').unwrap_or(("", user));
    DelegatedCredential { domain: domain.to_owned(), user: user.to_owned(), password }
}

impl Client {
    /// Connects and logs in. The credential is wiped when this returns.
    ///
    /// # Errors
    /// When there is no verified connection, or the login fails.
    pub async fn connect(options: &ClientOptions, credential: DelegatedCredential) -> Result<Self, AgentError> {
        let (mut connection, certificate) =
            timeout(options.timeouts.connect, open(options)).await.map_err(|_| AgentError::ConnectTimeout)??;
        let binding =
            ChannelBinding::tls_server_end_point(&certificate).map_err(|_| crate::error::CertificateFault::Other)?;
        let mut login = ClientLogin::new(Scheme::CredSsp, &credential, &options.gateway.spn(), Some(binding))
            .map_err(|_| AgentError::LoginRefused)?;
        let seal = timeout(options.timeouts.login, login::log_in(&mut connection, job::JOBS_PATH, &mut login))
            .await
            .map_err(|_| AgentError::LoginTimeout)??;
        Ok(Self { connection, channel: Channel::new(seal), timeouts: options.timeouts })
    }

    /// Submits a job; its lines follow from the stream.
    ///
    /// # Errors
    /// [`AgentError::Refused`] when the gateway refuses it as a whole. [`AgentError::Lost`] and
    /// [`AgentError::Silent`] leave open whether the job was begun.
    pub async fn submit(&mut self, request: &JobRequest) -> Result<JobStream<'_>, AgentError> {
        let json = Zeroizing::new(request.encode()?);
        let response = self.post(job::JOBS_PATH, &json).await.map_err(after_submission)?;
        let (head, body) = response.into_parts();
        let decoder = EventDecoder::new(content_type(&head.headers), &self.channel)?;
        let idle = self.timeouts.idle;
        Ok(JobStream::new(body, decoder, &mut self.channel, idle))
    }

    /// Lists the targets that the user may reach.
    ///
    /// # Errors
    /// When the gateway refuses, or breaks the protocol.
    pub async fn targets(&mut self) -> Result<TargetList, AgentError> {
        let json = TargetsRequest {}.encode()?;
        let response = self.post(job::TARGETS_PATH, &json).await?;
        let plain = self.document(response).await?;
        TargetList::decode(&plain).map_err(|_| GatewayFault::Document.into())
    }

    /// Asks what the user may do on a target; nothing is run.
    ///
    /// # Errors
    /// When the gateway refuses, or breaks the protocol.
    pub async fn capabilities(&mut self, request: &CapabilitiesRequest) -> Result<Capabilities, AgentError> {
        let json = Zeroizing::new(request.encode()?);
        let response = self.post(job::CAPABILITIES_PATH, &json).await?;
        let plain = self.document(response).await?;
        checked(request, Capabilities::decode(&plain).map_err(|_| GatewayFault::Document)?)
    }

    /// Closes the connection now, which cancels a job that is under way.
    pub async fn close(&mut self) {
        self.connection.close().await;
    }

    /// Posts a sealed document; the answer has status 200.
    async fn post(&mut self, path: &'static str, json: &[u8]) -> Result<Response<Incoming>, AgentError> {
        let sealed = self.channel.seal_json(json)?;
        let post = self.connection.post_sealed(path, &sealed.content_type, sealed.bytes);
        let response = timeout(self.timeouts.idle, post).await.map_err(|_| AgentError::Silent)??;
        if response.status().as_u16() == 200 { Ok(response) } else { Err(self.refusal(response).await) }
    }

    /// The error for a status other than 200.
    async fn refusal(&mut self, response: Response<Incoming>) -> AgentError {
        let status = response.status().as_u16();
        let retry_after_seconds = retry_after(response.headers());
        let plain = match self.document(response).await {
            Ok(plain) => plain,
            Err(error) => return error,
        };
        match Problem::decode(&plain) {
            Ok(problem) if problem.error.class.status() == status => AgentError::Refused(Refusal {
                class: problem.error.class,
                retry_after_seconds: problem.error.retry_after_seconds.or(retry_after_seconds),
                problem: Some(Box::new(problem)),
            }),
            Ok(_) => GatewayFault::Status.into(),
            Err(_) => GatewayFault::Document.into(),
        }
    }

    /// The opened body of an answer.
    async fn document(&mut self, response: Response<Incoming>) -> Result<Zeroizing<Vec<u8>>, AgentError> {
        let (head, body) = response.into_parts();
        let most = job::DOCUMENT_BYTES.saturating_add(SEALED_SLACK);
        let sealed = timeout(self.timeouts.idle, read_body(body, most)).await.map_err(|_| AgentError::Silent)??;
        self.channel.open_document(content_type(&head.headers), &sealed)
    }
}

/// Once the job was handed to the connection, a broken one does not say whether the gateway has it.
fn after_submission(error: AgentError) -> AgentError {
    if matches!(error, AgentError::Closed) { AgentError::Lost } else { error }
}

/// A verified connection and the gateway's certificate.
async fn open(options: &ClientOptions) -> Result<(Connection, CertificateDer<'static>), AgentError> {
    let connector = TlsConnector::from(Arc::new(options.trust.client_config()?));
    let gateway = &options.gateway;
    let tcp = TcpStream::connect((gateway.host(), gateway.port())).await.map_err(AgentError::Unreachable)?;
    tcp.set_nodelay(true).map_err(AgentError::Unreachable)?;
    let stream = connector.connect(gateway.server_name()?, tcp).await.map_err(tls::explain)?;
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first())
        .ok_or(AgentError::Tls)?
        .clone()
        .into_owned();
    Ok((Connection::over(stream, gateway).await?, certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_written_in_three_ways() {
        for (written, domain, user) in [
            ("CORP\\alice", "CORP", "alice"),
            (".\\alice", ".", "alice"),
            ("alice", "", "alice"),
            ("alice@corp.example", "", "alice@corp.example"),
        ] {
            let credential = credential(written, SecretText::new(String::new()));
            assert_eq!((credential.domain.as_str(), credential.user.as_str()), (domain, user));
        }
    }
}
