//! Random policies and requests in the neutral JSON, dense in what the rules of judgement are about.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::neutral::strings;

/// The public catalogue with two commands more: abbreviations that are ambiguous, a declared parameter that
/// begins like a common one, `ShouldProcess`, a switch with a position before it.
pub(crate) fn catalog(public: &Json) -> Json {
    let mut catalog = public.clone();
    catalog["commands"]["Restart-Service"] = json!({"module": "M.Services", "should_process": true, "parameters": [
        {"name": "Name", "aliases": ["ServiceName", "SN"], "position": 0, "type": "string[]"},
        {"name": "Namespace", "type": "string"},
        {"name": "Force", "switch": true},
        {"name": "Format", "position": 1, "type": "string"},
        {"name": "Confirmation", "type": "int"}
    ]});
    catalog["commands"]["Get-Thing"] = json!({"module": "", "should_process": false, "parameters": [
        {"name": "Error", "position": 3, "type": "string"},
        {"name": "Key", "position": 1, "type": "string", "aliases": ["K"]},
        {"name": "Quiet", "switch": true}
    ]});
    catalog
}

const COMMANDS: [&str; 6] =
    ["Restart-Service", "Get-Thing", "Get-EventLog", "Restart-WebAppPool", "Get-WebAppPoolState", "Select-Object"];
const TEXTS: [&str; 14] =
    ["Portal", "System", "a", "A", "ab", "", "Name", "50", "True", "受注", "a\n", "-Name", "\u{17F}ystem", "x y"];
const PATTERNS: [&str; 6] = [r"\d{1,3}", "a|ab", ".*", "[a-z]+", "(Portal|System)", "受注?"];
const GROUPS: [&str; 4] = ["D\\g0", "D\\g1", "D\\g2", "D\\g3"];

fn parameters_of(catalog: &Json, command: &str) -> Vec<Json> {
    catalog["commands"][command]["parameters"].as_array().cloned().unwrap_or_default()
}

fn names_of(catalog: &Json, command: &str) -> Vec<String> {
    parameters_of(catalog, command).iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

fn rule(name: String) -> impl Strategy<Value = Json> {
    let set = prop::option::weighted(0.4, prop::collection::vec(select(TEXTS.to_vec()), 2..12));
    let pattern = prop::option::weighted(0.3, select(PATTERNS.to_vec()));
    (set, pattern).prop_map(move |(set, pattern)| {
        let mut rule = json!({"name": name});
        if let Some(set) = set {
            rule["validate_set"] = json!(set);
        }
        if let Some(pattern) = pattern {
            rule["validate_pattern"] = json!(pattern);
        }
        rule
    })
}

fn entry(catalog: &Json) -> impl Strategy<Value = Json> + use<> {
    let catalog = catalog.clone();
    let plain = prop_oneof![
        4 => select(COMMANDS.to_vec()).prop_map(|name| json!(name)),
        1 => select(vec!["Get-*", "*-Service", "*WebAppPool*", "*", "M.Services\\Restart-Service", "M.Services\\*",
            "webadministration\\Get-WebAppPoolState"]).prop_map(|name| json!(name)),
    ];
    let restricted = select(COMMANDS.to_vec()).prop_flat_map(move |command| {
        let names = names_of(&catalog, command);
        let most = names.len();
        prop::sample::subsequence(names, most / 2..=most)
            .prop_flat_map(|names| names.into_iter().map(rule).collect::<Vec<_>>())
            .prop_map(move |parameters| json!({"name": command, "parameters": parameters}))
    });
    prop_oneof![2 => plain.boxed(), 3 => restricted.boxed()]
}

fn external() -> impl Strategy<Value = Json> {
    let args = prop_oneof![
        Just(json!("any")),
        Just(json!({"exact": [[], ["a"], ["/x", "a"]]})),
        Just(json!({"each": ["/x|-x", r"[a-z]+|\d"], "max": 2})),
    ];
    (select(vec!["C:\\T\\tool.exe", "C:\\T\\other.com"]), args)
        .prop_map(|(path, args)| json!({"path": path, "args": args}))
}

fn role(catalog: &Json) -> impl Strategy<Value = Json> + use<> {
    let aliases =
        prop::collection::btree_map(select(vec!["rs", "gt", "gwap", "Get-Thing"]), select(COMMANDS.to_vec()), 0..3);
    let entries = prop::collection::vec(entry(catalog), 1..7);
    (entries, aliases, prop::collection::vec(external(), 0..2)).prop_map(|(entries, aliases, external)| {
        // An alias stands for something that the role allows.
        json!({"cmdlets": entries, "aliases": aliases, "external": external})
    })
}

fn requirement() -> impl Strategy<Value = Json> {
    prop_oneof![
        20 => Just(Json::Null),
        1 => Just(json!(GROUPS[0])),
        1 => Just(json!({"and": [GROUPS[0], {"or": [GROUPS[1], GROUPS[2]]}]})),
        1 => Just(json!({"or": [GROUPS[3], GROUPS[0]]})),
    ]
}

/// Policies and catalogue, with one policy named `p`. Role `rN` is held by group `gN`.
pub(crate) fn neutral(catalog: Json) -> impl Strategy<Value = Json> {
    let roles = prop::collection::vec(role(&catalog), 1..4);
    (roles, any::<bool>(), requirement()).prop_map(move |(roles, defaults, requirement)| {
        let mut policy = json!({"require_groups": requirement, "defaults": defaults, "roles": {}, "assignments": []});
        for (index, role) in roles.into_iter().enumerate() {
            let name = format!("r{index}");
            policy["roles"][&name] = role;
            let assignment = json!({"principals": [GROUPS[index]], "roles": [name], "targets": ["web*.demo.example"]});
            policy["assignments"].as_array_mut().unwrap().push(assignment);
        }
        json!({"policies": {"p": policy}, "catalog": catalog})
    })
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        8 => select(TEXTS.to_vec()).prop_map(|text| json!(text)),
        2 => select(vec![0, 5, 50, 1000]).prop_map(|number| json!(number)),
        1 => Just(json!(3.5)),
        1 => any::<bool>().prop_map(|value| json!(value)),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![
        8 => scalar().boxed(),
        2 => prop::collection::vec(scalar(), 0..3).prop_map(|items| json!(items)).boxed(),
        1 => Just(Json::Null).boxed(),
        1 => select(vec![json!([["a"]]), json!({"$clixml": "ScriptBlock"}), json!([{"$clixml": "Obj"}]), json!([null])])
            .boxed(),
    ]
}

/// Some case for every letter.
fn recased(text: String) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::bool::weighted(0.3), text.chars().count()).prop_map(move |flips| {
        let flip = |(c, flip): (char, bool)| match flip {
            true if c.is_ascii_lowercase() => c.to_ascii_uppercase(),
            true => c.to_ascii_lowercase(),
            false => c,
        };
        text.chars().zip(flips).map(flip).collect()
    })
}

/// A parameter's name: whole, an alias, an abbreviation, a common one, or wrong, in one of the forms of the wire.
fn parameter_name(catalog: &Json, command: &str) -> impl Strategy<Value = String> + use<> {
    let mut known: Vec<String> = Vec::new();
    for one in parameters_of(catalog, command) {
        known.push(one["name"].as_str().unwrap().to_owned());
        known.extend(one.get("aliases").map(strings).unwrap_or_default());
    }
    let common = ["ErrorAction", "ea", "Verbose", "WhatIf", "OutVariable", "pv", "Confirm"].map(str::to_owned);
    let known = if known.is_empty() { vec!["Name".to_owned()] } else { known };
    let name = prop_oneof![20 => select(known), 4 => select(common.to_vec()), 1 => Just("Na\u{ad}me".to_owned())];
    let cut = prop_oneof![4 => Just(100_usize), 1 => 1..6_usize];
    let name = (name, cut).prop_flat_map(|(name, cut)| recased(name.chars().take(cut).collect()));
    let good = select(vec!["{}", "-{}", "-{}", "--{}", "-{}:", "-{}: ", "-{} "]);
    let form = prop_oneof![9 => good, 1 => select(vec!["{}:", "- {}", "\u{2013}{}"])];
    (name, form).prop_map(|(name, form)| form.replace("{}", &name))
}

fn argument(catalog: &Json, command: &str) -> impl Strategy<Value = Json> + use<> {
    let named = (parameter_name(catalog, command), prop_oneof![2 => value().boxed(), 2 => Just(Json::Null).boxed()]);
    prop_oneof![
        3 => named.prop_map(|(name, value)| json!({"name": name, "value": value})).boxed(),
        2 => value().prop_map(|value| json!({"name": null, "value": value})).boxed(),
    ]
}

fn command_name(catalog: &Json, command: &'static str) -> impl Strategy<Value = String> + use<> {
    let module = catalog["commands"][command]["module"].as_str().unwrap().to_owned();
    let odd = vec![
        format!("{module}\\{command}"),
        format!("M\\{command}"),
        command.replace('-', "\u{2013}"),
        command.split('-').next_back().unwrap().to_owned(),
        format!("{command} "),
        format!("{command}.exe"),
        "rs".to_owned(),
        "gwap".to_owned(),
        "select".to_owned(),
    ];
    let name = prop_oneof![4 => Just(command.to_owned()), 1 => select(odd)];
    name.prop_flat_map(recased)
}

fn command(catalog: &Json) -> impl Strategy<Value = Json> + use<> {
    let catalog = catalog.clone();
    let cmdlet = select(COMMANDS.to_vec()).prop_flat_map(move |command| {
        (command_name(&catalog, command), prop::collection::vec(argument(&catalog, command), 0..3))
    });
    let text = select(vec!["/x", "-x", "a", "b c", "", "--%", "q\"", "5"]);
    let native = (
        select(vec!["tool", "TOOL.exe", "c:\\t\\tool.exe", "C:\\x\\tool.exe", "other.com", "other"]),
        prop::collection::vec(text.prop_map(|text| json!({"name": null, "value": text})), 0..3),
    );
    let named = prop_oneof![
        6 => cmdlet.boxed(),
        1 => native.prop_map(|(name, arguments)| (name.to_owned(), arguments)).boxed(),
    ];
    let odd = prop_oneof![60 => Just(json!({})), 1 => Just(json!({"is_script": true})), 1 => Just(json!({"use_local_scope": false}))];
    (named, odd).prop_map(|((name, arguments), odd)| {
        let mut command = json!({"cmd": name, "is_script": false, "args": arguments});
        for (key, value) in odd.as_object().unwrap() {
            command[key] = value.clone();
        }
        command
    })
}

/// A request of commands by somebody who is in some of the groups.
pub(crate) fn case(catalog: &Json) -> impl Strategy<Value = Json> + use<> {
    let pipeline = || prop_oneof![5 => prop::collection::vec(command(catalog), 1..2), 1 => prop::collection::vec(command(catalog), 0..3)];
    let extra = prop_oneof![
        20 => Just(None).boxed(),
        1 => prop::collection::vec(pipeline(), 0..2).prop_map(Some).boxed(),
    ];
    let groups = prop_oneof![
        3 => Just(GROUPS.to_vec()).boxed(),
        1 => prop::sample::subsequence(GROUPS.to_vec(), 0..=4).boxed(),
    ];
    let input = prop::bool::weighted(0.05);
    let target = prop_oneof![30 => Just("WEB01.demo.example"), 1 => Just("web.x.demo.example")];
    (pipeline(), extra, groups, input, target, any::<bool>()).prop_map(
        |(commands, extra, groups, input, target, same)| {
            let mut request = json!({"commands": commands});
            if let Some(mut extra) = extra {
                if same || extra.is_empty() {
                    extra.insert(0, commands);
                }
                request["extra_commands"] = json!(extra);
            }
            if input {
                request["input"] = json!(["x"]);
            }
            json!({"policy": "p", "user": {"name": "D\\u", "groups": groups}, "target": target, "kind": "psrp_command",
            "request": request})
        },
    )
}
