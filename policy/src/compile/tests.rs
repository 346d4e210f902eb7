use super::*;
use crate::action::{Circumstances, Principal, TargetFacts};
use crate::decision::Input;
use crate::model::{ConstantCommands, Declared, Listed, ParameterSecrecy, Parameters, Qualified, Role, ScriptRule};
use crate::program_path::ProgramPath;
use crate::script::policy_pin_entry;

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

/// Shipped commands do not matter here: these are all there are.
const CATALOG: &str = "
[catalog]
mode = 'replace'
[[catalog.commands]]
name = 'Get-One'
module = 'M.One'
parameters = [{ name = 'Name', type = 'string', position = 0, aliases = ['N'] }]
[[catalog.commands]]
name = 'Get-Two'
module = 'M.Two'
editions = ['7']
parameters = [{ name = 'Name', type = 'string' }]
[[catalog.commands]]
name = 'Set-One'
module = 'M.One'
";

fn policy_of(files: &[(&str, &str)]) -> Policy {
    let mut sources = vec![Source { name: "catalog.toml", text: CATALOG }];
    sources.extend(files.iter().map(|(name, text)| Source { name, text }));
    match Policy::compile(&sources) {
        Ok(compiled) => compiled.policy,
        Err(mistakes) => panic!("{mistakes:#?}"),
    }
}

/// The role `a` with these lines, held by `D\u` and by the group `D\g` on `t`.
fn role(lines: &str) -> Policy {
    policy_of(&[("p.toml", &assigned(lines))])
}

fn assigned(lines: &str) -> String {
    format!("[roles.a]\n{lines}\n[[assignments]]\nprincipals = ['D\\u', 'D\\g']\ntargets = ['t']\nroles = ['a']\n")
}

fn first(policy: &Policy) -> &Role {
    policy.roles().first().unwrap()
}

/// Names of the rules that cover a command, with whether it may be qualified.
fn rules(role: &Role, edition: Edition, name: &str) -> Vec<(String, Qualified)> {
    role.command_entries(edition, &fold(name)).map(|entry| (entry.rule.name.clone(), entry.qualified)).collect()
}

fn user() -> Principal {
    Principal { name: "d\\U".to_owned(), groups: vec!["D\\Mfa".to_owned()] }
}

fn target(name: &str) -> TargetFacts {
    TargetFacts { name: name.to_owned(), groups: vec!["Web".to_owned()], tags: vec![], edition: Edition::Core7 }
}

#[test]
fn entries_are_found_by_folded_name_in_the_edition_that_has_the_command() {
    let policy = role("cmdlets = ['get-one', 'GET-TWO', 'Get-None']\nfunctions = ['Set-One']");
    let role = first(&policy);
    for edition in EDITIONS {
        assert_eq!(rules(role, edition, "GET-One"), [("get-one".to_owned(), Qualified::Permitted)]);
        assert_eq!(rules(role, edition, "Get-None"), []);
        assert_eq!(rules(role, edition, "Get-\u{212A}"), []);
        assert_eq!(role.command_entries(edition, "set-one").next().unwrap().rule.listed, Listed::Functions);
    }
    assert_eq!(rules(role, Edition::Windows51, "Get-Two"), []);
    let entry = role.command_entries(Edition::Core7, "get-two").next().unwrap();
    assert_eq!((entry.info.name.as_str(), entry.rule.entry.as_str()), ("Get-Two", "GET-TWO"));
    assert_eq!(entry.rule.listed, Listed::Cmdlets);
}

#[test]
fn wildcards_cover_the_catalogues_commands_and_no_others() {
    let names = |entry: &str, edition| {
        let policy = role(&format!("cmdlets = ['{entry}']"));
        let mut names: Vec<String> = first(&policy).covered(edition).map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    };
    for (entry, windows51, core7) in [
        ("Get-*", &["get-one"][..], &["get-one", "get-two"][..]),
        ("*", &["get-one", "set-one"], &["get-one", "get-two", "set-one"]),
        ("*-ONE", &["get-one", "set-one"], &["get-one", "set-one"]),
        (r"M.One\*", &["get-one", "set-one"], &["get-one", "set-one"]),
        (r"M.*\Get-*", &["get-one"], &["get-one", "get-two"]),
        (r"*\Get-One", &[], &[]),
        (r"m.one\get-one", &["get-one"], &["get-one"]),
        (r"M.Two\Get-One", &[], &[]),
        ("Get-One*e", &[], &[]),
    ] {
        assert_eq!(names(entry, Edition::Windows51), windows51, "{entry}");
        assert_eq!(names(entry, Edition::Core7), core7, "{entry}");
    }
}

#[test]
fn rules_are_called_as_they_say_or_after_their_command() {
    let policy = role(
        "cmdlets = ['Get-One', 'get-one', { name = 'Get-One', rule = 'mine', parameters = [] }, 'Get-*']\n\
         functions = ['Get-One']",
    );
    let names: Vec<&str> = first(&policy).commands.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["Get-One", "get-one#2", "mine", "Get-*", "Get-One#3"]);
    let found = rules(first(&policy), Edition::Core7, "Get-One");
    assert_eq!(found.len(), 5);
    assert!(found.contains(&("mine".to_owned(), Qualified::Refused)), "a parameter list is reached by bare name only");
}

#[test]
fn parameters_have_the_catalogues_names_and_all_their_restrictions() {
    let policy = role(
        "cmdlets = [{ name = 'Get-One', parameters = [{ name = 'NAME', validate_set = ['Dns', 'Größe', 'DNS'], \
         validate_pattern = 'd.*' }] }]",
    );
    let rule = first(&policy).commands.first().unwrap();
    let parameter = rule.parameter("name").unwrap();
    assert_eq!(parameter.name, "Name");
    assert!(parameter.is_constrained() && parameter.secrecy == ParameterSecrecy::Open);
    assert!(parameter.accepts("dNS"), "set and pattern both hold");
    for bad in ["Größe", "GRÖSSE", "dn", "dns ", "dns\n", "d\u{17F}", ""] {
        assert!(!parameter.accepts(bad), "{bad:?}");
    }
    assert_eq!(parameter.set.as_ref().unwrap().shown(), ["Dns", "Größe", "DNS"]);
    assert!(parameter.set.as_ref().unwrap().contains("gRÖßE"));
    assert!(rule.parameter("nam").is_none() && rule.parameter("n").is_none());
    let open = role("cmdlets = [{ name = 'Get-One' }]");
    assert!(matches!(first(&open).commands.first().unwrap().parameters, Parameters::All));
}

#[test]
fn secrecy_of_parameters_is_kept() {
    let policy = role(
        "cmdlets = [{ name = 'Get-One', parameters = [{ name = 'Name', secret = true }] }, \
         { name = 'Get-Two', parameters = [{ name = 'Name', secure = true }] }, \
         { name = 'Set-One', parameters = [] }]",
    );
    let of = |index: usize| first(&policy).commands.get(index).unwrap().parameter("name").map(|rule| rule.secrecy);
    assert_eq!([of(0), of(1), of(2)], [Some(ParameterSecrecy::Secret), Some(ParameterSecrecy::Secure), None]);
}

#[test]
fn aliases_lead_to_names_and_belong_to_their_role() {
    let policy = policy_of(&[(
        "p.toml",
        "[roles.a]\ncmdlets = ['Get-One']\naliases = { G1 = 'GET-ONE', 'set-ONE' = 'Get-One' }\n[roles.b]\ncmdlets = ['Get-One']\n\
         powershell = 'constant-commands'\n",
    )]);
    let [a, b] = policy.roles() else { panic!("two roles") };
    assert_eq!((a.alias("g1"), b.alias("g1"), a.alias("get-one")), (Some("get-one"), None, None));
    assert_eq!(a.aliases().collect::<Vec<_>>(), [("g1", "get-one")], "a command's name is no alias");
    assert_eq!((a.constant_commands(), b.constant_commands()), (ConstantCommands::Unread, ConstantCommands::Read));
}

#[test]
fn required_groups_of_all_documents_have_to_be_met() {
    let requires = |files: &[&str], groups: &[&str]| {
        let files: Vec<(String, String)> = files
            .iter()
            .enumerate()
            .map(|(at, text)| (format!("r{at}.toml"), format!("require_groups = {text}")))
            .collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        policy_of(&files).meets_requirement(&Principal { name: "D\\mfa".to_owned(), groups })
    };
    let either = r"{ or = ['D\Mfa', { and = ['D\a', 'D\b'] }] }";
    for (files, groups, met) in [
        (&[][..], &[][..], true),
        (&[r"'D\mfa'"], &["d\\MFA"], true),
        // A user's own name is no group.
        (&[r"'D\mfa'"], &[], false),
        (&[r"'D\mfa'"], &["D\\mfa "], false),
        (&[either], &["D\\mfa"], true),
        (&[either], &["D\\A", "D\\B"], true),
        (&[either], &["D\\A"], false),
        (&[either, r"'D\c'"], &["D\\mfa"], false),
        (&[either, r"'D\c'"], &["D\\mfa", "D\\c"], true),
    ] {
        assert_eq!(requires(files, groups), met, "{files:?} {groups:?}");
    }
}

#[test]
fn who_lacks_a_required_group_reaches_nothing() {
    let text = format!("require_groups = 'D\\mfa'\n{}", assigned(""));
    let policy = policy_of(&[("p.toml", &text)]);
    let (none, facts) = (Circumstances::default(), target("t"));
    assert!(policy.may_reach(&user(), &facts, &none) && policy.roles_on(&user(), &facts, &none) == ["a"]);
    let without = Principal { groups: Vec::new(), ..user() };
    assert!(!policy.may_reach(&without, &facts, &none) && policy.roles_on(&without, &facts, &none).is_empty());
}

#[test]
fn roles_are_held_while_all_conditions_of_an_assignment_hold() {
    let text = format!(
        "{}when = {{ from = '08:00', to = '18:00', time_zone = 'UTC' }}\nsources = ['10.0.0.0/8']\n",
        assigned("")
    );
    let policy = policy_of(&[("p.toml", &text)]);
    let held = |hour: Option<i64>, source: Option<&str>| {
        let circumstances = Circumstances {
            unix_time: hour.map(|hour| hour * 3600),
            source: source.map(|source| source.parse().unwrap()),
        };
        let held = !policy.held(&user(), &target("t"), &circumstances).is_empty();
        assert_eq!(policy.may_reach(&user(), &target("t"), &circumstances), held);
        held
    };
    assert!(held(Some(8), Some("10.1.1.1")));
    for (hour, source) in [
        (Some(18), Some("10.1.1.1")),
        (Some(8), Some("11.1.1.1")),
        (None, Some("10.1.1.1")),
        (Some(8), None),
        (None, None),
    ] {
        assert!(!held(hour, source), "{hour:?} {source:?}");
    }
}

#[test]
fn denials_bind_whom_and_where_they_say() {
    let text = "
[[deny]]
name = 'b'
reason = 'not here'
principals = ['D\\g']
target_groups = ['web']
commands = ['Get-*', 'M.One\\set-one']
programs = ['C:\\x\\a.exe']
[[deny]]
name = 'a'
targets = ['db']
commands = ['get-one']
programs = ['A.exe']
";
    let policy = policy_of(&[("p.toml", text)]);
    let names = |groups: &[&str], on: &str, group: &str, command: &str| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let principal = Principal { name: "D\\u".to_owned(), groups };
        let facts = TargetFacts { groups: vec![group.to_owned()], ..target(on) };
        let binding = policy.denials().binding(&principal, &facts);
        binding.of_command(command).map(|denial| denial.name.clone())
    };
    let b = Some("b".to_owned());
    assert_eq!(names(&["d\\G"], "t", "WEB", "get-two"), b);
    assert_eq!(names(&["d\\G"], "t", "WEB", "set-one"), b);
    assert_eq!(names(&["d\\G"], "t", "other", "get-two"), None);
    assert_eq!(names(&[], "t", "WEB", "get-two"), None);
    assert_eq!(names(&[], "db", "", "get-one"), Some("a".to_owned()));
    assert_eq!(names(&["D\\g"], "db", "web", "get-one"), Some("a".to_owned()), "the first by name");
    assert_eq!(names(&["D\\g"], "t", "web", "get-none"), None);

    let program = |on: &str, groups: &[&str], path: &str| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let principal = Principal { name: "D\\u".to_owned(), groups };
        let facts = target(on);
        let binding = policy.denials().binding(&principal, &facts);
        binding.of_program(&ProgramPath::parse(path).unwrap()).map(|denial| denial.name.clone())
    };
    assert_eq!(program("t", &["D\\g"], r"c:\X\A.EXE"), b);
    assert_eq!(program("t", &["D\\g"], r"C:\y\a.exe"), None);
    assert_eq!(program("db", &[], r"C:\y\a.exe"), Some("a".to_owned()));
    assert_eq!(program("db", &["D\\g"], r"C:\x\a.exe"), Some("a".to_owned()));
    assert_eq!(
        policy.denials().all().iter().map(|denial| denial.reason.as_deref()).collect::<Vec<_>>(),
        [None, Some("not here")]
    );
    assert!(role("").denials().binding(&user(), &target("t")).of_command("get-one").is_none());
}

#[test]
fn scripts_are_found_by_digest_with_the_names_that_they_declare() {
    let script = "[CmdletBinding()]\r\nparam([string]$Name, [switch]$Force)\r\nGet-One $Name $using:Why\r\n";
    let entry = policy_pin_entry(script, "one", "s/one.ps1").replace("ROLE", "a");
    let restricted =
        entry.replace("{ name = 'Name' }", "{ name = 'NAME', validate_set = ['x'] }").replace("'one'", "'two'");
    let policy = policy_of(&[("p.toml", &format!("{entry}{restricted}")), ("s/one.ps1", script)]);
    let sha256 = PinnedText::of(script).sha256().to_owned();
    let found: Vec<&ScriptRule> = first(&policy).scripts_for(&sha256).collect();
    assert_eq!(found.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let [_, two] = found.as_slice() else { panic!("two rules") };
    assert_eq!(two.text, script.replace('\r', "").trim());
    assert_eq!((two.parameter("name").unwrap().name.as_str(), two.parameter("nam").is_none()), ("Name", true));
    assert!(two.parameter("name").unwrap().accepts("X") && !two.parameter("name").unwrap().accepts("y"));
    assert!(two.using("why").is_some() && two.using("name").is_none());
    assert!(matches!(&two.declared, Declared::InOrder(list) if list.len() == 2));
    assert_eq!(first(&policy).scripts_for(&sha256.to_uppercase()).count(), 0);
}

#[test]
fn programs_are_what_they_were() {
    let policy = role("[[roles.a.programs]]\nname = 'p'\npath = 'C:\\x\\p.exe'\nstdin = true");
    assert_eq!(first(&policy).rules_for("p").map(|rule| rule.input).collect::<Vec<_>>(), [Input::Permitted]);
}
