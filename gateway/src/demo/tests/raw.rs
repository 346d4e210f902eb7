//! A client that says what it is told to, over HTTP written by hand: well behaved clients are the agent and the
//! gateway's own backend.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sekisho_protocol::auth::ChannelBinding;
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::http_auth::{ClientLogin, LoginStep, Scheme};
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::soap::PeerFault;
use sekisho_protocol::wsman::{
    Action, CreateShell, MessageId, Request, RequestBody, RequestHeader, Resource, ResponseBody, ShellId,
    decode_response, encode_request,
};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use uuid::Uuid;

pub(super) struct Raw {
    stream: BufReader<TlsStream<TcpStream>>,
    path: String,
}

pub(super) struct Got {
    pub(super) status: u16,
    pub(super) authenticate: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Raw {
    pub(super) async fn connect(address: SocketAddr, name: &str, ca: &Path, path: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        Self { stream: BufReader::new(stream), path: path.to_owned() }
    }

    pub(super) fn binding(&self) -> ChannelBinding {
        let certificates = self.stream.get_ref().get_ref().1.peer_certificates().unwrap();
        ChannelBinding::tls_server_end_point(&certificates[0]).unwrap()
    }

    /// One request. `line` is method and path.
    pub(super) async fn send(&mut self, line: &str, headers: &str, body: &[u8]) -> Got {
        let head = format!("{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        self.stream.write_all(head.as_bytes()).await.unwrap();
        self.stream.write_all(body).await.unwrap();
        self.stream.flush().await.unwrap();
        let status = self.line().await.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut authenticate, mut length) = (Vec::new(), 0);
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "www-authenticate" => authenticate.push(value.trim_start().to_owned()),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        Got { status, authenticate, body }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// Logs in; the binding is the caller's to choose.
    pub(super) async fn log_in(
        &mut self,
        scheme: Scheme,
        (user, password): (&str, &str),
        binding: Option<ChannelBinding>,
    ) -> sekisho_protocol::Result<()> {
        let password = SecretText::new(password.to_owned());
        let credential = DelegatedCredential { domain: String::new(), user: user.to_owned(), password };
        let mut login = ClientLogin::new(scheme, &credential, "HTTP/x", binding)?;
        let mut authorization = login.start()?;
        loop {
            let line = format!("POST {}", self.path);
            let got = self.send(&line, &format!("Authorization: {authorization}\r\n"), b"").await;
            let challenges: Vec<_> = got.authenticate.iter().map(String::as_str).collect();
            match login.step(got.status, &challenges)? {
                LoginStep::Send { authorization: next } => authorization = next,
                LoginStep::Done(_) => return Ok(()),
            }
        }
    }

    /// A SOAP request.
    pub(super) async fn ask(
        &mut self,
        resource: Resource,
        action: Action,
        shell: Option<ShellId>,
        body: RequestBody,
    ) -> Result<ResponseBody, PeerFault> {
        self.exchange(header(resource, action, shell), body).await
    }

    /// A SOAP request under a header of the caller's.
    pub(super) async fn exchange(
        &mut self,
        header: RequestHeader,
        body: RequestBody,
    ) -> Result<ResponseBody, PeerFault> {
        let most = header.max_envelope_size;
        let request = Request { header, body };
        let got = self.soap(&encode_request(&request).unwrap()).await;
        assert!(got.body.len() <= most, "{} bytes", got.body.len());
        let response = decode_response(&got.body).unwrap();
        assert_eq!(got.status, if response.outcome.is_ok() { 200 } else { 500 });
        assert_eq!(response.relates_to, request.header.message_id);
        response.outcome
    }

    /// A SOAP request as text.
    pub(super) async fn say(&mut self, xml: &str) -> Result<ResponseBody, PeerFault> {
        let got = self.soap(xml).await;
        let response = decode_response(&got.body).unwrap();
        assert_eq!(got.status, if response.outcome.is_ok() { 200 } else { 500 });
        response.outcome
    }

    async fn soap(&mut self, xml: &str) -> Got {
        let line = format!("POST {}", self.path);
        self.send(&line, "Content-Type: application/soap+xml;charset=UTF-8\r\n", xml.as_bytes()).await
    }

    /// A command shell.
    pub(super) async fn create(&mut self) -> Result<ShellId, PeerFault> {
        let body = RequestBody::Create(CreateShell::default());
        let answer = self.ask(Resource::CmdShell, Action::Create, None, body).await?;
        let ResponseBody::Created(details) = answer else { panic!("{answer:?}") };
        Ok(details.shell_id)
    }
}

pub(super) fn header(resource: Resource, action: Action, shell: Option<ShellId>) -> RequestHeader {
    RequestHeader {
        message_id: Some(MessageId::new(Uuid::new_v4())),
        action,
        resource,
        to: "https://x/wsman".to_owned(),
        operation_timeout: Some(Duration::from_secs(10)),
        max_envelope_size: 153_600,
        shell,
        options: Vec::new(),
        session_id: None,
    }
}
