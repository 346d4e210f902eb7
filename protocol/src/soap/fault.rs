//! Faults: those that we send, and those of a peer. [MS-WSMV] 2.2.4 and DSP0226 14.

use crate::limits::PEER_TEXT;
use std::fmt;

/// The decimal code that clients look for in `f:WSManFault/@Code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultCode(pub u32);

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl FaultCode {
            $($(#[$doc])* pub const $name: FaultCode = FaultCode($value);)*
        }
    };
}

fault_codes! {
    /// Denied by policy, or by the target.
    ACCESS_DENIED = 5;
    /// A bad value of an option.
    INVALID_PARAMETER = 87;
    /// Try again later.
    BUSY = 170;
    /// The command was ended; to be ignored while cleaning up.
    OPERATION_ABORTED = 995;
    /// The server is going down.
    SHUTDOWN_IN_PROGRESS = 1115;
    /// No server to log in with.
    NO_LOGON_SERVERS = 1311;
    /// No such logon session.
    NO_SUCH_LOGON_SESSION = 1312;
    /// The target refused the login.
    LOGON_FAILURE = 1326;
    /// The program does not exist.
    FILE_NOT_FOUND = 2_147_942_402;
    /// A bad value, as HRESULT.
    INVALID_ARGUMENT = 2_147_942_487;
    /// The command line is too long.
    FILENAME_TOO_LONG = 2_147_942_606;
    /// The user's profile was unloaded under the shell.
    KEY_DELETED = 2_147_943_418;
    /// The server is going down, as HRESULT.
    SHUTDOWN_IN_PROGRESS_HRESULT = 2_147_943_515;
    /// Unknown resource or session configuration.
    RESOURCE_NOT_FOUND = 2_150_858_752;
    /// An action that is not served.
    INVALID_ACTION = 2_150_858_753;
    /// A header that does not parse, a timeout above all.
    INVALID_HEADER = 2_150_858_767;
    /// A mandatory header that is not understood.
    MUST_UNDERSTAND = 2_150_858_768;
    /// The answer would exceed the size that the client takes.
    ENVELOPE_TOO_LARGE = 2_150_858_790;
    /// A body that does not parse.
    INVALID_BODY = 2_150_858_791;
    /// Nothing happened in time: the client asks again.
    TIMED_OUT = 2_150_858_793;
    /// A client's own name for 401.
    FAILED_AUTHENTICATION = 2_150_858_806;
    /// A bad OptionSet.
    INVALID_OPTIONS = 2_150_858_809;
    /// A resource URI that does not parse.
    INVALID_RESOURCE_URI = 2_150_858_811;
    /// A selector that is missing or does not parse.
    INVALID_SELECTORS = 2_150_858_813;
    /// A quota of any kind.
    QUOTA_LIMIT = 2_150_858_815;
    /// A body against its schema.
    SCHEMA_VALIDATION = 2_150_858_817;
    /// Disconnect and the like, where not offered.
    UNSUPPORTED_FEATURE = 2_150_858_818;
    /// Not well-formed.
    INVALID_XML = 2_150_858_819;
    /// The request is larger than the server takes.
    SERVER_ENVELOPE_LIMIT = 2_150_858_825;
    /// The shell does not exist, or no longer: the client makes a new one.
    UNEXPECTED_SELECTORS = 2_150_858_843;
    /// PowerShell's messages that do not parse, or come out of order.
    PSRP_MALFORMED = 2_152_992_672;
    /// The plugin died.
    PLUGIN_FAILED = 2_150_858_883;
    /// The shell was closed already.
    SHELL_CLOSED = 2_150_859_082;
    /// A bad option set for the shell.
    INVALID_OPTION_SET = 2_150_859_140;
    /// A command id was needed.
    NO_COMMAND_ID = 2_150_859_141;
    /// An input stream that Create did not name.
    INVALID_INPUT_STREAM = 2_150_859_147;
    /// An output stream that Create did not name.
    INVALID_DESIRED_STREAMS = 2_150_859_149;
    /// Exchange's redirection, never followed.
    REDIRECT_REQUESTED = 2_150_859_161;
    /// Shells per user.
    QUOTA_SHELLS = 2_150_859_173;
    /// Operations per user.
    QUOTA_OPERATIONS = 2_150_859_174;
    /// Requests of one user in a window of time.
    QUOTA_USER = 2_150_859_175;
    /// Requests of all in a window of time.
    QUOTA_SYSTEM = 2_150_859_176;
    /// The shell belongs to somebody else.
    DIFFERENT_IDENTITY = 2_150_859_177;
    /// Users with shells.
    QUOTA_SHELL_USERS = 2_150_859_179;
    /// The target allows no remote shells.
    SHELLS_NOT_ALLOWED = 2_150_859_180;
}

/// First and last of the per-plugin quotas, 2150859241 (commands per shell) among them.
const PLUGIN_QUOTAS: std::ops::RangeInclusive<u32> = 2_150_859_236..=2_150_859_242;

impl FaultCode {
    /// Whether the same request may succeed later. Command and Send are never repeated by us all the same.
    #[must_use]
    pub fn is_transient(self) -> bool {
        const TRANSIENT: [FaultCode; 6] = [
            FaultCode::BUSY,
            FaultCode::QUOTA_SHELLS,
            FaultCode::QUOTA_SHELL_USERS,
            FaultCode::QUOTA_OPERATIONS,
            FaultCode::QUOTA_USER,
            FaultCode::QUOTA_SYSTEM,
        ];
        TRANSIENT.contains(&self) || PLUGIN_QUOTAS.contains(&self.0)
    }
}

/// Whose fault it is. SOAP 1.2 part 1, 5.4.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The request cannot succeed as it is.
    Sender,
    /// The server could not.
    Receiver,
    /// A header that must be understood is not.
    MustUnderstand,
}

/// The second code of a fault. DSP0226 14.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subcode {
    /// `w:AccessDenied`.
    AccessDenied,
    /// `w:TimedOut`.
    TimedOut,
    /// `w:QuotaLimit`.
    QuotaLimit,
    /// `w:InternalError`.
    InternalError,
    /// `w:InvalidSelectors`.
    InvalidSelectors,
    /// `w:InvalidOptions`.
    InvalidOptions,
    /// `w:InvalidParameter`.
    InvalidParameter,
    /// `w:SchemaValidationError`.
    SchemaValidation,
    /// `w:EncodingLimit`.
    EncodingLimit,
    /// `w:UnsupportedFeature`.
    UnsupportedFeature,
    /// `a:ActionNotSupported`.
    ActionNotSupported,
    /// `a:InvalidMessageInformationHeader`.
    InvalidHeader,
    /// `a:DestinationUnreachable`.
    DestinationUnreachable,
}

/// A fault of ours, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What clients look for.
    pub code: FaultCode,
    /// Whose fault it is; absent where SOAP's own code says it all.
    pub subcode: Option<Subcode>,
    /// Whose fault it is.
    pub blame: Blame,
    /// For people, and for the clients that search in it.
    pub reason: String,
    /// The public name of this machine; empty = left out.
    pub machine: String,
}

impl Fault {
    /// A fault that the sender can do something about.
    #[must_use]
    pub fn sender(code: FaultCode, subcode: Subcode, reason: impl Into<String>) -> Self {
        Self { code, subcode: Some(subcode), blame: Blame::Sender, reason: reason.into(), machine: String::new() }
    }

    /// A fault of the server, or of what stands behind it.
    #[must_use]
    pub fn receiver(code: FaultCode, subcode: Subcode, reason: impl Into<String>) -> Self {
        Self { blame: Blame::Receiver, ..Self::sender(code, subcode, reason) }
    }

    /// The same fault with the public name of this machine.
    #[must_use]
    pub fn with_machine(self, machine: impl Into<String>) -> Self {
        Self { machine: machine.into(), ..self }
    }

    /// Nothing happened in time: clients ask again. Some know it by the word `OperationTimeout` alone.
    #[must_use]
    pub fn timed_out() -> Self {
        let reason =
            "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.";
        Self::receiver(FaultCode::TIMED_OUT, Subcode::TimedOut, reason)
    }

    /// Policy, or a target, says no.
    #[must_use]
    pub fn access_denied(reason: impl Into<String>) -> Self {
        Self::sender(FaultCode::ACCESS_DENIED, Subcode::AccessDenied, reason)
    }

    /// The shell or command is not there, or no longer: clients make a new one.
    #[must_use]
    pub fn no_such_shell() -> Self {
        let reason = "The request for the Windows Remote Shell failed because the shell or command was not found on the server. \
                      Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server.";
        Self::sender(FaultCode::UNEXPECTED_SELECTORS, Subcode::InvalidSelectors, reason)
    }

    /// A quota: which one, and what to do.
    #[must_use]
    pub fn quota(code: FaultCode, reason: impl Into<String>) -> Self {
        Self::receiver(code, Subcode::QuotaLimit, reason)
    }

    /// The server, or what stands behind it, failed.
    #[must_use]
    pub fn internal(code: FaultCode, reason: impl Into<String>) -> Self {
        Self::receiver(code, Subcode::InternalError, reason)
    }

    /// An option's value that does not parse.
    #[must_use]
    pub fn invalid_parameter(reason: impl Into<String>) -> Self {
        Self::sender(FaultCode::INVALID_PARAMETER, Subcode::InvalidParameter, reason)
    }

    /// A mandatory header that is not understood.
    #[must_use]
    pub fn must_understand() -> Self {
        Self {
            code: FaultCode::MUST_UNDERSTAND,
            subcode: None,
            blame: Blame::MustUnderstand,
            reason: "The request has a mandatory SOAP header that this service does not understand.".to_owned(),
            machine: String::new(),
        }
    }

    /// An action that is not served.
    #[must_use]
    pub fn action_not_supported() -> Self {
        let reason = "The action is not supported by this service; it serves shells only.";
        Self::sender(FaultCode::INVALID_ACTION, Subcode::ActionNotSupported, reason)
    }

    /// The answer would exceed the size that the client takes.
    #[must_use]
    pub fn envelope_too_large() -> Self {
        let reason = "The response is larger than the MaxEnvelopeSize of the request.";
        Self::sender(FaultCode::ENVELOPE_TOO_LARGE, Subcode::EncodingLimit, reason)
    }
}

impl Blame {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sender => "s:Sender",
            Self::Receiver => "s:Receiver",
            Self::MustUnderstand => "s:MustUnderstand",
        }
    }
}

impl Subcode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "w:AccessDenied",
            Self::TimedOut => "w:TimedOut",
            Self::QuotaLimit => "w:QuotaLimit",
            Self::InternalError => "w:InternalError",
            Self::InvalidSelectors => "w:InvalidSelectors",
            Self::InvalidOptions => "w:InvalidOptions",
            Self::InvalidParameter => "w:InvalidParameter",
            Self::SchemaValidation => "w:SchemaValidationError",
            Self::EncodingLimit => "w:EncodingLimit",
            Self::UnsupportedFeature => "w:UnsupportedFeature",
            Self::ActionNotSupported => "a:ActionNotSupported",
            Self::InvalidHeader => "a:InvalidMessageInformationHeader",
            Self::DestinationUnreachable => "a:DestinationUnreachable",
        }
    }

    /// The `a:Action` of a fault with this subcode: addressing's own faults have another one.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::ActionNotSupported | Self::InvalidHeader | Self::DestinationUnreachable => ADDRESSING_FAULT,
            Self::AccessDenied
            | Self::TimedOut
            | Self::QuotaLimit
            | Self::InternalError
            | Self::InvalidSelectors
            | Self::InvalidOptions
            | Self::InvalidParameter
            | Self::SchemaValidation
            | Self::EncodingLimit
            | Self::UnsupportedFeature => WSMAN_FAULT,
        }
    }
}

/// The action of nearly all faults.
pub(crate) const WSMAN_FAULT: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault";
/// The action of faults that are about addressing.
pub(crate) const ADDRESSING_FAULT: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault";

impl PeerText {
    /// Keeps the beginning of a text.
    pub(crate) fn bounded(text: &str) -> Self {
        let kept = text.char_indices().take_while(|(at, _)| *at < PEER_TEXT).map(|(_, c)| c);
        Self(kept.collect())
    }
}

/// Text of a peer: bounded, and shown by no `Display` or `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PeerText(String);

impl PeerText {
    /// The text, which may say anything: escape it, and show it to those only who may see the target's.
    #[must_use]
    pub fn untrusted(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PeerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerText({} bytes)", self.0.len())
    }
}

/// A fault that a peer sent: its code is a number, its text is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFault {
    /// Zero when the peer gave none.
    pub code: FaultCode,
    /// As the peer says.
    pub blame: Blame,
    /// Never for clients as it is.
    pub text: PeerText,
}
