use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::arguments::ArgumentRule;
use crate::catalog::{Catalog, CommandInfo, Edition, ParameterInfo, ParameterKind};
use crate::conditions::Conditions;
use crate::decision::Prompts;
use crate::jea::data::{Table, Value, parse};
use crate::jea::{File, Outcome, import};
use crate::model::{
    Assignment, CommandRule, Coverage, Denial, Denials, DeniedPath, Listed, ParameterRule, ParameterSecrecy,
    Parameters, PolicyParts, ProgramRule, Qualified, Requirement, RoleParts, Scope, ValueSet,
};
use crate::pattern::Pattern;
use crate::program_path::ProgramPath;
use crate::target_pattern::TargetPattern;

fn parameter(name: &str, set: Option<&[&str]>, pattern: Option<&str>) -> ParameterRule {
    let mut rule = ParameterRule::new(name);
    rule.set = set.map(|set| ValueSet::new(set.iter().map(|value| (*value).to_owned()).collect()));
    rule.pattern = pattern.map(|pattern| Arc::new(Pattern::parse(pattern).unwrap()));
    rule
}

fn rule(entry: &str, parameters: Option<Vec<ParameterRule>>) -> CommandRule {
    CommandRule {
        name: entry.to_owned(),
        entry: entry.to_owned(),
        parameters: parameters.map_or(Parameters::All, Parameters::listed),
        listed: Listed::Cmdlets,
        prompts: Prompts::Refused,
    }
}

fn program(name: &str, path: &str, form: ArgumentForm) -> ProgramRule {
    ProgramRule {
        name: name.to_owned(),
        path: ProgramPath::parse(path).unwrap(),
        arguments: ArgumentRule::new(form, Secrecy::Open),
        input: Input::Refused,
    }
}

/// A role `r` held by `d\a` on `t1`.
fn policy(commands: Vec<CommandRule>, change: impl FnOnce(&mut PolicyParts, &mut RoleParts)) -> Policy {
    let mut role = RoleParts { name: "r".to_owned(), commands, ..RoleParts::default() };
    let mut parts = PolicyParts {
        roles: Vec::new(),
        assignments: vec![assignment("d\\a", "t1")],
        requirement: Requirement::And(Vec::new()),
        denials: Denials::default(),
        defaults: Some(Role::new(RoleParts::default())),
        catalog: Catalog::shipped().clone(),
        digest: "0".repeat(64),
    };
    change(&mut parts, &mut role);
    parts.roles.push(Role::new(role));
    Policy::new(parts)
}

fn assignment(principal: &str, target: &str) -> Assignment {
    Assignment {
        principals: vec![principal.to_owned()],
        scope: Scope { targets: vec![TargetPattern::parse(target).unwrap()], ..Scope::default() },
        roles: vec![0],
        conditions: Conditions::default(),
    }
}

fn exported(policy: &Policy) -> Exported {
    export(policy, &Wanted { role: "R", target: None, session: SessionForm::Roles }).unwrap()
}

fn table(file: &ExportedFile) -> Table {
    parse(std::str::from_utf8(&file.bytes).unwrap().trim_start_matches('\u{FEFF}')).unwrap()
}

fn psrc(policy: &Policy) -> String {
    let text = String::from_utf8(exported(policy).psrc.bytes).unwrap();
    text.lines().filter(|line| line.starts_with("Visible") || line.starts_with("Alias")).collect::<Vec<_>>().join("\n")
}

fn left_out(policy: &Policy) -> Vec<String> {
    let of = |note: &Note| note.outcome == Outcome::LeftOut;
    exported(policy).notes.into_iter().filter(of).map(|note| note.message).collect()
}

fn info(name: &str, parameter: &str, kind: &str) -> Arc<CommandInfo> {
    let parameters = vec![ParameterInfo::new(parameter, ParameterKind::Value(kind.to_owned()))];
    Arc::new(CommandInfo { parameters, ..CommandInfo::new(name, "M") })
}

fn covers(rule: usize, info: &Arc<CommandInfo>) -> Coverage {
    Coverage { rule, edition: Edition::Windows51, info: Arc::clone(info), qualified: Qualified::Permitted }
}

#[test]
fn names_parameters_and_values_are_written_with_care() {
    let policy = policy(
        vec![
            rule("Get-Service", None),
            rule(r"M\Get-X", None),
            rule(
                "Restart-Service",
                Some(vec![
                    parameter("Name", Some(&["it's", "\u{2019}", "$x`n"]), None),
                    parameter("Force", None, None),
                ]),
            ),
            rule("Get-Date", Some(Vec::new())),
            rule("Get-Y", Some(vec![parameter("A", None, Some("a|'b"))])),
        ],
        |_, role| role.commands.push(CommandRule { listed: Listed::Functions, ..rule("F", None) }),
    );
    assert_eq!(
        psrc(&policy),
        "VisibleCmdlets = 'Get-Service', 'M\\Get-X', @{ Name = 'Restart-Service'; Parameters = @{ Name = 'Force'; }, \
         @{ Name = 'Name'; ValidateSet = 'it''s', '\u{2019}\u{2019}', '$x`n'; }; }, @{ Name = 'Get-Date'; Parameters = @(); }, \
         @{ Name = 'Get-Y'; Parameters = @{ Name = 'A'; ValidatePattern = '(?:a|''b)\\z'; }; }\nVisibleFunctions = 'F'"
    );
    assert!(left_out(&policy).is_empty());
}

#[test]
fn that_a_command_may_ask_is_told_since_there_every_one_may() {
    let asks = CommandRule { prompts: Prompts::Permitted, ..rule("Get-Service", None) };
    let told = |rules: Vec<CommandRule>| {
        let notes = exported(&policy(rules, |_, _| {})).notes;
        notes.iter().any(|note| note.message.contains("Get-Service: that it may ask the user"))
    };
    assert!(told(vec![asks]) && !told(vec![rule("Get-Service", None)]));
}

#[test]
fn a_program_with_restricted_arguments_never_becomes_a_free_one() {
    let path = r"C:\W\x.exe";
    let each = ArgumentForm::Each { patterns: Vec::new(), max: 1 };
    for form in [ArgumentForm::None, ArgumentForm::Exact(vec![vec!["a".to_owned()]]), each] {
        let policy = policy(Vec::new(), |_, role| role.programs.push(program("x", path, form)));
        assert!(
            !String::from_utf8(exported(&policy).psrc.bytes).unwrap().lines().any(|line| line.starts_with("Visible"))
        );
        assert_eq!(left_out(&policy), [format!("x: JEA cannot restrict the arguments of {path}")]);
    }
    let free = policy(Vec::new(), |_, role| {
        role.programs.extend([program("x", path, ArgumentForm::Any), program("y", path, ArgumentForm::Any)]);
    });
    assert_eq!(psrc(&free), r"VisibleExternalCommands = 'C:\W\x.exe'");
}

#[test]
fn alternatives_that_would_add_up_are_left_out() {
    let twice = policy(
        vec![
            rule("Get-X", Some(vec![parameter("A", None, None)])),
            rule("get-x", Some(vec![parameter("B", None, None)])),
        ],
        |_, _| {},
    );
    assert_eq!(psrc(&twice), "VisibleCmdlets = @{ Name = 'Get-X'; Parameters = @{ Name = 'A'; }; }");
    assert!(left_out(&twice)[0].contains("another entry for the command"));
    for whole in ["Get-X", r"M\Get-X", "Get-*"] {
        let policy =
            policy(vec![rule("Get-X", Some(vec![parameter("A", None, None)])), rule(whole, None)], |_, role| {
                let known = info("Get-X", "A", "string");
                role.coverage.extend([covers(0, &known), covers(1, &known)]);
            });
        assert_eq!(psrc(&policy), format!("VisibleCmdlets = '{whole}'"));
        assert!(left_out(&policy)[0].contains("with all its parameters"));
    }
}

#[test]
fn what_is_denied_to_anybody_is_left_out() {
    let denied = |parts: &mut PolicyParts, principals: &[&str]| {
        let denial = Denial {
            name: "no".to_owned(),
            reason: None,
            principals: principals.iter().map(|name| (*name).to_owned()).collect(),
            scope: Scope::default(),
        };
        let paths = [(0, DeniedPath::Named("x.exe".to_owned()))];
        parts.denials = Denials::new(vec![denial], [(0, "get-x".to_owned())], paths);
    };
    for principals in [&[][..], &["d\\b"]] {
        let policy = policy(
            vec![rule("Get-X", None), rule("Get-*", None), rule(r"M\Get-X", None), rule("Get-Y", None)],
            |parts, role| {
                denied(parts, principals);
                role.coverage.push(covers(1, &info("Get-X", "A", "string")));
                role.programs.push(program("x", r"C:\W\x.exe", ArgumentForm::Any));
                role.aliases.push(("gx".to_owned(), "get-x".to_owned()));
                role.aliases.push(("gy".to_owned(), "get-y".to_owned()));
            },
        );
        assert_eq!(psrc(&policy), "VisibleCmdlets = 'Get-Y'\nAliasDefinitions = @{ Name = 'gy'; Value = 'Get-Y'; }");
        assert_eq!(left_out(&policy).len(), 5);
    }
}

#[test]
fn secrets_stay_where_the_type_keeps_plain_values_out() {
    for (kind, written) in
        [("System.Security.SecureString", true), ("PSCredential", true), ("System.Object", false), ("string", false)]
    {
        let mut secure = parameter("P", None, None);
        secure.secrecy = ParameterSecrecy::Secure;
        let policy = policy(vec![rule("Set-X", Some(vec![secure, parameter("A", None, None)]))], |_, role| {
            role.coverage.push(covers(0, &info("Set-X", "P", kind)));
        });
        assert_eq!(psrc(&policy).contains("'P'"), written, "{kind}");
        assert!(psrc(&policy).contains("'A'"));
        assert_eq!(left_out(&policy).is_empty(), written);
    }
    let mut unknown = parameter("P", None, None);
    unknown.secrecy = ParameterSecrecy::Secure;
    assert!(!psrc(&policy(vec![rule("Set-X", Some(vec![unknown]))], |_, _| {})).contains("'P'"));
}

#[test]
fn values_that_no_file_can_hold_take_their_parameter_away() {
    let policy = policy(
        vec![rule(
            "Get-X",
            Some(vec![
                parameter("A", Some(&["a\0"]), None),
                parameter("B", Some(&[]), None),
                parameter("C", None, None),
            ]),
        )],
        |_, _| {},
    );
    assert_eq!(psrc(&policy), "VisibleCmdlets = @{ Name = 'Get-X'; Parameters = @{ Name = 'C'; }; }");
    assert_eq!(left_out(&policy).len(), 2);
}

#[test]
fn the_session_names_who_holds_the_role_whatever_else_holds() {
    let policy = policy(vec![rule("Get-X", None)], |parts, _| {
        parts.assignments.push(assignment("d\\it's", "t2"));
        let mut night = assignment("d\\night", "t1");
        night.conditions.sources = Some(Vec::new());
        parts.assignments.push(night);
        let group = |name: &str| Requirement::Group { shown: name.to_owned(), folded: fold(name) };
        parts.requirement = Requirement::And(vec![Requirement::Or(vec![group("D\\m"), group("D\\s")])]);
        parts.defaults = None;
    });
    let found = exported(&policy);
    let text = String::from_utf8(found.pssc.bytes.clone()).unwrap();
    for line in [
        "SchemaVersion = '2.0.0.0'",
        "SessionType = 'RestrictedRemoteServer'",
        "LanguageMode = 'NoLanguage'",
        "RequiredGroups = @{ Or = 'D\\m', 'D\\s'; }",
        "RoleDefinitions = @{ 'd\\a' = @{ RoleCapabilities = 'r'; }; 'd\\it''s' = @{ RoleCapabilities = 'r'; }; }",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(table(&found.pssc).get("VisibleCmdlets").is_none());
    assert!(left_out(&policy)[0].contains("d\\night: JEA knows no hours"));
    assert!(found.notes.iter().any(|note| note.message.contains("eight commands of its own")));

    let target =
        TargetFacts { name: "t2".to_owned(), groups: Vec::new(), tags: Vec::new(), edition: Edition::Windows51 };
    let there = export(&policy, &Wanted { role: "r", target: Some(&target), session: SessionForm::Roles }).unwrap();
    let Some(Value::Table(held)) = table(&there.pssc).get("RoleDefinitions").map(|entry| entry.node.value.clone())
    else {
        panic!()
    };
    assert_eq!(held.0.len(), 1);

    let whole = export(&policy, &Wanted { role: "r", target: None, session: SessionForm::Whole }).unwrap();
    assert!(table(&whole.pssc).get("VisibleCmdlets").is_some() && table(&whole.pssc).get("RoleDefinitions").is_none());
    assert!(export(&policy, &Wanted { role: "x", target: None, session: SessionForm::Whole }).is_none());
}

#[test]
fn nothing_of_a_policy_ends_a_comment() {
    let policy = policy(vec![rule("Get-X", None)], |_, role| {
        role.programs.push(program("a\n}\nb\u{2028}#>", r"C:\W\x.exe", ArgumentForm::None));
    });
    assert_eq!(table(&exported(&policy).psrc).0.len(), 2);
}

/// Commands of the shipped catalogue, with and without parameters.
static COMMANDS: LazyLock<Vec<Arc<CommandInfo>>> = LazyLock::new(|| {
    let catalog = Catalog::shipped();
    let names = catalog.names(Edition::Windows51).step_by(29);
    names.filter_map(|(name, _)| catalog.lookup(Edition::Windows51, name)).collect()
});

/// A set and a pattern.
type Restriction = (Option<Vec<String>>, Option<String>);

fn restriction() -> impl Strategy<Value = Restriction> {
    let set = prop::collection::btree_set("[^\\x00]{0,6}|['\u{2018}-\u{201E}\"$`@#{}\n\r]{1,4}", 1..4)
        .prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let pattern = prop::sample::select(vec!["a|b", r"\d{1,3}", r"(?:a)\z", "(?:a)(b)", "it's", r"C:\\x", "受注.", ""]);
    (prop::option::of(set), prop::option::of(pattern.prop_map(str::to_owned)))
}

/// Commands by name, with restrictions by parameter where there is a list.
type Listing = BTreeMap<String, (Option<BTreeMap<String, Restriction>>, bool)>;

fn listing() -> impl Strategy<Value = Listing> {
    let parameters = prop::collection::vec((any::<prop::sample::Index>(), restriction()), 0..4);
    let command = (any::<prop::sample::Index>(), prop::option::of(parameters), any::<bool>());
    prop::collection::vec(command, 1..6).prop_map(|commands| {
        let named = commands.into_iter().map(|(index, parameters, function)| {
            let info = index.get(&COMMANDS);
            let chosen = parameters.map(|list| {
                let of = |(index, restriction): (prop::sample::Index, Restriction)| {
                    let known = &info.parameters;
                    known.get(index.index(known.len().max(1))).map(|parameter| (parameter.name.clone(), restriction))
                };
                list.into_iter().filter_map(of).collect()
            });
            (info.name.clone(), (chosen, function))
        });
        named.collect()
    })
}

proptest! {
    /// Import(export(role)) is the role, for what both can say.
    #[test]
    fn a_role_comes_back_as_it_went(listed in listing(), programs in prop::collection::btree_set(r"[a-z]{2,5}", 0..3)) {
        let mut commands = Vec::new();
        let mut expected = String::new();
        for (name, (parameters, function)) in &listed {
            let rules = parameters.as_ref().map(|list| {
                list.iter()
                    .map(|(name, (set, pattern))| {
                        let set: Option<Vec<&str>> = set.as_ref().map(|set| set.iter().map(String::as_str).collect());
                        parameter(name, set.as_deref(), pattern.as_deref())
                    })
                    .collect()
            });
            let listed = if *function { Listed::Functions } else { Listed::Cmdlets };
            commands.push(CommandRule { listed, ..rule(name, rules) });
        }
        for rule in commands.iter().filter(|rule| rule.listed == Listed::Cmdlets).chain(commands.iter().filter(|rule| rule.listed == Listed::Functions)) {
            expected.push_str(&format!("{:?} {}\n", rule.listed, rule.entry));
            if let Parameters::Listed(list) = &rule.parameters {
                for parameter in list {
                    let set = parameter.set.as_ref().map(ValueSet::shown);
                    expected.push_str(&format!("  {} {set:?} {:?}\n", parameter.name, parameter.pattern.as_ref().map(|p| p.source())));
                }
                expected.push_str("  listed\n");
            }
        }
        let paths: Vec<String> = programs.iter().map(|name| format!(r"C:\W\q{name}.exe")).collect();
        expected.extend(paths.iter().map(|path| format!("program {path}\n")));
        let policy = policy(commands, |_, role| {
            role.programs.extend(paths.iter().map(|path| program(path, path, ArgumentForm::Any)));
        });
        let found = exported(&policy);
        prop_assert!(found.notes.iter().all(|note| note.outcome != Outcome::LeftOut));
        let files = [File { name: &found.psrc.name, bytes: &found.psrc.bytes }, File { name: &found.pssc.name, bytes: &found.pssc.bytes }];
        let back = import(&files).unwrap();
        prop_assert!(back.notes.iter().all(|note| note.outcome != Outcome::LeftOut || ["GUID", "SchemaVersion"].contains(&note.field.as_str())), "{:#?}", back.notes);
        prop_assert_eq!(said(&back.documents[0].text), expected, "{}", String::from_utf8_lossy(&found.psrc.bytes));
        let session: toml::Table = back.documents[1].text.parse().unwrap();
        prop_assert_eq!(session["defaults"].as_bool(), Some(true));
        prop_assert_eq!(session["assignments"][0]["principals"][0].as_str(), Some("d\\a"));
    }
}

/// A role's document in the short form of the property.
fn said(text: &str) -> String {
    let document: toml::Table = text.parse().unwrap();
    let role = &document["roles"]["r"];
    let mut said = String::new();
    for (key, listed) in [("cmdlets", Listed::Cmdlets), ("functions", Listed::Functions)] {
        for entry in role.get(key).and_then(toml::Value::as_array).into_iter().flatten() {
            let name = entry.as_str().or_else(|| entry["name"].as_str()).unwrap();
            said.push_str(&format!("{listed:?} {name}\n"));
            let Some(parameters) = entry.get("parameters").and_then(toml::Value::as_array) else { continue };
            for parameter in parameters {
                let name = parameter.as_str().or_else(|| parameter["name"].as_str()).unwrap();
                let set: Option<Vec<&str>> = parameter
                    .get("validate_set")
                    .map(|set| set.as_array().unwrap().iter().filter_map(toml::Value::as_str).collect());
                let pattern = parameter.get("validate_pattern").and_then(toml::Value::as_str);
                said.push_str(&format!("  {name} {set:?} {pattern:?}\n"));
            }
            said.push_str("  listed\n");
        }
    }
    for program in role.get("programs").and_then(toml::Value::as_array).into_iter().flatten() {
        assert_eq!(program["arguments"]["any"].as_bool(), Some(true));
        said.push_str(&format!("program {}\n", program["path"].as_str().unwrap()));
    }
    said
}
