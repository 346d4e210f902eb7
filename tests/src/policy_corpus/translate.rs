//! Neutral policies and catalogues as documents of ours. Nothing in here knows any policy or case.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::page::{Page, Part, inline, list, quoted, texts};

/// Keys of a command that the documents have under the same name.
const COMMAND_KEYS: [&str; 11] = [
    "module",
    "editions",
    "kind",
    "common",
    "workflow_common",
    "should_process",
    "transactions",
    "command_aliases",
    "sets",
    "default_set",
    "unnamed",
];
/// Keys of a parameter, likewise.
const PARAMETER_KEYS: [&str; 12] = [
    "name",
    "aliases",
    "switch",
    "type",
    "position",
    "mandatory",
    "remaining",
    "values",
    "sets",
    "by_set",
    "wildcards",
    "dynamic",
];

/// A policy without those of its parts that are named.
pub(super) fn policy(policy: &Json, without: &BTreeSet<Part>) -> Page {
    let mut page = Page::default();
    if let Some(required) = policy.get("require_groups").filter(|required| !required.is_null()) {
        page.line(&format!("require_groups = {}", inline(required)));
    }
    if policy.get("defaults") == Some(&Json::Bool(true)) {
        page.line("defaults = true");
    }
    let none = Map::new();
    let roles = policy.get("roles").and_then(Json::as_object).unwrap_or(&none);
    let names = RoleNames::new(roles);
    for (index, (name, role)) in roles.iter().enumerate() {
        let part = format!("role {index}");
        if !without.contains(&part) {
            write_role(&mut page, &names.ours(name), role, (&part, without));
        }
    }
    for (index, assignment) in entries(policy, "assignments").iter().enumerate() {
        let part = format!("assignment {index}");
        if !without.contains(&part) {
            write_assignment(&mut page, assignment, &names, (&part, without));
        }
    }
    page
}

/// Names of roles that the product takes, each for one of the neutral policy's.
struct RoleNames(Vec<(String, String)>);

impl RoleNames {
    fn new(roles: &Map<String, Json>) -> Self {
        let mut taken = BTreeSet::new();
        let pairs = roles.keys().enumerate().map(|(index, name)| {
            let letter = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
            let fine = !name.trim().is_empty() && name.chars().all(letter) && name.chars().count() < 200;
            // Names differ by case there, and not here.
            let ours =
                if fine && taken.insert(name.to_lowercase()) { name.clone() } else { format!("role-{index} {index}") };
            (name.clone(), ours)
        });
        Self(pairs.collect())
    }

    fn ours(&self, name: &str) -> String {
        self.known(name).unwrap_or_default().to_owned()
    }

    fn known(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(theirs, _)| theirs == name).map(|(_, ours)| ours.as_str())
    }
}

fn entries<'a>(of: &'a Json, key: &str) -> &'a [Json] {
    of.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn write_role(page: &mut Page, name: &str, role: &Json, (part, without): (&str, &BTreeSet<Part>)) {
    let head = format!("roles.{}", quoted(name));
    page.part(&format!("[{head}]"), part);
    for key in ["cmdlets", "functions"] {
        let commands = entries(role, key);
        if commands.is_empty() {
            continue;
        }
        page.part(&format!("{key} = ["), part);
        for (index, command) in commands.iter().enumerate() {
            let own = format!("{part} {key} {index}");
            if !without.contains(&own) {
                write_command(page, command, (&own, without));
            }
        }
        page.part("]", part);
    }
    if let Some(aliases) = role.get("aliases").and_then(Json::as_object).filter(|aliases| !aliases.is_empty()) {
        page.part(&format!("[{head}.aliases]"), part);
        for (index, (alias, command)) in aliases.iter().enumerate() {
            let own = format!("{part} alias {index}");
            if !without.contains(&own) {
                page.part(&format!("{} = {}", quoted(alias), inline(command)), &own);
            }
        }
    }
    for (index, program) in entries(role, "external").iter().enumerate() {
        let own = format!("{part} program {index}");
        if !without.contains(&own) {
            write_program(page, (&head, index), program, (&own, without));
        }
    }
}

/// An entry of `cmdlets` or `functions`. An object without a list of parameters takes none.
fn write_command(page: &mut Page, command: &Json, (part, without): (&str, &BTreeSet<Part>)) {
    if !command.is_object() {
        page.part(&format!("  {},", inline(command)), part);
        return;
    }
    let name = command.get("name").map(inline).unwrap_or_default();
    page.part(&format!("  {{ name = {name}, parameters = ["), part);
    for (index, parameter) in entries(command, "parameters").iter().enumerate() {
        let own = format!("{part} parameter {index}");
        if without.contains(&own) {
            continue;
        }
        if let Some(written) = written_parameter(parameter) {
            page.part(&format!("    {written},"), &own);
        }
    }
    page.part("  ] },", part);
}

/// Nothing for a parameter that takes no value at all: leaving it out says the same.
fn written_parameter(parameter: &Json) -> Option<String> {
    if parameter.is_string() {
        return Some(inline(parameter));
    }
    let mut written = format!("{{ name = {}", parameter.get("name").map(inline)?);
    if let Some(set) = parameter.get("validate_set").filter(|set| !set.is_null()) {
        let values = texts(Some(set));
        if values.is_empty() {
            return None;
        }
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        written.push_str(&format!(", validate_set = [{}]", values.join(", ")));
    }
    if let Some(pattern) = parameter.get("validate_pattern").filter(|pattern| !pattern.is_null()) {
        written.push_str(&format!(", validate_pattern = {}", inline(pattern)));
    }
    written.push_str(" }");
    Some(written)
}

fn write_program(
    page: &mut Page,
    (head, index): (&str, usize),
    program: &Json,
    (part, without): (&str, &BTreeSet<Part>),
) {
    page.part(&format!("[[{head}.programs]]"), part);
    page.part(&format!("name = \"program {index}\""), part);
    page.part(&format!("path = {}", program.get("path").map(inline).unwrap_or_default()), part);
    let args = program.get("args").unwrap_or(&Json::Null);
    if args == "any" {
        page.part("arguments = { any = true }", part);
        return;
    }
    let (form, rest) = match (args.get("exact"), args.get("each")) {
        (Some(_), None) => ("exact", String::new()),
        (None, Some(_)) => ("each", format!(", max = {}", args.get("max").map(inline).unwrap_or_default())),
        // Whatever else it says is not known here, and allows no argument.
        (Some(_), Some(_)) | (None, None) => {
            page.part("arguments = \"none\"", part);
            return;
        }
    };
    page.part(&format!("arguments = {{ {form} = ["), part);
    for (index, entry) in entries(args, form).iter().enumerate() {
        let own = format!("{part} {form} {index}");
        if !without.contains(&own) {
            page.part(&format!("  {},", inline(entry)), &own);
        }
    }
    page.part(&format!("]{rest} }}"), part);
}

/// A role that the policy does not have gives nothing.
fn write_assignment(page: &mut Page, assignment: &Json, names: &RoleNames, (part, without): (&str, &BTreeSet<Part>)) {
    page.part("[[assignments]]", part);
    for key in ["principals", "targets", "roles"] {
        let values = texts(assignment.get(key)).into_iter().enumerate();
        let written = values.filter_map(|(index, value)| {
            let value = if key == "roles" { names.known(&value)?.to_owned() } else { value };
            Some((format!("{part} {key} {index}"), quoted(&value)))
        });
        list(page, key, part, &written.collect::<Vec<_>>(), without);
    }
}

/// The catalogue, which then stands instead of the shipped one. A command is left out as a whole, since what an
/// abbreviation means depends on all its parameters.
pub(super) fn catalogue(catalogue: &Json, without: &BTreeSet<Part>) -> Page {
    let mut page = Page::default();
    page.line("[catalog]");
    page.line("mode = \"replace\"");
    let none = Map::new();
    let commands = catalogue.get("commands").and_then(Json::as_object).unwrap_or(&none);
    for (index, (name, command)) in commands.iter().enumerate() {
        let part = format!("command {index}");
        if without.contains(&part) {
            continue;
        }
        page.part("[[catalog.commands]]", &part);
        page.part(&format!("name = {}", quoted(name)), &part);
        for key in COMMAND_KEYS {
            if let Some(value) = command.get(key).filter(|value| !value.is_null()) {
                page.part(&format!("{key} = {}", inline(value)), &part);
            }
        }
        page.part("parameters = [", &part);
        for parameter in entries(command, "parameters") {
            page.part(&format!("  {},", catalogue_parameter(parameter)), &part);
        }
        page.part("]", &part);
    }
    page
}

fn catalogue_parameter(parameter: &Json) -> String {
    let mut keys: Vec<String> = PARAMETER_KEYS
        .iter()
        .filter_map(|key| Some((key, parameter.get(*key)?)))
        .filter(|(key, value)| !value.is_null() && (**key != "switch" || **value == Json::Bool(true)))
        .map(|(key, value)| format!("{key} = {}", inline(value)))
        .collect();
    match parameter.get("pipeline") {
        Some(Json::Bool(true)) => keys.push("pipeline = [\"value\"]".to_owned()),
        Some(list @ Json::Array(_)) => keys.push(format!("pipeline = {}", inline(list))),
        Some(Json::Null | Json::Bool(false) | Json::Number(_) | Json::String(_) | Json::Object(_)) | None => {}
    }
    format!("{{ {} }}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(page: &Page) -> Json {
        let table: toml::Table = toml::from_str(page.text()).unwrap_or_else(|error| panic!("{error}\n{}", page.text()));
        serde_json::to_value(table).unwrap()
    }

    #[test]
    fn every_construct_has_its_place() {
        let neutral = json!({
            "require_groups": {"and": ["D\\a", {"or": ["D\\b", "D\\c"]}]}, "defaults": true,
            "roles": {
                "Ops": {
                    "cmdlets": ["Get-*", {"name": "Stop-X", "parameters": [{"name": "N", "validate_set": ["a", 5, true, null]},
                        {"name": "P", "validate_pattern": "\\d+"}, "Force", {"name": "Never", "validate_set": []}]}],
                    "functions": [{"name": "F"}], "aliases": {"a b": "Get-X"},
                    "external": [{"path": "C:\\x.exe", "args": "any"}, {"path": "C:\\y.exe", "args": {"exact": [["a", ""], []]}},
                        {"path": "C:\\z.exe", "args": {"each": ["a|b"], "max": 2}}, {"path": "C:\\v.exe"}]},
                "ops": {}, "a/b": {}},
            "assignments": [{"principals": ["D\\g"], "roles": ["Ops", "ops", "a/b", "gone"], "targets": ["*.x"]}]});
        let roles = json!({
            "Ops": {
                "cmdlets": ["Get-*", {"name": "Stop-X", "parameters": [{"name": "N", "validate_set": ["a", "5", "True"]},
                    {"name": "P", "validate_pattern": "\\d+"}, "Force"]}],
                "functions": [{"name": "F", "parameters": []}], "aliases": {"a b": "Get-X"},
                "programs": [{"name": "program 0", "path": "C:\\x.exe", "arguments": {"any": true}},
                    {"name": "program 1", "path": "C:\\y.exe", "arguments": {"exact": [["a", ""], []]}},
                    {"name": "program 2", "path": "C:\\z.exe", "arguments": {"each": ["a|b"], "max": 2}},
                    {"name": "program 3", "path": "C:\\v.exe", "arguments": "none"}]},
            "role-1 1": {}, "role-2 2": {}});
        let mut found = read(&policy(&neutral, &BTreeSet::new()));
        let given = found["assignments"][0]["roles"].as_array().unwrap().len();
        assert_eq!(given, 3, "{found}");
        // The neutral file's roles come in order of their names, whatever they are.
        let odd: Vec<String> =
            found["roles"].as_object().unwrap().keys().filter(|key| *key != "Ops").cloned().collect();
        assert_eq!(odd.len(), 2);
        assert_eq!(found["roles"]["Ops"], roles["Ops"]);
        assert_eq!(found["require_groups"], neutral["require_groups"]);
        assert_eq!(found["defaults"].take(), true);
    }

    #[test]
    fn a_part_is_left_out_alone() {
        let neutral = json!({"roles": {"r": {"cmdlets": ["A", {"name": "B", "parameters": [{"name": "x"}, {"name": "y"}]}]}},
            "assignments": [{"principals": ["D\\g", "bad"], "roles": ["r"], "targets": ["t"]}]});
        let without = ["role 0 cmdlets 0", "role 0 cmdlets 1 parameter 0", "assignment 0 principals 1"];
        let found = read(&policy(&neutral, &without.map(str::to_owned).into()));
        assert_eq!(found["roles"]["r"]["cmdlets"], json!([{"name": "B", "parameters": [{"name": "y"}]}]));
        assert_eq!(found["assignments"][0]["principals"], json!(["D\\g"]));
        let without = BTreeSet::from(["role 0".to_owned(), "assignment 0".to_owned()]);
        assert_eq!(policy(&neutral, &without).text(), "");
    }

    #[test]
    fn a_catalogue_stands_instead_of_the_shipped_one() {
        let neutral = json!({"commands": {"Get-X": {"module": "M", "should_process": true, "parameters": [
            {"name": "N", "position": 0, "pipeline": true, "type": "string[]", "aliases": ["A"]},
            {"name": "S", "switch": true, "pipeline": false}, {"name": "V", "switch": false, "type": "int"}]}}});
        let expected = json!({"catalog": {"mode": "replace", "commands": [{"name": "Get-X", "module": "M",
            "should_process": true, "parameters": [
                {"name": "N", "position": 0, "pipeline": ["value"], "type": "string[]", "aliases": ["A"]},
                {"name": "S", "switch": true}, {"name": "V", "type": "int"}]}]}});
        assert_eq!(read(&catalogue(&neutral, &BTreeSet::new())), expected);
    }
}
