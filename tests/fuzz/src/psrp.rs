//! PowerShell remoting: what clients and targets put into fragments.

use super::pieces::Pieces;
use sekisho_protocol::clixml::{self, Object, Value, show};
use sekisho_protocol::limits::{PSRP_OBJECT, XPRESS_PLAIN};
use sekisho_protocol::psrp::{
    Answer, ClientEvent, Command, CreatePipeline, Defragmenter, Destination, Fragmenter, GetCommandMetadata, HostCall,
    HostInfo, HostResponse, HostWindow, InitRunspacePool, Message, MessageHeader, MessageType, PipelineState,
    PoolClient, PoolServer, PoolState, RecordBody, ServerEvent, SessionCapability, Stated, Stream, private_data,
    without_debugger,
};
use sekisho_protocol::xpress;
use std::collections::HashSet;
use uuid::Uuid;

const POOL: Uuid = Uuid::from_u128(0xA);

/// Any pieces of a stream. What comes out is cut and put together again as the same; what has failed stays failed.
pub fn fragments(input: &[u8]) {
    let mut stream = Defragmenter::new();
    let mut failed = None;
    for piece in Pieces::new(input).bounded() {
        let received = stream.receive(piece);
        if let Some(error) = failed {
            assert_eq!(received, Err(error), "failed stays failed");
            continue;
        }
        match received {
            Err(error) => failed = Some(error),
            Ok(objects) => {
                let mut fragmenter = Fragmenter::new(22 + piece.len() % 100).expect("there is room");
                let mut again = Defragmenter::new();
                for object in objects {
                    assert!(object.len() <= PSRP_OBJECT);
                    let fragments = fragmenter.cut(&object).concat();
                    assert_eq!(again.receive(&fragments).as_deref(), Ok(&[object][..]));
                }
            }
        }
    }
}

/// Any object. What is read is written and read again as the same, its body too where its type is known.
pub fn message(input: &[u8]) {
    let Ok(message) = Message::decode(input.to_vec()) else { return };
    let again = Message::decode(message.clone().encode()).expect("our own message can be read");
    assert_eq!(again, message);
    let Ok(value) = message.value() else { return };
    match message.header.kind {
        MessageType::SessionCapability => same(&value, SessionCapability::decode, |read| read.encode()),
        MessageType::InitRunspacePool => {
            same(&value, InitRunspacePool::decode, InitRunspacePool::encode);
            if let Ok(init) = InitRunspacePool::decode(&value) {
                let window = HostWindow::of(&init.host);
                assert_eq!(HostWindow::of(&window.host()), window, "what is passed on is within bounds");
            }
        }
        MessageType::CreatePipeline => same(&value, CreatePipeline::decode, CreatePipeline::encode),
        MessageType::RunspacePoolState => same(&value, Stated::<PoolState>::decode_pool, Stated::encode_pool),
        MessageType::PipelineState => same(&value, Stated::<PipelineState>::decode_pipeline, Stated::encode_pipeline),
        MessageType::RunspacePoolHostCall | MessageType::PipelineHostCall => {
            same(&value, HostCall::decode, HostCall::encode);
        }
        MessageType::RunspacePoolHostResponse | MessageType::PipelineHostResponse => {
            same(&value, HostResponse::decode, HostResponse::encode);
        }
        MessageType::ApplicationPrivateData => {
            if let Ok(without) = without_debugger(&value) {
                assert_eq!(without_debugger(&without).as_ref(), Ok(&without));
                assert!(!clixml::encode(&without).contains("N=\"Key\">DebugMode<"));
            }
        }
        MessageType::GetCommandMetadata => drop(GetCommandMetadata::decode(&value)),
        // Bodies of one member, or of any shape.
        MessageType::PublicKey
        | MessageType::EncryptedSessionKey
        | MessageType::PublicKeyRequest
        | MessageType::ConnectRunspacePool
        | MessageType::SetMaxRunspaces
        | MessageType::SetMinRunspaces
        | MessageType::RunspaceAvailability
        | MessageType::GetAvailableRunspaces
        | MessageType::UserEvent
        | MessageType::RunspacePoolInitData
        | MessageType::ResetRunspaceState
        | MessageType::PipelineInput
        | MessageType::EndOfPipelineInput
        | MessageType::PipelineOutput
        | MessageType::ErrorRecord
        | MessageType::DebugRecord
        | MessageType::VerboseRecord
        | MessageType::WarningRecord
        | MessageType::ProgressRecord
        | MessageType::InformationRecord => {}
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    value: &Value,
    decode: impl Fn(&Value) -> sekisho_protocol::Result<T>,
    encode: impl Fn(&T) -> Value,
) {
    let Ok(read) = decode(value) else { return };
    let text = clixml::encode(&encode(&read));
    let again = clixml::decode(text.as_bytes()).expect("our own body can be read");
    assert_eq!(decode(&again), Ok(read), "another body is read than was judged");
}

/// Any CLIXML. What is read is written and read again as the same, and shown within bounds.
pub fn values(input: &[u8]) {
    drop(clixml::decode_document(input));
    let Ok(value) = clixml::decode(input) else { return };
    let text = clixml::encode(&value);
    assert_eq!(clixml::decode(text.as_bytes()).as_ref(), Ok(&value), "another value is read than was written");
    let again = clixml::encode(&clixml::decode(text.as_bytes()).unwrap_or(Value::Nil));
    assert_eq!(again, text, "there is one form");
    let limits = show::ShowLimits { lines: 50, width: 80, depth: 3 };
    let lines = show::lines(&value, limits);
    assert!(lines.len() <= 51 && lines.iter().all(|line| line.chars().count() <= 80), "{}", lines.len());
    assert!(lines.iter().all(|line| line.chars().all(|c| c == '\t' || !c.is_control())));
    assert!(show::inline(&value, 40).chars().count() <= 40);
    drop(show::columns(&value));
}

/// Any compressed stream. Nothing more comes out than may, and what is stored comes back.
pub fn compressed(input: &[u8]) {
    if let Ok(plain) = xpress::decompress(input) {
        assert!(plain.len() <= XPRESS_PLAIN);
    }
    assert_eq!(xpress::decompress(&xpress::store(input)).as_deref(), Ok(input));
}

/// How the next bytes reach a machine: the first byte says which pipeline and stream, and whether the rest is the
/// body of a message of a type or comes as it is.
struct Step<'i> {
    pipeline: Option<Uuid>,
    stream: Stream,
    bytes: Vec<u8>,
    rest: &'i [u8],
}

fn step<'i>(piece: &'i [u8], number: u64, destination: Destination) -> Option<Step<'i>> {
    let (&how, rest) = piece.split_first()?;
    let pipeline = Some(u128::from(how & 3)).filter(|id| *id != 0).map(Uuid::from_u128);
    let stream = if how & 4 == 0 { Stream::Main } else { Stream::PromptResponse };
    if how & 8 != 0 {
        return Some(Step { pipeline, stream, bytes: rest.to_vec(), rest });
    }
    let (&kind, body) = rest.split_first()?;
    let kind = MessageType::ALL.get(usize::from(kind) % MessageType::ALL.len()).copied()?;
    let header = MessageHeader { destination, kind, pool: POOL, pipeline: pipeline.unwrap_or_default() };
    let message = Message { header, body: RecordBody::new(body.to_vec()) };
    let mut bytes = Fragmenter::new(PSRP_OBJECT).ok()?.cut(&message.encode()).concat();
    bytes.get_mut(..8)?.copy_from_slice(&number.to_be_bytes());
    Some(Step { pipeline, stream, bytes, rest })
}

fn init() -> InitRunspacePool {
    InitRunspacePool { min: 1, max: 1, host: HostInfo::none() }
}

fn server() -> PoolServer {
    let mut client = PoolClient::new(POOL, &init(), 4096).expect("there is room");
    let creation = client.take_output(None, Stream::Main, usize::MAX).unwrap_or_default();
    PoolServer::open(POOL, &creation, &private_data(Vec::new()), 4096).expect("our own client can be read")
}

/// Any messages of a client. A pipeline is told of once, an answer only to a call, and nothing after a failure; what
/// is answered can be read.
pub fn pool_server(input: &[u8]) {
    let mut pieces = Pieces::new(input);
    drop(PoolServer::negotiate(POOL, pieces.piece(), 4096));
    let mut server = server();
    let (mut started, mut calls) = (HashSet::new(), HashSet::new());
    for (number, piece) in (100..).zip(pieces.bounded()) {
        let Some(Step { pipeline, stream, bytes, rest }) = step(piece, number, Destination::Server) else { break };
        let result = match pipeline {
            Some(id) if !started.contains(&id) && stream == Stream::Main => server.command(id, &bytes),
            pipeline => server.receive(pipeline, stream, &bytes),
        };
        if result.is_err() {
            assert_eq!(server.next_event(), None);
            assert_eq!(server.receive(None, Stream::Main, b""), result, "failed stays failed");
            return;
        }
        started.extend(pipeline);
        let mut told = HashSet::new();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::Pipeline { id, .. } | ServerEvent::Metadata { id, .. } => {
                    assert!(told.insert(id), "twice");
                    if rest.len() % 2 == 0 {
                        let call = HostCall {
                            call: 1,
                            method: sekisho_protocol::psrp::HostMethod::ReadLine,
                            parameters: Vec::new(),
                        };
                        server.host_call(Some(id), &call, Answer::Wanted).expect("it runs");
                        calls.insert(id);
                    }
                }
                ServerEvent::HostResponse { id, .. } => assert!(id.is_some_and(|id| calls.remove(&id))),
                ServerEvent::Input { .. } | ServerEvent::EndOfInput { .. } | ServerEvent::PublicKey { .. } => {}
            }
        }
        read_all(&mut server);
    }
}

fn read_all(server: &mut PoolServer) {
    for id in [None, Some(1), Some(2), Some(3)].map(|id| id.map(Uuid::from_u128)) {
        let mut stream = Defragmenter::new();
        while let Some(piece) = server.take_output(id, 100) {
            for object in stream.receive(&piece).expect("our own fragments can be read") {
                let message = Message::decode(object).expect("our own message can be read");
                assert_eq!(message.header.destination, Destination::Client);
            }
        }
        assert_eq!(server.waiting(id), 0);
    }
}

/// Any messages of a target. Nothing is told of a pipeline after its end, and nothing after a failure.
pub fn pool_client(input: &[u8]) {
    let mut client = PoolClient::new(POOL, &init(), 4096).expect("there is room");
    let mut server = server();
    while let Some(piece) = server.take_output(None, usize::MAX) {
        client.receive(None, &piece).expect("our own server can be read");
    }
    let request = CreatePipeline::of_statements(vec![vec![Command::new("a", Vec::new())]]);
    let mut opened = false;
    let mut ended = HashSet::new();
    for (number, piece) in (100..).zip(Pieces::new(input).bounded()) {
        let Some(Step { pipeline, bytes, .. }) = step(piece, number, Destination::Client) else { break };
        if !std::mem::replace(&mut opened, true) {
            client.create_pipeline(Uuid::from_u128(1), &request).expect("the pool is open");
            client.create_pipeline(Uuid::from_u128(2), &request).expect("the pool is open");
            client.public_key("AAAA");
        }
        let result = client.receive(pipeline, &bytes);
        if result.is_err() {
            assert_eq!(client.next_event(), None);
            assert_eq!(client.receive(None, b""), result, "failed stays failed");
            return;
        }
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Record { id, body, .. } => {
                    assert!(!ended.contains(&id));
                    drop((body.has_secure(), body.value()));
                }
                ClientEvent::State { id, stated } => {
                    assert!(!ended.contains(&id));
                    if stated.state.is_final() {
                        ended.insert(id);
                    }
                }
                ClientEvent::HostCall { id, .. } => assert!(id.is_none_or(|id| !ended.contains(&id))),
                ClientEvent::PrivateData(data) => assert!(data.as_object().is_some_and(is_private)),
                ClientEvent::Opened
                | ClientEvent::Closed(_)
                | ClientEvent::SessionKey(_)
                | ClientEvent::PublicKeyRequest => {}
            }
        }
    }
}

fn is_private(data: &Object) -> bool {
    data.member("ApplicationPrivateData").is_some()
}
