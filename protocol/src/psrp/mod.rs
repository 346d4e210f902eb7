//! PowerShell remoting, \[MS-PSRP\]: messages and what they carry.

mod command;
mod fragment;
mod host;
mod members;
mod message;

pub use command::{Argument, Command, CommandKind, CreatePipeline, Merge, MergeTarget, Scope};
pub use fragment::{Defragmenter, Fragmenter, Object};
pub use host::HostInfo;
pub use message::{Destination, Direction, Family, Message, MessageHeader, MessageType};

#[cfg(test)]
mod tests;
