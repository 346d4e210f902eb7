//! The model of a request, the same for both roles.

use super::compression::Compression;
use super::id::{CommandId, MessageId, ShellId};
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// One request. [MS-WSMV] 3.1.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What every request says about itself.
    pub header: RequestHeader,
    /// What it asks for.
    pub body: RequestBody,
}

/// The headers that are understood. [MS-WSMV] 2.2.1 and DSP0226 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// Absent in Identify alone.
    pub message_id: Option<MessageId>,
    /// The operation.
    pub action: Action,
    /// On what.
    pub resource: Resource,
    /// The URL that the client believes to speak to; never to be trusted, and not required to match.
    pub to: String,
    /// How long the client waits; absent and zero mean the server's default.
    pub operation_timeout: Option<Duration>,
    /// The most bytes that an answer may have.
    pub max_envelope_size: usize,
    /// The shell that is spoken to.
    pub shell: Option<ShellId>,
    /// Options, in their order and without duplicates.
    pub options: Vec<WsmanOption>,
    /// Chosen by the client and untrusted: for correlation only.
    pub session_id: Option<Uuid>,
}

impl RequestHeader {
    /// The value of an option; names compare without case.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|option| option.name.eq_ignore_ascii_case(name)).map(|option| option.value.as_str())
    }
}

/// One option of an OptionSet. DSP0226 6.4.
#[derive(Clone, PartialEq, Eq)]
pub struct WsmanOption {
    /// Compared without case.
    pub name: String,
    /// As sent.
    pub value: String,
    /// Whether a server that does not know it has to refuse.
    pub must_comply: bool,
}

impl fmt::Debug for WsmanOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsmanOption")
            .field("name", &self.name)
            .field("must_comply", &self.must_comply)
            .finish_non_exhaustive()
    }
}

/// What a request is about. [MS-WSMV] 2.2.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The WinRS shell.
    CmdShell,
    /// A PowerShell session configuration, by the name after the prefix.
    PowerShell(String),
    /// The service's own configuration, which WinRb reads to learn the envelope size.
    Config,
    /// Anything else, WMI and CIM above all. Never served.
    Other(String),
    /// None given; only Identify may.
    None,
}

/// The operation that a request names. [MS-WSMV] 3.1.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Who are you.
    Identify,
    /// Opens a shell.
    Create,
    /// Closes a shell.
    Delete,
    /// Describes a shell, or the service's configuration.
    Get,
    /// Starts a command.
    Command,
    /// Feeds a command's input.
    Send,
    /// Asks for output: a long poll.
    Receive,
    /// Interrupts or ends a command.
    Signal,
    /// Anything else, on a resource that is never served.
    Other,
}

/// What a request carries. [MS-WSMV] 2.2.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestBody {
    /// Nothing to say.
    Identify,
    /// A shell to open.
    Create(CreateShell),
    /// A command to start.
    Command(CommandLine),
    /// Input for commands.
    Send(Vec<SendStream>),
    /// Which output is wanted.
    Receive {
        /// The command; absent only for PowerShell's pool.
        command_id: Option<CommandId>,
        /// Names of streams.
        streams: Vec<String>,
    },
    /// What to do to a command.
    Signal {
        /// The command; absent = all of the shell, which is never served.
        command_id: Option<CommandId>,
        /// What to do.
        signal: SignalCode,
    },
    /// Nothing to say.
    Delete,
    /// Nothing to say.
    Get,
    /// Not looked at.
    Other,
}

/// A shell as a client asks for it. [MS-WSMV] 2.2.4.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CreateShell {
    /// A name for people.
    pub name: Option<String>,
    /// Proposed by PowerShell clients; ours are our own.
    pub shell_id: Option<ShellId>,
    /// After how much silence the shell may be closed.
    pub idle_timeout: Option<Duration>,
    /// How long it may live at most.
    pub lifetime: Option<Duration>,
    /// Names of streams that the client may send.
    pub input_streams: Vec<String>,
    /// Names of streams that the client may receive.
    pub output_streams: Vec<String>,
    /// Variables in their order; policy decides, and nothing of it is forwarded.
    pub environment: Vec<(String, String)>,
    /// Likewise.
    pub working_directory: Option<String>,
    /// PowerShell's own opening, base64, not looked at here.
    pub creation_xml: Option<String>,
    /// How the shell's streams are carried. We never ask for anything as client.
    pub compression: Compression,
}

impl fmt::Debug for CreateShell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateShell")
            .field("idle_timeout", &self.idle_timeout)
            .field("input_streams", &self.input_streams)
            .field("output_streams", &self.output_streams)
            .field("variables", &self.environment.len())
            .finish_non_exhaustive()
    }
}

/// A command as a client asks for it. [MS-WSMV] 2.2.4.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program, or a whole line: clients differ.
    pub command: String,
    /// Windows joins them with single spaces.
    pub arguments: Vec<String>,
    /// Proposed by the client; the server's answer counts.
    pub command_id: Option<CommandId>,
}

impl fmt::Debug for CommandLine {
    /// Command and arguments may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandLine")
            .field("arguments", &self.arguments.len())
            .field("command_id", &self.command_id)
            .finish_non_exhaustive()
    }
}

/// Input for one command. [MS-WSMV] 2.2.4.
#[derive(Clone, PartialEq, Eq)]
pub struct SendStream {
    /// `stdin`, or PowerShell's `pr`.
    pub stream: String,
    /// The command; absent only for PowerShell's pool.
    pub command_id: Option<CommandId>,
    /// Nothing follows.
    pub end: bool,
    /// Decoded.
    pub data: Vec<u8>,
}

impl fmt::Debug for SendStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendStream")
            .field("stream", &self.stream)
            .field("command_id", &self.command_id)
            .field("end", &self.end)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

/// What a Signal asks for. [MS-WSMV] 2.2.4.38.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalCode {
    /// Ends the command and forgets it.
    Terminate,
    /// Control-C.
    CtrlC,
    /// Control-Break.
    CtrlBreak,
    /// PowerShell's stop, in its misspelt and its right form.
    PowerShellCtrlC,
    /// Any other code: servers end the command.
    Other,
}
