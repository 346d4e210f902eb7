//! Script text: as the commands that it spells (R11), and as pinned scripts.

use sekisho_policy::command::{Argument, Bindings, ScriptRequest};
use sekisho_policy::powershell::Construct;
use sekisho_policy::value::{Opaque, Secure, SecureKind, Value};
use sekisho_policy::{Action, Checked, CheckedScript, Circumstances, Decision, DenyReason, Policy, Presence, Source};

use super::support::{principal, reason, target};

const POLICY: &str = r#"
defaults = true
[catalog]
mode = 'replace'
commands = [
  { name = 'Get-Log', module = 'Demo', parameters = [
    { name = 'LogName', type = 'string', position = 0 }, { name = 'Newest', type = 'int' } ] },
]
[roles.ops]
cmdlets = [ { name = 'Get-Log', parameters = [{ name = 'LogName', validate_set = ['System', '-Newest', "it's"] },
  { name = 'Newest', validate_pattern = '\d+' }] } ]

[[assignments]]
principals = ['DEMO\ops']
targets = ['web01.demo.example']
roles = ['ops']
"#;

const SCRIPT: &str =
    "param($Name, [switch] $Force, $Password, $Unlisted)\nRestart-Service $Name\n$using:place; $using:token\n";

/// A pinned script with everything that may be given to it.
const PINNED: &str = r"
[[roles.ops.scripts]]
name = 'restart'
file = 'scripts/restart.ps1'
sha256 = 'DIGEST'
parameters = [{ name = 'Name', validate_set = ['Dns'] }, 'Force', { name = 'Password', secure = true }]
using = [{ name = 'place', validate_pattern = '[a-z]+' }, { name = 'token', secret = true }]
";

fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(text.trim().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn policy_with(script: &str, entry: &str) -> Policy {
    let text = format!("{POLICY}\n{}", entry.replace("DIGEST", &digest(script)));
    let sources = [Source { name: "policy.toml", text: &text }, Source { name: "scripts/restart.ps1", text: script }];
    Policy::compile(&sources).unwrap_or_else(|mistakes| panic!("{mistakes:#?}")).policy
}

fn policy() -> Policy {
    policy_with(SCRIPT, PINNED)
}

fn decide_by(policy: &Policy, request: ScriptRequest) -> Decision {
    let (who, place) = (principal("DEMO\\ops", &[]), target("web01.demo.example"));
    policy.decide(&who, &place, &Circumstances::default(), &Action::Script(request))
}

fn decide(text: &str) -> Decision {
    decide_by(&policy(), ScriptRequest::new(text))
}

fn given(text: &str, arguments: Vec<Argument>, using: Vec<(&str, Value)>) -> Decision {
    let using = using.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let bindings = Bindings { using, arguments };
    decide_by(&policy(), ScriptRequest { bindings, ..ScriptRequest::new(text) })
}

fn script(decision: &Decision) -> CheckedScript {
    match &decision.allowed().unwrap_or_else(|| panic!("{decision:?}")).checked {
        Checked::Script(script) => script.clone(),
        Checked::Commands(_) | Checked::Program(_) => panic!("{decision:?}"),
    }
}

fn text(text: &str) -> Value {
    Value::text(text)
}

#[test]
fn text_is_judged_as_the_commands_that_it_spells() {
    for good in [
        "Get-Log System",
        " Get-Log -LogName:'System' -Newest 50 ",
        "get-log \"System\" | Measure-Object",
        "Get-Log |\n Out-Default",
        "Get-Log '-Newest'",
        "Get-Log 'it''s'",
    ] {
        let decision = decide(good);
        assert!(matches!(decision.allowed().map(|allowed| &allowed.checked), Some(Checked::Commands(_))), "{good}");
    }
    for (bad, expected) in [
        ("Get-Log Security", DenyReason::Value),
        ("Get-Log -Newest 0x10", DenyReason::Value),
        ("Get-Log -Newest 1kb", DenyReason::Value),
        ("Get-Log -OutVariable x", DenyReason::Variable),
        ("Measure-Object | Get-Log", DenyReason::Pipeline),
        ("Stop-Computer", DenyReason::Command),
        ("Get-Log System; Get-Log System", DenyReason::Text(Construct::Statements)),
        ("Get-Log (1)", DenyReason::Text(Construct::Parentheses)),
        ("Get-Log $x", DenyReason::Text(Construct::Variable)),
        ("Get-Log '--%'", DenyReason::Text(Construct::VerbatimArgument)),
        ("", DenyReason::Text(Construct::Empty)),
    ] {
        assert_eq!(reason(&decide(bad)), Some(expected), "{bad}");
    }
    assert_eq!(decide("Get-Log $x").denied().unwrap().place, Some(8));
}

#[test]
fn text_with_input_is_judged_as_commands_with_input() {
    let request = ScriptRequest { input: Presence::Present, ..ScriptRequest::new("Get-Log System") };
    assert_eq!(reason(&decide_by(&policy(), request)), Some(DenyReason::Input));
    let request = ScriptRequest { input: Presence::Present, ..ScriptRequest::new("Measure-Object") };
    assert!(decide_by(&policy(), request).allowed().is_some());
}

#[test]
fn a_pinned_script_runs_as_the_policys_own_copy() {
    let expected = SCRIPT.trim();
    for sent in
        [SCRIPT.to_owned(), SCRIPT.replace('\n', "\r\n"), format!("\n \t{SCRIPT}\r\n\r\n"), format!("\u{FEFF}{SCRIPT}")]
    {
        let decision = decide(&sent);
        let checked = script(&decision);
        assert_eq!((checked.text(), checked.name()), (expected, "restart"));
        assert_eq!(checked.sha256(), digest(SCRIPT));
        assert!(checked.parameters().is_empty() && checked.using().is_empty());
        let allowed = decision.allowed().unwrap();
        assert_eq!((allowed.role.as_str(), allowed.rule.as_str()), ("ops", "restart"));
    }
    for other in [
        SCRIPT.replace("Restart", "restart"),
        SCRIPT.replace("Name\n", "Name \n"),
        format!("{SCRIPT};x"),
        format!("{SCRIPT}\nx"),
        SCRIPT.replace('\n', "\n\n"),
    ] {
        assert!(matches!(reason(&decide(&other)), Some(DenyReason::Text(_))), "{other:?}");
    }
}

#[test]
fn what_a_pinned_script_is_given_is_judged_like_a_commands_arguments() {
    let secure = || Value::Secure(Secure { kind: SecureKind::SecureString, handle: 1 });
    let arguments =
        vec![Argument::positional(text("dns")), Argument::positional(secure()), Argument::named("-Force", Value::Null)];
    let using = vec![("PLACE", text("attic")), ("token", text("hunter2"))];
    let checked = script(&given(SCRIPT, arguments, using));
    let shown: Vec<_> =
        checked.parameters().iter().map(|one| (one.name(), one.value().clone(), one.is_secret())).collect();
    assert_eq!(
        shown,
        [("Name", text("dns"), false), ("Password", secure(), true), ("Force", Value::Bool(true), false)]
    );
    let shown: Vec<_> = checked.using().iter().map(|one| (one.name(), one.value().clone(), one.is_secret())).collect();
    assert_eq!(shown, [("place", text("attic"), false), ("token", text("hunter2"), true)]);

    let one = |argument: Argument| given(SCRIPT, vec![argument], vec![]);
    for (decision, expected) in [
        (one(Argument::positional(text("Spooler"))), DenyReason::Value),
        (one(Argument::named("-Nam", text("Spooler"))), DenyReason::Value),
        (one(Argument::named("Password", text("x"))), DenyReason::Value),
        (one(Argument::named("-Unlisted", text("x"))), DenyReason::Parameter),
        (one(Argument::named("-Other", text("x"))), DenyReason::ParameterName),
        (one(Argument::named("-OutVariable", text("x"))), DenyReason::ParameterName),
        (one(Argument::named("-Name", Value::Opaque(Opaque::ScriptBlock))), DenyReason::ValueKind),
        (one(Argument::named("-Force", text("x"))), DenyReason::Binding),
        (given(SCRIPT, vec![], vec![("place", text("ATTIC1"))]), DenyReason::Value),
        (given(SCRIPT, vec![], vec![("other", text("x"))]), DenyReason::Parameter),
        (given(SCRIPT, vec![], vec![("place", text("x")), ("Place", text("y"))]), DenyReason::Parameter),
        (given(SCRIPT, vec![], vec![("place", secure())]), DenyReason::ValueKind),
    ] {
        assert_eq!(reason(&decision), Some(expected), "{decision:?}");
        assert_eq!(decision.denied().unwrap().nearest.as_ref().unwrap().rule, "restart");
    }
    let secret = Argument::positional(secure());
    let x = Argument::positional(text("x"));
    let four = vec![Argument::positional(text("Dns")), secret.clone(), x.clone(), x.clone()];
    assert_eq!(reason(&given(SCRIPT, four, vec![])), Some(DenyReason::Binding), "nothing goes to $args");
    let three = vec![Argument::positional(text("Dns")), secret, x];
    assert_eq!(reason(&given(SCRIPT, three, vec![])), Some(DenyReason::Parameter), "declared and not listed");
    let request = ScriptRequest { input: Presence::Present, ..ScriptRequest::new(SCRIPT) };
    assert_eq!(reason(&decide_by(&policy(), request)), Some(DenyReason::Input));
}

#[test]
fn a_role_that_is_not_held_pins_nothing() {
    let text = format!("{POLICY}\n{}", PINNED.replace("DIGEST", &digest(SCRIPT)).replace("roles.ops", "roles.other"));
    let sources = [Source { name: "policy.toml", text: &text }, Source { name: "scripts/restart.ps1", text: SCRIPT }];
    let policy = Policy::compile(&sources).unwrap().policy;
    assert!(matches!(reason(&decide_by(&policy, ScriptRequest::new(SCRIPT))), Some(DenyReason::Text(_))));
}

#[test]
fn pinning_a_text_takes_nothing_away_from_what_it_spells() {
    let spelled = "Get-Log System";
    let entry = "[[roles.ops.scripts]]\nname = 'log'\nfile = 'scripts/restart.ps1'\nsha256 = 'DIGEST'\n";
    let policy = policy_with(spelled, entry);
    assert!(matches!(decide_by(&policy, ScriptRequest::new(spelled)).allowed().unwrap().checked, Checked::Script(_)));
    // With an argument the pinned script is out of reach, and with a `param` block this is R11's text again.
    let request = ScriptRequest { input: Presence::Present, ..ScriptRequest::new(spelled) };
    assert_eq!(reason(&decide_by(&policy, request)), Some(DenyReason::Input));
}
