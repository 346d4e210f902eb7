//! Ways around a rule that were tried, each closed.

use sekisho_policy::command::{Argument, Bindings, Command, CommandsRequest, ScriptRequest};
use sekisho_policy::value::Value;
use sekisho_policy::{Action, AskedName, Circumstances, Decision, Policy, Presence};

use super::support::{compile, principal, target, try_compile};

const WHO: &str = "[[assignments]]\nprincipals=['DEMO\\ops']\ntargets=['web01.demo.example']\nroles=['ops']\n";

fn policy(text: &str) -> Policy {
    compile(&[("policy.toml", &format!("{text}\n{WHO}"))]).policy
}

fn decide(policy: &Policy, action: &Action) -> Decision {
    let (who, place) = (principal("DEMO\\ops", &[]), target("web01.demo.example"));
    policy.decide(&who, &place, &Circumstances::default(), action)
}

fn is_allowed(policy: &Policy, name: &str, arguments: &[Argument]) -> bool {
    let commands = vec![Command::new(name, arguments.to_vec())];
    let request = CommandsRequest { commands, extra_commands: None, input: Presence::Absent };
    decide(policy, &Action::Commands(request)).allowed().is_some()
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Value::text(*item)).collect())
}

/// PowerShell joins a list for a plain `[string]` parameter, and in a string, by blanks.
#[test]
fn a_list_that_a_script_would_join_is_no_list_of_accepted_values() {
    let run = |declared: &str, value: Value, using: Value| {
        let text = format!("param({declared}) Write-Output \"$Pool $using:x\"");
        let pinned = sekisho_policy::PinnedText::of(&text);
        let document = format!(
            "[[roles.ops.scripts]]\nname = 's'\nfile = 's.ps1'\nsha256 = '{}'\nparameters = [{{ name = 'Pool', \
             validate_set = ['P', 'Q'] }}]\nusing = [{{ name = 'x', validate_set = ['1'] }}]\n{WHO}",
            pinned.sha256()
        );
        let policy = compile(&[("policy.toml", &document), ("s.ps1", &text)]).policy;
        let bindings =
            Bindings { using: vec![("x".to_owned(), using)], arguments: vec![Argument::named("Pool", value)] };
        let request = ScriptRequest { bindings, ..ScriptRequest::new(text) };
        decide(&policy, &Action::Script(request)).allowed().is_some()
    };
    let one = || Value::text("1");
    assert!(run("[string] $Pool", Value::text("P"), one()) && run("[string[]] $Pool", list(&["P", "Q"]), one()));
    assert!(run("[string] $Pool", list(&["P"]), one()));
    for declared in ["[string] $Pool", "$Pool", "[switch] $Force, [string] $Pool"] {
        assert!(!run(declared, list(&["P", "Q"]), one()), "{declared}");
    }
    assert!(!run("[string] $Pool", Value::text("P"), list(&["1", "1"])));
}

#[test]
fn a_list_that_a_plain_function_would_join_is_no_list_of_accepted_values() {
    let policy = |kind: &str, common: bool| {
        policy(&format!(
            "[catalog]\nmode = 'replace'\ncommands = [{{ name = 'Do-It', kind = 'function', common = {common}, parameters \
             = [{{ name = 'Name', type = '{kind}' }}] }}]\n[roles.ops]\nfunctions = [{{ name = 'Do-It', parameters = \
             [{{ name = 'Name', validate_pattern = '[\\w-]+' }}] }}]\n"
        ))
    };
    let arguments = [Argument::named("Name", list(&["a", "--evil"]))];
    assert!(!is_allowed(&policy("string", false), "Do-It", &arguments));
    assert!(is_allowed(&policy("string[]", false), "Do-It", &arguments));
    assert!(is_allowed(&policy("string", true), "Do-It", &arguments), "PowerShell refuses it by itself");
}

#[test]
fn a_denial_reaches_the_default_commands_whatever_the_catalogue_is() {
    let defaults = |deny: &str| {
        policy(&format!(
            "defaults = true\n[catalog]\nmode = 'replace'\ncommands = [{{ name = 'Get-Thing' }}]\n[roles.ops]\n\
             cmdlets = ['Get-Thing']\n{deny}"
        ))
    };
    let open = defaults("");
    assert!(is_allowed(&open, "Get-Command", &[]) && is_allowed(&open, "Exit-PSSession", &[]));
    for pattern in ["Get-*", "Get-Command", "Microsoft.PowerShell.Core\\*"] {
        let closed = defaults(&format!("[[deny]]\nname = 'no'\ncommands = ['{pattern}']\n"));
        assert!(!is_allowed(&closed, "Get-Command", &[]), "{pattern}");
    }
}

/// PowerShell looks for functions and aliases before programs.
#[test]
fn a_name_that_means_a_command_is_no_program() {
    let policy = policy(
        "[catalog]\nmode = 'replace'\ncommands = [{ name = 'robocopy', kind = 'function', parameters = [{ name = \
         'Source', type = 'string', position = 0 }] }]\n[roles.ops]\naliases = { ping = 'robocopy' }\nfunctions = [{ name \
         = 'robocopy', parameters = [{ name = 'Source', validate_set = ['A'] }] }]\n[[roles.ops.programs]]\nname = 'r'\n\
         path = 'C:\\Windows\\System32\\robocopy.exe'\narguments = { any = true }\n[[roles.ops.programs]]\nname = 'p'\n\
         path = 'C:\\Windows\\System32\\ping.exe'\narguments = { any = true }\n",
    );
    let b = [Argument::positional(Value::text("B"))];
    assert!(is_allowed(&policy, "robocopy", &[Argument::positional(Value::text("A"))]));
    assert!(!is_allowed(&policy, "robocopy", &b) && !is_allowed(&policy, "ping", &b));
    assert!(is_allowed(&policy, "C:\\Windows\\System32\\robocopy.exe", &b) && is_allowed(&policy, "ping.exe", &b));
}

#[test]
fn what_powershell_would_rewrite_is_not_handed_to_a_program() {
    let program = |path: &str| {
        format!(
            "[[roles.ops.programs]]\nname = 'p'\npath = '{path}'\narguments = {{ each = ['~?.*'], max = 1 }}\n{WHO}"
        )
    };
    let policy = compile(&[("policy.toml", &program("C:\\t\\p.exe"))]).policy;
    let ask = |text: &str| is_allowed(&policy, "p", &[Argument::positional(Value::text(text))]);
    assert!(ask("a~") && ask("~a") && !ask("~") && !ask("~\\x") && !ask("~/x"));
    assert!(try_compile(&[("policy.toml", &program("C:\\t[1]\\p.exe"))]).is_err(), "brackets are wildcards");
}

/// A few kilobytes must not be judged for minutes, however the policy is written.
#[test]
fn all_values_of_a_request_are_judged_within_one_bound() {
    let policy = policy(
        "[catalog]\nmode = 'replace'\ncommands = [{ name = 'Stop-It', parameters = [{ name = 'Name', type = 'string[]' }] \
         }]\n[roles.ops]\ncmdlets = [{ name = 'Stop-It', parameters = [{ name = 'Name', validate_pattern = \
         '(?:\\w*\\d*){300}' }] }]\n",
    );
    let ask = |count: usize| {
        let items = (0..count).map(|_| Value::Text("a".repeat(200))).collect();
        is_allowed(&policy, "Stop-It", &[Argument::named("Name", Value::List(items))])
    };
    assert!(ask(2));
    assert!(!ask(3000));
    assert!(ask(2), "the next request has a bound of its own");
}

/// `-pHunter2` is a name to PowerShell, and a password to a program.
#[test]
fn a_denied_name_is_known_only_when_the_catalogue_knows_it() {
    let policy = policy("[roles.ops]\ncmdlets = ['Get-Service']\naliases = { gs = 'Get-Service' }\n");
    let names = |name: &str, text: &str| {
        let commands =
            vec![Command::new(name, vec![Argument::named(text, Value::Null), Argument::positional(Value::Null)])];
        let request = CommandsRequest { commands, extra_commands: None, input: Presence::Absent };
        let (who, place) = (principal("DEMO\\ops", &[]), target("web01.demo.example"));
        let asked = policy.asked(&who, &place, &Circumstances::default(), &Action::Commands(request)).unwrap();
        asked[0][0].names.clone()
    };
    for (name, known) in
        [("Get-Service", "-Na"), ("gs", "DisplayName"), ("Get-Service", "-Cn:"), ("mysql", "-ea"), ("x", "-Verb")]
    {
        assert_eq!(names(name, known), [AskedName::Known, AskedName::None], "{name} {known}");
    }
    for (name, foreign) in
        [("mysql", "-pHunter2"), ("mysql", "-uroot"), ("Get-Service", "-NameX"), ("Get-Service", "-")]
    {
        assert_eq!(names(name, foreign), [AskedName::Foreign, AskedName::None], "{name} {foreign}");
    }
}
