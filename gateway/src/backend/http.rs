//! HTTP/1.1 towards one target over one connection.

use super::error::{BackendError, Effect};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;

/// Bytes of one answer. We ask for envelopes of 500 KB, and sealing adds little.
const MAX_ANSWER: usize = 2 * 1024 * 1024;
/// Bytes of an answer's head: a login token in it is the largest thing.
const MAX_HEAD: usize = 128 * 1024;
/// Headers of an answer.
const MAX_HEADERS: usize = 64;

/// One answer.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl HttpAnswer {
    pub(super) fn challenges(&self) -> Vec<&str> {
        self.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    pub(super) fn content_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct HttpConnection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    _task: AbortOnDropHandle<()>,
}

/// What one request carries besides its body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// A leg of a login.
    Login { authorization: &'a str },
    /// A message of this type.
    Message { content_type: &'a str },
}

impl HttpConnection {
    pub(super) async fn open<S>(stream: S, host: &str) -> Result<Self, BackendError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let host = HeaderValue::from_str(host).map_err(|_not_a_host| BackendError::Unreachable)?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_broken| BackendError::Unreachable)?;
        // In a place of its own: a future keeps room for all the places that such a large one passes through.
        let connection = Box::pin(connection);
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "Connection to a target ended");
            }
        });
        Ok(Self { sender, host, _task: AbortOnDropHandle::new(task) })
    }

    /// Whether another request can go out.
    pub(super) fn usable(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) async fn post(&mut self, kind: Kind<'_>, body: Vec<u8>) -> Result<HttpAnswer, BackendError> {
        let request = self.request(kind, body)?;
        self.sender.ready().await.map_err(|_closed| BackendError::Broken(Effect::NotDone))?;
        let answer = self.sender.send_request(request).await.map_err(|error| {
            let effect = if error.is_canceled() { Effect::NotDone } else { Effect::Unknown };
            BackendError::Broken(effect)
        })?;
        let (head, body) = answer.into_parts();
        let body = whole(body).await.map_err(|_broken| BackendError::Broken(Effect::Unknown))?;
        Ok(HttpAnswer { status: head.status, headers: head.headers, body })
    }

    fn request(&self, kind: Kind<'_>, body: Vec<u8>) -> Result<Request<Full<Bytes>>, BackendError> {
        let builder = Request::builder()
            .method(Method::POST)
            .uri("/wsman")
            .header(HOST, &self.host)
            .header(CONNECTION, "Keep-Alive")
            .header(USER_AGENT, "Sekisho");
        let builder = match kind {
            Kind::Login { authorization } => {
                let mut value =
                    HeaderValue::from_str(authorization).map_err(|_not_text| BackendError::Broken(Effect::NotDone))?;
                value.set_sensitive(true);
                builder.header(AUTHORIZATION, value)
            }
            Kind::Message { content_type } => builder.header(CONTENT_TYPE, content_type),
        };
        builder.body(Full::new(Bytes::from(body))).map_err(|_not_http| BackendError::Broken(Effect::NotDone))
    }
}

/// A body in one piece. What came is copied at once, so that the buffers it came in are used again.
async fn whole(body: Incoming) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut body = Limited::new(body, MAX_ANSWER);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(MAX_ANSWER);
    let mut bytes = Vec::with_capacity(announced.min(MAX_ANSWER));
    while let Some(frame) = body.frame().await {
        bytes.extend_from_slice(frame?.data_ref().map_or(&[], |data| data));
    }
    Ok(bytes)
}
