//! The WinRS cases of the neutral policy corpus, translated into documents of ours.

use std::collections::BTreeMap;

use sekisho_policy::{
    Action, Circumstances, Decision, Edition, Policy, Presence, Principal, ProgramRequest, RequestExtras,
    ShellResource, Source, TargetFacts,
};
use serde_json::Value;

const POLICIES: &str = include_str!("../../../tests/data/policy-cases/policies.json");
const CASES: &str = include_str!("../../../tests/data/policy-cases/cases.jsonl");
const CMD_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";

#[test]
fn the_winrs_cases_of_the_corpus_are_judged_as_expected() {
    let neutral: Value = serde_json::from_str(POLICIES).unwrap();
    let policies: BTreeMap<&str, Policy> = neutral["policies"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, policy)| (name.as_str(), translate(name, policy)))
        .collect();
    let mut judged = 0_usize;
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    for case in CASES.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = case["policy"].as_str().unwrap();
        let kind = case["kind"].as_str().unwrap();
        if kind != "winrs" {
            *skipped.entry(kind.to_owned()).or_default() += 1;
            continue;
        }
        if case["debatable"] == true {
            *skipped.entry("debatable".to_owned()).or_default() += 1;
            continue;
        }
        let required = &neutral["policies"][name]["require_groups"];
        let decision = judge(&policies[name], &case);
        let allowed = decision.allowed().is_some() && holds(required, &case["user"]["groups"]);
        assert_eq!(if allowed { "allow" } else { "deny" }, case["expect"], "{}: {decision:?}", case["id"]);
        judged += 1;
    }
    println!("judged {judged} WinRS cases; left to later parts: {skipped:?}");
    assert_eq!(judged, 5);
}

fn judge(policy: &Policy, case: &Value) -> Decision {
    let request = &case["request"];
    let presence = |key: &str| if request.get(key).is_some() { Presence::Present } else { Presence::Absent };
    let program = ProgramRequest {
        command: request["command"].as_str().unwrap().to_owned(),
        arguments: strings(&request["args"]),
        extras: RequestExtras {
            environment: presence("environment"),
            working_directory: presence("working_directory"),
            input: presence("stdin"),
        },
        resource: match request.get("resource_uri") {
            Some(uri) if uri != CMD_SHELL => ShellResource::Other,
            Some(_) | None => ShellResource::CommandShell,
        },
    };
    let principal =
        Principal { name: case["user"]["name"].as_str().unwrap().to_owned(), groups: strings(&case["user"]["groups"]) };
    let target = TargetFacts {
        name: case["target"].as_str().unwrap().to_owned(),
        groups: Vec::new(),
        tags: Vec::new(),
        edition: Edition::default(),
    };
    policy.decide(&principal, &target, &Circumstances::default(), &Action::Program(program))
}

/// Required groups come with a later part, so that the test judges them.
fn holds(required: &Value, groups: &Value) -> bool {
    if required.is_null() {
        return true;
    }
    if let Some(group) = required.as_str() {
        return strings(groups).iter().any(|held| held.eq_ignore_ascii_case(group));
    }
    match (required.get("and"), required.get("or")) {
        (Some(all), None) => all.as_array().unwrap().iter().all(|part| holds(part, groups)),
        (None, Some(any)) => any.as_array().unwrap().iter().any(|part| holds(part, groups)),
        (Some(_), Some(_)) | (None, None) => panic!("an unknown requirement"),
    }
}

/// Writes the programs and assignments of a neutral policy as a document.
fn translate(name: &str, policy: &Value) -> Policy {
    let mut roles = toml::Table::new();
    for (role, content) in policy["roles"].as_object().unwrap() {
        let programs = content.get("external").and_then(Value::as_array).into_iter().flatten().enumerate();
        let programs: Vec<toml::Value> = programs.map(|(index, external)| translate_program(index, external)).collect();
        roles.insert(role.clone(), toml::Value::Table(table([("programs", programs.into())])));
    }
    let list = |value: &Value| toml::Value::from(strings(value));
    let assignments: Vec<toml::Value> = policy["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| toml::Value::Table(table(["principals", "roles", "targets"].map(|key| (key, list(&one[key]))))))
        .collect();
    let document = table([("roles", toml::Value::Table(roles)), ("assignments", assignments.into())]);
    let text = toml::to_string(&document).unwrap();
    let compiled = Policy::compile(&[Source { name, text: &text }]);
    compiled.unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:#?}")).policy
}

fn translate_program(index: usize, external: &Value) -> toml::Value {
    let path = external["path"].as_str().unwrap();
    let args = &external["args"];
    let arguments = if args == "any" {
        table([("any", true.into())])
    } else if let Some(lists) = args.get("exact") {
        let lists: Vec<toml::Value> = lists.as_array().unwrap().iter().map(|list| strings(list).into()).collect();
        table([("exact", lists.into())])
    } else {
        table([("each", strings(&args["each"]).into()), ("max", args["max"].as_i64().unwrap().into())])
    };
    let name = format!("program {index}");
    toml::Value::Table(table([("name", name.into()), ("path", path.into()), ("arguments", arguments.into())]))
}

fn table<const N: usize>(entries: [(&str, toml::Value); N]) -> toml::Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
