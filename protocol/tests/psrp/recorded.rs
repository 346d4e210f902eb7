//! Conversations of a real client and server, played to our machines: each takes the place of one end.

use std::collections::{HashMap, HashSet};

use sekisho_protocol::clixml::{self, Value};
use sekisho_protocol::psrp::{
    Answer, ClientEvent, CreatePipeline, Defragmenter, GetCommandMetadata, HostCall, HostInfo, HostResponse,
    InitRunspacePool, Message, MessageType, PipelineState, PoolClient, PoolServer, RecordBody, ServerEvent, Stated,
    Stream, private_data,
};
use uuid::Uuid;

use crate::support::{Packet, Told, Way, recordings, sessions};

fn value(told: &Told) -> Value {
    clixml::decode(told.clixml.as_bytes()).unwrap()
}

#[test]
fn every_message_means_the_same_when_it_was_encoded_again() {
    let mut messages = 0_usize;
    for (name, packets) in recordings() {
        for (_, session) in sessions(packets) {
            let mut streams: HashMap<_, Defragmenter> = HashMap::new();
            for packet in session {
                let stream = streams.entry((packet.way, packet.pipeline, packet.prompt)).or_default();
                let objects = stream.receive(&packet.raw).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(objects.len(), usize::from(packet.message.is_some()), "{name}");
                let (Some(object), Some(told)) = (objects.first(), packet.message) else { continue };
                let message = Message::decode(object.clone()).unwrap();
                assert_eq!(message.header.kind.name(), told.name);
                assert_eq!(std::str::from_utf8(message.body.as_bytes()).unwrap(), told.clixml);
                messages += 1;
                if message.body.is_empty() {
                    continue;
                }
                let decoded = message.value().unwrap();
                let again = Message::new(message.header, &decoded);
                assert_eq!(Message::decode(again.encode()).unwrap().value().unwrap(), decoded, "{name}: {}", told.name);
            }
        }
    }
    assert_eq!(messages, 946);
}

#[test]
fn every_typed_message_means_the_same_when_it_was_encoded_again() {
    let mut seen = HashSet::new();
    for (_, packets) in recordings() {
        for told in packets.into_iter().filter_map(|packet| packet.message) {
            let body = if told.clixml.is_empty() { continue } else { value(&told) };
            match told.name.as_str() {
                "CREATE_PIPELINE" => {
                    let pipeline = CreatePipeline::decode(&body).unwrap();
                    assert_eq!(CreatePipeline::decode(&pipeline.encode()).unwrap(), pipeline);
                }
                "INIT_RUNSPACEPOOL" => {
                    let init = InitRunspacePool::decode(&body).unwrap();
                    assert_eq!(InitRunspacePool::decode(&init.encode()).unwrap(), init);
                }
                "PIPELINE_STATE" => {
                    let stated = Stated::decode_pipeline(&body).unwrap();
                    assert_eq!(Stated::decode_pipeline(&stated.encode_pipeline()).unwrap(), stated);
                }
                "RUNSPACEPOOL_STATE" => {
                    let stated = Stated::decode_pool(&body).unwrap();
                    assert_eq!(Stated::decode_pool(&stated.encode_pool()).unwrap(), stated);
                }
                "PIPELINE_HOST_CALL" => {
                    let call = HostCall::decode(&body).unwrap();
                    assert_eq!(HostCall::decode(&call.encode()).unwrap(), call);
                }
                "PIPELINE_HOST_RESPONSE" => {
                    let response = HostResponse::decode(&body).unwrap();
                    assert_eq!(HostResponse::decode(&response.encode()).unwrap(), response);
                }
                "GET_COMMAND_METADATA" => {
                    let request = GetCommandMetadata::decode(&body).unwrap();
                    assert_eq!(request.names, ["Out-Default", "Exit-PSSession"]);
                }
                _ => continue,
            }
            seen.insert(told.name);
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
}

/// How the bytes of one side are cut before they reach the machine.
#[derive(Clone, Copy)]
enum Cut {
    /// Each fragment alone.
    Fragment,
    /// All fragments that follow each other on a stream together.
    Run,
}

fn runs(session: &[Packet], cut: Cut) -> Vec<(&Packet, Vec<u8>, Vec<&Told>)> {
    let mut runs: Vec<(&Packet, Vec<u8>, Vec<&Told>)> = Vec::new();
    for packet in session {
        let key = |packet: &Packet| (packet.way, packet.pipeline, packet.prompt);
        match (runs.last_mut(), cut) {
            (Some((last, bytes, told)), Cut::Run) if key(last) == key(packet) => {
                bytes.extend_from_slice(&packet.raw);
                told.extend(&packet.message);
            }
            _ => runs.push((packet, packet.raw.clone(), packet.message.iter().collect())),
        }
    }
    runs
}

#[test]
fn the_server_takes_the_place_of_the_recorded_one() {
    for cut in [Cut::Fragment, Cut::Run] {
        for (name, packets) in recordings() {
            for (pool, session) in sessions(packets) {
                Server::new(&name, pool, &session).play(&session, cut);
            }
        }
    }
}

struct Server<'n> {
    name: &'n str,
    machine: PoolServer,
    known: HashSet<Uuid>,
    opening: usize,
}

impl<'n> Server<'n> {
    fn new(name: &'n str, pool: Uuid, session: &[Packet]) -> Self {
        let mut creation = Vec::new();
        let mut opening = 0;
        for packet in session.iter().filter(|packet| packet.way == Way::Client) {
            creation.extend_from_slice(&packet.raw);
            opening += 1;
            if packet.message.as_ref().is_some_and(|told| told.name == "INIT_RUNSPACEPOOL") {
                break;
            }
        }
        let machine = PoolServer::open(pool, &creation, &private_data(Vec::new()), 32 * 1024)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, machine, known: HashSet::new(), opening }
    }

    fn play(mut self, session: &[Packet], cut: Cut) {
        let opening: Vec<_> = session.iter().filter(|packet| packet.way == Way::Client).take(self.opening).collect();
        let rest: Vec<&Packet> =
            session.iter().filter(|packet| !opening.iter().any(|known| std::ptr::eq(*known, *packet))).collect();
        // Borrowed packets in the order of the wire.
        let mut at = 0;
        while at < rest.len() {
            let mut end = at + 1;
            let key = |packet: &Packet| (packet.way, packet.pipeline, packet.prompt);
            while matches!(cut, Cut::Run) && end < rest.len() && key(rest[end]) == key(rest[at]) {
                end += 1;
            }
            let part = &rest[at..end];
            let bytes: Vec<u8> = part.iter().flat_map(|packet| packet.raw.clone()).collect();
            let told: Vec<&Told> = part.iter().filter_map(|packet| packet.message.as_ref()).collect();
            match part[0].way {
                Way::Client => self.client(part[0], &bytes, &told),
                Way::Server => told.iter().for_each(|told| self.server(part[0].pipeline, told)),
            }
            at = end;
        }
    }

    fn client(&mut self, packet: &Packet, bytes: &[u8], told: &[&Told]) {
        let stream = if packet.prompt { Stream::PromptResponse } else { Stream::Main };
        let taken = match packet.pipeline {
            Some(id) if self.known.insert(id) => self.machine.command(id, bytes),
            pipeline => self.machine.receive(pipeline, stream, bytes),
        };
        taken.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        for told in told {
            self.expect(packet, told);
        }
        assert_eq!(self.machine.next_event(), None, "{}", self.name);
    }

    fn expect(&mut self, packet: &Packet, told: &Told) {
        let event = self.machine.next_event();
        match told.name.as_str() {
            "CREATE_PIPELINE" => {
                let request = CreatePipeline::decode(&value(told)).unwrap();
                assert_eq!(event, Some(ServerEvent::Pipeline { id: packet.pipeline.unwrap(), request }));
            }
            "GET_COMMAND_METADATA" => assert!(matches!(event, Some(ServerEvent::Metadata { .. }))),
            "PIPELINE_INPUT" => {
                assert_eq!(event, Some(ServerEvent::Input { id: packet.pipeline.unwrap(), value: value(told) }));
            }
            "END_OF_PIPELINE_INPUT" => assert!(matches!(event, Some(ServerEvent::EndOfInput { .. }))),
            "PIPELINE_HOST_RESPONSE" => assert!(matches!(event, Some(ServerEvent::HostResponse { .. }))),
            "PUBLIC_KEY" => assert!(matches!(event, Some(ServerEvent::PublicKey { .. }))),
            other => panic!("{}: {other}", self.name),
        }
    }

    /// Says what the recorded server said.
    fn server(&mut self, pipeline: Option<Uuid>, told: &Told) {
        let kind = MessageType::ALL.iter().copied().find(|kind| kind.name() == told.name).unwrap();
        match (kind, pipeline) {
            (MessageType::PipelineState, Some(id)) => {
                self.machine.state(id, &Stated::decode_pipeline(&value(told)).unwrap()).unwrap();
            }
            (MessageType::PipelineHostCall, id) => {
                let call = HostCall::decode(&value(told)).unwrap();
                let answer = if call.call == -100 { Answer::None } else { Answer::Wanted };
                self.machine.host_call(id, &call, answer).unwrap();
            }
            (_, Some(id)) => self.machine.record(id, kind, RecordBody::new(told.clixml.clone().into_bytes())).unwrap(),
            (_, None) => return,
        }
        let sent = self.machine.take_output(pipeline, usize::MAX).unwrap();
        let objects = Defragmenter::new().receive(&sent).unwrap();
        let message = Message::decode(objects[0].clone()).unwrap();
        assert_eq!(message.header.kind, kind);
        if message.body.is_empty() {
            assert_eq!(told.clixml, "");
        } else {
            assert_eq!(message.value().unwrap(), value(told), "{}: {}", self.name, told.name);
        }
    }
}

#[test]
fn the_client_takes_the_place_of_the_recorded_one() {
    for cut in [Cut::Fragment, Cut::Run] {
        for (name, packets) in recordings() {
            for (pool, session) in sessions(packets) {
                play_client(&name, pool, &session, cut);
            }
        }
    }
}

fn play_client(name: &str, pool: Uuid, session: &[Packet], cut: Cut) {
    let init = InitRunspacePool { min: 1, max: 1, host: HostInfo::none() };
    let mut client = PoolClient::new(pool, &init, 32 * 1024).unwrap();
    assert!(client.take_output(None, Stream::Main, usize::MAX).is_some());
    let mut ours = HashSet::new();
    for (packet, bytes, told) in runs(session, cut) {
        match packet.way {
            Way::Client => {
                for told in told.iter().filter(|told| told.name == "CREATE_PIPELINE") {
                    let id = packet.pipeline.unwrap();
                    client.create_pipeline(id, &CreatePipeline::decode(&value(told)).unwrap()).unwrap();
                    ours.insert(id);
                }
                // Each answer is expected because we ask as the recorded client did.
                told.iter().filter(|told| told.name == "PUBLIC_KEY").for_each(|_| client.public_key("AAAA"));
            }
            // Answers to questions for metadata, which we never ask a target.
            Way::Server if packet.pipeline.is_some_and(|id| !ours.contains(&id)) => {}
            Way::Server => {
                client.receive(packet.pipeline, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
                told.iter().for_each(|told| expect(&mut client, packet.pipeline, told));
                assert_eq!(client.next_event(), None, "{name}");
            }
        }
    }
}

fn expect(client: &mut PoolClient, id: Option<Uuid>, told: &Told) {
    if told.name == "SESSION_CAPABILITY" {
        return;
    }
    let pool_state = || Stated::decode_pool(&value(told)).unwrap();
    if told.name == "RUNSPACEPOOL_STATE" && told.clixml.contains(">4</I32>") {
        return;
    }
    match client.next_event().unwrap_or_else(|| panic!("no event for {}", told.name)) {
        ClientEvent::PrivateData(data) => {
            assert_eq!(told.name, "APPLICATION_PRIVATE_DATA");
            let text = clixml::encode(&data);
            assert!(text.contains("PSVersionTable") && !text.contains("Debug") && !text.contains("Break"), "{text}");
        }
        ClientEvent::Opened => assert_eq!(pool_state().state, sekisho_protocol::psrp::PoolState::Opened),
        ClientEvent::Closed(stated) => assert_eq!(stated, pool_state()),
        ClientEvent::Record { id: of, kind, body } => {
            assert_eq!((Some(of), kind.name()), (id, told.name.as_str()));
            assert_eq!(std::str::from_utf8(body.as_bytes()).unwrap(), told.clixml);
        }
        ClientEvent::State { id: of, stated } => {
            assert_eq!(Some(of), id);
            assert_eq!(stated, Stated::<PipelineState>::decode_pipeline(&value(told)).unwrap());
        }
        ClientEvent::HostCall { id: of, call } => {
            assert_eq!((of, call), (id, HostCall::decode(&value(told)).unwrap()));
        }
        ClientEvent::SessionKey(_) => assert_eq!(told.name, "ENCRYPTED_SESSION_KEY"),
        ClientEvent::PublicKeyRequest => assert_eq!(told.name, "PUBLIC_KEY_REQUEST"),
    }
}
