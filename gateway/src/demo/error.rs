//! What can go wrong in the demo.

use super::targets::TargetError;
use crate::commands::CommandError;
use crate::config::ConfigError;
use crate::identity::AccountsError;
use crate::private_file::FileError;
use crate::serve::ServeError;
use sekisho_agent::AgentError;
use std::io;
use std::path::PathBuf;

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A step did not show what it says.
    #[error("step {step} of the demo did not go as it should: {what}")]
    Step {
        /// Which.
        step: usize,
        /// What was expected.
        what: String,
    },
    /// The installation failed.
    #[error("the demo's gateway could not be installed: {0}")]
    Install(#[from] CommandError),
    /// A file of the demo cannot be written.
    #[error("{0}")]
    File(#[from] FileError),
    /// The accounts could not be made.
    #[error("{0}")]
    Accounts(#[from] AccountsError),
    /// The demo's own configuration is not valid.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The certificates of the targets could not be made.
    #[error("the certificates of the demo's targets could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A target did not start.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// The gateway did not start.
    #[error("the demo's gateway did not start: {0}")]
    Serve(#[from] ServeError),
    /// The agent failed where it should not.
    #[error("the agent: {0}")]
    Agent(#[from] AgentError),
    /// What the demo itself says is no command.
    #[error("the demo's own command cannot be read")]
    Words,
    /// Ctrl-C.
    #[error("interrupted: everything was stopped and removed")]
    Interrupted,
    /// The folder could not be removed.
    #[error("{} could not be removed, please remove it: {source}", path.display())]
    NotRemoved {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system refuses something, or nothing can be written to the output.
    #[error("{0}")]
    System(#[from] io::Error),
}
