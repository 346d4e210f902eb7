//! The neutral policy corpus, translated into documents of ours: policies, and the catalogue in place of the
//! shipped one.

use std::collections::BTreeMap;

use sekisho_policy::{Policy, Source};
use serde_json::Value;

use super::agreement;
use super::neutral::strings;

pub(crate) const POLICIES: &str = include_str!("../../../tests/data/policy-cases/policies.json");
const CASES: &str = include_str!("../../../tests/data/policy-cases/cases.jsonl");

#[test]
fn the_cases_of_the_corpus_are_judged_as_expected() {
    let neutral: Value = serde_json::from_str(POLICIES).unwrap();
    let names = neutral["policies"].as_object().unwrap().keys();
    let policies: BTreeMap<&str, Policy> = names.map(|name| (name.as_str(), translate(&neutral, name))).collect();
    let mut debatable = 0;
    let mut judged = 0;
    for case in CASES.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let decision = agreement::decide(&policies[case["policy"].as_str().unwrap()], &case);
        if case["debatable"] == true {
            debatable += 1;
            continue;
        }
        let verdict = if decision.allowed().is_some() { "allow" } else { "deny" };
        assert_eq!(verdict, case["expect"], "{case}: {decision:?}");
        judged += 1;
    }
    assert_eq!((judged, debatable), (24, 1));
}

/// Writes a neutral policy with its catalogue as a document and compiles it.
pub(crate) fn translate(neutral: &Value, name: &str) -> Policy {
    let policy = &neutral["policies"][name];
    let roles: toml::Table = policy["roles"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(role, content)| (role.clone(), toml::Value::Table(translate_role(content))))
        .collect();
    let list = |value: &Value| toml::Value::from(strings(value));
    let assignments: Vec<toml::Value> = policy["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| toml::Value::Table(table(["principals", "roles", "targets"].map(|key| (key, list(&one[key]))))))
        .collect();
    let mut document = table([
        ("defaults", (policy["defaults"] == true).into()),
        ("roles", toml::Value::Table(roles)),
        ("assignments", assignments.into()),
        ("catalog", toml::Value::Table(translate_catalog(&neutral["catalog"]))),
    ]);
    if !policy["require_groups"].is_null() {
        document.insert("require_groups".to_owned(), toml::Value::try_from(&policy["require_groups"]).unwrap());
    }
    let text = toml::to_string(&document).unwrap();
    let compiled = Policy::compile(&[Source { name, text: &text }]);
    compiled.unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:#?}")).policy
}

/// The keys of rules and parameters are the same on both sides.
fn translate_role(content: &Value) -> toml::Table {
    let mut role = toml::Table::new();
    for key in ["cmdlets", "functions", "aliases"] {
        if let Some(value) = content.get(key) {
            role.insert(key.to_owned(), toml::Value::try_from(value).unwrap());
        }
    }
    let programs = content.get("external").and_then(Value::as_array).into_iter().flatten().enumerate();
    let programs: Vec<toml::Value> = programs.map(|(index, external)| translate_program(index, external)).collect();
    role.insert("programs".to_owned(), programs.into());
    role
}

fn translate_catalog(catalog: &Value) -> toml::Table {
    let commands = catalog["commands"].as_object().unwrap().iter().map(|(name, command)| {
        let mut written = command.clone();
        written["name"] = Value::from(name.as_str());
        for parameter in written["parameters"].as_array_mut().unwrap() {
            if parameter.get("pipeline") == Some(&Value::Bool(true)) {
                parameter["pipeline"] = serde_json::json!(["value"]);
            }
        }
        toml::Value::try_from(&written).unwrap()
    });
    table([("mode", "replace".into()), ("commands", toml::Value::Array(commands.collect()))])
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
