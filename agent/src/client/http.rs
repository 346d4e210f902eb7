//! One HTTP/1.1 connection, on which everything happens: the login belongs to it.

use crate::client::GatewayUrl;
use crate::error::{AgentError, GatewayFault};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, RETRY_AFTER};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// Bytes that the headers of one answer may have: a login leg carries TLS records with a certificate chain.
const HEADER_BYTES: usize = 128 * 1024;
/// Headers that one answer may have.
const HEADERS: usize = 64;
/// Seconds that a `Retry-After` is believed.
const RETRY_SECONDS: u32 = 24 * 60 * 60;

/// The connection; dropping it closes it.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Option<JoinHandle<()>>,
    authority: String,
}

impl Connection {
    pub(super) async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        gateway: &GatewayUrl,
    ) -> Result<Self, AgentError> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| AgentError::Closed)?;
        let driver = tokio::spawn(async move {
            // What went wrong is seen by whoever waits for an answer.
            let _ended = connection.await;
        });
        Ok(Self { sender, driver: Some(driver), authority: gateway.authority() })
    }

    /// Posts one body. `header` is what distinguishes it: `Authorization` or `Content-Type`.
    pub(super) async fn post(
        &mut self,
        path: &'static str,
        header: (HeaderName, &str),
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, AgentError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, &self.authority)
            .header(header.0, header.1)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| GatewayFault::Http)?;
        self.sender.ready().await.map_err(|_| AgentError::Closed)?;
        self.sender.send_request(request).await.map_err(|error| {
            if error.is_parse() || error.is_parse_too_large() { GatewayFault::Http.into() } else { AgentError::Closed }
        })
    }

    /// A login leg: an empty body with this `Authorization`.
    pub(super) async fn post_leg(&mut self, path: &'static str, token: &str) -> Result<Response<Incoming>, AgentError> {
        self.post(path, (AUTHORIZATION, token), Vec::new()).await
    }

    /// A sealed body with its content type.
    pub(super) async fn post_sealed(
        &mut self,
        path: &'static str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, AgentError> {
        self.post(path, (CONTENT_TYPE, content_type), body).await
    }

    /// Closes the connection now, not when its task is polled next: this is what cancels a job.
    pub(super) async fn close(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.abort();
            // The task's end is the socket's end; that it was aborted is what we wanted.
            let _aborted = driver.await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(driver) = &self.driver {
            driver.abort();
        }
    }
}

/// Reads a whole body of at most `most` bytes.
pub(super) async fn read_body(mut body: Incoming, most: usize) -> Result<Vec<u8>, AgentError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| AgentError::Closed)?.into_data() else { continue };
        if bytes.len().saturating_add(data.len()) > most {
            return Err(GatewayFault::Size.into());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The content type of an answer, empty where there is none.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The seconds of `Retry-After`; its form with a date is not used between gateway and agent.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<u32> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(RETRY_SECONDS.min(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn retry_after_is_read_and_bounded() {
        for (value, seconds) in [
            ("5", Some(5)),
            (" 7 ", Some(7)),
            ("4000000000", Some(RETRY_SECONDS)),
            ("99999999999", None),
            ("soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers), seconds, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
