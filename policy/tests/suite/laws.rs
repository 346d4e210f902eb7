//! Laws of judgement over random policies and requests.

use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use sekisho_policy::command::ScriptRequest;
use sekisho_policy::{Action, Checked, Decision, Policy, powershell};
use serde_json::{Value as Json, json};

use super::agreement::{canonical, decide, decide_action, public_catalog};
use super::{corpus, neutral, random};

fn trials() -> impl Strategy<Value = (Json, Vec<Json>)> {
    let catalog = public_catalog();
    let cases = prop::collection::vec(random::case(&catalog), 30);
    (random::neutral(catalog), cases)
}

fn is_allowed(policy: &Policy, case: &Json) -> bool {
    decide(policy, case).allowed().is_some()
}

/// What was allowed, asked for in the form in which it is sent.
fn asked_again(case: &Json, canonical: &[Vec<Json>]) -> Json {
    let mut again = case.clone();
    let statements: Vec<Json> = canonical.iter().map(|pipeline| pipeline.iter().map(renamed).collect()).collect();
    again["request"]["commands"] = statements[0].clone();
    if again["request"].get("extra_commands").is_some() {
        again["request"]["extra_commands"] = json!(statements);
    }
    again
}

/// A colon says that the value of the entry is its value, null too.
fn renamed(command: &Json) -> Json {
    let mut command = command.clone();
    for argument in command["args"].as_array_mut().unwrap() {
        if let Some(name) = argument["name"].as_str() {
            argument["name"] = json!(format!("-{name}:"));
        }
    }
    command
}

/// Another case for every letter of names.
fn recased(case: &Json) -> Json {
    let flip = |text: &str| -> String {
        let flip = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        text.chars().map(flip).collect()
    };
    let mut case = case.clone();
    let each = |pipeline: &mut Json| {
        for command in pipeline.as_array_mut().unwrap() {
            command["cmd"] = json!(flip(command["cmd"].as_str().unwrap()));
            let is_program = command["cmd"].as_str().unwrap().to_ascii_lowercase().contains("tool");
            for argument in command["args"].as_array_mut().unwrap() {
                if let (Some(name), false) = (argument["name"].as_str(), is_program) {
                    argument["name"] = json!(flip(name));
                }
            }
        }
    };
    each(&mut case["request"]["commands"]);
    if let Some(extra) = case["request"].get_mut("extra_commands") {
        extra.as_array_mut().unwrap().iter_mut().for_each(each);
    }
    case["user"]["name"] = json!("d\\U");
    case
}

/// The same policy with its lists in another order and its roles under other names, last first.
fn reordered(neutral: &Json) -> Json {
    let mut neutral = neutral.clone();
    let policy = &mut neutral["policies"]["p"];
    policy["assignments"].as_array_mut().unwrap().reverse();
    for role in policy["roles"].as_object_mut().unwrap().values_mut() {
        role["cmdlets"].as_array_mut().unwrap().reverse();
        role["external"].as_array_mut().unwrap().reverse();
    }
    neutral
}

/// The policy without its last role.
fn without_last_role(neutral: &Json) -> Option<Json> {
    let mut neutral = neutral.clone();
    let policy = &mut neutral["policies"]["p"];
    let assignments = policy["assignments"].as_array_mut().unwrap();
    if assignments.len() < 2 {
        return None;
    }
    let gone = assignments.pop().unwrap();
    policy["roles"].as_object_mut().unwrap().remove(gone["roles"][0].as_str().unwrap());
    Some(neutral)
}

/// The policy without the last entry of each role.
fn without_last_entries(neutral: &Json) -> Json {
    let mut neutral = neutral.clone();
    for role in neutral["policies"]["p"]["roles"].as_object_mut().unwrap().values_mut() {
        role["cmdlets"].as_array_mut().unwrap().pop();
        role["external"].as_array_mut().unwrap().pop();
        // What an alias stands for has to be allowed.
        role["aliases"] = json!({});
    }
    neutral
}

fn without_aliases(neutral: &Json) -> Json {
    let mut neutral = neutral.clone();
    for role in neutral["policies"]["p"]["roles"].as_object_mut().unwrap().values_mut() {
        role["aliases"] = json!({});
    }
    neutral
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn more_roles_and_rules_never_take_away((neutral, cases) in trials()) {
        let all = corpus::translate(&neutral, "p");
        let fewer_roles = without_last_role(&neutral).map(|fewer| corpus::translate(&fewer, "p"));
        let plain = corpus::translate(&without_aliases(&neutral), "p");
        let fewer_rules = corpus::translate(&without_last_entries(&neutral), "p");
        for case in cases {
            if let Some(fewer) = &fewer_roles {
                prop_assert!(is_allowed(&all, &case) || !is_allowed(fewer, &case), "{case}");
            }
            prop_assert!(is_allowed(&plain, &case) || !is_allowed(&fewer_rules, &case), "{case}");
        }
    }

    #[test]
    fn order_decides_nothing((neutral, cases) in trials()) {
        let policy = corpus::translate(&neutral, "p");
        let other = corpus::translate(&reordered(&neutral), "p");
        for case in cases {
            let (one, two) = (decide(&policy, &case), decide(&other, &case));
            prop_assert_eq!(canonical(&one), canonical(&two), "{}", case);
        }
    }

    #[test]
    fn case_decides_nothing((neutral, cases) in trials()) {
        let policy = corpus::translate(&neutral, "p");
        for case in cases {
            let (one, two) = (decide(&policy, &case), decide(&policy, &recased(&case)));
            prop_assert_eq!(canonical(&one), canonical(&two), "{}", case);
            prop_assert_eq!(one.denied().map(|denied| denied.reason), two.denied().map(|denied| denied.reason));
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_in_its_canonical_form((neutral, cases) in trials()) {
        let policy = corpus::translate(&neutral, "p");
        for case in cases {
            let Some(first) = canonical(&decide(&policy, &case)) else { continue };
            let again = asked_again(&case, &first);
            prop_assert_eq!(canonical(&decide(&policy, &again)), Some(first), "{}", again);
        }
    }

    #[test]
    fn text_says_the_same_as_the_commands_that_it_spells((neutral, cases) in trials()) {
        let policy = corpus::translate(&neutral, "p");
        for case in cases {
            let Action::Commands(request) = neutral::action(&case) else { continue };
            if request.extra_commands.is_some() {
                continue;
            }
            let one = decide(&policy, &case);
            let as_sent = one.allowed().and_then(|allowed| match &allowed.checked {
                Checked::Commands(commands) => powershell::render_checked(&commands.statements()[0]).ok(),
                Checked::Program(_) | Checked::Script(_) => None,
            });
            let as_asked = powershell::render(&request.commands).ok();
            for text in as_sent.into_iter().chain(as_asked) {
                let action = Action::Script(ScriptRequest { input: request.input, ..ScriptRequest::new(text.as_str()) });
                let two = decide_action(&policy, &case, &action);
                let reason = |decision: &Decision| decision.denied().map(|denied| denied.reason);
                prop_assert_eq!(canonical(&one), canonical(&two), "{}\n{}", case, text);
                prop_assert_eq!(reason(&one), reason(&two), "{}\n{}", case, text);
            }
        }
    }

    #[test]
    fn a_denial_always_says_something_and_nothing_of_the_request(
        (neutral, cases) in trials(),
        secret in "[a-z]{12}",
        at in any::<prop::sample::Index>(),
        place in places(),
    ) {
        let policy = corpus::translate(&neutral, "p");
        let mut case = cases[at.index(cases.len())].clone();
        if let Some(command) = case["request"]["commands"].as_array_mut().unwrap().first_mut() {
            match place {
                Place::Command => command["cmd"] = json!(secret),
                Place::Name => command["args"].as_array_mut().unwrap().push(json!({"name": secret, "value": "x"})),
                Place::Value => command["args"].as_array_mut().unwrap().push(json!({"name": "-Name", "value": secret})),
            }
        }
        if let Some(denied) = decide(&policy, &case).denied() {
            prop_assert!(!denied.message.is_empty() && !denied.message.contains(&secret), "{}", denied.message);
            let debug = format!("{denied:?}");
            prop_assert!(!debug.contains(&secret));
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Command,
    Name,
    Value,
}

fn places() -> impl Strategy<Value = Place> {
    prop::sample::select(vec![Place::Command, Place::Name, Place::Value])
}
