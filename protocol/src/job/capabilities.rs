//! What a user may do on a target, and whether one command would be allowed there. Nothing is run for either.

use super::powershell::check_text_of_question;
use super::{
    ARGUMENTS, COMMAND_BYTES, CommandCall, DOCUMENT_BYTES, JobMistake, POWERSHELL_VERSION, PROGRAM_BYTES,
    REQUEST_BYTES, ScriptCall, VERSION, check_name, check_text, check_version, decode, encode,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Asks what the user may do on a target, or whether one command would be allowed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilitiesRequest {
    /// That of the question, else [`VERSION`].
    pub version: u32,
    /// Where.
    pub target: String,
    /// What is meant to be run; without it, all that the user may do is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
}

/// One command that the user means to run.
///
/// `Debug` shows nothing of it, since arguments may be secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// A program, as a job would run it.
    Program(ProgramCall),
    /// Commands of PowerShell, as text.
    Powershell(String),
    /// One command of PowerShell's, as a job would run it.
    Command(CommandCall),
    /// A script, as a job would run it.
    Script(ScriptCall),
}

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramCall {
    /// The program, as the user names it.
    pub name: String,
    /// Its arguments, one by one and unquoted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

/// What the user may do on a target: [`roles`](Self::roles) where nothing was asked, else the
/// [`answer`](Self::answer).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// [`VERSION`].
    pub version: u32,
    /// Where.
    pub target: String,
    /// Whether the command would be allowed now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Verdict>,
    /// The user's own roles there, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleEntry>,
    /// How many more commands, programs and scripts there are that the document has no room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// Whether a command would be allowed, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// One rule of one role allows it.
    Allow {
        /// The role.
        role: String,
        /// Its rule.
        rule: String,
        /// What would be sent: full names, no abbreviations, no positions.
        canonical: String,
    },
    /// Nothing does.
    Deny {
        /// What was refused and what to do: with the rule that comes nearest, where there is one.
        message: String,
        /// The rule that comes nearest, as `role/rule`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
    },
}

/// A role that the user holds on the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    /// Its name.
    pub name: String,
    /// Whether its commands may come inside a line of PowerShell's through WinRS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub powershell: Option<PowershellLines>,
    /// Cmdlets and functions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandEntry>,
    /// Programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<ProgramEntry>,
    /// Pinned scripts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<ScriptEntry>,
}

/// What a line of PowerShell's through WinRS may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowershellLines {
    /// Commands with constant arguments, in `-EncodedCommand`.
    ConstantCommands,
}

/// A cmdlet or function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandEntry {
    /// Its full name.
    pub name: String,
    /// The module it belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub module: String,
    /// The only parameters that are allowed, beside the common ones; without it, all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<ParameterEntry>>,
}

/// A parameter that is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterEntry {
    /// Its full name, without a dash.
    pub name: String,
    /// The only values that are allowed; empty: any, or what `pattern` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What a value has to match as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// How its values are treated, where that is special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrecy: Option<ParameterSecrecy>,
}

/// How the values of a parameter are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterSecrecy {
    /// The audit keeps a keyed digest.
    Secret,
    /// A SecureString or a PSCredential, and nothing else.
    Secure,
}

/// A program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramEntry {
    /// Its full path.
    pub path: String,
    /// In words, which arguments it takes.
    pub arguments: String,
}

/// A pinned script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptEntry {
    /// Its name in the policy.
    pub name: String,
    /// SHA-256 of its text, in hex.
    pub sha256: String,
    /// The parameters that it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterEntry>,
}

/// Bytes of a document without its entries, and some.
const AROUND_ENTRIES: usize = 4 * 1024;
/// Bytes of a role without its entries, and some; a name may be all escapes.
const AROUND_ROLE: usize = 8 * 1024;

impl CapabilitiesRequest {
    /// Asks for all that the user may do there.
    #[must_use]
    pub fn list(target: String) -> Self {
        Self { version: VERSION, target, question: None }
    }

    /// Asks whether one command would be allowed there.
    #[must_use]
    pub fn ask(target: String, question: Question) -> Self {
        Self { version: question.version(), target, question: Some(question) }
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
        check_version(self.version, self.question.as_ref().map_or(VERSION, Question::version))?;
        check_name(&self.target)?;
        self.question.as_ref().map_or(Ok(()), Question::validate)
    }
}

impl Question {
    fn validate(&self) -> Result<(), JobMistake> {
        match self {
            Self::Program(program) => check_program(&program.name, &program.arguments),
            Self::Powershell(text) => check_text_of_question(text),
            Self::Command(command) => command.validate(),
            Self::Script(script) => script.validate(),
        }
    }

    fn version(&self) -> u32 {
        match self {
            Self::Program(_) | Self::Powershell(_) => VERSION,
            Self::Command(_) | Self::Script(_) => POWERSHELL_VERSION,
        }
    }
}

/// Checks the bounds of a program and its arguments.
pub(super) fn check_program(program: &str, arguments: &[String]) -> Result<(), JobMistake> {
    if program.trim().is_empty() || program.len() > PROGRAM_BYTES {
        return Err(JobMistake::Program);
    }
    if arguments.len() > ARGUMENTS {
        return Err(JobMistake::ArgumentCount);
    }
    let length =
        arguments.iter().fold(program.len(), |sum, argument| sum.saturating_add(argument.len()).saturating_add(1));
    if length > COMMAND_BYTES {
        return Err(JobMistake::CommandLength);
    }
    if program.contains('\0') || arguments.iter().any(|argument| argument.contains('\0')) {
        return Err(JobMistake::Nul);
    }
    Ok(())
}

impl Capabilities {
    /// The answer to a question.
    #[must_use]
    pub fn answer(target: String, answer: Verdict) -> Self {
        Self { version: VERSION, target, answer: Some(answer), roles: Vec::new(), left_out: 0 }
    }

    /// All that a user may do, as far as there is room for it: whole entries are left out, and counted.
    #[must_use]
    pub fn list(target: String, roles: Vec<RoleEntry>) -> Self {
        let mut room = Room { bytes: DOCUMENT_BYTES.saturating_sub(AROUND_ENTRIES), left_out: 0 };
        let roles = roles.into_iter().filter_map(|role| room.role(role)).collect();
        Self { version: VERSION, target, answer: None, roles, left_out: room.left_out }
    }

    /// Decodes and validates a document.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn decode(json: &[u8]) -> Result<Self, JobMistake> {
        let document: Self = decode(json, DOCUMENT_BYTES)?;
        document.validate()?;
        Ok(document)
    }

    /// Validates and encodes the document.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn encode(&self) -> Result<Vec<u8>, JobMistake> {
        self.validate()?;
        encode(self, DOCUMENT_BYTES)
    }

    /// Texts of rules are as long as policy lets them be; only what stands on one line of an answer has a bound of
    /// its own, and the document has one.
    fn validate(&self) -> Result<(), JobMistake> {
        check_version(self.version, VERSION)?;
        check_name(&self.target)?;
        match &self.answer {
            Some(Verdict::Allow { role, rule, .. }) => [role, rule].into_iter().try_for_each(|text| check_text(text)),
            Some(Verdict::Deny { message, rule }) => {
                check_text(message)?;
                rule.as_deref().map_or(Ok(()), check_text)
            }
            None => Ok(()),
        }
    }
}

/// What is left of a document's bytes.
struct Room {
    bytes: usize,
    left_out: u64,
}

impl Room {
    fn role(&mut self, role: RoleEntry) -> Option<RoleEntry> {
        let RoleEntry { name, powershell, commands, programs, scripts } = role;
        let Some(bytes) = self.bytes.checked_sub(AROUND_ROLE) else {
            self.count(commands.len().saturating_add(programs.len()).saturating_add(scripts.len()));
            return None;
        };
        self.bytes = bytes;
        // Programs and scripts first: commands may be thousands, by one wildcard.
        let programs = self.take(programs);
        let scripts = self.take(scripts);
        let commands = self.take(commands);
        Some(RoleEntry { name, powershell, commands, programs, scripts })
    }

    fn take<T: Serialize>(&mut self, entries: Vec<T>) -> Vec<T> {
        let mut taken = Vec::new();
        for entry in entries {
            let size = serde_json::to_vec(&entry).map_or(usize::MAX, |json| json.len().saturating_add(1));
            match self.bytes.checked_sub(size) {
                Some(bytes) => {
                    self.bytes = bytes;
                    taken.push(entry);
                }
                None => self.count(1),
            }
        }
        taken
    }

    fn count(&mut self, entries: usize) {
        self.left_out = self.left_out.saturating_add(u64::try_from(entries).unwrap_or(u64::MAX));
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(program) => {
                f.debug_struct("Program").field("arguments", &program.arguments.len()).finish_non_exhaustive()
            }
            Self::Powershell(text) => write!(f, "Powershell({} bytes)", text.len()),
            Self::Command(command) => command.fmt(f),
            Self::Script(script) => script.fmt(f),
        }
    }
}

impl fmt::Debug for ProgramCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramCall").field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{MESSAGE_BYTES, TEXT_BYTES};

    fn json<T: Serialize>(document: &T) -> String {
        serde_json::to_string(document).unwrap()
    }

    fn program(name: &str, arguments: &[&str]) -> Question {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Question::Program(ProgramCall { name: name.into(), arguments })
    }

    #[test]
    fn the_requests_are_the_ones_in_the_docs() {
        for (request, written) in [
            (CapabilitiesRequest::list("web01".into()), r#"{"version":1,"target":"web01"}"#),
            (
                CapabilitiesRequest::ask("web01".into(), program("sc", &["query", "W32Time"])),
                r#"{"version":1,"target":"web01","question":{"program":{"name":"sc","arguments":["query","W32Time"]}}}"#,
            ),
            (
                CapabilitiesRequest::ask(
                    "web01".into(),
                    Question::Command(CommandCall { name: "Get-It".into(), arguments: vec![] }),
                ),
                r#"{"version":2,"target":"web01","question":{"command":{"name":"Get-It"}}}"#,
            ),
            (
                CapabilitiesRequest::ask("web01".into(), Question::Script(ScriptCall::new("Get-It".into()))),
                r#"{"version":2,"target":"web01","question":{"script":{"text":"Get-It"}}}"#,
            ),
            (
                CapabilitiesRequest::ask("web01".into(), Question::Powershell("Restart-Service -Name Dns".into())),
                r#"{"version":1,"target":"web01","question":{"powershell":"Restart-Service -Name Dns"}}"#,
            ),
        ] {
            assert_eq!(json(&request), written);
            assert_eq!(CapabilitiesRequest::decode(written.as_bytes()), Ok(request));
        }
    }

    #[test]
    fn the_answers_are_the_ones_in_the_docs() {
        let allow = Verdict::Allow {
            role: "dns-ops".into(),
            rule: "Restart-Service".into(),
            canonical: "Restart-Service -Name 'Dns'".into(),
        };
        let deny = Verdict::Deny {
            message: "Restart-Service is allowed in role dns-ops, but -Name accepts Dns only".into(),
            rule: Some("dns-ops/Restart-Service".into()),
        };
        let role = RoleEntry {
            name: "dns-ops".into(),
            powershell: Some(PowershellLines::ConstantCommands),
            commands: vec![
                CommandEntry { name: "Get-Service".into(), module: "M".into(), parameters: None },
                CommandEntry {
                    name: "Restart-Service".into(),
                    module: "M".into(),
                    parameters: Some(vec![
                        ParameterEntry { name: "Name".into(), values: vec!["Dns".into()], ..ParameterEntry::default() },
                        ParameterEntry {
                            name: "Credential".into(),
                            secrecy: Some(ParameterSecrecy::Secure),
                            ..ParameterEntry::default()
                        },
                    ]),
                },
            ],
            programs: vec![ProgramEntry { path: r"C:\x.exe".into(), arguments: "none".into() }],
            scripts: vec![],
        };
        for (document, written) in [
            (
                Capabilities::answer("web01".into(), allow),
                r#"{"version":1,"target":"web01","answer":{"decision":"allow","role":"dns-ops","rule":"Restart-Service","canonical":"Restart-Service -Name 'Dns'"}}"#,
            ),
            (
                Capabilities::answer("web01".into(), deny),
                r#"{"version":1,"target":"web01","answer":{"decision":"deny","message":"Restart-Service is allowed in role dns-ops, but -Name accepts Dns only","rule":"dns-ops/Restart-Service"}}"#,
            ),
            (
                Capabilities::list("web01".into(), vec![role]),
                r#"{"version":1,"target":"web01","roles":[{"name":"dns-ops","powershell":"constant-commands","commands":[{"name":"Get-Service","module":"M"},{"name":"Restart-Service","module":"M","parameters":[{"name":"Name","values":["Dns"]},{"name":"Credential","secrecy":"secure"}]}],"programs":[{"path":"C:\\x.exe","arguments":"none"}]}]}"#,
            ),
        ] {
            assert_eq!(json(&document), written);
            assert_eq!(Capabilities::decode(written.as_bytes()), Ok(document));
        }
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        for json in [
            r#"{"version":1}"#,
            r#"{"version":1,"target":"web01","command":"x"}"#,
            r#"{"version":1,"target":"web01","question":{}}"#,
            r#"{"version":1,"target":"web01","question":{"program":{"name":"x"},"powershell":"y"}}"#,
            r#"{"version":1,"target":"web01","question":{"program":{"name":"x","stdin":true}}}"#,
            r#"{"version":1,"target":"web01","target":"web02"}"#,
            "[]",
        ] {
            assert_eq!(CapabilitiesRequest::decode(json.as_bytes()), Err(JobMistake::Malformed), "{json}");
        }
        for json in [
            r#"{"version":1,"target":"web01","answer":{"decision":"maybe"}}"#,
            r#"{"version":1,"target":"web01","answer":{"decision":"deny","message":"m","role":"x"}}"#,
            r#"{"version":1,"target":"web01","roles":[{"name":"x","owner":"y"}]}"#,
        ] {
            assert_eq!(Capabilities::decode(json.as_bytes()), Err(JobMistake::Malformed), "{json}");
        }
    }

    #[test]
    fn every_bound_is_checked() {
        let mistake = |question| CapabilitiesRequest::ask("web01".into(), question).encode().unwrap_err();
        assert_eq!(mistake(program("", &[])), JobMistake::Program);
        assert_eq!(mistake(program("a", &[&"b".repeat(COMMAND_BYTES)])), JobMistake::CommandLength);
        assert_eq!(mistake(program("a", &["b\0"])), JobMistake::Nul);
        assert_eq!(mistake(Question::Powershell(" ".into())), JobMistake::NoCommand);
        assert_eq!(mistake(Question::Powershell("a".repeat(TEXT_BYTES + 1))), JobMistake::CommandLength);
        assert_eq!(CapabilitiesRequest::list("../x".into()).encode(), Err(JobMistake::Name));
        let other = CapabilitiesRequest { version: 2, ..CapabilitiesRequest::list("web01".into()) };
        assert_eq!(other.encode(), Err(JobMistake::Version));
        let long = Verdict::Deny { message: "m".repeat(MESSAGE_BYTES + 1), rule: None };
        assert_eq!(Capabilities::answer("web01".into(), long).encode(), Err(JobMistake::TextLength));
    }

    #[test]
    fn a_list_that_is_too_long_says_how_much_is_left_out() {
        let command = |index: usize| CommandEntry {
            name: format!("Get-{index}"),
            module: "\u{1}".repeat(1000),
            ..CommandEntry::default()
        };
        let role = RoleEntry { name: "r".into(), commands: (0..500).map(command).collect(), ..RoleEntry::default() };
        let list = Capabilities::list("web01".into(), vec![role; 3]);
        let kept: usize = list.roles.iter().map(|role| role.commands.len()).sum();
        assert!(0 < kept && kept < 1500);
        assert_eq!(list.left_out, u64::try_from(1500 - kept).unwrap());
        assert_eq!(Capabilities::decode(&list.encode().unwrap()), Ok(list));
    }

    #[test]
    fn debug_keeps_the_command_to_itself() {
        let shown = format!("{:?} {:?}", program("canary", &["canary"]), Question::Powershell("canary".into()));
        assert!(!shown.contains("canary"), "{shown}");
    }
}
