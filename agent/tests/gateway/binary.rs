//! The binary `sekisho`: what stands in no library, and what only a process shows.

use crate::fake::{self, FakeGateway, PASSWORD, gateway};
use sekisho_protocol::job::{
    Capabilities, CapabilitiesRequest, JobEvent, OUTPUT_CHUNK, OutputData, OutputStream, PipelineEnd, Question,
    RecordStream, RecordText, ScriptCall, Summary, Verdict, Work,
};
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a process may take that should end at once, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A started binary; the folder holds its configuration.
struct Agent {
    child: Child,
    _folder: TempDir,
}

async fn agent(port: u16, password: &str, command: &str, arguments: &[&str]) -> Agent {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), fake::CERTIFICATE).unwrap();
    let config = folder.path().join("agent.toml");
    std::fs::write(&config, format!("gateway = \"https://localhost:{port}\"\nuser = \"alice\"\nca = \"ca.pem\"\n"))
        .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .arg(command)
        .arg("--config")
        .arg(&config)
        .arg("--password-stdin")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).await.unwrap();
    Agent { child, _folder: folder }
}

async fn output(agent: Agent) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = timeout(PATIENCE, agent.child.wait_with_output()).await.unwrap().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

async fn interrupt(child: &Child) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
}

async fn one_target(gateway: &mut FakeGateway) {
    let request = gateway.read_job().await;
    assert!(matches!(&request.work, Work::Program(program) if program.name == "hostname"));
    let target = || "web01".to_owned();
    gateway
        .write_first(&[JobEvent::accepted(1, "job-7".into(), vec![target()]), JobEvent::Started { target: target() }])
        .await;
}

fn line(bytes: &[u8]) -> JobEvent {
    JobEvent::Output { target: "web01".into(), stream: OutputStream::Stdout, data: OutputData::of(bytes) }
}

/// Answers one question; gives the question.
async fn asked(arguments: &[&str], answer: Capabilities) -> (CapabilitiesRequest, (Option<i32>, String, String)) {
    let (port, served) = gateway(|mut gateway| async move {
        gateway.log_in().await.unwrap();
        let (path, json) = gateway.read_sealed().await;
        assert_eq!(path, "/api/v1/capabilities");
        gateway.write_sealed(200, "", &answer.encode().unwrap()).await;
        CapabilitiesRequest::decode(&json).unwrap()
    })
    .await;
    let output = output(agent(port, PASSWORD, "can", &[&["-t", "web01"], arguments].concat()).await).await;
    (served.await.unwrap(), output)
}

#[tokio::test]
async fn can_says_yes_or_no_in_its_exit_code_too() {
    let allow =
        Verdict::Allow { role: "ops".into(), rule: "dns".into(), canonical: "Restart-Service -Name:'Dns'".into() };
    let answer = Capabilities::answer("web01".into(), allow);
    let (request, (code, out, err)) = asked(&["--", "Restart-Service", "-Name", "Dns"], answer).await;
    let words = ["Restart-Service", "-Name", "Dns"].map(str::to_owned);
    let question = Question::Command(sekisho_agent::run::command(&words).unwrap());
    assert_eq!(request, CapabilitiesRequest::ask("web01".into(), question));
    assert_eq!(out, "yes, on web01\n  runs as: Restart-Service -Name:'Dns'\n  by:      ops/dns\n");
    assert_eq!((code, err.as_str()), (Some(0), ""));

    let deny = || Verdict::Deny { message: "not here".into(), rule: None };
    let (request, (code, out, _)) = asked(&["--", "sc", "query"], Capabilities::answer("web01".into(), deny())).await;
    assert!(matches!(request.question, Some(Question::Program(_))));
    assert_eq!((code, out.as_str()), (Some(3), "no, not on web01\n  not here\n"));

    let answer = Capabilities::answer("web01".into(), deny());
    let (_, (code, out, _)) = asked(&["--json", "--", "sc"], answer.clone()).await;
    assert_eq!((code, Capabilities::decode(out.trim_end().as_bytes())), (Some(3), Ok(answer)));

    let (request, (code, out, _)) = asked(&[], Capabilities::list("web01".into(), vec![])).await;
    assert_eq!((request.question, code, out.as_str()), (None, Some(0), ""));
    let (_, (code, _, _)) = asked(&[], Capabilities::list("web02".into(), vec![])).await;
    assert_eq!(code, Some(8), "an answer about another target is none");
}

const LINES: [&str; 6] = ["--target", "web01", "--output", "jsonl", "--", "hostname"];

#[tokio::test]
async fn the_whole_way_from_arguments_to_table() {
    let (port, served) = gateway(|mut gateway| async move {
        one_target(&mut gateway).await;
        gateway.write_group(&[line(b"web01\r\n")]).await;
        gateway
            .write_group(&[JobEvent::Finished { target: "web01".into(), exit_code: 0, state: None, duration_ms: 1 }])
            .await;
        gateway.write_group(&[JobEvent::Done { summary: Summary { succeeded: 1, ..Summary::default() } }]).await;
        gateway.write_end().await;
    })
    .await;
    let (code, out, err) = output(agent(port, PASSWORD, "exec", &["--target", "web01", "--", "hostname"]).await).await;
    assert_eq!(out, "web01 (exit 0)\n  web01\n\n1 target: 1 ok\n");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    served.await.unwrap();
}

fn record(target: &str, stream: RecordStream, clixml: &str) -> JobEvent {
    JobEvent::Record { target: target.into(), stream, clixml: RecordText(clixml.into()), more: false }
}

fn ended(target: &str, exit_code: i64, state: PipelineEnd) -> JobEvent {
    JobEvent::Finished { target: target.into(), exit_code, state: Some(state), duration_ms: 1 }
}

/// Answers one job of two targets; gives what was asked for.
async fn ran(arguments: &[&str]) -> (Work, (Option<i32>, String, String)) {
    let (port, served) = gateway(|mut gateway| async move {
        let request = gateway.read_job().await;
        let names = || vec!["web01".to_owned(), "web02".to_owned()];
        let started = |target: &str| JobEvent::Started { target: target.into() };
        gateway
            .write_first(&[JobEvent::accepted(2, "job-7".into(), names()), started("web01"), started("web02")])
            .await;
        let object = "<Obj RefId=\"0\"><MS><S N=\"Name\">Spooler</S><S N=\"Status\">Running</S></MS></Obj>";
        let (half, rest) = object.split_at(30);
        let (clixml, stream) = (RecordText(half.into()), RecordStream::Output);
        let first = JobEvent::Record { target: "web02".into(), stream, clixml, more: true };
        gateway.write_group(&[first, record("web01", stream, object), JobEvent::Heartbeat {}]).await;
        gateway.write_group(&[record("web02", stream, rest), record("web02", RecordStream::Error, "<S>no</S>")]).await;
        gateway.write_group(&[ended("web01", 0, PipelineEnd::Completed), ended("web02", 1, PipelineEnd::Failed)]).await;
        let summary = Summary { succeeded: 1, exited_nonzero: 1, ..Summary::default() };
        gateway.write_group(&[JobEvent::Done { summary }]).await;
        gateway.write_end().await;
        request.work
    })
    .await;
    let output = output(agent(port, PASSWORD, "run", &[&["-t", "web01,web02"], arguments].concat()).await).await;
    (served.await.unwrap(), output)
}

#[tokio::test]
async fn objects_come_back_in_the_form_that_was_asked_for() {
    let words = ["Get-Service", "-Name", "Spooler"];
    let (work, (code, out, err)) = ran(&[&["--"], &words[..]].concat()).await;
    assert_eq!(work, Work::Command(sekisho_agent::run::command(&words.map(str::to_owned)).unwrap()));
    assert_eq!(
        out,
        "Name    Status  Target\n----    ------  ------\nSpooler Running web01\nSpooler Running web02\n\n\
         2 targets: 1 ok, 1 ended with an error\n"
    );
    assert_eq!((code, err.as_str()), (Some(1), "no\n    + Target                : web02\n"));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ps1");
    std::fs::write(&file, "Get-It").unwrap();
    let script = ["--script", file.to_str().unwrap(), "--json", "--select", "status"];
    let (work, (code, out, err)) = ran(&script).await;
    assert_eq!(work, Work::Script(ScriptCall::new("Get-It".into())));
    let expected = r#""streams":{"output":[{"types":[],"value":{"status":"Running"}}],"error":[{"types":["System.String"],"text":"no","value":"no"}]"#;
    assert!(out.contains(expected), "{out}");
    assert_eq!((code, err.as_str()), (Some(1), ""));

    let (_, (_, out, _)) = ran(&["--jsonl", "--", "Get-It"]).await;
    let events: Vec<&str> = out.lines().map(|line| line.split('"').nth(3).unwrap()).collect();
    let records = ["record"; 3];
    assert_eq!(events, [&["accepted", "started", "started"], &records[..], &["finished", "finished", "done"]].concat());
    let (_, (_, out, _)) = ran(&["--raw", "--", "Get-It"]).await;
    assert_eq!(out, "@{Name=Spooler; Status=Running}\n@{Name=Spooler; Status=Running}\n");
}

#[tokio::test]
async fn a_wrong_password_ends_with_4_and_is_not_repeated() {
    let (port, _served) = gateway(|mut gateway| async move { gateway.log_in().await.is_none() }).await;
    let (code, out, err) = output(agent(port, "canary-pw", "exec", &LINES).await).await;
    assert_eq!((code, out.as_str()), (Some(4), ""));
    assert!(err.starts_with("error: login failed") && !err.contains("canary"), "{err}");
}

#[tokio::test]
async fn one_ctrl_c_ends_with_6_and_what_is_known() {
    let (port, served) = gateway(|mut gateway| async move {
        one_target(&mut gateway).await;
        gateway.write_group(&[JobEvent::Heartbeat {}]).await;
        gateway.closed().await
    })
    .await;
    let mut agent = agent(port, PASSWORD, "exec", &LINES).await;
    let mut lines = BufReader::new(agent.child.stdout.take().unwrap()).lines();
    for event in ["accepted", "started"] {
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        assert!(line.contains(event), "{line}");
    }
    interrupt(&agent.child).await;
    let cancelled = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(cancelled, r#"{"event":"cancelled","target":"web01","effect":"unknown"}"#);
    let (code, _, err) = output(agent).await;
    assert_eq!(code, Some(6));
    assert!(err.contains("job-7"), "{err}");
    assert!(served.await.unwrap(), "the gateway saw the connection closed");
}

#[tokio::test]
async fn further_ctrl_c_ends_it_even_when_nobody_reads_its_output() {
    let (port, served) = gateway(|mut gateway| async move {
        one_target(&mut gateway).await;
        let chunk = line(&[b'x'; OUTPUT_CHUNK]);
        // More than every buffer on the way holds: the agent stands still, in the middle of writing.
        for _ in 0..1000 {
            gateway.write_group(std::slice::from_ref(&chunk)).await;
        }
    })
    .await;
    let mut agent = agent(port, PASSWORD, "exec", &LINES).await;
    let mut stdout = BufReader::new(agent.child.stdout.take().unwrap()).lines();
    // The handler stands by the time of the first line; nothing is read after it.
    timeout(PATIENCE, stdout.next_line()).await.unwrap().unwrap();
    let ended = timeout(PATIENCE, async {
        loop {
            interrupt(&agent.child).await;
            if let Ok(ended) = timeout(Duration::from_millis(100), agent.child.wait()).await {
                return ended.unwrap();
            }
        }
    });
    assert_eq!(ended.await.unwrap().code(), Some(6));
    served.abort();
}
