//! How a request was wrapped: what a client expects back, and what a target gets around what was judged.

use sekisho_protocol::psrp::Merge;

/// How a request was wrapped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// In which form its output is wanted.
    pub shown: Shown,
    /// The end that it had, which is not sent.
    pub exit: ExitTail,
    /// Where the streams of its commands go, statement by statement; empty when each goes its own way.
    pub(super) merges: Vec<Vec<Merge>>,
}

/// The form of what came without any wrapper.
pub static PLAIN: Form = Form { shown: Shown::Objects, exit: ExitTail::None, merges: Vec::new() };

/// In which form output is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shown {
    /// As objects.
    #[default]
    Objects,
    /// Written by the host: `Out-Default` stood at the end of every statement.
    Host,
    /// As lines of text: `Out-String -Stream` stood at the end.
    Text,
}

/// The end of a text that says how the exit code is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExitTail {
    /// There was none.
    #[default]
    None,
    /// Ansible's: the exit code of the last program.
    LastExitCode,
    /// WinRb's: that of the last program, or 1, when the last command failed.
    WinRb,
}

impl Form {
    /// Whether a stream of a command goes elsewhere.
    pub(super) fn is_merged(&self) -> bool {
        !self.merges.is_empty()
    }
}
