//! HTTP/1.1 over TLS, blocking, from the server's side.

use crate::Outcome;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

/// One connection.
pub(super) struct Http {
    stream: StreamOwned<ServerConnection, TcpStream>,
    buffer: Vec<u8>,
}

/// One request.
pub(super) struct Request {
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Http {
    pub(super) fn accept(config: &Arc<ServerConfig>, stream: TcpStream) -> Outcome<Self> {
        let session = ServerConnection::new(Arc::clone(config))?;
        Ok(Self { stream: StreamOwned::new(session, stream), buffer: Vec::new() })
    }

    /// The next request, until the client goes away.
    pub(super) fn next(&mut self) -> Outcome<Option<Request>> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if self.read()? == 0 {
                return Ok(None);
            }
        };
        let rest = self.buffer.split_off(end.saturating_add(4));
        let head = String::from_utf8(std::mem::replace(&mut self.buffer, rest))?;
        let field = |wanted: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let length: usize = field("content-length").unwrap_or("0").parse()?;
        let authorization = field("authorization").map(str::to_owned);
        while self.buffer.len() < length {
            if self.read()? == 0 {
                return Ok(None);
            }
        }
        let rest = self.buffer.split_off(length);
        let body = std::mem::replace(&mut self.buffer, rest);
        Ok(Some(Request { authorization, body }))
    }

    pub(super) fn answer(&mut self, status: u16, authenticate: Option<&str>, xml: &str) -> Outcome<()> {
        let mut answer = format!("HTTP/1.1 {status} Answer\r\nContent-Length: {}\r\n", xml.len());
        if let Some(value) = authenticate {
            answer.push_str("WWW-Authenticate: ");
            answer.push_str(value);
            answer.push_str("\r\n");
        }
        answer.push_str("Content-Type: application/soap+xml;charset=UTF-8\r\n\r\n");
        answer.push_str(xml);
        self.stream.write_all(answer.as_bytes())?;
        Ok(self.stream.flush()?)
    }

    fn read(&mut self) -> Outcome<usize> {
        let mut chunk = [0; 16 * 1024];
        let count = match self.stream.read(&mut chunk) {
            // Clients break off without a last word of TLS.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            read => read?,
        };
        self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(count)
    }
}
