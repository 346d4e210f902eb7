//! The HTTP answers, whole or streamed.

use super::body::{Delivered, Flushes, ReplyBody};
use super::respond::{Problem, SOAP};
use crate::limits::rates::Limited;
use crate::limits::whole_seconds;
use bytes::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use sekisho_protocol::http_auth::{Scheme, challenge, token_header};
use sekisho_protocol::wsman::{Identity, ResponseBody, encode_fault, encode_response};
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

#[derive(Debug)]
enum Content {
    Whole(Vec<u8>),
    Stream(mpsc::Receiver<Bytes>),
}

/// One answer.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    content_type: Option<String>,
    challenge: Option<String>,
    retry_after: Option<Duration>,
    content: Content,
    delivered: Option<Delivered>,
    close: bool,
}

impl Reply {
    /// A status and nothing else.
    pub(super) fn bare(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            challenge: None,
            retry_after: None,
            content: Content::Whole(Vec::new()),
            delivered: None,
            close: false,
        }
    }

    /// What an address over its rate of logins is told: the status, the header and the fault by which clients know
    /// to try again. In clear, since nobody is known yet.
    pub(super) fn limited(limited: Limited) -> Self {
        let problem = Problem::from(limited);
        let body = encode_fault(None, Uuid::new_v4(), &problem.fault).into_bytes();
        Self::whole(problem.status, SOAP, body).retry_after(problem.retry_after)
    }

    /// A whole body.
    pub(super) fn whole(status: StatusCode, content_type: &str, body: Vec<u8>) -> Self {
        Self { content_type: Some(content_type.to_owned()), content: Content::Whole(body), ..Self::bare(status) }
    }

    /// A body that comes bit by bit.
    pub(super) fn stream(content_type: &str, chunks: mpsc::Receiver<Bytes>) -> Self {
        let content = Content::Stream(chunks);
        Self { content_type: Some(content_type.to_owned()), content, ..Self::bare(StatusCode::OK) }
    }

    /// 401 with the one scheme there is.
    pub(super) fn challenge() -> Self {
        Self { challenge: Some(challenge(Scheme::CredSsp).to_owned()), ..Self::bare(StatusCode::UNAUTHORIZED) }
    }

    /// 401 with a token: exactly one header, with its blank even when the token is empty, as clients want it.
    pub(super) fn token(token: &[u8]) -> Self {
        Self { challenge: Some(token_header(Scheme::CredSsp, token)), ..Self::bare(StatusCode::UNAUTHORIZED) }
    }

    /// The answer to the leg that ended a login. Stock clients take any status but 200 for a failed login and
    /// hide the fault, unless a token comes with it; their context is complete, so its content is ignored.
    pub(super) fn after_login(self) -> Self {
        if self.status == StatusCode::OK || self.challenge.is_some() {
            return self;
        }
        Self { challenge: Some(token_header(Scheme::CredSsp, &[0])), ..self }
    }

    pub(super) fn retry_after(self, time: Option<Duration>) -> Self {
        Self { retry_after: time, ..self }
    }

    pub(super) fn delivered(self, delivered: Option<Delivered>) -> Self {
        Self { delivered, ..self }
    }

    /// Nothing more is answered on this connection.
    pub(super) fn close(self) -> Self {
        Self { close: true, ..self }
    }

    pub(super) fn closes(&self) -> bool {
        self.close
    }

    pub(super) fn into_response(self, flushes: &Flushes) -> Response<ReplyBody> {
        let body = match self.content {
            Content::Whole(bytes) => ReplyBody::Whole {
                bytes: (!bytes.is_empty()).then(|| Bytes::from(bytes)),
                delivered: self.delivered.map(|action| (action, flushes.clone())),
            },
            Content::Stream(chunks) => ReplyBody::Stream(chunks),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let mut set = |name, value: Option<String>| {
            if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        };
        set(CONTENT_TYPE, self.content_type);
        set(WWW_AUTHENTICATE, self.challenge);
        set(RETRY_AFTER, self.retry_after.map(|time| whole_seconds(time).to_string()));
        set(CONNECTION, self.close.then(|| "close".to_owned()));
        response
    }
}

/// Who we are, for those who ask without a login: nothing that tells one gateway from another.
pub(super) fn identify() -> Reply {
    let identity =
        Identity { product_vendor: "Sekisho".to_owned(), product_version: "OS: 0.0.0 SP: 0.0 Stack: 3.0".to_owned() };
    let xml = encode_response(None, Uuid::new_v4(), &ResponseBody::Identify(identity));
    Reply::whole(StatusCode::OK, SOAP, xml.into_bytes())
}
