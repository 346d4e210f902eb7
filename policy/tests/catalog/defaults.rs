//! The default commands, compared with the catalogue by which policies are judged.

use std::collections::BTreeMap;

use sekisho_policy::catalog::{ParameterKind, Values, default_commands};
use serde_json::{Value, json};

fn expected() -> Value {
    let text = include_str!("../../../tests/data/policy-cases/policies.json");
    serde_json::from_str::<Value>(text).unwrap()["catalog"].take()
}

#[test]
fn names_aliases_and_constraints_are_those_of_a_restricted_session() {
    let defaults = default_commands();
    let catalog = expected();
    let expected = &catalog["default_commands"];
    let names: Vec<&str> = defaults.commands.iter().map(|command| command.info.name.as_str()).collect();
    assert_eq!(json!(names), expected["names"]);
    assert_eq!(json!(defaults.aliases.iter().copied().collect::<BTreeMap<_, _>>()), expected["aliases"]);
    let constraints: BTreeMap<&str, BTreeMap<&str, Value>> = defaults
        .commands
        .iter()
        .filter(|command| !command.constraints.is_empty())
        .map(|command| {
            let each = command.constraints.iter().map(|constraint| {
                let values = match constraint.values {
                    Values::Set(values) => json!({ "validate_set": values }),
                    Values::Pattern(pattern) => json!({ "validate_pattern": pattern }),
                };
                (constraint.parameter, values)
            });
            (command.info.name.as_str(), each.collect())
        })
        .collect();
    assert_eq!(json!(constraints), expected["constraints"]);
}

#[test]
fn what_they_accept_is_what_the_narrow_functions_accept() {
    let catalog = expected();
    for command in default_commands().commands {
        let expected = &catalog["commands"][&command.info.name];
        assert_eq!(command.info.module, expected["module"].as_str().unwrap());
        let parameters: Vec<Value> = command
            .info
            .parameters
            .iter()
            .map(|parameter| {
                let mut keys = json!({ "name": parameter.name });
                match &parameter.kind {
                    ParameterKind::Switch(_) => keys["switch"] = json!(true),
                    ParameterKind::Value(type_name) => keys["type"] = json!(type_name),
                }
                if let Some(position) = parameter.membership[0].position {
                    keys["position"] = json!(position);
                }
                if parameter.pipeline.value {
                    keys["pipeline"] = json!(true);
                }
                keys
            })
            .collect();
        assert_eq!(json!(parameters), expected["parameters"], "{}", command.info.name);
        for constraint in command.constraints {
            assert!(command.info.parameters.iter().any(|parameter| parameter.name == constraint.parameter));
        }
    }
}
