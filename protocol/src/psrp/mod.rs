//! PowerShell remoting, \[MS-PSRP\]: messages and what they carry.

mod channel;
mod client;
mod command;
mod error_record;
mod fragment;
mod host;
mod host_call;
mod host_window;
mod members;
mod message;
mod pool;
mod record;
mod server;
mod session_key;

pub use channel::Stream;
pub use client::{ClientEvent, PoolClient};
pub use command::{Argument, Command, CommandKind, CreatePipeline, Merge, MergeTarget, Scope};
pub use error_record::{ErrorCategory, ErrorRecord};
pub use fragment::{Defragmenter, Fragmenter, Object, pipeline_of, pool_of};
pub use host::HostInfo;
pub use host_call::{HostCall, HostMethod, HostResponse, HostResult, Passage};
pub use host_window::{Cells, HostWindow};
pub use message::{Destination, Direction, Family, Message, MessageHeader, MessageType};
pub use pool::{
    DEBUGGER_KEYS, GetCommandMetadata, InitRunspacePool, PipelineState, PoolState, ProtocolVersion, SessionCapability,
    Stated, availability, call_id, private_data, without_debugger,
};
pub use record::RecordBody;
pub use server::{Answer, PoolServer, ServerEvent};
pub use session_key::{ExchangeKey, SessionKey};

#[cfg(test)]
mod tests;
