//! What the agent asks for.

use super::capabilities::check_program;
use super::name::{check_name, check_names};
use super::{JobMistake, REQUEST_BYTES, THROTTLE, TIMEOUT_SECONDS, VERSION, check_version, decode, encode};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One program for many targets. `docs/job-api.md`, "The request".
///
/// `Debug` shows neither program nor arguments, since arguments may be secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// [`VERSION`].
    pub version: u32,
    /// The program, as the user names it; policy turns it into a full path.
    pub program: String,
    /// Its arguments, one by one and unquoted: the gateway quotes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Where it is to run.
    pub targets: TargetSelection,
    /// The most targets at a time, 1 to [`THROTTLE`]; without it, and above its own bound, the gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<u16>,
    /// Seconds that one target may take, from its start to its outcome, 1 to [`TIMEOUT_SECONDS`]; without it,
    /// and above its own bound, the gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
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
    /// A request with the gateway's own throttle and timeout.
    #[must_use]
    pub fn new(program: String, arguments: Vec<String>, targets: TargetSelection) -> Self {
        Self { version: VERSION, program, arguments, targets, throttle: None, timeout_seconds: None }
    }

    /// Decodes and validates a request.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn decode(json: &[u8]) -> Result<Self, JobMistake> {
        let request: Self = decode(json, REQUEST_BYTES)?;
        request.validate()?;
        Ok(request)
    }

    /// Validates and encodes the request.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn encode(&self) -> Result<Vec<u8>, JobMistake> {
        self.validate()?;
        encode(self, REQUEST_BYTES)
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), JobMistake> {
        check_version(self.version)?;
        check_program(&self.program, &self.arguments)?;
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

impl fmt::Debug for JobRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRequest")
            .field("arguments", &self.arguments.len())
            .field("targets", &self.targets)
            .field("throttle", &self.throttle)
            .field("timeout_seconds", &self.timeout_seconds)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{ARGUMENTS, COMMAND_BYTES, PROGRAM_BYTES, TARGET_LIST_BYTES, TARGETS};

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
    fn another_version_is_told_apart() {
        let json = r#"{"version":2,"program":"a","targets":{"group":"web"}}"#;
        assert_eq!(JobRequest::decode(json.as_bytes()), Err(JobMistake::Version));
    }

    #[test]
    fn every_bound_is_checked() {
        let broken = |change: fn(&mut JobRequest)| {
            let mut request = request();
            change(&mut request);
            request.encode().unwrap_err()
        };
        assert_eq!(broken(|r| r.program = " ".into()), JobMistake::Program);
        assert_eq!(broken(|r| r.program = "p".repeat(PROGRAM_BYTES + 1)), JobMistake::Program);
        assert_eq!(broken(|r| r.arguments = vec![String::new(); ARGUMENTS + 1]), JobMistake::ArgumentCount);
        assert_eq!(broken(|r| r.arguments = vec!["a".repeat(COMMAND_BYTES)]), JobMistake::CommandLength);
        assert_eq!(broken(|r| r.arguments = vec!["a\0b".into()]), JobMistake::Nul);
        assert_eq!(broken(|r| r.program = "a\0b".into()), JobMistake::Nul);
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
        large.program = "p".into();
        large.arguments = vec!["\u{1}".repeat(COMMAND_BYTES - 2)];
        let length = TARGET_LIST_BYTES / TARGETS;
        large.targets = TargetSelection::Names((0..TARGETS).map(|index| format!("{index:0>length$}")).collect());
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
        secret.program = "canary-program".into();
        secret.arguments = vec!["canary-argument".into()];
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
