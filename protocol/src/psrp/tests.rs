//! Tests of fragments, messages and commands.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::Error;
use crate::clixml::{Content, Object as ClixmlObject, Value, decode, encode};
use crate::error::{LimitExceeded, Malformed, Misuse, PeerMisbehaved, Unsupported};
use crate::limits::PSRP_OBJECT;

fn fragment(object: u64, number: u64, flags: u8, blob: &[u8]) -> Vec<u8> {
    let length = u32::try_from(blob.len()).unwrap();
    let head = [&object.to_be_bytes()[..], &number.to_be_bytes(), &[flags], &length.to_be_bytes()].concat();
    [&head, blob].concat()
}

#[test]
fn fragments_out_of_order_are_refused_and_stay_refused() {
    let order: Error = PeerMisbehaved::FragmentOrder.into();
    let shape: Error = Malformed::PsrpFragment.into();
    for (pieces, error) in [
        (vec![fragment(1, 0, 0, b"a")], order),
        (vec![fragment(1, 1, 1, b"a")], order),
        (vec![fragment(1, 0, 1, b"a"), fragment(1, 2, 2, b"b")], order),
        (vec![fragment(1, 0, 1, b"a"), fragment(1, 0, 1, b"b")], order),
        (vec![fragment(1, 0, 1, b"a"), fragment(2, 0, 3, b"b")], order),
        (vec![fragment(1, 0, 1, b"a"), fragment(2, 1, 2, b"b")], order),
        (vec![fragment(2, 0, 3, b"a"), fragment(1, 0, 3, b"b")], order),
        (vec![fragment(2, 0, 3, b"a"), fragment(2, 0, 3, b"b")], order),
        (vec![fragment(1, 0, 7, b"a")], shape),
        (vec![fragment(1, 0, 1, b"")], shape),
        (vec![fragment(1, 0, 3, b"abc")[..23].to_vec()], shape),
        (vec![vec![0; 20]], shape),
    ] {
        let mut defragmenter = Defragmenter::new();
        let last = pieces.iter().map(|piece| defragmenter.receive(piece)).find_map(Result::err);
        assert_eq!(last, Some(error), "{pieces:?}");
        assert_eq!(defragmenter.receive(&fragment(9, 0, 3, b"a")), Err(error), "failed stays failed");
    }
}

#[test]
fn an_object_that_is_too_large_is_refused_before_it_is_whole() {
    let mut defragmenter = Defragmenter::new();
    let blob = vec![b'a'; 1 << 20];
    let mut number = 0;
    let error = loop {
        match defragmenter.receive(&fragment(1, number, u8::from(number == 0), &blob)) {
            Ok(objects) => assert!(objects.is_empty()),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 20);
    };
    assert_eq!(error, LimitExceeded::MessageSize.into());
    assert!(usize::try_from(number).unwrap() * blob.len() <= PSRP_OBJECT);
}

#[test]
fn a_fragmenter_needs_room_for_a_byte() {
    assert_eq!(Fragmenter::new(21).unwrap_err(), Misuse::ChunkSize.into());
    let mut fragmenter = Fragmenter::new(22).unwrap();
    assert_eq!(fragmenter.cut(b"ab"), [fragment(1, 0, 1, b"a"), fragment(1, 1, 2, b"b")]);
    assert_eq!(fragmenter.cut(b""), [fragment(2, 0, 3, b"")]);
}

proptest! {
    #[test]
    fn what_is_cut_is_put_together_again(objects in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 1..5),
                                         size in 22_usize..60, pieces in 1_usize..5) {
        let mut fragmenter = Fragmenter::new(size).unwrap();
        let fragments: Vec<Vec<u8>> = objects.iter().flat_map(|object| fragmenter.cut(object)).collect();
        let mut defragmenter = Defragmenter::new();
        let mut found = Vec::new();
        for piece in fragments.chunks(pieces) {
            found.extend(defragmenter.receive(&piece.concat()).unwrap());
        }
        prop_assert_eq!(found, objects);
        prop_assert!(!defragmenter.is_within());
    }
}

fn header(kind: MessageType) -> MessageHeader {
    let destination = match kind.direction() {
        Direction::ToClient => Destination::Client,
        Direction::ToServer | Direction::Both => Destination::Server,
    };
    let pipeline = if kind.family() == Family::Pool { Uuid::nil() } else { Uuid::from_u128(7) };
    MessageHeader { destination, kind, pool: Uuid::from_u128(3), pipeline }
}

#[test]
fn every_message_reaches_its_side_only() {
    for kind in MessageType::ALL.iter().copied() {
        assert_eq!(MessageType::of_code(kind.code()), Some(kind));
        let message = Message::new(header(kind), &Value::text("x"));
        let bytes = message.clone().encode();
        assert_eq!(Message::decode(bytes.clone()), Ok(message.clone()));
        let mut other = bytes.clone();
        other[0] = if other[0] == 1 { 2 } else { 1 };
        let expected = match kind.direction() {
            Direction::Both => Ok(()),
            Direction::ToClient | Direction::ToServer => Err(PeerMisbehaved::WrongDirection.into()),
        };
        assert_eq!(Message::decode(other).map(|_| ()), expected, "{kind:?}");
        let mut confused = message;
        confused.header.pipeline = if confused.header.pipeline.is_nil() { Uuid::from_u128(1) } else { Uuid::nil() };
        assert_eq!(Message::decode(confused.encode()), Err(PeerMisbehaved::WrongPipeline.into()), "{kind:?}");
    }
}

#[test]
fn a_header_that_is_none_is_refused() {
    let bytes = Message::new(header(MessageType::CreatePipeline), &Value::Nil).encode();
    for length in 0..40 {
        assert_eq!(Message::decode(bytes[..length].to_vec()), Err(Malformed::PsrpMessage.into()));
    }
    for (at, value, error) in [
        (0, 3, Error::from(Malformed::PsrpMessage)),
        (1, 1, Malformed::PsrpMessage.into()),
        (4, 0xFF, PeerMisbehaved::UnknownMessage.into()),
        (7, 1, PeerMisbehaved::UnknownMessage.into()),
    ] {
        let mut changed = bytes.clone();
        changed[at] = value;
        assert_eq!(Message::decode(changed), Err(error), "{at}");
    }
}

#[test]
fn ids_are_in_the_order_of_dotnet() {
    let mut head = header(MessageType::SessionCapability);
    head.pool = Uuid::parse_str("da7157d1-df5a-441d-abaf-58b26463cfe5").unwrap();
    let bytes = Message::new(head, &Value::Nil).encode();
    assert_eq!(bytes[8..16], [0xD1, 0x57, 0x71, 0xDA, 0x5A, 0xDF, 0x1D, 0x44]);
}

fn pipeline() -> CreatePipeline {
    let command = Command::new(
        "Restart-Service",
        vec![
            Argument { name: Some("Name".to_owned()), value: Value::text("Spooler") },
            Argument { name: None, value: Value::int(5) },
        ],
    );
    CreatePipeline::of_statements(vec![vec![command]])
}

fn change(value: &Value, path: &[&str], to: Option<Value>) -> Value {
    let Value::Object(object) = value else { panic!("no object") };
    let mut object = ClixmlObject::clone(object);
    let Some((first, rest)) = path.split_first() else { return to.unwrap() };
    if let Content::List(kind, items) = &object.content {
        let changed = items.iter().map(|item| change(item, path, to.clone())).collect();
        object.content = Content::List(*kind, changed);
        return Value::object(object);
    }
    let members = object.extended.as_mut().unwrap();
    let at = members.iter().position(|(name, _)| name == first).unwrap();
    match (rest.is_empty(), to) {
        (true, None) => {
            members.remove(at);
        }
        (true, Some(to)) => members[at].1 = to,
        (false, to) => members[at].1 = change(&members[at].1.clone(), rest, to),
    }
    Value::object(object)
}

#[test]
fn a_pipeline_is_read_as_it_was_written() {
    let one = pipeline();
    let text = encode(&one.encode());
    assert_eq!(CreatePipeline::decode(&decode(text.as_bytes()).unwrap()), Ok(one.clone()));
    let batch = CreatePipeline::of_statements(vec![one.commands, vec![Command::new("hostname", Vec::new())]]);
    assert_eq!(batch.statements.as_ref().map(Vec::len), Some(2));
    assert_eq!(CreatePipeline::decode(&batch.encode()), Ok(batch));
}

#[test]
fn merging_is_read_as_it_was_written() {
    for error in [MergeTarget::Own, MergeTarget::Output, MergeTarget::Null] {
        for previous in [false, true] {
            let mut pipeline = pipeline();
            let merge = Merge { error, information: MergeTarget::Output, previous, ..Merge::default() };
            pipeline.commands[0].merge = merge;
            assert_eq!(CreatePipeline::decode(&pipeline.encode()), Ok(pipeline));
        }
    }
    let commands = ["PowerShell", "Cmds"];
    for (member, value) in [("MergePreviousResults", 2), ("MergeMyResult", 1), ("MergeToResult", 1), ("MergeError", 7)]
    {
        let body = change(&pipeline().encode(), &[&commands[..], &[member]].concat(), Some(Value::int(value)));
        assert_eq!(CreatePipeline::decode(&body), Err(Unsupported::Merge.into()), "{member}");
    }
    // The form of protocol 2.1.
    let body = change(&pipeline().encode(), &["PowerShell", "Cmds", "MergeMyResult"], Some(Value::int(2)));
    let body = change(&body, &["PowerShell", "Cmds", "MergeToResult"], Some(Value::int(1)));
    assert_eq!(CreatePipeline::decode(&body), Err(Unsupported::Merge.into()), "the two forms differ");
    let old = change(&body, &["PowerShell", "Cmds", "MergeError"], None);
    assert_eq!(CreatePipeline::decode(&old).unwrap().commands[0].merge.error, MergeTarget::Output);
}

#[test]
fn members_that_are_missing_or_of_another_type_are_refused() {
    let body = pipeline().encode();
    for path in [
        &["NoInput"][..],
        &["ApartmentState"],
        &["RemoteStreamOptions"],
        &["AddToHistory"],
        &["HostInfo"],
        &["HostInfo", "_isHostNull"],
        &["IsNested"],
        &["PowerShell"],
        &["PowerShell", "Cmds"],
        &["PowerShell", "IsNested"],
        &["PowerShell", "History"],
        &["PowerShell", "RedirectShellErrorOutputPipe"],
        &["PowerShell", "Cmds", "Cmd"],
        &["PowerShell", "Cmds", "IsScript"],
        &["PowerShell", "Cmds", "UseLocalScope"],
        &["PowerShell", "Cmds", "MergeMyResult"],
        &["PowerShell", "Cmds", "Args"],
        &["PowerShell", "Cmds", "Args", "N"],
        &["PowerShell", "Cmds", "Args", "V"],
    ] {
        let shape = Err(Malformed::PsrpBody.into());
        assert_eq!(CreatePipeline::decode(&change(&body, path, None)), shape, "{path:?} is missing");
        if path.last() != Some(&"V") {
            let other = Value::Bytes(Vec::new());
            assert_eq!(CreatePipeline::decode(&change(&body, path, Some(other))), shape, "{path:?} is of another type");
        }
    }
    for (path, value) in [
        (&["PowerShell", "Cmds", "Cmd"][..], Value::text("")),
        (&["PowerShell", "Cmds", "Cmd"], Value::Units(vec![0xD800])),
        (&["PowerShell", "Cmds", "Args", "N"], Value::text("")),
        (&["PowerShell", "Cmds"], Value::object(ClixmlObject::default())),
    ] {
        let changed = change(&body, path, Some(value));
        assert_eq!(CreatePipeline::decode(&changed), Err(Malformed::PsrpBody.into()), "{path:?}");
    }
    assert_eq!(CreatePipeline::decode(&Value::Nil), Err(Malformed::PsrpBody.into()));
}

#[test]
fn counts_are_bounded() {
    let many = |count: usize| vec![Command::new("a", Vec::new()); count];
    let large = CreatePipeline { commands: many(257), ..pipeline() };
    assert_eq!(CreatePipeline::decode(&large.encode()), Err(LimitExceeded::Command.into()));
    let batch = CreatePipeline { statements: Some(vec![many(1); 257]), ..pipeline() };
    assert_eq!(CreatePipeline::decode(&batch.encode()), Err(LimitExceeded::Command.into()));
}

#[test]
fn debug_shows_no_command() {
    let mut shown = pipeline();
    shown.commands[0].name = "hunter2".to_owned();
    shown.commands[0].arguments[0].value = Value::text("hunter2");
    shown.commands[0].arguments[0].name = Some("hunter2".to_owned());
    assert!(!format!("{shown:?}").contains("hunter2"));
    let message = Message::new(header(MessageType::PipelineInput), &Value::text("hunter2"));
    assert!(!format!("{message:?}").contains("hunter2"));
}

#[test]
fn a_record_is_sent_on_in_the_bytes_that_it_came_in() {
    let came = Message::new(header(MessageType::PipelineOutput), &Value::text("x".repeat(100))).encode();
    let place = came.as_ptr();
    let mut message = Message::decode(came).unwrap();
    assert_eq!(message.body, RecordBody::encode(&Value::text("x".repeat(100))));
    message.header.pool = Uuid::from_u128(99);
    let goes = message.encode();
    assert_eq!(goes.as_ptr(), place, "nothing was copied");
    let read = Message::decode(goes).unwrap();
    assert_eq!((read.header.pool, read.value()), (Uuid::from_u128(99), Ok(Value::text("x".repeat(100)))));
}

#[test]
fn bodies_of_every_origin_are_sent_alike() {
    let text = b"<S>x</S>";
    let head = Message::new(header(MessageType::PipelineOutput), &Value::Nil).encode()[..40].to_vec();
    let bare = Message::decode([&head[..], text].concat()).unwrap();
    let marked = Message::decode([&head[..], b"\xEF\xBB\xBF", text].concat()).unwrap();
    let elsewhere = Message { header: bare.header, body: RecordBody::new(text.to_vec()) };
    let nothing = Message { header: bare.header, body: RecordBody::new(Vec::new()) };
    assert_eq!(bare, marked);
    assert_eq!(marked, elsewhere);
    assert_eq!(elsewhere.clone().encode(), marked.clone().encode());
    for message in [bare, marked, elsewhere, nothing.clone()] {
        assert_eq!(Message::decode(message.clone().encode()), Ok(message));
    }
    assert_eq!(nothing.clone().encode().len(), 40, "as PowerShell writes an output of $null");
    assert_eq!(nothing.value(), Ok(Value::Nil));
}

#[test]
fn what_waits_is_what_is_fetched() {
    use super::channel::{Outbox, Stream};
    for room in [0, 22, 30, 64, 1000, usize::MAX] {
        let mut outbox = Outbox::new(Destination::Client, Uuid::from_u128(3), 64).unwrap();
        let id = Some(Uuid::from_u128(7));
        for length in [0, 1, 23, 24, 86, 200] {
            let body = RecordBody::new(vec![b'a'; length]);
            outbox.send_encoded(id, MessageType::PipelineOutput, body);
        }
        let mut before = outbox.waiting(id);
        let mut pieces = Defragmenter::new();
        let mut objects = 0;
        while let Some(piece) = outbox.take(id, Stream::Main, room) {
            assert!(piece.len() <= room.max(64));
            assert_eq!(before.checked_sub(piece.len()), Some(outbox.waiting(id)));
            before = outbox.waiting(id);
            objects += pieces.receive(&piece).unwrap().len();
        }
        assert_eq!((objects, before, outbox.waiting(None)), (6, 0, 0));
        assert_eq!(outbox.take(id, Stream::Main, room), None);
    }
}
