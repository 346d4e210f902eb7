//! The client, against a target.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Opening {
    Started,
    Negotiated,
    Opened,
    /// A session key was asked for.
    KeyAsked,
    Closed,
}

pub(super) fn client(phase: Opening) -> PoolClient {
    let mut client = PoolClient::new(POOL, &init(), 4096).unwrap();
    let mut say = |object, kind, body: &Value| {
        let header = MessageHeader { destination: Destination::Client, kind, pool: POOL, pipeline: Uuid::nil() };
        client.receive(None, &one_fragment(object, Message::new(header, body))).unwrap();
    };
    if phase != Opening::Started {
        say(1, MessageType::SessionCapability, &body(MessageType::SessionCapability));
    }
    if !matches!(phase, Opening::Started | Opening::Negotiated) {
        say(2, MessageType::RunspacePoolState, &body(MessageType::RunspacePoolState));
    }
    if phase == Opening::Closed {
        say(3, MessageType::RunspacePoolState, &Stated { state: PoolState::Closed, error: None }.encode_pool());
    }
    if phase == Opening::KeyAsked {
        client.public_key("AAAA");
    }
    while client.next_event().is_some() {}
    client
}

fn told_by_client(client: &mut PoolClient, result: sekisho_protocol::Result<()>) -> Outcome {
    if let Err(error) = result {
        assert_eq!(client.next_event(), None);
        assert_eq!(client.receive(None, b""), Err(error), "failed stays failed");
        return Outcome::Refused(error);
    }
    let Some(event) = client.next_event() else { return Outcome::Ignored };
    assert_eq!(client.next_event(), None);
    Outcome::Told(match event {
        ClientEvent::PrivateData(_) => "PrivateData",
        ClientEvent::Opened => "Opened",
        ClientEvent::Closed(_) => "Closed",
        ClientEvent::Record { .. } => "Record",
        ClientEvent::State { .. } => "State",
        ClientEvent::HostCall { .. } => "HostCall",
        ClientEvent::SessionKey(_) => "SessionKey",
        ClientEvent::PublicKeyRequest => "PublicKeyRequest",
    })
}

fn target_pool_answer(kind: MessageType, phase: Opening) -> Outcome {
    let opened = matches!(phase, Opening::Opened | Opening::KeyAsked);
    let negotiated = phase == Opening::Negotiated;
    let when = |right: bool, outcome| match (right, phase) {
        (true, _) => outcome,
        (false, Opening::Closed) => Outcome::Ignored,
        (false, _) => OUT_OF_ORDER,
    };
    match kind {
        MessageType::SessionCapability => when(phase == Opening::Started, Outcome::Ignored),
        MessageType::ApplicationPrivateData => when(negotiated || opened, Outcome::Told("PrivateData")),
        MessageType::RunspacePoolState => when(negotiated || opened, Outcome::Told("Opened")),
        MessageType::RunspacePoolHostCall => when(negotiated || opened, Outcome::Told("HostCall")),
        MessageType::RunspacePoolInitData => when(negotiated, Outcome::Ignored),
        MessageType::RunspaceAvailability | MessageType::UserEvent => when(opened, Outcome::Ignored),
        MessageType::PublicKeyRequest => when(opened, Outcome::Told("PublicKeyRequest")),
        MessageType::EncryptedSessionKey => match phase {
            Opening::KeyAsked => Outcome::Told("SessionKey"),
            Opening::Opened => UNRELATED,
            Opening::Started | Opening::Negotiated | Opening::Closed => when(false, Outcome::Ignored),
        },
        // About a pipeline.
        MessageType::PipelineOutput
        | MessageType::ErrorRecord
        | MessageType::PipelineState
        | MessageType::DebugRecord
        | MessageType::VerboseRecord
        | MessageType::WarningRecord
        | MessageType::ProgressRecord
        | MessageType::InformationRecord
        | MessageType::PipelineHostCall => WRONG_PIPELINE,
        MessageType::InitRunspacePool
        | MessageType::PublicKey
        | MessageType::ConnectRunspacePool
        | MessageType::SetMaxRunspaces
        | MessageType::SetMinRunspaces
        | MessageType::CreatePipeline
        | MessageType::GetAvailableRunspaces
        | MessageType::GetCommandMetadata
        | MessageType::ResetRunspaceState
        | MessageType::RunspacePoolHostResponse
        | MessageType::PipelineInput
        | MessageType::EndOfPipelineInput
        | MessageType::PipelineHostResponse => WRONG_DIRECTION,
    }
}

#[test]
fn every_message_of_a_target_about_the_pool_has_its_answer() {
    for kind in MessageType::ALL.iter().copied() {
        for phase in [Opening::Started, Opening::Negotiated, Opening::Opened, Opening::KeyAsked, Opening::Closed] {
            let mut client = client(phase);
            let result = client.receive(None, &wire(Destination::Client, kind, None));
            let outcome = told_by_client(&mut client, result);
            assert_eq!(outcome, target_pool_answer(kind, phase), "{kind:?} {phase:?}");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Ran {
    Unknown,
    Running,
    Ended,
}

fn target_pipeline_answer(kind: MessageType, phase: Ran) -> Outcome {
    let told = |name| match phase {
        Ran::Unknown => UNRELATED,
        Ran::Running => Outcome::Told(name),
        Ran::Ended => AFTER_END,
    };
    match kind {
        _ if phase == Ran::Unknown => UNRELATED,
        MessageType::PipelineOutput
        | MessageType::ErrorRecord
        | MessageType::DebugRecord
        | MessageType::VerboseRecord
        | MessageType::WarningRecord
        | MessageType::ProgressRecord
        | MessageType::InformationRecord => told("Record"),
        MessageType::PipelineState => told("State"),
        MessageType::PipelineHostCall => told("HostCall"),
        // About the pool.
        MessageType::SessionCapability
        | MessageType::EncryptedSessionKey
        | MessageType::PublicKeyRequest
        | MessageType::RunspaceAvailability
        | MessageType::RunspacePoolState
        | MessageType::UserEvent
        | MessageType::ApplicationPrivateData
        | MessageType::RunspacePoolInitData
        | MessageType::RunspacePoolHostCall => WRONG_PIPELINE,
        MessageType::InitRunspacePool
        | MessageType::PublicKey
        | MessageType::ConnectRunspacePool
        | MessageType::SetMaxRunspaces
        | MessageType::SetMinRunspaces
        | MessageType::CreatePipeline
        | MessageType::GetAvailableRunspaces
        | MessageType::GetCommandMetadata
        | MessageType::ResetRunspaceState
        | MessageType::RunspacePoolHostResponse
        | MessageType::PipelineInput
        | MessageType::EndOfPipelineInput
        | MessageType::PipelineHostResponse => WRONG_DIRECTION,
    }
}

#[test]
fn every_message_of_a_target_about_a_pipeline_has_its_answer() {
    for kind in MessageType::ALL.iter().copied() {
        for phase in [Ran::Unknown, Ran::Running, Ran::Ended] {
            let mut client = client(Opening::Opened);
            if phase != Ran::Unknown {
                client.create_pipeline(ONE, &pipeline(true)).unwrap();
            }
            if phase == Ran::Ended {
                let completed = wire(Destination::Client, MessageType::PipelineState, Some(ONE));
                let mut earlier = completed;
                earlier[..8].copy_from_slice(&50_u64.to_be_bytes());
                client.receive(Some(ONE), &earlier).unwrap();
                assert!(client.next_event().is_some());
            }
            let result = client.receive(Some(ONE), &wire(Destination::Client, kind, Some(ONE)));
            let outcome = told_by_client(&mut client, result);
            // What the pool's messages look like with a pipeline's id is refused before it is looked up.
            assert_eq!(outcome, target_pipeline_answer(kind, phase), "{kind:?} {phase:?}");
        }
    }
}

#[test]
fn states_of_a_pipeline_are_told_and_the_final_ones_end_it() {
    for (state, is_final) in [
        (PipelineState::Running, false),
        (PipelineState::Stopping, false),
        (PipelineState::Stopped, true),
        (PipelineState::Completed, true),
        (PipelineState::Failed, true),
    ] {
        let mut client = client(Opening::Opened);
        client.create_pipeline(ONE, &pipeline(true)).unwrap();
        let error = ErrorRecord {
            message: "no".to_owned(),
            id: "No".to_owned(),
            category: ErrorCategory::OperationStopped,
            about: String::new(),
        };
        let stated = Stated { state, error: Some(error.encode()) };
        let header = MessageHeader {
            destination: Destination::Client,
            kind: MessageType::PipelineState,
            pool: POOL,
            pipeline: ONE,
        };
        client.receive(Some(ONE), &one_fragment(50, Message::new(header, &stated.encode_pipeline()))).unwrap();
        assert_eq!(client.next_event(), Some(ClientEvent::State { id: ONE, stated }));
        let after = client.receive(Some(ONE), &wire(Destination::Client, MessageType::PipelineOutput, Some(ONE)));
        assert_eq!(after, if is_final { Err(PeerMisbehaved::AfterEnd.into()) } else { Ok(()) }, "{state:?}");
    }
    let mut client = client(Opening::Opened);
    client.create_pipeline(ONE, &pipeline(true)).unwrap();
    let left = Stated { state: PipelineState::Disconnected, error: None }.encode_pipeline();
    let header =
        MessageHeader { destination: Destination::Client, kind: MessageType::PipelineState, pool: POOL, pipeline: ONE };
    let refused = client.receive(Some(ONE), &one_fragment(50, Message::new(header, &left)));
    assert_eq!(refused, Err(Unsupported::Disconnection.into()), "a pipeline that is left for another client");
}
