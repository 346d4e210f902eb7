//! The evaluator and the naive second one come to the same answer, canonical form and all.

use proptest::prelude::{ProptestConfig, Strategy, prop_assert_eq, proptest};
use sekisho_policy::{Action, Circumstances, Decision, Edition, Policy, TargetFacts};
use serde_json::Value as Json;

use super::{corpus, naive, neutral, random};

pub(crate) fn public_catalog() -> Json {
    let public: Json = serde_json::from_str(corpus::POLICIES).unwrap();
    random::catalog(&public["catalog"])
}

pub(crate) fn decide(policy: &Policy, case: &Json) -> Decision {
    decide_action(policy, case, &neutral::action(case))
}

/// Asks for something else in the name of a case's user, on its target.
pub(crate) fn decide_action(policy: &Policy, case: &Json, action: &Action) -> Decision {
    let name = case["target"].as_str().unwrap().to_owned();
    let target = TargetFacts { name, groups: Vec::new(), tags: Vec::new(), edition: Edition::default() };
    policy.decide(&neutral::user(case), &target, &Circumstances::default(), action)
}

pub(crate) fn canonical(decision: &Decision) -> Option<Vec<Vec<Json>>> {
    decision.allowed().map(neutral::canonical)
}

/// A policy and requests for it: compiling takes longer than judging.
fn trials() -> impl Strategy<Value = (Json, Vec<Json>)> {
    let catalog = public_catalog();
    let cases = proptest::collection::vec(random::case(&catalog), 40);
    (random::neutral(catalog), cases)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn both_evaluators_agree((neutral, cases) in trials()) {
        let policy = corpus::translate(&neutral, "p");
        for case in cases {
            let decision = decide(&policy, &case);
            let expected = naive::judge(&neutral, &case);
            prop_assert_eq!(canonical(&decision), expected, "{}\n{}\n{:?}", case, neutral["policies"], decision.denied());
        }
    }
}
