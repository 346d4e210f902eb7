//! The examples of the reference are policies without mistakes.

use std::collections::BTreeSet;

use crate::support::{compile, decide_request, try_compile};
use sekisho_policy::ProgramRequest;

const REFERENCE: &str = include_str!("../../../docs/policy.md");

#[test]
fn every_example_of_the_reference_compiles() {
    let examples: Vec<&str> =
        REFERENCE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 6);
    for example in &examples {
        if let Err(mistakes) = try_compile(&[("docs/policy.md", example)]) {
            panic!("{example}\n{mistakes:#?}");
        }
    }
    let together: Vec<(String, &str)> =
        examples.iter().enumerate().map(|(index, example)| (index.to_string(), *example)).collect();
    let together: Vec<(&str, &str)> = together.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let warnings = compile(&together).warnings;
    assert!(warnings.iter().all(|warning| warning.message.starts_with("nobody holds")), "{warnings:?}");
    assert_eq!(warnings.len(), 2, "two roles of the examples are not assigned: {warnings:?}");
}

/// The keys of a document, without the names that policies give.
fn keys<'t>(value: &'t toml::Value, found: &mut BTreeSet<&'t str>) {
    for (key, value) in value.as_table().into_iter().flatten() {
        found.insert(key);
        match key.as_str() {
            "roles" | "by_set" => {
                value.as_table().into_iter().flatten().for_each(|(_, value)| keys(value, found));
            }
            "aliases" if value.is_table() => {}
            _ => keys(value, found),
        }
    }
    value.as_array().into_iter().flatten().for_each(|value| keys(value, found));
}

#[test]
fn every_key_is_in_the_reference() {
    let whole: toml::Value = toml::from_str(include_str!("whole.toml")).unwrap();
    let mut found = BTreeSet::new();
    keys(&whole, &mut found);
    assert!(found.len() > 50, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|key| !REFERENCE.contains(&format!("`{key}`"))).collect();
    let forms = ["and", "or", "exact", "each", "max", "any", "pattern"];
    assert!(missing.iter().all(|key| forms.contains(key)), "{missing:?}");
}

#[test]
fn the_denial_that_the_reference_quotes_is_what_users_see() {
    let policy = crate::support::policy_of(
        "[[roles.ops.programs]]\nname = 'r'\npath = 'C:\\Windows\\System32\\systeminfo.exe'\n\
         arguments = { each = ['/fo', 'csv|list|table'], max = 2 }\n",
    );
    let decision = decide_request(&policy, ProgramRequest::new("systeminfo", vec!["/x".to_owned()]));
    let message = decision.denied().unwrap().message.replace("role ops", "role reader");
    assert!(REFERENCE.contains(&message), "{message}");
}
