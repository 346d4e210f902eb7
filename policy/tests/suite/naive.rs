//! A second evaluator, written from the rules of judgement alone, on the neutral JSON, with no regard to speed.
//!
//! It knows what the corpus's catalogue knows: no parameter sets, no doubts.
#![expect(clippy::wildcard_enum_match_arm, reason = "the kinds of JSON are a library's and are known")]

use regex::RegexBuilder;
use serde_json::{Value as Json, json};

use super::neutral::strings;

/// What a case comes to: the commands of each statement in canonical form, or nothing when it is denied.
pub(crate) fn judge(neutral: &Json, case: &Json) -> Option<Vec<Vec<Json>>> {
    let policy = &neutral["policies"][case["policy"].as_str().unwrap()];
    let groups = strings(&case["user"]["groups"]);
    let mut principals = groups.clone();
    principals.push(case["user"]["name"].as_str().unwrap().to_owned());
    let names = roles_of(policy, &principals, case["target"].as_str().unwrap());
    if names.is_empty() || !required(&policy["require_groups"], &groups) {
        return None;
    }
    let mut roles: Vec<Json> = names.iter().map(|name| policy["roles"][name].clone()).collect();
    let request = &case["request"];
    if case["kind"] == "winrs" {
        return winrs(&roles, request).map(|command| vec![vec![command]]);
    }
    if policy["defaults"] == true {
        roles.push(default_role(&neutral["catalog"]));
    }
    let statements: Vec<Json> = match request.get("extra_commands") {
        Some(extra) if extra[0] != request["commands"] => return None,
        Some(extra) => extra.as_array().unwrap().clone(),
        None => vec![request["commands"].clone()],
    };
    let fed = request.get("input").is_some();
    statements.iter().map(|pipeline| judge_pipeline(&neutral["catalog"], &roles, pipeline, fed)).collect()
}

/// R1.
fn roles_of(policy: &Json, principals: &[String], target: &str) -> Vec<String> {
    let mut roles = Vec::new();
    for assignment in policy["assignments"].as_array().unwrap() {
        let who = strings(&assignment["principals"]).iter().any(|p| principals.iter().any(|q| same(p, q)));
        let place = strings(&assignment["targets"]).iter().any(|pattern| {
            let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
            let expression = format!(r"\A{}\z", parts.join("[^.]*"));
            RegexBuilder::new(&expression).case_insensitive(true).build().unwrap().is_match(target)
        });
        if who && place {
            roles.extend(strings(&assignment["roles"]));
        }
    }
    roles.sort();
    roles.dedup();
    roles
}

fn required(required: &Json, groups: &[String]) -> bool {
    match required {
        Json::Null => true,
        Json::String(group) => groups.iter().any(|held| same(held, group)),
        nested if nested.get("and").is_some() => {
            nested["and"].as_array().unwrap().iter().all(|part| self::required(part, groups))
        }
        nested => nested["or"].as_array().unwrap().iter().any(|part| self::required(part, groups)),
    }
}

/// The default commands written as a role: their constraints, all their parameters, no bounds on pipelines.
fn default_role(catalog: &Json) -> Json {
    let defaults = &catalog["default_commands"];
    let entries = strings(&defaults["names"]).into_iter().map(|name| {
        let parameters = catalog["commands"][&name]["parameters"].as_array().unwrap().iter().map(|parameter| {
            let own = parameter["name"].as_str().unwrap();
            let mut rule = defaults["constraints"][&name][own].as_object().cloned().unwrap_or_default();
            rule.insert("name".to_owned(), json!(own));
            Json::Object(rule)
        });
        json!({"name": name, "parameters": parameters.collect::<Vec<_>>(), "default": true})
    });
    json!({"cmdlets": entries.collect::<Vec<_>>(), "aliases": defaults["aliases"]})
}

/// R9, R10.
fn judge_pipeline(catalog: &Json, roles: &[Json], pipeline: &Json, fed: bool) -> Option<Vec<Json>> {
    let commands = pipeline.as_array().unwrap();
    if commands.is_empty() {
        return None;
    }
    let judged = commands.iter().enumerate().map(|(at, command)| {
        if command["is_script"] == true || command.get("use_local_scope") == Some(&json!(false)) {
            return None;
        }
        roles.iter().find_map(|role| judge_in_role(catalog, role, command, fed || at > 0))
    });
    judged.collect()
}

fn judge_in_role(catalog: &Json, role: &Json, command: &Json, fed: bool) -> Option<Json> {
    let mut typed = command["cmd"].as_str().unwrap().to_owned();
    let mut aliases = role.get("aliases").and_then(Json::as_object).into_iter().flatten();
    // A command's name means that command always, whatever a role calls it.
    let is_command = catalog["commands"].as_object().unwrap().keys().any(|name| same(name, &typed));
    if let Some((_, name)) = aliases.find(|(alias, _)| same(alias, &typed)).filter(|_| !is_command) {
        typed = name.as_str().unwrap().to_owned();
    }
    let entries =
        ["cmdlets", "functions"].iter().filter_map(|list| role.get(*list)).flat_map(|list| list.as_array().unwrap());
    for entry in entries {
        for (name, info) in catalog["commands"].as_object().unwrap() {
            if !covers(entry, name, info) || !names(entry, &typed, name, info) {
                continue;
            }
            let restricted = entry.is_object() && entry["default"] != true;
            if restricted && fed {
                continue;
            }
            if let Some(arguments) = bind(catalog, info, entry, command["args"].as_array().unwrap()) {
                return Some(json!({"cmd": name, "is_script": false, "args": arguments}));
            }
        }
    }
    if fed { None } else { judge_program(role, command) }
}

/// R3: what an entry of a policy covers.
fn covers(entry: &Json, name: &str, info: &Json) -> bool {
    match entry {
        Json::String(written) => match written.split_once('\\') {
            Some((module, bare)) => same(module, info["module"].as_str().unwrap()) && wild(bare, name),
            None => wild(written, name),
        },
        object => same(object["name"].as_str().unwrap(), name),
    }
}

fn wild(pattern: &str, name: &str) -> bool {
    let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
    let expression = format!(r"\A{}\z", parts.join("[-A-Za-z0-9_]*"));
    RegexBuilder::new(&expression).case_insensitive(true).build().unwrap().is_match(name)
}

/// R3: how a command may be called.
fn names(entry: &Json, typed: &str, name: &str, info: &Json) -> bool {
    let module = info["module"].as_str().unwrap();
    same(typed, name) || entry.is_string() && !module.is_empty() && same(typed, &format!("{module}\\{name}"))
}

/// R4 to R8: the arguments in canonical form.
fn bind(catalog: &Json, info: &Json, entry: &Json, arguments: &[Json]) -> Option<Vec<Json>> {
    let mut bound: Vec<(usize, String, Json)> = Vec::new();
    let mut unnamed: Vec<(usize, Json)> = Vec::new();
    let mut at = 0;
    while at < arguments.len() {
        let (start, argument) = (at, &arguments[at]);
        at += 1;
        let Some(typed) = argument["name"].as_str() else {
            unnamed.push((start, argument["value"].clone()));
            continue;
        };
        let (name, dash, colon) = bare(typed)?;
        let (full, switch) = parameter(catalog, info, &name)?;
        let next = arguments.get(at).filter(|next| next["name"].is_null());
        let value = match &argument["value"] {
            Json::Null if switch => json!(true),
            Json::Bool(value) if switch => json!(value),
            _ if switch => return None,
            Json::Null if colon => Json::Null,
            Json::Null if dash => {
                at += 1;
                next?["value"].clone()
            }
            Json::Null => return None,
            value => value.clone(),
        };
        bound.push((start, full, value));
    }
    let mut positional: Vec<(i64, &Json)> =
        list(info).iter().filter_map(|one| Some((one["position"].as_i64()?, one))).collect();
    positional.sort_by_key(|(position, _)| *position);
    let mut free = positional.into_iter().map(|(_, one)| one).filter(|one| {
        let name = one["name"].as_str().unwrap();
        bound.iter().all(|(_, taken, _)| taken != name)
    });
    let mut placed = Vec::new();
    for (start, value) in unnamed {
        let one = free.next()?;
        if one["switch"] == true {
            return None;
        }
        placed.push((start, one["name"].as_str().unwrap().to_owned(), value));
    }
    bound.extend(placed);
    bound.sort_by_key(|(start, _, _)| *start);
    let mut seen: Vec<&str> = Vec::new();
    for (_, name, value) in &bound {
        if seen.contains(&name.as_str()) || !value_fits(catalog, entry, name, value) {
            return None;
        }
        seen.push(name);
    }
    Some(bound.into_iter().map(|(_, name, value)| json!({"name": name, "value": value})).collect())
}

fn list(info: &Json) -> &[Json] {
    info["parameters"].as_array().unwrap()
}

/// The name itself, whether a dash stands before it and a colon after it.
fn bare(typed: &str) -> Option<(String, bool, bool)> {
    let expression = regex::Regex::new(r"\A(--?)?([\p{L}\p{N}_]+)(:?)( ?)\z").unwrap();
    let found = expression.captures(typed)?;
    let (dash, colon, blank) = (found.get(1).is_some(), !found[3].is_empty(), !found[4].is_empty());
    if !dash && (colon || blank) { None } else { Some((found[2].to_owned(), dash, colon)) }
}

/// R4 and R8: the full name, and whether it is a switch.
fn parameter(catalog: &Json, info: &Json, typed: &str) -> Option<(String, bool)> {
    let common = &catalog["common_parameters"];
    let switches = strings(&common["switches"]);
    let mut known: Vec<(String, Vec<String>, bool, &str)> = Vec::new();
    for one in list(info) {
        let aliases = one.get("aliases").map(strings).unwrap_or_default();
        known.push((one["name"].as_str().unwrap().to_owned(), aliases, one["switch"] == true, "own"));
    }
    for (table, kind) in [("allowed", "common"), ("allowed_if_should_process", "common"), ("denied", "denied")] {
        if table == "allowed_if_should_process" && info["should_process"] != true {
            continue;
        }
        for (name, aliases) in common[table].as_object().unwrap() {
            known.push((name.clone(), strings(aliases), switches.contains(name), kind));
        }
    }
    let all = |one: &(String, Vec<String>, bool, &str)| -> Vec<String> {
        std::iter::once(&one.0).chain(&one.1).cloned().collect()
    };
    let exact: Vec<_> = known.iter().filter(|one| all(one).iter().any(|name| same(name, typed))).collect();
    let begun: Vec<_> = known.iter().filter(|one| all(one).iter().any(|name| begins(name, typed))).collect();
    let own: Vec<_> = begun.iter().copied().filter(|one| one.3 == "own").collect();
    let one = match (exact.as_slice(), begun.as_slice(), own.as_slice()) {
        ([one], _, _) | ([], [one], _) | ([], _, [one]) => *one,
        _ => return None,
    };
    if one.3 == "denied" { None } else { Some((one.0.clone(), one.2)) }
}

/// R4 (visible), R6 and R7.
fn value_fits(catalog: &Json, entry: &Json, name: &str, value: &Json) -> bool {
    let plain = |value: &Json| !value.is_object() && !value.is_array();
    let kind = match value {
        Json::Array(items) => items.iter().all(plain),
        one => plain(one),
    };
    let common = &catalog["common_parameters"];
    let is_common = ["allowed", "allowed_if_should_process"].iter().any(|table| common[*table].get(name).is_some());
    if !kind || entry.is_string() || is_common {
        return kind;
    }
    let Some(rule) = list(entry).iter().find(|rule| same(rule["name"].as_str().unwrap(), name)) else {
        return false;
    };
    if rule.get("validate_set").is_none() && rule.get("validate_pattern").is_none() {
        return true;
    }
    match value {
        Json::Array(items) => !items.is_empty() && items.iter().all(|item| accepted(rule, item)),
        one => accepted(rule, one),
    }
}

fn accepted(rule: &Json, value: &Json) -> bool {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        _ => return false,
    };
    let in_set = rule.get("validate_set").is_none_or(|set| strings(set).iter().any(|known| same(known, &text)));
    let in_pattern = rule.get("validate_pattern").is_none_or(|pattern| matches(pattern.as_str().unwrap(), &text));
    in_set && in_pattern
}

fn matches(pattern: &str, text: &str) -> bool {
    let whole = format!(r"\A(?:{pattern})\z");
    let engine = RegexBuilder::new(&whole).case_insensitive(true).build().unwrap();
    // The two are letters of their own, and what takes any character takes them too.
    let opaque = text.replace(['\u{17F}', '\u{212A}'], "\u{FFFE}");
    engine.is_match(text) && engine.is_match(&opaque)
}

/// R13.
fn judge_program(role: &Json, command: &Json) -> Option<Json> {
    let texts = command["args"].as_array().unwrap().iter().map(|argument| {
        let text = match (argument["name"].as_str(), &argument["value"]) {
            (None, Json::String(text)) => text.clone(),
            (None, Json::Number(number)) => number.to_string(),
            (Some(name), Json::Null) if name.starts_with('-') && !name.ends_with([':', ' ']) => name.to_owned(),
            _ => return None,
        };
        let odd = text.is_empty() || text == "--%" || text.contains(['"', '\u{201C}', '\u{201D}', '\u{201E}']);
        let cut = text.contains(char::is_whitespace) && text.ends_with('\\');
        (!odd && !cut && !text.contains(char::is_control)).then_some(text)
    });
    program(role, command["cmd"].as_str().unwrap(), &texts.collect::<Option<Vec<_>>>()?)
}

fn program(role: &Json, typed: &str, texts: &[String]) -> Option<Json> {
    let external = role.get("external")?.as_array().unwrap().iter().find(|external| {
        let path = external["path"].as_str().unwrap();
        let base = path.rsplit('\\').next().unwrap();
        let stem = base.strip_suffix(".exe").unwrap_or(base);
        [path, base, stem].iter().any(|name| same(name, typed)) && arguments_fit(&external["args"], texts)
    })?;
    let values: Vec<Json> = texts.iter().map(|text| json!({"name": null, "value": text})).collect();
    Some(json!({"cmd": external["path"], "is_script": false, "args": values}))
}

fn arguments_fit(rule: &Json, texts: &[String]) -> bool {
    if rule == "any" {
        return true;
    }
    if let Some(exact) = rule.get("exact") {
        return exact.as_array().unwrap().iter().any(|list| strings(list) == texts);
    }
    let fits = |text: &String| strings(&rule["each"]).iter().any(|pattern| matches(pattern, text));
    texts.len() <= usize::try_from(rule["max"].as_u64().unwrap()).unwrap() && texts.iter().all(fits)
}

/// R12, for lines without quotes.
fn winrs(roles: &[Json], request: &Json) -> Option<Json> {
    let beside = ["environment", "working_directory", "stdin", "resource_uri"];
    let mut line = vec![request["command"].as_str().unwrap().to_owned()];
    line.extend(strings(&request["args"]));
    let line = line.join(" ");
    if beside.iter().any(|key| request.get(*key).is_some()) || line.contains(|c| "&|<>^%!();@`\"".contains(c)) {
        return None;
    }
    let mut pieces = line.split([' ', '\t']).filter(|piece| !piece.is_empty()).map(str::to_owned);
    let typed = pieces.next()?;
    let texts: Vec<String> = pieces.collect();
    roles.iter().find_map(|role| program(role, &typed, &texts))
}

/// Equal ordinal ignoring case, ASCII apart from the rest.
fn same(one: &str, other: &str) -> bool {
    one.chars().count() == other.chars().count() && begins(one, other)
}

fn begins(whole: &str, start: &str) -> bool {
    let mut rest = whole.chars();
    start
        .chars()
        .all(|c| rest.next().is_some_and(|d| c.is_ascii() == d.is_ascii() && c.to_uppercase().eq(d.to_uppercase())))
}
