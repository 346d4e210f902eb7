//! Conversations of a stock client with a real Windows Server, read by both sides' readers and played through both
//! machines. Where they come from, `tests/data/windows/README.md` says.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::clixml;
use sekisho_protocol::error::Unsupported;
use sekisho_protocol::psrp::{
    Answer, ClientEvent, HostInfo, InitRunspacePool, PoolClient, PoolServer, ServerEvent, Stream, pipeline_of, pool_of,
    private_data,
};
use sekisho_protocol::wsman::{
    Action, CommandId, Request, RequestBody, Resource, ResponseBody, SendStream, SignalCode, decode_request,
    decode_response, encode_request, encode_response,
};
use serde_json::Value;
use uuid::Uuid;

use crate::support::windows;

/// What these recordings hold and we do not serve.
fn is_left_out(xml: &str) -> bool {
    ["shell/Connect<", "shell/Disconnect<", "shell/Reconnect<"].iter().any(|action| xml.contains(action))
}

#[test]
fn every_message_is_read_and_written_and_read_again_as_the_same() {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (name, exchanges) in windows() {
        for (at, exchange) in exchanges.iter().enumerate() {
            let (request, response) = (&exchange["request"], &exchange["response"]);
            let xml = request.as_str().unwrap();
            if is_left_out(xml) {
                let refused = decode_request(xml.as_bytes()).unwrap_err().error;
                assert_eq!(refused, Unsupported::Disconnection.into(), "{name} {at}");
                continue;
            }
            let read = match decode_request(xml.as_bytes()) {
                Ok(read) => read,
                // What Windows refuses too.
                Err(refused) => {
                    let answer = decode_response(response.as_str().unwrap().as_bytes()).unwrap();
                    assert!(answer.outcome.is_err(), "{name} {at}: {refused:?}");
                    continue;
                }
            };
            // What is never served is not looked at any further.
            if read.body == RequestBody::Other {
                continue;
            }
            let again = encode_request(&read).unwrap_or_else(|error| panic!("{name} {at}: {error} {read:?}"));
            assert_eq!(decode_request(again.as_bytes()).unwrap(), read, "{name} {at}");
            *seen.entry("request").or_default() += 1;
            let Some(xml) = response.as_str() else { continue };
            let read = decode_response(xml.as_bytes()).unwrap_or_else(|error| panic!("{name} {at}: {error}"));
            match read.outcome {
                Err(fault) => {
                    assert!(xml.contains(&fault.code.0.to_string()), "{name} {at}");
                    *seen.entry("fault").or_default() += 1;
                }
                Ok(body) => {
                    let again = encode_response(read.relates_to.as_ref(), Uuid::nil(), &body);
                    assert_eq!(decode_response(again.as_bytes()).unwrap().outcome, Ok(body), "{name} {at}");
                    *seen.entry("response").or_default() += 1;
                }
            }
        }
    }
    println!("{seen:?}");
    assert!(seen["request"] > 150 && seen["response"] > 140 && seen["fault"] > 1, "{seen:?}");
}

#[test]
fn both_machines_take_the_places_of_the_recorded_ones() {
    let mut seen = HashSet::new();
    for (name, exchanges) in windows() {
        Play {
            name,
            front: None,
            back: None,
            commands: HashMap::new(),
            started: Uuid::nil(),
            ours: HashSet::new(),
            seen: &mut seen,
        }
        .all(&exchanges);
    }
    let mut seen: Vec<_> = seen.into_iter().collect();
    seen.sort_unstable();
    println!("{seen:?}");
    for expected in ["Pipeline", "Metadata", "Input", "HostResponse", "HostCall", "Record", "State", "SessionKey"] {
        assert!(seen.contains(&expected), "{expected} in {seen:?}");
    }
}

struct Play<'s> {
    name: String,
    front: Option<PoolServer>,
    back: Option<PoolClient>,
    /// What messages call the commands: the server may have given them other identifiers than the client proposed,
    /// and pypsrp before 0.3.1 wrote them into messages high byte first.
    commands: HashMap<CommandId, Uuid>,
    started: Uuid,
    /// Pipelines that both machines know: nobody asks a target for metadata.
    ours: HashSet<Uuid>,
    seen: &'s mut HashSet<&'static str>,
}

impl Play<'_> {
    fn all(mut self, exchanges: &[Value]) {
        for exchange in exchanges {
            let Ok(request) = decode_request(exchange["request"].as_str().unwrap().as_bytes()) else { return };
            if !matches!(request.header.resource, Resource::PowerShell(_)) {
                continue;
            }
            self.request(&request);
            let Some(response) = exchange["response"].as_str() else { continue };
            match decode_response(response.as_bytes()).unwrap().outcome {
                Ok(ResponseBody::Command { command_id }) => {
                    self.commands.insert(command_id, self.started);
                }
                Ok(ResponseBody::Receive(received)) => {
                    let id = received.command_id.map(|id| self.commands[&id]);
                    received.streams.iter().for_each(|chunk| self.received(id, &chunk.data));
                }
                _ => {}
            }
        }
    }

    fn request(&mut self, request: &Request) {
        match (&request.body, request.header.action) {
            (RequestBody::Create(shell), _) => {
                let creation = STANDARD.decode(shell.creation_xml.as_ref().unwrap()).unwrap();
                let pool = pool_of(&creation).unwrap();
                assert!(shell.shell_id.is_some());
                let mut front = PoolServer::negotiate(pool, &creation, 32 * 1024)
                    .unwrap_or_else(|error| panic!("{}: {error}", self.name));
                front.opened(&private_data(Vec::new()));
                self.front = Some(front);
                let init = InitRunspacePool { min: 1, max: 1, host: HostInfo::none() };
                self.back = Some(PoolClient::new(pool, &init, 32 * 1024).unwrap());
            }
            (RequestBody::Command(line), _) => {
                let piece = STANDARD.decode(&line.arguments[0]).unwrap();
                self.started = pipeline_of(&piece).unwrap();
                let taken = self.front.as_mut().unwrap().command(self.started, &piece);
                taken.unwrap_or_else(|error| panic!("{}: {error}", self.name));
            }
            (RequestBody::Send(streams), _) => streams.iter().for_each(|stream| self.sent(stream)),
            (RequestBody::Signal { command_id: Some(id), signal: SignalCode::Terminate }, _) => {
                let id = self.commands[id];
                self.front.as_mut().unwrap().forget(id);
                self.back.as_mut().unwrap().forget(id);
            }
            (_, Action::Receive | Action::Signal | Action::Delete | Action::Get) => {}
            (body, _) => panic!("{}: {body:?}", self.name),
        }
        self.told();
    }

    fn sent(&mut self, stream: &SendStream) {
        let kind = if stream.stream == "pr" { Stream::PromptResponse } else { Stream::Main };
        let id = stream.command_id.map(|id| self.commands[&id]);
        let taken = self.front.as_mut().unwrap().receive(id, kind, &stream.data);
        taken.unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    fn told(&mut self) {
        let (front, back) = (self.front.as_mut().unwrap(), self.back.as_mut().unwrap());
        while let Some(event) = front.next_event() {
            match event {
                ServerEvent::Pipeline { id, request } => {
                    self.seen.insert("Pipeline");
                    back.create_pipeline(id, &request).unwrap();
                    self.ours.insert(id);
                }
                ServerEvent::PublicKey { key } => back.public_key(&key),
                ServerEvent::Metadata { .. } => {
                    self.seen.insert("Metadata");
                }
                ServerEvent::Input { .. } | ServerEvent::EndOfInput { .. } => {
                    self.seen.insert("Input");
                }
                ServerEvent::HostResponse { .. } => {
                    self.seen.insert("HostResponse");
                }
            }
        }
    }

    fn received(&mut self, id: Option<Uuid>, piece: &[u8]) {
        let (front, back) = (self.front.as_mut().unwrap(), self.back.as_mut().unwrap());
        if id.is_some_and(|id| !self.ours.contains(&id)) {
            return;
        }
        back.receive(id, piece).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        while let Some(event) = back.next_event() {
            match event {
                ClientEvent::Record { id, kind, body } => {
                    self.seen.insert("Record");
                    let value = body.value().unwrap_or_else(|error| panic!("{}: {error}", self.name));
                    if !body.is_empty() {
                        assert_eq!(clixml::decode(clixml::encode(&value).as_bytes()), Ok(value), "{}", self.name);
                    }
                    front.record(id, kind, body).unwrap();
                }
                ClientEvent::State { id, stated } => {
                    self.seen.insert("State");
                    front.state(id, &stated).unwrap();
                }
                ClientEvent::HostCall { id, call } => {
                    self.seen.insert("HostCall");
                    let answer = if call.call == -100 { Answer::None } else { Answer::Wanted };
                    front.host_call(id, &call, answer).unwrap();
                }
                ClientEvent::SessionKey(_) => {
                    self.seen.insert("SessionKey");
                }
                ClientEvent::PrivateData(_)
                | ClientEvent::Opened
                | ClientEvent::Closed(_)
                | ClientEvent::PublicKeyRequest => {}
            }
        }
    }
}
