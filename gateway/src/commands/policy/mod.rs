//! `policy`: everything that can be asked of a policy without a running gateway.

mod asked;
mod audited;
mod cases;
mod catalog;
mod check;
mod decide;
mod diff;
mod explain;
pub mod forms;
mod jea;
mod lines;
mod list;
mod pin;
mod propose;
mod read;
mod shown;
mod test;

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use super::{CommandError, Console, Status};
use crate::cli::PolicyCommand;
use crate::policy_files::PolicyError;

/// Bytes of a file of cases, a script or a request.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

/// Why a command about a policy could not be done.
#[derive(Debug, thiserror::Error)]
pub enum PolicyCommandError {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("{}: {why}", path.display())]
    Input { path: PathBuf, why: String },
    #[error("{} mistake(s) in these files\n{}", .0.len(), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Jea(Vec<sekisho_policy::Mistake>),
    #[error("{0}")]
    Asked(String),
}

impl PolicyCommandError {
    fn input(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::Input { path: path.to_owned(), why: why.to_string() }
    }
}

/// Runs one of them; `input` is standard input.
pub(super) fn run(
    command: &PolicyCommand,
    input: &mut dyn BufRead,
    console: &mut Console<'_>,
) -> Result<Status, CommandError> {
    let out = &mut *console.out;
    match command {
        PolicyCommand::Check { policy, json } => check::check(policy, check::Format::of(*json), out),
        PolicyCommand::Lint { policy, json } => check::lint(policy, check::Format::of(*json), out),
        PolicyCommand::Explain(arguments) => explain::run(arguments, input, out),
        PolicyCommand::Test { policy, files, junit } => test::run(policy, files, junit.as_deref(), out),
        PolicyCommand::Diff(arguments) => diff::run(arguments, out),
        PolicyCommand::Pin(arguments) => pin::run(arguments, out),
        PolicyCommand::Propose(arguments) => propose::run(arguments, out),
        PolicyCommand::Catalog(command) => catalog::run(command, out),
        PolicyCommand::ExportJea(arguments) => jea::export(arguments, out),
        PolicyCommand::ImportJea(arguments) => jea::import(arguments, out),
        PolicyCommand::List(arguments) => list::run(arguments, out),
        PolicyCommand::Read => read::run(input, out),
        PolicyCommand::Decide { policy } => decide::run(policy, input, out),
    }
}

/// The text of a file, or of standard input for `-`.
fn read_text(path: &Path, input: &mut dyn BufRead) -> Result<String, PolicyCommandError> {
    let bytes = if path == Path::new("-") {
        read_bounded(input)
    } else {
        File::open(path).and_then(|mut file| read_bounded(&mut file))
    };
    let bytes = bytes.map_err(|error| PolicyCommandError::input(path, error))?;
    String::from_utf8(bytes).map_err(|_| PolicyCommandError::input(path, "it is not in UTF-8: save it as UTF-8"))
}

/// A TOML string: in single quotes where that is possible, as policies are best read.
fn quoted(text: &str) -> String {
    if !text.contains('\'') && !text.contains(char::is_control) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if character.is_control() => out.push_str(&format!("\\U{:08X}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

fn read_bounded(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_INPUT.saturating_add(1)).read_to_end(&mut bytes)?;
    if MAX_INPUT < u64::try_from(read).unwrap_or(u64::MAX) {
        return Err(io::Error::other(format!("it is larger than {MAX_INPUT} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
