//! Every kind of line, with recordings of real clients and servers.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::answer;

fn asked(request: &Value) -> Value {
    answer(request.to_string().as_bytes())
}

fn rows(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(std::fs::read(path).unwrap().as_slice()).read_to_string(&mut text).unwrap();
    // What an engine shows of objects that refer to themselves is deeper than this reader of JSON goes.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn recordings(folder: &str) -> Vec<(String, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|end| end == "gz") && !path.ends_with("pipelines.jsonl.gz"));
    assert!(!paths.is_empty());
    paths.iter().map(|path| (path.display().to_string(), rows(path))).collect()
}

#[test]
fn a_bad_line_is_answered_and_told_why() {
    for line in ["", "x", "{", "[1]", "{}", "{\"id\":7}", "{\"id\":\"a\",\"soap\":1}", "\u{0}"] {
        let answer = answer(line.as_bytes());
        assert!(answer["error"].is_string(), "{line}: {answer}");
    }
    for request in [
        json!({"id": 1, "clixml": 5}),
        json!({"id": 1, "clixml": "<S>"}),
        json!({"id": 1, "clixml": "<S>a</S>", "as": "x"}),
        json!({"id": 1, "clixml": "<S>a</S>", "as": "pipeline"}),
        json!({"id": 1, "soap": "<a/>"}),
        json!({"id": 1, "soap": "<s:Envelope/>"}),
        json!({"id": 1, "fragments": ["%"]}),
        json!({"id": 1, "fragments": ["AAAA"]}),
        json!({"id": 1, "fragments": [7]}),
        json!({"id": 1, "model": [{"cmd": ""}]}),
        json!({"id": 1, "model": [{"cmd": "a", "args": {"": 1}}]}),
        json!({"id": 1, "model": []}),
        json!({"id": 1, "model": [{"cmd": "a", "args": [{"name": "n", "value": {"type": "Object", "text": ""}}]}]}),
    ] {
        let answer = asked(&request);
        assert_eq!(answer["id"], 1);
        assert!(answer["error"].is_string(), "{request}: {answer}");
    }
    assert!(answer(b"\xFF\xFE")["error"].is_string());
    let date = "<DT>9999-12-31T23:59:59.9999999-13:00</DT>";
    let pipeline = asked(&json!({"id": 1, "model": [{"cmd": "a", "args": [{"name": "n", "value": "DATE"}]}]}));
    let body =
        pipeline["clixml"].as_str().unwrap().replace("<S N=\"V\">DATE</S>", &date.replace("<DT>", "<DT N=\"V\">"));
    assert!(asked(&json!({"id": 1, "clixml": body, "as": "pipeline"}))["error"].is_string(), "no date in UTC");
}

#[test]
fn clixml_is_written_canonically() {
    let text = "\u{FEFF}<Obj RefId=\"9\"><TN RefId=\"4\"><T>A</T></TN> <MS><S N=\"a\">b_x0041_</S></MS></Obj>";
    let canonical = "<Obj RefId=\"0\"><TN RefId=\"0\"><T>A</T></TN><MS><S N=\"a\">bA</S></MS></Obj>";
    assert_eq!(asked(&json!({"id": "x", "clixml": text})), json!({"id": "x", "clixml": canonical}));
    assert_eq!(asked(&json!({"id": "x", "clixml": canonical}))["clixml"], canonical);
}

#[test]
fn recorded_conversations_are_read_message_by_message() {
    for (name, packets) in [recordings("psrp"), recordings("psrp/v23")].concat() {
        let data: Vec<&Value> = packets.iter().filter(|packet| packet["packet"] == "Data").collect();
        let raw: Vec<&Value> = data.iter().map(|packet| &packet["raw"]).collect();
        let answer = asked(&json!({"id": 1, "fragments": raw}));
        let cut_off = answer["error"] == "the last message is not complete";
        let told: Vec<&&Value> = data.iter().filter(|packet| packet["message"].is_string()).collect();
        let messages = answer["messages"].as_array().cloned().unwrap_or_default();
        assert!(cut_off || messages.len() == told.len(), "{name}: {answer}");
        for (message, told) in messages.iter().zip(told) {
            assert_eq!(message["type"], told["message"], "{name}");
            assert_eq!(message["destination"], if told["way"] == "client" { "server" } else { "client" }, "{name}");
            assert_eq!(message["rpid"].as_str(), told["rpid"].as_str(), "{name}");
            let clixml = told["clixml"].as_str().unwrap_or_default();
            if !clixml.is_empty() {
                assert_eq!(message["clixml"], asked(&json!({"id": 1, "clixml": clixml}))["clixml"], "{name}");
            }
        }
    }
}

#[test]
fn recorded_soap_is_read_field_by_field() {
    let mut fields = std::collections::BTreeSet::new();
    for (name, exchanges) in recordings("windows") {
        for side in exchanges.iter().flat_map(|exchange| [&exchange["request"], &exchange["response"]]) {
            let Some(text) = side.as_str() else { continue };
            let answer = asked(&json!({"id": 1, "soap": text}));
            assert!(answer["error"].is_null(), "{name}: {answer}");
            fields.extend(answer.as_object().unwrap().keys().cloned());
        }
    }
    let expected = [
        "action",
        "command",
        "creation_xml",
        "exit_code",
        "fault",
        "id",
        "message_id",
        "options",
        "relates_to",
        "resource",
        "selectors",
        "shell",
        "state",
        "streams",
    ];
    assert_eq!(fields.into_iter().collect::<Vec<_>>(), expected);
    let (_, exchanges) = recordings("windows").into_iter().find(|(name, _)| name.contains("winrs_standard")).unwrap();
    let of = |at: usize, side: &str| asked(&json!({"id": 1, "soap": exchanges[at][side]}));
    let created = of(0, "response");
    let receive = of(2, "response");
    assert_eq!(created["shell"], created["selectors"]["ShellId"]);
    assert_eq!(created["relates_to"], of(0, "request")["message_id"]);
    assert_eq!(receive["command"], of(1, "response")["command"]);
    assert_eq!((&receive["exit_code"], &receive["streams"][0]["name"]), (&json!(0), &json!("stdout")));
    assert!(receive["state"].as_str().unwrap().ends_with("/CommandState/Done"));
    assert!(receive["streams"].as_array().unwrap().iter().any(|stream| stream["end"] == true));
    let timeout =
        recordings("windows").into_iter().find(|(name, _)| name.contains("winrs_operation_timeout")).unwrap().1;
    let faults: Vec<Value> = timeout
        .iter()
        .map(|exchange| asked(&json!({"id": 1, "soap": exchange["response"]}))["fault"].clone())
        .filter(|fault| !fault.is_null())
        .collect();
    assert_eq!(faults[0]["wsman_code"], 2_150_858_793_u64, "{faults:?}");
    assert_eq!((&faults[0]["code"], &faults[0]["subcode"]), (&json!("Receiver"), &json!("TimedOut")));
}

#[test]
fn pipelines_are_read_as_an_engine_reads_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/psrp/pipelines.jsonl.gz");
    let mut same = 0;
    for mut row in rows(&path) {
        let mut answer = asked(&json!({"id": row["id"], "clixml": row["clixml"], "as": "pipeline"}));
        if answer["error"].is_string() {
            continue;
        }
        for name in ["commands", "statements", "NoInput", "AddToHistory", "IsNested", "error"] {
            sort_pairs(&mut row[name]);
            sort_pairs(&mut answer[name]);
            assert_eq!(row[name], answer[name], "{} {name}", row["id"]);
        }
        same += 1;
    }
    assert!(same > 400, "{same}");
}

/// The order of a hashtable is nobody's.
fn sort_pairs(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(sort_pairs),
        Value::Object(members) => {
            members.values_mut().for_each(sort_pairs);
            if let Some(Value::Array(pairs)) = members.get_mut("pairs") {
                pairs.sort_by_key(Value::to_string);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_model_is_read_back_as_it_was_judged() {
    let number = |kind: &str, text: &str| json!({"type": kind, "text": text});
    let values = [
        (json!("a <&> _x0041_ \u{1F600} \u{7}"), number("String", "a <&> _x0041_ \u{1F600} \u{7}")),
        (json!(5), number("Int32", "5")),
        (json!(5_000_000_000_i64), number("Int64", "5000000000")),
        (json!(true), number("Boolean", "True")),
        (json!(null), Value::Null),
        (json!(1.5), number("Double", "1.5")),
        (number("Byte", "255"), number("Byte", "255")),
        (number("Decimal", "1.50"), number("Decimal", "1.50")),
        (json!(["a", 1]), json!({"type": "ArrayList", "items": [number("String", "a"), number("Int32", "1")]})),
    ];
    for (given, read) in values {
        for model in [
            json!([{"cmd": "Get-Service", "args": [{"name": "Name", "value": given.clone()}]}]),
            json!([[{"cmd": "Get-Service", "args": {"Name": given}}], [{"cmd": "Get-Date"}]]),
        ] {
            let body = asked(&json!({"id": 1, "model": model}))["clixml"].clone();
            let back = asked(&json!({"id": 1, "clixml": body, "as": "pipeline"}));
            assert_eq!(back["commands"][0]["args"], json!([{"name": "Name", "value": read}]), "{model}");
            assert_eq!(back["commands"][0]["cmd"], "Get-Service");
            assert_eq!(back["NoInput"], "True");
            if model[0].is_array() {
                assert_eq!(back["statements"][0], back["commands"], "the first statement is a copy");
                assert_eq!(back["statements"][1][0]["cmd"], "Get-Date");
            }
        }
    }
}
