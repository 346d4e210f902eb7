//! What becomes of every type of message and every method of a host, on every stream and in every phase: a table that
//! a new type or method has to be entered in.

mod host_methods;
mod of_target;

use sekisho_protocol::Error;
use sekisho_protocol::clixml::{Content, ListKind, Object, Value};
use sekisho_protocol::error::{PeerMisbehaved, Unsupported};
use sekisho_protocol::psrp::{
    Answer, ClientEvent, Command, CreatePipeline, Defragmenter, Destination, Direction, ErrorCategory, ErrorRecord,
    Family, HostCall, HostInfo, HostMethod, HostResponse, HostResult, InitRunspacePool, Message, MessageHeader,
    MessageType, Passage, PipelineState, PoolClient, PoolServer, PoolState, ServerEvent, SessionCapability, Stated,
    Stream, private_data,
};
use uuid::Uuid;

use crate::support::one_fragment;

const POOL: Uuid = Uuid::from_u128(0xA);
const ONE: Uuid = Uuid::from_u128(1);
const CALL: i64 = 7;
const BOTH_STREAMS: [Stream; 2] = [Stream::Main, Stream::PromptResponse];

/// What a machine does with a message.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    /// It tells of it, by the name of the event.
    Told(&'static str),
    /// It answers by itself.
    Answered(MessageType),
    /// It takes it, and nothing comes of it.
    Ignored,
    /// It refuses it, and whatever follows.
    Refused(Error),
}

const OUT_OF_ORDER: Outcome = Outcome::Refused(Error::PeerMisbehaved(PeerMisbehaved::OutOfOrder));
const WRONG_DIRECTION: Outcome = Outcome::Refused(Error::PeerMisbehaved(PeerMisbehaved::WrongDirection));
const WRONG_PIPELINE: Outcome = Outcome::Refused(Error::PeerMisbehaved(PeerMisbehaved::WrongPipeline));
const UNRELATED: Outcome = Outcome::Refused(Error::PeerMisbehaved(PeerMisbehaved::Unrelated));
const AFTER_END: Outcome = Outcome::Refused(Error::PeerMisbehaved(PeerMisbehaved::AfterEnd));
const NO_CONNECTION: Outcome = Outcome::Refused(Error::Unsupported(Unsupported::Disconnection));

fn init() -> InitRunspacePool {
    InitRunspacePool { min: 1, max: 1, host: HostInfo::none() }
}

fn pipeline(no_input: bool) -> CreatePipeline {
    let command = Command::new("Get-Service", Vec::new());
    CreatePipeline { no_input, ..CreatePipeline::of_statements(vec![vec![command]]) }
}

fn metadata() -> Value {
    let names = Content::List(ListKind::List, vec![Value::text("Out-Default")]);
    Value::object(Object::of_members([
        ("Name", Value::object(Object { content: names, ..Object::default() })),
        ("CommandType", Value::int(271)),
        ("Namespace", Value::Nil),
        ("ArgumentList", Value::Nil),
    ]))
}

fn question() -> Value {
    Value::object(Object::of_members([("CI", Value::long(4)), ("MaxRunspaces", Value::int(9))]))
}

fn named(name: &str) -> Value {
    Value::object(Object::of_members([(name, Value::text("AAAA"))]))
}

/// A body that its reader takes.
fn body(kind: MessageType) -> Value {
    let call = HostCall { call: CALL, method: HostMethod::ReadLine, parameters: Vec::new() };
    let response = HostResponse { call: CALL, method: HostMethod::ReadLine, result: HostResult::Done };
    match kind {
        MessageType::SessionCapability => {
            SessionCapability { protocol: sekisho_protocol::psrp::ProtocolVersion::V2_3 }.encode()
        }
        MessageType::InitRunspacePool => init().encode(),
        MessageType::PublicKey => named("PublicKey"),
        MessageType::EncryptedSessionKey => named("EncryptedSessionKey"),
        MessageType::PublicKeyRequest | MessageType::ConnectRunspacePool => Value::text(""),
        MessageType::SetMaxRunspaces
        | MessageType::SetMinRunspaces
        | MessageType::GetAvailableRunspaces
        | MessageType::ResetRunspaceState
        | MessageType::RunspaceAvailability => question(),
        MessageType::RunspacePoolState => Stated { state: PoolState::Opened, error: None }.encode_pool(),
        MessageType::CreatePipeline => pipeline(true).encode(),
        MessageType::GetCommandMetadata => metadata(),
        MessageType::ApplicationPrivateData => private_data(Vec::new()),
        MessageType::PipelineState => Stated { state: PipelineState::Completed, error: None }.encode_pipeline(),
        MessageType::RunspacePoolHostCall | MessageType::PipelineHostCall => call.encode(),
        MessageType::RunspacePoolHostResponse | MessageType::PipelineHostResponse => response.encode(),
        MessageType::EndOfPipelineInput => Value::Nil,
        MessageType::UserEvent
        | MessageType::RunspacePoolInitData
        | MessageType::PipelineInput
        | MessageType::PipelineOutput
        | MessageType::ErrorRecord
        | MessageType::DebugRecord
        | MessageType::VerboseRecord
        | MessageType::WarningRecord
        | MessageType::ProgressRecord
        | MessageType::InformationRecord => Value::text("x"),
    }
}

fn wire(destination: Destination, kind: MessageType, pipeline: Option<Uuid>) -> Vec<u8> {
    let header = MessageHeader { destination, kind, pool: POOL, pipeline: pipeline.unwrap_or_default() };
    let message = if kind == MessageType::EndOfPipelineInput {
        Message { header, body: sekisho_protocol::psrp::RecordBody::new(Vec::new()) }
    } else {
        Message::new(header, &body(kind))
    };
    one_fragment(100, message)
}

fn kind_of(fragments: &[u8]) -> MessageType {
    Message::decode(Defragmenter::new().receive(fragments).unwrap().remove(0)).unwrap().header.kind
}

// ---- The server, against a client.

#[derive(Debug, Clone, Copy, PartialEq)]
enum OfPool {
    Negotiated,
    Opened,
    /// A call to the host is open.
    Asked,
    Closed,
}

fn server(phase: OfPool) -> PoolServer {
    let creation = PoolClient::new(POOL, &init(), 4096).unwrap().take_output(None, Stream::Main, usize::MAX).unwrap();
    let mut server = PoolServer::negotiate(POOL, &creation, 4096).unwrap();
    if phase != OfPool::Negotiated {
        server.opened(&private_data(Vec::new()));
    }
    if phase == OfPool::Asked {
        let call = HostCall { call: CALL, method: HostMethod::ReadLine, parameters: Vec::new() };
        server.host_call(None, &call, Answer::Wanted).unwrap();
    }
    if phase == OfPool::Closed {
        server.pool_state(&Stated { state: PoolState::Closed, error: None });
    }
    while server.take_output(None, usize::MAX).is_some() {}
    server
}

fn told_by_server(server: &mut PoolServer, result: sekisho_protocol::Result<()>) -> Outcome {
    if let Err(error) = result {
        assert_eq!(server.next_event(), None, "nothing of it is run");
        assert_eq!(server.receive(None, Stream::Main, b""), Err(error), "failed stays failed");
        return Outcome::Refused(error);
    }
    if let Some(event) = server.next_event() {
        assert_eq!(server.next_event(), None);
        return Outcome::Told(match event {
            ServerEvent::Pipeline { .. } => "Pipeline",
            ServerEvent::Metadata { .. } => "Metadata",
            ServerEvent::Input { .. } => "Input",
            ServerEvent::EndOfInput { .. } => "EndOfInput",
            ServerEvent::HostResponse { .. } => "HostResponse",
            ServerEvent::PublicKey { .. } => "PublicKey",
        });
    }
    let answer = server.take_output(None, usize::MAX).or_else(|| server.take_output(Some(ONE), usize::MAX));
    answer.map_or(Outcome::Ignored, |answer| Outcome::Answered(kind_of(&answer)))
}

/// What the client may send, and what comes of it while the pool is open.
fn pool_answer(kind: MessageType, stream: Stream, phase: OfPool) -> Outcome {
    let on = |wanted, outcome| if stream == wanted { outcome } else { OUT_OF_ORDER };
    match kind {
        _ if phase == OfPool::Closed => Outcome::Ignored,
        MessageType::PublicKey => on(Stream::Main, Outcome::Told("PublicKey")),
        MessageType::SetMaxRunspaces
        | MessageType::SetMinRunspaces
        | MessageType::GetAvailableRunspaces
        | MessageType::ResetRunspaceState => on(Stream::Main, Outcome::Answered(MessageType::RunspaceAvailability)),
        MessageType::RunspacePoolHostResponse => {
            let answered = if phase == OfPool::Asked { Outcome::Told("HostResponse") } else { UNRELATED };
            on(Stream::PromptResponse, answered)
        }
        MessageType::ConnectRunspacePool => on(Stream::Main, NO_CONNECTION),
        // Once, in the Create.
        MessageType::SessionCapability | MessageType::InitRunspacePool => OUT_OF_ORDER,
        // About a pipeline.
        MessageType::CreatePipeline
        | MessageType::GetCommandMetadata
        | MessageType::PipelineInput
        | MessageType::EndOfPipelineInput
        | MessageType::PipelineHostResponse => WRONG_PIPELINE,
        MessageType::EncryptedSessionKey
        | MessageType::PublicKeyRequest
        | MessageType::RunspaceAvailability
        | MessageType::RunspacePoolState
        | MessageType::UserEvent
        | MessageType::ApplicationPrivateData
        | MessageType::RunspacePoolInitData
        | MessageType::RunspacePoolHostCall
        | MessageType::PipelineOutput
        | MessageType::ErrorRecord
        | MessageType::PipelineState
        | MessageType::DebugRecord
        | MessageType::VerboseRecord
        | MessageType::WarningRecord
        | MessageType::ProgressRecord
        | MessageType::InformationRecord
        | MessageType::PipelineHostCall => WRONG_DIRECTION,
    }
}

#[test]
fn every_message_of_a_client_to_the_pool_has_its_answer() {
    for kind in MessageType::ALL.iter().copied() {
        for stream in BOTH_STREAMS {
            for phase in [OfPool::Negotiated, OfPool::Opened, OfPool::Asked, OfPool::Closed] {
                let mut server = server(phase);
                let result = server.receive(None, stream, &wire(Destination::Server, kind, None));
                let outcome = told_by_server(&mut server, result);
                assert_eq!(outcome, pool_answer(kind, stream, phase), "{kind:?} {stream:?} {phase:?}");
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum OfPipeline {
    /// The Command itself.
    First,
    TakesInput,
    Running,
    /// A call to the host is open.
    Asked,
    Ended,
    Forgotten,
}

fn pipeline_answer(kind: MessageType, stream: Stream, phase: OfPipeline) -> Outcome {
    let main = stream == Stream::Main;
    match kind {
        _ if phase == OfPipeline::Forgotten => OUT_OF_ORDER,
        MessageType::CreatePipeline if main && phase == OfPipeline::First => Outcome::Told("Pipeline"),
        MessageType::GetCommandMetadata if main && phase == OfPipeline::First => Outcome::Told("Metadata"),
        MessageType::PipelineInput if main && phase == OfPipeline::TakesInput => Outcome::Told("Input"),
        MessageType::EndOfPipelineInput if main && phase == OfPipeline::TakesInput => Outcome::Told("EndOfInput"),
        MessageType::PipelineInput | MessageType::EndOfPipelineInput if main && phase == OfPipeline::Ended => {
            Outcome::Ignored
        }
        MessageType::PipelineHostResponse if !main => match phase {
            OfPipeline::First | OfPipeline::Forgotten => OUT_OF_ORDER,
            OfPipeline::TakesInput | OfPipeline::Running => UNRELATED,
            OfPipeline::Asked => Outcome::Told("HostResponse"),
            OfPipeline::Ended => Outcome::Ignored,
        },
        MessageType::CreatePipeline
        | MessageType::GetCommandMetadata
        | MessageType::PipelineInput
        | MessageType::EndOfPipelineInput
        | MessageType::PipelineHostResponse => OUT_OF_ORDER,
        // About the pool.
        MessageType::SessionCapability
        | MessageType::InitRunspacePool
        | MessageType::PublicKey
        | MessageType::ConnectRunspacePool
        | MessageType::SetMaxRunspaces
        | MessageType::SetMinRunspaces
        | MessageType::GetAvailableRunspaces
        | MessageType::ResetRunspaceState
        | MessageType::RunspacePoolHostResponse => WRONG_PIPELINE,
        MessageType::EncryptedSessionKey
        | MessageType::PublicKeyRequest
        | MessageType::RunspaceAvailability
        | MessageType::RunspacePoolState
        | MessageType::UserEvent
        | MessageType::ApplicationPrivateData
        | MessageType::RunspacePoolInitData
        | MessageType::RunspacePoolHostCall
        | MessageType::PipelineOutput
        | MessageType::ErrorRecord
        | MessageType::PipelineState
        | MessageType::DebugRecord
        | MessageType::VerboseRecord
        | MessageType::WarningRecord
        | MessageType::ProgressRecord
        | MessageType::InformationRecord
        | MessageType::PipelineHostCall => WRONG_DIRECTION,
    }
}

fn running_server(phase: OfPipeline) -> PoolServer {
    let mut server = server(OfPool::Opened);
    if phase == OfPipeline::First {
        return server;
    }
    let takes_input = phase == OfPipeline::TakesInput;
    let header = MessageHeader {
        destination: Destination::Server,
        kind: MessageType::CreatePipeline,
        pool: POOL,
        pipeline: ONE,
    };
    server.command(ONE, &one_fragment(9, Message::new(header, &pipeline(!takes_input).encode()))).unwrap();
    assert!(server.next_event().is_some());
    match phase {
        OfPipeline::First | OfPipeline::TakesInput | OfPipeline::Running => {}
        OfPipeline::Asked => {
            let call = HostCall { call: CALL, method: HostMethod::ReadLine, parameters: Vec::new() };
            server.host_call(Some(ONE), &call, Answer::Wanted).unwrap();
        }
        OfPipeline::Ended => server.state(ONE, &Stated { state: PipelineState::Completed, error: None }).unwrap(),
        OfPipeline::Forgotten => server.forget(ONE),
    }
    while server.take_output(Some(ONE), usize::MAX).is_some() {}
    server
}

#[test]
fn every_message_of_a_client_to_a_pipeline_has_its_answer() {
    let phases = [
        OfPipeline::First,
        OfPipeline::TakesInput,
        OfPipeline::Running,
        OfPipeline::Asked,
        OfPipeline::Ended,
        OfPipeline::Forgotten,
    ];
    for kind in MessageType::ALL.iter().copied() {
        for stream in BOTH_STREAMS {
            for phase in phases {
                // A Command carries the main stream.
                if phase == OfPipeline::First && stream == Stream::PromptResponse {
                    continue;
                }
                let mut server = running_server(phase);
                let bytes = wire(Destination::Server, kind, Some(ONE));
                let result = match phase {
                    OfPipeline::First => server.command(ONE, &bytes),
                    OfPipeline::TakesInput
                    | OfPipeline::Running
                    | OfPipeline::Asked
                    | OfPipeline::Ended
                    | OfPipeline::Forgotten => server.receive(Some(ONE), stream, &bytes),
                };
                let outcome = told_by_server(&mut server, result);
                assert_eq!(outcome, pipeline_answer(kind, stream, phase), "{kind:?} {stream:?} {phase:?}");
            }
        }
    }
}

/// Where pypsrp answers: on the pool's stream, without naming the command.
#[test]
fn calls_of_a_pipeline_are_answered_on_the_pools_stream_too() {
    let answer = wire(Destination::Server, MessageType::PipelineHostResponse, Some(ONE));
    for (phase, expected) in [
        (OfPipeline::Asked, Outcome::Told("HostResponse")),
        (OfPipeline::Running, UNRELATED),
        (OfPipeline::Ended, Outcome::Ignored),
        (OfPipeline::Forgotten, UNRELATED),
    ] {
        let mut server = running_server(phase);
        let result = server.receive(None, Stream::PromptResponse, &answer);
        assert_eq!(told_by_server(&mut server, result), expected, "{phase:?}");
    }
    for kind in MessageType::ALL.iter().copied().filter(|kind| *kind != MessageType::PipelineHostResponse) {
        if kind.family() == Family::Pipeline && kind.direction() == Direction::ToServer {
            let mut server = running_server(OfPipeline::Asked);
            let result = server.receive(None, Stream::PromptResponse, &wire(Destination::Server, kind, Some(ONE)));
            assert_eq!(told_by_server(&mut server, result), WRONG_PIPELINE, "{kind:?}");
        }
    }
}

#[test]
fn commands_wait_until_their_server_has_opened_the_pool() {
    let bytes = wire(Destination::Server, MessageType::CreatePipeline, Some(ONE));
    for (phase, expected) in [
        (OfPool::Negotiated, Err(PeerMisbehaved::OutOfOrder.into())),
        (OfPool::Opened, Ok(())),
        (OfPool::Closed, Err(PeerMisbehaved::OutOfOrder.into())),
    ] {
        assert_eq!(server(phase).command(ONE, &bytes), expected, "{phase:?}");
    }
}
