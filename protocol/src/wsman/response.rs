//! The model of a response, the same for both roles.

use super::compression::Compression;
use super::id::{CommandId, MessageId, ShellId};
use crate::soap::fault::PeerFault;
use std::fmt;
use std::time::Duration;

/// A response as we read it from a peer that may be hostile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Which request it answers; absent in Identify, and in faults of messages that could not be read.
    pub relates_to: Option<MessageId>,
    /// What came of it.
    pub outcome: Result<ResponseBody, PeerFault>,
}

/// What a response carries. [MS-WSMV] 3.1.4.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseBody {
    /// Who we are.
    Identify(Identity),
    /// The shell that was opened.
    Created(ShellDetails),
    /// The command that was started.
    Command {
        /// The server's name for it.
        command_id: CommandId,
    },
    /// Input was taken.
    Send,
    /// Output.
    Receive(ReceiveResponse),
    /// The signal was taken.
    Signal,
    /// The shell is gone.
    Delete,
    /// The shell, described.
    Shell(ShellDetails),
    /// The service's configuration, the one value that clients read.
    Config {
        /// Kilobytes of the largest envelope.
        max_envelope_size_kb: u32,
    },
}

/// The answer to Identify. DSP0226 11.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who made it.
    pub product_vendor: String,
    /// `OS: 0.0.0 SP: 0.0 Stack: 3.0` tells nothing.
    pub product_version: String,
}

/// A shell as the server describes it. [MS-WSMV] 2.2.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellDetails {
    /// Its name; emitted as selector and as element, since clients read either.
    pub shell_id: ShellId,
    /// The URL that the client used.
    pub address: String,
    /// The resource's URI as the client gave it.
    pub resource_uri: String,
    /// Who opened it.
    pub owner: String,
    /// From where.
    pub client_ip: String,
    /// After how much silence it is closed.
    pub idle_timeout: Duration,
    /// Names of streams.
    pub input_streams: Vec<String>,
    /// Names of streams.
    pub output_streams: Vec<String>,
    /// How its streams are carried.
    pub compression: Compression,
    /// Since it was opened.
    pub run_time: Duration,
    /// Since it was last used.
    pub inactivity: Duration,
}

/// Output of one command. [MS-WSMV] 2.2.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveResponse {
    /// Whose; absent only for PowerShell's pool.
    pub command_id: Option<CommandId>,
    /// In order.
    pub streams: Vec<StreamChunk>,
    /// Absent only for PowerShell's pool.
    pub state: Option<CommandState>,
}

/// A piece of one stream. [MS-WSMV] 2.2.4.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamChunk {
    /// `stdout` or `stderr`.
    pub stream: String,
    /// Decoded.
    pub data: Vec<u8>,
    /// Nothing follows.
    pub end: bool,
}

impl fmt::Debug for StreamChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamChunk")
            .field("stream", &self.stream)
            .field("bytes", &self.data.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// Whether a command goes on. [MS-WSMV] 2.2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandState {
    /// It goes on.
    Running,
    /// Not started yet.
    Pending,
    /// It ended; told exactly once.
    Done {
        /// Signed: NTSTATUS values are negative.
        exit_code: i32,
    },
}
