//! `sekisho run`: commands and scripts of PowerShell's on many targets, and the objects that come back.

mod report;
mod script;
mod words;

pub use report::{RawText, RunForm};
pub use script::read as read_script;
pub use words::{command, script_argument};

use crate::error::AgentError;
use crate::exec::{ProgressLine, follow};
use crate::objects::{Nested, Selection};
use crate::{Client, ExitStatus, Sinks};
use report::Objects;
use sekisho_protocol::job::{JobRequest, ScriptCall, Work};
use std::future::Future;

/// How objects are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// Their form.
    pub form: RunForm,
    /// The properties that are asked for; without them those that PowerShell would show.
    pub selection: Option<Selection>,
    /// How objects within objects are written as JSON.
    pub nested: Nested,
    /// Whether there is a line of progress.
    pub progress: ProgressLine,
}

/// What words on the command line stand for: one alone is a text of PowerShell's, several are one command.
#[must_use]
pub fn work(words: &[String]) -> Option<Work> {
    match words {
        [text] => Some(Work::Script(ScriptCall::new(text.clone()))),
        words => command(words).map(Work::Command),
    }
}

/// Runs one job to its end, or until `interrupt` is ready, and writes what is known of it by then.
///
/// # Errors
/// As [`crate::exec()`].
pub async fn run(
    client: &mut Client,
    request: &JobRequest,
    options: RunOptions,
    sinks: Sinks<'_>,
    interrupt: impl Future<Output = ()> + Send,
) -> Result<ExitStatus, AgentError> {
    let progress = options.progress;
    follow(client, request, progress, Objects::new(options), sinks, interrupt).await
}

#[cfg(test)]
mod tests;
