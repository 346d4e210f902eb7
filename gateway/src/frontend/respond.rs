//! The one place where what went wrong inside becomes what a client sees: its class, what to do, and a
//! reference. Nothing of a target's text, and nothing of other users.

use super::body::Delivered;
use super::route::RouteError;
use crate::backend::{BackendError, Effect};
use crate::enforce::Refusal;
use crate::limits::rates::Limited;
use crate::session::{Ended, NotStarted, TableFull};
use bytes::Bytes;
use hyper::StatusCode;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::wsman::{
    MessageId, ReceiveResponse, RequestError, ResponseBody, encode_fault, encode_output, encode_response,
};
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// An answer of any service, not sealed yet.
#[derive(Debug)]
pub enum Answer {
    /// A whole document.
    Whole {
        /// HTTP's status.
        status: StatusCode,
        /// The document's type.
        mime: &'static str,
        /// The document.
        body: Vec<u8>,
        /// When to try again.
        retry_after: Option<Duration>,
        /// Runs once it was written.
        delivered: Option<Delivered>,
    },
    /// Documents as they come, each whole.
    Stream {
        /// The documents' type.
        mime: &'static str,
        /// The documents; the end is the sender's drop.
        documents: mpsc::Receiver<Bytes>,
    },
}

/// The type of unsealed messages. [MS-WSMV] 2.2.1.
pub(crate) const SOAP: &str = "application/soap+xml;charset=UTF-8";

impl Answer {
    /// A SOAP answer.
    #[must_use]
    pub fn soap(relates_to: Option<&MessageId>, body: &ResponseBody) -> Self {
        Self::document(encode_response(relates_to, Uuid::new_v4(), body))
    }

    /// The answer to a Receive.
    #[must_use]
    pub fn output(relates_to: Option<&MessageId>, output: &ReceiveResponse) -> Self {
        Self::document(encode_output(relates_to, Uuid::new_v4(), output))
    }

    fn document(text: String) -> Self {
        let body = text.into_bytes();
        Self::Whole { status: StatusCode::OK, mime: SOAP, body, retry_after: None, delivered: None }
    }

    /// The same, and what to run once it was written.
    #[must_use]
    pub fn delivering(self, action: Delivered) -> Self {
        match self {
            Self::Whole { status, mime, body, retry_after, delivered: _ } => {
                Self::Whole { status, mime, body, retry_after, delivered: Some(action) }
            }
            Self::Stream { mime, documents } => Self::Stream { mime, documents },
        }
    }
}

/// What a client is told instead of what it asked for.
#[derive(Debug)]
pub struct Problem {
    pub(super) fault: Fault,
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
}

impl Problem {
    /// A fault, with the status that faults have.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self { fault, status: StatusCode::INTERNAL_SERVER_ERROR, retry_after: None }
    }

    /// A fault that passes: the status and header by which clients know to try again.
    #[must_use]
    pub fn later(fault: Fault, retry_after: Duration) -> Self {
        Self { fault, status: StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(retry_after) }
    }

    /// The answer, with the gateway's public name in it.
    #[must_use]
    pub fn answer(self, relates_to: Option<&MessageId>) -> Answer {
        let body = encode_fault(relates_to, Uuid::new_v4(), &self.fault).into_bytes();
        Answer::Whole { status: self.status, mime: SOAP, body, retry_after: self.retry_after, delivered: None }
    }
}

/// A short wait for what passes by itself.
const SOON: Duration = Duration::from_secs(5);

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        Self::fault(error.fault)
    }
}

impl From<RouteError> for Problem {
    fn from(error: RouteError) -> Self {
        Self::fault(Fault::access_denied(error.to_string()))
    }
}

impl From<TableFull> for Problem {
    fn from(error: TableFull) -> Self {
        Self::later(Fault::quota(FaultCode::QUOTA_SHELLS, error.to_string()), SOON)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match &refusal {
            Refusal::Denied { .. } | Refusal::NotAudited { .. } => {
                Self::fault(Fault::access_denied(refusal.to_string()))
            }
            Refusal::Limited(limited) => (*limited).into(),
        }
    }
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        Self::later(Fault::quota(FaultCode::QUOTA_USER, limited.to_string()), limited.retry_after)
    }
}

impl From<NotStarted> for Problem {
    fn from(error: NotStarted) -> Self {
        match error {
            NotStarted::Refused(refusal) => refusal.into(),
            NotStarted::Target(error) => error.into(),
            NotStarted::TooMany => Self::later(
                Fault::quota(
                    FaultCode::QUOTA_OPERATIONS,
                    "as many commands run in this shell as may: wait until one ends".to_owned(),
                ),
                SOON,
            ),
        }
    }
}

impl From<BackendError> for Problem {
    fn from(error: BackendError) -> Self {
        let what_now = match error.effect() {
            Effect::NotDone => "nothing was run",
            Effect::Unknown => "whether it was run is unknown: look at the target before you try again",
        };
        let text = format!("{error}; {what_now}");
        match error {
            // The client's own way to go on: it opens a new shell.
            BackendError::Fault(FaultCode::UNEXPECTED_SELECTORS) | BackendError::Closed => {
                Self::fault(Fault::no_such_shell())
            }
            BackendError::Fault(code) if code.is_transient() => Self::later(Fault::quota(code, text), SOON),
            BackendError::Fault(code) => Self::fault(Fault::internal(code, text)),
            BackendError::Busy => Self::later(Fault::quota(FaultCode::QUOTA_OPERATIONS, text), SOON),
            BackendError::LoginRefused | BackendError::Lease(_) => {
                Self::fault(Fault::internal(FaultCode::LOGON_FAILURE, text))
            }
            BackendError::Login(_) => Self::fault(Fault::internal(FaultCode::NO_LOGON_SERVERS, text)),
            BackendError::Unreachable
            | BackendError::Tls
            | BackendError::TimedOut(_)
            | BackendError::Broken(_)
            | BackendError::Invalid(_)
            | BackendError::Status(_)
            | BackendError::NotOpened(_)
            | BackendError::OtherShell
            | BackendError::Unsendable
            | BackendError::NoPool
            | BackendError::NoKey
            | BackendError::Outdated
            | BackendError::NotRecorded(_)
            | BackendError::Abandoned
            | BackendError::Mismatch => Self::fault(Fault::internal(FaultCode::PLUGIN_FAILED, text)),
        }
    }
}

impl From<Ended> for Problem {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Terminated(_) => {
                Self::fault(Fault::internal(FaultCode::OPERATION_ABORTED, "the command was stopped"))
            }
            Ended::Target(error) => Self::fault(Fault::internal(
                FaultCode::PLUGIN_FAILED,
                format!("{error} while the command ran; its outcome is unknown, and output may be missing"),
            )),
        }
    }
}
