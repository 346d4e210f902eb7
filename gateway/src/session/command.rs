//! One command: started once, its output pumped from the target, its end audited.

use super::launch::Gate;
use super::output::{Buffer, Fetched, SharedOutput, Turn};
use super::story::{Story, outcome};
use crate::audit::{CommandResult, Outcome};
use crate::backend::{BackendError, Control, Effect, Received, Running, TargetShell};
use crate::enforce::Permit;
use crate::recording::Recording;
use crate::state::Gateway;
use crate::telemetry::RunningCommand;
use parking_lot::Mutex;
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::wsman::{CommandId, ReceiveResponse, SignalCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use super::launch::{Launch, NotLaunched};
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
pub struct Start {
    /// Audits and counts.
    pub gateway: Arc<Gateway>,
    /// Where it is to run.
    pub backend: Arc<TargetShell>,
    /// The gateway's own id.
    pub id: CommandId,
    /// How much output may wait.
    pub buffer: Buffer,
    /// Of its session.
    pub recording: Recording,
}

/// A command that was started.
#[derive(Debug)]
pub struct Command {
    id: CommandId,
    takes_input: bool,
    control: Control,
    envelope: usize,
    output: SharedOutput,
    bytes: Bytes,
    stop: CancellationToken,
    stopped_by: Mutex<Option<TerminatedBy>>,
    recording: Recording,
    running: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Bytes {
    stdin: AtomicU64,
    stdout: AtomicU64,
    stderr: AtomicU64,
}

impl Command {
    /// Sends what was permitted and begins to pump its output.
    ///
    /// In a task of its own: a client that goes away, or stops waiting, leaves no half-started command behind.
    #[must_use]
    pub fn launch(start: Start, permit: Permit) -> Launch {
        let gate = Arc::new(Gate::default());
        let (about_to_send, sending) = oneshot::channel();
        let (sender, launched) = oneshot::channel();
        let (gateway, passing) = (Arc::clone(&start.gateway), Arc::clone(&gate));
        let (id, recording) = (start.id, start.recording.clone());
        gateway.tasks.spawn(async move {
            let begun = Self::begin(start, permit, &passing, about_to_send).await;
            if let Err(not) = &begun {
                recording.ended(id, not.word()).await;
            }
            if let Err(Ok(unwanted)) = sender.send(begun) {
                unwanted.terminate(passing.given_up().unwrap_or(TerminatedBy::Client));
            }
        });
        Launch { gate, sending, launched }
    }

    async fn begin(
        start: Start,
        permit: Permit,
        gate: &Gate,
        about_to_send: oneshot::Sender<()>,
    ) -> Result<Arc<Self>, NotLaunched> {
        let Start { gateway, backend, id, buffer, recording } = start;
        let takes_input = permit.takes_input();
        let mut story = Story::new(gateway, permit.context().clone());
        let prepared = backend.prepare(&permit).await;
        match (prepared, gate.given_up()) {
            (Err(error), None) => return Err(story.not_started(error, Effect::NotDone).await),
            (Ok(()) | Err(_), Some(by)) => return Err(story.given_up(by).await),
            (Ok(()), None) => {}
        }
        // A change of the policy binds what was permitted before it and waited until now.
        if !story.is_current() {
            return Err(story.not_started(BackendError::Outdated, Effect::NotDone).await);
        }
        let recorded = recording.asked(id, &permit.transcript(story.gateway.audit.redactor())).await;
        if let Err(error) = recorded {
            return Err(story.not_started(BackendError::NotRecorded(error), Effect::NotDone).await);
        }
        if !gate.pass() {
            return Err(story.given_up(gate.given_up().unwrap_or(TerminatedBy::Client)).await);
        }
        // Nobody need be listening.
        let _ = about_to_send.send(());
        let running = match backend.start(permit).await {
            Ok(running) => running,
            Err(error) => return Err(story.not_started(error, error.effect()).await),
        };
        story.knows(id, running.shell_id(), running.id());
        let command = Arc::new(Self {
            id,
            takes_input,
            control: running.control(),
            envelope: buffer.envelope(),
            output: SharedOutput::new(id, buffer),
            bytes: Bytes::default(),
            stop: CancellationToken::new(),
            stopped_by: Mutex::default(),
            recording,
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

    /// Waits until it has ended, its target knows, and the line that says how is at least on its way.
    pub async fn ended(&self) {
        // The sender lives as long as self.
        drop(self.running.subscribe().wait_for(|running| !running).await);
    }

    /// Waits for output until `deadline`.
    pub async fn fetch(&self, max_envelope: usize, deadline: Instant) -> Fetched {
        self.output.fetch(max_envelope, deadline).await
    }

    /// What this fetch brought has been written to the client.
    pub fn acknowledge(&self, turn: Turn) {
        self.output.acknowledge(turn);
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
        let guard = End { command: &self, _running: story.gateway.metrics.running() };
        let end = tokio::select! {
            end = self.poll(&mut running) => end,
            () = self.stop.cancelled() => Err(Ended::Terminated(self.stopped_by.lock().unwrap_or(TerminatedBy::Client))),
        };
        match end {
            // How it ended is known, and the line that says so is on its way: nobody waits for the disk.
            Ok(_) => {
                let result = self.result(story.began, outcome(end, &Ok(())));
                self.recording.ended(self.id, &result.outcome.words()).await;
                let written = story.tell(result);
                let forgotten = async {
                    let told = running.end().await;
                    drop(guard);
                    told
                };
                // The line first: whoever hears that the command has ended may write the next one.
                let ((), told) = tokio::join!(biased; written, forgotten);
                if let Err(error) = told {
                    tracing::debug!(command = %self.id, %error, "The target was not told to forget a command");
                }
            }
            Err(ended) => {
                self.output.fail(ended);
                let told = running.end().await;
                let result = self.result(story.began, outcome(end, &told));
                self.recording.ended(self.id, &result.outcome.words()).await;
                story.tell(result).await;
            }
        }
    }

    fn result(&self, began: Instant, outcome: Outcome) -> CommandResult {
        CommandResult {
            outcome,
            stdin_bytes: self.bytes.stdin.load(Ordering::Relaxed),
            stdout_bytes: self.bytes.stdout.load(Ordering::Relaxed),
            stderr_bytes: self.bytes.stderr.load(Ordering::Relaxed),
            duration: began.elapsed(),
        }
    }

    async fn poll(&self, running: &mut Running) -> Result<i32, Ended> {
        loop {
            self.output.room().await;
            let answer = match running.receive(self.envelope).await.map_err(Ended::Target)? {
                Received::Output(answer) => answer,
                Received::Nothing => continue,
            };
            for chunk in &answer.streams {
                let counter = if chunk.stream == "stderr" { &self.bytes.stderr } else { &self.bytes.stdout };
                counter.fetch_add(u64::try_from(chunk.data.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            self.record(&answer).await?;
            let pushed = self.output.push(answer).map_err(|error| Ended::Target(BackendError::Invalid(error)))?;
            if let Some(exit_code) = pushed {
                return Ok(exit_code);
            }
        }
    }

    /// What cannot be recorded is not shown, and ends the command.
    async fn record(&self, answer: &ReceiveResponse) -> Result<(), Ended> {
        for chunk in &answer.streams {
            if let Some(stream) = Stream::of_name(&chunk.stream) {
                let recorded = self.recording.bytes(self.id, stream, &chunk.data).await;
                recorded.map_err(|_told| Ended::Terminated(TerminatedBy::Gateway))?;
            }
        }
        Ok(())
    }
}

/// Whatever becomes of the pump, a panic included: nobody waits for it any longer.
struct End<'a> {
    command: &'a Command,
    _running: RunningCommand,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.command.output.fail_unless_finished(Ended::Target(BackendError::Closed));
        self.command.running.send_replace(false);
    }
}
