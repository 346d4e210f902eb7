//! What the command line does, but for `serve` and `demo`.

mod account;
mod certificates;
mod check;
mod init;
mod password;
pub mod policy;
mod show;
mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use time::OffsetDateTime;

pub use check::{Findings, examine};
pub use init::{Installation, Installed, install};
pub use password::{PasswordError, Passwords, Terminal};

use crate::audit::OpenError;
use crate::cli::{AccountCommand, AuditCommand, Command};
use crate::config::ConfigError;
use crate::identity::AccountsError;
use crate::private_file::FileError;

/// Where a command writes, and where it gets passwords.
pub struct Console<'a> {
    pub out: &'a mut dyn Write,
    pub passwords: &'a mut dyn Passwords,
}

impl std::fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Console")
    }
}

/// How a command ended. The command line's own mistakes are 2, by clap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Fine,
    Failed,
    /// Mistakes, or a log that was changed.
    Found,
    /// Nothing was found, and not everything could be proved.
    Incomplete,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Fine => 0,
            Status::Failed => 1,
            Status::Found => 3,
            Status::Incomplete => 4,
        })
    }
}

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Audit(#[from] OpenError),
    #[error("{} exists and is not empty: init overwrites nothing, so choose another folder", .0.display())]
    NotEmpty(std::path::PathBuf),
    #[error("this is no host name, or there are too many: {0:?}")]
    HostName(String),
    #[error("no certificate could be made: {0}")]
    Certificate(String),
    #[error("this is no public key; write what init has shown: ed25519:…")]
    PublicKey,
    #[error("{}: line {line} is no copy of a signed head", path.display())]
    Head { path: std::path::PathBuf, line: usize },
    #[error(transparent)]
    Show(#[from] show::ShowError),
    #[error(transparent)]
    Policy(#[from] policy::PolicyCommandError),
    #[error("nothing can be written to the output: {0}")]
    Output(#[from] io::Error),
    #[error("this command is not here")]
    Elsewhere,
}

/// Runs a command that needs no server.
///
/// # Errors
/// When it could not be done. What it found is the [`Status`].
pub fn run(command: &Command, now: OffsetDateTime, console: &mut Console<'_>) -> Result<Status, CommandError> {
    match command {
        Command::Check(option) => check::run(&option.config, now, console),
        Command::Init(arguments) => init::run(arguments, now, console),
        Command::Account(AccountCommand::Add { name, groups, password_stdin, config }) => {
            account::add(&config.config, (name, groups), *password_stdin, console)
        }
        Command::Account(AccountCommand::List(option)) => account::list(&option.config, console),
        Command::Account(AccountCommand::Remove { name, config }) => account::remove(&config.config, name, console),
        Command::Audit(AuditCommand::Verify { directory, key, head, recordings }) => {
            verify::run(directory, key, (head.as_deref(), recordings.as_deref()), console)
        }
        Command::Audit(AuditCommand::Show { session, json, config }) => {
            let form = if *json { show::Form::Json } else { show::Form::Text };
            show::run(session, &config.config, (form, now), console)
        }
        Command::Policy(command) => policy::run(command, &mut io::stdin().lock(), console),
        Command::Serve(_) | Command::Demo(_) => Err(CommandError::Elsewhere),
    }
}

#[cfg(test)]
mod tests;
