//! Peers that confuse types, orders and owners, or want more than there is: each with the exact rule.

use sekisho_protocol::Error;
use sekisho_protocol::clixml::{self, Value};
use sekisho_protocol::error::{LimitExceeded, Malformed, PeerMisbehaved};
use sekisho_protocol::limits::{
    PSRP_ARGUMENTS, PSRP_COMMANDS, PSRP_OBJECT, PSRP_PIPELINES, PSRP_POOL_ANSWERS, PSRP_SESSION_KEYS, PSRP_UNFINISHED,
};
use sekisho_protocol::psrp::{
    Argument, Command, CreatePipeline, Destination, Fragmenter, HostInfo, HostMethod, HostResponse, HostResult,
    InitRunspacePool, Message, MessageHeader, MessageType, PoolClient, PoolServer, RecordBody, ServerEvent, Stream,
    private_data,
};
use uuid::Uuid;

use crate::support::one_fragment;

const POOL: Uuid = Uuid::from_u128(0xA);
const ONE: Uuid = Uuid::from_u128(1);

fn pair() -> (PoolClient, PoolServer) {
    let init = InitRunspacePool { min: 1, max: 1, host: HostInfo::none() };
    let mut client = PoolClient::new(POOL, &init, 4096).unwrap();
    let creation = client.take_output(None, Stream::Main, usize::MAX).unwrap();
    let mut server = PoolServer::open(POOL, &creation, &private_data(Vec::new()), 4096).unwrap();
    client.receive(None, &server.take_output(None, usize::MAX).unwrap()).unwrap();
    while client.next_event().is_some() {}
    (client, server)
}

fn pipeline() -> CreatePipeline {
    let argument = Argument { name: Some("Name".to_owned()), value: Value::text("Spooler") };
    CreatePipeline::of_statements(vec![vec![Command::new("Restart-Service", vec![argument])]])
}

fn message(kind: MessageType, pipeline: Option<Uuid>, body: &Value) -> Message {
    let header =
        MessageHeader { destination: Destination::Server, kind, pool: POOL, pipeline: pipeline.unwrap_or_default() };
    Message::new(header, body)
}

/// The error of a Command whose pipeline was changed as text.
fn changed(from: &str, to: &str) -> Option<Error> {
    let body = clixml::encode(&pipeline().encode());
    assert!(body.contains(from), "{from} in {body}");
    let (_, mut server) = pair();
    let mut create = message(MessageType::CreatePipeline, Some(ONE), &Value::Nil);
    create.body = RecordBody::new(body.replacen(from, to, 1).into_bytes());
    let refused = server.command(ONE, &one_fragment(9, create)).err();
    assert_eq!(server.next_event().is_some(), refused.is_none());
    refused
}

#[test]
fn pipelines_that_readers_may_read_differently_are_refused() {
    let shape = Some(Malformed::PsrpBody.into());
    let twice = Some(Malformed::Duplicate.into());
    for (from, to, refused) in [
        ("<S N=\"N\">Name</S>", "<S N=\"N\"></S>", shape),
        ("<S N=\"N\">Name</S>", "<I32 N=\"N\">1</I32>", shape),
        ("<S N=\"N\">Name</S>", "", shape),
        ("<S N=\"Cmd\">Restart-Service</S>", "<S N=\"Cmd\"></S>", shape),
        ("<S N=\"Cmd\">Restart-Service</S>", "<S N=\"Cmd\">a</S><S N=\"Cmd\">b</S>", twice),
        ("<S N=\"Cmd\">Restart-Service</S>", "<S N=\"Cmd\">a</S><S N=\"cmd\">b</S>", twice),
        ("<B N=\"IsScript\">false</B>", "<S N=\"IsScript\">false</S>", shape),
        ("<B N=\"IsScript\">false</B>", "<Nil N=\"IsScript\" />", shape),
        ("<B N=\"IsScript\">false</B>", "", shape),
        ("<B N=\"IsNested\">false</B>", "", shape),
        ("<B N=\"NoInput\">true</B>", "<B N=\"NoInput\">true</B><B N=\"noinput\">false</B>", twice),
        ("<B N=\"NoInput\">true</B>", "<Nil N=\"NoInput\" />", shape),
        (
            "<S N=\"Cmd\">Restart-Service</S>",
            "<S N=\"Cmd\">Restart-Service</S><!-- -->",
            Some(Malformed::Clixml.into()),
        ),
        ("<S N=\"Cmd\">", "<S N=\"Cmd\" x=\"1\">", Some(Malformed::Clixml.into())),
    ] {
        assert_eq!(changed(from, to), refused, "{from} -> {to}");
    }
}

#[test]
fn what_the_client_says_of_a_pipeline_is_told_as_it_is() {
    let (mut client, mut server) = pair();
    let statements = vec![pipeline().commands, vec![Command::new("Stop-Computer", Vec::new())]];
    let mut other = CreatePipeline::of_statements(statements);
    other.is_nested = true;
    other.add_to_history = true;
    // Statements that are no copy of the first are for policy to refuse, so that it has to see them.
    other.commands = vec![Command::new("Get-Date", Vec::new())];
    client.create_pipeline(ONE, &other).unwrap();
    server.command(ONE, &client.take_output(Some(ONE), Stream::Main, usize::MAX).unwrap()).unwrap();
    assert_eq!(server.next_event(), Some(ServerEvent::Pipeline { id: ONE, request: other }));
}

#[test]
fn counts_of_commands_and_arguments_are_bounded() {
    let command = |arguments| {
        let argument = Argument { name: None, value: Value::Nil };
        Command::new("a", vec![argument; arguments])
    };
    let of = |commands, arguments| vec![command(arguments); commands];
    for (statements, right) in [
        (vec![of(PSRP_COMMANDS, 1)], true),
        (vec![of(PSRP_COMMANDS + 1, 1)], false),
        (vec![of(1, PSRP_ARGUMENTS)], true),
        (vec![of(1, PSRP_ARGUMENTS + 1)], false),
        (vec![of(1, 1); PSRP_COMMANDS], true),
        (vec![of(1, 1); PSRP_COMMANDS + 1], false),
        (vec![of(1, 1), of(PSRP_COMMANDS + 1, 1)], false),
    ] {
        let (_, mut server) = pair();
        let body = CreatePipeline::of_statements(statements).encode();
        let create = message(MessageType::CreatePipeline, Some(ONE), &body);
        let expected = if right { Ok(()) } else { Err(LimitExceeded::Command.into()) };
        assert_eq!(server.command(ONE, &one_fragment(9, create)), expected);
    }
}

/// A fragment with this header around a part of a message.
fn part(object: u64, number: u64, flags: u8, blob: &[u8]) -> Vec<u8> {
    let length = u32::try_from(blob.len()).unwrap().to_be_bytes();
    [&object.to_be_bytes()[..], &number.to_be_bytes(), &[flags], &length, blob].concat()
}

#[test]
fn fragments_interleave_between_streams_and_never_within_one() {
    let two = Uuid::from_u128(2);
    let bytes = |id| message(MessageType::CreatePipeline, Some(id), &pipeline().encode()).encode();
    let (one, other) = (bytes(ONE), bytes(two));
    let halves = |object, bytes: &[u8]| {
        let (first, rest) = bytes.split_at(50);
        [part(object, 0, 1, first), part(object, 1, 2, rest)]
    };
    let ([one_a, one_b], [other_a, other_b]) = (halves(9, &one), halves(10, &other));
    let (_, mut server) = pair();
    server.command(ONE, &one_a).unwrap();
    server.command(two, &other_a).unwrap();
    assert_eq!(server.next_event(), None, "nothing is told before it is complete");
    server.receive(Some(two), Stream::Main, &other_b).unwrap();
    assert!(matches!(server.next_event(), Some(ServerEvent::Pipeline { id, .. }) if id == two));
    server.receive(Some(ONE), Stream::Main, &one_b).unwrap();
    assert!(matches!(server.next_event(), Some(ServerEvent::Pipeline { id: ONE, .. })));

    let order: Error = PeerMisbehaved::FragmentOrder.into();
    let shape: Error = Malformed::PsrpFragment.into();
    for (what, second, error) in [
        ("another object within", other_a, order),
        ("its first fragment again", one_a.clone(), order),
        ("a gap", part(9, 2, 2, &one[50..]), order),
        ("another object's second", part(10, 1, 2, &one[50..]), order),
        ("flags that do not exist", part(9, 1, 6, &one[50..]), shape),
        ("nothing, and no end", part(9, 1, 0, b""), shape),
        ("a length beyond the piece", one_b[..one_b.len() - 1].to_vec(), shape),
        ("half a header", one_b[..20].to_vec(), shape),
    ] {
        let (_, mut server) = pair();
        server.command(ONE, &one_a).unwrap();
        assert_eq!(server.receive(Some(ONE), Stream::Main, &second), Err(error), "{what}");
        assert_eq!(server.next_event(), None, "{what}");
        let rest = server.receive(Some(ONE), Stream::Main, &one_b);
        assert_eq!(rest, Err(error), "{what}: failed stays failed");
    }
}

#[test]
fn headers_of_others_are_refused() {
    let good = message(MessageType::CreatePipeline, Some(ONE), &pipeline().encode()).encode();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let cases: [(&str, Vec<u8>, Error); 8] = [
        ("another pool", with(8, Uuid::from_u128(0xB).as_bytes()), PeerMisbehaved::WrongPool.into()),
        ("no pool", with(8, Uuid::nil().as_bytes()), PeerMisbehaved::WrongPool.into()),
        ("another pipeline", with(24, Uuid::from_u128(2).as_bytes()), PeerMisbehaved::WrongPipeline.into()),
        ("no pipeline", with(24, Uuid::nil().as_bytes()), PeerMisbehaved::WrongPipeline.into()),
        ("an unknown type", with(4, &0x0004_1012_u32.to_le_bytes()), PeerMisbehaved::UnknownMessage.into()),
        ("a close inside", with(4, &0x0001_0003_u32.to_le_bytes()), PeerMisbehaved::UnknownMessage.into()),
        ("for a client", with(0, &1_u32.to_le_bytes()), PeerMisbehaved::WrongDirection.into()),
        ("for nobody", with(0, &7_u32.to_le_bytes()), Malformed::PsrpMessage.into()),
    ];
    for (what, object, error) in cases {
        let (_, mut server) = pair();
        let piece = Fragmenter::new(1 << 20).unwrap().cut(&object).concat();
        let renumbered = [&9_u64.to_be_bytes()[..], &piece[8..]].concat();
        assert_eq!(server.command(ONE, &renumbered), Err(error), "{what}");
        assert_eq!(server.next_event(), None, "{what}");
    }
}

#[test]
fn objects_that_are_not_complete_are_bounded_over_all_pipelines() {
    let blob = vec![b'a'; PSRP_OBJECT / 2];
    let (_, mut server) = pair();
    let mut open = 0_u128;
    let refused = loop {
        open += 1;
        if let Err(error) = server.command(Uuid::from_u128(open), &part(1, 0, 1, &blob)) {
            break error;
        }
        assert!(open < 100);
    };
    assert_eq!(refused, LimitExceeded::MessageSize.into());
    assert!(usize::try_from(open).unwrap() * blob.len() <= PSRP_UNFINISHED + blob.len());

    // Those that went away, or were completed, count no more.
    let (_, mut server) = pair();
    for id in (1..20).map(Uuid::from_u128) {
        server.command(id, &part(1, 0, 1, &blob)).unwrap();
        server.forget(id);
    }
    let (_, mut server) = pair();
    let over = [part(1, 0, 1, &vec![b'a'; PSRP_OBJECT]), part(1, 1, 2, b"a")].concat();
    assert_eq!(server.command(ONE, &over), Err(LimitExceeded::MessageSize.into()));
}

#[test]
fn pipelines_are_bounded_until_they_are_forgotten() {
    let (_, mut server) = pair();
    let first = PSRP_PIPELINES.try_into().unwrap();
    for id in 1..=first {
        server.command(Uuid::from_u128(id), b"").unwrap();
    }
    server.forget(ONE);
    server.command(Uuid::from_u128(first + 1), b"").unwrap();
    assert_eq!(server.command(Uuid::from_u128(first + 2), b""), Err(LimitExceeded::InFlight.into()));
}

#[test]
fn who_asks_and_never_fetches_is_stopped() {
    let (_, mut server) = pair();
    let question = Value::object(clixml::Object::of_members([("CI", Value::long(1))]));
    let mut asked = 100;
    let refused = loop {
        asked += 1;
        let bytes = one_fragment(asked, message(MessageType::GetAvailableRunspaces, None, &question));
        if let Err(error) = server.receive(None, Stream::Main, &bytes) {
            break error;
        }
        assert!(server.waiting(None) < 2 * PSRP_POOL_ANSWERS);
    };
    assert_eq!(refused, LimitExceeded::Output.into());

    let (_, mut server) = pair();
    for number in 100..10_000 {
        let bytes = one_fragment(number, message(MessageType::GetAvailableRunspaces, None, &question));
        server.receive(None, Stream::Main, &bytes).unwrap();
        while server.take_output(None, usize::MAX).is_some() {}
    }
}

#[test]
fn session_keys_are_bounded_on_both_sides() {
    let key = Value::object(clixml::Object::of_members([("PublicKey", Value::text("AAAA"))]));
    let (mut client, mut server) = pair();
    let most = u64::try_from(PSRP_SESSION_KEYS).unwrap();
    for number in 0..most {
        server
            .receive(None, Stream::Main, &one_fragment(100 + number, message(MessageType::PublicKey, None, &key)))
            .unwrap();
    }
    let more = one_fragment(200, message(MessageType::PublicKey, None, &key));
    assert_eq!(server.receive(None, Stream::Main, &more), Err(LimitExceeded::Items.into()));

    let wanted = |number| {
        let mut wanted = message(MessageType::PublicKeyRequest, None, &Value::text(""));
        wanted.header.destination = Destination::Client;
        one_fragment(100 + number, wanted)
    };
    (0..most).for_each(|number| client.receive(None, &wanted(number)).unwrap());
    assert_eq!(client.receive(None, &wanted(most)), Err(LimitExceeded::Items.into()));
}

#[test]
fn null_is_put_in_without_a_body() {
    let (mut client, mut server) = pair();
    let request = CreatePipeline { no_input: false, ..pipeline() };
    client.create_pipeline(ONE, &request).unwrap();
    server.command(ONE, &client.take_output(Some(ONE), Stream::Main, usize::MAX).unwrap()).unwrap();
    assert!(server.next_event().is_some());
    let mut empty = message(MessageType::PipelineInput, Some(ONE), &Value::Nil);
    empty.body = RecordBody::new(Vec::new());
    server.receive(Some(ONE), Stream::Main, &one_fragment(90, empty)).unwrap();
    assert_eq!(server.next_event(), Some(ServerEvent::Input { id: ONE, value: Value::Nil }));
    // Nothing else is null.
    let mut end = message(MessageType::EndOfPipelineInput, Some(ONE), &Value::text("more"));
    end.header.pipeline = ONE;
    assert_eq!(
        server.receive(Some(ONE), Stream::Main, &one_fragment(91, end)),
        Err(PeerMisbehaved::TrailingBytes.into())
    );
}

/// A target that asks the pool's host over and over and never takes an answer.
#[test]
fn answers_that_a_target_does_not_take_are_bounded() {
    let (mut client, _server) = pair();
    let response =
        HostResponse { call: 1, method: HostMethod::GetName, result: HostResult::Value(Value::text("x".repeat(9000))) };
    let refused = (0..1000).find_map(|_| client.host_response(None, &response).err());
    assert_eq!(refused, Some(LimitExceeded::InFlight.into()));
}
