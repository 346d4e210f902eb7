//! One shell of one client.

use super::command::{Command, Launch, Start, TerminatedBy};
use super::commands::Commands;
use super::output::Buffer;
use crate::audit::{Context, Event, EventKind, Ids, SessionEnd};
use crate::backend::{BackendError, Dialer, TargetShell};
use crate::config::Target;
use crate::credentials::Hold;
use crate::enforce::pipeline::PLAIN;
use crate::enforce::{Ask, Refusal, judge};
use crate::identity::{Identity, PrincipalName};
use crate::recording::{Recording, SessionKind};
use crate::state::Gateway;
use parking_lot::Mutex;
use sekisho_policy::{Action, Presence, ProgramRequest, RequestExtras, ShellResource};
use sekisho_protocol::winrs::ShellOptions;
use sekisho_protocol::wsman::{CommandId, CommandLine, ShellId};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;
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
    /// Begun with the first command.
    recording: OnceLock<Recording>,
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
            recording: OnceLock::new(),
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
        identity: &Arc<Identity>,
        client: SocketAddr,
        line: CommandLine,
        limit: Duration,
    ) -> Result<CommandId, NotStarted> {
        let most = gateway.live().config.limits.commands_per_shell;
        let place = self.commands.reserve(most).ok_or(NotStarted::TooMany)?;
        let asked = Asked {
            gateway: Arc::clone(gateway),
            shell: Arc::clone(self),
            identity: Arc::clone(identity),
            client,
            id: CommandId::new(Uuid::new_v4()),
            action: Action::Program(ProgramRequest {
                command: line.command,
                arguments: line.arguments,
                extras: self.opening.extras,
                resource: ShellResource::CommandShell,
            }),
        };
        let id = asked.id;
        let command = asked.launched(limit).await?;
        place.fill(command);
        Ok(id)
    }

    fn recording(&self, gateway: &Gateway, client: SocketAddr) -> &Recording {
        self.recording.get_or_init(|| {
            let context = Context {
                principal: Some(self.principal.to_string()),
                client_addr: Some(client),
                target: Some(self.target.name.to_string()),
                session: Some(self.id.uuid().to_string()),
                ..Context::default()
            };
            gateway.recordings.begin(&context, SessionKind::Commands)
        })
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
            recording: match self.recording.get() {
                Some(recording) => recording.finish().await,
                None => None,
            },
            ..Context::default()
        };
        gateway.audit_after(Event::new(EventKind::SessionEnd { reason }, &context)).await;
    }
}

/// A command that a client asks for.
struct Asked {
    gateway: Arc<Gateway>,
    shell: Arc<Shell>,
    identity: Arc<Identity>,
    client: SocketAddr,
    id: CommandId,
    action: Action,
}

impl Asked {
    /// In a task of its own: what is written as allowed has an end that is written too, also when the client
    /// goes away while it is written.
    async fn launched(self, limit: Duration) -> Result<Arc<Command>, NotStarted> {
        let tasks = self.gateway.tasks.clone();
        let (sender, launch) = oneshot::channel();
        // Dropped unheard, the launch is given up.
        tasks.spawn(async move { drop(sender.send(self.launch().await)) });
        let panicked = |_gone| Err(NotStarted::Target(BackendError::Closed));
        let mut launch = launch.await.unwrap_or_else(panicked)?;
        let launched = match tokio::time::timeout(limit, launch.launched()).await {
            Ok(launched) => launched.map_err(|not_launched| not_launched.error),
            Err(_late) => Err(BackendError::TimedOut(launch.give_up(TerminatedBy::Client))),
        };
        launched.map_err(NotStarted::Target)
    }

    async fn launch(self) -> Result<Launch, NotStarted> {
        let Self { gateway, shell, identity, client, id, action } = self;
        let session = shell.id.uuid();
        let ask = Ask {
            identity: &identity,
            client,
            target: &shell.target,
            session,
            command: id,
            action: &action,
            form: &PLAIN,
        };
        let recording = shell.recording(&gateway, client).clone();
        let permit = match judge(&gateway, ask).await {
            Ok(permit) => permit,
            Err(refusal) => {
                recording.refused(id, &refusal.to_string()).await;
                return Err(NotStarted::Refused(refusal));
            }
        };
        let start = Start { gateway, backend: Arc::clone(&shell.backend), id, buffer: Buffer::SESSION, recording };
        Ok(Command::launch(start, permit))
    }
}

/// Whether something is there, for policy.
#[must_use]
pub fn presence(there: bool) -> Presence {
    if there { Presence::Present } else { Presence::Absent }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;
    use futures_util::FutureExt as _;
    use sekisho_protocol::winrs::Profile;

    const TARGET: &str = "\n[targets.web01]\naddress = \"127.0.0.1\"\nport = 1\n";
    const POLICY: &str = r#"
        [[roles.looker.programs]]
        name = "hostname"
        path = 'C:\Windows\System32\hostname.exe'
        [[assignments]]
        principals = ['GATEWAY\alice']
        targets = ['*']
        roles = ['looker']
    "#;

    #[tokio::test]
    async fn what_is_written_as_allowed_has_an_end_although_the_client_goes_away_meanwhile() {
        let trial = Trial::new(TARGET, Some(POLICY)).await;
        let (gateway, (identity, hold)) = (trial.gateway(), trial.alice());
        let live = gateway.live_full();
        let dialer = live.dialer(live.config.targets.find("web01").unwrap()).unwrap();
        let opening = Opening {
            options: ShellOptions { profile: Profile::Load, code_page: None },
            extras: RequestExtras::default(),
            address: String::new(),
            resource_uri: String::new(),
        };
        let shell = Shell::new(&identity.principal, dialer, opening, hold);
        let line = CommandLine { command: "hostname".to_owned(), arguments: Vec::new(), command_id: None };
        let client = "192.0.2.1:1".parse().unwrap();
        let started = shell.start(gateway, &identity, client, line, Duration::from_secs(9));
        assert!(started.now_or_never().is_none());
        let lines = trial.stop().await;
        let of = |event: &str| lines.iter().find(|line| line["event"] == event).unwrap();
        assert_eq!(of("command")["command"]["gateway"], of("result")["command"]["gateway"]);
        assert_eq!(of("result")["outcome"], "not_sent", "{}", of("result"));
        assert_eq!(of("result")["why"], "abandoned");
        assert_eq!(lines.iter().filter(|line| line["event"] == "result").count(), 1);
    }
}
