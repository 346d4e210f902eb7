//! What a target gets.

use super::*;
use crate::config::Endpoint;
use crate::enforce::pipeline::encode::merge;
use sekisho_policy::{Checked, Circumstances, Edition, PinnedText, Policy, Principal, Source, TargetFacts};
use sekisho_protocol::psrp::MergeTarget;

fn sealed(secret: &SecretText) -> sekisho_protocol::Result<SecureText> {
    Ok(SecureText(Zeroizing::new(secret.with(|text| format!("sealed:{text}")))))
}

const PINNED: &str = "param($Name, [switch] $Force, $Login)\nUse $Name $using:Place";

const POLICY: &str = r"
[catalog]
mode = 'replace'
commands = [
  { name = 'Get-Pool', module = 'Demo.Web', parameters = [ { name = 'Name', type = 'string[]', position = 0 }, { name = 'Quick', switch = true } ] },
  { name = 'Set-Login', module = 'Demo.Web', parameters = [ { name = 'Password', type = 'SecureString', position = 0 }, { name = 'Login', type = 'PSCredential' } ] },
  { name = 'Own-It', parameters = [] },
]

[roles.r]
cmdlets = ['Get-Pool', { name = 'Set-Login', parameters = [{ name = 'Password', secure = true }, { name = 'Login', secure = true }] }]
functions = ['Own-It']
[[roles.r.programs]]
name = 'host'
path = 'C:\Windows\System32\hostname.exe'
arguments = { any = true }
[[roles.r.scripts]]
name = 'pinned'
file = 'pinned.ps1'
sha256 = 'SHA256'
parameters = ['Name', 'Force', { name = 'Login', secure = true }]
using = ['Place']

[[assignments]]
principals = ['D\u']
targets = ['web01']
roles = ['r']
";

/// What a target gets for a request that policy allows.
fn sent(endpoint: Endpoint, request: &CreatePipeline, input: Presence) -> Result<CreatePipeline, Unsendable> {
    let text = POLICY.replace("SHA256", PinnedText::of(PINNED).sha256());
    let sources = [Source { name: "p.toml", text: &text }, Source { name: "pinned.ps1", text: PINNED }];
    let policy = Policy::compile(&sources).unwrap_or_else(|mistakes| panic!("{mistakes:?}")).policy;
    let mut secrets = Secrets::new();
    let Asked::Judge { action, form } = read(request, input, &opened, &mut secrets) else { panic!("not judged") };
    let principal = Principal { name: "D\\u".to_owned(), groups: vec![] };
    let target = TargetFacts { name: "web01".to_owned(), groups: vec![], tags: vec![], edition: Edition::Windows51 };
    let decision = policy.decide(&principal, &target, &Circumstances::default(), &action);
    let allowed = decision.allowed().unwrap_or_else(|| panic!("{decision:?}"));
    let what = match &allowed.checked {
        Checked::Commands(commands) => Sent::Commands(commands),
        Checked::Script(script) => Sent::Script(script),
        Checked::Program(_) => panic!("a program"),
    };
    encode(what, &form, input, &Writer { endpoint, secrets: &secrets, seal: &sealed })
}

fn sent_one(endpoint: Endpoint, commands: Vec<Wire>) -> Vec<Wire> {
    let request = CreatePipeline::of_statements(vec![commands]);
    sent(endpoint, &request, Presence::Absent).unwrap().commands
}

#[test]
fn a_target_gets_whole_names_with_their_values_and_nothing_of_the_clients() {
    let commands = vec![cmd(
        "GET-POOL",
        vec![
            arg(Some("-Qui"), Value::Nil),
            arg(Some("-Na"), Value::Nil),
            arg(None, Value::array(vec![text("a"), Value::int(1)])),
        ],
    )];
    let mut request = CreatePipeline::of_statements(vec![commands]);
    request.add_to_history = true;
    request.host = psrp::HostInfo { no_host: false, ..psrp::HostInfo::none() };
    let sent = sent(Endpoint::Restricted, &request, Presence::Absent).unwrap();
    let arguments =
        vec![arg(Some("Quick"), Value::Bool(true)), arg(Some("Name"), Value::array(vec![text("a"), Value::int(1)]))];
    assert_eq!(sent, CreatePipeline::of_statements(vec![vec![cmd("Get-Pool", arguments)]]));
    assert!(sent.no_input && !sent.add_to_history && sent.host.no_host);
}

#[test]
fn names_are_bare_where_modules_are_hidden_and_whole_elsewhere() {
    let names = |endpoint| {
        let commands = vec![cmd("get-pool", vec![]), cmd("own-it", vec![]), out_default()];
        sent_one(endpoint, commands).into_iter().map(|command| command.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Endpoint::Restricted), ["Get-Pool", "Own-It", "Out-Default"]);
    assert_eq!(names(Endpoint::Full), [r"Demo.Web\Get-Pool", "Own-It", r"Microsoft.PowerShell.Core\Out-Default"]);
}

#[test]
fn text_goes_out_as_commands_with_the_end_that_its_form_wants() {
    let invoke = || {
        vec![
            cmd("Invoke-Expression", vec![arg(Some("Command"), text("Get-Pool 'x'"))]),
            cmd("Out-String", vec![arg(Some("Stream"), Value::Nil)]),
        ]
    };
    let pool = |name: &str| cmd(name, vec![arg(Some("Name"), text("x"))]);
    let lines = cmd(r"Microsoft.PowerShell.Utility\Out-String", vec![arg(Some("Stream"), Value::Bool(true))]);
    assert_eq!(sent_one(Endpoint::Full, invoke()), [pool(r"Demo.Web\Get-Pool"), lines]);
    assert_eq!(sent_one(Endpoint::Restricted, invoke()), [pool("Get-Pool")]);
    let typed = vec![script("Get-Pool x", vec![]), out_default()];
    assert_eq!(sent_one(Endpoint::Restricted, typed), [pool("Get-Pool"), out_default()]);
    let raw = vec![script("Get-Pool x\nexit $LASTEXITCODE", vec![])];
    assert_eq!(sent_one(Endpoint::Restricted, raw), [pool("Get-Pool")]);
}

#[test]
fn every_statement_gets_its_end_and_its_redirections_back() {
    let merge = Merge { error: MergeTarget::Output, ..Merge::default() };
    let merged = Wire { merge, ..cmd("Get-Pool", vec![]) };
    let statements =
        vec![vec![cmd("Own-It", vec![]), merged, out_default()], vec![cmd("Own-It", vec![]), out_default()]];
    let request = CreatePipeline::of_statements(statements.clone());
    let sent = sent(Endpoint::Restricted, &request, Presence::Absent).unwrap();
    assert_eq!(sent, CreatePipeline::of_statements(statements));
}

#[test]
fn redirections_of_other_commands_are_never_put_on() {
    let mut commands = vec![vec![cmd("A-B", vec![])]];
    assert_eq!(merge(&mut commands, &[]), Err(Unsendable::Merge));
    assert_eq!(merge(&mut commands, &[vec![Merge::default(); 2]]), Err(Unsendable::Merge));
}

#[test]
fn programs_get_their_texts_by_position_and_input_is_announced_where_it_was_judged() {
    let program = sent_one(Endpoint::Full, vec![cmd("hostname", vec![arg(None, text("-x y"))])]);
    assert_eq!(program, [cmd(r"C:\Windows\System32\hostname.exe", vec![arg(None, text("-x y"))])]);
    let request = CreatePipeline::of_statements(vec![vec![cmd("Get-Pool", vec![])]]);
    assert!(!sent(Endpoint::Full, &request, Presence::Present).unwrap().no_input);
}

#[test]
fn a_pinned_script_goes_out_in_the_policys_words_with_what_was_judged() {
    let loose = PINNED.replace('\n', "\r\n") + "\r\n";
    let given = vec![
        arg(None, text("n")),
        using(&[("place", text("p"))]),
        arg(Some("-Login"), Value::Nil),
        arg(None, credential(text("u"), secure("s"))),
        arg(Some("-Force"), Value::Nil),
    ];
    let sent = sent_one(Endpoint::Full, vec![script(&loose, given), out_default()]);
    let types = ["System.Management.Automation.PSCredential", "System.Object"].map(str::to_owned);
    let login = Value::object(Object {
        types: Some(types.into()),
        shown: Some("System.Management.Automation.PSCredential".to_owned()),
        adapted: Some(vec![("UserName".to_owned(), text("u")), ("Password".to_owned(), secure("sealed:opened:s"))]),
        ..Object::default()
    });
    let [command, end] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((command.name.as_str(), command.kind), (PINNED, psrp::CommandKind::Script));
    let [name, its_login, force, carrier] = command.arguments.as_slice() else { panic!("{command:?}") };
    assert_eq!(*name, arg(Some("Name"), text("n")));
    assert_eq!(*its_login, arg(Some("Login"), login));
    assert_eq!(*force, arg(Some("Force"), Value::Bool(true)));
    assert_eq!(carrier.name.as_deref(), Some("--%"));
    let Some(Content::Dictionary(entries)) = carrier.value.as_object().map(|object| &object.content) else { panic!() };
    assert_eq!(*entries, [(text(&using_key("place")), text("p"))]);
    assert_eq!(end.name, r"Microsoft.PowerShell.Core\Out-Default");
}

#[test]
fn secrets_are_sealed_anew_and_never_sent_without() {
    let arguments = vec![arg(Some("Password"), secure("a")), arg(Some("Login"), credential(text("u"), secure("b")))];
    let sent = sent_one(Endpoint::Restricted, vec![cmd("Set-Login", arguments)]);
    assert_eq!(sent[0].arguments[0].value, secure("sealed:opened:a"));
    assert_eq!(
        sent[0].arguments[1].value.as_object().unwrap().adapted_member("Password"),
        Some(&secure("sealed:opened:b"))
    );
    let body = sekisho_protocol::clixml::encode(&CreatePipeline::of_statements(vec![sent.clone()]).encode());
    let back = CreatePipeline::decode(&sekisho_protocol::clixml::decode(body.as_bytes()).unwrap()).unwrap();
    assert_eq!(back.commands, sent);
}
