//! One command: started once, its output pumped from the target, its end audited.

use super::output::{Fetched, SharedOutput};
use crate::audit::{CommandResult, Context, Event, EventKind, Ids, Outcome, UnknownWhy};
use crate::backend::{BackendError, Control, Effect, Received, Running, TargetShell};
use crate::enforce::Permit;
use crate::state::Gateway;
use parking_lot::Mutex;
use sekisho_protocol::wsman::{CommandId, SignalCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use crate::audit::TerminatedBy;

/// How a command ended without an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody stopped it.
    Terminated(TerminatedBy),
    /// The target failed; whether the command went on is unknown.
    Target(BackendError),
}

/// What a start needs besides the permit.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) gateway: Arc<Gateway>,
    pub(super) backend: Arc<TargetShell>,
    pub(super) id: CommandId,
    /// How long the client waits for the answer.
    pub(super) limit: Duration,
}

/// A command that was started.
#[derive(Debug)]
pub struct Command {
    id: CommandId,
    takes_input: bool,
    control: Control,
    output: SharedOutput,
    bytes: Bytes,
    stop: CancellationToken,
    stopped_by: Mutex<Option<TerminatedBy>>,
    running: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Bytes {
    stdin: AtomicU64,
    stdout: AtomicU64,
    stderr: AtomicU64,
}

/// What the pump needs to tell the story afterwards.
struct Story {
    gateway: Arc<Gateway>,
    context: Context,
    began: Instant,
}

impl Command {
    /// Sends what was permitted and begins to pump its output.
    ///
    /// In a task of its own: a client that goes away, or stops waiting, leaves no half-started command behind.
    pub(super) async fn start(start: Start, permit: Permit) -> Result<Arc<Self>, BackendError> {
        let limit = start.limit;
        let (sender, receiver) = oneshot::channel();
        let gateway = Arc::clone(&start.gateway);
        gateway.tasks.spawn(async move {
            if let Err(Ok(unwanted)) = sender.send(Self::begin(start, permit).await) {
                unwanted.terminate(TerminatedBy::Client);
            }
        });
        match tokio::time::timeout(limit, receiver).await {
            Ok(Ok(started)) => started,
            Ok(Err(_panicked)) => Err(BackendError::Closed),
            Err(_late) => Err(BackendError::TimedOut(Effect::Unknown)),
        }
    }

    async fn begin(start: Start, permit: Permit) -> Result<Arc<Self>, BackendError> {
        let Start { gateway, backend, id, limit: _ } = start;
        let takes_input = permit.takes_input();
        let mut story = Story { gateway, context: permit.context().clone(), began: Instant::now() };
        let running = match backend.start(permit).await {
            Ok(running) => running,
            Err(error) => return Err(story.not_started(error).await),
        };
        story.knows(&running, id);
        let command = Arc::new(Self {
            id,
            takes_input,
            control: running.control(),
            output: SharedOutput::new(id),
            bytes: Bytes::default(),
            stop: CancellationToken::new(),
            stopped_by: Mutex::default(),
            running: watch::Sender::new(true),
        });
        let gateway = Arc::clone(&story.gateway);
        gateway.tasks.spawn(Arc::clone(&command).pump(running, story));
        Ok(command)
    }

    /// The gateway's own id.
    #[must_use]
    pub fn id(&self) -> CommandId {
        self.id
    }

    /// Whether its rule lets input through.
    #[must_use]
    pub fn takes_input(&self) -> bool {
        self.takes_input
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        *self.running.borrow()
    }

    /// Whether it has ended and its client has all of its output, or it failed.
    #[must_use]
    pub fn is_fetched(&self) -> bool {
        !self.is_running() && self.output.is_fetched()
    }

    /// Waits until it has ended and that is written.
    pub async fn ended(&self) {
        // The sender lives as long as self.
        drop(self.running.subscribe().wait_for(|running| !running).await);
    }

    /// Waits for output until `deadline`.
    pub async fn fetch(&self, max_envelope: usize, deadline: Instant) -> Fetched {
        self.output.fetch(max_envelope, deadline).await
    }

    /// What was fetched last has been written to the client.
    pub fn acknowledge(&self) {
        self.output.acknowledge();
    }

    /// Passes input on. Its rule must let input through.
    ///
    /// # Errors
    /// When the target failed.
    pub async fn input(&self, data: Vec<u8>, end: bool) -> Result<(), BackendError> {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.control.input(data, end).await?;
        self.bytes.stdin.fetch_add(length, Ordering::Relaxed);
        Ok(())
    }

    /// Interrupts it, as Control-C does.
    ///
    /// # Errors
    /// When the target failed.
    pub async fn interrupt(&self, signal: SignalCode) -> Result<(), BackendError> {
        self.control.signal(signal).await
    }

    /// Stops it; the pump tells the target.
    pub fn terminate(&self, by: TerminatedBy) {
        self.stopped_by.lock().get_or_insert(by);
        self.stop.cancel();
    }

    async fn pump(self: Arc<Self>, mut running: Running, story: Story) {
        let _end = End(&self);
        let end = tokio::select! {
            end = self.poll(&mut running) => end,
            () = self.stop.cancelled() => Err(Ended::Terminated(self.stopped_by.lock().unwrap_or(TerminatedBy::Client))),
        };
        if let Err(ended) = end {
            self.output.fail(ended);
        }
        let told = running.end().await;
        let result = CommandResult {
            outcome: outcome(end, &told),
            stdin_bytes: self.bytes.stdin.load(Ordering::Relaxed),
            stdout_bytes: self.bytes.stdout.load(Ordering::Relaxed),
            stderr_bytes: self.bytes.stderr.load(Ordering::Relaxed),
            duration: story.began.elapsed(),
        };
        story.tell(result).await;
    }

    async fn poll(&self, running: &mut Running) -> Result<i32, Ended> {
        loop {
            self.output.room().await;
            let answer = match running.receive().await.map_err(Ended::Target)? {
                Received::Output(answer) => answer,
                Received::Nothing => continue,
            };
            for chunk in &answer.streams {
                let counter = if chunk.stream == "stderr" { &self.bytes.stderr } else { &self.bytes.stdout };
                counter.fetch_add(u64::try_from(chunk.data.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            let pushed = self.output.push(answer).map_err(|error| Ended::Target(BackendError::Invalid(error)))?;
            if let Some(exit_code) = pushed {
                return Ok(exit_code);
            }
        }
    }
}

/// Whatever becomes of the pump, a panic included: nobody waits for it any longer.
struct End<'a>(&'a Command);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.output.fail_unless_finished(Ended::Target(BackendError::Closed));
        self.0.running.send_replace(false);
    }
}

impl Story {
    fn knows(&mut self, running: &Running, id: CommandId) {
        self.context.shell =
            self.context.session.clone().map(|gateway| Ids { gateway, target: Some(running.shell_id().to_string()) });
        self.context.command = Some(Ids { gateway: id.to_string(), target: Some(running.id().to_string()) });
    }

    async fn not_started(self, error: BackendError) -> BackendError {
        let outcome = match (error, error.effect()) {
            (BackendError::Fault(code), _) => Outcome::Fault { code: code.0 },
            (_, Effect::NotDone) => Outcome::NotSent { why: why(error) },
            (_, Effect::Unknown) => Outcome::Unknown { why: why(error) },
        };
        let duration = self.began.elapsed();
        self.tell(CommandResult { outcome, stdin_bytes: 0, stdout_bytes: 0, stderr_bytes: 0, duration }).await;
        error
    }

    async fn tell(self, result: CommandResult) {
        self.gateway.metrics.result(&result.outcome);
        self.gateway.audit_after(Event::new(EventKind::Result(result), &self.context)).await;
    }
}

fn outcome(end: Result<i32, Ended>, told: &Result<(), BackendError>) -> Outcome {
    match (end, told) {
        (Ok(exit_code), _) => Outcome::Exit { exit_code: i64::from(exit_code) },
        (Err(Ended::Terminated(by)), Ok(())) => Outcome::Terminated { by },
        (Err(Ended::Terminated(_)), Err(error)) => Outcome::Unknown { why: why(*error) },
        (Err(Ended::Target(error)), _) => Outcome::Unknown { why: why(error) },
    }
}

fn why(error: BackendError) -> UnknownWhy {
    match error {
        BackendError::Unreachable | BackendError::Broken(_) => UnknownWhy::ConnectionLost,
        BackendError::Tls => UnknownWhy::CertificateRefused,
        BackendError::LoginRefused | BackendError::Lease(_) | BackendError::Login(_) => UnknownWhy::LoginRefused,
        BackendError::TimedOut(_) => UnknownWhy::Timeout,
        BackendError::Abandoned => UnknownWhy::Abandoned,
        BackendError::Invalid(_) | BackendError::Status(_) | BackendError::Mismatch | BackendError::Fault(_) => {
            UnknownWhy::Garbage
        }
        BackendError::Busy | BackendError::Closed => UnknownWhy::Internal,
    }
}
