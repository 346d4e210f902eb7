//! One shell on one target, opened by the first command that is permitted, and the commands in it.

use super::connection::Connection;
use super::dial::Dialer;
use super::error::{BackendError, Effect};
use super::quota::{ConnectionPlace, Patience, Reserved, ShellPlace};
use crate::enforce::Permit;
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::winrs::{CommandOptions, CommandShell, ConsoleInput, ShellOptions};
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CreateShell, MessageId, ReceiveResponse, Request, RequestBody, RequestHeader,
    Resource, ResponseBody, SendStream, ShellId, SignalCode, WsmanOption,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Connections of one shell: one for each of as many commands as the configuration may allow to run in it, and
/// some to control them. The target's own quota and the configured number of commands are usually below.
const MAX_CONNECTIONS: usize = 108;
/// What we ask targets for where it does not matter; the largest that every Windows answers with.
const ENVELOPE: usize = 512_000;
/// How long after a refused connection the one further attempt is made.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How long a job's shell waits before it asks a target again that has said that it is at its limits.
const LIMITS_PAUSE: Duration = Duration::from_secs(5);
/// How long one poll for output lasts, or the target's `read_timeout` if that is shorter. The two together are
/// the time after which a target that fell silent is noticed.
const POLL: Duration = Duration::from_secs(20);
/// How long everything else may take at the target.
const OPERATION: Duration = Duration::from_secs(20);
/// How long each of the two steps of cleaning up may take, a command's end and the shell's; the target reaps by itself what is left.
const CLEANUP: Duration = Duration::from_secs(5);

/// A shell on a target, for one principal.
#[derive(Debug)]
pub struct TargetShell {
    dialer: Arc<Dialer>,
    principal: PrincipalName,
    options: ShellOptions,
    session: Uuid,
    opened: tokio::sync::Mutex<Option<Opened>>,
    /// What the target has called it, also when it is deleted.
    id: Mutex<Option<ShellId>>,
    /// Of a job: places that are kept for it.
    kept: Mutex<KeptPlaces>,
    /// How long it waits for what the target allows.
    patience: Patience,
    places: Arc<Semaphore>,
    /// Nothing new is begun from here on.
    closed: CancellationToken,
    /// Nothing is waited for any more from here on.
    abandoned: CancellationToken,
}

#[derive(Debug, Default)]
struct KeptPlaces {
    shell: Option<ShellPlace>,
    connection: Option<ConnectionPlace>,
}

/// A shell that is open on the target, and its place in the target's quota.
#[derive(Debug)]
struct Opened {
    id: ShellId,
    _place: ShellPlace,
}

/// What a poll for output brought.
#[derive(Debug)]
pub enum Received {
    /// Output, or the end.
    Output(ReceiveResponse),
    /// Nothing within the poll's time: the command goes on.
    Nothing,
}

impl TargetShell {
    /// One that takes what it needs of the target's quota as it needs it, or fails. Nothing is sent before the
    /// first command.
    #[must_use]
    pub fn new(dialer: Arc<Dialer>, principal: PrincipalName, options: ShellOptions) -> Arc<Self> {
        Self::with(dialer, principal, options, (KeptPlaces::default(), Patience::None))
    }

    /// One that has its places already, and waits until `deadline` where the target is at its limits all the same.
    #[must_use]
    pub fn reserved(
        dialer: Arc<Dialer>,
        principal: PrincipalName,
        options: ShellOptions,
        places: Reserved,
        deadline: Instant,
    ) -> Arc<Self> {
        let Reserved { shell, connection } = places;
        let kept = KeptPlaces { shell: Some(shell), connection: Some(connection) };
        Self::with(dialer, principal, options, (kept, Patience::Until(deadline)))
    }

    fn with(
        dialer: Arc<Dialer>,
        principal: PrincipalName,
        options: ShellOptions,
        (kept, patience): (KeptPlaces, Patience),
    ) -> Arc<Self> {
        Arc::new(Self {
            dialer,
            principal,
            options,
            session: Uuid::new_v4(),
            opened: tokio::sync::Mutex::new(None),
            id: Mutex::default(),
            kept: Mutex::new(kept),
            patience,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            closed: CancellationToken::new(),
            abandoned: CancellationToken::new(),
        })
    }

    /// The id that the target knows this shell by, once it was opened.
    #[must_use]
    pub fn id(&self) -> Option<ShellId> {
        *self.id.lock()
    }

    /// Connects, logs in and opens the shell, so that the command alone is left to be sent. A connection that
    /// is not taken is tried once more after a pause: nothing was sent that could have an effect. A target that
    /// says that it is at its limits has not done it either, and is asked again as long as there is patience.
    ///
    /// # Errors
    /// What went wrong. Nothing of the command has left here.
    pub async fn prepare(self: &Arc<Self>, _permit: &Permit) -> Result<(), BackendError> {
        loop {
            let prepared = self.try_prepare().await;
            let Err(BackendError::Fault(code)) = prepared else { return prepared };
            if !code.is_transient() || !self.outlasts(LIMITS_PAUSE) {
                return prepared;
            }
            tokio::select! {
                () = sleep(LIMITS_PAUSE) => {}
                () = self.closed.cancelled() => return Err(BackendError::Closed),
            }
        }
    }

    async fn try_prepare(self: &Arc<Self>) -> Result<(), BackendError> {
        let mut connection = once_more(|| self.connection(self.patience)).await?;
        let opened = self.open(&mut connection).await.map_err(BackendError::while_opening);
        self.give_back(connection);
        opened.map(drop)
    }

    fn outlasts(&self, pause: Duration) -> bool {
        match self.patience {
            Patience::None => false,
            Patience::Until(deadline) => pause < deadline.saturating_duration_since(Instant::now()),
        }
    }

    /// Starts what was permitted, once: a permit is used up here.
    ///
    /// # Errors
    /// What went wrong; [`BackendError::effect`] says whether the target may have acted.
    pub async fn start(self: &Arc<Self>, permit: Permit) -> Result<Running, BackendError> {
        // An idle connection may have been closed by the target just now. Nothing has left then, and only then
        // is it tried again, on a new connection.
        match self.try_start(&permit).await {
            Err(BackendError::Broken(Effect::NotDone)) => self.try_start(&permit).await,
            other => other,
        }
    }

    async fn try_start(self: &Arc<Self>, permit: &Permit) -> Result<Running, BackendError> {
        let command = permit.command_line().ok_or(BackendError::OtherShell)?.to_owned();
        let mut connection = self.connection(self.patience).await?;
        let shell = self.open(&mut connection).await.map_err(BackendError::while_opening)?;
        let line = CommandLine { command, arguments: Vec::new(), command_id: None };
        let mut request = self.request(Action::Command, Some(shell), RequestBody::Command(line), connection.url());
        // cmd.exe reads the line, as it does for stock clients; policy has refused what it could read otherwise.
        let input = if permit.takes_input() { ConsoleInput::Pipe } else { ConsoleInput::Console };
        request.header.options = CommandOptions { input, shell: CommandShell::Through }.render();
        let command_id = match self.patient(connection.exchange(&request)).await {
            Ok(ResponseBody::Command { command_id }) => command_id,
            Ok(_) => return Err(BackendError::Mismatch),
            Err(error) => {
                self.give_back(connection);
                return Err(error);
            }
        };
        Ok(Running {
            control: Control { shell: Arc::clone(self), shell_id: shell, id: command_id },
            connection: Some(connection),
        })
    }

    /// Ends the shell on the target. Later calls of anything fail, and what still waits for the target by then
    /// waits no longer.
    ///
    /// # Errors
    /// When the target did not take it in time; it reaps the shell by itself then.
    pub async fn close(&self) -> Result<(), BackendError> {
        self.closed.cancel();
        let deleted = timeout(CLEANUP, self.delete()).await;
        self.abandoned.cancel();
        self.dialer.idle().close_all(self.session);
        deleted.unwrap_or(Err(BackendError::TimedOut(Effect::Unknown)))
    }

    async fn delete(&self) -> Result<(), BackendError> {
        // Its place is free when the target has answered.
        let Some(opened) = self.opened.lock().await.take() else { return Ok(()) };
        let mut connection = self.any_connection(for_cleaning_up()).await?;
        let request = self.request(Action::Delete, Some(opened.id), RequestBody::Delete, connection.url());
        connection.exchange(&request).await.map(drop)
    }

    /// Waits for an answer, but not beyond the shell's end: a target that hangs must not keep the gateway from
    /// telling what became of a command.
    async fn patient<T>(&self, answer: impl Future<Output = Result<T, BackendError>>) -> Result<T, BackendError> {
        tokio::select! {
            answer = answer => answer,
            () = self.abandoned.cancelled() => Err(BackendError::Abandoned),
        }
    }

    async fn open(&self, connection: &mut Connection) -> Result<ShellId, BackendError> {
        let mut opened = self.opened.lock().await;
        if let Some(opened) = opened.as_ref() {
            return Ok(opened.id);
        }
        // Whoever closed meanwhile has found nothing to delete, and nobody would delete what is opened now.
        if self.closed.is_cancelled() {
            return Err(BackendError::Closed);
        }
        let kept = self.kept.lock().shell.take();
        let place = kept.map_or_else(|| self.dialer.shell_place(&self.principal), Ok)?;
        let body = CreateShell {
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            ..CreateShell::default()
        };
        let mut request = self.request(Action::Create, None, RequestBody::Create(body), connection.url());
        request.header.options = self.options.render();
        let id = match self.patient(connection.exchange(&request)).await {
            Ok(ResponseBody::Created(details)) => details.shell_id,
            Ok(_) => return Err(BackendError::Mismatch),
            Err(error) => {
                if self.patience != Patience::None && error.effect() == Effect::NotDone {
                    self.kept.lock().shell = Some(place);
                }
                return Err(error);
            }
        };
        *opened = Some(Opened { id, _place: place });
        *self.id.lock() = Some(id);
        Ok(id)
    }

    fn request(&self, action: Action, shell: Option<ShellId>, body: RequestBody, to: &str) -> Request {
        let header = RequestHeader {
            message_id: Some(MessageId::new(Uuid::new_v4())),
            action,
            resource: Resource::CmdShell,
            to: to.to_owned(),
            operation_timeout: Some(self.operation_timeout(action)),
            max_envelope_size: ENVELOPE,
            shell,
            options: Vec::new(),
            session_id: Some(self.session),
        };
        Request { header, body }
    }

    fn operation_timeout(&self, action: Action) -> Duration {
        if action == Action::Receive { POLL.min(self.dialer.target().read_timeout) } else { OPERATION }
    }

    async fn connection(self: &Arc<Self>, patience: Patience) -> Result<Connection, BackendError> {
        if self.closed.is_cancelled() {
            return Err(BackendError::Closed);
        }
        tokio::select! {
            connection = self.any_connection(patience) => connection,
            () = self.abandoned.cancelled() => Err(BackendError::Closed),
        }
    }

    async fn any_connection(&self, patience: Patience) -> Result<Connection, BackendError> {
        if let Some(connection) = self.dialer.idle().take(self.session) {
            return Ok(connection);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_all_in_use| BackendError::Busy)?;
        let kept = self.kept.lock().connection.take();
        let in_quota = match kept {
            Some(kept) => kept,
            None => self.dialer.connection_place(patience).await?,
        };
        let mut connection = self.dialer.connect(&self.principal, in_quota).await?;
        connection.occupy(place);
        Ok(connection)
    }

    fn give_back(&self, connection: Connection) {
        if connection.usable() && !self.closed.is_cancelled() {
            self.dialer.keep(self.session, connection);
        }
    }
}

impl Drop for TargetShell {
    fn drop(&mut self) {
        self.dialer.idle().close_all(self.session);
    }
}

/// What is about something that is there already waits for a connection: it would be left at the target.
fn for_cleaning_up() -> Patience {
    let now = Instant::now();
    Patience::Until(now.checked_add(CLEANUP).unwrap_or(now))
}

/// Speaks to one running command while its output is waited for elsewhere.
#[derive(Debug, Clone)]
pub struct Control {
    shell: Arc<TargetShell>,
    shell_id: ShellId,
    id: CommandId,
}

impl Control {
    /// Feeds standard input. Never repeated.
    ///
    /// # Errors
    /// What went wrong; the input may have arrived all the same.
    pub async fn input(&self, data: Vec<u8>, end: bool) -> Result<(), BackendError> {
        let stream = SendStream { stream: "stdin".to_owned(), command_id: Some(self.id), end, data };
        self.ask(Action::Send, RequestBody::Send(vec![stream])).await
    }

    /// Interrupts or ends the command.
    ///
    /// # Errors
    /// When the target did not take it.
    pub async fn signal(&self, signal: SignalCode) -> Result<(), BackendError> {
        self.ask(Action::Signal, RequestBody::Signal { command_id: Some(self.id), signal }).await
    }

    async fn ask(&self, action: Action, body: RequestBody) -> Result<(), BackendError> {
        let mut connection = self.shell.connection(for_cleaning_up()).await?;
        let request = self.shell.request(action, Some(self.shell_id), body, connection.url());
        let answer = self.shell.patient(connection.exchange(&request)).await;
        self.shell.give_back(connection);
        answer.map(drop)
    }
}

/// A command that runs on a target. To be polled until its end, and then ended.
#[derive(Debug)]
pub struct Running {
    control: Control,
    connection: Option<Connection>,
}

impl Running {
    /// The id that the target knows the command by.
    #[must_use]
    pub fn id(&self) -> CommandId {
        self.control.id
    }

    /// The id that the target knows the shell by.
    #[must_use]
    pub fn shell_id(&self) -> ShellId {
        self.control.shell_id
    }

    /// Speaks to the command from elsewhere.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Waits for output, at most one poll long and one envelope large. Not repeated after an error: output may
    /// be lost then.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn receive(&mut self, envelope: usize) -> Result<Received, BackendError> {
        let shell = &self.control.shell;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => shell.connection(for_cleaning_up()).await?,
        };
        let streams = vec!["stdout".to_owned(), "stderr".to_owned()];
        let body = RequestBody::Receive { command_id: Some(self.control.id), streams };
        let mut request = shell.request(Action::Receive, Some(self.control.shell_id), body, connection.url());
        request.header.options = vec![option("WSMAN_CMDSHELL_OPTION_KEEPALIVE", "TRUE")];
        request.header.max_envelope_size = envelope;
        let answer = connection.exchange(&request).await;
        self.connection = connection.usable().then_some(connection);
        match answer {
            Ok(ResponseBody::Receive(output)) if output.command_id == Some(self.control.id) => {
                Ok(Received::Output(output))
            }
            Ok(_) => Err(BackendError::Mismatch),
            Err(BackendError::Fault(FaultCode::TIMED_OUT)) => Ok(Received::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Tells the target to forget the command, whether it has ended or not, and gives the connection back.
    ///
    /// # Errors
    /// When the target did not take it in time.
    pub async fn end(mut self) -> Result<(), BackendError> {
        let shell = Arc::clone(&self.control.shell);
        if let Some(connection) = self.connection.take() {
            shell.give_back(connection);
        }
        let signal = self.control.signal(SignalCode::Terminate);
        timeout(CLEANUP, signal).await.unwrap_or(Err(BackendError::TimedOut(Effect::Unknown)))
    }
}

/// Makes an attempt, and one more when the connection was not taken. No other failure is repeated: a login
/// that was refused counts against the account, and anything later may have had an effect.
async fn once_more<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, BackendError>
where
    F: Future<Output = Result<T, BackendError>>,
{
    match attempt().await {
        Err(BackendError::Unreachable) => {
            sleep(RETRY_PAUSE).await;
            attempt().await
        }
        done => done,
    }
}

fn option(name: &str, value: &str) -> WsmanOption {
    WsmanOption { name: name.to_owned(), value: value.to_owned(), must_comply: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::LeaseError;

    async fn attempts(outcomes: &[Result<(), BackendError>]) -> (usize, Result<(), BackendError>, Duration) {
        let (began, mut made) = (Instant::now(), 0);
        let outcome = once_more(|| {
            let outcome = outcomes[made];
            made += 1;
            async move { outcome }
        })
        .await;
        (made, outcome, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_not_taken_is_tried_once_more_after_a_pause() {
        let refused = Err(BackendError::Unreachable);
        assert_eq!(attempts(&[Ok(())]).await, (1, Ok(()), Duration::ZERO));
        assert_eq!(attempts(&[refused, Ok(())]).await, (2, Ok(()), RETRY_PAUSE));
        assert_eq!(attempts(&[refused, refused, Ok(())]).await, (2, refused, RETRY_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_else_is_repeated() {
        for error in [
            BackendError::Tls,
            BackendError::LoginRefused,
            BackendError::Lease(LeaseError::Refused(2)),
            BackendError::TimedOut(Effect::NotDone),
            BackendError::Broken(Effect::NotDone),
            BackendError::Broken(Effect::Unknown),
            BackendError::Busy,
            BackendError::Fault(FaultCode::TIMED_OUT),
        ] {
            assert_eq!(attempts(&[Err(error), Ok(())]).await, (1, Err(error), Duration::ZERO));
        }
    }
}
