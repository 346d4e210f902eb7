//! WS-Man requests and responses, for both roles. [MS-WSMV].

mod body;
mod command;
mod compression;
mod create;
mod decode;
mod duration;
mod encode;
mod header;
mod id;
mod refusal;
mod request;
mod response;
mod service;
mod stream;
mod uri;

pub use compression::Compression;
pub use decode::{decode_request, decode_response};
pub(crate) use encode::base64_room;
pub use encode::{encode_fault, encode_output, encode_request, encode_response};
pub use id::{CommandId, MessageId, ShellId};
pub use refusal::RequestError;
pub use request::{
    Action, CommandLine, CreateShell, Request, RequestBody, RequestHeader, Resource, SendStream, SignalCode,
    WsmanOption,
};
pub use response::{CommandState, Identity, ReceiveResponse, Response, ResponseBody, ShellDetails, StreamChunk};
