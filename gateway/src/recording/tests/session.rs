//! What is recorded of a session.

use super::support::*;
use crate::recording::entry::{Entry, NoClixml, Said, Scope};
use crate::recording::{Broken, NotRecorded, SessionKind, walk};
use crate::trial::Trial;
use sekisho_protocol::clixml::{Object, SecureText, Value, encode};
use sekisho_protocol::psrp::{ErrorCategory, ErrorRecord, HostCall, HostMethod, MessageType, RecordBody};
use sekisho_protocol::winrs::Stream;
use std::os::unix::fs::PermissionsExt as _;

fn said(entry: &Entry) -> &Said {
    match entry {
        Entry::Asked(said)
        | Entry::Refused(said)
        | Entry::Output(said)
        | Entry::Error(said)
        | Entry::Warning(said)
        | Entry::Verbose(said)
        | Entry::Debug(said)
        | Entry::Information(said)
        | Entry::Progress(said)
        | Entry::Stdout(said)
        | Entry::Stderr(said) => said,
        Entry::Host(host) => &host.said,
        Entry::Begin(_) | Entry::Limit(_) | Entry::Lost(_) | Entry::Ended(_) | Entry::End(_) => panic!("{entry:?}"),
    }
}

#[tokio::test]
async fn a_session_is_recorded_from_its_first_command_to_its_end_and_tied_to_the_audit_log() {
    let (trial, recording) = recorded("").await;
    let file = file(&trial);
    assert!(!file.exists(), "nothing was asked yet");
    recording.asked(id(1), "Get-Service -Name 'Spooler'").await.unwrap();
    recording.record(id(1), MessageType::PipelineOutput, &output("Running")).await.unwrap();
    recording.refused(id(2), "no rule allows Stop-Computer").await;
    recording.ended(id(1), "completed").await;
    let end = recording.finish().await.unwrap();
    assert_eq!(recording.finish().await, None);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let entries = entries(&file);
    let Entry::Begin(begin) = &entries[0] else { panic!("{entries:?}") };
    assert_eq!((begin.principal.as_deref(), begin.target.as_deref()), (Some("GATEWAY\\alice"), Some("web01")));
    assert_eq!((begin.session.clone(), begin.kind.as_str()), (SESSION.to_string(), "powershell"));
    let texts: Vec<_> = entries[1..4].iter().map(|entry| said(entry).text.as_str()).collect();
    assert_eq!(texts, ["Get-Service -Name 'Spooler'", "Running", "no rule allows Stop-Computer"]);
    assert!(matches!(&entries[5], Entry::End(end) if end.complete));
    let walked = walk(&file, &mut |_| {}).unwrap();
    assert_eq!((end.lines, end.sha256, end.complete), (6, crate::audit::hex(&walked.last), true));
    let log = trial.stop().await;
    let begun = log.iter().find(|line| line["event"] == "recording").unwrap();
    assert_eq!((&begun["stage"], &begun["sha256"]), (&"begun".into(), &walked.first.into()));
    assert_eq!((&begun["session"], &begun["principal"]), (&SESSION.to_string().into(), &"GATEWAY\\alice".into()));
    // The line of the log that the recording names is there, before the one that says that there is a recording.
    assert!(begin.audit.seq < begun["seq"].as_u64().unwrap());
    assert_eq!(log[usize::try_from(begin.audit.seq).unwrap()]["prev"], begin.audit.sha256.as_str());
}

#[tokio::test]
async fn nothing_is_recorded_where_that_is_not_asked_for() {
    for keys in ["", "[recording]\nenabled = true\ntargets = ['other']"] {
        let other = "[targets.other]\naddress = \"127.0.0.1\"\n";
        let trial = Trial::new(&format!("{TARGET}{other}{keys}"), None).await;
        let recording = trial.gateway().recordings.begin(&context(), SessionKind::Commands);
        assert!(!recording.is_on() && !recording.wants_bodies());
        recording.asked(id(1), "x").await.unwrap();
        assert_eq!(recording.finish().await, None);
        let folder = trial.gateway().live().config.recording.directory.clone();
        let files = std::fs::read_dir(&folder).map_or(0, |files| files.count());
        assert_eq!(files, usize::from(!keys.is_empty()), "the lock at most");
        trial.stop().await;
    }
}

#[tokio::test]
async fn a_job_says_the_target_of_each_command_and_leaves_out_those_that_are_not_recorded() {
    let other = "[targets.other]\naddress = \"127.0.0.1\"\n";
    let keys = "[recording]\nenabled = true\ntargets = ['web01']\n";
    let trial = Trial::new(&format!("{TARGET}{other}{keys}"), None).await;
    let context = crate::audit::Context { target: None, ..context() };
    let recording = trial.gateway().recordings.begin(&context, SessionKind::Job);
    recording.on_target("web01").asked(id(1), "a").await.unwrap();
    recording.on_target("other").asked(id(2), "b").await.unwrap();
    assert!(!recording.on_target("nowhere").is_on());
    recording.finish().await.unwrap();
    let entries = entries(&file(&trial));
    assert_eq!(entries.len(), 3);
    assert_eq!(said(&entries[1]).by.target.as_deref(), Some("web01"));
    trial.stop().await;
}

#[tokio::test]
async fn every_stream_and_what_the_host_shows_are_text() {
    let (trial, recording) = recorded("").await;
    let record =
        |name: &str, text: &str| RecordBody::encode(&Value::object(Object::of_members([(name, Value::text(text))])));
    let error = ErrorRecord {
        message: "it failed".to_owned(),
        id: "X".to_owned(),
        category: ErrorCategory::ObjectNotFound,
        about: String::new(),
    };
    let progress = Value::object(Object::of_members([
        ("Activity", Value::text("Copying")),
        ("StatusDescription", Value::text("half")),
        ("PercentComplete", Value::int(50)),
    ]));
    let object = Value::object(Object {
        types: None,
        shown: Some("System.ServiceProcess.ServiceController".to_owned()),
        adapted: Some(vec![("Name".to_owned(), Value::text("Spooler")), ("Count".to_owned(), Value::int(2))]),
        ..Object::default()
    });
    let given = [
        (MessageType::PipelineOutput, RecordBody::encode(&object)),
        (MessageType::PipelineOutput, RecordBody::new(Vec::new())),
        (MessageType::ErrorRecord, RecordBody::encode(&error.encode())),
        (MessageType::WarningRecord, record("InformationalRecord_Message", "careful")),
        (MessageType::InformationRecord, record("MessageData", "told")),
        (MessageType::ProgressRecord, RecordBody::encode(&progress)),
        (MessageType::PipelineOutput, RecordBody::new(b"<Obj>".to_vec())),
    ];
    for (kind, body) in &given {
        recording.record(id(1), *kind, body).await.unwrap();
    }
    recording.failed(id(1), &error.encode()).await.unwrap();
    let call = |method, parameters: Vec<Value>| HostCall { call: -100, method, parameters };
    for call in [
        call(HostMethod::WriteLine2, vec![Value::text("a line")]),
        call(HostMethod::Write2, vec![Value::int(1), Value::int(2), Value::text("part")]),
        call(HostMethod::ReadLineAsSecureString, Vec::new()),
    ] {
        recording.host_call(Some(id(1)), &call).await.unwrap();
    }
    recording.finish().await.unwrap();
    let entries = entries(&file(&trial));
    let texts: Vec<_> = entries[1..12].iter().map(|entry| said(entry).text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Name  : Spooler\nCount : 2",
            "",
            "it failed",
            "careful",
            "told",
            "Copying: half 50 %",
            "<Obj>",
            "it failed",
            "a line\n",
            "part",
            ""
        ]
    );
    assert_eq!(said(&entries[7]).no_clixml, Some(NoClixml::Unreadable));
    trial.stop().await;
}

#[tokio::test]
async fn an_object_itself_is_recorded_where_it_is_asked_for_and_holds_nothing_to_be_hidden() {
    let (trial, recording) = recorded("clixml = true\nredact = ['hunter2']\nlimits = { entry = \"1KiB\" }").await;
    let secure = Value::object(Object::of_members([("Pin", Value::Secure(SecureText("c2VjcmV0".to_owned().into())))]));
    // PowerShell tells with each error how the command was called, its arguments in clear.
    let called = Value::object(Object::of_members([("BoundParameters", Value::text("swordfish"))]));
    let error = Value::object(Object {
        shown: Some("it failed".to_owned()),
        extended: Some(vec![("InvocationInfo".to_owned(), called), ("Id".to_owned(), Value::int(7))]),
        ..Object::default()
    });
    let hidden =
        Value::object(Object { shown: Some("x".to_owned()), ..Object::of_members([("A", Value::text("hunter2"))]) });
    for (kind, value) in [
        (MessageType::PipelineOutput, Value::text("plain")),
        (MessageType::PipelineOutput, secure),
        (MessageType::PipelineOutput, hidden),
        (MessageType::PipelineOutput, Value::text("x".repeat(2000))),
        (MessageType::ErrorRecord, error),
    ] {
        recording.record(id(1), kind, &RecordBody::encode(&value)).await.unwrap();
    }
    recording.finish().await.unwrap();
    let entries = entries(&file(&trial));
    let of = |index: usize| (said(&entries[index]).clixml.as_deref(), said(&entries[index]).no_clixml);
    assert_eq!(of(1), (Some(encode(&Value::text("plain")).as_str()), None));
    assert_eq!(of(2), (None, Some(NoClixml::Secure)));
    assert_eq!(said(&entries[2]).text, "Pin : System.Security.SecureString");
    assert_eq!(of(3), (None, Some(NoClixml::Redacted)));
    assert_eq!(said(&entries[3]).text, "A : [redacted]");
    assert_eq!(of(4), (None, Some(NoClixml::Long)));
    assert_eq!(said(&entries[4]).cut, 2000 - 1024);
    assert!(of(5).0.unwrap().contains("Id"));
    let text = std::fs::read_to_string(file(&trial)).unwrap();
    for secret in ["hunter2", "swordfish", "c2VjcmV0"] {
        assert!(!text.contains(secret), "{secret}");
    }
    trial.stop().await;
}

#[tokio::test]
async fn output_of_programs_is_text_whose_secrets_are_hidden_wherever_it_is_cut() {
    for at in 0..=21 {
        let (trial, recording) = recorded("redact = ['hunter2']").await;
        let data = b"a hunter2 b\nrest\x1b[2J!";
        recording.bytes(id(1), Stream::Stdout, &data[..at]).await.unwrap();
        recording.bytes(id(1), Stream::Stdout, &data[at..]).await.unwrap();
        recording.bytes(id(1), Stream::Stderr, b"oh").await.unwrap();
        recording.ended(id(1), "exit 0").await;
        recording.finish().await.unwrap();
        let entries = entries(&file(&trial));
        let of = |wanted: fn(&Entry) -> bool| -> String {
            entries.iter().filter(|entry| wanted(entry)).map(|entry| said(entry).text.as_str()).collect()
        };
        assert_eq!(of(|entry| matches!(entry, Entry::Stdout(_))), "a [redacted] b\nrest\u{1b}[2J!");
        assert_eq!(of(|entry| matches!(entry, Entry::Stderr(_))), "oh");
        let raw = std::fs::read(file(&trial)).unwrap();
        assert!(raw.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "nothing steers a terminal");
        trial.stop().await;
    }
}

#[tokio::test]
async fn what_is_more_than_the_limits_is_left_out_and_that_is_said() {
    let (trial, recording) = recorded("limits = { command = \"1KiB\", session = \"2KiB\" }").await;
    for command in 1..=3 {
        for _ in 0..12 {
            recording.record(id(command), MessageType::PipelineOutput, &output(&"x".repeat(100))).await.unwrap();
        }
        recording.ended(id(command), "completed").await;
    }
    recording.asked(id(4), "still asked").await.unwrap();
    let end = recording.finish().await.unwrap();
    assert!(!end.complete);
    let entries = entries(&file(&trial));
    let outputs = entries.iter().filter(|entry| matches!(entry, Entry::Output(_))).count();
    assert_eq!(outputs, 20);
    let limits =
        entries.iter().filter_map(|entry| if let Entry::Limit(limit) = entry { Some(limit.scope) } else { None });
    assert_eq!(limits.collect::<Vec<_>>(), [Scope::Command, Scope::Session]);
    let left_out =
        entries.iter().filter_map(|entry| if let Entry::Ended(ended) = entry { Some(ended.left_out) } else { None });
    assert_eq!(left_out.collect::<Vec<_>>(), [2, 2, 12]);
    trial.stop().await;
}

#[tokio::test]
async fn any_change_of_a_recording_shows() {
    let (trial, recording) = recorded("").await;
    for number in 0..5 {
        recording.asked(id(number), &format!("command {number}")).await.unwrap();
    }
    let end = recording.finish().await.unwrap();
    let path = file(&trial);
    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let found = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let walked = walk(&path, &mut |_| {}).unwrap();
        let same = crate::audit::hex(&walked.last) == end.sha256 && walked.lines == end.lines && walked.torn == 0;
        (walked.broken.map(|(_, broken)| broken), same)
    };
    assert_eq!(found(&whole), (None, true));
    let text = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    for index in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(index);
        let edited = whole.replacen(lines[index], &lines[index].replacen("time\":\"2", "time\":\"1", 1), 1);
        for changed in [text(&without), edited] {
            let (broken, same) = found(&changed);
            assert!(broken.is_some() || !same, "{changed}");
        }
    }
    let mut exchanged = lines.clone();
    exchanged.swap(2, 3);
    assert_eq!(found(&text(&exchanged)).0, Some(Broken::Number));
    let more = whole.clone() + lines[6] + "\n";
    assert!(found(&more).0.is_some());
    assert!(!found(&(whole.clone() + "torn")).1);
    trial.stop().await;
}

#[tokio::test]
async fn after_its_end_nothing_is_recorded_or_done() {
    let (trial, recording) = recorded("").await;
    recording.asked(id(1), "x").await.unwrap();
    recording.finish().await.unwrap();
    assert_eq!(recording.asked(id(2), "y").await, Err(NotRecorded::Ended));
    assert_eq!(recording.bytes(id(1), Stream::Stdout, b"x").await, Err(NotRecorded::Ended));
    trial.stop().await;
}

#[tokio::test]
async fn what_a_crash_left_without_an_end_is_given_one_at_the_next_start() {
    let (trial, recording) = recorded("").await;
    recording.asked(id(1), "x").await.unwrap();
    drop(recording);
    let path = file(&trial);
    let torn = std::fs::read_to_string(&path).unwrap() + "{\"seq\":3,\"to";
    let config = trial.gateway().live().config.clone();
    let folder = trial.stop_keeping().await;
    std::fs::write(&path, torn).unwrap();
    let mut log = Vec::new();
    for _ in 0..2 {
        let again = Trial::again(config.clone()).await;
        log = again.stop().await;
    }
    let recovered: Vec<_> = log.iter().filter(|line| line["stage"] == "recovered").collect();
    assert_eq!(recovered.len(), 1, "once");
    assert_eq!(recovered[0]["session"], SESSION.to_string());
    let walked = walk(&path, &mut |_| {}).unwrap();
    assert!(walked.ended && walked.broken.is_none() && walked.torn == 0);
    assert_eq!(recovered[0]["recording"]["sha256"], crate::audit::hex(&walked.last));
    assert_eq!(recovered[0]["recording"]["complete"], false);
    drop(folder);
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_as_text_and_called_incomplete() {
    let (trial, recording) = recorded("redact = ['hunter2']\nlimits = { entry = \"1KiB\" }").await;
    recording.asked(id(1), "Get-Thing").await.unwrap();
    for raw in ["<S>seen\u{7} hun\u{1}ter2 hun\u{1b}[31mter2", "<S>hun&#116;er2"] {
        let body = RecordBody::new(raw.as_bytes().to_vec());
        recording.record(id(1), MessageType::PipelineOutput, &body).await.unwrap();
    }
    let end = recording.finish().await.unwrap();
    assert!(!end.complete);
    let entries = entries(&file(&trial));
    let of = |index: usize| (said(&entries[index]).text.as_str(), said(&entries[index]).no_clixml);
    assert_eq!(of(2), ("<S>seen [redacted] [redacted]", Some(NoClixml::Unreadable)));
    assert_eq!((of(3).0, said(&entries[3]).cut), ("", 15));
    trial.stop().await;
}
