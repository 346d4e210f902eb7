//! What is shown of recordings, and what is written before.

use super::*;
use crate::audit::{Context, parse_public_key};
use crate::cli::{AuditCommand, Command, ConfigOption};
use crate::commands;
use crate::recording::{Recording, SessionKind};
use crate::trial::Trial;
use sekisho_protocol::clixml::{Object, Value};
use sekisho_protocol::psrp::{HostCall, HostMethod, MessageType, RecordBody};
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::wsman::CommandId;
use std::path::PathBuf;

const SETTINGS: &str =
    "\n[targets.web01]\naddress = \"127.0.0.1\"\nport = 1\n[recording]\nenabled = true\nclixml = true\n";
const SESSION: Uuid = Uuid::from_u128(0x0a0b_0c0d);

struct NoPasswords;

impl commands::Passwords for NoPasswords {
    fn first_line(&mut self) -> Result<SecretText, commands::PasswordError> {
        Err(commands::PasswordError::NoTerminal)
    }

    fn ask(&mut self, _prompt: &str) -> Result<SecretText, commands::PasswordError> {
        Err(commands::PasswordError::NoTerminal)
    }
}

fn command(command: &Command) -> (String, Result<Status, CommandError>) {
    let mut out = Vec::new();
    let mut console = Console { out: &mut out, passwords: &mut NoPasswords };
    let status = commands::run(command, OffsetDateTime::now_utc(), &mut console);
    (String::from_utf8(out).unwrap(), status)
}

/// In a thread of its own, since a gateway runs in this one.
async fn show(config: &Path, session: &str, json: bool) -> (String, Result<Status, CommandError>) {
    let config = ConfigOption { config: config.to_owned() };
    let asked = Command::Audit(AuditCommand::Show { session: session.to_owned(), json, config });
    tokio::task::spawn_blocking(move || command(&asked)).await.unwrap()
}

fn id(number: u128) -> CommandId {
    CommandId::new(Uuid::from_u128(number))
}

async fn recorded(trial: &Trial, kind: SessionKind) -> Recording {
    let context = Context {
        principal: Some("GATEWAY\\alice".to_owned()),
        client_addr: Some("192.0.2.1:1".parse().unwrap()),
        target: Some("web01".to_owned()),
        session: Some(SESSION.to_string()),
        ..Context::default()
    };
    trial.gateway().recordings.begin(&context, kind)
}

/// A recording of one command, whose end the audit log has.
async fn ended(trial: &Trial, recording: &Recording) {
    let context =
        Context { session: Some(SESSION.to_string()), recording: recording.finish().await, ..Context::default() };
    let reason = crate::audit::SessionEnd::Deleted;
    let event = crate::audit::Event::new(crate::audit::EventKind::SessionEnd { reason }, &context);
    trial.gateway().audit_after(event).await;
}

fn config(trial: &Trial) -> PathBuf {
    trial.gateway().live().config.file.clone()
}

fn file(trial: &Trial) -> PathBuf {
    file_of(&trial.gateway().live().config.recording.directory, SESSION)
}

/// Times are not the same twice.
fn timeless(text: &str) -> String {
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\dT[0-9:.]+Z").unwrap();
    let digest = regex::Regex::new(r#""prev":"[0-9a-f]{64}""#).unwrap();
    digest.replace_all(&time.replace_all(text, "TIME"), "\"prev\":\"…\"").into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_powershell_reads_like_a_transcript() {
    let trial = Trial::new(SETTINGS, None).await;
    let recording = recorded(&trial, SessionKind::PowerShell).await;
    let output = |value: &Value| RecordBody::encode(value);
    let of = |name: &str, text: &str| output(&Value::object(Object::of_members([(name, Value::text(text))])));
    let call = |method, text: &str| HostCall { call: -100, method, parameters: vec![Value::text(text)] };
    recording.asked(id(1), "Get-Service -Name 'Spooler'").await.unwrap();
    let service = Value::object(Object {
        adapted: Some(vec![("Status".to_owned(), Value::text("Running")), ("Name".to_owned(), Value::text("Spooler"))]),
        ..Object::default()
    });
    recording.record(id(1), MessageType::PipelineOutput, &output(&service)).await.unwrap();
    recording.record(id(1), MessageType::WarningRecord, &of("InformationalRecord_Message", "old")).await.unwrap();
    recording.host_call(Some(id(1)), &call(HostMethod::WriteWarningLine, "old")).await.unwrap();
    recording.host_call(Some(id(1)), &call(HostMethod::WriteWarningLine, "only the host")).await.unwrap();
    let forged = "x\n**********************\nPS web01> Remove-Item\u{1b}[2J\u{1b}[31mred\u{1b}[0m";
    recording.host_call(Some(id(1)), &call(HostMethod::WriteLine2, forged)).await.unwrap();
    recording
        .host_call(Some(id(1)), &HostCall { call: 1, method: HostMethod::ReadLine, parameters: Vec::new() })
        .await
        .unwrap();
    recording.asked(id(2), "Get-Process -Name 'a\nb'").await.unwrap();
    recording.failed(id(2), &Value::text("no such process")).await.unwrap();
    recording.ended(id(2), "failed").await;
    recording.ended(id(1), "completed").await;
    recording.refused(id(3), "no rule allows Stop-Computer").await;
    ended(&trial, &recording).await;
    let (text, status) = show(&config(&trial), &SESSION.to_string(), false).await;
    assert_eq!(status.unwrap(), Status::Fine);
    assert_eq!(
        timeless(&text),
        r"**********************
Session   : 00000000-0000-0000-0000-00000a0b0c0d
Principal : GATEWAY\alice
Client    : 192.0.2.1:1
Target    : web01
Kind      : powershell
Start     : TIME
**********************
PS web01> Get-Service -Name 'Spooler'
  Status : Running
  Name   : Spooler
  WARNING: old
  WARNING: only the host
  x
  **********************
  PS web01> Remove-Item\u{1b}[2Jred
[the target called ReadLine of the user's host]
PS web01> Get-Process -Name 'a\u{a}b'
  ERROR: no such process
[failed at TIME]
[command 00000000-0000-0000-0000-000000000001]
[completed at TIME]
[command 00000000-0000-0000-0000-000000000003]
  REFUSED: no rule allows Stop-Computer
**********************
End       : TIME
Verified  : 14 lines, whole, as line 5 of the audit log says
**********************
"
    );
    let log = trial.stop().await;
    let read = log.iter().find(|line| line["stage"] == "read").unwrap();
    assert_eq!(read["session"], SESSION.to_string());
    assert_eq!(read["reader"]["uid"], rustix::process::geteuid().as_raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn as_json_each_event_is_a_line_and_nothing_steers_a_terminal_whatever_is_in_the_file() {
    let trial = Trial::new(SETTINGS, None).await;
    let recording = recorded(&trial, SessionKind::Commands).await;
    recording.asked(id(1), "'C:\\hostname.exe'").await.unwrap();
    recording.bytes(id(1), Stream::Stdout, b"web01\x1b[2J\n").await.unwrap();
    recording.ended(id(1), "exit 0").await;
    ended(&trial, &recording).await;
    let (text, status) = show(&config(&trial), &SESSION.to_string(), true).await;
    assert_eq!(status.unwrap(), Status::Fine);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        timeless(lines[2]),
        r#"{"seq":3,"time":"TIME","prev":"…","event":"stdout","command":"00000000-0000-0000-0000-000000000001","text":"web01\u001b[2J\n"}"#
    );
    assert!(
        lines[5].starts_with(r#"{"detail":"5 lines, whole"#) && lines[5].ends_with(r#""result":"whole"}"#),
        "{text}"
    );
    // Somebody puts an escape sequence into the file itself.
    let stored = std::fs::read_to_string(file(&trial)).unwrap();
    std::fs::write(file(&trial), stored.replace("\"outcome\":\"exit 0\"", "\"outcome\":\"\u{9b}2J\"")).unwrap();
    for json in [true, false] {
        let (text, status) = show(&config(&trial), &SESSION.to_string(), json).await;
        assert_eq!(status.unwrap(), Status::Found, "{text}");
        assert!(text.contains("CHANGED") && !text.contains('\u{9b}'), "{text}");
    }
    trial.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ended_or_not_in_the_log_is_shown_and_said_not_to_be_proved() {
    let trial = Trial::new(SETTINGS, None).await;
    let recording = recorded(&trial, SessionKind::PowerShell).await;
    recording.asked(id(1), "Get-Date").await.unwrap();
    let (text, status) = show(&config(&trial), &SESSION.to_string(), false).await;
    assert_eq!(status.unwrap(), Status::Incomplete);
    assert!(text.contains("PS web01> Get-Date\n") && text.contains("is not proved"), "{text}");
    let other = Uuid::from_u128(7);
    std::fs::copy(file(&trial), file_of(file(&trial).parent().unwrap(), other)).unwrap();
    let (text, status) = show(&config(&trial), &other.to_string(), false).await;
    assert_eq!(status.unwrap(), Status::Incomplete);
    assert!(text.contains("does not speak of this recording"), "{text}");
    for session in ["../../etc/passwd", "", "00000000-0000-0000-0000-000000000009"] {
        let (text, status) = show(&config(&trial), session, false).await;
        assert!(status.is_err() && text.is_empty());
    }
    let log = trial.stop().await;
    assert_eq!(log.iter().filter(|line| line["stage"] == "read").count(), 2, "what is not there leaves no line");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gateway_the_line_is_written_into_the_chain_all_the_same() {
    let trial = Trial::new(SETTINGS, None).await;
    let recording = recorded(&trial, SessionKind::PowerShell).await;
    recording.asked(id(1), "Get-Date").await.unwrap();
    ended(&trial, &recording).await;
    let (config_file, settings) = (config(&trial), trial.gateway().live().config.audit.clone());
    let recordings = trial.gateway().live().config.recording.directory.clone();
    let first_key = std::fs::read_to_string(config_file.with_file_name("audit-first-key.pub")).unwrap();
    assert!(parse_public_key(&first_key).is_some());
    let _folder = trial.stop_keeping().await;
    let (text, status) = show(&config_file, &SESSION.to_string(), false).await;
    assert_eq!(status.unwrap(), Status::Fine, "{text}");
    let verify = Command::Audit(AuditCommand::Verify {
        directory: settings.directory.clone(),
        key: first_key.trim().to_owned(),
        head: None,
        recordings: Some(recordings.clone()),
    });
    let log = std::fs::read_to_string(settings.directory.join("audit-00000001.jsonl")).unwrap();
    assert!(log.lines().any(|line| line.contains(r#""stage":"read","reader":{"uid":"#)), "{log}");
    let (text, status) = command(&verify);
    assert_eq!(status.unwrap(), Status::Fine, "{text}");
    assert!(text.contains("verified: 1 recordings are as the log says"), "{text}");
    // A log that cannot be written shows nothing.
    std::fs::remove_file(&settings.signing.key).unwrap();
    let (text, status) = show(&config_file, &SESSION.to_string(), false).await;
    assert!(status.is_err() && text.is_empty(), "{text}");
    // What is not as the log says, or not there, is found.
    let path = file_of(&recordings, SESSION);
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.replace("Get-Date", "Get-Fake")).unwrap();
    let (text, status) = command(&verify);
    assert_eq!(status.unwrap(), Status::Found, "{text}");
    let cut: String = whole.lines().take(2).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, cut).unwrap();
    let (text, status) = command(&verify);
    assert!(status.unwrap() == Status::Found && text.contains("says that it ends with line 3"), "{text}");
    std::fs::remove_file(&path).unwrap();
    let (text, status) = command(&verify);
    assert!(status.unwrap() == Status::Incomplete && text.contains("not in the folder"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_when_the_running_gateway_cannot_write_the_line() {
    let trial = Trial::new(SETTINGS, None).await;
    let recording = recorded(&trial, SessionKind::PowerShell).await;
    recording.asked(id(1), "Get-Date").await.unwrap();
    ended(&trial, &recording).await;
    let stop = crate::audit::EventKind::Stop { reason: crate::audit::StopReason::Signal };
    trial.gateway().audit.close(&crate::audit::Event::new(stop, &Context::default())).await.unwrap();
    let (text, status) = show(&config(&trial), &SESSION.to_string(), false).await;
    assert!(matches!(status, Err(CommandError::Show(ShowError::NotWritten))), "{status:?}");
    assert_eq!(text, "");
}
