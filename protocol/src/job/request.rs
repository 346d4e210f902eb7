//! What the agent asks for.

use super::capabilities::check_program;
use super::name::{check_name, check_names};
use super::{
    CommandCall, JobMistake, POWERSHELL_VERSION, ProgramCall, REQUEST_BYTES, ScriptCall, THROTTLE, TIMEOUT_SECONDS,
    VERSION, check_version, decode, encode,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One program, command or script for many targets. `docs/job-api.md`, "The request".
///
/// `Debug` shows nothing of what is run, since arguments may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct JobRequest {
    /// What is to be run.
    pub work: Work,
    /// Where it is to run.
    pub targets: TargetSelection,
    /// The most targets at a time, 1 to [`THROTTLE`]; without it, and above its own bound, the gateway's.
    pub throttle: Option<u16>,
    /// Seconds that one target may take, from its start to its outcome, 1 to [`TIMEOUT_SECONDS`]; without it,
    /// and above its own bound, the gateway's.
    pub timeout_seconds: Option<u32>,
}

/// What a job runs on each target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A program, through WinRS.
    Program(ProgramCall),
    /// One command of PowerShell's, through PSRP.
    Command(CommandCall),
    /// A text of PowerShell's, through PSRP.
    Script(ScriptCall),
}

/// A request as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<CommandCall>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    script: Option<ScriptCall>,
    targets: TargetSelection,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    throttle: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<u32>,
}

/// The targets of a job: `{"names":["web01","web02"]}` or `{"group":"web"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetSelection {
    /// These targets, each named once.
    Names(Vec<String>),
    /// All targets of this group that the user may reach.
    Group(String),
}

impl JobRequest {
    /// A request for a program, with the gateway's own throttle and timeout.
    #[must_use]
    pub fn new(program: String, arguments: Vec<String>, targets: TargetSelection) -> Self {
        Self::of(Work::Program(ProgramCall { name: program, arguments }), targets)
    }

    /// A request for any work, with the gateway's own throttle and timeout.
    #[must_use]
    pub fn of(work: Work, targets: TargetSelection) -> Self {
        Self { work, targets, throttle: None, timeout_seconds: None }
    }

    /// Decodes and validates a request.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn decode(json: &[u8]) -> Result<Self, JobMistake> {
        let request = decode::<Document>(json, REQUEST_BYTES)?.read()?;
        request.validate()?;
        Ok(request)
    }

    /// Validates and encodes the request.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn encode(&self) -> Result<Vec<u8>, JobMistake> {
        self.validate()?;
        encode(&Document::of(self.clone()), REQUEST_BYTES)
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), JobMistake> {
        self.work.validate()?;
        match &self.targets {
            TargetSelection::Names(names) => check_names(names)?,
            TargetSelection::Group(group) => check_name(group)?,
        }
        if self.throttle.is_some_and(|throttle| !(1..=THROTTLE).contains(&throttle)) {
            return Err(JobMistake::Throttle);
        }
        if self.timeout_seconds.is_some_and(|seconds| !(1..=TIMEOUT_SECONDS).contains(&seconds)) {
            return Err(JobMistake::Timeout);
        }
        Ok(())
    }
}

impl Work {
    /// The version of the documents that the work needs.
    #[must_use]
    pub fn version(&self) -> u32 {
        match self {
            Self::Program(_) => VERSION,
            Self::Command(_) | Self::Script(_) => POWERSHELL_VERSION,
        }
    }

    fn validate(&self) -> Result<(), JobMistake> {
        match self {
            Self::Program(program) => check_program(&program.name, &program.arguments),
            Self::Command(command) => command.validate(),
            Self::Script(script) => script.validate(),
        }
    }
}

impl Document {
    fn of(request: JobRequest) -> Self {
        let JobRequest { work, targets, throttle, timeout_seconds } = request;
        let version = work.version();
        let (mut program, mut arguments, mut command, mut script) = (None, Vec::new(), None, None);
        match work {
            Work::Program(call) => (program, arguments) = (Some(call.name), call.arguments),
            Work::Command(call) => command = Some(call),
            Work::Script(call) => script = Some(call),
        }
        Self { version, program, arguments, command, script, targets, throttle, timeout_seconds }
    }

    fn read(self) -> Result<JobRequest, JobMistake> {
        let Self { version, program, arguments, command, script, targets, throttle, timeout_seconds } = self;
        let work = match (program, command, script) {
            (Some(name), None, None) => Work::Program(ProgramCall { name, arguments }),
            (None, Some(command), None) if arguments.is_empty() => Work::Command(command),
            (None, None, Some(script)) if arguments.is_empty() => Work::Script(script),
            _ => return Err(JobMistake::OneWork),
        };
        check_version(version, work.version())?;
        Ok(JobRequest { work, targets, throttle, timeout_seconds })
    }
}

impl fmt::Debug for JobRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRequest")
            .field("work", &self.work)
            .field("targets", &self.targets)
            .field("throttle", &self.throttle)
            .field("timeout_seconds", &self.timeout_seconds)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{
        ARGUMENTS, CALL_BYTES, COMMAND_BYTES, CallArgument, CallValue, PROGRAM_BYTES, SCRIPT_BYTES, ScriptArgument,
        TARGET_LIST_BYTES, TARGETS,
    };

    fn program(name: &str, arguments: &[&str]) -> Work {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Work::Program(ProgramCall { name: name.to_owned(), arguments })
    }

    fn request() -> JobRequest {
        JobRequest::new(
            "ipconfig".into(),
            vec!["/all".into()],
            TargetSelection::Names(vec!["web01".into(), "web02".into()]),
        )
    }

    #[test]
    fn the_document_is_the_one_in_the_docs() {
        let mut full = request();
        full.throttle = Some(8);
        full.timeout_seconds = Some(60);
        let json = r#"{"version":1,"program":"ipconfig","arguments":["/all"],"targets":{"names":["web01","web02"]},"throttle":8,"timeout_seconds":60}"#;
        assert_eq!(String::from_utf8(full.encode().unwrap()).unwrap(), json);
        assert_eq!(JobRequest::decode(json.as_bytes()), Ok(full));

        let lean = r#"{"version":1,"program":"hostname","targets":{"group":"web"}}"#;
        let group = JobRequest::new("hostname".into(), vec![], TargetSelection::Group("web".into()));
        assert_eq!(JobRequest::decode(lean.as_bytes()), Ok(group));
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        for json in [
            r#"{"version":1,"program":"a","targets":{"group":"web"},"environment":{}}"#,
            r#"{"version":1,"program":"a","targets":{"group":"web","names":["a"]}}"#,
            r#"{"version":1,"program":"a","program":"b","targets":{"group":"web"}}"#,
            r#"{"version":1,"program":"a","targets":{"all":true}}"#,
            r#"{"version":2,"command":{"name":"a","arguments":["b"]},"targets":{"group":"web"}}"#,
            r#"{"version":2,"script":{"text":"a","arguments":[{"name":"b"}]},"targets":{"group":"web"}}"#,
            r#"{"version":1,"program":"a","targets":{"group":"web"}} x"#,
            r#"{"version":1,"program":"a","targets":{"group":"web"},"throttle":-1}"#,
            r#"{"program":"a","targets":{"group":"web"}}"#,
            "",
            "[]",
        ] {
            assert_eq!(JobRequest::decode(json.as_bytes()), Err(JobMistake::Malformed), "{json}");
        }
    }

    #[test]
    fn work_of_powershells_has_the_next_version() {
        let value = |value: &str| CallArgument { parameter: None, value: Some(CallValue::Text(value.into())) };
        let name = CallArgument { parameter: Some("Name".into()), value: None };
        let command = CommandCall { name: "Get-Service".into(), arguments: vec![name, value("Spooler")] };
        let script = ScriptCall {
            text: "param($Days) Get-It $Days".into(),
            arguments: vec![ScriptArgument { name: "Days".into(), value: CallValue::Integer(5) }],
        };
        for (work, json) in [
            (
                Work::Command(command),
                r#"{"version":2,"command":{"name":"Get-Service","arguments":[{"parameter":"Name"},{"value":"Spooler"}]},"targets":{"group":"web"}}"#,
            ),
            (
                Work::Script(script),
                r#"{"version":2,"script":{"text":"param($Days) Get-It $Days","arguments":[{"name":"Days","value":5}]},"targets":{"group":"web"}}"#,
            ),
        ] {
            let request = JobRequest::of(work, TargetSelection::Group("web".into()));
            assert_eq!(String::from_utf8(request.encode().unwrap()).unwrap(), json);
            assert_eq!(JobRequest::decode(json.as_bytes()), Ok(request));
        }
    }

    #[test]
    fn another_version_is_told_apart() {
        for json in [
            r#"{"version":2,"program":"a","targets":{"group":"web"}}"#,
            r#"{"version":1,"command":{"name":"a"},"targets":{"group":"web"}}"#,
            r#"{"version":3,"script":{"text":"a"},"targets":{"group":"web"}}"#,
        ] {
            assert_eq!(JobRequest::decode(json.as_bytes()), Err(JobMistake::Version), "{json}");
        }
    }

    #[test]
    fn one_thing_is_run() {
        for json in [
            r#"{"version":1,"targets":{"group":"web"}}"#,
            r#"{"version":2,"program":"a","command":{"name":"a"},"targets":{"group":"web"}}"#,
            r#"{"version":2,"arguments":["a"],"command":{"name":"a"},"targets":{"group":"web"}}"#,
            r#"{"version":2,"script":{"text":"a"},"command":{"name":"a"},"targets":{"group":"web"}}"#,
        ] {
            assert_eq!(JobRequest::decode(json.as_bytes()), Err(JobMistake::OneWork), "{json}");
        }
    }

    #[test]
    fn every_bound_is_checked() {
        let broken = |change: fn(&mut JobRequest)| {
            let mut request = request();
            change(&mut request);
            request.encode().unwrap_err()
        };
        assert_eq!(broken(|r| r.work = program(" ", &[])), JobMistake::Program);
        assert_eq!(broken(|r| r.work = program(&"p".repeat(PROGRAM_BYTES + 1), &[])), JobMistake::Program);
        assert_eq!(broken(|r| r.work = program("a", &[""; ARGUMENTS + 1])), JobMistake::ArgumentCount);
        assert_eq!(broken(|r| r.work = program("a", &[&"a".repeat(COMMAND_BYTES)])), JobMistake::CommandLength);
        assert_eq!(broken(|r| r.work = program("a", &["a\0b"])), JobMistake::Nul);
        assert_eq!(broken(|r| r.work = program("a\0b", &[])), JobMistake::Nul);
        assert_eq!(broken(|r| r.work = Work::Script(ScriptCall::new(String::new()))), JobMistake::NoCommand);
        assert_eq!(broken(|r| r.targets = TargetSelection::Names(vec![])), JobMistake::NoTarget);
        assert_eq!(broken(|r| r.targets = TargetSelection::Group("a/b".into())), JobMistake::Name);
        assert_eq!(broken(|r| r.throttle = Some(0)), JobMistake::Throttle);
        assert_eq!(broken(|r| r.throttle = Some(THROTTLE + 1)), JobMistake::Throttle);
        assert_eq!(broken(|r| r.timeout_seconds = Some(0)), JobMistake::Timeout);
        assert_eq!(broken(|r| r.timeout_seconds = Some(TIMEOUT_SECONDS + 1)), JobMistake::Timeout);
    }

    #[test]
    fn the_largest_valid_request_fits_its_bound() {
        let mut large = request();
        large.work = program("p", &[&"\u{1}".repeat(COMMAND_BYTES - 2)]);
        let length = TARGET_LIST_BYTES / TARGETS;
        large.targets = TargetSelection::Names((0..TARGETS).map(|index| format!("{index:0>length$}")).collect());
        let json = large.encode().unwrap();
        assert_eq!(JobRequest::decode(&json), Ok(large.clone()));
        let value = CallValue::Text("\u{1}".repeat(CALL_BYTES - 1));
        let arguments = vec![ScriptArgument { name: "n".into(), value }];
        large.work = Work::Script(ScriptCall { text: format!("x{}", "\u{1}".repeat(SCRIPT_BYTES - 1)), arguments });
        let json = large.encode().unwrap();
        assert_eq!(JobRequest::decode(&json), Ok(large));
    }

    #[test]
    fn size_is_checked_before_parsing() {
        assert_eq!(JobRequest::decode(&vec![b' '; REQUEST_BYTES + 1]), Err(JobMistake::TooLarge));
    }

    #[test]
    fn debug_keeps_the_command_to_itself() {
        let mut secret = request();
        secret.work = program("canary-program", &["canary-argument"]);
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
