//! The job API: what the agent asks of a gateway in one request, and the lines that come back.
//!
//! One document, described for readers in `docs/job-api.md`. The request and the answers are JSON inside
//! sealed bodies ([`crate::sealing`]); a job's answer is a stream of JSON lines, each one [`JobEvent`].
//! Both ends decode with the functions here, which bound every size and count and refuse unknown fields:
//! the gateway reads a user, and the agent reads text that hostile targets helped to write.

mod capabilities;
mod event;
mod name;
mod output;
mod powershell;
mod problem;
mod record;
mod request;
mod targets;

pub use capabilities::{
    Capabilities, CapabilitiesRequest, CommandEntry, ParameterEntry, ParameterSecrecy, PowershellLines, ProgramCall,
    ProgramEntry, Question, RoleEntry, ScriptEntry, Verdict,
};
pub use event::{Effect, FailureClass, JobEvent, Summary};
pub use name::check_name;
pub use output::{OutputData, OutputStream};
pub use powershell::{CallArgument, CallValue, CommandCall, ScriptArgument, ScriptCall};
pub use problem::{Problem, ProblemBody, ProblemClass};
pub use record::{PipelineEnd, RecordStream, RecordText};
pub use request::{JobRequest, TargetSelection, Work};
pub use targets::{TargetEntry, TargetList, TargetsRequest};

/// The version of the documents here. A field, an event or a value more is a new version.
pub const VERSION: u32 = 1;
/// The version of what is about PowerShell: requests with a command or a script, and the answers to them. Everything
/// else stays as it was, so that programs that speak version 1 alone go on.
pub const POWERSHELL_VERSION: u32 = 2;

/// Where a job is submitted: `POST`, one [`JobRequest`] in, lines of [`JobEvent`] out.
pub const JOBS_PATH: &str = "/api/v1/jobs";
/// Where the targets that the user may reach are listed: `POST`, [`TargetsRequest`] in, [`TargetList`] out.
pub const TARGETS_PATH: &str = "/api/v1/targets";
/// Where it is asked what the user may do on a target: `POST`, [`CapabilitiesRequest`] in, [`Capabilities`] out; or
/// `GET` with the target's name as `target` in the query.
pub const CAPABILITIES_PATH: &str = "/api/v1/capabilities";
/// The media type of a single document, inside the sealed body.
pub const JSON_MIME: &str = "application/json";
/// The media type of a job's answer, inside the sealed groups.
pub const LINES_MIME: &str = "application/x-ndjson";

/// Bytes of a request's JSON: the targets' names and a script, with room for JSON's escapes.
pub const REQUEST_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of one line of the answer, its line feed not counted: [`OUTPUT_CHUNK`] times six, which is what the
/// worst escapes make of it, or [`TARGET_LIST_BYTES`] of names.
pub const LINE_BYTES: usize = 256 * 1024;
/// Bytes of the target's output in one line.
pub const OUTPUT_CHUNK: usize = 32 * 1024;
/// Bytes of a record's CLIXML in one line.
pub const RECORD_CHUNK: usize = 32 * 1024;
/// Bytes of one record, all its lines together: what CLIXML is read of.
pub const RECORD_BYTES: usize = crate::limits::CLIXML_BYTES;
/// Targets in one job.
pub const TARGETS: usize = 4096;
/// Bytes that the names of one job's targets have in total: they all stand in the line `accepted`.
pub const TARGET_LIST_BYTES: usize = 200_000;
/// Bytes of the name of a target or of a group: the longest name in DNS.
pub const NAME_BYTES: usize = 253;
/// Bytes of the program's name.
pub const PROGRAM_BYTES: usize = 1024;
/// Arguments of one program.
pub const ARGUMENTS: usize = 256;
/// Bytes of program and arguments together: what Windows takes as one command line.
pub const COMMAND_BYTES: usize = 32_767;
/// Bytes of PowerShell's text in a question.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Bytes of a script's text in a request.
pub const SCRIPT_BYTES: usize = 256 * 1024;
/// Bytes of a parameter's name.
pub const PARAMETER_BYTES: usize = 256;
/// Bytes of all values of one command or script, each with one more.
pub const CALL_BYTES: usize = 32 * 1024;
/// The most targets at a time that a job may ask for. The gateway may allow fewer.
pub const THROTTLE: u16 = 256;
/// The longest time per target that a job may ask for, in seconds. The gateway may allow less.
pub const TIMEOUT_SECONDS: u32 = 24 * 60 * 60;
/// Seconds within which the gateway writes a line, if only a heartbeat.
pub const HEARTBEAT_SECONDS: u32 = 15;
/// Bytes of a message, a rule's name or an id in an answer.
pub const MESSAGE_BYTES: usize = 4096;
/// Bytes of a [`TargetList`]'s or [`Problem`]'s JSON, which fit a sealed body
/// ([`SEALED_BODY`](crate::limits::SEALED_BODY)).
pub const DOCUMENT_BYTES: usize = 2 * 1024 * 1024;
const _: () = assert!(DOCUMENT_BYTES < crate::limits::SEALED_BODY && REQUEST_BYTES < crate::limits::SEALED_BODY);
/// Groups, tags or roles of one target in a [`TargetList`].
pub const LABELS: usize = 256;

/// What is wrong with a document of the job API, one variant per rule.
///
/// The texts are for the user who wrote the request: they say what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobMistake {
    /// Not JSON, an unknown or missing field, or a value of the wrong type.
    #[error("not a document of the job API: it must be JSON with the documented fields and no others")]
    Malformed,
    /// More than [`REQUEST_BYTES`], [`LINE_BYTES`] or [`DOCUMENT_BYTES`].
    #[error("the document is too large")]
    TooLarge,
    /// A version other than [`VERSION`], or [`POWERSHELL_VERSION`] where that is needed.
    #[error(
        "this version of the job API is not spoken here: use version {POWERSHELL_VERSION} for commands and scripts of \
         PowerShell's, and version {VERSION} for everything else"
    )]
    Version,
    /// No program named, or one of more than [`PROGRAM_BYTES`].
    #[error("name a program, in at most {PROGRAM_BYTES} bytes")]
    Program,
    /// More than [`ARGUMENTS`].
    #[error("too many arguments: at most {ARGUMENTS}")]
    ArgumentCount,
    /// Program and arguments with more than [`COMMAND_BYTES`].
    #[error("the command is too long: program and arguments have at most {COMMAND_BYTES} bytes")]
    CommandLength,
    /// A question without a command.
    #[error("name a command")]
    NoCommand,
    /// Not one of a program, a command and a script.
    #[error("give one of `program`, `command` and `script`")]
    OneWork,
    /// An argument without a name and a value.
    #[error("an argument has a `parameter`, a `value`, or both")]
    EmptyArgument,
    /// A parameter's name that is none, or one of more than [`PARAMETER_BYTES`].
    #[error("a parameter's name has a letter or digit, and at most {PARAMETER_BYTES} bytes")]
    Parameter,
    /// A list within a list.
    #[error("a list cannot hold a list")]
    NestedList,
    /// A command's name of more than [`PROGRAM_BYTES`], or values of more than [`CALL_BYTES`].
    #[error("the command is too long: its name has at most {PROGRAM_BYTES} bytes, its values {CALL_BYTES} together")]
    CallLength,
    /// More than [`SCRIPT_BYTES`].
    #[error("the script is too long: at most {SCRIPT_BYTES} bytes")]
    ScriptLength,
    /// A NUL in the program or an argument, which no command line can carry.
    #[error("a program or argument cannot contain a NUL character")]
    Nul,
    /// An empty list of targets.
    #[error("name at least one target")]
    NoTarget,
    /// More than [`TARGETS`], or more than [`TARGET_LIST_BYTES`] of names.
    #[error("too many targets: at most {TARGETS}, and {TARGET_LIST_BYTES} bytes of names; split the job")]
    TargetCount,
    /// A name that no target or group can have.
    #[error(
        "a target's or group's name begins with a letter or digit, goes on with letters, digits, '.', '-' and '_', \
         and has at most {NAME_BYTES} characters"
    )]
    Name,
    /// The same target twice in one job; letter case makes no difference.
    #[error("name each target once")]
    TargetTwice,
    /// Zero or more than [`THROTTLE`].
    #[error("the throttle lies between 1 and {THROTTLE}")]
    Throttle,
    /// Zero or more than [`TIMEOUT_SECONDS`].
    #[error("the timeout lies between 1 and {TIMEOUT_SECONDS} seconds")]
    Timeout,
    /// More than [`MESSAGE_BYTES`] in a message, rule or id, or [`LABELS`] labels.
    #[error("a text or list of the answer is too long")]
    TextLength,
    /// More than [`OUTPUT_CHUNK`] or [`RECORD_CHUNK`] in one line, or base64 that is none.
    #[error("output in an answer is too long, or not base64")]
    Output,
    /// A class of failure that contradicts what is said of the effect on the target.
    #[error("the answer contradicts itself on whether the command ran")]
    Effect,
}

/// Decodes one bounded JSON document.
fn decode<'a, T: serde::Deserialize<'a>>(json: &'a [u8], most: usize) -> Result<T, JobMistake> {
    if json.len() > most {
        return Err(JobMistake::TooLarge);
    }
    serde_json::from_slice(json).map_err(|_| JobMistake::Malformed)
}

/// Encodes one bounded JSON document.
fn encode<T: serde::Serialize>(document: &T, most: usize) -> Result<Vec<u8>, JobMistake> {
    let json = serde_json::to_vec(document).map_err(|_| JobMistake::Malformed)?;
    if json.len() > most {
        return Err(JobMistake::TooLarge);
    }
    Ok(json)
}

fn check_text(text: &str) -> Result<(), JobMistake> {
    if text.len() > MESSAGE_BYTES {
        return Err(JobMistake::TextLength);
    }
    Ok(())
}

fn check_version(version: u32, spoken: u32) -> Result<(), JobMistake> {
    if version == spoken { Ok(()) } else { Err(JobMistake::Version) }
}
