//! What is asked for without being done: the listing of what a principal may do, and what a denied request was.

use crate::support::{compile, principal as somebody, target as facts};
use sekisho_policy::command::{Argument, Command, CommandKind, CommandsRequest, ScriptRequest};
use sekisho_policy::value::Value;
use sekisho_policy::{
    Action, AskedValues, Circumstances, ConstantCommands, Edition, ListedSecrecy, Policy, Presence, Principal,
    TargetFacts,
};

const POLICY: &str = r#"
[roles.services]
powershell = "constant-commands"
aliases = { gsv = "Get-Service" }
cmdlets = [
    { name = "Restart-Service", parameters = [{ name = "Name", validate_set = ["Dns"] }, "Force"] },
    "Get-Service",
    { name = "Set-LocalUser", parameters = [
        { name = "Name", validate_pattern = "[a-z]+" },
        { name = "Password", secure = true },
        { name = "Description", secret = true, validate_set = ["hunter2"] },
    ] },
]
[[roles.services.programs]]
name = "host"
path = 'C:\Windows\System32\hostname.exe'

[roles.other]
cmdlets = ["Get-Process", "Stop-Computer"]

[[assignments]]
principals = ['LAB\aoki']
targets = ["web01"]
roles = ["services", "other"]

[[assignments]]
principals = ['LAB\mori']
targets = ["web01"]
roles = ["other"]

[[deny]]
name = "nobody stops machines"
commands = ["Stop-Computer"]
"#;

fn policy() -> Policy {
    of(POLICY)
}

fn of(text: &str) -> Policy {
    compile(&[("policy.toml", text)]).policy
}

fn principal(name: &str) -> Principal {
    somebody(name, &[])
}

fn now() -> Circumstances {
    Circumstances::default()
}

fn script(text: &str) -> ScriptRequest {
    ScriptRequest::new(text)
}

#[test]
fn a_listing_has_all_that_is_allowed_and_nothing_of_what_is_secret_or_denied() {
    let policy = policy();
    let roles = policy.listing(&principal(r"LAB\aoki"), &facts("web01"), &now());
    let names: Vec<_> = roles.iter().map(|role| role.name).collect();
    assert_eq!(names, ["other", "services"]);
    let commands: Vec<_> = roles[0].commands.iter().map(|command| command.name).collect();
    assert_eq!(commands, ["Get-Process"], "what a rule denies is not allowed");
    let services = &roles[1];
    assert_eq!(services.constant_commands, ConstantCommands::Read);
    assert_eq!(services.aliases, [("gsv", "get-service")]);
    assert_eq!(services.programs[0].path, r"C:\Windows\System32\hostname.exe");
    let [get, restart, set] = services.commands.as_slice() else { panic!("{services:?}") };
    assert_eq!((get.name, get.parameters.as_ref()), ("Get-Service", None));
    assert_eq!(restart.module, "Microsoft.PowerShell.Management");
    let name = restart.parameters.as_ref().unwrap().iter().find(|parameter| parameter.name == "Name").unwrap();
    assert_eq!((name.values, name.pattern), (["Dns".to_owned()].as_slice(), None));
    let about = |name: &str| set.parameters.as_ref().unwrap().iter().find(|one| one.name == name).unwrap();
    assert_eq!(about("Name").pattern, Some("[a-z]+"));
    assert_eq!(about("Password").secrecy, ListedSecrecy::Secure);
    let secret = about("Description");
    assert_eq!((secret.secrecy, secret.values.len(), secret.pattern), (ListedSecrecy::Secret, 0, None));
}

#[test]
fn a_listing_is_empty_for_who_holds_no_role_or_lacks_the_required_groups() {
    let policy = policy();
    assert!(policy.listing(&principal(r"LAB\nobody"), &facts("web01"), &now()).is_empty());
    assert!(policy.listing(&principal(r"LAB\aoki"), &facts("db01"), &now()).is_empty());
    let text = format!("require_groups = 'LAB\\mfa'\n{POLICY}");
    let policy = of(&text);
    assert!(policy.listing(&principal(r"LAB\aoki"), &facts("web01"), &now()).is_empty());
}

#[test]
fn wrapped_lines_are_judged_by_the_roles_that_read_them_alone() {
    let policy = policy();
    let judge = |who: &str, text: &str| {
        policy.decide_constant_commands(&principal(who), &facts("web01"), &now(), &script(text))
    };
    assert!(judge(r"LAB\aoki", "gsv -Name Dns").unwrap().allowed().is_some());
    assert!(judge(r"LAB\aoki", "Get-Process").unwrap().denied().is_some(), "the other role does not read lines");
    assert_eq!(judge(r"LAB\mori", "Get-Process"), None);
    assert_eq!(judge(r"LAB\nobody", "Get-Process"), None);
    let as_session =
        policy.decide(&principal(r"LAB\aoki"), &facts("web01"), &now(), &Action::Script(script("Get-Process")));
    assert!(as_session.allowed().is_some(), "in a session it does");
}

#[test]
fn wrapped_lines_have_no_default_commands() {
    let text = format!("defaults = true\n{POLICY}");
    let policy = of(&text);
    let who = principal(r"LAB\aoki");
    let pipeline = script("Get-Service | Measure-Object");
    let decided = policy.decide_constant_commands(&who, &facts("web01"), &now(), &pipeline).unwrap();
    assert!(decided.denied().is_some());
    let decided = policy.decide(&who, &facts("web01"), &now(), &Action::Script(pipeline));
    assert!(decided.allowed().is_some(), "{decided:?}");
}

#[test]
fn wrapped_lines_are_read_as_windows_powershells_whatever_the_target_has() {
    let policy = policy();
    let modern = TargetFacts { edition: Edition::Core7, ..facts("web01") };
    // Get-Service of 5.1 has -ComputerName, that of 7 has not.
    let remote = script("Get-Service -Name Dns -ComputerName db01");
    let who = principal(r"LAB\aoki");
    let decided = policy.decide_constant_commands(&who, &modern, &now(), &remote).unwrap();
    assert!(decided.allowed().is_some(), "{decided:?}");
    assert!(policy.decide(&who, &modern, &now(), &Action::Script(remote)).denied().is_some());
}

#[test]
fn a_rule_that_denies_powershell_denies_wrapped_lines() {
    let deny =
        "[[deny]]\nname = 'no lines'\nprograms = ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe']\n";
    let text = format!("{POLICY}\n{deny}");
    let policy = of(&text);
    let decided =
        policy.decide_constant_commands(&principal(r"LAB\aoki"), &facts("web01"), &now(), &script("Get-Service"));
    assert!(decided.unwrap().denied().unwrap().message.contains("no lines"));
}

#[test]
fn what_was_asked_for_is_read_where_it_can_be_and_secret_where_a_rule_marks_any() {
    let policy = policy();
    let asked = |action: &Action| policy.asked(&principal(r"LAB\aoki"), &facts("web01"), &now(), action);
    let of_text = |text: &str| asked(&Action::Script(script(text)));
    let one = of_text("gsv Dns | Set-LocalUser -Other x").unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!((one[0][0].command.name.as_str(), one[0][0].values), ("gsv", AskedValues::Open));
    assert_eq!((one[0][1].command.name.as_str(), one[0][1].values), ("Set-LocalUser", AskedValues::Secret));
    assert_eq!(
        of_text(r"Microsoft.PowerShell.LocalAccounts\Set-LocalUser x").unwrap()[0][0].values,
        AskedValues::Secret
    );
    assert_eq!(of_text("Get-Service $x"), None);

    let get = vec![Command::new("Get-Service", vec![Argument::positional(Value::text("Dns"))])];
    let set = vec![Command::new("Set-LocalUser", vec![])];
    let request = |extra: Option<Vec<Vec<Command>>>| {
        Action::Commands(CommandsRequest { commands: get.clone(), extra_commands: extra, input: Presence::Absent })
    };
    assert_eq!(asked(&request(None)).unwrap().len(), 1);
    assert_eq!(asked(&request(Some(vec![get.clone(), set]))).unwrap().len(), 2, "the first one once");
    let text = Command { kind: CommandKind::Script, ..Command::new("whoami", vec![]) };
    assert_eq!(asked(&request(Some(vec![get.clone(), vec![text]]))), None, "text is no command's name");
}
