//! The pool and its cmdlets, asked by the protocol's own client without a connection.

use super::{Machine, Pool};
use crate::demo::folder::Folder;
use crate::demo::targets::shell::Done;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::auth::NtHash;
use sekisho_protocol::clixml::{Content, Object, SecureText, Value};
use sekisho_protocol::psrp::{
    Argument, ClientEvent, Command, CommandKind, CreatePipeline, ExchangeKey, HostInfo, HostMethod, HostResponse,
    HostResult, InitRunspacePool, Merge, MergeTarget, MessageType, PipelineState, PoolClient, Stated, Stream,
};
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CommandState, CreateShell, MessageId, Request, RequestBody, RequestHeader,
    Resource, ResponseBody, SendStream, ShellId, SignalCode,
};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A client and the pool that it speaks to.
struct Pair {
    client: PoolClient,
    pool: Arc<Pool>,
    machine: Arc<Machine>,
    folder: Folder,
    envelope: usize,
}

/// What came of one pipeline.
#[derive(Debug, Default)]
struct Ran {
    records: Vec<(MessageType, Value)>,
    shown: Vec<(HostMethod, Vec<Value>)>,
    ended: Option<Stated<PipelineState>>,
}

impl Ran {
    fn of(&self, kind: MessageType) -> Vec<&Value> {
        self.records.iter().filter(|(known, _)| *known == kind).map(|(_, value)| value).collect()
    }

    fn output(&self) -> Vec<&Value> {
        self.of(MessageType::PipelineOutput)
    }

    fn texts(&self) -> Vec<String> {
        self.output().into_iter().map(super::objects::text).collect()
    }

    fn state(&self) -> PipelineState {
        self.ended.as_ref().unwrap().state
    }

    fn lines(&self) -> Vec<String> {
        let text = |(_, parameters): &(HostMethod, Vec<Value>)| super::objects::text(parameters.last().unwrap());
        self.shown.iter().map(text).collect()
    }

    /// The id of the error that ended it.
    fn failure(&self) -> String {
        error_id(self.ended.as_ref().unwrap().error.as_ref().unwrap())
    }
}

fn error_id(record: &Value) -> String {
    super::objects::text(record.as_object().unwrap().member("FullyQualifiedErrorId").unwrap())
}

fn host() -> HostInfo {
    HostInfo { no_host: false, no_ui: false, no_raw_ui: false, pool_host: false, defaults: None }
}

fn named(name: &str, value: Value) -> Argument {
    Argument { name: Some(name.to_owned()), value }
}

fn alone(value: Value) -> Argument {
    Argument { name: None, value }
}

fn command(name: &str, arguments: Vec<Argument>) -> Command {
    Command::new(name, arguments)
}

fn pipeline(commands: Vec<Command>) -> CreatePipeline {
    CreatePipeline::of_statements(vec![commands])
}

impl Pair {
    async fn new() -> Self {
        Self::with(host(), 153_600).await
    }

    async fn with(host: HostInfo, envelope: usize) -> Self {
        let folder = Folder::new().unwrap();
        std::fs::write(folder.path().join("one.txt"), "first\nsecond\n").unwrap();
        let machine = Arc::new(Machine::new("web01".to_owned(), folder.path().to_owned()));
        let id = Uuid::new_v4();
        let init = InitRunspacePool { min: 1, max: 1, host };
        let mut client = PoolClient::new(id, &init, 8000).unwrap();
        let mut creation = Vec::new();
        while let Some(piece) = client.take_output(None, Stream::Main, usize::MAX) {
            creation.extend(piece);
        }
        let create = CreateShell {
            shell_id: Some(ShellId::new(id)),
            creation_xml: Some(STANDARD.encode(creation)),
            ..CreateShell::default()
        };
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let peer = "127.0.0.1:1".parse().unwrap();
        let header = header(Action::Create, ShellId::new(id), envelope);
        let pool = Pool::open(&header, &create, ("demo", peer), &machine, (&tasks, &stop)).unwrap();
        let mut pair = Self { client, pool, machine, folder, envelope };
        let mut opened = false;
        while !opened {
            pair.receive(None).await.unwrap();
            while let Some(event) = pair.client.next_event() {
                opened |= event == ClientEvent::Opened;
            }
        }
        pair
    }

    async fn serve(&self, action: Action, body: RequestBody) -> Result<Done, Fault> {
        self.pool.serve(Request { header: header(action, self.pool.id(), self.envelope), body }).await
    }

    /// One Receive, delivered: whether the pipeline is told to be done.
    async fn receive(&mut self, id: Option<Uuid>) -> Result<bool, Fault> {
        let done = self.poll(id).await?;
        let ResponseBody::Receive(response) = done.body else { panic!("{:?}", done.body) };
        assert_eq!(response.command_id.map(|id| id.uuid()), id);
        for chunk in response.streams {
            assert!(chunk.data.len() * 4 / 3 + 2000 < self.envelope);
            self.client.receive(id, &chunk.data).unwrap();
        }
        self.pool.arrived(id, matches!(response.state, Some(CommandState::Done { .. })));
        Ok(matches!(response.state, Some(CommandState::Done { .. })))
    }

    async fn poll(&self, id: Option<Uuid>) -> Result<Done, Fault> {
        let body = RequestBody::Receive { command_id: id.map(CommandId::new), streams: vec!["stdout".to_owned()] };
        self.serve(Action::Receive, body).await
    }

    /// Sends what the client has for a pipeline or the pool.
    async fn flush(&mut self, id: Option<Uuid>) {
        for (stream, name) in [(Stream::Main, "stdin"), (Stream::PromptResponse, "pr")] {
            while let Some(data) = self.client.take_output(id, stream, 32_000) {
                let sent = SendStream { stream: name.to_owned(), command_id: id.map(CommandId::new), end: false, data };
                self.serve(Action::Send, RequestBody::Send(vec![sent])).await.unwrap();
            }
        }
    }

    async fn start(&mut self, request: &CreatePipeline) -> Uuid {
        let id = Uuid::new_v4();
        self.client.create_pipeline(id, request).unwrap();
        let first = self.client.take_output(Some(id), Stream::Main, 32_000).unwrap();
        let line = CommandLine {
            command: String::new(),
            arguments: vec![STANDARD.encode(first)],
            command_id: Some(CommandId::new(id)),
        };
        self.serve(Action::Command, RequestBody::Command(line)).await.unwrap();
        self.flush(Some(id)).await;
        id
    }

    /// Follows a pipeline to its end; calls of its host are answered.
    async fn follow(&mut self, id: Uuid, answer: impl Fn(HostMethod) -> HostResult) -> Ran {
        let mut ran = Ran::default();
        loop {
            let done = self.receive(Some(id)).await.unwrap();
            while let Some(event) = self.client.next_event() {
                match event {
                    ClientEvent::Record { kind, body, .. } => ran.records.push((kind, body.value().unwrap())),
                    ClientEvent::State { stated, .. } => ran.ended = Some(stated),
                    ClientEvent::HostCall { call, .. } => {
                        if call.call > 0 {
                            let result = answer(call.method);
                            let response = HostResponse { call: call.call, method: call.method, result };
                            self.client.host_response(Some(id), &response).unwrap();
                            self.flush(Some(id)).await;
                        }
                        ran.shown.push((call.method, call.parameters));
                    }
                    other @ (ClientEvent::PrivateData(_)
                    | ClientEvent::Opened
                    | ClientEvent::Closed(_)
                    | ClientEvent::SessionKey(_)
                    | ClientEvent::PublicKeyRequest) => panic!("{other:?}"),
                }
            }
            if done {
                assert!(ran.ended.is_some(), "done comes with the state and not before");
                return ran;
            }
        }
    }

    async fn run(&mut self, request: &CreatePipeline) -> Ran {
        let id = self.start(request).await;
        self.follow(id, |_| HostResult::Done).await
    }

    async fn commands(&mut self, commands: Vec<Command>) -> Ran {
        self.run(&pipeline(commands)).await
    }
}

fn header(action: Action, shell: ShellId, max_envelope_size: usize) -> RequestHeader {
    RequestHeader {
        message_id: Some(MessageId::new(Uuid::nil())),
        action,
        resource: Resource::PowerShell("Microsoft.PowerShell".to_owned()),
        to: String::new(),
        operation_timeout: None,
        max_envelope_size,
        shell: Some(shell),
        options: Vec::new(),
        session_id: None,
    }
}

fn text(value: &str) -> Value {
    Value::text(value)
}

/// Services as an administrator sees them, and how a change of one shows.
#[tokio::test]
async fn a_service_that_is_restarted_runs() {
    let mut pair = Pair::new().await;
    let list = pair
        .commands(vec![
            command("Get-Service", vec![named("Name", text("W32Time"))]),
            command("select-object", vec![named("Property", super::objects::list(vec![text("Name"), text("Status")]))]),
        ])
        .await;
    assert_eq!(list.texts(), ["@{Name=W32Time; Status=Stopped}"]);
    let kind = super::objects::type_name(list.output()[0]);
    assert_eq!(kind, "Selected.System.ServiceProcess.ServiceController");
    let restarted = pair
        .commands(vec![command(
            "Restart-Service",
            vec![alone(text("W32Time")), named("PassThru", Value::Nil), named("Verbose", Value::Bool(true))],
        )])
        .await;
    let service = restarted.output()[0];
    assert_eq!(super::objects::type_name(service), "System.ServiceProcess.ServiceController");
    assert_eq!(super::objects::text(super::objects::member(service, "Status").unwrap()), "Running");
    let about = "Performing the operation \"Restart-Service\" on target \"Windows Time (W32Time)\".";
    assert_eq!(restarted.of(MessageType::VerboseRecord).len(), 1);
    assert_eq!(restarted.lines(), [about]);
    let running = pair
        .commands(vec![
            command("Get-Service", vec![]),
            command(
                "Where-Object",
                vec![alone(text("Status")), alone(text("Running")), named("EQ", Value::Bool(true))],
            ),
            command("Measure-Object", vec![]),
        ])
        .await;
    assert_eq!(super::objects::number(super::objects::member(running.output()[0], "Count").unwrap()), Some(5));
}

#[tokio::test]
async fn objects_go_down_the_row_and_errors_go_beside_it() {
    let mut pair = Pair::new().await;
    let stopped = pair
        .commands(vec![command("Get-Service", vec![named("Name", text("W3*"))]), command("Stop-Service", vec![])])
        .await;
    assert_eq!((stopped.records.len(), stopped.state()), (0, PipelineState::Completed));
    let missing = vec![alone(super::objects::list(vec![text("none"), text("W3SVC")]))];
    let looked = pair.commands(vec![command("Get-Service", missing.clone())]).await;
    let errors = looked.of(MessageType::ErrorRecord);
    assert_eq!(error_id(errors[0]), "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand");
    assert_eq!((errors.len(), looked.texts()), (1, vec!["W3SVC".to_owned()]));
    let state = super::objects::member(looked.output()[0], "Status").unwrap();
    assert_eq!(super::objects::text(state), "Stopped");
    let mut merged = command("Get-Service", missing.clone());
    merged.merge = Merge { error: MergeTarget::Output, ..Merge::default() };
    let ran = pair.commands(vec![merged]).await;
    assert_eq!((ran.output().len(), ran.of(MessageType::ErrorRecord).len()), (2, 0));
    let silent = [missing.clone(), vec![named("ErrorAction", text("SilentlyContinue"))]].concat();
    assert_eq!(pair.commands(vec![command("Get-Service", silent)]).await.records.len(), 1);
    let stops = [missing, vec![named("ErrorAction", text("Stop"))]].concat();
    let ran = pair.commands(vec![command("Get-Service", stops)]).await;
    assert_eq!((ran.state(), ran.records.len()), (PipelineState::Failed, 0));
    assert!(ran.failure().starts_with("NoServiceFoundForGivenName"));
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_by_an_endpoint_without_language() {
    let mut pair = Pair::new().await;
    let script = |text: &str| Command { kind: CommandKind::Script, ..command(text, vec![]) };
    for (commands, id) in [
        (vec![command("Get-Nothing", vec![])], "CommandNotFoundException"),
        (vec![command("Get-Service; hostname", vec![])], "CommandNotFoundException"),
        (vec![command("Microsoft.PowerShell.Management\\Get-Service", vec![])], "CommandNotFoundException"),
        (vec![script("Get-Service")], "ScriptsNotAllowed"),
        (vec![command("Get-Service", vec![]), script("$input")], "ScriptsNotAllowed"),
        (vec![command("Get-Service", vec![named("-Name", text("x"))])], "NamedParameterNotFound,Get-Service"),
        (vec![command("Get-Service", vec![named("Nam", text("x"))])], "NamedParameterNotFound,Get-Service"),
        (
            vec![command("Get-Service", vec![named("Name", text("x")), named("name", text("y"))])],
            "ParameterAlreadyBound,Get-Service",
        ),
        (
            vec![command("Get-Service", vec![alone(text("x")), alone(text("y"))])],
            "PositionalParameterNotFound,Get-Service",
        ),
        (vec![command("Restart-Service", vec![])], "MissingMandatoryParameter,Restart-Service"),
        (vec![command("Write-Output", vec![]); 33], "ScriptsNotAllowed"),
    ] {
        let ran = pair.commands(commands).await;
        assert_eq!((ran.state(), ran.failure().as_str()), (PipelineState::Failed, id));
        assert_eq!(ran.records.len(), 0);
    }
    assert_eq!(pair.commands(vec![command("Get-Service", vec![])]).await.output().len(), 6, "the pool goes on");
}

#[tokio::test]
async fn statements_run_one_after_another_and_the_first_runs_once() {
    let mut pair = Pair::new().await;
    let say = |what: &str| vec![command("Write-Output", vec![alone(text(what))])];
    let batch = CreatePipeline::of_statements(vec![say("one"), say("two"), say("three")]);
    assert_eq!(pair.run(&batch).await.texts(), ["one", "two", "three"]);
    let stops = CreatePipeline::of_statements(vec![say("one"), vec![command("No-Such", vec![])], say("three")]);
    let ran = pair.run(&stops).await;
    assert_eq!((ran.texts(), ran.state()), (vec!["one".to_owned()], PipelineState::Failed));
}

#[tokio::test]
async fn every_stream_comes_as_a_record_and_by_the_host() {
    let mut pair = Pair::new().await;
    for (name, arguments, kind, shown) in [
        ("Write-Warning", vec![], MessageType::WarningRecord, Some(HostMethod::WriteWarningLine)),
        ("Write-Verbose", vec!["Verbose"], MessageType::VerboseRecord, Some(HostMethod::WriteVerboseLine)),
        ("Write-Debug", vec!["Debug"], MessageType::DebugRecord, Some(HostMethod::WriteDebugLine)),
        ("Write-Error", vec![], MessageType::ErrorRecord, None),
        ("Write-Information", vec![], MessageType::InformationRecord, None),
        ("Write-Host", vec![], MessageType::InformationRecord, Some(HostMethod::WriteLine2)),
        ("Write-Progress", vec![], MessageType::ProgressRecord, Some(HostMethod::WriteProgress)),
        ("Write-Output", vec![], MessageType::PipelineOutput, None),
    ] {
        let mut given = vec![alone(text("said"))];
        given.extend(arguments.into_iter().map(|argument| named(argument, Value::Bool(true))));
        let ran = pair.commands(vec![command(name, given)]).await;
        let kinds: Vec<_> = ran.records.iter().map(|(kind, _)| *kind).collect();
        let methods: Vec<_> = ran.shown.iter().map(|(method, _)| *method).collect();
        assert_eq!((kinds, methods), (vec![kind], Vec::from_iter(shown)), "{name}");
    }
    for (name, off) in [("Write-Verbose", None), ("Write-Debug", None), ("Write-Warning", Some("WarningAction"))] {
        let mut given = vec![alone(text("said"))];
        given.extend(off.map(|off| named(off, text("Ignore"))));
        let ran = pair.commands(vec![command(name, given)]).await;
        assert_eq!((ran.records.len(), ran.shown.len()), (0, 0), "{name}");
    }
}

#[tokio::test]
async fn without_a_host_nothing_is_shown_and_nobody_is_asked() {
    let mut pair = Pair::with(HostInfo::none(), 153_600).await;
    let ran = pair.commands(vec![command("Write-Warning", vec![alone(text("said"))])]).await;
    assert_eq!((ran.records.len(), ran.shown.len()), (1, 0));
    let ran = pair.commands(vec![command("Read-Host", vec![])]).await;
    assert_eq!(ran.state(), PipelineState::Failed);
    assert!(ran.failure().starts_with("HostFunctionNotImplemented"));
}

#[tokio::test]
async fn out_default_writes_a_table_and_the_errors() {
    let mut pair = Pair::new().await;
    let mut last = command("Out-Default", vec![]);
    last.merge = Merge { previous: true, ..Merge::default() };
    let names = super::objects::list(vec![text("Spooler"), text("none")]);
    let ran = pair.commands(vec![command("Get-Service", vec![alone(names)]), last]).await;
    let expected =
        ["", "Status  Name    DisplayName", "------  ----    -----------", "Running Spooler Print Spooler", ""];
    assert_eq!((&ran.lines()[..5], ran.records.len()), (&expected.map(str::to_owned)[..], 0));
    let text = ran.lines().concat();
    assert!(text.contains("Cannot find any service with service name 'none'."), "{text}");
}

#[tokio::test]
async fn text_is_made_of_objects() {
    let mut pair = Pair::new().await;
    let service = command("Get-Service", vec![alone(text("Spooler"))]);
    let stream = command("Out-String", vec![named("Stream", Value::Bool(true))]);
    let ran = pair.commands(vec![service.clone(), stream]).await;
    assert_eq!(ran.texts().len(), 5);
    let ran = pair.commands(vec![service, command("Out-String", vec![])]).await;
    assert_eq!(ran.texts()[0].matches("\r\n").count(), 5);
    let none = pair.commands(vec![command("Get-Date", vec![]), command("Out-Null", vec![])]).await;
    assert_eq!(none.records.len(), 0);
}

#[tokio::test]
async fn cmdlets_show_this_machine() {
    let mut pair = Pair::new().await;
    let id = i32::try_from(std::process::id()).unwrap();
    let ran = pair.commands(vec![command("Get-Process", vec![named("Id", Value::int(id))])]).await;
    assert_eq!(super::objects::number(super::objects::member(ran.output()[0], "Id").unwrap()), Some(id.into()));
    let ran = pair.commands(vec![command("Get-ComputerInfo", vec![])]).await;
    assert_eq!(super::objects::text(super::objects::member(ran.output()[0], "CsName").unwrap()), "web01");
    let memory = super::objects::member(ran.output()[0], "CsTotalPhysicalMemory").unwrap();
    assert!(super::objects::number(memory).unwrap() > 1 << 20);
    let ran = pair.commands(vec![command("Get-Date", vec![])]).await;
    let Value::Object(date) = ran.output()[0] else { panic!() };
    assert!(matches!(date.content, Content::Value(Value::DateTime(_))));
    let ran = pair.commands(vec![command("Get-ChildItem", vec![])]).await;
    assert_eq!(ran.texts(), [r"C:\Demo\one.txt"]);
    let ran = pair.commands(vec![command("Get-Content", vec![alone(text(r"C:\Demo\one.txt"))])]).await;
    assert_eq!(ran.texts(), ["first", "second"]);
    for path in ["/etc/passwd", r"C:\Demo\..\x", r"C:\Demo\two.txt"] {
        let ran = pair.commands(vec![command("Get-Content", vec![alone(text(path))])]).await;
        assert_eq!((ran.output().len(), ran.of(MessageType::ErrorRecord).len()), (0, 1), "{path}");
    }
    assert!(pair.folder.path().exists());
}

#[tokio::test]
async fn the_user_is_asked_and_the_answer_goes_on() {
    let mut pair = Pair::new().await;
    let id = pair.start(&pipeline(vec![command("Read-Host", vec![alone(text("Name"))])])).await;
    let ran = pair.follow(id, |_| HostResult::Value(text("sato"))).await;
    assert_eq!(ran.texts(), ["sato"]);
    assert_eq!(
        ran.shown.iter().map(|(method, _)| *method).collect::<Vec<_>>(),
        [HostMethod::Write1, HostMethod::ReadLine]
    );
    let refused = super::errors::Error::refused("Refused", "Read-Host", "", "no".to_owned()).encode();
    let id = pair.start(&pipeline(vec![command("Read-Host", vec![])])).await;
    let ran = pair.follow(id, |_| HostResult::Error(refused.clone())).await;
    assert_eq!(ran.state(), PipelineState::Failed);
    assert!(ran.failure().starts_with("Refused"));
    for (answer, status) in [(2, "Stopped"), (0, "Running")] {
        let confirmed = vec![alone(text("BITS")), named("Confirm", Value::Bool(true))];
        let id = pair.start(&pipeline(vec![command("Start-Service", confirmed)])).await;
        let ran = pair.follow(id, |_| HostResult::Value(Value::int(answer))).await;
        assert_eq!(ran.shown[0].0, HostMethod::PromptForChoice);
        let ran = pair.commands(vec![command("Get-Service", vec![alone(text("BITS"))])]).await;
        let state = super::objects::member(ran.output()[0], "Status").unwrap();
        assert_eq!(super::objects::text(state), status);
    }
}

#[tokio::test]
async fn input_goes_into_the_first_command() {
    let mut pair = Pair::new().await;
    let mut request = pipeline(vec![command("Write-Output", vec![]), command("Sort-Object", vec![])]);
    request.no_input = false;
    let id = pair.start(&request).await;
    for number in [3, 20, 1] {
        pair.client.input(id, &Value::int(number)).unwrap();
    }
    pair.client.end_of_input(id).unwrap();
    pair.flush(Some(id)).await;
    let ran = pair.follow(id, |_| HostResult::Done).await;
    assert_eq!(ran.texts(), ["1", "3", "20"]);
}

#[tokio::test]
async fn a_pipeline_that_waits_is_stopped() {
    let mut pair = Pair::new().await;
    for (name, arguments) in
        [("Start-Sleep", vec![named("Seconds", Value::int(3600))]), ("Read-Host", vec![]), ("Get-Endless", vec![])]
    {
        let id = pair.start(&pipeline(vec![command(name, arguments)])).await;
        let stop = RequestBody::Signal { command_id: Some(CommandId::new(id)), signal: SignalCode::PowerShellCtrlC };
        pair.serve(Action::Signal, stop).await.unwrap();
        let ended = pair.follow(id, |_| HostResult::Error(Value::Nil)).await;
        assert_eq!(ended.state(), PipelineState::Stopped, "{name}");
        let end = RequestBody::Signal { command_id: Some(CommandId::new(id)), signal: SignalCode::Terminate };
        pair.serve(Action::Signal, end).await.unwrap();
        assert_eq!(pair.receive(Some(id)).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    }
    assert_eq!(pair.commands(vec![command("Get-Service", vec![])]).await.output().len(), 6);
}

#[tokio::test]
async fn output_waits_for_its_reader_and_fits_its_envelopes() {
    let mut pair = Pair::with(host(), 8192).await;
    let much = vec![named("Count", Value::int(50)), named("Size", Value::int(20_000))];
    let ran = pair.commands(vec![command("Get-Much", much)]).await;
    let numbers: Vec<_> = ran.texts().iter().map(|text| text.split_once(':').unwrap().0.to_owned()).collect();
    assert_eq!(numbers, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_did_not_arrive_comes_again() {
    let mut pair = Pair::new().await;
    let id = pair.start(&pipeline(vec![command("Write-Output", vec![alone(text("once"))])])).await;
    let polled = |done: Done| {
        let ResponseBody::Receive(response) = done.body else { panic!() };
        response.streams[0].data.clone()
    };
    let first = polled(pair.poll(Some(id)).await.unwrap());
    // Its delivery is dropped unrun, as when the connection breaks before the write.
    assert_eq!(polled(pair.poll(Some(id)).await.unwrap()), first);
    assert_eq!(pair.follow(id, |_| HostResult::Done).await.texts(), ["once"]);
}

#[tokio::test]
async fn a_secure_string_is_opened_under_the_key_of_the_session() {
    let mut pair = Pair::new().await;
    let set = |sealed: SecureText| {
        pipeline(vec![command(
            "Set-LocalUser",
            vec![named("Name", text("aoki")), named("Password", Value::Secure(sealed))],
        )])
    };
    let broken = SecureText(Zeroizing::new(STANDARD.encode([0; 32])));
    let ran = pair.run(&set(broken)).await;
    assert_eq!(ran.of(MessageType::ErrorRecord).len(), 1);
    let key = ExchangeKey::generate(&mut crate::random::random().unwrap()).unwrap();
    pair.client.public_key(&key.public_key());
    pair.flush(None).await;
    pair.receive(None).await.unwrap();
    let Some(ClientEvent::SessionKey(sealed)) = pair.client.next_event() else { panic!() };
    let session = key.open(&sealed).unwrap();
    let word = || SecretText::new("correct horse".to_owned());
    let ran = pair.run(&set(session.seal(&word()).unwrap())).await;
    assert_eq!((ran.records.len(), ran.state()), (0, PipelineState::Completed));
    assert!(pair.machine.has_password("aoki", &NtHash::of_password(&word())));
}

#[tokio::test]
async fn what_breaks_the_protocol_is_a_fault() {
    let pair = Pair::new().await;
    let line = |arguments: &str| CommandLine {
        command: String::new(),
        arguments: vec![arguments.to_owned()],
        command_id: Some(CommandId::new(Uuid::new_v4())),
    };
    for arguments in ["AAAA", "!", &STANDARD.encode([0; 30])] {
        let asked = pair.serve(Action::Command, RequestBody::Command(line(arguments))).await;
        assert_eq!(asked.err().unwrap().code, FaultCode::INVALID_PARAMETER);
    }
    for create in [
        CreateShell::default(),
        CreateShell { shell_id: Some(ShellId::new(Uuid::new_v4())), ..CreateShell::default() },
        CreateShell {
            shell_id: Some(ShellId::new(Uuid::new_v4())),
            creation_xml: Some(STANDARD.encode("no fragments")),
            ..CreateShell::default()
        },
    ] {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let peer = "127.0.0.1:1".parse().unwrap();
        let header = header(Action::Create, ShellId::new(Uuid::nil()), 153_600);
        let opened = Pool::open(&header, &create, ("demo", peer), &pair.machine, (&tasks, &stop));
        assert_eq!(opened.err().unwrap().code, FaultCode::INVALID_PARAMETER);
    }
}

// Time is that of the test: it jumps when nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn a_poll_without_output_ends_and_one_of_a_closed_pool_at_once() {
    let pair = Pair::new().await;
    let begun = tokio::time::Instant::now();
    assert_eq!(pair.poll(None).await.err().unwrap().code, FaultCode::TIMED_OUT);
    assert_eq!(begun.elapsed(), Duration::from_millis(59_500));
    let (polled, closed) = tokio::join!(pair.poll(None), pair.serve(Action::Delete, RequestBody::Delete));
    assert_eq!(polled.err().unwrap().code, FaultCode::UNEXPECTED_SELECTORS);
    assert!(closed.is_ok());
    assert_eq!(begun.elapsed(), Duration::from_millis(59_500));
}

/// An object is what it is made of, so that no test compares two that are empty.
#[test]
fn text_of_objects_is_bounded() {
    let mut value = Value::object(Object::of_members([("A", text("x"))]));
    for _ in 0..10_000 {
        value = Value::object(Object::of_members([("A", value)]));
    }
    assert!(super::objects::text(&value).len() < 200);
    // Dropped level by level, as the decoder never makes one so deep.
    while let Value::Object(object) = value {
        value = object.member("A").cloned().unwrap_or(Value::Nil);
    }
}
