//! What a target that does wrong can do: fail its own pipelines, and be refused.

use super::client::{Client, Ran, alone, command, host, named, pipeline, text};
use super::wire::{END, START, WHOLE, fragment, message, to_client};
use super::{Asked, Heard, Remote, Say};
use crate::demo::site::USER;
use sekisho_protocol::clixml::{Object, Value};
use sekisho_protocol::psrp::{
    CreatePipeline, Defragmenter, Destination, ErrorCategory, ErrorRecord, ExchangeKey, HostCall, HostMethod,
    HostResponse, HostResult, Message, MessageType, Passage, PipelineState, PoolState, ProtocolVersion,
    SessionCapability, Stated, Stream, private_data,
};
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::wsman::SignalCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// The message of a state.
fn state(object: u64, asked: Asked, state: PipelineState) -> Vec<u8> {
    let body = Stated { state, error: None }.encode_pipeline();
    to_client(object, MessageType::PipelineState, (asked.pool, asked.pipeline), &body)
}

fn output(object: u64, asked: Asked, value: &Value) -> Vec<u8> {
    to_client(object, MessageType::PipelineOutput, (asked.pool, asked.pipeline), value)
}

fn call(object: u64, asked: Asked, call: &HostCall) -> Vec<u8> {
    to_client(object, MessageType::PipelineHostCall, (asked.pool, asked.pipeline), &call.encode())
}

/// The pool as usual, and each Receive of a pipeline by `say`.
fn in_pipelines(say: impl Fn(Asked) -> Say + Send + Sync + 'static) -> impl Fn(Asked) -> Say + Send + Sync + 'static {
    move |asked| if asked.pipeline.is_some() { say(asked) } else { Say::Usual }
}

/// What is silent until it is stopped.
fn sleeping() -> CreatePipeline {
    pipeline(vec![command("Start-Sleep", vec![named("Seconds", Value::int(3600))])])
}

async fn ask(client: &mut Client) -> Ran {
    client.commands(vec![command("Get-Process", vec![])]).await
}

/// The answers to calls of the host that a target was sent.
fn answers(heard: &[Heard]) -> Vec<HostResponse> {
    let mut defragmenter = Defragmenter::new();
    let mut found = Vec::new();
    for heard in heard {
        let Heard::Send { stream: Stream::PromptResponse, data, of } = heard else { continue };
        for object in defragmenter.receive(data).unwrap() {
            let message = Message::decode(object).unwrap();
            assert_eq!(message.header.pipeline, of.unwrap_or_default());
            found.push(HostResponse::decode(&message.value().unwrap()).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn every_call_of_the_host_is_shown_answered_or_refused_and_none_is_left_waiting() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(in_pipelines(|asked| {
        let Some(method) = usize::try_from(asked.turn).ok().and_then(|turn| HostMethod::ALL.get(turn)) else {
            return Say::Last(state(1000, asked, PipelineState::Completed));
        };
        let calls = HostCall { call: i64::from(method.code()), method: *method, parameters: vec![text("Password")] };
        Say::Data(call(asked.turn + 1, asked, &calls))
    }));
    let ran = ask(&mut client).await;
    assert_eq!(ran.state(), PipelineState::Completed);
    let passing = |method: &HostMethod| matches!(method.passage(), Passage::Shown | Passage::Ends);
    let shown: Vec<_> = HostMethod::ALL.iter().copied().filter(passing).collect();
    assert_eq!(ran.methods(), shown, "nobody is asked anything");
    assert!(ran.calls.iter().all(|call| call.call == -100), "the numbers are the gateway's own");
    let answered = answers(&remote.heard());
    let wanted: Vec<_> = HostMethod::ALL
        .iter()
        .filter(|method| matches!(method.passage(), Passage::Known | Passage::Asks | Passage::Refused))
        .collect();
    assert_eq!(answered.len(), wanted.len());
    for (response, method) in answered.iter().zip(wanted) {
        assert_eq!((response.call, response.method), (i64::from(method.code()), *method));
        let refused = method.passage() != Passage::Known;
        match &response.result {
            HostResult::Error(record) => {
                let id = record.as_object().unwrap().member("FullyQualifiedErrorId");
                assert_eq!(id, Some(&text("SekishoPromptRefused")), "{method:?}");
            }
            HostResult::Value(_) => assert!(!refused, "{method:?}"),
            HostResult::Done => panic!("{method:?}"),
        }
    }
    remote.behave();
    assert!(client.works().await);
    remote.site.stop().await;
}

/// What a target says in a pipeline, and nobody may.
type Wrong = fn(Asked) -> Say;

const WRONGS: [(&str, Wrong); 22] = [
    ("an unknown method", |asked| {
        let method = Value::int(99);
        let members = [("ci", Value::long(1)), ("mi", method), ("mp", Value::Nil)];
        let body = Value::object(Object::of_members(members));
        Say::Data(to_client(1, MessageType::PipelineHostCall, (asked.pool, asked.pipeline), &body))
    }),
    ("a call without members", |asked| {
        let ids = (asked.pool, asked.pipeline);
        Say::Data(to_client(1, MessageType::PipelineHostCall, ids, &text("")))
    }),
    ("another pool", |asked| {
        Say::Data(to_client(1, MessageType::PipelineOutput, (Uuid::from_u128(1), asked.pipeline), &text("")))
    }),
    ("another pipeline", |asked| {
        Say::Data(to_client(1, MessageType::PipelineOutput, (asked.pool, Some(Uuid::from_u128(1))), &text("")))
    }),
    ("no pipeline", |asked| Say::Data(to_client(1, MessageType::PipelineOutput, (asked.pool, None), &text("")))),
    ("the pool's state in a pipeline", |asked| {
        let body = Stated { state: PoolState::Closed, error: None }.encode_pool();
        Say::Data(to_client(1, MessageType::RunspacePoolState, (asked.pool, None), &body))
    }),
    ("a request for a key in a pipeline", |asked| {
        Say::Data(to_client(1, MessageType::PublicKeyRequest, (asked.pool, None), &text("")))
    }),
    ("a type that nobody knows", |asked| {
        let whole = message(Destination::Client, MessageType::PipelineOutput, (asked.pool, asked.pipeline), &text(""));
        let mut unknown = whole;
        unknown[4..8].copy_from_slice(&0x0004_10FF_u32.to_le_bytes());
        Say::Data(fragment(1, 0, WHOLE, &unknown))
    }),
    ("a message for servers", |asked| {
        Say::Data(to_client(1, MessageType::PipelineInput, (asked.pool, asked.pipeline), &text("")))
    }),
    ("a destination that is none", |asked| {
        let ids = (asked.pool, asked.pipeline);
        Say::Data(fragment(1, 0, WHOLE, &message(Destination::Server, MessageType::PipelineOutput, ids, &text(""))))
    }),
    ("a pipeline of its own", |asked| {
        Say::Data(to_client(1, MessageType::CreatePipeline, (asked.pool, asked.pipeline), &text("")))
    }),
    ("a gap", |asked| {
        let whole = message(Destination::Client, MessageType::PipelineOutput, (asked.pool, asked.pipeline), &text(""));
        Say::Data([fragment(1, 0, START, &whole[..9]), fragment(1, 2, END, &whole[9..])].concat())
    }),
    ("an object within an object", |asked| {
        let whole = message(Destination::Client, MessageType::PipelineOutput, (asked.pool, asked.pipeline), &text(""));
        Say::Data([fragment(1, 0, START, &whole[..9]), fragment(2, 0, WHOLE, &whole)].concat())
    }),
    ("an object twice", |asked| Say::Data([output(1, asked, &text("")), output(1, asked, &text(""))].concat())),
    ("an empty fragment that goes on", |_asked| Say::Data(fragment(1, 0, START, b""))),
    ("bytes that are no fragment", |_asked| Say::Data(b"HTTP/1.1 200 OK".to_vec())),
    ("a state that is none", |asked| {
        let body = Value::object(Object::of_members([("PipelineState", Value::int(77))]));
        Say::Data(to_client(1, MessageType::PipelineState, (asked.pool, asked.pipeline), &body))
    }),
    ("a state that is no CLIXML", |asked| {
        let mut whole =
            message(Destination::Client, MessageType::PipelineState, (asked.pool, asked.pipeline), &text("x"));
        whole.extend_from_slice(b"<Obj>");
        Say::Data(fragment(1, 0, WHOLE, &whole))
    }),
    ("output after the end", |asked| {
        Say::Data([state(1, asked, PipelineState::Completed), output(2, asked, &text("late"))].concat())
    }),
    ("an end without a state", |asked| Say::Last(output(1, asked, &text("x")))),
    ("another command's output", |asked| Say::Other(output(1, asked, &text("x")))),
    ("a shell that is gone", |_asked| Say::Fault(FaultCode::UNEXPECTED_SELECTORS)),
];

#[tokio::test]
async fn what_breaks_the_protocol_fails_the_pipeline_and_closes_the_shell() {
    let remote = Remote::new().await;
    for (what, wrong) in WRONGS {
        remote.behave();
        let mut client = remote.client().await;
        remote.misbehave(in_pipelines(wrong));
        let ran = ask(&mut client).await;
        assert_eq!((ran.state(), ran.failure().0.as_str()), (PipelineState::Failed, "SekishoTargetFailed"), "{what}");
        assert!(!client.works().await, "{what}");
    }
    remote.behave();
    assert!(remote.client().await.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn an_object_without_end_is_cut_off() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let turns = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&turns);
    remote.misbehave(in_pipelines(move |asked| {
        counted.store(asked.turn, Ordering::Relaxed);
        Say::Data(fragment(1, asked.turn, if asked.turn == 0 { START } else { 0 }, &vec![b' '; 300_000]))
    }));
    let ran = ask(&mut client).await;
    assert_eq!(ran.failure().0, "SekishoTargetFailed");
    let most = u64::try_from(sekisho_protocol::limits::PSRP_OBJECT).unwrap();
    assert!(turns.load(Ordering::Relaxed) <= most / 300_000 + 1, "nothing is asked for beyond the limit");
    remote.site.stop().await;
}

#[tokio::test]
async fn output_without_end_is_ended_by_its_client() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(in_pipelines(|asked| Say::Data(output(asked.turn + 1, asked, &text(&"x".repeat(100_000))))));
    let id = client.start(&pipeline(vec![command("Get-Process", vec![])])).await;
    let mut ran = Ran::default();
    for _ in 0..30 {
        assert_eq!(client.receive(id, &mut ran).await, Ok(false));
    }
    client.signal(id, SignalCode::Terminate).await.unwrap();
    let told = |heard: &Heard| matches!(heard, Heard::Signal { signal: SignalCode::Terminate, .. });
    assert!(remote.heard().iter().any(told));
    remote.behave();
    assert!(client.works().await);
    remote.site.stop().await;
}

/// The first whole answer is what the client waits for, so that what the target says while nobody fetches is counted.
#[tokio::test]
async fn a_client_that_does_not_fetch_stops_the_target() {
    let remote = Remote::new().await;
    let (mut client, mut other) = (remote.client().await, remote.client().await);
    let turns = Arc::new(AtomicU64::new(0));
    let (counted, slow) = (Arc::clone(&turns), client.pool);
    let talks = Arc::new(parking_lot::Mutex::new(None));
    let talking = Arc::clone(&talks);
    remote.misbehave(in_pipelines(move |asked| {
        // The first pipeline is the one that nobody fetches.
        if *talking.lock().get_or_insert(asked.pipeline) != asked.pipeline {
            return Say::Last(state(1, asked, PipelineState::Completed));
        }
        counted.fetch_add(1, Ordering::Relaxed);
        Say::Data(output(asked.turn + 1, asked, &text(&"x".repeat(100_000))))
    }));
    let id = client.start(&pipeline(vec![command("Get-Process", vec![])])).await;
    let mut ran = Ran::default();
    assert_eq!(client.receive(id, &mut ran).await, Ok(false));
    // Meanwhile another shell of the same target has all the time that it needs.
    for _ in 0..20 {
        assert_eq!(ask(&mut other).await.state(), PipelineState::Completed);
    }
    // A megabyte waits at the gateway, and one answer more may have been asked for.
    let asked = turns.load(Ordering::Relaxed);
    assert!((2..=14).contains(&asked), "{asked}");
    client.signal(id, SignalCode::Terminate).await.unwrap();
    assert_eq!(client.pool, slow);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_silent_target_is_given_up_on_when_its_client_says_so() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(in_pipelines(|_asked| Say::Nothing));
    let id = client.start(&pipeline(vec![command("Get-Process", vec![])])).await;
    client.signal(id, SignalCode::Terminate).await.unwrap();
    assert_eq!(client.poll(Some(id)).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    client.close().await;
    assert_eq!(remote.shells(), 0);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_fault_in_a_pipeline_fails_it_alone() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(in_pipelines(|_asked| Say::Fault(FaultCode::ACCESS_DENIED)));
    let ran = ask(&mut client).await;
    assert_eq!(ran.failure().0, "SekishoTargetFailed");
    assert!(ran.failure().1.contains("look at the target before you try again"));
    remote.behave();
    assert!(client.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn errors_of_a_target_pass_as_they_are_and_name_nothing_of_the_gateways() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(in_pipelines(|asked| {
        let error = ErrorRecord {
            message: "the target's own words".to_owned(),
            id: "TargetsOwn".to_owned(),
            category: ErrorCategory::ObjectNotFound,
            about: String::new(),
        };
        let body = Stated { state: PipelineState::Failed, error: Some(error.encode()) }.encode_pipeline();
        Say::Last(to_client(1, MessageType::PipelineState, (asked.pool, asked.pipeline), &body))
    }));
    let ran = ask(&mut client).await;
    assert_eq!(ran.failure(), ("TargetsOwn".to_owned(), "the target's own words".to_owned()));
    remote.site.stop().await;
}

/// Messages of a pool that opens.
fn opens(asked: Asked, version: &str) -> Vec<u8> {
    let capability = Value::object(Object::of_members([
        ("protocolversion", Value::Version(version.to_owned())),
        ("PSVersion", Value::Version("2.0".to_owned())),
        ("SerializationVersion", Value::Version("1.1.0.1".to_owned())),
    ]));
    let opened = Stated { state: PoolState::Opened, error: None }.encode_pool();
    let ids = (asked.pool, None);
    [
        to_client(1, MessageType::SessionCapability, ids, &capability),
        to_client(2, MessageType::ApplicationPrivateData, ids, &private_data(Vec::new())),
        to_client(3, MessageType::RunspacePoolState, ids, &opened),
    ]
    .concat()
}

#[tokio::test]
async fn a_target_that_announces_a_version_without_sealing_gets_secrets_sealed_all_the_same() {
    let remote = Remote::new().await;
    remote.misbehave(|asked| match (asked.pipeline, asked.turn) {
        (None, 0) => Say::Data(opens(asked, "2.4")),
        (None, _) => Say::Usual,
        (Some(_), _) => Say::Last(state(1, asked, PipelineState::Completed)),
    });
    let client = remote.client().await;
    assert_eq!(client.machine.protocol(), ProtocolVersion::V2_3);
    let Heard::Create(creation) = &remote.heard()[0] else { panic!() };
    let first = Defragmenter::new().receive(creation).unwrap().remove(0);
    let capability = SessionCapability::decode(&Message::decode(first).unwrap().value().unwrap()).unwrap();
    assert_eq!(capability.protocol, ProtocolVersion::V2_3);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_pool_that_does_not_open_as_it_should_is_a_fault_of_the_create() {
    type Opens = fn(Asked) -> Say;
    let wrongs: [(&str, Opens); 8] = [
        ("a state before the capability", |asked| {
            let body = Stated { state: PoolState::Opened, error: None }.encode_pool();
            Say::Data(to_client(1, MessageType::RunspacePoolState, (asked.pool, None), &body))
        }),
        ("a version that is none", |asked| Say::Data(opens(asked, "3.0"))),
        ("a version of a beta", |asked| Say::Data(opens(asked, "2.0"))),
        ("another pool", |asked| Say::Data(opens(Asked { pool: Uuid::from_u128(1), ..asked }, "2.3"))),
        ("the capability twice", |asked| {
            let capability = SessionCapability { protocol: ProtocolVersion::V2_3 }.encode();
            let said = |object| to_client(object, MessageType::SessionCapability, (asked.pool, None), &capability);
            Say::Data([said(1), said(2)].concat())
        }),
        ("output", |asked| Say::Data(to_client(1, MessageType::PipelineOutput, (asked.pool, None), &text("")))),
        ("a fault", |_asked| Say::Fault(FaultCode::ACCESS_DENIED)),
        ("a pipeline's answer", |asked| Say::Other(opens(asked, "2.3"))),
    ];
    let remote = Remote::new().await;
    for (what, wrong) in wrongs {
        remote.misbehave(wrong);
        let opened = Client::open_with(&remote, USER, (host(), 512_000)).await;
        assert!(opened.is_err(), "{what}");
    }
    remote.behave();
    assert!(remote.client().await.works().await);
    assert_eq!(remote.pipelines(), 1);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_pool_that_breaks_while_it_opens_is_a_fault_of_the_create() {
    for state in [PoolState::Broken, PoolState::Closed] {
        let remote = Remote::new().await;
        remote.misbehave(move |asked| {
            let capability = SessionCapability { protocol: ProtocolVersion::V2_3 }.encode();
            let body = Stated { state, error: None }.encode_pool();
            let ids = (asked.pool, None);
            let said = [
                to_client(1, MessageType::SessionCapability, ids, &capability),
                to_client(2, MessageType::RunspacePoolState, ids, &body),
            ];
            Say::Data(said.concat())
        });
        assert!(Client::open_with(&remote, USER, (host(), 512_000)).await.is_err());
        remote.site.stop().await;
    }
}

/// A client and the key of its session, with a password sealed under it.
async fn sealing(remote: &Remote) -> (Client, Value) {
    let mut client = remote.client().await;
    let exchange = ExchangeKey::generate(&mut crate::random::random().unwrap()).unwrap();
    client.machine.public_key(&exchange.public_key());
    client.flush(None).await;
    client.receive_pool().await.unwrap();
    let Some(sekisho_protocol::psrp::ClientEvent::SessionKey(sealed)) = client.events.last() else { panic!() };
    let word = SecretText::new("canary horse battery".to_owned());
    let sealed = exchange.open(sealed).unwrap().seal(&word).unwrap();
    (client, Value::Secure(sealed))
}

#[tokio::test]
async fn without_a_key_of_the_targets_no_secret_is_sent() {
    type Answers = fn(u64, Asked) -> Say;
    let wrongs: [(&str, Answers); 4] = [
        ("a key that is none", |object, asked| {
            let body = Value::object(Object::of_members([("EncryptedSessionKey", text("AAAA"))]));
            Say::Data(to_client(object, MessageType::EncryptedSessionKey, (asked.pool, None), &body))
        }),
        ("no member", |object, asked| {
            Say::Data(to_client(object, MessageType::EncryptedSessionKey, (asked.pool, None), &text("")))
        }),
        ("a fault", |_object, _asked| Say::Fault(FaultCode::ACCESS_DENIED)),
        ("the end of the pool", |object, asked| {
            let body = Stated { state: PoolState::Broken, error: None }.encode_pool();
            let end = to_client(object, MessageType::RunspacePoolState, (asked.pool, None), &body);
            let body = Value::object(Object::of_members([("EncryptedSessionKey", text("AAAA"))]));
            let key = to_client(object + 1, MessageType::EncryptedSessionKey, (asked.pool, None), &body);
            if asked.turn == 1 { Say::Data([end, key].concat()) } else { Say::Fault(FaultCode::UNEXPECTED_SELECTORS) }
        }),
    ];
    for (what, answers) in wrongs {
        let remote = Remote::new().await;
        remote.misbehave(move |asked| match (asked.pipeline, asked.turn) {
            (None, 0) => Say::Data(opens(asked, "2.3")),
            (None, turn) => answers(turn + 9, asked),
            (Some(_), _) => Say::Last(state(1, asked, PipelineState::Completed)),
        });
        let (mut client, password) = sealing(&remote).await;
        let set = vec![named("Name", text("aoki")), named("Password", password)];
        let ran = client.commands(vec![command("Set-LocalUser", set)]).await;
        assert_eq!((ran.state(), ran.failure().0.as_str()), (PipelineState::Failed, "SekishoTargetFailed"), "{what}");
        assert_eq!(remote.pipelines(), 0, "{what}");
        remote.site.stop().await;
    }
}

#[tokio::test]
async fn a_secure_string_that_nobody_sealed_does_not_pass() {
    let remote = Remote::new().await;
    let (mut client, password) = sealing(&remote).await;
    remote.misbehave(in_pipelines(move |asked| Say::Data(output(1, asked, &password))));
    let ran = ask(&mut client).await;
    assert_eq!((ran.records.len(), ran.failure().0.as_str()), (0, "SekishoTargetFailed"));
    remote.site.stop().await;
}

/// A target that wants a key says so on the pool's own stream, which is listened to when a pipeline is silent.
#[tokio::test]
async fn a_target_that_asks_for_a_key_gets_one() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(|asked| match (asked.pipeline, asked.turn) {
        (None, 0) => Say::KeyWanted,
        (None, _) | (Some(_), _) => Say::Usual,
    });
    let id = client.start(&sleeping()).await;
    let key = |heard: &Heard| {
        let Heard::Send { of: None, stream: Stream::Main, data } = heard else { return false };
        let objects = Defragmenter::new().receive(data).unwrap();
        objects.into_iter().any(|object| Message::decode(object).unwrap().header.kind == MessageType::PublicKey)
    };
    remote.heard_of(key).await;
    client.signal(id, SignalCode::Terminate).await.unwrap();
    remote.site.stop().await;
}

/// What the target says to the client's host is shown, and never taken for a question of the gateway's.
#[tokio::test]
async fn a_password_is_asked_for_only_where_policy_lets_a_command_ask() {
    let remote = Remote::new().await;
    let (mut client, password) = sealing(&remote).await;
    remote.misbehave(in_pipelines(|asked| match asked.turn {
        0 => {
            let method = HostMethod::ReadLineAsSecureString;
            Say::Data(call(1, asked, &HostCall { call: 7, method, parameters: Vec::new() }))
        }
        _ => Say::Last(state(2, asked, PipelineState::Completed)),
    }));
    let ran = ask(&mut client).await;
    assert_eq!((ran.calls.len(), ran.state()), (0, PipelineState::Completed));
    assert!(matches!(answers(&remote.heard())[0].result, HostResult::Error(_)));
    // One that may ask gets the answer sealed under the target's own key, or not at all.
    let id = client.start(&pipeline(vec![command("Get-Credential", vec![alone(text("aoki"))])])).await;
    let mine = password.clone();
    let ran = client.follow(id, move |_| HostResult::Value(mine.clone())).await;
    assert!(ran.methods().contains(&HostMethod::ReadLineAsSecureString) || ran.state() == PipelineState::Completed);
    let Value::Secure(mine) = password else { panic!() };
    for heard in remote.heard() {
        if let Heard::Send { data, .. } = heard {
            assert!(!String::from_utf8_lossy(&data).contains(mine.0.as_str()));
        }
    }
    remote.site.stop().await;
}

/// A call of the pool itself, outside of any pipeline, asks nobody, and does not wait.
#[tokio::test]
async fn a_question_of_the_pools_is_refused() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(|asked| match (asked.pipeline, asked.turn) {
        (None, 0) => {
            let call =
                HostCall { call: 7, method: HostMethod::PromptForCredential2, parameters: vec![text("Password")] };
            Say::Data(to_client(4, MessageType::RunspacePoolHostCall, (asked.pool, None), &call.encode()))
        }
        (None, _) | (Some(_), _) => Say::Usual,
    });
    let id = client.start(&sleeping()).await;
    remote.heard_of(|heard| matches!(heard, Heard::Send { of: None, stream: Stream::PromptResponse, .. })).await;
    client.signal(id, SignalCode::PowerShellCtrlC).await.unwrap();
    let ran = client.follow(id, |_| HostResult::Done).await;
    assert_eq!((ran.state(), ran.calls.len(), client.events.len()), (PipelineState::Stopped, 0, 2));
    let answered = answers(&remote.heard());
    assert_eq!((answered.len(), answered[0].call), (1, 7));
    assert!(matches!(answered[0].result, HostResult::Error(_)));
    remote.site.stop().await;
}

#[tokio::test]
async fn a_pool_that_ends_in_the_middle_takes_nothing_more() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    remote.misbehave(|asked| match (asked.pipeline, asked.turn) {
        (None, 0) => {
            let body = Stated { state: PoolState::Broken, error: None }.encode_pool();
            Say::Data(to_client(4, MessageType::RunspacePoolState, (asked.pool, None), &body))
        }
        (None, _) | (Some(_), _) => Say::Usual,
    });
    let id = client.start(&sleeping()).await;
    let ran = loop {
        let ran = ask(&mut client).await;
        if ran.state() == PipelineState::Failed {
            break ran;
        }
    };
    assert_eq!(ran.failure().0, "SekishoTargetFailed");
    let before = remote.pipelines();
    assert_eq!(ask(&mut client).await.failure().0, "SekishoTargetFailed");
    assert_eq!(remote.pipelines(), before, "a pool that has ended is sent nothing");
    let ran = client.follow(id, |_| HostResult::Done).await;
    assert_eq!(ran.failure().0, "SekishoTargetFailed", "what was silent in it has ended as well");
    remote.behave();
    assert!(remote.client().await.works().await);
    remote.site.stop().await;
}
