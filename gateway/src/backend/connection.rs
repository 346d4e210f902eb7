//! One authenticated connection: requests out, responses in, strictly in turn.

use super::error::{BackendError, Effect};
use super::http::{HttpAnswer, HttpConnection, Kind};
use super::quota::ConnectionPlace;
use sekisho_protocol::sealing::{MessageSeal, open_body, seal_body};
use sekisho_protocol::wsman::{Request, Response, ResponseBody, decode_response, encode_request};
use std::borrow::Cow;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// The content type of unsealed messages. [MS-WSMV] 2.2.1.
const SOAP: &str = "application/soap+xml;charset=UTF-8";

/// One connection to a target.
#[derive(Debug)]
pub(super) struct Connection {
    http: HttpConnection,
    seal: Option<Box<dyn MessageSeal>>,
    url: String,
    patience: Duration,
    broken: bool,
    /// Its places among its shell's and its target's connections, given back with it.
    place: Option<OwnedSemaphorePermit>,
    _quota: ConnectionPlace,
}

impl Connection {
    pub(super) fn new(
        http: HttpConnection,
        seal: Option<Box<dyn MessageSeal>>,
        url: String,
        patience: Duration,
        quota: ConnectionPlace,
    ) -> Self {
        Self { http, seal, url, patience, broken: false, place: None, _quota: quota }
    }

    /// Keeps a place as long as the connection lives.
    pub(super) fn occupy(&mut self, place: OwnedSemaphorePermit) {
        self.place = Some(place);
    }

    /// The target's URL, for `a:To`.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Whether another request can go out.
    pub(super) fn usable(&self) -> bool {
        !self.broken && self.http.usable()
    }

    /// Sends a request and waits for its answer: as long as the operation may take, and the target's patience
    /// beyond that. After any error but a fault the connection is of no use any more.
    pub(super) async fn exchange(&mut self, request: &Request) -> Result<ResponseBody, BackendError> {
        let operation = request.header.operation_timeout.unwrap_or_default();
        // Whoever drops this future half-way leaves an answer behind that would fit the next request.
        self.broken = true;
        let answered = tokio::time::timeout(operation.saturating_add(self.patience), self.send(request)).await;
        let response = answered.map_err(|_late| BackendError::TimedOut(Effect::Unknown)).flatten()?;
        if response.relates_to != request.header.message_id {
            return Err(BackendError::Mismatch);
        }
        // After a fault the context is as good as before.
        self.broken = false;
        response.outcome.map_err(|fault| BackendError::from(&fault))
    }

    async fn send(&mut self, request: &Request) -> Result<Response, BackendError> {
        let xml = encode_request(request).map_err(BackendError::Invalid)?.into_bytes();
        let (content_type, body) = match &mut self.seal {
            None => (Cow::Borrowed(SOAP), xml),
            Some(seal) => {
                let sealed = seal_body(seal.as_mut(), &xml).map_err(BackendError::Invalid)?;
                (Cow::Owned(sealed.content_type), sealed.bytes)
            }
        };
        let answer = self.http.post(Kind::Message { content_type: &content_type }, body).await?;
        self.read(&answer)
    }

    fn read(&mut self, answer: &HttpAnswer) -> Result<Response, BackendError> {
        if !matches!(answer.status.as_u16(), 200 | 500) || answer.body.is_empty() {
            return Err(BackendError::Status(answer.status.as_u16()));
        }
        match &mut self.seal {
            // What should be sealed and is not was not written by the target.
            Some(seal) => {
                let plain =
                    open_body(seal.as_mut(), answer.content_type(), &answer.body).map_err(BackendError::Invalid)?;
                decode_response(&plain)
            }
            None => decode_response(&answer.body),
        }
        .map_err(BackendError::Invalid)
    }
}
