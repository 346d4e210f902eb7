//! Records: what is written down is checked, and every mistake says where it is.

use sekisho_policy::catalog::{
    CommandRecord, Edition, ParameterKind, ParameterRecord, PlaceRecord, Uncertainty, Unnamed, WorkflowParameters,
};

use super::{BOTH, record};

/// The places of the mistakes of a record that was made by changing a good one.
fn mistakes(change: impl FnOnce(&mut CommandRecord)) -> Vec<(Option<usize>, &'static str)> {
    let mut record = record("Get-Thing");
    change(&mut record);
    let found = record.check().expect_err("it is wrong");
    for mistake in &found {
        assert!(!mistake.hint.is_empty() && mistake.to_string().contains(&mistake.message));
    }
    found.into_iter().map(|mistake| (mistake.parameter, mistake.key)).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_record_becomes_the_command_that_it_says() {
    let (editions, info) = record("Get-Thing").check().unwrap();
    assert_eq!(editions, BOTH);
    assert_eq!((info.name.as_str(), info.module.as_str(), info.common), ("Get-Thing", "", true));
    assert_eq!(info.unnamed, Unnamed::Bind);
    assert_eq!(info.parameters[0].membership[0].position, Some(0));
    assert_eq!(info.parameters[1].kind, ParameterKind::Switch(Uncertainty::Sure));
}

#[test]
fn editions_are_known_by_name() {
    let of = |editions: &[&str]| CommandRecord { editions: texts(editions), ..record("Get-Thing") }.check();
    assert_eq!(of(&["7"]).unwrap().0, [Edition::Core7]);
    assert_eq!(of(&["7", "5.1", "7"]).unwrap().0, BOTH);
    assert_eq!(of(&["ws2025"]).unwrap().0, BOTH);
    assert_eq!(of(&["6"]).unwrap_err()[0].key, "editions");
}

#[test]
fn names_are_names() {
    for name in ["", "Get Thing", "Get-*", "a\\b", "Get-Thing\n", "C:", "Get-\u{200D}Thing", &"x".repeat(257)] {
        assert_eq!(mistakes(|record| record.name = name.to_owned()), [(None, "name")], "{name:?}");
    }
    assert_eq!(mistakes(|record| record.module = "a b".to_owned()), [(None, "module")]);
    // An empty parameter name makes a target's PowerShell crash, and a dash in front would be read as one.
    for name in ["", "-", "-Name", "A b", "a.b", "a:b", "Na\u{AD}me", "N\0"] {
        assert_eq!(mistakes(|record| record.parameters[0].name = name.to_owned()), [(Some(0), "name")], "{name:?}");
        assert_eq!(
            mistakes(|record| record.parameters[1].aliases = texts(&[name])),
            [(Some(1), "aliases")],
            "{name:?}"
        );
    }
}

#[test]
fn no_name_stands_twice() {
    assert_eq!(mistakes(|record| record.parameters[1].name = "NAME".to_owned()), [(Some(1), "name")]);
    assert_eq!(mistakes(|record| record.parameters[1].aliases = texts(&["n"])), [(Some(1), "aliases")]);
    assert_eq!(mistakes(|record| record.parameters[0].aliases = texts(&["name"])), [(Some(0), "aliases")]);
    assert_eq!(mistakes(|record| record.parameters[1].name = "erroraction".to_owned()), [(Some(1), "name")]);
    assert_eq!(mistakes(|record| record.parameters[1].aliases = texts(&["OV"])), [(Some(1), "aliases")]);
    let mut own = record("Get-Thing");
    own.parameters[1].name = "Confirm".to_owned();
    assert!(own.check().is_ok(), "without -WhatIf it is a parameter like any other");
    own.should_process = true;
    assert!(own.check().is_err());
    own.should_process = false;
    own.parameters[1].name = "Verbose".to_owned();
    own.common = false;
    assert!(own.check().is_ok());
    own.parameters[1].name = "PSComputerName".to_owned();
    own.workflow_common = true;
    assert!(own.check().is_err());
    own.parameters[1].name = "Force".to_owned();
    assert_eq!(own.check().unwrap().1.workflow, WorkflowParameters::Taken);
}

#[test]
fn sets_that_are_named_exist() {
    let sets = |record: &mut CommandRecord| record.sets = texts(&["A", "B"]);
    let named = |set: &'static str| move |record: &mut CommandRecord| record.parameters[0].sets = texts(&[set]);
    assert_eq!(mistakes(named("A")), [(Some(0), "sets")]);
    let both = |record: &mut CommandRecord| {
        sets(record);
        record.parameters[0].sets = texts(&["A", "a"]);
    };
    assert_eq!(mistakes(both), [(Some(0), "sets")]);
    assert_eq!(mistakes(|record| record.sets = texts(&["A", "a"])), [(None, "sets")]);
    assert_eq!(mistakes(|record| record.default_set = Some("A".to_owned())), [(None, "default_set")]);
    let by_set = |record: &mut CommandRecord| {
        sets(record);
        record.parameters[0].by_set = vec![("C".to_owned(), PlaceRecord::default())];
        (record.parameters[0].position, record.parameters[0].mandatory) = (None, false);
    };
    assert_eq!(mistakes(by_set), [(Some(0), "by_set")]);
    let mixed = |record: &mut CommandRecord| {
        sets(record);
        record.parameters[0].by_set = vec![("A".to_owned(), PlaceRecord::default())];
    };
    assert_eq!(mistakes(mixed), [(Some(0), "by_set")]);
}

#[test]
fn a_default_set_is_known_or_not() {
    let default = |sets: &[&str], default: Option<&str>| {
        let record =
            CommandRecord { sets: texts(sets), default_set: default.map(str::to_owned), ..record("Get-Thing") };
        record.check().unwrap().1.default_set
    };
    assert_eq!(default(&[], None), None);
    assert_eq!(default(&["A"], None), Some(0));
    assert_eq!(default(&["A", "B"], None), None);
    assert_eq!(default(&["A", "B"], Some("b")), Some(1));
}

#[test]
fn a_parameter_is_a_switch_or_takes_a_value() {
    assert_eq!(mistakes(|record| record.parameters[0].type_name = None), [(Some(0), "type")]);
    assert_eq!(mistakes(|record| record.parameters[0].switch = true), [(Some(0), "switch")]);
    assert_eq!(mistakes(|record| record.parameters[0].type_name = Some(String::new())), [(Some(0), "type")]);
    let mut doubtful = record("Get-Thing");
    doubtful.parameters[0].switch_doubt = true;
    assert_eq!(doubtful.check().unwrap().1.parameters[0].kind, ParameterKind::Switch(Uncertainty::Doubtful));
}

#[test]
fn two_parameters_of_a_set_have_two_positions() {
    let mut second = ParameterRecord {
        name: "Id".to_owned(),
        type_name: Some("int".to_owned()),
        position: Some(0),
        ..ParameterRecord::default()
    };
    assert_eq!(mistakes(|record| record.parameters.push(second.clone())), [(Some(2), "position")]);
    let mut refused = record("Get-Thing");
    refused.parameters.push(second.clone());
    refused.unnamed = Some("refuse".to_owned());
    assert_eq!(refused.check().unwrap().1.unnamed, Unnamed::Refuse);
    second.sets = texts(&["B"]);
    let mut apart = record("Get-Thing");
    apart.sets = texts(&["A", "B"]);
    apart.parameters.push(second);
    assert!(apart.check().is_err(), "the first one is in all sets");
    apart.parameters[0].sets = texts(&["A"]);
    assert!(apart.check().is_ok());
    assert_eq!(mistakes(|record| record.parameters[0].position = Some(u32::MAX)), [(Some(0), "position")]);
}

#[test]
fn words_are_the_known_ones() {
    assert_eq!(mistakes(|record| record.kind = Some("alias".to_owned())), [(None, "kind")]);
    assert_eq!(mistakes(|record| record.unnamed = Some("bind".to_owned())), [(None, "unnamed")]);
    assert_eq!(mistakes(|record| record.parameters[0].pipeline = texts(&["values"])), [(Some(0), "pipeline")]);
    let mut unknown = record("Get-Thing");
    unknown.parameters[0].pipeline = texts(&["unknown"]);
    let pipeline = unknown.check().unwrap().1.parameters[0].pipeline;
    assert!(pipeline.value && pipeline.property);
}

#[test]
fn sizes_are_bounded_and_all_mistakes_come_at_once() {
    let parameter =
        |number: usize| ParameterRecord { name: format!("P{number}"), switch: true, ..ParameterRecord::default() };
    assert_eq!(mistakes(|record| record.parameters = (0..513).map(parameter).collect()), [(None, "parameters")]);
    assert_eq!(mistakes(|record| record.sets = (0..65).map(|number| format!("S{number}")).collect()), [(None, "sets")]);
    assert_eq!(mistakes(|record| record.parameters[0].values = texts(&[&"v".repeat(1025)])), [(Some(0), "values")]);
    let several = mistakes(|record| {
        record.name = "a b".to_owned();
        record.kind = Some("x".to_owned());
        record.parameters[0].type_name = None;
        record.parameters[1].name = "-".to_owned();
    });
    assert_eq!(several, [(None, "name"), (None, "kind"), (Some(0), "type"), (Some(1), "name")]);
}
