//! The program for neutral policies and cases, run as anybody runs it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use sekisho_gateway::commands::policy::forms::{Answer, Request};
use sekisho_gateway::policy_files::load;
use sekisho_tests::source::root;
use serde_json::{Value as Json, json};

type Outcome = Result<(), Box<dyn Error>>;

/// Runs it. Gives its answers, and what it says of parts that it left out.
fn run(policies: &Path, cases: &Path, out: &Path) -> Result<(Vec<Json>, String), Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_policy-corpus"));
    command.arg("--policies").arg(policies).arg("--cases").arg(cases).arg("--out").arg(out);
    let output = command.output()?;
    let said = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{said}");
    let answers = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok((answers.map(serde_json::from_slice).collect::<Result<_, _>>()?, said))
}

fn data(name: &str) -> PathBuf {
    root().join("tests/data").join(name)
}

fn lines(text: &str) -> Result<Vec<Json>, serde_json::Error> {
    text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect()
}

#[test]
fn the_public_cases_are_judged_as_their_authors_expect() -> Outcome {
    let folder = tempfile::tempdir()?;
    let cases = data("policy-cases/cases.jsonl");
    let (answers, said) = run(&data("policy-cases/policies.json"), &cases, folder.path())?;
    assert!(!said.contains("left out: "), "every part of the public policy can be written: {said}");
    let cases = lines(&fs::read_to_string(cases)?)?;
    assert_eq!((answers.len(), cases.len()), (25, 25));
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(case["id"], answer["id"]);
        if case.get("debatable") != Some(&Json::Bool(true)) {
            assert_eq!(case["expect"], answer["decision"], "{}: {}", case["id"], answer["reason"]);
        }
        assert_eq!(answer["canonical"].is_null(), answer["decision"] == "deny", "{}", case["id"]);
    }
    Ok(())
}

/// The program adds nothing and loses nothing: the library, asked in this process, says the same.
#[test]
fn the_requests_of_a_real_endpoint_get_the_answers_of_the_library() -> Outcome {
    let folder = tempfile::tempdir()?;
    let mut text = String::new();
    GzDecoder::new(fs::File::open(data("oracle/jea.jsonl.gz"))?).read_to_string(&mut text)?;
    let cases = folder.path().join("jea.jsonl");
    fs::write(&cases, &text)?;
    let (answers, _) = run(&data("policy-cases/policies.json"), &cases, &folder.path().join("out"))?;
    assert_eq!(answers.len(), text.lines().count());
    let mut policies = BTreeMap::new();
    for entry in fs::read_dir(folder.path().join("out"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        policies.insert(name.split_once('-').map_or_else(String::new, |(_, name)| name.to_owned()), load(&path)?);
    }
    let mut allowed = 0_usize;
    for (line, answer) in text.lines().zip(&answers) {
        let case: Json = serde_json::from_str(line)?;
        let policy = policies.get(case["policy"].as_str().unwrap_or_default()).ok_or("no such policy")?;
        let expected = Answer::new(case["id"].clone(), &Request::parse(line.as_bytes())?.judge(policy));
        let expected = json!({"id": expected.id, "decision": expected.decision, "reason": expected.reason,
            "canonical": expected.canonical});
        assert_eq!(*answer, expected);
        allowed += usize::from(answer["decision"] == "allow");
    }
    println!("allowed {allowed} of {}", answers.len());
    assert!(allowed > 100, "the policies were not written");
    Ok(())
}

#[test]
fn what_cannot_be_written_is_left_out_and_denied_and_the_rest_holds() -> Outcome {
    let folder = tempfile::tempdir()?;
    let policies = folder.path().join("policies.json");
    let command =
        json!({"module": "M", "should_process": false, "parameters": [{"name": "N", "position": 0, "type": "string"}]});
    let restricted = |pattern: &str| json!({"name": "Get-X", "parameters": [{"name": "N", "validate_pattern": pattern}, {"name": "Gone"}]});
    let role = |cmdlets: Json| {
        json!({"cmdlets": cmdlets, "external": [
        {"path": "\\\\server\\x.exe", "args": "any"},
        {"path": "C:\\y.exe", "args": {"exact": [["%PATH%"], ["ok"]]}}]})
    };
    let assignment = json!([{"principals": ["nobody", "D\\g"], "roles": ["a/b", "gone"], "targets": ["t", "bad..x"]}]);
    let one = |cmdlets: Json| json!({"roles": {"a/b": role(cmdlets)}, "assignments": assignment});
    let neutral = json!({
        "policies": {
            "../odd name": one(json!([restricted("a|b"), "Get-Unknown", "Module\\*\\x"])),
            "looking": one(json!([restricted("(?=a)a"), "Get-Y"])),
            "closed": {"require_groups": {"xor": ["D\\g"]}, "roles": {"r": {"cmdlets": ["Get-X"]}}, "assignments": []}},
        "catalog": {"commands": {"Get-X": command, "Get-Y": command, "Bad Name": command}}});
    fs::write(&policies, neutral.to_string())?;
    let case = |id: usize, policy: &str, kind: &str, request: Json| {
        json!({"id": id, "policy": policy, "user": {"name": "D\\u", "groups": ["D\\g"]}, "target": "t", "kind": kind, "request": request}).to_string()
    };
    let script = |id, policy: &str, text: &str| case(id, policy, "psrp_script", json!({"script": text}));
    let expected = [
        (script(0, "../odd name", "Get-X a"), "allow"),
        (script(1, "../odd name", "Get-X c"), "deny"),
        (case(2, "../odd name", "winrs", json!({"command": "y", "args": ["ok"]})), "allow"),
        (case(3, "../odd name", "winrs", json!({"command": "x"})), "deny"),
        (script(4, "looking", "Get-X a"), "deny"),
        (script(5, "looking", "Get-Y a"), "allow"),
        (script(6, "closed", "Get-X"), "deny"),
        (script(7, "unknown", "Get-X"), "deny"),
        ("{".to_owned(), "deny"),
        (case(9, "looking", "winrs", json!({"command": ["y"]})), "deny"),
    ];
    let cases = folder.path().join("cases.jsonl");
    fs::write(&cases, expected.iter().map(|(line, _)| format!("{line}\n")).collect::<String>())?;
    let (answers, said) = run(&policies, &cases, &folder.path().join("out"))?;
    let decisions: Vec<&str> = answers.iter().filter_map(|answer| answer["decision"].as_str()).collect();
    assert_eq!(decisions, expected.iter().map(|(_, decision)| *decision).collect::<Vec<_>>(), "{said}");
    assert!(said.contains("left out: "), "{said}");
    Ok(())
}
