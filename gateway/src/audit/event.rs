//! What is written into the audit log.
//!
//! Texts that may hold secrets enter an event only as the `Audited` types of [`super::redact`], which
//! [`super::Redactor`] alone makes.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::redact::{AuditedClaim, AuditedCommands, AuditedProgram, AuditedScript, AuditedText};

/// One line: what happened, and to whom and where.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    #[serde(flatten)]
    pub kind: EventKind,
    #[serde(flatten)]
    pub context: Context,
}

impl Event {
    #[must_use]
    pub fn new(kind: EventKind, context: &Context) -> Self {
        Self { kind, context: context.clone() }
    }
}

/// The fields that every event can have. What is not known is left out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addr: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The gateway's id of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Ids>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Ids>,
    /// The policy that decided: its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What the client was told to quote when it asks about this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// In the line that ends a session or job: where its recording ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingEnd>,
}

/// The end of a recording. With it in the log, no line of the recording can be changed, cut off or added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordingEnd {
    pub lines: u64,
    /// SHA-256 of the last line, in hex.
    pub sha256: String,
    /// Whether everything was recorded that was to be.
    pub complete: bool,
}

/// The id that the gateway gave, and the one that the target knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ids {
    pub gateway: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What happened. The names of the variants are the `event` field.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    Start {
        version: String,
    },
    Stop {
        reason: StopReason,
    },
    /// The configuration or policy was read again. `refused` keeps the old one.
    Reload {
        outcome: ReloadOutcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        old_policy: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        new_policy: Option<String>,
    },
    Login {
        outcome: LoginOutcome,
        /// The name that the client claimed, when no account has it.
        #[serde(skip_serializing_if = "Option::is_none")]
        claimed: Option<AuditedClaim>,
        /// Of a login that went well: what the identity provider says, on which decisions rest.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        groups: Vec<String>,
    },
    /// A session of PowerShell's is about to be opened on a target.
    SessionStart {
        configuration: String,
    },
    SessionEnd {
        reason: SessionEnd,
    },
    /// A request that was refused. Nothing was sent.
    Denial {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        #[serde(flatten)]
        asked: Option<Asked>,
    },
    /// Written before anything is sent.
    Command(Commanded),
    Result(CommandResult),
    /// A rate or quota was reached.
    Limit {
        limit: String,
        #[serde(
            skip_serializing_if = "Option::is_none",
            rename = "retry_after_ms",
            serialize_with = "optional_milliseconds"
        )]
        retry_after: Option<Duration>,
    },
    /// Further logins of this account from this address wait.
    Lockout {
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<String>,
        failures: u32,
        #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
        duration: Duration,
    },
    Job(JobEvent),
    /// About the recording of a session.
    Recording(RecordingEvent),
}

/// What became of a recording. Where it ended well stands in the line that ends its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum RecordingEvent {
    /// There is one: written before anything is done in its session.
    Begun {
        /// SHA-256 of its first line, in hex.
        sha256: String,
    },
    /// Something could not be recorded, and so was not done.
    Refused { why: Unrecorded },
    /// The session goes on and is recorded no further.
    Stopped { why: Unrecorded },
    /// The gateway had died: its end is in `recording`, as it was found.
    Recovered,
    /// Somebody reads it: written before anything is shown.
    Read { reader: Reader },
}

/// Why something is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unrecorded {
    /// The folder has all that it may have.
    Full,
    /// It could not be written.
    Failed,
}

/// Who reads, as the operating system knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reader {
    pub uid: u32,
    /// Who had logged in to the machine, whatever user they became since, where the system keeps that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
}

/// What was allowed, and by which rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Commanded {
    pub role: String,
    pub rule: String,
    #[serde(flatten)]
    pub what: Permitted,
}

/// What was allowed, as it was judged: the one field of this name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permitted {
    Program(AuditedProgram),
    Commands(AuditedCommands),
    Script(AuditedScript),
}

/// What was asked for and denied, as far as it could be read: the one field of this name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    Program(AuditedProgram),
    Commands(AuditedCommands),
    Unread(AuditedText),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    Signal,
    Failure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReloadOutcome {
    Taken,
    Refused,
}

/// How a login went. Finer than what the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginOutcome {
    Ok,
    /// Unknown account or wrong password: the two are one on purpose.
    BadCredentials,
    /// The name leads to no principal.
    UnknownName,
    /// The delegated credential is not that of the account that logged in.
    DelegatedMismatch,
    /// Locked out, or slowed down.
    LockedOut,
    /// A guard refused the exchange: no MIC, NTLMv1, an old version, a wrong binding.
    Protocol,
    /// Legs, bytes or seconds ran out.
    Limit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The client deleted its shell.
    Deleted,
    Idle,
    Lifetime,
    Shutdown,
    /// The target is gone, or refused the credential.
    Target,
    /// Ended by policy, an operator or an error of the gateway.
    Gateway,
}

/// How a command ended, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandResult {
    #[serde(flatten)]
    pub outcome: Outcome,
    pub stdin_bytes: u64,
    pub stdout_bytes: u64,
    pub stderr_bytes: u64,
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Exit {
        exit_code: i64,
    },
    /// A pipeline that ran to its end, perhaps with errors on the way.
    Completed,
    /// A pipeline that an error ended.
    Failed,
    /// A pipeline that its client stopped.
    Stopped,
    /// The client or the gateway stopped it, and the target said so.
    Terminated {
        by: TerminatedBy,
    },
    /// The target refused it: nothing ran.
    Fault {
        code: u32,
    },
    /// It may have run, or may be running still.
    Unknown {
        why: UnknownWhy,
    },
    /// The target was never reached: nothing ran.
    NotSent {
        why: UnknownWhy,
    },
}

impl Outcome {
    /// In a word or two, for people.
    #[must_use]
    pub fn words(&self) -> String {
        if let Self::Exit { exit_code } = self { format!("exit {exit_code}") } else { self.word().to_owned() }
    }

    /// Its word in the log.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Exit { .. } => "exit",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Terminated { .. } => "terminated",
            Self::Fault { .. } => "fault",
            Self::Unknown { .. } => "unknown",
            Self::NotSent { .. } => "not_sent",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminatedBy {
    Client,
    Idle,
    Deadline,
    Shutdown,
    /// What came with it was refused, or could not be recorded.
    Gateway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownWhy {
    /// The connection to the target broke.
    ConnectionLost,
    /// The target did not answer in time.
    Timeout,
    /// The target's answer could not be read.
    Garbage,
    /// The target refused the login.
    LoginRefused,
    /// The target's certificate is not the right one.
    CertificateRefused,
    /// The client went away and the session ended before the command did.
    Abandoned,
    /// The gateway stopped.
    Shutdown,
    /// An error inside the gateway.
    Internal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobEvent {
    pub job: String,
    pub stage: JobStage,
    pub targets: u32,
    #[serde(flatten)]
    pub outcomes: Option<JobOutcomes>,
}

/// The targets of a job that has ended, by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct JobOutcomes {
    pub succeeded: u32,
    pub exited_nonzero: u32,
    pub denied: u32,
    pub failed: u32,
    /// Not begun, or told to stop.
    pub cancelled: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStage {
    Submitted,
    Finished,
    Cancelled,
}

fn milliseconds<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
}

fn optional_milliseconds<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => milliseconds(value, serializer),
        None => serializer.serialize_none(),
    }
}
