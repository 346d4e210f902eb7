//! A client of PowerShell remoting over HTTP: the protocol's own machine where it is to be right, bytes where not.

use super::{Raw, Remote};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{
    Argument, ClientEvent, Command, CreatePipeline, HostCall, HostInfo, HostMethod, HostResponse, HostResult,
    InitRunspacePool, MessageType, PipelineState, PoolClient, Stated, Stream,
};
use sekisho_protocol::soap::{FaultCode, PeerFault};
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CommandState, CreateShell, ReceiveResponse, RequestBody, Resource, ResponseBody,
    SendStream, ShellId, SignalCode, WsmanOption,
};
use std::time::Duration;
use uuid::Uuid;

/// The session configuration that is served.
pub(super) const CONFIGURATION: &str = "Microsoft.PowerShell";
/// The size of envelope unless a test says otherwise.
const ENVELOPE: usize = 512_000;
/// What comes of one request.
pub(super) type Answer = Result<ResponseBody, PeerFault>;

/// One pool.
pub(super) struct Client {
    pub(super) raw: Raw,
    pub(super) machine: PoolClient,
    pub(super) pool: Uuid,
    pub(super) envelope: usize,
    /// What the pool itself was told.
    pub(super) events: Vec<ClientEvent>,
}

/// What came of one pipeline.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) records: Vec<(MessageType, Value)>,
    pub(super) calls: Vec<HostCall>,
    pub(super) ended: Option<Stated<PipelineState>>,
}

impl Ran {
    pub(super) fn of(&self, kind: MessageType) -> Vec<&Value> {
        self.records.iter().filter(|(known, _)| *known == kind).map(|(_, value)| value).collect()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        let text = |value: &Value| {
            if let Value::Text(text) = value {
                return text.clone();
            }
            if let Value::Integer(integer) = value {
                return integer.value.to_string();
            }
            value.as_object().unwrap().shown.clone().unwrap_or_default()
        };
        self.of(MessageType::PipelineOutput).into_iter().map(text).collect()
    }

    pub(super) fn methods(&self) -> Vec<HostMethod> {
        self.calls.iter().map(|call| call.method).collect()
    }

    pub(super) fn state(&self) -> PipelineState {
        self.ended.as_ref().unwrap().state
    }

    /// Id and message of the error that ended it.
    pub(super) fn failure(&self) -> (String, String) {
        let record = self.ended.as_ref().unwrap().error.as_ref().expect("it did not fail");
        let object = record.as_object().unwrap();
        let Some(Value::Text(id)) = object.member("FullyQualifiedErrorId") else { panic!() };
        (id.clone(), object.shown.clone().unwrap())
    }
}

pub(super) fn named(name: &str, value: Value) -> Argument {
    Argument { name: Some(name.to_owned()), value }
}

pub(super) fn alone(value: Value) -> Argument {
    Argument { name: None, value }
}

pub(super) fn text(value: &str) -> Value {
    Value::text(value)
}

pub(super) fn command(name: &str, arguments: Vec<Argument>) -> Command {
    Command::new(name, arguments)
}

pub(super) fn pipeline(commands: Vec<Command>) -> CreatePipeline {
    CreatePipeline::of_statements(vec![commands])
}

pub(super) fn host() -> HostInfo {
    HostInfo { no_host: false, no_ui: false, no_raw_ui: false, pool_host: false, defaults: None }
}

/// What a Create carries.
pub(super) fn opening(pool: Uuid, host: HostInfo) -> (PoolClient, Vec<u8>) {
    let init = InitRunspacePool { min: 1, max: 1, host };
    let mut machine = PoolClient::new(pool, &init, 16_000).unwrap();
    let creation = machine.take_output(None, Stream::Main, usize::MAX).unwrap();
    assert!(machine.take_output(None, Stream::Main, usize::MAX).is_none());
    (machine, creation)
}

pub(super) fn create(pool: Uuid, creation: &[u8]) -> RequestBody {
    RequestBody::Create(CreateShell {
        shell_id: Some(ShellId::new(pool)),
        creation_xml: Some(STANDARD.encode(creation)),
        input_streams: vec!["stdin".to_owned(), "pr".to_owned()],
        output_streams: vec!["stdout".to_owned()],
        ..CreateShell::default()
    })
}

impl Client {
    pub(super) async fn open(remote: &Remote, user: &str) -> Self {
        Self::open_with(remote, user, (host(), ENVELOPE)).await.unwrap()
    }

    /// Opens a pool. What the gateway answers to the Create is the outcome.
    pub(super) async fn open_with(
        remote: &Remote,
        user: &str,
        (host, envelope): (HostInfo, usize),
    ) -> Result<Self, PeerFault> {
        let mut raw = remote.connection(user).await;
        let pool = Uuid::new_v4();
        let (machine, creation) = opening(pool, host);
        let created = raw.powershell(Action::Create, None, envelope, create(pool, &creation)).await?;
        let ResponseBody::Created(details) = created else { panic!("{created:?}") };
        assert_eq!(details.shell_id.uuid(), pool);
        let mut client = Self { raw, machine, pool, envelope, events: Vec::new() };
        while !client.events.contains(&ClientEvent::Opened) {
            client.receive_pool().await?;
        }
        Ok(client)
    }

    pub(super) async fn ask(&mut self, action: Action, body: RequestBody) -> Answer {
        self.raw.powershell(action, Some(ShellId::new(self.pool)), self.envelope, body).await
    }

    /// A Command with these bytes.
    pub(super) async fn command(&mut self, id: Uuid, piece: &[u8]) -> Answer {
        let arguments = vec![STANDARD.encode(piece)];
        let line = CommandLine { command: String::new(), arguments, command_id: Some(CommandId::new(id)) };
        self.ask(Action::Command, RequestBody::Command(line)).await
    }

    /// A Send with these bytes.
    pub(super) async fn send(&mut self, of: Option<Uuid>, stream: Stream, data: &[u8]) -> Answer {
        let name = match stream {
            Stream::Main => "stdin",
            Stream::PromptResponse => "pr",
        };
        let sent =
            SendStream { stream: name.to_owned(), command_id: of.map(CommandId::new), end: false, data: data.to_vec() };
        self.ask(Action::Send, RequestBody::Send(vec![sent])).await
    }

    pub(super) async fn signal(&mut self, id: Uuid, signal: SignalCode) -> Answer {
        self.ask(Action::Signal, RequestBody::Signal { command_id: Some(CommandId::new(id)), signal }).await
    }

    /// One Receive, not given to the machine.
    pub(super) async fn poll(&mut self, of: Option<Uuid>) -> Result<ReceiveResponse, PeerFault> {
        let body = RequestBody::Receive { command_id: of.map(CommandId::new), streams: vec!["stdout".to_owned()] };
        let answer = self.ask(Action::Receive, body).await?;
        let ResponseBody::Receive(response) = answer else { panic!("{answer:?}") };
        Ok(response)
    }

    pub(super) async fn receive_pool(&mut self) -> Result<(), PeerFault> {
        let response = self.poll(None).await?;
        assert_eq!((response.command_id, response.state), (None, None));
        for chunk in response.streams {
            self.machine.receive(None, &chunk.data).unwrap();
        }
        self.events.extend(std::iter::from_fn(|| self.machine.next_event()));
        Ok(())
    }

    /// Sends what the machine has.
    pub(super) async fn flush(&mut self, of: Option<Uuid>) {
        for stream in [Stream::Main, Stream::PromptResponse] {
            while let Some(data) = self.machine.take_output(of, stream, 100_000) {
                self.send(of, stream, &data).await.unwrap();
            }
        }
    }

    pub(super) async fn start(&mut self, request: &CreatePipeline) -> Uuid {
        let id = Uuid::new_v4();
        self.machine.create_pipeline(id, request).unwrap();
        let first = self.machine.take_output(Some(id), Stream::Main, 100_000).unwrap();
        let started = self.command(id, &first).await;
        assert_eq!(started, Ok(ResponseBody::Command { command_id: CommandId::new(id) }));
        self.flush(Some(id)).await;
        id
    }

    /// One Receive of a pipeline: whether it was the last.
    pub(super) async fn receive(&mut self, id: Uuid, ran: &mut Ran) -> Result<bool, PeerFault> {
        let response = self.poll(Some(id)).await?;
        assert_eq!(response.command_id, Some(CommandId::new(id)));
        for chunk in response.streams {
            assert_eq!(chunk.stream, "stdout");
            self.machine.receive(Some(id), &chunk.data).unwrap();
        }
        while let Some(event) = self.machine.next_event() {
            match event {
                ClientEvent::Record { kind, body, .. } => ran.records.push((kind, body.value().unwrap())),
                ClientEvent::State { stated, .. } => ran.ended = Some(stated),
                ClientEvent::HostCall { id: Some(_), call } => ran.calls.push(call),
                other @ (ClientEvent::PrivateData(_)
                | ClientEvent::Opened
                | ClientEvent::Closed(_)
                | ClientEvent::HostCall { id: None, .. }
                | ClientEvent::SessionKey(_)
                | ClientEvent::PublicKeyRequest) => self.events.push(other),
            }
        }
        let done = matches!(response.state, Some(CommandState::Done { .. }));
        assert_eq!(done, ran.ended.as_ref().is_some_and(|ended| ended.state.is_final()));
        Ok(done)
    }

    /// Follows a pipeline to its end; questions are answered by `answer`.
    pub(super) async fn follow(&mut self, id: Uuid, answer: impl Fn(&HostCall) -> HostResult) -> Ran {
        let (mut ran, mut answered) = (Ran::default(), 0);
        loop {
            let done = match self.receive(id, &mut ran).await {
                Ok(done) => done,
                Err(fault) => {
                    assert_eq!(fault.code, FaultCode::TIMED_OUT);
                    false
                }
            };
            if done {
                return ran;
            }
            for call in ran.calls[answered..].iter().filter(|call| call.call > 0) {
                let response = HostResponse { call: call.call, method: call.method, result: answer(call) };
                self.machine.host_response(Some(id), &response).unwrap();
            }
            answered = ran.calls.len();
            self.flush(Some(id)).await;
        }
    }

    /// Runs what policy allows.
    pub(super) async fn allowed(&mut self, request: &CreatePipeline) -> Ran {
        let ran = self.run(request).await;
        assert_eq!(ran.state(), PipelineState::Completed, "{:?}", ran.failure());
        ran
    }

    pub(super) async fn run(&mut self, request: &CreatePipeline) -> Ran {
        let id = self.start(request).await;
        self.follow(id, |_| HostResult::Done).await
    }

    pub(super) async fn commands(&mut self, commands: Vec<Command>) -> Ran {
        self.run(&pipeline(commands)).await
    }

    /// Whether the shell is there, and runs what it may.
    pub(super) async fn works(&mut self) -> bool {
        let id = Uuid::new_v4();
        self.machine.create_pipeline(id, &pipeline(vec![command("Write-Output", vec![alone(text("well"))])])).unwrap();
        let first = self.machine.take_output(Some(id), Stream::Main, 100_000).unwrap();
        match self.command(id, &first).await {
            Ok(_) => self.follow(id, |_| HostResult::Done).await.texts() == ["well"],
            Err(fault) => {
                assert_eq!(fault.code, FaultCode::UNEXPECTED_SELECTORS);
                false
            }
        }
    }

    pub(super) async fn close(&mut self) {
        assert_eq!(self.ask(Action::Delete, RequestBody::Delete).await, Ok(ResponseBody::Delete));
    }
}

impl Raw {
    /// A request about a shell of PowerShell's.
    pub(super) async fn powershell(
        &mut self,
        action: Action,
        shell: Option<ShellId>,
        envelope: usize,
        body: RequestBody,
    ) -> Answer {
        self.configured(CONFIGURATION, (action, shell), envelope, body).await
    }

    pub(super) async fn configured(
        &mut self,
        configuration: &str,
        (action, shell): (Action, Option<ShellId>),
        envelope: usize,
        body: RequestBody,
    ) -> Answer {
        let resource = Resource::PowerShell(configuration.to_owned());
        let mut header = super::super::raw::header(resource, action, shell);
        header.max_envelope_size = envelope;
        header.operation_timeout = Some(Duration::from_secs(20));
        if action == Action::Create {
            let version =
                WsmanOption { name: "protocolversion".to_owned(), value: "2.3".to_owned(), must_comply: true };
            header.options = vec![version];
        }
        self.exchange(header, body).await
    }
}
