//! What client and server say about the pool, \[MS-PSRP\] 2.2.2.1 to 2.2.2.14.

use super::host::HostInfo;
use super::members::{enumeration, int, list, long, object, required, text, typed};
use crate::Result;
use crate::clixml::{Content, Object, Value};
use crate::error::{LimitExceeded, Malformed, Unsupported};
use crate::limits::{PSRP_COMMANDS, SHORT_TEXT};

/// A version of the protocol: always 2 and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolVersion(u8);

impl ProtocolVersion {
    /// The oldest that is served: Windows 7.
    pub const V2_1: Self = Self(1);
    /// Windows 8.
    pub const V2_2: Self = Self(2);
    /// The newest that is announced: from 2.4 on a SecureString travels in clear text.
    pub const V2_3: Self = Self(3);

    /// The number behind the point.
    #[must_use]
    pub const fn minor(self) -> u8 {
        self.0
    }

    /// Reads `2.3`; later versions count as the newest that is announced.
    ///
    /// # Errors
    /// [`Unsupported::PsrpVersion`] for everything else.
    pub fn parse(text: &str) -> Result<Self> {
        let minor = text.strip_prefix("2.").filter(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()));
        let minor: u8 = minor.and_then(|minor| minor.parse().ok()).ok_or(Unsupported::PsrpVersion)?;
        if minor == 0 { Err(Unsupported::PsrpVersion.into()) } else { Ok(Self(minor.min(Self::V2_3.0))) }
    }
}

/// SESSION_CAPABILITY, \[MS-PSRP\] 2.2.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCapability {
    /// The version of the protocol.
    pub protocol: ProtocolVersion,
}

impl SessionCapability {
    /// Reads the body. The time zone of old clients is left out: it is a binary serialisation.
    ///
    /// # Errors
    /// When the versions are missing, or are none that PowerShell takes.
    pub fn decode(body: &Value) -> Result<Self> {
        let capability = object(body)?;
        let version = |name| {
            let Value::Version(version) = required(capability, name)? else {
                return Err(crate::Error::from(Malformed::PsrpBody));
            };
            Ok(version.as_str())
        };
        if !version("PSVersion")?.starts_with("2.") || !version("SerializationVersion")?.starts_with("1.1.") {
            return Err(Unsupported::PsrpVersion.into());
        }
        Ok(Self { protocol: ProtocolVersion::parse(version("protocolversion")?)? })
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(self) -> Value {
        Value::object(Object::of_members([
            ("protocolversion", Value::Version(format!("2.{}", self.protocol.minor()))),
            ("PSVersion", Value::Version("2.0".to_owned())),
            ("SerializationVersion", Value::Version("1.1.0.1".to_owned())),
        ]))
    }
}

/// INIT_RUNSPACEPOOL, \[MS-PSRP\] 2.2.2.2. The application arguments are read over: they are the client's own.
#[derive(Debug, Clone, PartialEq)]
pub struct InitRunspacePool {
    /// `MinRunspaces`.
    pub min: i32,
    /// `MaxRunspaces`.
    pub max: i32,
    /// The client's host.
    pub host: HostInfo,
}

impl InitRunspacePool {
    /// Reads the body.
    ///
    /// # Errors
    /// When a member is missing or of another type, or the numbers of runspaces are none.
    pub fn decode(body: &Value) -> Result<Self> {
        let init = object(body)?;
        let (min, max) = (int(required(init, "MinRunspaces")?)?, int(required(init, "MaxRunspaces")?)?);
        int(required(init, "PSThreadOptions")?)?;
        int(required(init, "ApartmentState")?)?;
        required(init, "ApplicationArguments")?;
        if min < 1 || max < min {
            return Err(Malformed::PsrpBody.into());
        }
        Ok(Self { min, max, host: HostInfo::decode(required(init, "HostInfo")?)? })
    }

    /// Writes the body, without application arguments.
    #[must_use]
    pub fn encode(&self) -> Value {
        const THREADS: &str = "System.Management.Automation.Runspaces.PSThreadOptions";
        const APARTMENT: &str = "System.Threading.ApartmentState";
        Value::object(Object::of_members([
            ("MinRunspaces", Value::int(self.min)),
            ("MaxRunspaces", Value::int(self.max)),
            ("PSThreadOptions", enumeration(THREADS, "Default", 0)),
            ("ApartmentState", enumeration(APARTMENT, "Unknown", 2)),
            ("HostInfo", self.host.encode()),
            ("ApplicationArguments", Value::Nil),
        ]))
    }
}

/// The keys of APPLICATION_PRIVATE_DATA that announce remote debugging, which is not offered: a client that sees
/// them sends debugger commands before every line.
pub const DEBUGGER_KEYS: [&str; 5] =
    ["DebugMode", "DebugStop", "BreakAll", "DebugBreakpointCount", "UnhandledBreakpointMode"];

/// APPLICATION_PRIVATE_DATA, \[MS-PSRP\] 2.2.2.13, without the debugger's keys.
///
/// # Errors
/// When it is no dictionary.
pub fn without_debugger(body: &Value) -> Result<Value> {
    const NAME: &str = "ApplicationPrivateData";
    let data = required(object(body)?, NAME)?;
    if *data == Value::Nil {
        return Ok(Value::object(Object::of_members([(NAME, Value::Nil)])));
    }
    let data = object(data)?;
    let Content::Dictionary(entries) = &data.content else {
        return Err(Malformed::PsrpBody.into());
    };
    let is_debugger = |key: &Value| {
        let Value::Text(key) = key else { return true };
        DEBUGGER_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
    };
    let entries = entries.iter().filter(|(key, _)| !is_debugger(key)).cloned().collect();
    Ok(private_data(entries))
}

/// APPLICATION_PRIVATE_DATA with these entries.
#[must_use]
pub fn private_data(entries: Vec<(Value, Value)>) -> Value {
    let types = ["System.Management.Automation.PSPrimitiveDictionary", "System.Collections.Hashtable", "System.Object"];
    let data = typed(&types, None, Content::Dictionary(entries));
    Value::object(Object::of_members([("ApplicationPrivateData", data)]))
}

/// The state of a pool, \[MS-PSRP\] 2.2.3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolState {
    /// Commands can be sent.
    Opened,
    /// It has ended.
    Closed,
    /// It is about to end.
    Closing,
    /// It has failed.
    Broken,
    /// It has been negotiated and is about to open.
    NegotiationSucceeded,
}

/// The state of a pipeline, \[MS-PSRP\] 2.2.3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineState {
    /// It runs.
    Running,
    /// It is being stopped.
    Stopping,
    /// It was stopped.
    Stopped,
    /// It has ended by itself.
    Completed,
    /// It has failed.
    Failed,
    /// It waits for its client.
    Disconnected,
}

impl PoolState {
    const ALL: [(Self, i32); 5] =
        [(Self::Opened, 2), (Self::Closed, 3), (Self::Closing, 4), (Self::Broken, 5), (Self::NegotiationSucceeded, 7)];
}

impl PipelineState {
    const ALL: [(Self, i32); 6] = [
        (Self::Running, 1),
        (Self::Stopping, 2),
        (Self::Stopped, 3),
        (Self::Completed, 4),
        (Self::Failed, 5),
        (Self::Disconnected, 6),
    ];

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Stopped | Self::Completed | Self::Failed => true,
            Self::Running | Self::Stopping | Self::Disconnected => false,
        }
    }
}

/// A state and the error that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated<S> {
    /// The state.
    pub state: S,
    /// `ExceptionAsErrorRecord`.
    pub error: Option<Value>,
}

impl Stated<PoolState> {
    /// Reads RUNSPACEPOOL_STATE, \[MS-PSRP\] 2.2.2.9.
    ///
    /// # Errors
    /// When the state is none.
    pub fn decode_pool(body: &Value) -> Result<Self> {
        decode_state(body, "RunspaceState", &PoolState::ALL)
    }

    /// Writes it.
    #[must_use]
    pub fn encode_pool(&self) -> Value {
        encode_state(self, "RunspaceState", &PoolState::ALL)
    }
}

impl Stated<PipelineState> {
    /// Reads PIPELINE_STATE, \[MS-PSRP\] 2.2.2.21.
    ///
    /// # Errors
    /// When the state is none.
    pub fn decode_pipeline(body: &Value) -> Result<Self> {
        decode_state(body, "PipelineState", &PipelineState::ALL)
    }

    /// Writes it.
    #[must_use]
    pub fn encode_pipeline(&self) -> Value {
        encode_state(self, "PipelineState", &PipelineState::ALL)
    }
}

fn decode_state<S: Copy>(body: &Value, name: &str, all: &[(S, i32)]) -> Result<Stated<S>> {
    let state = object(body)?;
    let code = int(required(state, name)?)?;
    let (found, _) = all.iter().find(|(_, known)| *known == code).ok_or(Malformed::PsrpBody)?;
    let error = state.member("ExceptionAsErrorRecord").filter(|error| **error != Value::Nil).cloned();
    Ok(Stated { state: *found, error })
}

fn encode_state<S: Copy + PartialEq>(stated: &Stated<S>, name: &str, all: &[(S, i32)]) -> Value {
    let code = all.iter().find(|(known, _)| *known == stated.state).map_or(0, |(_, code)| *code);
    let mut members = vec![(name.to_owned(), Value::int(code))];
    members.extend(stated.error.clone().map(|error| ("ExceptionAsErrorRecord".to_owned(), error)));
    Value::object(Object { extended: Some(members), ..Object::default() })
}

/// A question about runspaces that is answered by RUNSPACE_AVAILABILITY, \[MS-PSRP\] 2.2.2.8: `CI`, which Windows
/// writes as `ci`, and pypsrp both ways.
///
/// # Errors
/// When it has no call id.
pub fn call_id(body: &Value) -> Result<i64> {
    let question = object(body)?;
    long(question.member("ci").or_else(|| question.member("CI")).ok_or(Malformed::PsrpBody)?)
}

/// RUNSPACE_AVAILABILITY as Windows writes it: a number of runspaces, or whether a limit was changed.
#[must_use]
pub fn availability(call: i64, response: Value) -> Value {
    Value::object(Object::of_members([("SetMinMaxRunspacesResponse", response), ("ci", Value::long(call))]))
}

/// GET_COMMAND_METADATA, \[MS-PSRP\] 2.2.2.14.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetCommandMetadata {
    /// `Name`: patterns; empty means all.
    pub names: Vec<String>,
    /// `CommandType`: flags.
    pub kinds: i32,
    /// `Namespace`: modules; empty means all.
    pub modules: Vec<String>,
}

impl GetCommandMetadata {
    /// Reads the body. `ArgumentList` has to be empty: it makes a target run code.
    ///
    /// # Errors
    /// When a member is missing or of another type, or there are too many names.
    pub fn decode(body: &Value) -> Result<Self> {
        let request = object(body)?;
        let arguments = required(request, "ArgumentList")?;
        if *arguments != Value::Nil && !list(arguments)?.is_empty() {
            return Err(Unsupported::MetadataArguments.into());
        }
        let modules = request.member("FullyQualifiedModule").filter(|value| **value != Value::Nil);
        if modules.map(list).transpose()?.is_some_and(|modules| !modules.is_empty()) {
            return Err(Unsupported::MetadataArguments.into());
        }
        Ok(Self {
            names: texts(required(request, "Name")?)?,
            kinds: int(required(request, "CommandType")?)?,
            modules: texts(required(request, "Namespace")?)?,
        })
    }
}

fn texts(value: &Value) -> Result<Vec<String>> {
    if *value == Value::Nil {
        return Ok(Vec::new());
    }
    let items = list(value)?;
    if PSRP_COMMANDS < items.len() {
        return Err(LimitExceeded::Command.into());
    }
    let read = |item| match text(item)? {
        text if SHORT_TEXT < text.len() => Err(crate::Error::from(LimitExceeded::Text)),
        text => Ok(text.to_owned()),
    };
    items.iter().map(read).collect()
}
