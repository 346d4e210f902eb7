//! What a real endpoint of PowerShell 7 made of pipelines under the roles of the public policy: nothing is allowed
//! here that no role alone allows there, and what is sent is what was bound there.
#![expect(clippy::wildcard_enum_match_arm, reason = "the kinds of JSON are a library's and are known")]

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value as Json;

use super::agreement::{canonical, decide};
use super::corpus;

const RECORDED: &[u8] = include_bytes!("../../../tests/data/oracle/jea.jsonl.gz");

/// Errors for which a pipeline fails there that are not the policy's.
const EXCUSED: [&str; 5] = [
    "CannotConvertArgument",
    "ParameterArgumentTransformationError",
    "InputObjectNotBound",
    "MissingMandatoryParameter",
    "HostFunctionNotImplemented",
];

fn recorded() -> Vec<Json> {
    let mut lines = String::new();
    GzDecoder::new(RECORDED).read_to_string(&mut lines).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether the endpoint ran it under one role, or under several that cover a command each.
fn ran(case: &Json) -> bool {
    let alone = case["alone"].as_object().unwrap().values();
    alone.chain([&case["engine"]["verdict"]]).any(|verdict| verdict.as_str().unwrap().starts_with("ran"))
}

/// Whether it failed there for reasons that are not the policy's alone.
fn failed_otherwise(case: &Json) -> bool {
    let errors: Vec<&str> = case["engine"]["error"].as_str().unwrap_or_default().split(" ; ").collect();
    errors.iter().all(|error| EXCUSED.iter().any(|excused| error.starts_with(excused)))
}

/// A value as the texts of its elements: the endpoint converts to the parameter's type.
fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Null => vec!["<null>".to_owned()],
        Json::Bool(true) => vec!["True".to_owned()],
        Json::Bool(false) => vec!["False".to_owned()],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        Json::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn ours(command: &Json) -> BTreeMap<String, Vec<String>> {
    let arguments = command["args"].as_array().unwrap().iter();
    arguments.map(|one| (one["name"].as_str().unwrap().to_owned(), same_action(texts(&one["value"])))).collect()
}

/// Without what came through the pipeline.
fn theirs(command: &Json) -> BTreeMap<String, Vec<String>> {
    let bound = command["args"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), texts(value)));
    bound
        .filter(|(name, texts)| name != "InputObject" || texts.iter().all(|text| !text.starts_with("ran ")))
        .map(|(name, texts)| (name, same_action(texts)))
        .collect()
}

/// The endpoint shows the names of an enumeration as they are defined.
fn same_action(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().map(|text| if text.eq_ignore_ascii_case("stop") { "Stop".to_owned() } else { text }).collect()
}

#[test]
fn nothing_is_allowed_that_no_role_alone_allows_on_a_real_endpoint() {
    let neutral: Json = serde_json::from_str(corpus::POLICIES).unwrap();
    let policy = corpus::translate(&neutral, "demo-web");
    let (mut allowed, mut compared, mut excused) = (0, 0, 0);
    let mut stricter: BTreeMap<String, usize> = BTreeMap::new();
    for case in recorded() {
        let decision = decide(&policy, &case);
        let Some(statements) = canonical(&decision) else {
            if ran(&case) {
                let reason = decision.denied().unwrap().reason;
                *stricter.entry(format!("{reason:?}")).or_default() += 1;
            }
            continue;
        };
        allowed += 1;
        if !ran(&case) {
            assert!(failed_otherwise(&case), "{case}");
            excused += 1;
        }
        if case["engine"]["verdict"] == "ran" {
            let bound = case["engine"]["bound"].as_array().unwrap();
            let [pipeline] = statements.as_slice() else { panic!("{case}") };
            let names = |commands: &[Json]| commands.iter().map(|one| one["cmd"].clone()).collect::<Vec<_>>();
            assert_eq!(names(pipeline), names(bound), "{case}");
            let both = pipeline.iter().map(ours).eq(bound.iter().map(theirs));
            assert!(both, "{case}\n{pipeline:?}");
            compared += 1;
        }
    }
    let all: usize = stricter.values().sum();
    println!(
        "{allowed} allowed, {compared} of them bound as there, {excused} fail there for other reasons; {all} denied \
         that run there: {stricter:?}"
    );
    assert_eq!((allowed, compared), (391, 341), "as many as when this was last looked at, case by case");
    assert_eq!(all, 15, "{stricter:?}");
}
