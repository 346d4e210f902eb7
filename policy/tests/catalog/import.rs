//! Imports: what a real PowerShell said of itself, and what PowerShell's JSON can look like.

use std::io::Read as _;

use flate2::read::GzDecoder;
use sekisho_policy::catalog::{
    CommandInfo, CommandKind, Edition, Membership, ParameterKind, Uncertainty, Unnamed, WorkflowParameters, from_json,
    to_toml,
};
use sekisho_policy::{Policy, Source};
use serde_json::{Value, json};

use super::{parameter, positional};

/// The 48 cmdlets of Microsoft.PowerShell.Core in PowerShell 7.6.9 on Linux, as the one-liner of docs/catalog.md wrote
/// them.
fn recorded() -> String {
    let packed: &[u8] = include_bytes!("../../../tests/data/catalog/core-7.6.9.json.gz");
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

fn place(set: &str, position: i64, mandatory: bool) -> Value {
    json!({ "Name": set, "Position": position, "Mandatory": mandatory, "Value": false, "Property": false, "Remaining": false })
}

fn value(name: &str, sets: &[Value]) -> Value {
    json!({ "Name": name, "Type": "System.String", "Switch": false, "Dynamic": false, "Aliases": [], "Values": [], "Sets": sets })
}

fn switch(name: &str, aliases: &[&str]) -> Value {
    let sets = [place("__AllParameterSets", i64::from(i32::MIN), false)];
    json!({
        "Name": name, "Type": "System.Management.Automation.SwitchParameter", "Switch": true, "Dynamic": false,
        "Aliases": aliases, "Values": [], "Sets": sets
    })
}

fn command(parameters: &[Value]) -> Value {
    json!({
        "Name": "Get-Thing", "Module": "Things", "Kind": "Function", "PowerShell": "5.1.20348.2227",
        "Provider": "FileSystem", "DefaultSet": "", "Sets": ["__AllParameterSets"], "Parameters": parameters
    })
}

fn common() -> Vec<Value> {
    let names = [
        ("ErrorAction", "ea"),
        ("WarningAction", "wa"),
        ("ErrorVariable", "ev"),
        ("WarningVariable", "wv"),
        ("OutVariable", "ov"),
    ];
    let mut all = vec![switch("Verbose", &["vb"]), switch("Debug", &["db"])];
    all.extend(names.map(|(name, alias)| {
        let mut value = value(name, &[place("__AllParameterSets", i64::from(i32::MIN), false)]);
        value["Aliases"] = json!([alias]);
        value
    }));
    all
}

fn import(json: &Value) -> (Vec<Edition>, CommandInfo) {
    let mut commands = from_json(&json.to_string()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!(commands.len(), 1);
    commands.remove(0)
}

fn refused(json: &Value) -> String {
    from_json(&json.to_string()).expect_err("it is wrong")[0].to_string()
}

#[test]
fn a_recorded_machine_is_imported_whole() {
    let commands = from_json(&recorded()).unwrap();
    assert_eq!(commands.len(), 48);
    assert!(commands.iter().all(|(editions, info)| *editions == [Edition::Core7] && info.kind == CommandKind::Cmdlet));
    let of = |name: &str| commands.iter().map(|(_, info)| info).find(|info| info.name == name).unwrap();
    let info = of("Where-Object");
    assert!(info.common && !info.should_process);
    assert_eq!(info.sets[info.default_set.unwrap()], "EqualSet");
    assert_eq!(positional(info, Some("EqualSet")), ["Property", "Value"]);
    assert_eq!(positional(info, Some("ScriptBlockSet")), ["FilterScript"]);
    assert_eq!(parameter(info, "EQ").kind, ParameterKind::Switch(Uncertainty::Sure));
    assert!(of("Stop-Job").should_process);
    assert!(parameter(of("ForEach-Object"), "ArgumentList").remaining);
    // Not one parameter that PowerShell adds is taken for the command's own.
    for (_, info) in &commands {
        assert!(
            info.parameters.iter().all(|p| p.name != "Verbose" && p.name != "ProgressAction" && p.name != "WhatIf")
        );
    }
}

#[test]
fn the_edition_is_the_machine_s() {
    let with = |version: &str| {
        let mut json = command(&[]);
        json["PowerShell"] = json!(version);
        json
    };
    assert_eq!(import(&with("5.1.20348.2227")).0, [Edition::Windows51]);
    assert_eq!(import(&with("7.4.1")).0, [Edition::Core7]);
    for version in ["4.0", "6.2", "", "seven"] {
        assert!(refused(&with(version)).contains("comes from PowerShell"), "{version}");
    }
}

#[test]
fn common_parameters_are_told_from_parameters_that_are_called_the_same() {
    let (_, info) = import(&command(&[switch("Debug", &[]), switch("Confirm", &[])]));
    assert!(!info.common && !info.should_process);
    assert_eq!(info.parameters.len(), 2);

    let mut all = common();
    all.extend([switch("WhatIf", &["wi"]), switch("Confirm", &["cf"]), switch("UseTransaction", &["usetx"])]);
    let (_, info) = import(&command(&all));
    assert!(info.common && info.should_process && info.transactions && info.parameters.is_empty());

    // Without the alias that PowerShell gives it, -Confirm is the command's own.
    let mut own = common();
    own.push(switch("Confirm", &[]));
    let (_, info) = import(&command(&own));
    assert!(!info.should_process);
    assert_eq!(info.parameters[0].name, "Confirm");

    let mut workflow = command(&common());
    workflow["Kind"] = json!("Workflow");
    workflow["Parameters"].as_array_mut().unwrap().push(switch("AsJob", &[]));
    let (_, info) = import(&workflow);
    assert_eq!((info.workflow, info.parameters.len()), (WorkflowParameters::Taken, 0));
}

#[test]
fn a_set_s_own_place_comes_before_the_place_in_all() {
    let mut json = command(&[
        value("Name", &[place("X", 0, true)]),
        value("Id", &[place("Y", 3, true), place("__AllParameterSets", i64::from(i32::MIN), false)]),
    ]);
    json["Sets"] = json!(["D", "X", "Y"]);
    json["DefaultSet"] = json!("D");
    let (_, info) = import(&json);
    assert_eq!((info.sets.as_slice(), info.default_set), (["D", "X", "Y"].map(str::to_owned).as_slice(), Some(0)));
    assert_eq!(parameter(&info, "Name").membership, [Membership { set: Some(1), position: Some(0), mandatory: true }]);
    let places: Vec<_> = parameter(&info, "Id").membership.iter().map(|p| (p.set, p.position, p.mandatory)).collect();
    assert_eq!(places, [(Some(0), None, false), (Some(1), None, false), (Some(2), Some(3), true)]);
}

#[test]
fn several_sets_without_a_default_leave_it_unknown() {
    for default in ["", "__AllParameterSets"] {
        let mut json = command(&[value("A", &[place("X", 0, false)]), value("B", &[place("Y", 0, false)])]);
        json["Sets"] = json!(["X", "Y"]);
        json["DefaultSet"] = json!(default);
        let (_, info) = import(&json);
        assert_eq!((info.sets.len(), info.default_set), (2, None));
    }
}

#[test]
fn more_sets_than_a_command_can_have_are_refused_before_they_cost_time() {
    let many: Vec<Value> = (0..20_000).map(|number| place(&format!("S{number}"), 0, false)).collect();
    let mut places = many.clone();
    places.push(place("__AllParameterSets", 0, false));
    assert!(refused(&command(&[value("A", &places), value("B", &many)])).contains("`sets` has 20000 entries"));
}

#[test]
fn positions_that_collide_are_not_bound() {
    let all = |position| [place("__AllParameterSets", position, false)];
    let (_, info) = import(&command(&[value("A", &all(0)), value("B", &all(0))]));
    assert_eq!(info.unnamed, Unnamed::Refuse);
    let (_, info) = import(&command(&[value("A", &all(0)), value("B", &all(1))]));
    assert_eq!((info.unnamed, positional(&info, None)), (Unnamed::Bind, vec!["A", "B"]));
}

#[test]
fn a_parameter_of_a_provider_is_marked_with_it() {
    let mut json = value("File", &[place("__AllParameterSets", 0, false)]);
    json["Dynamic"] = json!(true);
    assert_eq!(import(&command(&[json])).1.parameters[0].dynamic, ["FileSystem"]);
}

#[test]
fn lists_are_read_in_all_ways_in_which_powershell_writes_them() {
    let list = |list: Value| {
        let mut parameter = value("Name", &[]);
        parameter["Aliases"] = list;
        parameter["Sets"] = json!({ "value": [place("__AllParameterSets", 0, false)], "Count": 1 });
        import(&command(&[parameter])).1.parameters[0].aliases.clone()
    };
    assert_eq!(list(json!(["A", "B"])), ["A", "B"]);
    assert_eq!(list(json!("A")), ["A"]);
    assert_eq!(list(json!({ "value": ["A", "B"], "Count": 2 })), ["A", "B"]);
    assert!(list(Value::Null).is_empty());
    // A list of one command is that command, and a file of Windows PowerShell begins with a byte order mark.
    let one = from_json(&format!("\u{FEFF}{}", command(&[]))).unwrap();
    let many = from_json(&json!([command(&[])]).to_string()).unwrap();
    assert_eq!(one, many);
}

#[test]
fn what_is_no_import_is_refused_with_the_command_and_a_way_out() {
    assert!(from_json("").unwrap_err()[0].to_string().contains("not readable as JSON"));
    assert!(from_json("[1]").unwrap_err()[0].to_string().starts_with("command 1: is no JSON object"));
    let deep = "[".repeat(100_000);
    assert!(from_json(&deep).is_err());
    let changed = |key: &str, value: Value| {
        let mut json = command(&[]);
        json[key] = value;
        json
    };
    for (json, message) in [
        (changed("Extra", json!(1)), "Get-Thing: has a key that is none of the one-liner's"),
        (changed("Module", json!(1)), "Get-Thing: has no text as `Module`"),
        (changed("Name", json!("Get *")), "Get *: `Get *` is no name for a command"),
        (changed("Kind", json!("Alias")), "Get-Thing: is neither a cmdlet nor a function"),
        (changed("Parameters", json!([{ "Name": "A" }])), "Get-Thing: has something else than texts"),
        (json!([command(&[]), command(&[])]), "Get-Thing: stands there twice"),
    ] {
        let found = refused(&json);
        assert!(found.starts_with(message) || message.contains("something else"), "{found}");
        assert!(found.ends_with(')'), "{found}");
    }
    let twice = json!([command(&[]), changed("PowerShell", json!("7.4.0"))]);
    assert_eq!(from_json(&twice.to_string()).unwrap().len(), 2, "once for each edition");
    let all = json!([changed("Kind", json!("Alias")), changed("Module", json!(1)), command(&[])]);
    assert_eq!(from_json(&all.to_string()).unwrap_err().len(), 2, "all mistakes at once");
}

#[test]
fn what_is_imported_is_a_document_of_a_policy() {
    let catalogue = to_toml(&from_json(&recorded()).unwrap());
    let rule = "[roles.jobs]\ncmdlets = [{ name = \"Start-Job\", parameters = [\"ConnectingTimeout\"] }]\n\
                [[assignments]]\nprincipals = ['DEMO\\Ops']\ntargets = ['*.demo.example']\nroles = ['jobs']\n";
    let warned = |sources: &[Source<'_>]| match Policy::compile(sources) {
        Ok(compiled) => compiled.warnings.iter().any(|warning| warning.message.contains("ConnectingTimeout")),
        Err(mistakes) => panic!("{}", mistakes[0]),
    };
    let rule = || Source { name: "rule.toml", text: rule };
    assert!(warned(&[rule()]), "no page has this parameter");
    assert!(!warned(&[Source { name: "catalog.toml", text: &catalogue }, rule()]), "the machine has it");
}
