//! Which commands may ask the user something while they run.

use sekisho_policy::command::{Argument, Command, CommandsRequest, ScriptRequest};
use sekisho_policy::value::Value;
use sekisho_policy::{Action, Checked, Circumstances, Decision, PinnedText, Policy, Presence, Prompts};

use super::support::{compile, principal, target};

const SCRIPT: &str = "Read-Host 'Name'";

const POLICY: &str = r"
defaults = true

[roles.asks]
cmdlets = [
  { name = 'Restart-Service', rule = 'asked', prompts = true, parameters = [{ name = 'Name', validate_set = ['Dns'] }] },
  { name = 'Get-Service', prompts = true },
]
[[roles.asks.scripts]]
name = 'asks'
file = 'asks.ps1'
sha256 = 'SHA256'
prompts = true

[roles.quiet]
cmdlets = [{ name = 'Restart-Service', parameters = [{ name = 'Name', validate_set = ['Dns', 'Spooler'] }] }, 'Get-Date']
[[roles.quiet.programs]]
name = 'host'
path = 'C:\Windows\System32\hostname.exe'
[[roles.quiet.scripts]]
name = 'quiet'
file = 'asks.ps1'
sha256 = 'SHA256'

[[assignments]]
principals = ['D\both']
targets = ['web01']
roles = ['asks', 'quiet']

[[assignments]]
principals = ['D\quiet']
targets = ['web01']
roles = ['quiet']
";

fn policy() -> Policy {
    let text = POLICY.replace("SHA256", PinnedText::of(SCRIPT).sha256());
    compile(&[("policy.toml", &text), ("asks.ps1", SCRIPT)]).policy
}

fn decide(who: &str, action: &Action) -> Decision {
    policy().decide(&principal(who, &[]), &target("web01"), &Circumstances::default(), action)
}

fn prompts(who: &str, names: &[(&str, &str)]) -> Prompts {
    let command = |(name, value): &(&str, &str)| {
        let arguments = if value.is_empty() { vec![] } else { vec![Argument::positional(Value::text(*value))] };
        Command::new(*name, arguments)
    };
    let commands = names.iter().map(command).collect();
    let request = CommandsRequest { commands, extra_commands: None, input: Presence::Absent };
    match &decide(who, &Action::Commands(request)).allowed().unwrap().checked {
        Checked::Commands(commands) => commands.prompts(),
        Checked::Program(_) | Checked::Script(_) => panic!("not commands"),
    }
}

#[test]
fn a_command_asks_where_a_rule_that_allows_it_says_so() {
    assert_eq!(prompts("D\\both", &[("Get-Service", "")]), Prompts::Permitted);
    assert_eq!(prompts("D\\both", &[("Get-Date", "")]), Prompts::Refused);
    // The rule that says so does not allow this value, and the other one does not say so.
    assert_eq!(prompts("D\\both", &[("Restart-Service", "Spooler")]), Prompts::Refused);
    assert_eq!(prompts("D\\both", &[("hostname", "")]), Prompts::Refused);
}

#[test]
fn a_second_rule_never_takes_the_leave_away() {
    assert_eq!(prompts("D\\both", &[("Restart-Service", "Dns")]), Prompts::Permitted);
    assert_eq!(prompts("D\\quiet", &[("Restart-Service", "Dns")]), Prompts::Refused);
    let turned = POLICY.replace("roles.asks", "roles.zz").replace("'asks', 'quiet'", "'zz', 'quiet'");
    let text = turned.replace("SHA256", PinnedText::of(SCRIPT).sha256());
    let policy = compile(&[("policy.toml", &text), ("asks.ps1", SCRIPT)]).policy;
    let commands = vec![Command::new("Restart-Service", vec![Argument::positional(Value::text("Dns"))])];
    let request = CommandsRequest { commands, extra_commands: None, input: Presence::Absent };
    let decision = policy.decide(
        &principal("D\\both", &[]),
        &target("web01"),
        &Circumstances::default(),
        &Action::Commands(request),
    );
    let allowed = decision.allowed().unwrap();
    assert_eq!(allowed.role, "quiet", "the first that allows answers");
    let Checked::Commands(commands) = &allowed.checked else { panic!("not commands") };
    assert_eq!(commands.prompts(), Prompts::Permitted);
}

#[test]
fn all_commands_of_a_request_have_to_be_let_and_the_default_ones_do_not_count() {
    assert_eq!(prompts("D\\both", &[("Get-Service", ""), ("Measure-Object", "")]), Prompts::Permitted);
    assert_eq!(prompts("D\\both", &[("Get-Date", ""), ("Get-Service", "")]), Prompts::Refused);
    assert_eq!(prompts("D\\both", &[("Clear-Host", "")]), Prompts::Indifferent);
    let first = vec![Command::new("Get-Service", vec![])];
    let extra_commands = Some(vec![first.clone(), vec![Command::new("Get-Date", vec![])]]);
    let request = CommandsRequest { commands: first, extra_commands, input: Presence::Absent };
    let decision = decide("D\\both", &Action::Commands(request));
    let Checked::Commands(commands) = &decision.allowed().unwrap().checked else { panic!("not commands") };
    assert_eq!(commands.prompts(), Prompts::Refused, "the second statement is not let");
}

#[test]
fn a_pinned_script_asks_where_one_of_its_entries_says_so() {
    for (who, expected) in [("D\\both", Prompts::Permitted), ("D\\quiet", Prompts::Refused)] {
        let decision = decide(who, &Action::Script(ScriptRequest::new(SCRIPT)));
        let Checked::Script(script) = &decision.allowed().unwrap().checked else { panic!("not a script") };
        assert_eq!(script.prompts(), expected);
    }
}

#[test]
fn a_listing_says_who_may_ask() {
    let (policy, who) = (policy(), principal("D\\both", &[]));
    let listing = policy.listing(&who, &target("web01"), &Circumstances::default());
    let asking: Vec<_> = listing.iter().flat_map(|role| &role.commands).map(|one| (one.name, one.prompts)).collect();
    assert!(asking.contains(&("Get-Service", Prompts::Permitted)) && asking.contains(&("Get-Date", Prompts::Refused)));
    assert!(asking.contains(&("Get-Help", Prompts::Indifferent)));
    let scripts: Vec<_> = listing.iter().flat_map(|role| &role.scripts).map(|one| (one.name, one.prompts)).collect();
    assert_eq!(scripts, [("asks", Prompts::Permitted), ("quiet", Prompts::Refused)]);
}
