//! Messages, \[MS-PSRP\] 2.2.1: a header and a body of CLIXML.

use std::fmt;

use uuid::Uuid;

use super::fragment::Object;
use super::record::RecordBody;
use crate::Result;
use crate::clixml::Value;
use crate::error::{Malformed, PeerMisbehaved};

/// Bytes of a header: destination, type, pool and pipeline.
pub(super) const HEADER: usize = 40;

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The client.
    Client,
    /// The server.
    Server,
}

impl Destination {
    const fn code(self) -> u32 {
        match self {
            Self::Client => 1,
            Self::Server => 2,
        }
    }
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// The pool: the pipeline's id is zero.
    Pool,
    /// One pipeline.
    Pipeline,
}

/// Who may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The client only.
    ToServer,
    /// The server only.
    ToClient,
    /// Both.
    Both,
}

macro_rules! message_types {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $wire:literal, $direction:ident, $family:ident;)*) => {
        /// The type of a message, \[MS-PSRP\] 2.2.1.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum MessageType {
            $($(#[$doc])* $name,)*
        }

        impl MessageType {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its number on the wire.
            #[must_use]
            pub const fn code(self) -> u32 {
                match self { $(Self::$name => $code,)* }
            }

            /// Its name in \[MS-PSRP\].
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $wire,)* }
            }

            /// Who may send it.
            #[must_use]
            pub const fn direction(self) -> Direction {
                match self { $(Self::$name => Direction::$direction,)* }
            }

            /// What it is about.
            #[must_use]
            pub const fn family(self) -> Family {
                match self { $(Self::$name => Family::$family,)* }
            }
        }
    };
}

message_types! {
    /// 2.2.2.1
    SessionCapability = 0x0001_0002, "SESSION_CAPABILITY", Both, Pool;
    /// 2.2.2.2
    InitRunspacePool = 0x0001_0004, "INIT_RUNSPACEPOOL", ToServer, Pool;
    /// 2.2.2.3
    PublicKey = 0x0001_0005, "PUBLIC_KEY", ToServer, Pool;
    /// 2.2.2.4
    EncryptedSessionKey = 0x0001_0006, "ENCRYPTED_SESSION_KEY", ToClient, Pool;
    /// 2.2.2.5
    PublicKeyRequest = 0x0001_0007, "PUBLIC_KEY_REQUEST", ToClient, Pool;
    /// 2.2.2.28
    ConnectRunspacePool = 0x0001_0008, "CONNECT_RUNSPACEPOOL", ToServer, Pool;
    /// 2.2.2.6
    SetMaxRunspaces = 0x0002_1002, "SET_MAX_RUNSPACES", ToServer, Pool;
    /// 2.2.2.7
    SetMinRunspaces = 0x0002_1003, "SET_MIN_RUNSPACES", ToServer, Pool;
    /// 2.2.2.8
    RunspaceAvailability = 0x0002_1004, "RUNSPACE_AVAILABILITY", ToClient, Pool;
    /// 2.2.2.9
    RunspacePoolState = 0x0002_1005, "RUNSPACEPOOL_STATE", ToClient, Pool;
    /// 2.2.2.10
    CreatePipeline = 0x0002_1006, "CREATE_PIPELINE", ToServer, Pipeline;
    /// 2.2.2.11
    GetAvailableRunspaces = 0x0002_1007, "GET_AVAILABLE_RUNSPACES", ToServer, Pool;
    /// 2.2.2.12
    UserEvent = 0x0002_1008, "USER_EVENT", ToClient, Pool;
    /// 2.2.2.13
    ApplicationPrivateData = 0x0002_1009, "APPLICATION_PRIVATE_DATA", ToClient, Pool;
    /// 2.2.2.14
    GetCommandMetadata = 0x0002_100A, "GET_COMMAND_METADATA", ToServer, Pipeline;
    /// 2.2.2.29
    RunspacePoolInitData = 0x0002_100B, "RUNSPACEPOOL_INIT_DATA", ToClient, Pool;
    /// 2.2.2.30
    ResetRunspaceState = 0x0002_100C, "RESET_RUNSPACE_STATE", ToServer, Pool;
    /// 2.2.2.15
    RunspacePoolHostCall = 0x0002_1100, "RUNSPACEPOOL_HOST_CALL", ToClient, Pool;
    /// 2.2.2.16
    RunspacePoolHostResponse = 0x0002_1101, "RUNSPACEPOOL_HOST_RESPONSE", ToServer, Pool;
    /// 2.2.2.17
    PipelineInput = 0x0004_1002, "PIPELINE_INPUT", ToServer, Pipeline;
    /// 2.2.2.18
    EndOfPipelineInput = 0x0004_1003, "END_OF_PIPELINE_INPUT", ToServer, Pipeline;
    /// 2.2.2.19
    PipelineOutput = 0x0004_1004, "PIPELINE_OUTPUT", ToClient, Pipeline;
    /// 2.2.2.20
    ErrorRecord = 0x0004_1005, "ERROR_RECORD", ToClient, Pipeline;
    /// 2.2.2.21
    PipelineState = 0x0004_1006, "PIPELINE_STATE", ToClient, Pipeline;
    /// 2.2.2.22
    DebugRecord = 0x0004_1007, "DEBUG_RECORD", ToClient, Pipeline;
    /// 2.2.2.23
    VerboseRecord = 0x0004_1008, "VERBOSE_RECORD", ToClient, Pipeline;
    /// 2.2.2.24
    WarningRecord = 0x0004_1009, "WARNING_RECORD", ToClient, Pipeline;
    /// 2.2.2.25
    ProgressRecord = 0x0004_1010, "PROGRESS_RECORD", ToClient, Pipeline;
    /// 2.2.2.26
    InformationRecord = 0x0004_1011, "INFORMATION_RECORD", ToClient, Pipeline;
    /// 2.2.2.27
    PipelineHostCall = 0x0004_1100, "PIPELINE_HOST_CALL", ToClient, Pipeline;
    /// 2.2.2.28
    PipelineHostResponse = 0x0004_1101, "PIPELINE_HOST_RESPONSE", ToServer, Pipeline;
}

impl MessageType {
    /// The type with this number.
    #[must_use]
    pub fn of_code(code: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }

    /// Whether it is output or a record of a stream, whose body nobody on the way has to know.
    #[must_use]
    pub const fn is_record(self) -> bool {
        matches!(
            self,
            Self::PipelineOutput
                | Self::ErrorRecord
                | Self::DebugRecord
                | Self::VerboseRecord
                | Self::WarningRecord
                | Self::ProgressRecord
                | Self::InformationRecord
        )
    }

    /// Whether a message for this side may be of this type.
    #[must_use]
    pub const fn may_reach(self, destination: Destination) -> bool {
        match (self.direction(), destination) {
            (Direction::Both, _)
            | (Direction::ToServer, Destination::Server)
            | (Direction::ToClient, Destination::Client) => true,
            (Direction::ToServer, Destination::Client) | (Direction::ToClient, Destination::Server) => false,
        }
    }
}

/// What stands before a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageHeader {
    /// Whom it is for.
    pub destination: Destination,
    /// What it is.
    pub kind: MessageType,
    /// RPID: the pool. A server's first messages carry zeros.
    pub pool: Uuid,
    /// PID: the pipeline; zeros when it is about the pool.
    pub pipeline: Uuid,
}

impl MessageHeader {
    fn encode(self) -> [u8; HEADER] {
        let Self { destination, kind, pool, pipeline } = self;
        let mut out = [0; HEADER];
        let (destination, kind) = (destination.code().to_le_bytes(), kind.code().to_le_bytes());
        let parts: [&[u8]; 4] = [&destination, &kind, &pool.to_bytes_le(), &pipeline.to_bytes_le()];
        for (place, byte) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        out
    }
}

/// A message; its body is not decoded yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What stands before the body.
    pub header: MessageHeader,
    /// CLIXML; empty for an end of input, and where `$null` is put in or out.
    pub body: RecordBody,
}

impl Message {
    /// A message with a body.
    #[must_use]
    pub fn new(header: MessageHeader, body: &Value) -> Self {
        Self { header, body: RecordBody::encode(body) }
    }

    /// Reads a reassembled object, whose bytes it keeps.
    ///
    /// # Errors
    /// An unknown destination or type, a type that this destination never gets, or a pipeline's id where the pool
    /// is meant and the reverse.
    pub fn decode(object: Object) -> Result<Self> {
        let head = object.first_chunk::<HEADER>().ok_or(Malformed::PsrpMessage)?;
        let (destination, rest) = head.split_first_chunk::<4>().ok_or(Malformed::PsrpMessage)?;
        let (code, rest) = rest.split_first_chunk::<4>().ok_or(Malformed::PsrpMessage)?;
        let (pool, rest) = rest.split_first_chunk::<16>().ok_or(Malformed::PsrpMessage)?;
        let pipeline: &[u8; 16] = rest.try_into().map_err(|_| Malformed::PsrpMessage)?;
        let destination = match u32::from_le_bytes(*destination) {
            1 => Destination::Client,
            2 => Destination::Server,
            _ => return Err(Malformed::PsrpMessage.into()),
        };
        let kind = MessageType::of_code(u32::from_le_bytes(*code)).ok_or(PeerMisbehaved::UnknownMessage)?;
        let header = MessageHeader {
            destination,
            kind,
            pool: Uuid::from_bytes_le(*pool),
            pipeline: Uuid::from_bytes_le(*pipeline),
        };
        if !kind.may_reach(destination) {
            return Err(PeerMisbehaved::WrongDirection.into());
        }
        if (kind.family() == Family::Pool) != header.pipeline.is_nil() {
            return Err(PeerMisbehaved::WrongPipeline.into());
        }
        Ok(Self { header, body: RecordBody::within(object) })
    }

    /// Writes it; a body that did not come in an object gets a byte order mark, as PowerShell writes it.
    #[must_use]
    pub fn encode(self) -> Object {
        self.body.into_object(&self.header.encode())
    }

    /// The body decoded.
    ///
    /// # Errors
    /// As [`crate::clixml::decode`].
    pub fn value(&self) -> Result<Value> {
        self.body.value()
    }
}

/// A body may hold secrets.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("header", &self.header).field("body", &self.body).finish()
    }
}
