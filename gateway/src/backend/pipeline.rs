//! One pipeline on a target: started once, its events pulled, and ended.

use super::connection::Connection;
use super::error::{BackendError, Effect};
use super::link::{CLEANUP, ENVELOPE, for_cleaning_up};
use super::pool::{Of, TargetPool};
use crate::config::Endpoint;
use crate::enforce::Permit;
use crate::enforce::pipeline::Secrets;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::error::{Misuse, PeerMisbehaved};
use sekisho_protocol::psrp::{
    ClientEvent, CreatePipeline, HostCall, HostResponse, MessageType, PipelineState, PoolClient, RecordBody, Stated,
    Stream,
};
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CommandState, ReceiveResponse, RequestBody, ResponseBody, ShellId, SignalCode,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// How long a pipeline is silent before the pool's own stream is listened to as well.
const SILENCE: Duration = Duration::from_secs(1);

/// What a target did in a pipeline.
#[derive(Debug)]
pub enum PipelineEvent {
    /// Output or a record of a stream.
    Record {
        /// Which stream.
        kind: MessageType,
        /// As it came.
        body: RecordBody,
    },
    /// A call to the host.
    HostCall(HostCall),
    /// Its state. After a final one nothing follows.
    State(Stated<PipelineState>),
}

/// A pipeline that runs on a target. To be asked for events until its final state, and then ended.
#[derive(Debug)]
pub struct RunningPipeline {
    control: PipelineControl,
    connection: Option<Connection>,
    events: VecDeque<PipelineEvent>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// Its final state waits to be pulled, or was.
    Ended,
}

/// Speaks to one running pipeline while its events are waited for elsewhere.
#[derive(Debug, Clone)]
pub struct PipelineControl {
    pool: Arc<TargetPool>,
    shell: ShellId,
    pipeline: Uuid,
    command: CommandId,
}

impl TargetPool {
    /// Starts what was permitted, once: a permit is used up here.
    ///
    /// # Errors
    /// What went wrong; [`BackendError::effect`] says whether the target may have acted.
    pub async fn start(self: &Arc<Self>, permit: Permit, secrets: &Secrets) -> Result<RunningPipeline, BackendError> {
        let request = self.render(&permit, secrets).await?;
        let pipeline = Uuid::new_v4();
        let room = self.room();
        let first = self.with_machine(|machine| {
            machine.create_pipeline(pipeline, &request)?;
            Ok::<_, sekisho_protocol::Error>(machine.take_output(Some(pipeline), Stream::Main, room))
        });
        // A pool that is closed or broken takes nothing.
        let first = first.map_err(|_not_open| BackendError::Closed)?.unwrap_or_default();
        let line = CommandLine {
            command: " ".to_owned(),
            arguments: vec![STANDARD.encode(first)],
            command_id: Some(CommandId::new(pipeline)),
        };
        // An idle connection may have been closed by the target just now. Nothing has left then, and only then
        // is it tried again, on a new connection.
        let started = match self.try_start(&line).await {
            Err(BackendError::Broken(Effect::NotDone)) => self.try_start(&line).await,
            other => other,
        };
        let (shell, command, connection) =
            started.inspect_err(|_| self.with_machine(|machine| machine.forget(pipeline)))?;
        let control = PipelineControl { pool: Arc::clone(self), shell, pipeline, command };
        let running =
            RunningPipeline { control, connection: Some(connection), events: VecDeque::new(), phase: Phase::Running };
        // The pipeline runs when its last fragment is there.
        match self.flush(Of::Pipeline(pipeline, command), Stream::Main).await {
            Ok(()) => Ok(running),
            Err(error) => {
                let _told = running.end().await;
                Err(error)
            }
        }
    }

    /// What was permitted, for this target alone, its secrets sealed under the key that is agreed on with it.
    async fn render(self: &Arc<Self>, permit: &Permit, secrets: &Secrets) -> Result<CreatePipeline, BackendError> {
        let key = if secrets.is_empty() { None } else { Some(self.agree_on_key().await?) };
        let seal = |secret: &SecretText| match &key {
            Some(key) => key.seal(secret),
            None => Err(Misuse::WrongState.into()),
        };
        permit.pipeline(self.endpoint(), secrets, &seal).map_err(|_cannot| BackendError::Unsendable)
    }

    fn endpoint(&self) -> Endpoint {
        self.link.dialer().target().endpoint
    }

    async fn try_start(&self, line: &CommandLine) -> Result<(ShellId, CommandId, Connection), BackendError> {
        let shell = self.id().ok_or(BackendError::Closed)?;
        let mut connection = self.link.connection(self.link.patience()).await?;
        let body = RequestBody::Command(line.clone());
        let request = self.link.request(Action::Command, Some(shell), body, connection.url());
        match self.link.patient(connection.exchange(&request)).await {
            Ok(ResponseBody::Command { command_id }) => Ok((shell, command_id, connection)),
            Ok(_) => Err(BackendError::Mismatch),
            Err(error) => {
                self.link.give_back(connection);
                Err(error)
            }
        }
    }
}

impl RunningPipeline {
    /// The id that the target knows the pipeline by.
    #[must_use]
    pub fn id(&self) -> CommandId {
        self.control.command
    }

    /// The id that the target knows the shell by.
    #[must_use]
    pub fn shell_id(&self) -> ShellId {
        self.control.shell
    }

    /// Speaks to the pipeline from elsewhere.
    #[must_use]
    pub fn control(&self) -> PipelineControl {
        self.control.clone()
    }

    /// The next event, asking the target only when there is none left: who does not pull stops the target. Not
    /// repeated after an error, since output may be lost then; not to be dropped half-way for the same reason.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn next(&mut self) -> Result<PipelineEvent, BackendError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            if self.phase == Phase::Ended {
                return Err(BackendError::Closed);
            }
            let answer = self.receive().await?;
            self.take(answer)?;
        }
    }

    /// The next event that is here already.
    pub fn try_next(&mut self) -> Option<PipelineEvent> {
        self.events.pop_front()
    }

    async fn receive(&mut self) -> Result<Option<ReceiveResponse>, BackendError> {
        let PipelineControl { pool, shell, command, .. } = self.control.clone();
        let link = &pool.link;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => link.connection(for_cleaning_up()).await?,
        };
        let body = RequestBody::Receive { command_id: Some(command), streams: vec!["stdout".to_owned()] };
        let mut request = link.request(Action::Receive, Some(shell), body, connection.url());
        request.header.max_envelope_size = ENVELOPE;
        let answer = {
            let mut exchange = std::pin::pin!(connection.exchange(&request));
            tokio::select! {
                biased;
                answer = &mut exchange => answer,
                () = sleep(SILENCE) => {
                    pool.watch();
                    tokio::select! {
                        answer = exchange => answer,
                        () = pool.ended() => Err(BackendError::Closed),
                    }
                }
            }
        };
        self.connection = connection.usable().then_some(connection);
        match answer {
            Ok(ResponseBody::Receive(output)) if output.command_id == Some(command) => Ok(Some(output)),
            Ok(_) => Err(BackendError::Mismatch),
            Err(BackendError::Fault(FaultCode::TIMED_OUT)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn take(&mut self, answer: Option<ReceiveResponse>) -> Result<(), BackendError> {
        let Some(answer) = answer else { return Ok(()) };
        let pipeline = self.control.pipeline;
        let received = self.control.pool.with_machine(|machine| {
            for chunk in &answer.streams {
                machine.receive(Some(pipeline), &chunk.data)?;
            }
            Ok::<_, sekisho_protocol::Error>(std::iter::from_fn(|| machine.next_event()).collect::<Vec<_>>())
        });
        for event in received.map_err(BackendError::Invalid)? {
            match event {
                ClientEvent::Record { kind, body, .. } => self.events.push_back(PipelineEvent::Record { kind, body }),
                ClientEvent::HostCall { call, .. } => self.events.push_back(PipelineEvent::HostCall(call)),
                ClientEvent::State { stated, .. } => {
                    if stated.state.is_final() {
                        self.phase = Phase::Ended;
                    }
                    self.events.push_back(PipelineEvent::State(stated));
                }
                // None of a pipeline's stream.
                ClientEvent::PrivateData(_)
                | ClientEvent::Opened
                | ClientEvent::Closed(_)
                | ClientEvent::SessionKey(_)
                | ClientEvent::PublicKeyRequest => {}
            }
        }
        // A pipeline that is over has said how.
        match answer.state {
            Some(CommandState::Done { .. }) if self.phase == Phase::Running => {
                Err(BackendError::Invalid(PeerMisbehaved::OutOfOrder.into()))
            }
            Some(CommandState::Done { .. } | CommandState::Running | CommandState::Pending) | None => Ok(()),
        }
    }

    /// Tells the target to forget the pipeline, whether it has ended or not, and gives the connection back.
    ///
    /// # Errors
    /// When the target did not take it in time.
    pub async fn end(mut self) -> Result<(), BackendError> {
        let control = self.control.clone();
        if let Some(connection) = self.connection.take() {
            control.pool.link.give_back(connection);
        }
        control.pool.with_machine(|machine| machine.forget(control.pipeline));
        let signal = control.signal(SignalCode::Terminate);
        timeout(CLEANUP, signal).await.unwrap_or(Err(BackendError::TimedOut(Effect::Unknown)))
    }
}

impl PipelineControl {
    /// Sends an object to the pipeline. Never repeated; to one that has ended meanwhile nothing is sent.
    ///
    /// # Errors
    /// What went wrong; the object may have arrived all the same.
    pub async fn input(&self, value: &Value) -> Result<(), BackendError> {
        self.say(Stream::Main, |machine| machine.input(self.pipeline, value)).await
    }

    /// No object follows.
    ///
    /// # Errors
    /// As [`Self::input`].
    pub async fn end_of_input(&self) -> Result<(), BackendError> {
        self.say(Stream::Main, |machine| machine.end_of_input(self.pipeline)).await
    }

    /// Answers a call to the host.
    ///
    /// # Errors
    /// As [`Self::input`].
    pub async fn host_response(&self, response: &HostResponse) -> Result<(), BackendError> {
        self.say(Stream::PromptResponse, |machine| machine.host_response(Some(self.pipeline), response)).await
    }

    /// Asks the target to stop the pipeline, which says then that it was stopped.
    ///
    /// # Errors
    /// When the target did not take it.
    pub async fn stop(&self) -> Result<(), BackendError> {
        self.signal(SignalCode::PowerShellCtrlC).await
    }

    async fn signal(&self, signal: SignalCode) -> Result<(), BackendError> {
        let body = RequestBody::Signal { command_id: Some(self.command), signal };
        self.pool.link.ask(for_cleaning_up(), (Action::Signal, self.shell), body).await.map(drop)
    }

    /// The target may have ended the pipeline before it heard this: its final state waits to be told then.
    async fn say(
        &self,
        stream: Stream,
        what: impl FnOnce(&mut PoolClient) -> sekisho_protocol::Result<()>,
    ) -> Result<(), BackendError> {
        match self.pool.with_machine(what) {
            Ok(()) => self.pool.flush(Of::Pipeline(self.pipeline, self.command), stream).await,
            Err(sekisho_protocol::Error::Misuse(Misuse::WrongState)) => Ok(()),
            Err(error) => Err(BackendError::Invalid(error)),
        }
    }
}
