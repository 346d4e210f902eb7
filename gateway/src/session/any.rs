//! A shell of either kind.

use super::command::TerminatedBy;
use super::pool::PoolShell;
use super::shell::Shell;
use crate::audit::SessionEnd;
use crate::config::Target;
use crate::identity::PrincipalName;
use crate::state::Gateway;
use sekisho_protocol::wsman::ShellId;
use std::sync::Arc;
use std::time::Duration;

/// A shell of a client: what kind it is was settled by its Create.
#[derive(Debug, Clone)]
pub enum Session {
    /// For programs.
    Shell(Arc<Shell>),
    /// For PowerShell.
    Pool(Arc<PoolShell>),
}

impl Session {
    /// The id that its client knows it by.
    #[must_use]
    pub fn id(&self) -> ShellId {
        match self {
            Self::Shell(shell) => shell.id(),
            Self::Pool(pool) => pool.id(),
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn principal(&self) -> &PrincipalName {
        match self {
            Self::Shell(shell) => shell.principal(),
            Self::Pool(pool) => pool.principal(),
        }
    }

    /// Where it runs.
    #[must_use]
    pub fn target(&self) -> &Target {
        match self {
            Self::Shell(shell) => shell.target(),
            Self::Pool(pool) => pool.target(),
        }
    }

    /// The resource URI that its client used.
    #[must_use]
    pub fn resource_uri(&self) -> &str {
        match self {
            Self::Shell(shell) => &shell.opening().resource_uri,
            Self::Pool(pool) => &pool.described().resource_uri,
        }
    }

    /// Since it was opened.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        match self {
            Self::Shell(shell) => shell.run_time(),
            Self::Pool(pool) => pool.run_time(),
        }
    }

    /// Since it was last used.
    #[must_use]
    pub fn inactivity(&self) -> Duration {
        match self {
            Self::Shell(shell) => shell.inactivity(),
            Self::Pool(pool) => pool.inactivity(),
        }
    }

    /// Notes that its client is there.
    pub fn touch(&self) {
        match self {
            Self::Shell(shell) => shell.touch(),
            Self::Pool(pool) => pool.touch(),
        }
    }

    /// Commands that have not ended.
    #[must_use]
    pub fn running_commands(&self) -> usize {
        match self {
            Self::Shell(shell) => shell.running_commands(),
            Self::Pool(pool) => pool.running_commands(),
        }
    }

    /// Ends all commands and the target's shell, and writes why.
    pub async fn close(&self, gateway: &Gateway, reason: SessionEnd, by: TerminatedBy) {
        match self {
            Self::Shell(shell) => shell.close(gateway, reason, by).await,
            Self::Pool(pool) => pool.close(gateway, reason, by).await,
        }
    }
}
