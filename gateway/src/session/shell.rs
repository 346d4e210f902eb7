//! One shell of one client.

use super::command::{Command, Start, TerminatedBy};
use super::commands::Commands;
use super::output::Buffer;
use crate::audit::{Context, Event, EventKind, Ids, SessionEnd};
use crate::backend::{BackendError, Dialer, TargetShell};
use crate::config::Target;
use crate::credentials::Hold;
use crate::enforce::{Ask, Permit, Refusal, judge};
use crate::identity::{Identity, PrincipalName};
use crate::state::Gateway;
use parking_lot::Mutex;
use sekisho_policy::{Action, Presence, ProgramRequest, RequestExtras, ShellResource};
use sekisho_protocol::winrs::ShellOptions;
use sekisho_protocol::wsman::{CommandId, CommandLine, ShellId};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// What a shell is opened with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What the target's shell is opened with.
    pub options: ShellOptions,
    /// What the client's Create carried that policy may refuse.
    pub extras: RequestExtras,
    /// The URL that the client used, for its answers.
    pub address: String,
    /// The resource URI that the client used.
    pub resource_uri: String,
}

/// One shell. Its target never changes.
#[derive(Debug)]
pub struct Shell {
    id: ShellId,
    principal: PrincipalName,
    opening: Opening,
    opened: Instant,
    used: Mutex<Instant>,
    commands: Commands,
    target: Arc<Target>,
    backend: Arc<TargetShell>,
    _hold: Hold,
}

/// Why a command did not start.
#[derive(Debug)]
pub enum NotStarted {
    /// It was refused here.
    Refused(Refusal),
    /// The target failed.
    Target(BackendError),
    /// Too many run in this shell already.
    TooMany,
}

impl Shell {
    /// A new shell; nothing is sent to its target yet.
    #[must_use]
    pub fn new(principal: &PrincipalName, dialer: &Arc<Dialer>, opening: Opening, hold: Hold) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            id: ShellId::new(Uuid::new_v4()),
            principal: principal.clone(),
            opened: now,
            used: Mutex::new(now),
            commands: Commands::default(),
            target: Arc::clone(dialer.target()),
            backend: TargetShell::new(Arc::clone(dialer), principal.clone(), opening.options),
            opening,
            _hold: hold,
        })
    }

    /// The gateway's own id.
    #[must_use]
    pub fn id(&self) -> ShellId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub fn principal(&self) -> &PrincipalName {
        &self.principal
    }

    /// Where it runs.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What it was opened with.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Since it was opened.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Since it was last used.
    #[must_use]
    pub fn inactivity(&self) -> Duration {
        self.used.lock().elapsed()
    }

    /// Notes that its client is there.
    pub fn touch(&self) {
        *self.used.lock() = Instant::now();
    }

    /// Commands that have not ended.
    #[must_use]
    pub fn running_commands(&self) -> usize {
        self.commands.running()
    }

    /// The command of this shell with this id.
    #[must_use]
    pub fn command(&self, id: CommandId) -> Option<Arc<Command>> {
        self.commands.find(id)
    }

    /// Forgets a command; the caller ends it.
    pub fn forget(&self, id: CommandId) -> Option<Arc<Command>> {
        self.commands.remove(id)
    }

    /// Judges a command line, and starts what is permitted.
    ///
    /// # Errors
    /// When it is refused, or the target fails.
    pub async fn start(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        identity: &Identity,
        client: SocketAddr,
        line: CommandLine,
        limit: Duration,
    ) -> Result<CommandId, NotStarted> {
        let most = gateway.live().config.limits.commands_per_shell;
        let place = self.commands.reserve(most).ok_or(NotStarted::TooMany)?;
        let action = Action::Program(ProgramRequest {
            command: line.command,
            arguments: line.arguments,
            extras: self.opening.extras,
            resource: ShellResource::CommandShell,
        });
        let id = CommandId::new(Uuid::new_v4());
        let ask = Ask { identity, client, target: &self.target, session: self.id.uuid(), command: id, action: &action };
        let permit = judge(gateway, ask).await.map_err(NotStarted::Refused)?;
        let command = self.run(gateway, permit, id, limit).await.map_err(NotStarted::Target)?;
        place.fill(command);
        Ok(id)
    }

    async fn run(
        &self,
        gateway: &Arc<Gateway>,
        permit: Permit,
        id: CommandId,
        limit: Duration,
    ) -> Result<Arc<Command>, BackendError> {
        let start =
            Start { gateway: Arc::clone(gateway), backend: Arc::clone(&self.backend), id, buffer: Buffer::SESSION };
        let mut launch = Command::launch(start, permit);
        match tokio::time::timeout(limit, launch.launched()).await {
            Ok(launched) => launched.map_err(|not_launched| not_launched.error),
            Err(_late) => Err(BackendError::TimedOut(launch.give_up(TerminatedBy::Client))),
        }
    }

    /// Ends all commands and the target's shell, and writes why.
    pub async fn close(&self, gateway: &Gateway, reason: SessionEnd, by: TerminatedBy) {
        let commands = self.commands.take_all();
        for command in &commands {
            command.terminate(by);
        }
        for command in &commands {
            command.ended().await;
        }
        if let Err(error) = self.backend.close().await {
            tracing::info!(shell = %self.id, target = %self.target.name, %error, "The target's shell could not be deleted");
        }
        let context = Context {
            principal: Some(self.principal.to_string()),
            target: Some(self.target.name.to_string()),
            session: Some(self.id.uuid().to_string()),
            shell: Some(Ids { gateway: self.id.to_string(), target: self.backend.id().map(|id| id.to_string()) }),
            ..Context::default()
        };
        gateway.audit_after(Event::new(EventKind::SessionEnd { reason }, &context)).await;
    }
}

/// Whether something is there, for policy.
#[must_use]
pub fn presence(there: bool) -> Presence {
    if there { Presence::Present } else { Presence::Absent }
}
