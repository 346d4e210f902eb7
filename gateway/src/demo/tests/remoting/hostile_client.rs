//! What a client that does wrong can do: nothing that reaches a target.

use super::client::{CONFIGURATION, Client, alone, command, create, host, named, opening, pipeline, text};
use super::wire::{END, START, WHOLE, fragment, message, to_server};
use super::{Raw, Remote};
use crate::demo::site::{HASTY, USER};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::clixml::{Content, Object, Value};
use sekisho_protocol::psrp::{
    CreatePipeline, Destination, Direction, ErrorCategory, ErrorRecord, Family, HostMethod, HostResponse, HostResult,
    InitRunspacePool, MessageType, PipelineState, ProtocolVersion, SessionCapability, Stream,
};
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CreateShell, Request, RequestBody, Resource, ResponseBody, ShellId, SignalCode,
    encode_request,
};
use uuid::Uuid;

const PIPELINE: Uuid = Uuid::from_u128(0x5EC1);

fn allowed() -> Value {
    pipeline(vec![command("Get-Service", vec![named("Name", text("W32Time"))])]).encode()
}

/// What one client sends: the first bytes of a pipeline, and what follows by Send.
struct Attack {
    what: &'static str,
    first: Option<Vec<u8>>,
    then: Vec<(Option<Uuid>, Stream, Vec<u8>)>,
}

/// The bytes of a pipeline's first message in this pool.
fn begun(pool: Uuid, kind: MessageType, body: &Value) -> Vec<u8> {
    to_server(1, kind, (pool, Some(PIPELINE)), body)
}

/// First bytes that are none.
fn firsts(pool: Uuid) -> Vec<Attack> {
    let of = |what, first| Attack { what, first: Some(first), then: Vec::new() };
    let whole = |ids| message(Destination::Server, MessageType::CreatePipeline, ids, &allowed());
    let right = whole((pool, Some(PIPELINE)));
    let mut unknown = right.clone();
    unknown[4..8].copy_from_slice(&0x0002_10FF_u32.to_le_bytes());
    let mut nobody = right.clone();
    nobody[0] = 3;
    let mut deep = message(Destination::Server, MessageType::CreatePipeline, (pool, Some(PIPELINE)), &Value::Nil);
    deep.truncate(40);
    deep.extend("<Obj><MS>".repeat(10_000).bytes());
    vec![
        of("another pool", fragment(1, 0, WHOLE, &whole((Uuid::from_u128(9), Some(PIPELINE))))),
        of("no pool", fragment(1, 0, WHOLE, &whole((Uuid::nil(), Some(PIPELINE))))),
        of("another pipeline", fragment(1, 0, WHOLE, &whole((pool, Some(Uuid::from_u128(9)))))),
        of("no pipeline", fragment(1, 0, WHOLE, &whole((pool, None)))),
        of("a type that nobody knows", fragment(1, 0, WHOLE, &unknown)),
        of("a destination that is none", fragment(1, 0, WHOLE, &nobody)),
        of("a header alone", fragment(1, 0, WHOLE, &right[..39])),
        of("input before the pipeline", begun(pool, MessageType::PipelineInput, &text("x"))),
        of("the end of input before the pipeline", begun(pool, MessageType::EndOfPipelineInput, &text(""))),
        of("an answer before the pipeline", begun(pool, MessageType::PipelineHostResponse, &answer(1))),
        of("an empty body", begun(pool, MessageType::CreatePipeline, &Value::Nil)),
        of("depth without end", fragment(1, 0, WHOLE, &deep)),
        of("a fragment that is cut", fragment(1, 0, WHOLE, &right)[..30].to_vec()),
        of("a gap", [fragment(1, 0, START, &right[..50]), fragment(1, 2, END, &right[50..])].concat()),
        of("a fragment twice", [fragment(1, 0, START, &right[..50]), fragment(1, 0, START, &right[..50])].concat()),
        of("no beginning", fragment(1, 1, END, &right)),
        of("unknown flags", fragment(1, 0, 7, &right)),
        of(
            "an object within an object",
            [fragment(1, 0, START, &right[..50]), fragment(2, 0, WHOLE, &right), fragment(1, 1, END, &right[50..])]
                .concat(),
        ),
        of("a length that lies", {
            let mut lies = fragment(1, 0, WHOLE, &right);
            lies[17..21].copy_from_slice(&u32::MAX.to_be_bytes());
            lies
        }),
        of("two pipelines in one", [fragment(1, 0, WHOLE, &right), fragment(2, 0, WHOLE, &right)].concat()),
        of("a parameter without a name", {
            let mut wrong = pipeline(vec![command("Get-Service", vec![named("", text("x"))])]);
            wrong.no_input = true;
            begun(pool, MessageType::CreatePipeline, &wrong.encode())
        }),
        of("a command without a name", {
            begun(pool, MessageType::CreatePipeline, &pipeline(vec![command("", vec![])]).encode())
        }),
        of("no command", begun(pool, MessageType::CreatePipeline, &pipeline(vec![]).encode())),
        of("arguments of a question for commands", begun(pool, MessageType::GetCommandMetadata, &question(true))),
    ]
}

fn answer(call: i64) -> Value {
    HostResponse { call, method: HostMethod::ReadLine, result: HostResult::Value(text("x")) }.encode()
}

/// GET_COMMAND_METADATA.
fn question(with_arguments: bool) -> Value {
    let list = |items: Vec<Value>| {
        Value::object(Object {
            content: Content::List(sekisho_protocol::clixml::ListKind::List, items),
            ..Object::default()
        })
    };
    Value::object(Object::of_members([
        ("Name", list(vec![text("*")])),
        ("CommandType", Value::int(271)),
        ("Namespace", Value::Nil),
        ("ArgumentList", if with_arguments { list(vec![text("x")]) } else { Value::Nil }),
    ]))
}

/// Messages that come at the wrong time, or on the wrong stream.
fn laters(pool: Uuid) -> Vec<Attack> {
    let right = begun(pool, MessageType::CreatePipeline, &allowed());
    let cut = message(Destination::Server, MessageType::CreatePipeline, (pool, Some(PIPELINE)), &allowed());
    let begin = |blob: &[u8]| Some(fragment(1, 0, START, blob));
    let of_pool = |what, kind, body: &Value| Attack {
        what,
        first: None,
        then: vec![(None, Stream::Main, to_server(9, kind, (pool, None), body))],
    };
    let after =
        |what, stream, piece| Attack { what, first: begin(&cut[..60]), then: vec![(Some(PIPELINE), stream, piece)] };
    vec![
        after("a gap by Send", Stream::Main, fragment(1, 2, END, &cut[60..])),
        after("another object by Send", Stream::Main, right.clone()),
        after("another end by Send", Stream::Main, fragment(1, 1, END, b"<Obj>")),
        after("a pipeline among the answers", Stream::PromptResponse, right),
        after(
            "an answer without a question",
            Stream::PromptResponse,
            to_server(1, MessageType::PipelineHostResponse, (pool, Some(PIPELINE)), &answer(1)),
        ),
        of_pool("a capability again", MessageType::SessionCapability, &capability("2.3")),
        of_pool("an opening again", MessageType::InitRunspacePool, &initial()),
        of_pool("a connection to a pool", MessageType::ConnectRunspacePool, &text("")),
        of_pool("a pipeline of the pool's", MessageType::PublicKey, &text("")),
        of_pool(
            "a key that is none",
            MessageType::PublicKey,
            &Value::object(Object::of_members([("PublicKey", text("AAAA"))])),
        ),
        of_pool("a number without a question", MessageType::SetMaxRunspaces, &text("")),
        Attack {
            what: "an answer to the pool without a question",
            first: None,
            then: vec![(
                None,
                Stream::PromptResponse,
                to_server(9, MessageType::RunspacePoolHostResponse, (pool, None), &answer(1)),
            )],
        },
        Attack {
            what: "a message of a pipeline to the pool",
            first: None,
            then: vec![(None, Stream::Main, begun(pool, MessageType::CreatePipeline, &allowed()))],
        },
    ]
}

fn capability(version: &str) -> Value {
    Value::object(Object::of_members([
        ("protocolversion", Value::Version(version.to_owned())),
        ("PSVersion", Value::Version("2.0".to_owned())),
        ("SerializationVersion", Value::Version("1.1.0.1".to_owned())),
    ]))
}

fn initial() -> Value {
    InitRunspacePool { min: 1, max: 1, host: host() }.encode()
}

/// Every type that only servers send, on either stream.
fn of_servers(pool: Uuid) -> Vec<Attack> {
    let types = MessageType::ALL.iter().copied().filter(|kind| kind.direction() == Direction::ToClient);
    types
        .map(|kind| {
            let of = (kind.family() == Family::Pipeline).then_some(PIPELINE);
            let bytes = to_server(9, kind, (pool, of), &text(""));
            match of {
                Some(_) => Attack { what: kind.name(), first: Some(bytes), then: Vec::new() },
                None => Attack { what: kind.name(), first: None, then: vec![(None, Stream::Main, bytes)] },
            }
        })
        .collect()
}

/// Sends it, and returns the code of the fault that came of it.
async fn attack(client: &mut Client, attack: &Attack) -> FaultCode {
    if let Some(first) = &attack.first
        && let Err(fault) = client.command(PIPELINE, first).await
    {
        return fault.code;
    }
    for (of, stream, data) in &attack.then {
        if let Err(fault) = client.send(*of, *stream, data).await {
            return fault.code;
        }
    }
    panic!("{} was taken", attack.what);
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_shell_and_nothing_reaches_the_target() {
    let remote = Remote::new().await;
    let cases: [fn(Uuid) -> Vec<Attack>; 3] = [firsts, laters, of_servers];
    for of in cases {
        for index in 0..of(Uuid::nil()).len() {
            let mut client = remote.client().await;
            let case = of(client.pool).remove(index);
            assert_eq!(attack(&mut client, &case).await, FaultCode::PSRP_MALFORMED, "{}", case.what);
            assert!(!client.works().await, "{}: the shell is gone", case.what);
        }
    }
    assert_eq!(remote.pipelines(), 0);
    assert!(remote.client().await.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_pipeline_comes_once() {
    let remote = Remote::new().await;
    let sleep = pipeline(vec![command("Start-Sleep", vec![named("Seconds", Value::int(3600))])]);
    let other = pipeline(vec![command("Restart-Service", vec![named("Name", text("W32Time"))])]);
    for (ran, by) in (1..).zip([Action::Command, Action::Send]) {
        let mut client = remote.client().await;
        let id = client.start(&sleep).await;
        // It runs once the target has it.
        while remote.pipelines() < ran {
            tokio::task::yield_now().await;
        }
        let bytes = to_server(9, MessageType::CreatePipeline, (client.pool, Some(id)), &other.encode());
        let answered = if by == Action::Command {
            client.command(id, &bytes).await
        } else {
            client.send(Some(id), Stream::Main, &bytes).await
        };
        assert_eq!(answered.unwrap_err().code, FaultCode::PSRP_MALFORMED);
        assert!(!client.works().await);
    }
    assert_eq!(remote.pipelines(), 2, "the first ones alone");
    remote.site.stop().await;
}

#[tokio::test]
async fn an_object_that_is_too_large_is_refused_before_it_is_whole() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let blob = vec![b' '; 250_000];
    client.command(PIPELINE, &fragment(1, 0, START, &blob)).await.unwrap();
    let most = sekisho_protocol::limits::PSRP_OBJECT / blob.len() + 2;
    let mut sent = 1;
    let code = loop {
        match client.send(Some(PIPELINE), Stream::Main, &fragment(1, sent, 0, &blob)).await {
            Ok(_) => sent += 1,
            Err(fault) => break fault.code,
        }
        assert!(usize::try_from(sent).unwrap() < most);
    };
    assert_eq!(code, FaultCode::PSRP_MALFORMED);
    assert!(!client.works().await);
    assert_eq!(remote.pipelines(), 0);
    remote.site.stop().await;
}

#[tokio::test]
async fn statements_that_disagree_are_denied_and_every_one_is_judged() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let good = || vec![command("Get-Service", vec![named("Name", text("W32Time"))])];
    let bad = || vec![command("Remove-Item", vec![alone(text("x"))])];
    for statements in [
        vec![bad(), good()],
        vec![good(), bad()],
        vec![good(), good(), bad()],
        vec![vec![command("Get-Service", vec![named("Name", text("Spooler"))])], good()],
        vec![vec![command("Get-service", vec![named("Name", text("W32Time"))])], good()],
        vec![bad()],
    ] {
        let request = CreatePipeline { commands: good(), statements: Some(statements), ..pipeline(good()) };
        let ran = client.run(&request).await;
        assert_eq!((ran.state(), ran.failure().0.as_str()), (PipelineState::Failed, "SekishoPolicyDenied"));
    }
    assert_eq!(remote.pipelines(), 0, "all are judged before the first is sent");
    let batch = CreatePipeline::of_statements(vec![good(), vec![command("Write-Output", vec![alone(text("two"))])]]);
    assert_eq!(client.allowed(&batch).await.texts(), ["W32Time", "two"]);
    remote.site.stop().await;
}

#[tokio::test]
async fn what_could_run_otherwise_than_it_was_judged_is_denied() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let get = |arguments| pipeline(vec![command("Get-Service", arguments)]);
    let mut nested = get(vec![]);
    nested.is_nested = true;
    let mut scoped = get(vec![]);
    scoped.commands[0].scope = sekisho_protocol::psrp::Scope::Session;
    let block = || Value::ScriptBlock("Remove-Item x".to_owned());
    for (what, request) in [
        ("nested", nested),
        ("dot-sourced", scoped),
        ("a debugger's command", pipeline(vec![command("__Get-PSBreakpoint", vec![])])),
        ("a script block", get(vec![named("Name", block())])),
        ("a dash alone", get(vec![named("-", text("x"))])),
        ("a name twice", get(vec![named("Name", text("x")), named("-Name:", text("y"))])),
        ("the rest verbatim", get(vec![alone(text("--%")), alone(text("x"))])),
        ("a path", pipeline(vec![command(r"C:\x.exe", vec![])])),
        ("two commands in one name", pipeline(vec![command("Get-Service; Remove-Item x", vec![])])),
        ("a property bag", get(vec![named("Name", Value::object(Object::of_members([("A", text("x"))])))])),
    ] {
        let ran = client.run(&request).await;
        assert_eq!((ran.state(), ran.failure().0.as_str()), (PipelineState::Failed, "SekishoPolicyDenied"), "{what}");
    }
    assert_eq!(remote.pipelines(), 0);
    assert!(client.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn input_that_is_no_plain_value_is_refused() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let mut request = pipeline(vec![command("Sort-Object", vec![])]);
    request.no_input = false;
    let id = client.start(&request).await;
    client.machine.input(id, &Value::object(Object::of_members([("PSPath", text("x"))]))).unwrap();
    client.flush(Some(id)).await;
    let ran = client.follow(id, |_| HostResult::Done).await;
    assert_eq!((ran.records.len(), ran.failure().0.as_str()), (0, "SekishoInputRefused"));
    // And where nothing comes in, nothing may.
    let id = client.start(&pipeline(vec![command("Start-Sleep", vec![named("Seconds", Value::int(3600))])])).await;
    let late = to_server(9, MessageType::PipelineInput, (client.pool, Some(id)), &text("x"));
    let refused = client.send(Some(id), Stream::Main, &late).await.unwrap_err();
    assert_eq!(refused.code, FaultCode::PSRP_MALFORMED);
    remote.site.stop().await;
}

#[tokio::test]
async fn another_users_shell_is_not_there() {
    let remote = Remote::new().await;
    let mut owner = remote.client().await;
    let id = owner.start(&pipeline(vec![command("Start-Sleep", vec![named("Seconds", Value::int(3600))])])).await;
    let mut thief = Client::open(&remote, HASTY).await;
    let own = std::mem::replace(&mut thief.pool, owner.pool);
    let first = begun(owner.pool, MessageType::CreatePipeline, &allowed());
    let answers = [
        thief.command(PIPELINE, &first).await,
        thief.send(Some(id), Stream::Main, &first).await,
        thief.signal(id, SignalCode::Terminate).await,
        thief.signal(id, SignalCode::PowerShellCtrlC).await,
        thief.ask(Action::Delete, RequestBody::Delete).await,
        thief.ask(Action::Get, RequestBody::Get).await,
    ];
    for answer in answers {
        assert_eq!(answer.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    }
    assert_eq!(thief.poll(Some(id)).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    assert_eq!(thief.poll(None).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    // In a shell of one's own, another's pipeline is not there either.
    thief.pool = own;
    assert_eq!(thief.poll(Some(id)).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    assert_eq!(thief.signal(id, SignalCode::Terminate).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    assert!(owner.works().await && thief.works().await);
    remote.site.stop().await;
}

/// Ids are proposed by clients: whoever proposes another's gets a shell of their own, and the other keeps theirs.
#[tokio::test]
async fn an_id_that_is_taken_opens_nothing_for_its_own_user_and_touches_nobody_elses() {
    let remote = Remote::new().await;
    let mut owner = remote.client().await;
    let (_, creation) = opening(owner.pool, host());
    let mut same = remote.connection(USER).await;
    let again = same.powershell(Action::Create, None, 512_000, create(owner.pool, &creation)).await;
    assert_eq!(again.unwrap_err().code, FaultCode::PSRP_MALFORMED);
    let mut other = remote.connection(HASTY).await;
    let opened = other.powershell(Action::Create, None, 512_000, create(owner.pool, &creation)).await;
    let Ok(ResponseBody::Created(details)) = opened else { panic!("{opened:?}") };
    let shell = Some(details.shell_id);
    let deleted = other.powershell(Action::Delete, shell, 512_000, RequestBody::Delete).await;
    assert_eq!(deleted, Ok(ResponseBody::Delete));
    assert!(owner.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_shell_stays_what_its_create_made_it() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let cmd = client.raw.create().await.unwrap();
    let pool = ShellId::new(client.pool);
    let line = CommandLine { command: "hostname".to_owned(), arguments: Vec::new(), command_id: None };
    let first = begun(client.pool, MessageType::CreatePipeline, &allowed());
    let pipeline = CommandLine {
        command: String::new(),
        arguments: vec![STANDARD.encode(first)],
        command_id: Some(CommandId::new(PIPELINE)),
    };
    for (action, body) in [
        (Action::Command, RequestBody::Command(line)),
        (Action::Command, RequestBody::Command(pipeline.clone())),
        (Action::Delete, RequestBody::Delete),
    ] {
        let answer = client.raw.ask(Resource::CmdShell, action, Some(pool), body).await;
        assert_eq!(answer.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    }
    for (action, body) in [
        (Action::Command, RequestBody::Command(pipeline.clone())),
        (Action::Receive, RequestBody::Receive { command_id: None, streams: vec!["stdout".to_owned()] }),
        (Action::Delete, RequestBody::Delete),
    ] {
        let answer = client.raw.powershell(action, Some(cmd), 512_000, body).await;
        assert_eq!(answer.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    }
    // Nor is it another session configuration's, or another target's.
    let asked = (Action::Command, Some(pool));
    let answer = client.raw.configured("PowerShell.7", asked, 512_000, RequestBody::Command(pipeline.clone())).await;
    assert_eq!(answer.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    let mut elsewhere = Raw::connect(remote.site.gateway, "127.0.0.1", &remote.site.ca(), "/wsman/web02").await;
    let binding = Some(elsewhere.binding());
    let scheme = sekisho_protocol::http_auth::Scheme::CredSsp;
    elsewhere.log_in(scheme, (USER, &super::password(&remote.site)), binding).await.unwrap();
    let answer = elsewhere.powershell(Action::Command, Some(pool), 512_000, RequestBody::Command(pipeline)).await;
    assert_eq!(answer.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    assert!(client.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_session_configuration_that_the_target_does_not_allow_is_refused_before_it_is_bothered() {
    let remote = Remote::new().await;
    let mut raw = remote.connection(USER).await;
    for configuration in ["Other", "Microsoft.PowerShell32", "microsoft.powershell.workflow", "Microsoft.PowerShell/x"]
    {
        let pool = Uuid::new_v4();
        let (_, creation) = opening(pool, host());
        let asked = (Action::Create, None);
        let answer = raw.configured(configuration, asked, 512_000, create(pool, &creation)).await;
        assert_eq!(answer.unwrap_err().code, FaultCode::INVALID_RESOURCE_URI, "{configuration}");
    }
    assert_eq!((remote.heard().len(), remote.shells()), (0, 0));
    let pool = Uuid::new_v4();
    let (_, creation) = opening(pool, host());
    let asked = (Action::Create, None);
    let answer = raw.configured("MICROSOFT.powershell", asked, 512_000, create(pool, &creation)).await;
    assert!(answer.is_ok(), "names are compared without case");
    assert_eq!(CONFIGURATION, "Microsoft.PowerShell");
    remote.site.stop().await;
}

#[tokio::test]
async fn an_opening_that_is_none_opens_nothing() {
    let remote = Remote::new().await;
    let mut raw = remote.connection(USER).await;
    let pool = Uuid::new_v4();
    let (_, creation) = opening(pool, host());
    let ids = (pool, None);
    let said = |object, kind, body: &Value| to_server(object, kind, ids, body);
    let with = |version: &str| {
        [
            said(1, MessageType::SessionCapability, &capability(version)),
            said(2, MessageType::InitRunspacePool, &initial()),
        ]
        .concat()
    };
    let shell = |creation_xml: Option<String>| {
        RequestBody::Create(CreateShell { shell_id: Some(ShellId::new(pool)), creation_xml, ..CreateShell::default() })
    };
    for (what, body) in [
        ("nothing", shell(None)),
        ("no base64", shell(Some("!".to_owned()))),
        ("no fragments", shell(Some("AAAA".to_owned()))),
        ("half of it", create(pool, &creation[..creation.len() - 1])),
        ("another pool's", create(Uuid::from_u128(9), &creation)),
        ("the capability alone", create(pool, &said(1, MessageType::SessionCapability, &capability("2.3")))),
        ("the opening alone", create(pool, &said(1, MessageType::InitRunspacePool, &initial()))),
        ("more than an opening", create(pool, &[with("2.3"), said(3, MessageType::PublicKey, &text(""))].concat())),
        ("version 3", create(pool, &with("3.0"))),
        ("version 2.0", create(pool, &with("2.0"))),
        ("no version", create(pool, &with("2.x"))),
        ("a pipeline", create(pool, &begun(pool, MessageType::CreatePipeline, &allowed()))),
    ] {
        let answer = raw.powershell(Action::Create, None, 512_000, body).await;
        assert_eq!(answer.unwrap_err().code, FaultCode::PSRP_MALFORMED, "{what}");
    }
    assert_eq!((remote.heard().len(), remote.shells()), (0, 0), "no target is bothered");
    let newest = raw.powershell(Action::Create, None, 512_000, create(pool, &with("2.4"))).await;
    assert!(newest.is_ok(), "later clients are answered by what is served");
    assert_eq!(SessionCapability::decode(&capability("2.4")).unwrap().protocol, ProtocolVersion::V2_3);
    remote.site.stop().await;
}

#[tokio::test]
async fn sessions_are_not_disconnected() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    for action in ["Disconnect", "Reconnect", "Connect"] {
        let body = RequestBody::Receive { command_id: None, streams: vec!["stdout".to_owned()] };
        let resource = Resource::PowerShell(CONFIGURATION.to_owned());
        let shell = Some(ShellId::new(client.pool));
        let header = super::super::raw::header(resource, Action::Receive, shell);
        let xml = encode_request(&Request { header, body }).unwrap();
        let asked = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive";
        let changed = xml.replacen(asked, &asked.replace("Receive", action), 1);
        assert_ne!(xml, changed);
        let fault = client.raw.say(&changed).await.unwrap_err();
        assert_eq!(fault.code, FaultCode(2_150_858_818), "{action}");
    }
    assert!(client.works().await);
    remote.site.stop().await;
}

/// What the pool itself answers waits for its client, and there is an end to it.
#[tokio::test]
async fn questions_about_runspaces_are_answered_and_change_nothing() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let heard = remote.heard().len();
    let body = |name: &str| Value::object(Object::of_members([(name, Value::int(99)), ("CI", Value::long(7))]));
    for (object, kind) in (9..).zip([
        MessageType::SetMaxRunspaces,
        MessageType::SetMinRunspaces,
        MessageType::GetAvailableRunspaces,
        MessageType::ResetRunspaceState,
    ]) {
        let bytes = to_server(object, kind, (client.pool, None), &body("MaxRunspaces"));
        client.send(None, Stream::Main, &bytes).await.unwrap();
        client.receive_pool().await.unwrap();
    }
    assert_eq!(remote.heard().len(), heard, "the number of runspaces is the gateway's affair");
    assert!(client.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn commands_are_asked_for_of_the_policy() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let first = begun(client.pool, MessageType::GetCommandMetadata, &question(false));
    client.command(PIPELINE, &first).await.unwrap();
    let response = client.poll(Some(PIPELINE)).await.unwrap();
    let bytes: Vec<u8> = response.streams.into_iter().flat_map(|chunk| chunk.data).collect();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(shown.contains("Restart-Service") && !shown.contains("Remove-Item"), "{shown}");
    assert_eq!(remote.pipelines(), 0, "no target is asked");
    remote.site.stop().await;
}

/// An error of a client's is not shown to the target, and one of the gateway's own not to be mistaken for it.
#[tokio::test]
async fn a_client_answers_a_question_by_an_error_of_no_concern_to_the_target() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let id = client.start(&pipeline(vec![command("Read-Host", vec![])])).await;
    let record = ErrorRecord {
        message: "canary-error".to_owned(),
        id: "Canary".to_owned(),
        category: ErrorCategory::PermissionDenied,
        about: String::new(),
    };
    let ran = client.follow(id, |_| HostResult::Error(record.encode())).await;
    assert_eq!(ran.failure().0, "SekishoNoAnswer");
    for heard in remote.heard() {
        if let super::Heard::Send { data, .. } = heard {
            assert!(!String::from_utf8_lossy(&data).contains("canary"));
        }
    }
    remote.site.stop().await;
}

/// Whoever asks and does not fetch the answers comes to an end before the gateway's memory does.
#[tokio::test]
async fn answers_that_nobody_fetches_are_bounded() {
    let remote = Remote::new().await;
    let body = Value::object(Object::of_members([("CI", Value::long(7))]));
    let mut client = remote.client().await;
    let mut object = 9;
    let mut most = 64_usize;
    let code = loop {
        let mut data = Vec::new();
        while data.len() < 300_000 {
            data.extend(to_server(object, MessageType::GetAvailableRunspaces, (client.pool, None), &body));
            object += 1;
        }
        if let Err(fault) = client.send(None, Stream::Main, &data).await {
            break fault.code;
        }
        most = most.checked_sub(1).expect("there is no end to what waits");
    };
    assert_eq!(code, FaultCode::PSRP_MALFORMED);
    assert!(!client.works().await);
    remote.site.stop().await;
}
