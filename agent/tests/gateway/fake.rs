//! A gateway for the agent's tests, on loopback: real TLS, the protocol crate's own CredSSP acceptor and seals, and
//! HTTP written by hand, so that a test decides on every byte.
//!
//! Not proven by it: that the real gateway answers like this (the end-to-end tests run both), and that another
//! implementation of CredSSP accepts our login (the interop tests do).

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho_agent::{Client, ClientOptions, GatewayUrl, Timeouts, Trust, credential};
use sekisho_protocol::auth::{AccountName, AccountSource, NtHash};
use sekisho_protocol::credssp::{AcceptStep, Acceptor, AcceptorConfig, Login};
use sekisho_protocol::http_auth::{Scheme, parse_authorization, token_header};
use sekisho_protocol::job::{JSON_MIME, JobEvent, JobRequest, LINES_MIME};
use sekisho_protocol::sealing::{GroupWriter, MessageSeal, open_body, seal_body_as, streaming_content_type};
use sekisho_protocol::secret::SecretText;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) const CERTIFICATE: &[u8] = include_bytes!("fixtures/gateway.pem");
const KEY: &[u8] = include_bytes!("fixtures/gateway.key");
pub(crate) const PASSWORD: &str = "correct horse";

/// One connection, after TLS.
pub(crate) struct FakeGateway {
    stream: TlsStream<TcpStream>,
    seal: Option<Box<dyn MessageSeal>>,
    groups: Option<GroupWriter>,
}

/// One request: its path, headers with names in lower case, and body.
pub(crate) struct Request {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

struct Alice;

impl AccountSource for Alice {
    fn nt_hash(&self, claimed: &AccountName) -> Option<NtHash> {
        (claimed.user == "alice").then(|| NtHash::of_password(&SecretText::new(PASSWORD.to_owned())))
    }
}

pub(crate) fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(CERTIFICATE).unwrap()
}

/// Serves one connection by `script`; gives the port and what the script returns.
pub(crate) async fn gateway<F, T>(script: impl FnOnce(FakeGateway) -> F + Send + 'static) -> (u16, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .unwrap();
    let served = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let stream = TlsAcceptor::from(Arc::new(config)).accept(tcp).await.unwrap();
        script(FakeGateway { stream, seal: None, groups: None }).await
    });
    (port, served)
}

pub(crate) fn options(port: u16, trust: Trust) -> ClientOptions {
    let timeouts = Timeouts { idle: Duration::from_secs(20), ..Timeouts::default() };
    ClientOptions { gateway: GatewayUrl::parse(&format!("https://localhost:{port}")).unwrap(), trust, timeouts }
}

pub(crate) async fn logged_in(port: u16) -> Client {
    logged_in_with(&options(port, Trust::from_pem(CERTIFICATE).unwrap())).await
}

pub(crate) async fn logged_in_with(options: &ClientOptions) -> Client {
    Client::connect(options, credential("alice", SecretText::new(PASSWORD.to_owned()))).await.unwrap()
}

impl FakeGateway {
    /// The next request; nothing when the agent has closed the connection.
    pub(crate) async fn read(&mut self) -> Option<Request> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return None,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        assert!(first.starts_with("POST ") && first.ends_with(" HTTP/1.1"), "{first}");
        let path = first.split(' ').nth(1).unwrap().to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut request = Request { path, headers, body: Vec::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        request.body = vec![0; length];
        self.stream.read_exact(&mut request.body).await.ok()?;
        Some(request)
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The agent may be gone by then; what it makes of it is what the test looks at.
        let _written = self.stream.write_all(bytes).await;
        let _flushed = self.stream.flush().await;
    }

    /// The login. Nothing when it was rejected, or the agent went away.
    pub(crate) async fn log_in(&mut self) -> Option<Login> {
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let outer = certificate();
        let config = AcceptorConfig::new(certificate(), key, Some(&outer)).unwrap();
        let mut acceptor = Acceptor::new(&Arc::new(config), Arc::new(Alice));
        loop {
            let request = self.read().await?;
            assert!(request.body.is_empty(), "login legs carry nothing");
            let (scheme, token) = parse_authorization(request.header("authorization").unwrap()).unwrap();
            assert_eq!(scheme, Scheme::CredSsp);
            match acceptor.step(&token) {
                AcceptStep::Continue { token } => self.write_challenge(Some(&token)).await,
                AcceptStep::Rejected { token, .. } => {
                    self.write_challenge(token.as_deref()).await;
                    return None;
                }
                AcceptStep::Done { token, login, seal } => {
                    let challenge = if token.is_empty() { String::new() } else { challenge(&token) };
                    self.write(format!("HTTP/1.1 200 OK\r\n{challenge}Content-Length: 0\r\n\r\n").as_bytes()).await;
                    self.seal = Some(seal);
                    return Some(login);
                }
            }
        }
    }

    async fn write_challenge(&mut self, token: Option<&[u8]>) {
        let challenge = token.map_or_else(String::new, challenge);
        self.write(format!("HTTP/1.1 401 Unauthorized\r\n{challenge}Content-Length: 0\r\n\r\n").as_bytes()).await;
    }

    /// The next sealed request, opened.
    pub(crate) async fn read_sealed(&mut self) -> (String, Vec<u8>) {
        let request = self.read().await.unwrap();
        assert!(request.header("authorization").is_none(), "the login is over");
        let seal = self.seal.as_deref_mut().unwrap();
        let plain = open_body(seal, request.header("content-type").unwrap(), &request.body).unwrap();
        (request.path, plain.to_vec())
    }

    /// Login and job in one.
    pub(crate) async fn read_job(&mut self) -> JobRequest {
        self.log_in().await.unwrap();
        let (path, json) = self.read_sealed().await;
        assert_eq!(path, "/api/v1/jobs");
        JobRequest::decode(&json).unwrap()
    }

    pub(crate) async fn write_sealed(&mut self, status: u16, headers: &str, json: &[u8]) {
        let body = seal_body_as(self.seal.as_deref_mut().unwrap(), JSON_MIME, json).unwrap();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {}\r\n{headers}Content-Length: {}\r\n\r\n",
            body.content_type,
            body.bytes.len()
        );
        self.write(&[head.as_bytes(), &body.bytes].concat()).await;
    }

    /// The head of a job's answer with these lines in one sealed group.
    pub(crate) async fn write_first(&mut self, events: &[JobEvent]) {
        let content_type = streaming_content_type(self.seal.as_deref().unwrap().protocol());
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n");
        self.groups = Some(GroupWriter::new(LINES_MIME).unwrap());
        self.write(head.as_bytes()).await;
        self.write_group(events).await;
    }

    /// These lines in one more sealed group.
    pub(crate) async fn write_group(&mut self, events: &[JobEvent]) {
        let groups = self.groups.as_mut().unwrap();
        let bytes = groups.group(self.seal.as_deref_mut().unwrap(), &lines(events)).unwrap();
        self.write(&chunk(&bytes)).await;
    }

    pub(crate) async fn write_end(&mut self) {
        let end = self.groups.take().unwrap().finish();
        self.write(&[chunk(end).as_slice(), b"0\r\n\r\n"].concat()).await;
    }

    /// Waits until the agent closes the connection.
    pub(crate) async fn closed(&mut self) -> bool {
        self.read().await.is_none()
    }
}

fn challenge(token: &[u8]) -> String {
    format!("WWW-Authenticate: {}\r\n", token_header(Scheme::CredSsp, token))
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn lines(events: &[JobEvent]) -> Vec<u8> {
    let mut lines = Vec::new();
    for event in events {
        event.encode_into(&mut lines).unwrap();
    }
    lines
}
