//! One pipeline from its request to its end.

use super::asking::Questions;
use super::feeding::Feeding;
use super::passing::Passing;
use super::pipeline::{InboundQueue, Pipeline};
use super::{Caller, PoolShell};
use crate::audit::{CommandResult, Outcome, SessionEnd, TerminatedBy};
use crate::backend::{BackendError, Effect, RunningPipeline};
use crate::enforce::pipeline::{Asked, CommandQuery, ExitTail, Form, Local, PLAIN, Secrets, Shown, read};
use crate::enforce::{Ask, Asker, Permit, PipelineIds, Refusal, count, judge, refuse_unread};
use crate::session::command::Ended;
use crate::session::shell::presence;
use crate::session::story::{Story, outcome};
use crate::state::Gateway;
use crate::telemetry::RunningCommand;
use parking_lot::Mutex;
use sekisho_policy::Action;
use sekisho_protocol::clixml::{SecureText, Value};
use sekisho_protocol::psrp::{
    CommandKind, CreatePipeline, ErrorCategory, ErrorRecord, GetCommandMetadata, HostCall, HostMethod, MessageType,
    PipelineState, RecordBody, Stated,
};
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::wsman::CommandId;
use std::sync::Arc;

/// Characters of a command's name in an error.
const ABOUT: usize = 128;
/// `ci` of a call that wants no answer, as PowerShell writes it.
const NO_ANSWER: i64 = -100;

/// One pipeline that is complete, and what it needs.
pub(super) struct Run {
    pub(super) gateway: Arc<Gateway>,
    pub(super) shell: Arc<PoolShell>,
    pub(super) caller: Caller,
    pub(super) pipeline: Arc<Pipeline>,
    /// Whether there is anybody to show something to.
    pub(super) host: Host,
    pub(super) _counted: RunningCommand,
}

/// Whether a client has a host for a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    There,
    None,
}

/// How a pipeline ended that had been started.
pub(super) enum End {
    /// As the target says.
    Stated(PipelineState),
    /// Somebody stopped it.
    Terminated(TerminatedBy),
    /// The target failed.
    Target(BackendError),
    /// What came with it was refused, or it could not be recorded.
    Refused(ErrorRecord),
}

impl Run {
    /// Reads, judges and runs what a client asks for.
    pub(super) async fn pipeline(self, request: CreatePipeline, inbound: InboundQueue) {
        let _ended = HasEnded { shell: Arc::clone(&self.shell), pipeline: Arc::clone(&self.pipeline) };
        let mut secrets = Secrets::new();
        let about = about(&request);
        let asked = {
            let open = |sealed: &SecureText| self.shell.key.open(sealed);
            read(&request, presence(!request.no_input), &open, &mut secrets)
        };
        drop(request);
        match asked {
            Asked::Local { local, form } => self.local(&local, &form, about).await,
            Asked::Refused(unread) => {
                let refusal = refuse_unread(&self.gateway, self.asker(), self.ids(), &unread).await;
                self.refused(&refusal, about).await;
            }
            Asked::Judge { action, form } => Box::pin(self.judged((action, form), secrets, about, inbound)).await,
        }
    }

    /// Answers a question for commands from the policy.
    pub(super) async fn metadata(self, request: GetCommandMetadata, _inbound: InboundQueue) {
        let _ended = HasEnded { shell: Arc::clone(&self.shell), pipeline: Arc::clone(&self.pipeline) };
        let query = CommandQuery::from(request);
        self.local(&Local::Commands(query), &PLAIN, String::new()).await;
    }

    fn asker(&self) -> Asker<'_> {
        Asker { identity: &self.caller.identity, client: self.caller.client, target: &self.shell.target }
    }

    fn ids(&self) -> PipelineIds {
        PipelineIds { session: self.shell.session, command: self.command() }
    }

    /// The gateway's own id: the client's may come again.
    pub(super) fn command(&self) -> CommandId {
        self.pipeline.command()
    }

    /// What needs neither policy nor target: shown in the form that was asked for.
    async fn local(&self, local: &Local, form: &Form, about: String) {
        // A list of all commands is work; the rest is none, and comes before every line that somebody types.
        if let Local::Commands(_) = local
            && let Err(limited) = count(&self.gateway, self.asker(), self.ids()).await
        {
            return self.refused(&limited, about).await;
        }
        let front = &self.shell.front;
        let id = self.pipeline.id();
        let answers = super::local::answers(&self.gateway.live_full(), self.asker(), local);
        for line in answers.lines(form.shown) {
            match form.shown {
                Shown::Objects => {}
                Shown::Text => {
                    front.record(id, MessageType::PipelineOutput, RecordBody::encode(&Value::text(line)));
                }
                Shown::Host => front.show(id, &host_call(HostMethod::WriteLine2, vec![Value::text(line)])),
            }
        }
        if form.shown == Shown::Objects {
            for value in answers.output {
                front.record(id, MessageType::PipelineOutput, RecordBody::encode(&value));
            }
        }
        for error in answers.errors {
            match form.shown {
                Shown::Objects | Shown::Text => {
                    front.record(id, MessageType::ErrorRecord, RecordBody::encode(&error.encode()));
                }
                Shown::Host => {
                    front.show(id, &host_call(HostMethod::WriteErrorLine, vec![Value::text(error.message)]));
                }
            }
        }
        if let Some(call) = answers.call {
            self.show(&call);
        }
        front.state(id, &Stated { state: PipelineState::Completed, error: None });
    }

    async fn judged(&self, (action, form): (Action, Form), secrets: Secrets, about: String, inbound: InboundQueue) {
        let ids = self.ids();
        let asker = self.asker();
        let ask = Ask {
            identity: asker.identity,
            client: asker.client,
            target: asker.target,
            session: ids.session,
            command: ids.command,
            action: &action,
            form: &form,
        };
        let permit = match judge(&self.gateway, ask).await {
            Ok(permit) => permit,
            Err(refusal) => return self.refused(&refusal, about).await,
        };
        let story = Story::new(Arc::clone(&self.gateway), permit.context().clone());
        if let Err(error) =
            self.shell.recording.asked(ids.command, &permit.transcript(self.gateway.audit.redactor())).await
        {
            story.not_started(BackendError::NotRecorded(error), Effect::NotDone).await;
            return self.failed(record(error.to_string(), "SekishoNotRecorded", ErrorCategory::ResourceUnavailable));
        }
        self.started(permit, secrets, (story, inbound)).await;
    }

    async fn started(&self, permit: Permit, secrets: Secrets, (mut story, inbound): (Story, InboundQueue)) {
        if self.pipeline.is_stopped() {
            self.not_sent().await;
            story.given_up(TerminatedBy::Client).await;
            return self.say(PipelineState::Stopped, None);
        }
        if !story.is_current() {
            self.not_sent().await;
            story.not_started(BackendError::Outdated, Effect::NotDone).await;
            return self.target_failed(BackendError::Outdated, Effect::NotDone);
        }
        let may_ask = permit.may_ask();
        let mut form = permit.form().clone();
        if permit.target_tells_exit_code() {
            form.exit = ExitTail::None;
        }
        let running = match self.start(permit, secrets).await {
            Ok(running) => running,
            Err(error) => {
                let not = story.not_started(error, error.effect()).await;
                self.shell.recording.ended(self.command(), not.word()).await;
                self.target_failed(error, error.effect());
                return;
            }
        };
        story.knows(self.command(), running.shell_id(), running.id());
        self.pumped(running, (form, may_ask), (story, inbound)).await;
    }

    /// Starts what was permitted. Who ends the pipeline meanwhile does not wait for a target that hangs: whether it
    /// was started is unknown then, and it is ended as soon as that is known.
    async fn start(&self, permit: Permit, secrets: Secrets) -> Result<RunningPipeline, BackendError> {
        let backend = Arc::clone(&self.shell.backend);
        let mut starting = self.gateway.tasks.spawn(async move { backend.start(permit, &secrets).await });
        tokio::select! {
            biased;
            started = &mut starting => started.unwrap_or(Err(BackendError::Abandoned)),
            _by = self.pipeline.killed() => {
                self.gateway.tasks.spawn(async move {
                    if let Ok(Ok(unwanted)) = starting.await {
                        let _told = unwanted.end().await;
                    }
                });
                Err(BackendError::Abandoned)
            }
        }
    }

    async fn pumped(
        &self,
        mut running: RunningPipeline,
        (form, may_ask): (Form, bool),
        (story, mut inbound): (Story, InboundQueue),
    ) {
        let questions = Mutex::new(Questions::default());
        let control = running.control();
        let mut passing = Passing::new(self, control.clone(), &questions, (form, may_ask));
        let mut feeding = Feeding { run: self, control: &control, questions: &questions, bytes: 0 };
        let end = tokio::select! {
            biased;
            end = passing.pump(&mut running) => end,
            end = feeding.feed(&mut inbound) => end,
            by = self.pipeline.killed() => End::Terminated(by),
        };
        let (output, other, input) = (passing.output, passing.other, feeding.bytes);
        self.finish(running, end, story, [input, output, other]).await;
    }

    /// Tells the client how it ended, the target to forget it, and the audit log both.
    async fn finish(&self, running: RunningPipeline, end: End, story: Story, bytes: [u64; 3]) {
        let began = story.began;
        let result = |outcome| {
            let [stdin_bytes, stdout_bytes, stderr_bytes] = bytes;
            CommandResult { outcome, stdin_bytes, stdout_bytes, stderr_bytes, duration: began.elapsed() }
        };
        let ended = match end {
            // The client knows already. The line first: who hears that it has ended may write the next one.
            End::Stated(state) => {
                let outcome = stated(state);
                self.recorded_end(&outcome).await;
                let written = story.tell(result(outcome));
                let ((), told) = tokio::join!(biased; written, running.end());
                if let Err(error) = told {
                    tracing::debug!(command = %self.command(), %error, "The target was not told to forget a pipeline");
                }
                return;
            }
            End::Terminated(by) => {
                self.say(PipelineState::Stopped, None);
                Ended::Terminated(by)
            }
            End::Target(error) => {
                self.target_failed(error, Effect::Unknown);
                Ended::Target(error)
            }
            End::Refused(record) => {
                self.failed(record);
                Ended::Terminated(TerminatedBy::Gateway)
            }
        };
        let told = running.end().await;
        let outcome = outcome(Err(ended), &told);
        self.recorded_end(&outcome).await;
        story.tell(result(outcome)).await;
    }

    async fn not_sent(&self) {
        self.shell.recording.ended(self.command(), "not_sent").await;
    }

    async fn recorded_end(&self, outcome: &Outcome) {
        if self.shell.recording.is_on() {
            self.shell.recording.ended(self.command(), &outcome.words()).await;
        }
    }

    async fn refused(&self, refusal: &Refusal, about: String) {
        let message = refusal.to_string();
        self.shell.recording.refused(self.command(), &message).await;
        let (id, category) = match refusal {
            Refusal::Denied { .. } => ("SekishoPolicyDenied", ErrorCategory::PermissionDenied),
            Refusal::Limited(_) => ("SekishoLimited", ErrorCategory::ResourceUnavailable),
            Refusal::NotAudited { .. } => ("SekishoNotAudited", ErrorCategory::ResourceUnavailable),
        };
        self.failed(ErrorRecord { message, id: id.to_owned(), category, about });
    }

    fn target_failed(&self, error: BackendError, effect: Effect) {
        let what_now = match effect {
            Effect::NotDone => "nothing was run",
            Effect::Unknown => "what became of it is unknown: look at the target before you try again",
        };
        let message = format!("{error}; {what_now}");
        self.failed(record(message, "SekishoTargetFailed", ErrorCategory::ResourceUnavailable));
        // What such a target says next cannot be told apart from what it does not say.
        let gone = BackendError::Fault(FaultCode::UNEXPECTED_SELECTORS);
        if matches!(error, BackendError::Invalid(_) | BackendError::Mismatch) || error == gone {
            self.shell.break_off(&self.gateway, SessionEnd::Target);
        }
    }

    fn failed(&self, record: ErrorRecord) {
        self.say(PipelineState::Failed, Some(record.encode()));
    }

    fn say(&self, state: PipelineState, error: Option<Value>) {
        self.shell.front.state(self.pipeline.id(), &Stated { state, error });
    }

    pub(super) fn has_host(&self) -> bool {
        self.host == Host::There
    }

    pub(super) fn show(&self, call: &HostCall) {
        if self.has_host() {
            self.shell.front.show(self.pipeline.id(), call);
        }
    }
}

/// Whatever becomes of a pipeline, a panic included: its client is told an end, and nobody waits for it any longer.
struct HasEnded {
    shell: Arc<PoolShell>,
    pipeline: Arc<Pipeline>,
}

impl Drop for HasEnded {
    fn drop(&mut self) {
        self.pipeline.has_ended();
        // Heeded only when no end was told before, and not by another pipeline that has the id by now.
        if !self.shell.is_here(&self.pipeline) {
            return;
        }
        let record = record("the gateway failed".to_owned(), "SekishoFailed", ErrorCategory::ResourceUnavailable);
        let stated = Stated { state: PipelineState::Failed, error: Some(record.encode()) };
        self.shell.front.state(self.pipeline.id(), &stated);
    }
}

fn stated(state: PipelineState) -> Outcome {
    match state {
        PipelineState::Completed => Outcome::Completed,
        PipelineState::Stopped => Outcome::Stopped,
        PipelineState::Failed | PipelineState::Running | PipelineState::Stopping | PipelineState::Disconnected => {
            Outcome::Failed
        }
    }
}

fn record(message: String, id: &str, category: ErrorCategory) -> ErrorRecord {
    ErrorRecord { message, id: id.to_owned(), category, about: String::new() }
}

/// What an error is about: the first command, by the name that the client gave it.
fn about(request: &CreatePipeline) -> String {
    match request.commands.first() {
        Some(command) if command.kind == CommandKind::Name => command.name.chars().take(ABOUT).collect(),
        Some(_) | None => String::new(),
    }
}

pub(super) fn host_call(method: HostMethod, parameters: Vec<Value>) -> HostCall {
    HostCall { call: NO_ANSWER, method, parameters }
}
