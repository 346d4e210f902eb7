//! A catalogue as a document: what is written there says the same.

use sekisho_policy::catalog::{Catalog, CommandInfo, CommandRecord, Edition, ParameterRecord, PlaceRecord, to_toml};
use toml::{Table, Value};

fn texts(table: &Table, key: &str) -> Vec<String> {
    let list = table.get(key).map(|value| value.as_array().unwrap().clone()).unwrap_or_default();
    list.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key).map(|value| value.as_str().unwrap().to_owned())
}

fn bool(table: &Table, key: &str, otherwise: bool) -> bool {
    table.get(key).map_or(otherwise, |value| value.as_bool().unwrap())
}

fn position(table: &Table) -> Option<u32> {
    table.get("position").map(|value| u32::try_from(value.as_integer().unwrap()).unwrap())
}

fn parameter(value: &Value) -> ParameterRecord {
    let table = value.as_table().unwrap();
    let by_set = table.get("by_set").map(|value| value.as_table().unwrap().clone()).unwrap_or_default();
    let place = |(name, value): (String, Value)| {
        let table = value.as_table().unwrap().clone();
        (name, PlaceRecord { position: position(&table), mandatory: bool(&table, "mandatory", false) })
    };
    ParameterRecord {
        name: text(table, "name").unwrap(),
        aliases: texts(table, "aliases"),
        switch: bool(table, "switch", false),
        switch_doubt: bool(table, "switch_doubt", false),
        type_name: text(table, "type"),
        sets: texts(table, "sets"),
        by_set: by_set.into_iter().map(place).collect(),
        position: position(table),
        mandatory: bool(table, "mandatory", false),
        pipeline: texts(table, "pipeline"),
        remaining: bool(table, "remaining", false),
        wildcards: bool(table, "wildcards", false),
        values: texts(table, "values"),
        dynamic: texts(table, "dynamic"),
    }
}

fn command(value: &Value) -> CommandRecord {
    let table = value.as_table().unwrap();
    CommandRecord {
        name: text(table, "name").unwrap(),
        module: text(table, "module").unwrap_or_default(),
        editions: texts(table, "editions"),
        kind: text(table, "kind"),
        common: bool(table, "common", true),
        workflow_common: bool(table, "workflow_common", false),
        should_process: bool(table, "should_process", false),
        transactions: bool(table, "transactions", false),
        command_aliases: texts(table, "command_aliases"),
        sets: texts(table, "sets"),
        default_set: text(table, "default_set"),
        unnamed: text(table, "unnamed"),
        parameters: table
            .get("parameters")
            .map_or(Vec::new(), |list| list.as_array().unwrap().iter().map(parameter).collect()),
        doubts: Vec::new(),
    }
}

/// The same but for what a document does not say: doubts, and the order of sets.
fn comparable(mut info: CommandInfo) -> CommandInfo {
    info.doubts.clear();
    for parameter in &mut info.parameters {
        parameter.membership.sort_by_key(|place| place.set);
    }
    info
}

#[test]
fn every_shipped_command_says_the_same_as_a_document() {
    let written: Vec<(Vec<Edition>, CommandInfo)> = Catalog::shipped()
        .definitions()
        .into_iter()
        .map(|(origin, info)| (origin.editions().to_vec(), comparable((*info).clone())))
        .collect();
    let document: Table = to_toml(&written).parse().unwrap();
    let catalog = document["catalog"].as_table().unwrap();
    assert_eq!(catalog["mode"].as_str(), Some("extend"));
    let read = catalog["commands"].as_array().unwrap();
    assert_eq!(read.len(), written.len());
    for (value, written) in read.iter().zip(&written) {
        let (editions, info) = command(value).check().unwrap();
        assert_eq!((editions, comparable(info)), *written);
    }
}

#[test]
fn texts_with_quotes_and_backslashes_stay_themselves() {
    let mut info = super::info("Get-Own");
    info.sets = vec!["a \"b\" 'c' \\ ]".to_owned()];
    info.default_set = Some(0);
    info.parameters[0].values = vec!["'''".to_owned(), "\\\"\"\"".to_owned(), "a = { b }".to_owned()];
    let document: Table = to_toml(&[(vec![Edition::Core7], info.clone())]).parse().unwrap();
    let read = command(&document["catalog"]["commands"][0]).check().unwrap();
    assert_eq!(read, (vec![Edition::Core7], info));
}
