//! HTTP/1.1 over one connection, blocking.

use crate::Outcome;
use crate::plan::Route;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sekisho_protocol::auth::ChannelBinding;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const HOST: &str = "127.0.0.1";
const PATIENCE: Duration = Duration::from_secs(60);

/// What connections on one route share.
pub(crate) struct Road {
    tls: Option<Arc<ClientConfig>>,
}

impl Road {
    pub(crate) fn new(route: &Route) -> Outcome<Self> {
        let Some(file) = &route.ca else { return Ok(Self { tls: None }) };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(file)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Each connection pays for its handshake, as those of stock clients do.
        config.resumption = Resumption::disabled();
        Ok(Self { tls: Some(Arc::new(config)) })
    }

    pub(crate) fn connect(&self, route: &Route) -> Outcome<Http> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, route.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let (stream, binding) = match &self.tls {
            None => (Stream::Plain(socket), None),
            Some(config) => {
                let mut session = ClientConnection::new(Arc::clone(config), ServerName::try_from(HOST)?)?;
                let mut socket = socket;
                while session.is_handshaking() {
                    session.complete_io(&mut socket)?;
                }
                let certificate = session.peer_certificates().and_then(<[_]>::first).ok_or("no certificate")?;
                let binding = ChannelBinding::tls_server_end_point(certificate)?;
                (Stream::Tls(Box::new(StreamOwned::new(session, socket))), Some(binding))
            }
        };
        let head = format!("POST {} HTTP/1.1\r\nHost: {HOST}:{}\r\n", route.path, route.port);
        Ok(Http { stream, head, buffer: Vec::new(), binding })
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// One connection.
pub(crate) struct Http {
    stream: Stream,
    head: String,
    buffer: Vec<u8>,
    /// To the certificate that was shown.
    pub(crate) binding: Option<ChannelBinding>,
}

/// One answer.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) challenges: Vec<String>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn post(&mut self, header: (&str, &str), body: &[u8]) -> Outcome<Answer> {
        let (name, value) = header;
        let mut request =
            format!("{}{name}: {value}\r\nContent-Length: {}\r\n\r\n", self.head, body.len()).into_bytes();
        request.extend_from_slice(body);
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(&request)?,
            Stream::Tls(stream) => {
                stream.write_all(&request)?;
                stream.flush()?;
            }
        }
        self.answer()
    }

    fn answer(&mut self) -> Outcome<Answer> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            self.read()?;
        };
        let rest = self.buffer.split_off(end.saturating_add(4));
        let head = String::from_utf8(std::mem::replace(&mut self.buffer, rest))?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?;
        let mut answer = Answer { status: status.parse()?, ..Answer::default() };
        let mut length = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            // A blank behind the scheme counts: only the one in front of the value is taken off.
            let value = value.strip_prefix(' ').unwrap_or(value);
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            } else if name.eq_ignore_ascii_case("content-type") {
                value.clone_into(&mut answer.content_type);
            } else if name.eq_ignore_ascii_case("www-authenticate") {
                answer.challenges.push(value.to_owned());
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err("a body in chunks is not read here".into());
            }
        }
        while self.buffer.len() < length {
            self.read()?;
        }
        let rest = self.buffer.split_off(length);
        answer.body = std::mem::replace(&mut self.buffer, rest);
        Ok(answer)
    }

    fn read(&mut self) -> Outcome<()> {
        let mut chunk = [0; 16 * 1024];
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut chunk)?,
            Stream::Tls(stream) => stream.read(&mut chunk)?,
        };
        if count == 0 {
            return Err("the peer has closed the connection".into());
        }
        self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(())
    }
}
