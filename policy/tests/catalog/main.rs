//! The catalogue of commands as its users see it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

mod blob;
mod build;
mod defaults;
mod explain;
mod import;
mod records;
mod shipped;
mod toml_form;

use std::sync::Arc;

use sekisho_policy::catalog::{Catalog, CommandInfo, CommandRecord, Edition, ParameterInfo, ParameterRecord};

const BOTH: [Edition; 2] = [Edition::Windows51, Edition::Core7];

fn shipped(edition: Edition, name: &str) -> Arc<CommandInfo> {
    Catalog::shipped().lookup(edition, name).unwrap_or_else(|| panic!("{name} is not shipped"))
}

fn parameter<'a>(info: &'a CommandInfo, name: &str) -> &'a ParameterInfo {
    let found = info.parameters.iter().find(|parameter| parameter.name == name);
    found.unwrap_or_else(|| panic!("{} has no {name}", info.name))
}

/// The parameters that have a position in a set, in order.
fn positional<'a>(info: &'a CommandInfo, set: Option<&str>) -> Vec<&'a str> {
    let index = set.map(|set| info.sets.iter().position(|known| known == set).unwrap());
    let mut found: Vec<(u32, &str)> = info
        .parameters
        .iter()
        .filter_map(|parameter| {
            let place = parameter.membership.iter().find(|place| place.set.is_none() || place.set == index)?;
            Some((place.position?, parameter.name.as_str()))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

/// A command with a mandatory `-Name` in place 0 and a switch.
fn record(name: &str) -> CommandRecord {
    let value = ParameterRecord {
        name: "Name".to_owned(),
        aliases: vec!["N".to_owned()],
        type_name: Some("string".to_owned()),
        position: Some(0),
        mandatory: true,
        ..ParameterRecord::default()
    };
    let switch = ParameterRecord { name: "Force".to_owned(), switch: true, ..ParameterRecord::default() };
    CommandRecord { name: name.to_owned(), parameters: vec![value, switch], ..CommandRecord::default() }
}

fn info(name: &str) -> CommandInfo {
    record(name).check().unwrap().1
}
