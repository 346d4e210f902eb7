//! The examples of the reference are policies without mistakes.

use crate::support::{compile, decide_request, try_compile};
use sekisho_policy::ProgramRequest;

const REFERENCE: &str = include_str!("../../../docs/policy.md");

#[test]
fn every_example_of_the_reference_compiles() {
    let examples: Vec<&str> =
        REFERENCE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 3);
    for example in &examples {
        if let Err(mistakes) = try_compile(&[("docs/policy.md", example)]) {
            panic!("{example}\n{mistakes:#?}");
        }
    }
    let together: Vec<(String, &str)> =
        examples.iter().enumerate().map(|(index, example)| (index.to_string(), *example)).collect();
    let together: Vec<(&str, &str)> = together.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let warnings = compile(&together).warnings;
    assert_eq!(warnings.len(), 1, "only the role of the middle example is not assigned: {warnings:?}");
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
