//! A command or script of PowerShell's on one target of a job, from its permit to its end.

use super::errand::{Errand, Interrupted};
use super::ledger::Report;
use super::outcome::Outcome;
use super::records::{self, Shown};
use crate::audit::{CommandResult, Outcome as Audited};
use crate::backend::{
    BackendError, Dialer, Effect as Done, PipelineEvent, PoolOpening, Reserved, RunningPipeline, TargetPool, own_answer,
};
use crate::enforce::Permit;
use crate::enforce::pipeline::Secrets;
use crate::recording::{NotRecorded, Recording};
use crate::session::{Ended, Story, TerminatedBy, outcome};
use crate::telemetry::RunningCommand;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::job::{Effect, PipelineEnd, RecordStream, RecordText};
use sekisho_protocol::psrp::{
    HostCall, HostMethod, HostResponse, HostWindow, MessageType, Passage, PipelineState, RecordBody, Stated,
};
use sekisho_protocol::wsman::CommandId;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// What a pipeline needs besides its permit.
pub(super) struct Beginning {
    pub(super) dialer: Arc<Dialer>,
    pub(super) reserved: Reserved,
    pub(super) id: CommandId,
}

/// What is left of a pipeline when its outcome is known.
pub(super) struct LeftPipeline {
    pool: Option<Arc<TargetPool>>,
    started: Option<Started>,
}

/// A pipeline that was started, and perhaps runs.
struct Started {
    /// Nothing when it was given up before its target had answered.
    running: Option<RunningPipeline>,
    /// Nothing when its end was written.
    unwritten: Option<(Story, Ended)>,
    recording: Recording,
    id: CommandId,
    bytes: Bytes,
    _counted: RunningCommand,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bytes {
    output: u64,
    other: u64,
}

/// How a pipeline ended that had been started.
enum End {
    Stated(PipelineState),
    Failed(Ended),
}

/// Passes on what comes, and remembers what the outcome rests on.
struct Passing<'e> {
    errand: &'e Errand<'e>,
    recording: Recording,
    id: CommandId,
    window: HostWindow,
    bytes: Bytes,
    had_errors: bool,
    exit_code: Option<i32>,
}

impl Errand<'_> {
    /// Opens a pool, runs what was permitted in it, and passes on what comes.
    pub(super) async fn pipeline(&self, beginning: Beginning, permit: Permit) -> (Outcome, LeftPipeline) {
        let Beginning { dialer, reserved, id } = beginning;
        let story = Story::new(Arc::clone(&self.job.gateway), permit.context().clone());
        let window = HostWindow::default();
        let configuration = dialer.target().configurations.first().cloned().unwrap_or_default();
        let opening = PoolOpening { configuration, window: window.clone() };
        let principal = self.job.caller.identity.principal.clone();
        let pool = match TargetPool::reserved(dialer, principal, opening, reserved, self.patience()) {
            Ok(pool) => pool,
            Err(error) => {
                let left = LeftPipeline { pool: None, started: None };
                return (story.not_started(error, Done::NotDone).await.into(), left);
            }
        };
        let passing = Passing {
            errand: self,
            recording: self.recording(),
            id,
            window,
            bytes: Bytes::default(),
            had_errors: false,
            exit_code: None,
        };
        let (outcome, started) = passing.run(&pool, permit, story).await;
        (outcome, LeftPipeline { pool: Some(pool), started })
    }
}

impl Passing<'_> {
    async fn run(mut self, pool: &Arc<TargetPool>, permit: Permit, story: Story) -> (Outcome, Option<Started>) {
        let mut interrupted = std::pin::pin!(self.errand.interrupted());
        let opened = tokio::select! {
            biased;
            interrupted = &mut interrupted => Err(interrupted),
            opened = pool.open() => Ok(opened),
        };
        match opened {
            Ok(Ok(_private_data)) => {}
            // The pool may have been opened; the command was not sent for certain.
            Ok(Err(error)) => return (story.not_started(error, Done::NotDone).await.into(), None),
            Err(interrupted) => {
                story.given_up(interrupted.by()).await;
                return (interrupted.outcome(Effect::NothingRan), None);
            }
        }
        // A change of the policy binds what was permitted before it and waited until now.
        if !story.is_current() {
            return (story.not_started(BackendError::Outdated, Done::NotDone).await.into(), None);
        }
        let transcript = permit.transcript(story.gateway.audit.redactor());
        if let Err(error) = self.recording.asked(self.id, &transcript).await {
            return (story.not_started(BackendError::NotRecorded(error), Done::NotDone).await.into(), None);
        }
        self.start(pool, permit, story, interrupted).await
    }

    async fn start(
        &mut self,
        pool: &Arc<TargetPool>,
        permit: Permit,
        mut story: Story,
        mut interrupted: Pin<&mut impl Future<Output = Interrupted>>,
    ) -> (Outcome, Option<Started>) {
        let counted = story.gateway.metrics.running();
        story.began = Instant::now();
        let sent = AtomicBool::new(false);
        let started = tokio::select! {
            biased;
            interrupted = &mut interrupted => Err(interrupted),
            started = self.send(pool, permit, &story, &sent) => Ok(started),
        };
        match started {
            Ok(Ok(running)) => self.attend((running, counted), story, interrupted).await,
            Ok(Err(error)) => {
                let not = story.not_started(error, error.effect()).await;
                self.recording.ended(self.id, not.word()).await;
                (not.into(), None)
            }
            Err(interrupted) if sent.load(Ordering::Relaxed) => {
                let ended = Ended::Terminated(interrupted.by());
                let started = self.left(None, Some((story, ended)), counted);
                (interrupted.outcome(Effect::Unknown), Some(started))
            }
            Err(interrupted) => {
                let not = story.given_up(interrupted.by()).await;
                self.recording.ended(self.id, not.word()).await;
                (interrupted.outcome(Effect::NothingRan), None)
            }
        }
    }

    async fn attend(
        &mut self,
        (mut running, counted): (RunningPipeline, RunningCommand),
        mut story: Story,
        interrupted: Pin<&mut impl Future<Output = Interrupted>>,
    ) -> (Outcome, Option<Started>) {
        story.knows(self.id, running.shell_id(), running.id());
        let end = tokio::select! {
            biased;
            interrupted = interrupted => Err(interrupted),
            end = self.pump(&mut running) => Ok(end),
        };
        let (outcome, unwritten) = match end {
            Ok(End::Stated(state)) => (self.ended(state, story).await, None),
            Ok(End::Failed(ended)) => (ended.into(), Some((story, ended))),
            Err(interrupted) => {
                (interrupted.outcome(Effect::Unknown), Some((story, Ended::Terminated(interrupted.by()))))
            }
        };
        (outcome, Some(self.left(Some(running), unwritten, counted)))
    }

    /// Says that it is about to be sent, and sends it: a client that does not read keeps it from being sent.
    async fn send(
        &self,
        pool: &Arc<TargetPool>,
        permit: Permit,
        story: &Story,
        sent: &AtomicBool,
    ) -> Result<RunningPipeline, BackendError> {
        self.errand.report(Report::Started { index: self.errand.index }).await;
        // So long as a client does not read, the policy may change.
        if !story.is_current() {
            return Err(BackendError::Outdated);
        }
        sent.store(true, Ordering::Relaxed);
        pool.start(permit, &Secrets::new()).await
    }

    fn left(
        &self,
        running: Option<RunningPipeline>,
        unwritten: Option<(Story, Ended)>,
        counted: RunningCommand,
    ) -> Started {
        let recording = self.recording.clone();
        Started { running, unwritten, recording, id: self.id, bytes: self.bytes, _counted: counted }
    }

    /// Writes how it ended before anybody is told, so that who hears of it may write the next line.
    async fn ended(&self, state: PipelineState, story: Story) -> Outcome {
        let (state, audited) = match state {
            PipelineState::Completed => (PipelineEnd::Completed, Audited::Completed),
            PipelineState::Stopped => (PipelineEnd::Stopped, Audited::Stopped),
            PipelineState::Failed | PipelineState::Running | PipelineState::Stopping | PipelineState::Disconnected => {
                (PipelineEnd::Failed, Audited::Failed)
            }
        };
        self.recording.ended(self.id, &audited.words()).await;
        let result = result(audited, self.bytes, story.began);
        let duration = result.duration;
        story.tell(result).await;
        let with_errors = i32::from(self.had_errors || state != PipelineEnd::Completed);
        let exit_code = self.exit_code.filter(|code| *code != 0).unwrap_or(with_errors);
        Outcome::Finished { exit_code, state: Some(state), duration }
    }

    /// Pulls until the end. A client that does not read lets the target wait: nothing is pulled before what came is
    /// on its way.
    async fn pump(&mut self, running: &mut RunningPipeline) -> End {
        let control = running.control();
        loop {
            let event = match running.next().await {
                Ok(event) => event,
                Err(error) => return End::Failed(Ended::Target(error)),
            };
            let passed = match event {
                PipelineEvent::Record { kind, body } => self.record(kind, body).await,
                PipelineEvent::HostCall(call) => match self.call(&call).await {
                    Ok(Some(response)) => control.host_response(&response).await.map_err(Ended::Target),
                    Ok(None) => Ok(()),
                    Err(ended) => Err(ended),
                },
                PipelineEvent::State(stated) => match self.state(stated).await {
                    Ok(Some(state)) => return End::Stated(state),
                    Ok(None) => Ok(()),
                    Err(ended) => Err(ended),
                },
            };
            if let Err(ended) = passed {
                return End::Failed(ended);
            }
        }
    }

    async fn record(&mut self, kind: MessageType, body: RecordBody) -> Result<(), Ended> {
        let length = u64::try_from(body.as_bytes().len()).unwrap_or(u64::MAX);
        let Some(stream) = records::stream(kind) else { return Ok(()) };
        let bytes = &mut self.bytes;
        let counter = if stream == RecordStream::Output { &mut bytes.output } else { &mut bytes.other };
        *counter = counter.saturating_add(length);
        self.had_errors |= stream == RecordStream::Error;
        let body = records::without_secrets(body).map_err(invalid)?;
        if self.recording.wants_bodies() {
            self.recording.record(self.id, kind, &body).await.map_err(not_recorded)?;
        }
        self.tell(stream, records::clixml(&body).map_err(invalid)?).await;
        Ok(())
    }

    /// What is shown is passed on as text, where no record says the same; what asks is answered here.
    async fn call(&mut self, call: &HostCall) -> Result<Option<HostResponse>, Ended> {
        match call.method.passage() {
            Passage::Shown => self.show(call).await.map(|()| None),
            Passage::Ends => {
                if call.method == HostMethod::SetShouldExit {
                    self.exit_code = records::exit_code(call);
                }
                Ok(None)
            }
            Passage::Asks | Passage::Known | Passage::Refused | Passage::Dropped => {
                let result = own_answer(&self.window, call);
                Ok(result.map(|result| HostResponse { call: call.call, method: call.method, result }))
            }
        }
    }

    async fn show(&self, call: &HostCall) -> Result<(), Ended> {
        let text = match records::shown(call) {
            Shown::Text(text) => text,
            Shown::AsRecord | Shown::Nothing => return Ok(()),
        };
        if self.recording.is_on() {
            self.recording.host_call(Some(self.id), call).await.map_err(not_recorded)?;
        }
        let body = RecordBody::encode(&Value::text(text));
        self.tell(RecordStream::Host, records::clixml(&body).map_err(invalid)?).await;
        Ok(())
    }

    /// The state if it is final. The error by which a pipeline failed is a record like any other.
    async fn state(&mut self, stated: Stated<PipelineState>) -> Result<Option<PipelineState>, Ended> {
        if let Some(error) = &stated.error {
            let error = RecordBody::encode(&records::value_without_secrets(error));
            self.had_errors = true;
            self.recording.record(self.id, MessageType::ErrorRecord, &error).await.map_err(not_recorded)?;
            self.tell(RecordStream::Error, records::clixml(&error).map_err(invalid)?).await;
        }
        Ok(stated.state.is_final().then_some(stated.state))
    }

    async fn tell(&self, stream: RecordStream, clixml: &str) {
        let mut parts = RecordText::parts(clixml).peekable();
        while let Some(part) = parts.next() {
            let (clixml, more) = (RecordText(part.to_owned()), parts.peek().is_some());
            let index = self.errand.index;
            self.errand.report(Report::Record { index, stream, clixml, more }).await;
        }
    }
}

impl LeftPipeline {
    /// Tells the target to forget it, and writes its end where that was not done; then the pool is closed.
    pub(super) async fn close(self) {
        let Self { pool, started } = self;
        let mut untold = None;
        if let Some(Started { running, unwritten, recording, id, bytes, _counted }) = started {
            let told = match running {
                Some(running) => Some(running.end().await),
                None => None,
            };
            match (unwritten, told) {
                (Some((story, ended)), Some(told)) => write_end(story, ended, &told, (&recording, id, bytes)).await,
                // It ends with its pool.
                (Some((story, ended)), None) => untold = Some((story, ended, recording, id, bytes)),
                (None, Some(Err(error))) => {
                    tracing::debug!(command = %id, %error, "The target was not told to forget a pipeline");
                }
                (None, Some(Ok(())) | None) => {}
            }
        }
        let closed = match &pool {
            Some(pool) => pool.close().await,
            None => Ok(()),
        };
        if let Some((story, ended, recording, id, bytes)) = untold {
            write_end(story, ended, &closed, (&recording, id, bytes)).await;
        }
        if let Err(error) = closed {
            tracing::info!(%error, "The pool of a job could not be closed at its target");
        }
    }
}

async fn write_end(
    story: Story,
    ended: Ended,
    told: &Result<(), BackendError>,
    (recording, id, bytes): (&Recording, CommandId, Bytes),
) {
    let outcome = outcome(Err(ended), told);
    recording.ended(id, &outcome.words()).await;
    let result = result(outcome, bytes, story.began);
    story.tell(result).await;
}

fn result(outcome: Audited, bytes: Bytes, began: Instant) -> CommandResult {
    let Bytes { output, other } = bytes;
    CommandResult { outcome, stdin_bytes: 0, stdout_bytes: output, stderr_bytes: other, duration: began.elapsed() }
}

fn invalid(error: sekisho_protocol::Error) -> Ended {
    Ended::Target(BackendError::Invalid(error))
}

/// What cannot be recorded is not shown, and ends the pipeline.
fn not_recorded(_told: NotRecorded) -> Ended {
    Ended::Terminated(TerminatedBy::Gateway)
}
