//! What a target does in a pipeline, on its way to the client.

use super::asking::Questions;
use super::run::{End, Run, host_call};
use super::secure::resealed;
use super::text;
use crate::backend::{BackendError, PipelineControl, PipelineEvent, RunningPipeline, own_answer};
use crate::config::Endpoint;
use crate::enforce::pipeline::{ExitTail, Form, Shown};
use crate::recording::NotRecorded;
use parking_lot::Mutex;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{
    Answer, ErrorCategory, ErrorRecord, HostCall, HostMethod, HostResponse, HostResult, MessageType, Passage,
    PipelineState, RecordBody, Stated,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// Passes on what comes, and counts it.
pub(super) struct Passing<'r> {
    run: &'r Run,
    control: PipelineControl,
    questions: &'r Mutex<Questions>,
    form: Form,
    may_ask: bool,
    had_errors: bool,
    exit_told: AtomicBool,
    pub(super) output: u64,
    pub(super) other: u64,
}

/// Whether more comes.
enum Next {
    More,
    Ended(PipelineState),
}

impl<'r> Passing<'r> {
    pub(super) fn new(
        run: &'r Run,
        control: PipelineControl,
        questions: &'r Mutex<Questions>,
        (form, may_ask): (Form, bool),
    ) -> Self {
        Self {
            run,
            control,
            questions,
            form,
            may_ask,
            had_errors: false,
            exit_told: AtomicBool::new(false),
            output: 0,
            other: 0,
        }
    }

    /// Pulls until the end, asking the target for more only while the client has room.
    pub(super) async fn pump(&mut self, running: &mut RunningPipeline) -> End {
        let (front, id) = (&self.run.shell.front, self.run.pipeline.id());
        loop {
            front.room(id).await;
            let mut next = match running.next().await {
                Ok(event) => Some(event),
                Err(error) => return End::Target(error),
            };
            // All that came in one answer leaves together.
            while let Some(event) = next {
                match self.pass(event).await {
                    Ok(Next::More) => next = running.try_next(),
                    Ok(Next::Ended(state)) => return End::Stated(state),
                    Err(end) => return end,
                }
            }
            front.tell();
        }
    }

    async fn pass(&mut self, event: PipelineEvent) -> Result<Next, End> {
        match event {
            PipelineEvent::Record { kind, body } => self.record(kind, body).await?,
            PipelineEvent::HostCall(call) => self.call(call).await?,
            PipelineEvent::State(stated) => {
                let state = stated.state;
                self.state(stated).await?;
                if state.is_final() {
                    return Ok(Next::Ended(state));
                }
            }
        }
        Ok(Next::More)
    }

    async fn record(&mut self, kind: MessageType, body: RecordBody) -> Result<(), End> {
        let length = u64::try_from(body.as_bytes().len()).unwrap_or(u64::MAX);
        if kind == MessageType::PipelineOutput {
            self.output = self.output.saturating_add(length);
        } else {
            self.other = self.other.saturating_add(length);
        }
        self.had_errors |= kind == MessageType::ErrorRecord;
        let body = if body.has_secure() { self.resealed(&body).await? } else { body };
        let recording = &self.run.shell.recording;
        if recording.wants_bodies() {
            recording.record(self.run.command(), kind, &body).await.map_err(not_recorded)?;
        }
        let (front, id) = (&self.run.shell.front, self.run.pipeline.id());
        if kind == MessageType::PipelineOutput && self.shows_text() {
            let value = body.value().map_err(|error| End::Target(BackendError::Invalid(error)))?;
            for line in text::lines(&value) {
                front.record(id, kind, line);
            }
        } else {
            front.record(id, kind, body);
        }
        Ok(())
    }

    /// Whether the gateway makes text of objects, since the endpoint has nothing that does.
    fn shows_text(&self) -> bool {
        self.form.shown == Shown::Text && self.run.shell.target.endpoint == Endpoint::Restricted
    }

    /// SecureStrings are opened and sealed again under the client's key.
    async fn resealed(&self, body: &RecordBody) -> Result<RecordBody, End> {
        let value = body.value().map_err(|error| End::Target(BackendError::Invalid(error)))?;
        let value = self.for_client(&value).await?;
        Ok(RecordBody::encode(&value))
    }

    async fn for_client(&self, value: &Value) -> Result<Value, End> {
        let shell = &self.run.shell;
        if !super::secure::has_secure(value) {
            return Ok(value.clone());
        }
        let key = shell.key.agreed(&shell.front).await.ok_or_else(|| {
            let message = "the output holds a SecureString, and the client has sent no key to seal it under";
            End::Refused(error(message, "SekishoNoKey"))
        })?;
        // The target has it as soon as it has sent it, which is on another stream: it may not have been read yet.
        let targets = shell.backend.agree_on_key().await.map_err(End::Target)?;
        let sealed = resealed(value, &mut |sealed| key.seal(&targets.open(sealed)?));
        sealed.map_err(|error| End::Target(BackendError::Invalid(error)))
    }

    /// A call to the host: passed on, answered here, or refused by an answer.
    async fn call(&mut self, call: HostCall) -> Result<(), End> {
        let passage = call.method.passage();
        match passage {
            Passage::Shown | Passage::Ends => self.show(call).await,
            Passage::Asks if self.may_ask && self.run.has_host() => self.ask(&call).await,
            Passage::Asks | Passage::Known | Passage::Refused | Passage::Dropped => self.answer(&call).await,
        }
    }

    async fn show(&self, call: HostCall) -> Result<(), End> {
        if !self.run.has_host() || call.parameters.iter().any(super::secure::has_secure) {
            return Ok(());
        }
        // The first one counts: what stands behind a script that has told its own exit code knows less.
        if call.method == HostMethod::SetShouldExit && self.exit_told.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let call = host_call(call.method, call.parameters);
        let recording = &self.run.shell.recording;
        if recording.is_on() {
            recording.host_call(Some(self.run.command()), &call).await.map_err(not_recorded)?;
        }
        self.run.show(&call);
        Ok(())
    }

    async fn ask(&self, call: &HostCall) -> Result<(), End> {
        let plain = !call.parameters.iter().any(super::secure::has_secure);
        let question = if plain { self.questions.lock().ask(call) } else { None };
        let Some(question) = question else { return self.answer(call).await };
        let id = self.run.pipeline.id();
        let asked = self.run.shell.front.say(|machine| machine.host_call(Some(id), &question, Answer::Wanted));
        if asked.is_err() {
            self.questions.lock().withdraw(&question);
            return self.answer(call).await;
        }
        Ok(())
    }

    /// What is not passed on is answered all the same, so that no target waits.
    async fn answer(&self, call: &HostCall) -> Result<(), End> {
        let Some(result) = own_answer(&self.run.shell.window, call) else { return Ok(()) };
        let refused = matches!(result, HostResult::Error(_));
        if refused {
            tracing::info!(command = %self.run.command(), method = call.method.name(), "A target's question was refused");
        }
        let response = HostResponse { call: call.call, method: call.method, result };
        self.control.host_response(&response).await.map_err(End::Target)
    }

    async fn state(&mut self, stated: Stated<PipelineState>) -> Result<(), End> {
        if stated.state == PipelineState::Completed
            && let Some(code) = self.exit_code()
        {
            self.show(host_call(HostMethod::SetShouldExit, vec![Value::int(code)])).await?;
        }
        let error = match stated.error {
            Some(error) => Some(self.for_client(&error).await?),
            None => None,
        };
        if let Some(error) = &error {
            self.run.shell.recording.failed(self.run.command(), error).await.map_err(not_recorded)?;
        }
        let stated = Stated { state: stated.state, error };
        self.run.shell.front.state(self.run.pipeline.id(), &stated);
        Ok(())
    }

    /// The exit code that the client's own last line would have told.
    fn exit_code(&self) -> Option<i32> {
        match self.form.exit {
            ExitTail::None => None,
            // No program ran, so that there is no last exit code.
            ExitTail::LastExitCode => Some(0),
            ExitTail::WinRb => Some(i32::from(self.had_errors)),
        }
    }
}

fn not_recorded(not: NotRecorded) -> End {
    End::Refused(error(&not.to_string(), "SekishoNotRecorded"))
}

fn error(message: &str, id: &str) -> ErrorRecord {
    let category = ErrorCategory::ResourceUnavailable;
    ErrorRecord { message: message.to_owned(), id: id.to_owned(), category, about: String::new() }
}
