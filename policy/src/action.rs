//! What is judged: who asks, about which target, to do what.

use std::fmt;
use std::net::IpAddr;

use crate::catalog::Edition;
use crate::command::{CommandsRequest, ScriptRequest};

/// Who asks. Names are compared as whole strings, ignoring case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// `DOMAIN\name`; a local account is `GATEWAY\name`.
    pub name: String,
    /// The groups that the identity provider vouches for, each `DOMAIN\name`.
    pub groups: Vec<String>,
}

/// What the configuration knows about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// The target's key in the table of targets, before any look-up in the DNS.
    pub name: String,
    /// The target groups it belongs to.
    pub groups: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The PowerShell it runs, which decides what its commands accept.
    pub edition: Edition,
}

/// When and from where: what the conditions of assignments are about. A condition whose fact is missing denies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix_time: Option<i64>,
    /// The client's address.
    pub source: Option<IpAddr>,
}

/// One thing that a client wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A program through WinRS, \[MS-WSMV\] 3.1.4.11.
    Program(ProgramRequest),
    /// PowerShell's commands, \[MS-PSRP\] 2.2.2.10.
    Commands(CommandsRequest),
    /// Text for PowerShell.
    Script(ScriptRequest),
}

/// A program as a WinRS client names it: `rsp:Command` and the `rsp:Arguments` elements.
#[derive(Clone, PartialEq, Eq)]
pub struct ProgramRequest {
    /// The text of `rsp:Command`, which may hold arguments too.
    pub command: String,
    /// The text of each `rsp:Arguments` element.
    pub arguments: Vec<String>,
    /// What the request carries beside the command line.
    pub extras: RequestExtras,
    /// The kind of shell the command was sent to.
    pub resource: ShellResource,
}

impl ProgramRequest {
    /// A request for the cmd shell that carries nothing beside its command line.
    pub fn new(command: impl Into<String>, arguments: Vec<String>) -> Self {
        Self {
            command: command.into(),
            arguments,
            extras: RequestExtras::default(),
            resource: ShellResource::CommandShell,
        }
    }
}

/// The line may hold a secret, so that only its size is shown.
impl fmt::Debug for ProgramRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramRequest")
            .field("command_bytes", &self.command.len())
            .field("arguments", &self.arguments.len())
            .field("extras", &self.extras)
            .field("resource", &self.resource)
            .finish()
    }
}

/// What a request carries beside its command line. Each of these can change what a program does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestExtras {
    /// `rsp:Environment` of the shell: `PATH` and `COMSPEC` change what a name runs.
    pub environment: Presence,
    /// `rsp:WorkingDirectory` of the shell: cmd.exe searches there first.
    pub working_directory: Presence,
    /// Standard input, known in advance or arriving later by Send.
    pub input: Presence,
}

/// Whether a part of a request is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Presence {
    /// Not there.
    #[default]
    Absent,
    /// There, with whatever content, an empty one too.
    Present,
}

/// The kind of shell a command was sent to, by its resource URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellResource {
    /// The cmd shell, \[MS-WSMV\] 3.1.4.1.
    CommandShell,
    /// Anything else: nothing is allowed there.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_text_of_a_request() {
        let request = ProgramRequest::new("net use /password:hunter2", vec!["hunter3".to_owned()]);
        let shown = format!("{:?}", Action::Program(request));
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
