//! How a request was wrapped: what a client expects back, and what a target gets around what was judged.

use super::Known;
use sekisho_policy::Action;
use sekisho_policy::command::ScriptRequest;
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
    /// The script of a stock client that it is.
    pub(in crate::enforce) known: Option<Known>,
}

/// The form of what came without any wrapper.
pub static PLAIN: Form = Form { shown: Shown::Objects, exit: ExitTail::None, merges: Vec::new(), known: None };

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

impl ExitTail {
    /// Its text.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::LastExitCode => "\nexit $LASTEXITCODE",
            Self::WinRb => "\nif (!$?) { if($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 } }",
        }
    }
}

impl Form {
    /// The action with the end that was taken off it, where there was one: a policy may pin a script that ends so.
    pub(in crate::enforce) fn whole(&self, action: &Action) -> Option<(Action, Self)> {
        match (self.exit, action) {
            (ExitTail::None, _) | (_, Action::Program(_) | Action::Commands(_)) => None,
            (exit @ (ExitTail::LastExitCode | ExitTail::WinRb), Action::Script(request)) => {
                let text = format!("{}{}", request.text, exit.text());
                let form = Self { exit: ExitTail::None, ..self.clone() };
                Some((Action::Script(ScriptRequest { text, ..request.clone() }), form))
            }
        }
    }

    /// Whether a stream of a command goes elsewhere.
    pub(super) fn is_merged(&self) -> bool {
        !self.merges.is_empty()
    }
}
