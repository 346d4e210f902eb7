//! Sessions as they should be.

use super::super::raw::header;
use super::client::{Client, alone, command, create, host, named, opening, pipeline, text};
use super::{Heard, Remote};
use crate::demo::site::USER;
use crate::identity::PrincipalName;
use crate::session::{Fetch, PoolFetched as Fetched, PoolShell, Session};
use sekisho_protocol::auth::NtHash;
use sekisho_protocol::clixml::{Object, Value};
use sekisho_protocol::psrp::{
    ClientEvent, CommandKind, CreatePipeline, Defragmenter, ExchangeKey, HostInfo, HostMethod, HostResult,
    InitRunspacePool, Message, MessageType, PipelineState, SessionCapability,
};
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::wsman::{
    Action, CommandId, CommandState, Compression, MessageId, Request, RequestBody, Resource, ResponseBody, SendStream,
    ShellId, SignalCode, encode_request,
};
use sekisho_protocol::xpress;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

#[tokio::test]
async fn what_policy_allows_runs_and_what_it_does_not_is_denied_and_the_session_goes_on() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let service = client.commands(vec![command("Get-Service", vec![named("Name", text("W32Time"))])]).await;
    assert_eq!((service.texts(), service.state()), (vec!["W32Time".to_owned()], PipelineState::Completed));
    let denied = client.commands(vec![command("Restart-Service", vec![named("Name", text("Spooler"))])]).await;
    assert_eq!(denied.state(), PipelineState::Failed);
    let (id, message) = denied.failure();
    assert_eq!(id, "SekishoPolicyDenied");
    assert!(message.contains("-Name accepts W32Time only"), "{message}");
    let unknown = client.commands(vec![command("Remove-Item", vec![alone(text("x"))])]).await;
    assert_eq!(unknown.failure().0, "SekishoPolicyDenied");
    assert_eq!(remote.pipelines(), 1);
    let restarted = client.commands(vec![command("Restart-Service", vec![alone(text("W32Time"))])]).await;
    assert_eq!((restarted.records.len(), restarted.state()), (0, PipelineState::Completed));
    client.close().await;
    assert_eq!(remote.shells(), 0);
    remote.site.stop().await;
}

/// The messages of one stream, decoded.
fn messages(pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<Message> {
    let mut defragmenter = Defragmenter::new();
    let objects = pieces.into_iter().flat_map(|piece| defragmenter.receive(&piece).unwrap()).collect::<Vec<_>>();
    objects.into_iter().map(|object| Message::decode(object).unwrap()).collect()
}

/// The pipelines that the target was sent.
fn sent(heard: &[Heard]) -> Vec<CreatePipeline> {
    let pieces = heard.iter().filter_map(|heard| match heard {
        Heard::Command { piece, .. } => Some(piece.clone()),
        Heard::Create(_) | Heard::Send { .. } | Heard::Signal { .. } | Heard::Delete => None,
    });
    pieces.map(|piece| CreatePipeline::decode(&messages([piece])[0].value().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn what_reaches_the_target_is_the_gateways_own() {
    let remote = Remote::new().await;
    let canary =
        HostInfo { defaults: Some(Value::object(Object::of_members([("data", text("canary-host"))]))), ..host() };
    let mut client = Client::open_with(&remote, USER, (canary.clone(), 512_000)).await.unwrap();
    let mut dashed = pipeline(vec![command(
        "get-service",
        vec![named("-name", Value::Nil), alone(text("W32Time")), named("-ErrorAction:", text("SilentlyContinue"))],
    )]);
    dashed.add_to_history = true;
    dashed.host = canary;
    let script =
        pipeline(vec![sekisho_protocol::psrp::Command { kind: CommandKind::Script, ..command("gsv W32Time", vec![]) }]);
    assert_eq!(client.allowed(&dashed).await.texts(), ["W32Time"]);
    let ran = client.run(&script).await;
    // An alias is none of the role's.
    assert_eq!(ran.failure().0, "SekishoPolicyDenied");
    let script = pipeline(vec![sekisho_protocol::psrp::Command {
        kind: CommandKind::Script,
        ..command(" Get-Service  -Na W32Time \n", vec![])
    }]);
    assert_eq!(client.allowed(&script).await.texts(), ["W32Time"]);
    let heard = remote.heard();
    let pipelines = sent(&heard);
    assert_eq!(pipelines.len(), 2);
    for (pipeline, names) in pipelines.iter().zip([&["Name", "ErrorAction"][..], &["Name"]]) {
        let [command] = pipeline.commands.as_slice() else { panic!() };
        assert_eq!((command.name.as_str(), command.kind), ("Get-Service", CommandKind::Name));
        let found: Vec<_> = command.arguments.iter().map(|argument| argument.name.as_deref().unwrap()).collect();
        assert_eq!(found, names);
        assert!(!pipeline.add_to_history && pipeline.no_input && !pipeline.is_nested);
        assert!(pipeline.host.defaults.is_none() || pipeline.host != dashed.host);
    }
    // Nor are the ids, the host or the opening the client's.
    let Heard::Create(creation) = &heard[0] else { panic!() };
    let opening = messages([creation.clone()]);
    assert_eq!(opening.len(), 2);
    assert!(opening.iter().all(|message| message.header.pool != client.pool));
    assert_eq!(SessionCapability::decode(&opening[0].value().unwrap()).unwrap().protocol.minor(), 3);
    let init = InitRunspacePool::decode(&opening[1].value().unwrap()).unwrap();
    assert!(!init.host.no_host && (init.min, init.max) == (1, 1));
    for heard in &heard {
        let bytes = match heard {
            Heard::Create(bytes) | Heard::Command { piece: bytes, .. } | Heard::Send { data: bytes, .. } => bytes,
            Heard::Signal { .. } | Heard::Delete => continue,
        };
        let shown = String::from_utf8_lossy(bytes);
        assert!(!shown.contains("canary") && !shown.contains("-name"), "{shown}");
    }
    remote.site.stop().await;
}

#[tokio::test]
async fn every_stream_comes_to_the_client() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    for (name, kind, shown) in [
        ("Write-Warning", MessageType::WarningRecord, Some(HostMethod::WriteWarningLine)),
        ("Write-Host", MessageType::InformationRecord, Some(HostMethod::WriteLine2)),
        ("Write-Output", MessageType::PipelineOutput, None),
        ("Write-Progress", MessageType::ProgressRecord, Some(HostMethod::WriteProgress)),
    ] {
        let ran = client.allowed(&pipeline(vec![command(name, vec![alone(text("said"))])])).await;
        let kinds: Vec<_> = ran.records.iter().map(|(kind, _)| *kind).collect();
        assert_eq!((kinds, ran.methods()), (vec![kind], Vec::from_iter(shown)), "{name}");
    }
    let ran = client.allowed(&pipeline(vec![command("Write-Error", vec![named("Message", text("said"))])])).await;
    assert_eq!(ran.of(MessageType::ErrorRecord).len(), 1);
    let verbose = vec![alone(text("said")), named("Verbose", Value::Bool(true))];
    let ran = client.commands(vec![command("Write-Verbose", verbose)]).await;
    assert_eq!(ran.of(MessageType::VerboseRecord).len(), 1);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_question_passes_where_policy_lets_a_command_ask() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let id = client.start(&pipeline(vec![command("Read-Host", vec![alone(text("Name"))])])).await;
    let ran = client.follow(id, |_| HostResult::Value(text("sato"))).await;
    assert_eq!((ran.texts(), ran.methods()), (vec!["sato".to_owned()], vec![HostMethod::Write1, HostMethod::ReadLine]));
    // An answer of another kind is none, and the target is told so.
    let id = client.start(&pipeline(vec![command("Read-Host", vec![])])).await;
    let ran = client.follow(id, |_| HostResult::Value(Value::int(3))).await;
    assert_eq!((ran.state(), ran.failure().0.as_str()), (PipelineState::Failed, "SekishoNoAnswer"));
    assert!(client.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_pipeline_is_stopped_and_the_session_goes_on() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let id = client.start(&pipeline(vec![command("Start-Sleep", vec![named("Seconds", Value::int(3600))])])).await;
    assert!(client.signal(id, SignalCode::PowerShellCtrlC).await.is_ok());
    let ran = client.follow(id, |_| HostResult::Done).await;
    assert_eq!(ran.state(), PipelineState::Stopped);
    assert!(client.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn input_goes_to_a_command_that_takes_it() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let mut request = pipeline(vec![command("Sort-Object", vec![])]);
    request.no_input = false;
    let id = client.start(&request).await;
    for number in [3, 20, 1] {
        client.machine.input(id, &Value::int(number)).unwrap();
    }
    client.machine.end_of_input(id).unwrap();
    client.flush(Some(id)).await;
    assert_eq!(client.follow(id, |_| HostResult::Done).await.texts(), ["1", "3", "20"]);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_secure_string_is_sealed_anew_for_the_target() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let exchange = ExchangeKey::generate(&mut crate::random::random().unwrap()).unwrap();
    client.machine.public_key(&exchange.public_key());
    client.flush(None).await;
    client.receive_pool().await.unwrap();
    let Some(ClientEvent::SessionKey(sealed)) = client.events.last() else { panic!() };
    let session = exchange.open(sealed).unwrap();
    let word = || SecretText::new("canary horse battery".to_owned());
    let sealed = session.seal(&word()).unwrap();
    let mine = sealed.0.to_string();
    let set = vec![named("Name", text("aoki")), named("Password", Value::Secure(sealed))];
    let ran = client.commands(vec![command("Set-LocalUser", set)]).await;
    assert_eq!((ran.state(), ran.records.len()), (PipelineState::Completed, 0));
    assert!(remote.site.parts().1[0].machine().has_password("aoki", &NtHash::of_password(&word())));
    for heard in remote.heard() {
        if let Heard::Command { piece, .. } = heard {
            assert!(!String::from_utf8_lossy(&piece).contains(&mine), "the client's sealing is the client's");
        }
    }
    remote.site.stop().await;
}

#[tokio::test]
async fn output_fits_small_envelopes_and_is_whole() {
    let remote = Remote::new().await;
    let mut client = Client::open_with(&remote, USER, (host(), 8192)).await.unwrap();
    let much = vec![named("Count", Value::int(40)), named("Size", Value::int(9000))];
    let ran = client.commands(vec![command("Get-Much", much)]).await;
    let numbers: Vec<_> = ran.texts().iter().map(|text| text.split_once(':').unwrap().0.to_owned()).collect();
    assert_eq!(numbers, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(ran.texts().iter().all(|text| text.len() > 9000));
    remote.site.stop().await;
}

/// The gateway's side of a client's shell.
fn shell(remote: &Remote, client: &Client) -> Arc<PoolShell> {
    let sessions = &remote.site.parts().0.unwrap().gateway.sessions;
    let principal = PrincipalName::local(USER).unwrap();
    let Some(Session::Pool(pool)) = sessions.find(&principal, ShellId::new(client.pool)) else { panic!() };
    pool
}

#[tokio::test]
async fn a_repeated_receive_brings_the_same_until_it_arrived() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let much = vec![named("Count", Value::int(200)), named("Size", Value::int(5000))];
    let id = client.start(&pipeline(vec![command("Get-Much", much)])).await;
    let pool = shell(&remote, &client);
    let later = Instant::now() + Duration::from_secs(60);
    let fetch = async || {
        let fetched = pool.fetch(&receive(Some(id)), later).await.unwrap();
        let Fetched::Output(output, turn) = fetched else { panic!("{fetched:?}") };
        (output, turn)
    };
    let mut pieces = Vec::new();
    loop {
        let (first, stale) = fetch().await;
        let (again, turn) = fetch().await;
        assert_eq!(first, again, "what was not acknowledged comes again");
        pool.acknowledge(Some(id), stale);
        let (still, turn) = if pieces.len() % 2 == 0 { fetch().await } else { (Arc::clone(&again), turn) };
        assert_eq!(still, again, "the acknowledgement of an older answer counts for nothing");
        pool.acknowledge(Some(id), turn);
        pieces.extend(again.streams.iter().map(|chunk| chunk.data.clone()));
        if matches!(again.state, Some(CommandState::Done { .. })) {
            break;
        }
    }
    let found = messages(pieces);
    let kinds = |kind| found.iter().filter(|message| message.header.kind == kind).count();
    assert_eq!((kinds(MessageType::PipelineOutput), kinds(MessageType::PipelineState)), (200, 1));
    remote.site.stop().await;
}

#[tokio::test]
async fn of_two_that_wait_for_one_stream_the_older_is_sent_away() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let id = client.start(&pipeline(vec![command("Read-Host", vec![])])).await;
    client.poll(Some(id)).await.unwrap();
    let pool = shell(&remote, &client);
    let later = Instant::now() + Duration::from_secs(60);
    let asked = receive(Some(id));
    let (older, newer, ()) = tokio::join!(
        biased;
        pool.fetch(&asked, later),
        pool.fetch(&asked, later),
        async {
            client.signal(id, SignalCode::PowerShellCtrlC).await.unwrap();
        }
    );
    assert!(matches!(older, Ok(Fetched::Nothing)));
    assert!(matches!(newer, Ok(Fetched::Output(..))));
    remote.site.stop().await;
}

#[tokio::test]
async fn sessions_of_one_user_do_not_mix() {
    let remote = Remote::new().await;
    let (mut one, mut other) = (remote.client().await, remote.client().await);
    let say = |what: &str| pipeline(vec![command("Write-Output", vec![alone(text(what))])]);
    let (first, second) = (one.start(&say("one")).await, other.start(&say("other")).await);
    assert_eq!(one.poll(Some(second)).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    assert_eq!(other.follow(second, |_| HostResult::Done).await.texts(), ["other"]);
    assert_eq!(one.follow(first, |_| HostResult::Done).await.texts(), ["one"]);
    assert_eq!(one.poll(Some(Uuid::new_v4())).await.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    remote.site.stop().await;
}

#[tokio::test]
async fn a_session_outlives_the_connection_of_its_client() {
    let remote = Remote::new().await;
    let mut client = remote.client().await;
    let id = client.start(&pipeline(vec![command("Read-Host", vec![])])).await;
    client.raw = remote.connection(USER).await;
    let ran = client.follow(id, |_| HostResult::Value(text("sato"))).await;
    assert_eq!(ran.texts(), ["sato"]);
    assert!(client.works().await);
    remote.site.stop().await;
}

#[tokio::test]
async fn without_a_host_nobody_is_asked_whatever_policy_says() {
    let remote = Remote::new().await;
    let mut client = Client::open_with(&remote, USER, (HostInfo::none(), 512_000)).await.unwrap();
    let ran = client.commands(vec![command("Read-Host", vec![])]).await;
    assert_eq!((ran.state(), ran.calls.len()), (PipelineState::Failed, 0));
    assert_eq!(ran.failure().0, "SekishoPromptRefused");
    let ran = client.commands(vec![command("Write-Host", vec![alone(text("said"))])]).await;
    assert_eq!((ran.of(MessageType::InformationRecord).len(), ran.calls.len()), (1, 0));
    remote.site.stop().await;
}

#[tokio::test]
async fn streams_are_compressed_for_a_client_that_asks_for_it() {
    let remote = Remote::new().await;
    let pool = Uuid::new_v4();
    let (mut machine, creation) = opening(pool, host());
    let mut raw = remote.connection(USER).await;
    let resource = Resource::PowerShell("Microsoft.PowerShell".to_owned());
    let header = header(resource, Action::Create, None);
    let xml = encode_request(&Request { header, body: create(pool, &creation) }).unwrap();
    let wanted = "<c:CompressionType xmlns:c=\"http://schemas.microsoft.com/wbem/wsman/1/windows/shell\" \
                  s:mustUnderstand=\"true\">xpress</c:CompressionType></s:Header>";
    let created = raw.say(&xml.replacen("</s:Header>", wanted, 1)).await;
    let Ok(ResponseBody::Created(details)) = created else { panic!("{created:?}") };
    assert_eq!(details.compression, Compression::Xpress);
    let shell = Some(details.shell_id);
    let receive = |id: Option<Uuid>| RequestBody::Receive {
        command_id: id.map(CommandId::new),
        streams: vec!["stdout".to_owned()],
    };
    let answer = raw.powershell(Action::Receive, shell, 512_000, receive(None)).await;
    let Ok(ResponseBody::Receive(response)) = answer else { panic!("{answer:?}") };
    for chunk in response.streams {
        machine.receive(None, &xpress::decompress(&chunk.data).unwrap()).unwrap();
    }
    assert!(std::iter::from_fn(|| machine.next_event()).any(|event| event == ClientEvent::Opened));
    // What is broken breaks the shell, and reaches nobody.
    let sent = SendStream { stream: "stdin".to_owned(), command_id: None, end: false, data: vec![0xFF; 300] };
    let answer = raw.powershell(Action::Send, shell, 512_000, RequestBody::Send(vec![sent])).await;
    assert_eq!(answer.unwrap_err().code, FaultCode::PSRP_MALFORMED);
    let answer = raw.powershell(Action::Receive, shell, 512_000, receive(None)).await;
    assert_eq!(answer.unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    remote.site.stop().await;
}

/// A Receive of its own.
fn receive(of: Option<Uuid>) -> Fetch {
    Fetch { of, request: Some(MessageId::new(Uuid::new_v4())), max_envelope: 512_000 }
}
