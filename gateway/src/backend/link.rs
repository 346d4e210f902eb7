//! A shell's way to its target: its connections, its place in the target's quota, and its end.

use super::connection::Connection;
use super::dial::Dialer;
use super::error::{BackendError, Effect};
use super::quota::{ConnectionPlace, Patience, Reserved, ShellPlace};
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use sekisho_protocol::wsman::{
    Action, CreateShell, MessageId, Request, RequestBody, RequestHeader, Resource, ResponseBody, ShellId, WsmanOption,
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
pub(super) const ENVELOPE: usize = 512_000;
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
pub(super) const CLEANUP: Duration = Duration::from_secs(5);

/// The way of one shell of one principal to one target.
#[derive(Debug)]
pub(super) struct Link {
    dialer: Arc<Dialer>,
    principal: PrincipalName,
    resource: Resource,
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

/// Places that are kept for a shell, and how long it waits for what else the target allows.
#[derive(Debug)]
pub(super) struct Places {
    kept: KeptPlaces,
    patience: Patience,
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

/// What a Create says.
#[derive(Debug, Clone)]
pub(super) struct Creation {
    pub(super) shell: CreateShell,
    pub(super) options: Vec<WsmanOption>,
}

impl Places {
    /// What is needed is taken as it is needed, or not at all.
    pub(super) fn none() -> Self {
        Self { kept: KeptPlaces::default(), patience: Patience::None }
    }

    /// Places that are there, and time until `deadline` where the target is at its limits all the same.
    pub(super) fn reserved(places: Reserved, deadline: Instant) -> Self {
        let Reserved { shell, connection } = places;
        let kept = KeptPlaces { shell: Some(shell), connection: Some(connection) };
        Self { kept, patience: Patience::Until(deadline) }
    }
}

impl Link {
    pub(super) fn new(dialer: Arc<Dialer>, principal: PrincipalName, resource: Resource, places: Places) -> Self {
        let Places { kept, patience } = places;
        Self {
            dialer,
            principal,
            resource,
            session: Uuid::new_v4(),
            opened: tokio::sync::Mutex::new(None),
            id: Mutex::default(),
            kept: Mutex::new(kept),
            patience,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            closed: CancellationToken::new(),
            abandoned: CancellationToken::new(),
        }
    }

    pub(super) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// The id that the target knows this shell by, once it was opened.
    pub(super) fn id(&self) -> Option<ShellId> {
        *self.id.lock()
    }

    /// Connects, logs in and opens the shell. A connection that is not taken is tried once more after a pause:
    /// nothing was sent that could have an effect. A target that says that it is at its limits has not done it
    /// either, and is asked again as long as there is patience.
    pub(super) async fn prepare(&self, creation: &Creation) -> Result<(), BackendError> {
        loop {
            let prepared = self.try_prepare(creation).await;
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

    async fn try_prepare(&self, creation: &Creation) -> Result<(), BackendError> {
        let mut connection = once_more(|| self.connection(self.patience)).await?;
        let opened = self.open(&mut connection, creation).await.map_err(BackendError::while_opening);
        self.give_back(connection);
        opened.map(drop)
    }

    fn outlasts(&self, pause: Duration) -> bool {
        match self.patience {
            Patience::None => false,
            Patience::Until(deadline) => pause < deadline.saturating_duration_since(Instant::now()),
        }
    }

    /// Ends the shell on the target. Later calls of anything fail, and what still waits for the target by then
    /// waits no longer.
    pub(super) async fn close(&self) -> Result<(), BackendError> {
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
    pub(super) async fn patient<T>(
        &self,
        answer: impl Future<Output = Result<T, BackendError>>,
    ) -> Result<T, BackendError> {
        tokio::select! {
            answer = answer => answer,
            () = self.abandoned.cancelled() => Err(BackendError::Abandoned),
        }
    }

    pub(super) async fn open(&self, connection: &mut Connection, creation: &Creation) -> Result<ShellId, BackendError> {
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
        let body = RequestBody::Create(creation.shell.clone());
        let mut request = self.request(Action::Create, None, body, connection.url());
        request.header.options.clone_from(&creation.options);
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

    pub(super) fn request(&self, action: Action, shell: Option<ShellId>, body: RequestBody, to: &str) -> Request {
        let header = RequestHeader {
            message_id: Some(MessageId::new(Uuid::new_v4())),
            action,
            resource: self.resource.clone(),
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

    /// Asks and waits for the answer on a connection that is kept for others afterwards.
    pub(super) async fn ask(
        &self,
        patience: Patience,
        (action, shell): (Action, ShellId),
        body: RequestBody,
    ) -> Result<ResponseBody, BackendError> {
        let mut connection = self.connection(patience).await?;
        let request = self.request(action, Some(shell), body, connection.url());
        let answer = self.patient(connection.exchange(&request)).await;
        self.give_back(connection);
        answer
    }

    pub(super) async fn connection(&self, patience: Patience) -> Result<Connection, BackendError> {
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

    pub(super) fn give_back(&self, connection: Connection) {
        if connection.usable() && !self.closed.is_cancelled() {
            self.dialer.keep(self.session, connection);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.dialer.idle().close_all(self.session);
    }
}

/// What is about something that is there already waits for a connection: it would be left at the target.
pub(super) fn for_cleaning_up() -> Patience {
    let now = Instant::now();
    Patience::Until(now.checked_add(CLEANUP).unwrap_or(now))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::LeaseError;
    use sekisho_protocol::soap::FaultCode;

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
