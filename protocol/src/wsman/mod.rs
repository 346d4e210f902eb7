//! WS-Man requests and responses, for both roles. [MS-WSMV].

mod id;
mod request;
mod response;

pub use id::{CommandId, MessageId, ShellId};
pub use request::{
    Action, CommandLine, CreateShell, Request, RequestBody, RequestHeader, Resource, SendStream, SignalCode,
    WsmanOption,
};
pub use response::{
    CommandState, Identity, ReceiveResponse, Response, ResponseBody, ShellDetails, StreamChunk,
};

use crate::error::Unsupported;
use crate::soap::{Blame, Fault, FaultCode};
use crate::{Error, Result};
use uuid::Uuid;

/// A request that cannot be served, with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// The rule that was broken.
    pub error: Error,
    /// Ready to be sent.
    pub fault: Fault,
    /// For [`encode_fault`], as far as it could be read.
    pub relates_to: Option<MessageId>,
}

/// Reads a request of a client.
///
/// # Errors
/// Whatever is not a request that we serve; the answer is in the error.
pub fn decode_request(_xml: &[u8]) -> Result<Request, Box<RequestError>> {
    Err(Box::new(RequestError {
        error: Unsupported::Action.into(),
        fault: Fault {
            code: FaultCode::INVALID_ACTION,
            subcode: None,
            blame: Blame::Sender,
            reason: String::new(),
            machine: String::new(),
        },
        relates_to: None,
    }))
}

/// Writes a request, as client.
///
/// # Errors
/// When a text holds a character that XML cannot carry: what was judged is sent as it is, or not at all.
pub fn encode_request(_request: &Request) -> Result<String> {
    Err(Unsupported::Action.into())
}

/// Writes the answer to a request. Characters that XML cannot carry become U+FFFD.
#[must_use]
pub fn encode_response(_relates_to: Option<&MessageId>, _message_id: Uuid, _body: &ResponseBody) -> String {
    String::new()
}

/// Writes a fault, to be sent with status 500. Characters that XML cannot carry become U+FFFD.
#[must_use]
pub fn encode_fault(_relates_to: Option<&MessageId>, _message_id: Uuid, _fault: &Fault) -> String {
    String::new()
}

/// Reads the response of a target, which is not trusted.
///
/// # Errors
/// Whatever is neither a response nor a fault.
pub fn decode_response(_xml: &[u8]) -> Result<Response> {
    Err(Unsupported::Action.into())
}
