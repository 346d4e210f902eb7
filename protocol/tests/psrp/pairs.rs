//! Both machines in memory, and a peer that breaks the rules.

use sekisho_protocol::clixml::{self, Object, Value};
use sekisho_protocol::error::{LimitExceeded, Malformed, Misuse, PeerMisbehaved, Unsupported};
use sekisho_protocol::psrp::{
    Answer, Argument, ClientEvent, Command, CreatePipeline, Destination, ErrorCategory, ErrorRecord, HostCall,
    HostInfo, HostMethod, HostResponse, HostResult, InitRunspacePool, Message, MessageHeader, MessageType,
    PipelineState, PoolClient, PoolServer, RecordBody, ServerEvent, Stated, Stream, private_data,
};
use sekisho_protocol::{Error, psrp::DEBUGGER_KEYS};
use uuid::Uuid;

use crate::support::one_fragment;

const POOL: Uuid = Uuid::from_u128(0xA);
const ONE: Uuid = Uuid::from_u128(1);

fn init() -> InitRunspacePool {
    InitRunspacePool { min: 1, max: 1, host: HostInfo::none() }
}

fn pair(fragment: usize) -> (PoolClient, PoolServer) {
    let mut client = PoolClient::new(POOL, &init(), fragment).unwrap();
    let creation = client.take_output(None, Stream::Main, usize::MAX).unwrap();
    let debugger = DEBUGGER_KEYS.map(|key| (Value::text(key), Value::int(1)));
    let version = (Value::text("PSVersionTable"), Value::text("5.1"));
    let data = private_data(debugger.into_iter().chain([version]).collect());
    let mut server = PoolServer::open(POOL, &creation, &data, fragment).unwrap();
    while let Some(piece) = server.take_output(None, 1) {
        client.receive(None, &piece).unwrap();
    }
    let data = private_data(vec![(Value::text("PSVersionTable"), Value::text("5.1"))]);
    assert_eq!(client.next_event(), Some(ClientEvent::PrivateData(data)), "the debugger's keys are gone");
    assert_eq!(client.next_event(), Some(ClientEvent::Opened));
    (client, server)
}

fn request(no_input: bool) -> CreatePipeline {
    let argument = Argument { name: Some("Name".to_owned()), value: Value::text("受注 ".repeat(40)) };
    let statement = vec![Command::new("Restart-Service", vec![argument])];
    CreatePipeline { no_input, ..CreatePipeline::of_statements(vec![statement]) }
}

/// Carries what the client has for a pipeline, at most `room` bytes at a time.
fn carry(client: &mut PoolClient, server: &mut PoolServer, room: usize) {
    let mut first = true;
    for stream in [Stream::Main, Stream::PromptResponse] {
        while let Some(piece) = client.take_output(Some(ONE), stream, room) {
            match stream {
                Stream::Main if std::mem::take(&mut first) => {
                    if server.command(ONE, &piece) == Err(PeerMisbehaved::OutOfOrder.into()) {
                        panic!("a second command");
                    }
                }
                Stream::Main | Stream::PromptResponse => server.receive(Some(ONE), stream, &piece).unwrap(),
            }
        }
    }
}

#[test]
fn a_pipeline_runs_whatever_the_size_of_fragments() {
    for fragment in (22..200).chain([4096]) {
        let (mut client, mut server) = pair(fragment);
        client.create_pipeline(ONE, &request(false)).unwrap();
        client.input(ONE, &Value::int(5)).unwrap();
        client.end_of_input(ONE).unwrap();
        carry(&mut client, &mut server, fragment);
        assert_eq!(server.next_event(), Some(ServerEvent::Pipeline { id: ONE, request: request(false) }));
        assert_eq!(server.next_event(), Some(ServerEvent::Input { id: ONE, value: Value::int(5) }));
        assert_eq!(server.next_event(), Some(ServerEvent::EndOfInput { id: ONE }));

        let body = clixml::encode(&Value::text("done")).into_bytes();
        server.record(ONE, MessageType::PipelineOutput, RecordBody::new(body.clone())).unwrap();
        server.record(ONE, MessageType::PipelineOutput, RecordBody::new(Vec::new())).unwrap();
        let completed = Stated { state: PipelineState::Completed, error: None };
        server.state(ONE, &completed).unwrap();
        while let Some(piece) = server.take_output(Some(ONE), fragment) {
            client.receive(Some(ONE), &piece).unwrap();
        }
        assert_eq!(
            client.next_event(),
            Some(ClientEvent::Record { id: ONE, kind: MessageType::PipelineOutput, body: RecordBody::new(body) })
        );
        assert!(matches!(client.next_event(), Some(ClientEvent::Record { body, .. }) if body.is_empty()));
        assert_eq!(client.next_event(), Some(ClientEvent::State { id: ONE, stated: completed }));
        assert_eq!(
            server.record(ONE, MessageType::PipelineOutput, RecordBody::new(Vec::new())),
            Err(Misuse::WrongState.into())
        );
        assert_eq!(client.input(ONE, &Value::Nil), Err(Misuse::WrongState.into()));
    }
}

#[test]
fn a_call_to_the_host_is_answered_once_by_its_own_method() {
    let (mut client, mut server) = pair(4096);
    client.create_pipeline(ONE, &request(true)).unwrap();
    carry(&mut client, &mut server, usize::MAX);
    let call = HostCall { call: 7, method: HostMethod::ReadLine, parameters: Vec::new() };
    server.host_call(Some(ONE), &call, Answer::Wanted).unwrap();
    assert_eq!(server.host_call(Some(ONE), &call, Answer::Wanted), Err(Misuse::WrongState.into()));
    client.receive(Some(ONE), &server.take_output(Some(ONE), usize::MAX).unwrap()).unwrap();
    assert_eq!(client.next_event(), Some(ClientEvent::HostCall { id: Some(ONE), call }));

    let response = |call, method| HostResponse { call, method, result: HostResult::Value(Value::text("yes")) };
    let right = response(7, HostMethod::ReadLine);
    client.host_response(Some(ONE), &right).unwrap();
    let bytes = client.take_output(Some(ONE), Stream::PromptResponse, usize::MAX).unwrap();
    server.receive(Some(ONE), Stream::PromptResponse, &bytes).unwrap();
    let _pipeline = server.next_event();
    assert_eq!(server.next_event(), Some(ServerEvent::HostResponse { id: Some(ONE), response: right.clone() }));
    for wrong in [right, response(8, HostMethod::ReadLine), response(7, HostMethod::Prompt)] {
        let (mut client, mut server) = pair(4096);
        client.create_pipeline(ONE, &request(true)).unwrap();
        carry(&mut client, &mut server, usize::MAX);
        if wrong.method == HostMethod::Prompt {
            let call = HostCall { call: 7, method: HostMethod::ReadLine, parameters: Vec::new() };
            server.host_call(Some(ONE), &call, Answer::Wanted).unwrap();
        }
        client.host_response(Some(ONE), &wrong).unwrap();
        let bytes = client.take_output(Some(ONE), Stream::PromptResponse, usize::MAX).unwrap();
        let refused = server.receive(Some(ONE), Stream::PromptResponse, &bytes);
        assert_eq!(refused, Err(PeerMisbehaved::Unrelated.into()), "{wrong:?}");
    }
}

#[test]
fn calls_that_wait_are_bounded() {
    let (mut client, mut server) = pair(4096);
    client.create_pipeline(ONE, &request(true)).unwrap();
    carry(&mut client, &mut server, usize::MAX);
    let call = |call| HostCall { call, method: HostMethod::ReadLine, parameters: Vec::new() };
    let refused = (0..1000).find_map(|number| server.host_call(Some(ONE), &call(number), Answer::Wanted).err());
    assert_eq!(refused, Some(LimitExceeded::InFlight.into()));
}

#[test]
fn a_denial_has_the_shape_of_an_endpoints() {
    let error = ErrorRecord {
        message: "Stop-Computer is not allowed".to_owned(),
        id: "SekishoPolicyDenied".to_owned(),
        category: ErrorCategory::PermissionDenied,
        about: "Stop-Computer".to_owned(),
    };
    let text = clixml::encode(&error.encode());
    for part in [
        "<T>System.Management.Automation.ErrorRecord</T>",
        "<S N=\"FullyQualifiedErrorId\">SekishoPolicyDenied</S>",
        "<I32 N=\"ErrorCategory_Category\">18</I32>",
        "<S N=\"ErrorCategory_Message\">PermissionDenied: (Stop-Computer:String) [], RuntimeException</S>",
        "<B N=\"SerializeExtendedInfo\">false</B>",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

/// One message in one fragment; each sender's objects are numbered by the test.
fn wire(object: u64, destination: Destination, kind: MessageType, pipeline: Option<Uuid>, body: &Value) -> Vec<u8> {
    let header = MessageHeader { destination, kind, pool: POOL, pipeline: pipeline.unwrap_or_default() };
    one_fragment(object, Message::new(header, body))
}

fn to_server(object: u64, kind: MessageType, pipeline: Option<Uuid>, body: &Value) -> Vec<u8> {
    wire(object, Destination::Server, kind, pipeline, body)
}

/// A server whose pipeline takes no input.
fn running() -> PoolServer {
    let (_, mut server) = pair(4096);
    server.command(ONE, &to_server(9, MessageType::CreatePipeline, Some(ONE), &request(true).encode())).unwrap();
    server
}

/// What it is, on which pipeline and stream, the bytes, and the rule that they break.
type ClientCase = (&'static str, Option<Uuid>, Stream, Vec<u8>, Error);

#[test]
#[expect(clippy::too_many_lines, reason = "a table of attacks")]
fn a_client_that_breaks_the_rules_is_refused_and_stays_refused() {
    let pipeline = request(true).encode();
    let order: Error = PeerMisbehaved::OutOfOrder.into();
    let cases: Vec<ClientCase> = vec![
        (
            "a second CREATE_PIPELINE",
            Some(ONE),
            Stream::Main,
            to_server(10, MessageType::CreatePipeline, Some(ONE), &pipeline),
            order,
        ),
        (
            "input where none was announced",
            Some(ONE),
            Stream::Main,
            to_server(10, MessageType::PipelineInput, Some(ONE), &Value::Nil),
            order,
        ),
        (
            "a pipeline that no Command has opened",
            Some(Uuid::from_u128(2)),
            Stream::Main,
            to_server(10, MessageType::PipelineInput, Some(Uuid::from_u128(2)), &Value::Nil),
            order,
        ),
        (
            "another pipeline's message",
            Some(ONE),
            Stream::Main,
            to_server(10, MessageType::PipelineInput, Some(Uuid::from_u128(2)), &Value::Nil),
            PeerMisbehaved::WrongPipeline.into(),
        ),
        (
            "a pool's message on a pipeline",
            Some(ONE),
            Stream::Main,
            to_server(10, MessageType::PublicKey, None, &Value::Nil),
            PeerMisbehaved::WrongPipeline.into(),
        ),
        (
            "a pipeline's message on the pool",
            None,
            Stream::Main,
            to_server(10, MessageType::CreatePipeline, Some(ONE), &pipeline),
            PeerMisbehaved::WrongPipeline.into(),
        ),
        (
            "an answer to no call",
            Some(ONE),
            Stream::PromptResponse,
            to_server(
                10,
                MessageType::PipelineHostResponse,
                Some(ONE),
                &HostResponse { call: 1, method: HostMethod::ReadLine, result: HostResult::Done }.encode(),
            ),
            PeerMisbehaved::Unrelated.into(),
        ),
        (
            "an answer on the wrong stream",
            Some(ONE),
            Stream::Main,
            to_server(10, MessageType::PipelineHostResponse, Some(ONE), &Value::Nil),
            order,
        ),
        (
            "input on the wrong stream",
            Some(ONE),
            Stream::PromptResponse,
            to_server(10, MessageType::PipelineInput, Some(ONE), &Value::Nil),
            order,
        ),
        (
            "a second INIT_RUNSPACEPOOL",
            None,
            Stream::Main,
            to_server(10, MessageType::InitRunspacePool, None, &init().encode()),
            order,
        ),
        (
            "a connection to a session",
            None,
            Stream::Main,
            to_server(10, MessageType::ConnectRunspacePool, None, &Value::text("")),
            Unsupported::Disconnection.into(),
        ),
        (
            "a server's message",
            Some(ONE),
            Stream::Main,
            wire(10, Destination::Server, MessageType::PipelineOutput, Some(ONE), &Value::Nil),
            PeerMisbehaved::WrongDirection.into(),
        ),
        (
            "a message for a client",
            Some(ONE),
            Stream::Main,
            wire(10, Destination::Client, MessageType::PipelineOutput, Some(ONE), &Value::Nil),
            PeerMisbehaved::WrongDirection.into(),
        ),
        (
            "an object number again",
            Some(ONE),
            Stream::Main,
            to_server(9, MessageType::PipelineInput, Some(ONE), &Value::Nil),
            PeerMisbehaved::FragmentOrder.into(),
        ),
    ];
    for (what, id, stream, bytes, error) in cases {
        let mut server = running();
        assert_eq!(server.receive(id, stream, &bytes), Err(error), "{what}");
        assert_eq!(server.next_event(), None, "{what}: nothing of it is run");
        assert_eq!(server.receive(None, Stream::Main, b""), Err(error), "{what}: failed stays failed");
    }
}

#[test]
fn input_before_a_pipeline_is_complete_is_refused() {
    let (_, mut server) = pair(4096);
    let whole = to_server(9, MessageType::CreatePipeline, Some(ONE), &request(false).encode());
    // The first half of the pipeline, and an object of its own within it.
    let (head, blob) = whole.split_at(21);
    let mut half = head.to_vec();
    half[16] = 1;
    half[17..21].copy_from_slice(&100_u32.to_be_bytes());
    half.extend_from_slice(&blob[..100]);
    server.command(ONE, &half).unwrap();
    let input = to_server(10, MessageType::PipelineInput, Some(ONE), &Value::Nil);
    assert_eq!(server.receive(Some(ONE), Stream::Main, &input), Err(PeerMisbehaved::FragmentOrder.into()));
    assert_eq!(server.next_event(), None);
}

#[test]
fn the_first_message_of_a_pipeline_has_to_open_it() {
    for kind in [MessageType::PipelineInput, MessageType::EndOfPipelineInput, MessageType::PipelineHostResponse] {
        let (_, mut server) = pair(4096);
        let refused = server.command(ONE, &to_server(9, kind, Some(ONE), &Value::Nil));
        assert_eq!(refused, Err(PeerMisbehaved::OutOfOrder.into()), "{kind:?}");
    }
    let mut server = running();
    let again = to_server(10, MessageType::CreatePipeline, Some(ONE), &request(true).encode());
    assert_eq!(server.command(ONE, &again), Err(PeerMisbehaved::OutOfOrder.into()), "an id that is taken");
}

#[test]
fn a_pool_is_opened_by_its_two_messages_and_nothing_else() {
    let data = private_data(Vec::new());
    let client =
        |pool| PoolClient::new(pool, &init(), 4096).unwrap().take_output(None, Stream::Main, usize::MAX).unwrap();
    let both = client(POOL);
    assert!(PoolServer::open(POOL, &both, &data, 4096).is_ok());
    let other = PoolServer::open(POOL, &client(ONE), &data, 4096).map(|_| ());
    assert_eq!(other, Err(PeerMisbehaved::WrongPool.into()), "another pool's id");
    let capability = client(POOL);
    let first = capability.len()
        - PoolClient::new(POOL, &init(), 4096)
            .map(|mut client| {
                client.take_output(None, Stream::Main, 0).unwrap();
                client.take_output(None, Stream::Main, 0).unwrap().len()
            })
            .unwrap();
    let alone = PoolServer::open(POOL, &capability[..first], &data, 4096).map(|_| ());
    assert_eq!(alone, Err(PeerMisbehaved::OutOfOrder.into()), "no INIT_RUNSPACEPOOL");
    let pipeline = to_server(9, MessageType::PublicKey, None, &Value::Nil);
    let more = PoolServer::open(POOL, &[both, pipeline].concat(), &data, 4096).map(|_| ());
    assert_eq!(more, Err(PeerMisbehaved::OutOfOrder.into()), "a third message");
}

#[test]
fn questions_about_runspaces_change_nothing() {
    let (mut client, mut server) = pair(4096);
    for (object, kind) in
        [(9, MessageType::SetMaxRunspaces), (10, MessageType::SetMinRunspaces), (11, MessageType::ResetRunspaceState)]
    {
        let body = Value::object(Object::of_members([("MaxRunspaces", Value::int(99)), ("CI", Value::long(4))]));
        server.receive(None, Stream::Main, &to_server(object, kind, None, &body)).unwrap();
        assert_eq!(server.next_event(), None);
        client.receive(None, &server.take_output(None, usize::MAX).unwrap()).unwrap();
    }
    assert_eq!(client.next_event(), None);
}

/// What it is, on which pipeline, the pieces, and the rule that the last one breaks.
type TargetCase = (&'static str, Option<Uuid>, Vec<Vec<u8>>, Error);

#[test]
fn a_target_that_breaks_the_rules_is_refused_and_stays_refused() {
    let completed = Stated { state: PipelineState::Completed, error: None }.encode_pipeline();
    let to_client = |object, kind, id, body: &Value| wire(object, Destination::Client, kind, id, body);
    let order: Error = PeerMisbehaved::OutOfOrder.into();
    let cases: Vec<TargetCase> = vec![
        (
            "output after the end",
            Some(ONE),
            vec![
                to_client(50, MessageType::PipelineState, Some(ONE), &completed),
                to_client(51, MessageType::PipelineOutput, Some(ONE), &Value::Nil),
            ],
            PeerMisbehaved::AfterEnd.into(),
        ),
        (
            "output of a pipeline that was not started",
            Some(Uuid::from_u128(2)),
            vec![to_client(50, MessageType::PipelineOutput, Some(Uuid::from_u128(2)), &Value::Nil)],
            PeerMisbehaved::Unrelated.into(),
        ),
        (
            "another pipeline's output",
            Some(ONE),
            vec![to_client(50, MessageType::PipelineOutput, Some(Uuid::from_u128(2)), &Value::Nil)],
            PeerMisbehaved::WrongPipeline.into(),
        ),
        ("a second capability", None, vec![to_client(50, MessageType::SessionCapability, None, &Value::Nil)], order),
        (
            "a client's message",
            Some(ONE),
            vec![to_client(50, MessageType::PipelineInput, Some(ONE), &Value::Nil)],
            PeerMisbehaved::WrongDirection.into(),
        ),
        (
            "a method that no host has",
            Some(ONE),
            vec![to_client(
                50,
                MessageType::PipelineHostCall,
                Some(ONE),
                &Value::object(Object::of_members([
                    ("ci", Value::long(1)),
                    ("mi", Value::int(99)),
                    ("mp", Value::Nil),
                ])),
            )],
            Malformed::PsrpBody.into(),
        ),
    ];
    for (what, id, pieces, error) in cases {
        let (mut client, _) = pair(4096);
        client.create_pipeline(ONE, &request(true)).unwrap();
        let refused = pieces.iter().find_map(|piece| client.receive(id, piece).err());
        assert_eq!(refused, Some(error), "{what}");
        assert_eq!(client.receive(None, b""), Err(error), "{what}: failed stays failed");
    }
    let (mut client, _) = pair(4096);
    client.create_pipeline(ONE, &request(true)).unwrap();
    let header =
        MessageHeader { destination: Destination::Client, kind: MessageType::ErrorRecord, pool: POOL, pipeline: ONE };
    let empty = one_fragment(50, Message { header, body: RecordBody::new(Vec::new()) });
    assert_eq!(client.receive(Some(ONE), &empty), Err(Unsupported::EmptyRecord.into()));
}

#[test]
fn commands_wait_until_the_pool_is_open() {
    let mut client = PoolClient::new(POOL, &init(), 4096).unwrap();
    assert_eq!(client.create_pipeline(ONE, &request(true)), Err(Misuse::WrongState.into()));
    let early = wire(1, Destination::Client, MessageType::RunspacePoolState, None, &Value::Nil);
    assert_eq!(client.receive(None, &early), Err(PeerMisbehaved::OutOfOrder.into()), "no capability yet");
}
