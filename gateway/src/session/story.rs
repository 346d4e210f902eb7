//! What is written of a command after its permit: how it ended, exactly once.

use super::command::Ended;
use super::launch::NotLaunched;
use crate::audit::{CommandResult, Context, Event, EventKind, Ids, Outcome, TerminatedBy, UnknownWhy};
use crate::backend::{BackendError, Effect, NotOpened};
use crate::state::Gateway;
use sekisho_protocol::wsman::{CommandId, ShellId};
use std::sync::Arc;
use tokio::time::Instant;

/// The story of one command.
pub(crate) struct Story {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) context: Context,
    pub(crate) began: Instant,
}

impl Story {
    pub(crate) fn new(gateway: Arc<Gateway>, context: Context) -> Self {
        Self { gateway, context, began: Instant::now() }
    }

    /// Whether the policy by which it was permitted is in force still: a change binds what waited until now.
    pub(crate) fn is_current(&self) -> bool {
        self.context.policy.as_deref() == Some(self.gateway.live_full().policy.digest())
    }

    /// What the target calls the shell and the command.
    pub(crate) fn knows(&mut self, id: CommandId, shell: ShellId, command: CommandId) {
        self.context.shell =
            self.context.session.clone().map(|gateway| Ids { gateway, target: Some(shell.to_string()) });
        self.context.command = Some(Ids { gateway: id.to_string(), target: Some(command.to_string()) });
    }

    pub(crate) async fn not_started(self, error: BackendError, effect: Effect) -> NotLaunched {
        let outcome = match (error, effect) {
            (BackendError::Fault(code), _) => Outcome::Fault { code: code.0 },
            (_, Effect::NotDone) => Outcome::NotSent { why: why(error) },
            (_, Effect::Unknown) => Outcome::Unknown { why: why(error) },
        };
        self.tell_without_output(outcome).await;
        NotLaunched { error, effect }
    }

    pub(crate) async fn given_up(self, by: TerminatedBy) -> NotLaunched {
        let why = match by {
            TerminatedBy::Client | TerminatedBy::Idle => UnknownWhy::Abandoned,
            TerminatedBy::Deadline => UnknownWhy::Timeout,
            TerminatedBy::Shutdown => UnknownWhy::Shutdown,
            TerminatedBy::Gateway => UnknownWhy::Internal,
        };
        self.tell_without_output(Outcome::NotSent { why }).await;
        NotLaunched { error: BackendError::Closed, effect: Effect::NotDone }
    }

    async fn tell_without_output(self, outcome: Outcome) {
        let duration = self.began.elapsed();
        self.tell(CommandResult { outcome, stdin_bytes: 0, stdout_bytes: 0, stderr_bytes: 0, duration }).await;
    }

    pub(crate) async fn tell(self, result: CommandResult) {
        self.gateway.metrics.result(&result.outcome);
        self.gateway.audit_after(Event::new(EventKind::Result(result), &self.context)).await;
    }
}

pub(crate) fn outcome(end: Result<i32, Ended>, told: &Result<(), BackendError>) -> Outcome {
    match (end, told) {
        (Ok(exit_code), _) => Outcome::Exit { exit_code: i64::from(exit_code) },
        (Err(Ended::Terminated(by)), Ok(())) => Outcome::Terminated { by },
        (Err(Ended::Terminated(_)), Err(error)) => Outcome::Unknown { why: why(*error) },
        (Err(Ended::Target(error)), _) => Outcome::Unknown { why: why(error) },
    }
}

pub(crate) fn why(error: BackendError) -> UnknownWhy {
    match error {
        BackendError::Unreachable | BackendError::Broken(_) | BackendError::NotOpened(NotOpened::Broken) => {
            UnknownWhy::ConnectionLost
        }
        BackendError::Tls => UnknownWhy::CertificateRefused,
        BackendError::LoginRefused | BackendError::Lease(_) | BackendError::Login(_) => UnknownWhy::LoginRefused,
        BackendError::TimedOut(_) | BackendError::NotOpened(NotOpened::TimedOut) => UnknownWhy::Timeout,
        BackendError::Abandoned | BackendError::NotOpened(NotOpened::Abandoned) => UnknownWhy::Abandoned,
        BackendError::Invalid(_)
        | BackendError::Status(_)
        | BackendError::Mismatch
        | BackendError::Fault(_)
        | BackendError::NoPool
        | BackendError::NoKey
        | BackendError::NotOpened(NotOpened::Invalid) => UnknownWhy::Garbage,
        BackendError::Busy
        | BackendError::OtherShell
        | BackendError::Unsendable
        | BackendError::Closed
        | BackendError::NotRecorded(_)
        | BackendError::Outdated => UnknownWhy::Internal,
    }
}
