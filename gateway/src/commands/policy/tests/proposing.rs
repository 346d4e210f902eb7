//! `propose`, and `diff` over an audit log.

use serde_json::{Value as Json, json};

use super::audit_log::written;
use super::{POLICY, Place};
use crate::commands::Status;
use crate::commands::policy::forms::Request;
use crate::config::DeniedText;

fn request(user: &str, target: &str, kind: &str, request: &Json) -> Request {
    let line =
        json!({"user": {"name": user, "groups": ["DEMO\\WebOps"]}, "target": target, "kind": kind, "request": request});
    Request::parse(line.to_string().as_bytes()).unwrap()
}

fn command(user: &str, name: &str, args: &[(&str, Json)]) -> Request {
    let args: Vec<Json> = args.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    request(user, "iis01.demo.example", "psrp_command", &json!({"commands": [{"cmd": name, "args": args}]}))
}

fn requests() -> Vec<Request> {
    let program = |command: &str, args: Json| {
        request("DEMO\\aoki", "iis01.demo.example", "winrs", &json!({"command": command, "args": args}))
    };
    vec![
        command("DEMO\\aoki", "Restart-WebAppPool", &[("-Name", json!("Portal"))]),
        command("DEMO\\aoki", "Restart-WebAppPool", &[("-Na", json!("Other"))]),
        command("DEMO\\aoki", "restart-webapppool", &[("-Name", json!(["Third", "Other"]))]),
        command("DEMO\\aoki", "Restart-WebAppPool", &[("-Name", json!("Other"))]),
        command("DEMO\\ueda", "Stop-WebAppPool", &[("-Name", json!("It's\n\"mine\""))]),
        command("DEMO\\aoki", "Invoke-Expression", &[("-Command", json!("Get-Date"))]),
        command("DEMO\\aoki", "Get-Nothing'\n[roles.evil]", &[]),
        program("systeminfo", json!(["/fo", "csv"])),
        program("cmd", json!(["/c", "dir"])),
        program("hostname", json!([])),
    ]
}

#[test]
fn what_was_denied_is_proposed_and_no_more_with_the_dangerous_left_out_and_named() {
    let place = Place::new();
    written(&place, DeniedText::Text, &requests());
    let out = place.ends(Status::Fine, &["propose", "--audit", "audit"]);
    let read: toml::Table = toml::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}"));
    let roles: Vec<&String> = read["roles"].as_table().unwrap().keys().collect();
    assert_eq!(roles, ["proposed-1", "proposed-2"], "{out}");
    let restart =
        json!([{"name": "Restart-WebAppPool", "parameters": [{"name": "Name", "validate_set": ["Other", "Third"]}]}]);
    let first = serde_json::to_value(&read["roles"]["proposed-1"]).unwrap();
    assert_eq!(first["cmdlets"], restart, "{out}");
    assert_eq!(first["programs"][0]["path"], r"C:\Windows\System32\systeminfo.exe", "{out}");
    assert_eq!(first["programs"][0]["arguments"], json!({"exact": [["/fo", "csv"]]}));
    let second = serde_json::to_value(&read["roles"]["proposed-2"]).unwrap();
    assert_eq!(second["cmdlets"][0]["parameters"][0]["validate_set"][0], "It's\n\"mine\"");
    assert!(out.contains("# 3 times: DEMO\\aoki on iis01.demo.example\n"), "{out}");
    for left_out in ["Invoke-Expression", "Get-Nothing", "cmd /c dir"] {
        let named = |line: &str| line.starts_with("# left out, once: ") && line.contains(left_out);
        assert!(out.lines().any(named), "{left_out}: {out}");
    }
    assert!(!out.contains("hostname"), "it was allowed: {out}");
    // Beside the old policy the new one allows what was denied.
    place.write("all/old.toml", POLICY);
    place.write("all/new.toml", &out);
    let out = place.ends(Status::Found, &["diff", "web.toml", "all", "--audit", "audit"]);
    assert!(
        out.ends_with("10 requests: 5 would be allowed, 0 would be denied, 0 would be allowed otherwise\n"),
        "{out}"
    );
}

#[test]
fn of_a_log_that_keeps_digests_what_can_be_is_compared_and_the_rest_is_counted() {
    let place = Place::new();
    written(&place, DeniedText::Digest, &requests());
    place.write("empty.toml", "[roles.none]\n");
    let out = place.ends(Status::Found, &["diff", "web.toml", "empty.toml", "--audit", "audit"]);
    assert!(out.contains("left out 7 times: the audit keeps a digest of a value\n"), "{out}");
    assert!(
        out.contains(
            "of the audit log\n    DEMO\\aoki on iis01.demo.example: Restart-WebAppPool Name Portal\n  - allow: "
        ),
        "{out}"
    );
    assert!(
        out.ends_with("3 requests: 0 would be allowed, 2 would be denied, 0 would be allowed otherwise\n"),
        "{out}"
    );
    let out = place.ends(Status::Fine, &["propose", "--audit", "audit"]);
    assert!(
        out.contains("# left out, 7 times: a request of the audit log: the audit keeps a digest of a value\n"),
        "{out}"
    );
}

#[test]
fn a_script_becomes_the_rules_that_its_lines_need() {
    let place = Place::new();
    place.write(
        "run.ps1",
        "\u{FEFF}# what we do\r\nRestart-WebAppPool Portal\r\n\r\nRestart-WebAppPool -Name Orders -Verbose\r\n\
        Get-WebAppPoolState | Select-Object Name | Stop-WebAppPool\r\n$x = 1\r\nSet-Content -Path x -Value $x\r\n",
    );
    let words = ["propose", "--script", "run.ps1", "--user", r"DEMO\WebOps", "--target", "iis*.demo.example"];
    let out = place.ends(Status::Fine, &words);
    let read: toml::Table = toml::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}"));
    assert_eq!(read["defaults"].as_bool(), Some(true), "Select-Object as everybody has it: {out}");
    let commands = serde_json::to_value(&read["roles"]["proposed-1"]["cmdlets"]).unwrap();
    let expected = json!([
        {"name": "Get-WebAppPoolState", "parameters": []},
        {"name": "Restart-WebAppPool", "parameters": [{"name": "Name", "validate_set": ["Orders", "Portal"]}]},
        "Stop-WebAppPool",
    ]);
    assert_eq!(commands, expected, "{out}");
    assert!(out.contains("# takes input from the pipeline"), "{out}");
    assert!(out.contains("left out, once: DEMO\\WebOps on iis*.demo.example: $x = 1: "), "{out}");
    assert_eq!(read["assignments"][0]["principals"][0].as_str(), Some(r"DEMO\WebOps"));
    let placeholder = place.ends(Status::Fine, &["propose", "--script", "run.ps1"]);
    assert!(placeholder.contains(r"principals = ['DOMAIN\group']"), "{placeholder}");
}
