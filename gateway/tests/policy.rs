//! The commands for programs, through the binary: every line is answered, whatever it is.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

const POLICY: &str = r#"
[roles.reader]
[[roles.reader.programs]]
name = "machine name"
path = 'C:\Windows\System32\hostname.exe'

[[assignments]]
principals = ['DEMO\WebOps']
targets = ["iis*.demo.example"]
roles = ["reader"]
"#;

/// Runs `policy` with an input. Gives the exit code and the lines of its answer.
fn policy(folder: &Path, words: &[&str], input: &[u8]) -> (Option<i32>, Vec<Json>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sekisho-gateway"))
        .current_dir(folder)
        .arg("policy")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (output.status.code(), lines.map(|line| serde_json::from_slice(line).unwrap()).collect())
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
    folder
}

fn request(id: &Json, command: &str) -> String {
    json!({"id": id, "user": {"name": "DEMO\\aoki", "groups": ["DEMO\\WebOps"]}, "target": "iis01.demo.example",
        "kind": "winrs", "request": {"command": command, "args": []}})
    .to_string()
}

/// Lines that are no request, each with the id that can be told of it.
fn hostile() -> Vec<(Vec<u8>, Json)> {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let wide = vec!["\"x\""; 20_000].join(",");
    let commands = |args: &str| {
        format!(
            r#"{{"id":"a","user":{{"name":"u"}},"target":"t","kind":"psrp_command","request":{{"commands":[{{"cmd":"x","is_script":false,"args":{args}}}]}}}}"#
        )
    };
    vec![
        (b"".to_vec(), Json::Null),
        (b"{".to_vec(), Json::Null),
        (b"null".to_vec(), Json::Null),
        (b"\xff\xfe\x00".to_vec(), Json::Null),
        (b"{\"id\":\"a\",\"user\":\"\xff\"}".to_vec(), json!("a")),
        (br#"{"id":7,"kind":"winrs"}"#.to_vec(), json!(7)),
        (br#"{"id":"a","id":"b","user":{"name":"u"}}"#.to_vec(), json!("a")),
        (br#"{"id":"\u2028\u0000","kind":"\ud800"}"#.to_vec(), json!("\u{2028}\0")),
        (format!("{{\"id\":\"a\",\"x\":{deep}}}").into_bytes(), json!("a")),
        (commands(&format!("[{{\"name\":null,\"value\":{deep}}}]")).into_bytes(), json!("a")),
        (commands(&format!("[{{\"name\":null,\"value\":[{wide}]}}]")).into_bytes(), json!("a")),
        (commands("[{\"name\":null,\"value\":1e999}]").into_bytes(), json!("a")),
        (commands("[{\"name\":null,\"value\":NaN}]").into_bytes(), json!("a")),
        (vec![b'x'; 9 * 1024 * 1024], Json::Null),
    ]
}

#[test]
fn decide_answers_every_line_and_denies_what_is_no_request() {
    let folder = folder();
    let mut input = Vec::new();
    for (line, _) in hostile() {
        input.extend_from_slice(&line);
        input.extend_from_slice(b"\n");
        input.extend_from_slice(request(&json!("good"), "hostname").as_bytes());
        input.extend_from_slice(b"\r\n");
    }
    let (code, answers) = policy(folder.path(), &["decide", "--policy", "policy.toml"], &input);
    assert_eq!((code, answers.len()), (Some(0), 2 * hostile().len()));
    for (pair, (line, id)) in answers.chunks(2).zip(hostile()) {
        let shown = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        assert_eq!((&pair[0]["decision"], &pair[0]["id"]), (&json!("deny"), &id), "{shown}");
        assert!(pair[0]["reason"].is_string() && pair[0]["canonical"].is_null(), "{shown}");
        assert_eq!((&pair[1]["decision"], &pair[1]["id"]), (&json!("allow"), &json!("good")), "after {shown}");
    }
}

#[test]
fn decide_gives_role_rule_and_what_would_be_sent() {
    let folder = folder();
    let input = [request(&json!(1), "HOSTNAME"), request(&json!("2"), "hostname & whoami")].join("\n");
    let (_, answers) = policy(folder.path(), &["decide", "--policy", "."], input.as_bytes());
    let allowed = json!({"id": 1, "decision": "allow", "role": "reader", "rule": "machine name", "reason": null,
        "canonical": [{"cmd": "C:\\Windows\\System32\\hostname.exe", "is_script": false, "args": []}]});
    assert_eq!(answers[0], allowed);
    assert_eq!((&answers[1]["decision"], &answers[1]["role"]), (&json!("deny"), &Json::Null));
    assert!(answers[1]["reason"].as_str().unwrap().contains("`&`"), "{}", answers[1]);
}

#[test]
fn read_answers_every_line_and_needs_no_policy() {
    let folder = tempfile::tempdir().unwrap();
    let good = json!({"id": "r", "text": "Get-X -A:1 'b c',$true | Y"}).to_string();
    let mut input = Vec::new();
    for (line, _) in hostile() {
        input.extend_from_slice(&line);
        input.extend_from_slice(format!("\n{good}\n").as_bytes());
    }
    let (code, answers) = policy(folder.path(), &["read"], &input);
    assert_eq!((code, answers.len()), (Some(0), 2 * hostile().len()));
    let statements = json!([[
        {"cmd": "Get-X", "is_script": false, "local_scope": null, "merge": null, "args": [
            {"name": "-A:", "value": {"type": "Int32", "text": "1"}}, {"name": null, "value": ["b c", true]}]},
        {"cmd": "Y", "is_script": false, "local_scope": null, "merge": null, "args": []}]]);
    for (pair, (_, id)) in answers.chunks(2).zip(hostile()) {
        assert_eq!((&pair[0]["reading"], &pair[0]["id"]), (&json!("refused"), &id));
        assert_eq!(pair[1], json!({"id": "r", "reading": "commands", "statements": statements}));
    }
    let (_, answers) = policy(folder.path(), &["read"], br#"{"id": 1, "text": "Get-X; Y"}"#);
    assert_eq!((&answers[0]["reading"], &answers[0]["place"]), (&json!("refused"), &json!(5)), "{}", answers[0]);
    assert!(answers[0]["why"].as_str().unwrap().contains("second statement"), "{}", answers[0]);
}

#[test]
fn the_exit_code_says_what_was_found() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.toml"), "x = 1\n").unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for (words, code) in [
        (&["check", "policy.toml"][..], 0),
        (&["check", "bad.toml"], 3),
        (&["check", "empty"], 1),
        (&["lint", "policy.toml"], 0),
        (&["decide", "--policy", "bad.toml"], 1),
        (&["decide"], 2),
        (&["explain", "--policy", "policy.toml", "--user", r"D\u", "--target", "t", "--", "x"], 3),
        (&["test", "policy.toml"], 2),
        (&["propose"], 2),
    ] {
        assert_eq!(policy_code(folder.path(), words), Some(code), "{words:?}");
    }
}

fn policy_code(folder: &Path, words: &[&str]) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho-gateway"));
    command.current_dir(folder).arg("policy").args(words).stdin(Stdio::null());
    command.output().unwrap().status.code()
}
