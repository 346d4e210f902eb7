use super::object::Objects;
use super::offered::Parameter;
use super::*;
use flate2::read::GzDecoder;
use sekisho_policy::{Circumstances, Edition, Policy, Principal, Source, TargetFacts};
use sekisho_protocol::clixml::{Content, Object, decode};
use std::io::Read as _;

const ENTER: &[u8] = include_bytes!("../../../../../tests/data/psrp/21-jea-enter.jsonl.gz");
const JEA: &[u8] = include_bytes!("../../../../../tests/data/psrp/20-jea.jsonl.gz");

const POLICY: &str = r"
defaults = true
[roles.web]
cmdlets = ['Get-Service', { name = 'Restart-Service', parameters = [{ name = 'Name', validate_set = ['Dns'] }, 'Force'] }]
aliases = { gsv = 'Get-Service' }
[[roles.web.programs]]
name = 'host'
path = 'C:\Windows\System32\hostname.exe'
[roles.more]
cmdlets = [{ name = 'Restart-Service', parameters = ['Name', 'PassThru'] }]
[[assignments]]
principals = ['D\u']
targets = ['web01']
roles = ['web', 'more']
";

fn offered_by(policy: &str) -> Vec<Offered> {
    let policy = Policy::compile(&[Source { name: "p.toml", text: policy }]).unwrap().policy;
    let principal = Principal { name: "D\\u".to_owned(), groups: vec![] };
    let (groups, tags) = (vec![], vec![]);
    let target = TargetFacts { name: "web01".to_owned(), groups, tags, edition: Edition::Core7 };
    offered(&policy.listing(&principal, &target, &Circumstances::default()), Edition::Core7)
}

fn all() -> Vec<Offered> {
    offered_by(POLICY)
}

fn query(names: &[&str], kinds: Option<i32>, then: Then) -> CommandQuery {
    CommandQuery { names: names.iter().map(|name| (*name).to_owned()).collect(), modules: vec![], kinds, then }
}

fn names(answers: &Answers) -> Vec<String> {
    let name = |value: &Value| {
        let object = value.as_object()?;
        let name = object.member("Name").or_else(|| object.adapted_member("Name"))?;
        if let Value::Text(name) = name { Some(name.clone()) } else { None }
    };
    answers.output.iter().filter_map(name).collect()
}

fn recorded(file: &[u8], kind: &str) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let bodies = lines.filter(|line| line["message"] == "PIPELINE_OUTPUT" && line["way"] == "server");
    let values = bodies.map(|line| decode(line["clixml"].as_str().unwrap().as_bytes()).unwrap());
    values.filter(|value| first_type(value).is_some_and(|first| first.contains(kind))).collect()
}

fn first_type(value: &Value) -> Option<String> {
    value.as_object()?.types.as_ref()?.first().cloned()
}

fn member_names(object: &Object) -> Vec<&str> {
    object.extended.iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn entries(value: &Value) -> Vec<(String, &Object)> {
    let Some(Content::Dictionary(entries)) = value.as_object().map(|object| &object.content) else { panic!() };
    let entry = |(key, value): &'_ (Value, Value)| -> Option<String> {
        let Value::Text(key) = key else { return None };
        value.as_object().map(|_| key.clone())
    };
    entries.iter().filter_map(|one| Some((entry(one)?, one.1.as_object()?))).collect()
}

#[test]
fn metadata_has_the_shape_that_a_real_endpoint_gives_it() {
    let real = recorded(ENTER, "Selected.");
    let ours = commands(&all(), &query(&["Out-Default", "Exit-PSSession"], Some(271), Then::Metadata)).output;
    assert_eq!((real.len(), ours.len()), (3, 3));
    assert_eq!(ours.first(), real.first(), "the count");
    for real in real.iter().skip(1) {
        let real = real.as_object().unwrap();
        let ours =
            ours.iter().filter_map(Value::as_object).find(|one| one.member("Name") == real.member("Name")).unwrap();
        assert_eq!(ours.types, real.types);
        assert_eq!(member_names(ours), member_names(real));
        assert_eq!(ours.member("CommandType"), real.member("CommandType"));
        let (theirs, ours) = (real.member("Parameters").unwrap(), ours.member("Parameters").unwrap());
        let theirs = entries(theirs);
        for (name, parameter) in entries(ours) {
            let (_, real) = theirs.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((&parameter.types, &parameter.shown), (&real.types, &real.shown));
            let members = |object: &Object| {
                let members = object.adapted.iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
                members.filter(|(name, _)| name != "Aliases").collect::<Vec<_>>()
            };
            if name != "InputObject" {
                assert_eq!(members(parameter), members(real), "{name}");
            }
            let aliases =
                |object: &Object| match &object.adapted_member("Aliases").unwrap().as_object().unwrap().content {
                    Content::List(_, items) => items.clone(),
                    Content::Nothing | Content::Value(_) | Content::Dictionary(_) => panic!("no list"),
                };
            assert_eq!(aliases(parameter), aliases(real), "{name}");
        }
    }
}

#[test]
fn commands_have_the_members_that_their_display_needs() {
    for real in recorded(JEA, "CmdletInfo").into_iter().chain(recorded(JEA, "FunctionInfo").into_iter().take(1)) {
        let real = real.as_object().unwrap();
        let name = real.shown.clone().unwrap();
        let answers = commands(&all(), &query(&[&name], None, Then::Nothing));
        let ours = answers.output.first().and_then(Value::as_object).unwrap();
        assert_eq!((&ours.types, &ours.shown), (&real.types, &real.shown));
        for (name, value) in ours.adapted.iter().flatten() {
            let theirs = real.adapted_member(name).unwrap_or_else(|| panic!("{name}"));
            if ["Name", "CommandType", "Visibility"].contains(&name.as_str()) {
                assert_eq!(value, theirs, "{name}");
            }
        }
    }
}

#[test]
fn exactly_what_is_allowed_is_offered() {
    let listed = commands(&all(), &query(&[], None, Then::Nothing));
    let defaults = ["Clear-Host", "Exit-PSSession", "Get-Command", "Get-FormatData", "Get-Help"];
    let rest = ["Get-Service", "Measure-Object", "Out-Default", "Restart-Service", "Select-Object"];
    assert_eq!(names(&listed), [defaults, rest].concat());
    let none = offered_by(&POLICY.replace("defaults = true", ""));
    let listed = commands(&none, &query(&[], None, Then::Nothing));
    let own = ["Exit-PSSession", "Get-Command", "Get-FormatData", "Get-Service", "Out-Default", "Restart-Service"];
    assert_eq!(names(&listed), own, "the gateway's own answers are always there");
}

#[test]
fn parameters_are_those_that_some_rule_allows_and_none_that_all_refuse() {
    let all = all();
    let find = |name: &str| all.iter().find(|one| one.name == name).unwrap();
    let own = |one: &Offered| -> Vec<String> {
        one.parameters.iter().filter(|one| !one.common).map(|one| one.name.clone()).collect()
    };
    let restart = find("Restart-Service");
    let mut parameters = own(restart);
    parameters.sort();
    assert_eq!(
        (parameters, &restart.kind),
        (["Force", "Name", "PassThru"].map(str::to_owned).to_vec(), &Kind::Function)
    );
    let name = restart.parameters.iter().find(|one| one.name == "Name").unwrap();
    assert_eq!((name.kind.as_str(), name.aliases.as_slice()), ("System.String[]", &["ServiceName".to_owned()][..]));
    assert_eq!(find("Get-Service").kind, Kind::Cmdlet);
    assert!(own(find("Get-Service")).contains(&"DisplayName".to_owned()));
    assert_eq!(own(find("Get-Command")), ["Name", "Module", "CommandType", "ListImported"]);
    let common =
        |one: &Offered, name: &str| one.parameters.iter().any(|one: &Parameter| one.common && one.name == name);
    assert!(common(restart, "ErrorAction") && common(restart, "WhatIf") && !common(find("Get-Service"), "WhatIf"));
    assert!(all.iter().all(|one| !common(one, "OutVariable")));
}

#[test]
fn questions_are_answered_by_name_kind_and_module() {
    let all = all();
    let found = |names_: &[&str], kinds| names(&commands(&all, &query(names_, kinds, Then::Nothing)));
    assert_eq!(found(&["*-service"], None), ["Get-Service", "Restart-Service"]);
    assert_eq!(found(&["*-service"], Some(8)), ["Get-Service"]);
    assert_eq!(found(&["*-service"], Some(2)), ["Restart-Service"]);
    assert_eq!(found(&["gsv"], None), ["gsv"]);
    assert_eq!(found(&["hostname"], None), ["hostname.exe"]);
    assert_eq!(found(&[], Some(32)), ["hostname.exe"]);
    assert_eq!(found(&[r"Microsoft.PowerShell.Management\Get-Service"], None), ["Get-Service"]);
    let of_module = CommandQuery { modules: vec!["*.Management".to_owned()], ..query(&[], None, Then::Nothing) };
    assert_eq!(names(&commands(&all, &of_module)), ["Get-Service", "Restart-Service"]);
    let alias = commands(&all, &query(&["gsv"], Some(271), Then::Metadata)).output;
    assert_eq!(alias[1].as_object().unwrap().member("ResolvedCommandName"), Some(&Value::text("Get-Service")));
}

#[test]
fn a_name_that_is_not_there_is_an_error_and_a_pattern_is_none() {
    let all = all();
    let answers = commands(&all, &query(&["Get-Service", "Stop-Computer", "Stop-*"], None, Then::Nothing));
    assert_eq!((answers.output.len(), answers.errors.len()), (1, 1));
    assert!(answers.errors[0].message.contains("'Stop-Computer'"));
    let metadata = commands(&all, &query(&["Stop-Computer"], Some(271), Then::Metadata));
    assert_eq!((metadata.output, metadata.errors.len()), (vec![object::count(0)], 0));
}

#[test]
fn what_stands_behind_the_question_is_done_here() {
    let all = all();
    let select = Then::Select(vec!["name".to_owned(), "CommandType".to_owned(), "Nothing".to_owned()]);
    let selected = commands(&all, &query(&["Get-Service"], None, select)).output;
    let object = selected[0].as_object().unwrap();
    assert_eq!(first_type(&selected[0]).unwrap(), "Selected.System.Management.Automation.CmdletInfo");
    assert_eq!(member_names(object), ["name", "CommandType", "Nothing"]);
    assert_eq!(
        (object.member("name"), object.member("Nothing")),
        (Some(&Value::text("Get-Service")), Some(&Value::Nil))
    );
    let counted = commands(&all, &query(&["*-Service"], None, Then::Count)).output;
    assert_eq!(counted[0].as_object().unwrap().adapted_member("Count"), Some(&Value::int(2)));
}

#[test]
fn an_answer_has_a_bound() {
    let one = all().remove(0);
    let many: Vec<Offered> = (0..=SHOWN).map(|n| Offered { name: format!("A-{n}"), ..one.clone() }).collect();
    let answers = commands(&many, &query(&[], None, Then::Nothing));
    assert!(answers.output.is_empty() && answers.errors == [too_many()]);
    assert_eq!(commands(&many, &query(&["A-1?"], None, Then::Nothing)).output.len(), 10);
    assert_eq!(commands(&many, &query(&[], None, Then::Count)).output, [object::measured(SHOWN + 1)]);
}

#[test]
fn common_parameters_are_made_once() {
    let all = all();
    let mut objects = Objects::default();
    let of = |value: &Value| {
        let parameters = value.as_object().and_then(|object| object.member("Parameters")).and_then(Value::as_object);
        let Some(Content::Dictionary(entries)) = parameters.map(|object| &object.content) else { panic!("none") };
        let verbose = entries.iter().find(|(key, _)| *key == Value::text("Verbose")).unwrap();
        let Value::Object(object) = &verbose.1 else { panic!("no object") };
        std::sync::Arc::clone(object)
    };
    let (one, other) = (objects.metadata(&all[0]), objects.metadata(&all[1]));
    assert!(std::sync::Arc::ptr_eq(&of(&one), &of(&other)));
}

#[test]
fn for_people_commands_are_a_table_and_for_scripts_objects() {
    let found = commands(&all(), &query(&["Get-Service"], None, Then::Nothing));
    let lines = found.lines(Shown::Host);
    assert_eq!(lines.first().map(String::as_str), Some("CommandType     Name        Source"));
    assert!(lines.iter().any(|line| line.starts_with("Cmdlet          Get-Service ")), "{lines:?}");
    assert_eq!(found.lines(Shown::Text), lines);
    assert!(found.lines(Shown::Objects).is_empty());
    let selected = commands(&all(), &query(&["Get-Service"], None, Then::Select(vec!["Name".to_owned()])));
    assert_eq!(selected.lines(Shown::Host), ["Name : Get-Service"]);
}

#[test]
fn a_question_beyond_the_bounds_is_answered_by_an_error_alone() {
    let all = all();
    let many: Vec<&str> = vec!["Get-Service"; 257];
    for then in [Then::Metadata, Then::Nothing, Then::Count] {
        let answers = commands(&all, &query(&many, Some(271), then));
        assert!(answers.output.is_empty() && answers.errors == [asks_too_much()]);
    }
    let twice = Then::Select(["Parameters", "parameters"].map(str::to_owned).to_vec());
    assert!(commands(&all, &query(&[], None, twice)).output.is_empty());
}
