//! Commands of PowerShell: each sentence of the rules of judgement (R1 to R10 and R13), as allowed and as denied.

use sekisho_policy::command::{Argument, Command, CommandsRequest, Pipeline};
use sekisho_policy::value::{Number, NumberKind, Opaque, Secure, SecureKind, Spelling, Value};
use sekisho_policy::{
    Action, Checked, CheckedArguments, CheckedCommand, Circumstances, Decision, DenyReason, Policy, Presence,
};

use super::support::{compile, principal, reason, target};

pub(crate) const CATALOG: &str = r"
[catalog]
mode = 'replace'
commands = [
  { name = 'Get-Log', module = 'Demo.Logs', parameters = [
    { name = 'LogName', type = 'string', position = 0, aliases = ['LN'] },
    { name = 'InstanceId', type = 'long[]', position = 1 },
    { name = 'Newest', type = 'int' },
    { name = 'EntryType', type = 'string[]' },
    { name = 'ComputerName', type = 'string[]', aliases = ['Cn'] },
    { name = 'AsText', switch = true } ] },
  { name = 'Restart-Pool', module = 'Demo.Web', should_process = true, parameters = [
    { name = 'Name', type = 'string[]', position = 0, pipeline = ['value'] },
    { name = 'PassThru', switch = true } ] },
  { name = 'Get-Pool', module = 'Demo.Web', parameters = [ { name = 'Name', type = 'string', position = 0 } ] },
  { name = 'Set-Account', module = 'Demo.Accounts', parameters = [
    { name = 'Identity', type = 'string', position = 0 },
    { name = 'Password', type = 'SecureString' },
    { name = 'Comment', type = 'string' } ] },
  { name = 'Stop-Host', module = 'Demo.Hosts', parameters = [ { name = 'Force', switch = true } ] },
]
";

pub(crate) const ROLES: &str = r"
defaults = true

[roles.logs]
cmdlets = [
  { name = 'Get-Log', rule = 'read logs', parameters = [
    { name = 'LogName', validate_set = ['Application', 'System', '受注', '7', 'True'] },
    { name = 'Newest', validate_pattern = '\d{1,3}' },
    'AsText' ] },
]
aliases = { log = 'Get-Log' }

[roles.pools]
cmdlets = [ 'Demo.Web\Get-Pool', { name = 'Restart-Pool', parameters = [{ name = 'Name', validate_set = ['Portal'] }] } ]
functions = [ 'Stop-*' ]
aliases = { gp = 'Get-Pool' }

[[roles.pools.programs]]
name = 'host'
path = 'C:\Windows\System32\hostname.exe'

[[roles.pools.programs]]
name = 'report'
path = 'C:\Windows\System32\systeminfo.exe'
arguments = { each = ['/fo', 'csv|list|-x', '\d'], max = 2 }

[[roles.pools.programs]]
name = 'feed'
path = 'C:\Windows\System32\sort.exe'
stdin = true

[roles.accounts]
cmdlets = [
  { name = 'Set-Account', parameters = [
    'Identity', { name = 'Password', secure = true },
    { name = 'Comment', secret = true, validate_set = ['hunter2'] } ] },
]
";

pub(crate) const WHO: &str = r"
[[assignments]]
principals = ['DEMO\ops']
targets = ['web01.demo.example']
roles = ['logs', 'pools', 'accounts']
";

pub(crate) fn policy() -> Policy {
    compile(&[("catalog.toml", CATALOG), ("roles.toml", ROLES), ("who.toml", WHO)]).policy
}

pub(crate) fn decide_by(policy: &Policy, request: CommandsRequest) -> Decision {
    let (who, where_) = (principal("DEMO\\ops", &[]), target("web01.demo.example"));
    policy.decide(&who, &where_, &Circumstances::default(), &Action::Commands(request))
}

pub(crate) fn decide(pipeline: Pipeline) -> Decision {
    decide_by(&policy(), CommandsRequest { commands: pipeline, extra_commands: None, input: Presence::Absent })
}

pub(crate) fn command(name: &str, arguments: &[Argument]) -> Command {
    Command::new(name, arguments.to_vec())
}

pub(crate) fn one(name: &str, arguments: &[Argument]) -> Decision {
    decide(vec![command(name, arguments)])
}

pub(crate) fn named(name: &str, value: Value) -> Argument {
    Argument::named(name, value)
}

pub(crate) fn positional(value: Value) -> Argument {
    Argument::positional(value)
}

pub(crate) fn text(text: &str) -> Value {
    Value::text(text)
}

pub(crate) fn commands(decision: &Decision) -> Vec<CheckedCommand> {
    match &decision.allowed().unwrap_or_else(|| panic!("{decision:?}")).checked {
        Checked::Commands(commands) => commands.statements().iter().flatten().cloned().collect(),
        Checked::Program(_) | Checked::Script(_) => panic!("{decision:?}"),
    }
}

/// Name and value of each argument.
pub(crate) fn sent(decision: &Decision) -> Vec<(String, Value)> {
    match commands(decision).remove(0).arguments() {
        CheckedArguments::Named(list) => list.iter().map(|one| (one.name().to_owned(), one.value().clone())).collect(),
        CheckedArguments::Program(texts) => texts.iter().map(|one| (String::new(), text(one.value()))).collect(),
    }
}

pub(crate) fn pair(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

#[track_caller]
pub(crate) fn denied(decision: &Decision, expected: DenyReason) {
    assert_eq!(reason(decision), Some(expected), "{decision:?}");
}

#[test]
fn names_are_whole_whatever_their_case() {
    for name in ["Get-Pool", "get-pool", "GET-POOL", "gp", "GP"] {
        assert_eq!(commands(&one(name, &[]))[0].name(), "Get-Pool", "{name}");
    }
    for name in [
        "",
        " ",
        "Get-Pool ",
        " Get-Pool",
        "Pool",
        "Get-Poo",
        "Get-Pool.exe",
        "Get-Pool.ps1",
        "Get-*",
        "Get-P?ol",
        "[G]et-Pool",
        "Get\u{2013}Pool",
        "Get\u{2014}Pool",
        "Get-Pool\u{200B}",
        "\u{FEFF}Get-Pool",
        "G\u{AD}et-Pool",
        "Ｇet-Pool",
        "Get-Pool\0",
        "Get-Pool;x",
        ".\\Get-Pool",
        "/Get-Pool",
        "C:\\Get-Pool",
        "function:Get-Pool",
        "\\Get-Pool",
        "gwap",
        "__Get-Pool",
        "Get-Pool\n",
        "'Get-Pool'",
        "&Get-Pool",
        "ＧＰ",
    ] {
        denied(&one(name, &[]), DenyReason::Command);
    }
    for name in ["Re\u{17F}tart-Pool", "\u{212A}et-Pool", "Demo.Web\\\\Get-Pool", "Demo.Web\\1.0\\Get-Pool"] {
        denied(&one(name, &[]), DenyReason::Command);
    }
}

#[test]
fn a_module_may_stand_before_entries_without_parameters_alone() {
    assert_eq!(commands(&one("demo.web\\get-pool", &[]))[0].name(), "Get-Pool");
    assert_eq!(commands(&one("Demo.Hosts\\Stop-Host", &[]))[0].module(), "Demo.Hosts");
    denied(&one("Demo.Web\\Restart-Pool", &[named("-Name", text("Portal"))]), DenyReason::Qualified);
    denied(&one("Demo.Logs\\Get-Log", &[]), DenyReason::Qualified);
    denied(&one("Microsoft.PowerShell.Utility\\Select-Object", &[]), DenyReason::Qualified);
    denied(&one("Demo.Logs\\Get-Pool", &[]), DenyReason::Command);
    denied(&one("Demo.Web\\gp", &[]), DenyReason::Command);
    denied(&one("Demo.Web\\", &[]), DenyReason::Command);
}

#[test]
fn wildcards_cover_what_the_catalogue_knows() {
    assert_eq!(commands(&one("Stop-Host", &[named("Force", Value::Null)]))[0].rule(), "Stop-*");
    denied(&one("Stop-Computer", &[]), DenyReason::Command);
    denied(&one("Stop-", &[]), DenyReason::Command);
}

#[test]
fn aliases_count_within_their_role_alone() {
    let text = "[roles.a]\naliases = { gp = 'Get-Pool' }\ncmdlets = ['Get-Pool']\n[roles.b]\n\
                cmdlets = ['Stop-Host']\naliases = { sh = 'Stop-Host' }\n";
    let assigned = |role: &str| {
        let who =
            format!("[[assignments]]\nprincipals=['DEMO\\ops']\ntargets=['web01.demo.example']\nroles=['{role}']\n");
        compile(&[("c", CATALOG), ("r", text), ("w", &who)]).policy
    };
    let ask = |role: &str, name: &str| {
        let commands = vec![command(name, &[])];
        decide_by(&assigned(role), CommandsRequest { commands, extra_commands: None, input: Presence::Absent })
    };
    assert!(ask("a", "gp").allowed().is_some() && ask("b", "sh").allowed().is_some());
    denied(&ask("b", "gp"), DenyReason::Command);
    denied(&ask("a", "sh"), DenyReason::Command);
}

/// Were it an alias in one role, what another role allows would mean something else by its own name.
#[test]
fn the_name_of_a_command_is_no_alias() {
    let roles =
        "[roles.ops]\ncmdlets = ['Get-Pool', 'Stop-Host']\naliases = { Get-Pool = 'Stop-Host', gp = 'Get-Pool' }\n";
    let who = "[[assignments]]\nprincipals=['DEMO\\ops']\ntargets=['web01.demo.example']\nroles=['ops']\n";
    let compiled = compile(&[("c", CATALOG), ("r", roles), ("w", who)]);
    assert!(compiled.warnings.iter().any(|warning| warning.message.contains("is the name of a command")));
    for name in ["gp", "get-pool"] {
        let commands = vec![command(name, &[])];
        let decision =
            decide_by(&compiled.policy, CommandsRequest { commands, extra_commands: None, input: Presence::Absent });
        let Some(Checked::Commands(commands)) = decision.allowed().map(|allowed| &allowed.checked) else { panic!() };
        assert_eq!(commands.statements()[0][0].name(), "Get-Pool");
    }
}

#[test]
fn every_spelling_of_an_argument_is_sent_in_one() {
    let expected = [pair("LogName", text("System"))];
    for arguments in [
        vec![named("-LogName", text("System"))],
        vec![named("LN", text("System"))],
        vec![named("-lo:", text("System"))],
        vec![named("--LogName: ", text("System"))],
        vec![named("-LogName", Value::Null), positional(text("System"))],
        vec![positional(text("System"))],
    ] {
        assert_eq!(sent(&one("Get-Log", &arguments)), expected, "{arguments:?}");
    }
    let both = [named("-As", Value::Null), positional(text("System")), named("-new", Value::int(50))];
    let expected = [pair("AsText", Value::Bool(true)), pair("LogName", text("System")), pair("Newest", Value::int(50))];
    assert_eq!(sent(&one("log", &both)), expected);
}

#[test]
fn parameters_are_resolved_against_all_that_the_command_has() {
    let ask = |name: &str, value| one("Get-Log", &[named(name, value)]);
    denied(&ask("-ComputerName", text("x")), DenyReason::Parameter);
    denied(&ask("-Cn", text("x")), DenyReason::Parameter);
    // Alone among the listed ones it would be an abbreviation of nothing.
    denied(&ask("-E", text("x")), DenyReason::Parameter);
    denied(&ask("-Nonsense", text("x")), DenyReason::ParameterName);
    denied(&ask("-Log\u{AD}Name", text("System")), DenyReason::ParameterName);
    denied(&ask("", text("System")), DenyReason::ParameterName);
    denied(&ask("-", text("System")), DenyReason::ParameterName);
    denied(&ask("-?", Value::Null), DenyReason::ParameterName);
    let twice = [named("-LogName", text("System")), named("-LN", text("System"))];
    denied(&one("Get-Log", &twice), DenyReason::ParameterName);
    // The value at position 1 is of a parameter that is not listed.
    denied(&one("Get-Log", &[positional(text("System")), positional(Value::int(5))]), DenyReason::Parameter);
}

#[test]
fn values_that_are_missing_or_left_over_are_denied() {
    denied(&one("Get-Log", &[named("-LogName", Value::Null)]), DenyReason::Binding);
    denied(&one("Get-Log", &[named("LogName", Value::Null), positional(text("System"))]), DenyReason::Binding);
    denied(&one("Get-Pool", &[positional(text("a")), positional(text("b"))]), DenyReason::Binding);
    denied(&one("Get-Log", &[named("-AsText", text("x"))]), DenyReason::Binding);
    denied(&one("Get-Log", &[named("-AsText", Value::int(1))]), DenyReason::Binding);
    // A switch never takes the next value.
    denied(&one("Stop-Host", &[named("-Force", Value::Null), positional(Value::Bool(false))]), DenyReason::Binding);
    for value in [Value::Null, Value::List(vec![]), Value::List(vec![text("System"), Value::Null])] {
        denied(&one("Get-Log", &[named("-LogName:", value)]), DenyReason::Value);
    }
    assert!(one("Get-Pool", &[named("-Name:", Value::Null)]).allowed().is_some(), "unrestricted");
    assert!(one("Get-Pool", &[named("-Name:", Value::List(vec![]))]).allowed().is_some());
}

fn number(kind: NumberKind, text: &str, spelling: Spelling) -> Value {
    Value::Number(Number { kind, text: text.to_owned(), spelling })
}

#[test]
fn sets_are_compared_ordinally_as_whole_values() {
    let ask = |value| one("Get-Log", &[named("-LogName", value)]);
    for good in ["System", "SYSTEM", "application", "受注", "7", "true"] {
        assert_eq!(sent(&ask(text(good)))[0].1, text(good), "sent as it came");
    }
    assert!(ask(Value::int(7)).allowed().is_some());
    assert!(ask(Value::Bool(true)).allowed().is_some());
    for bad in [
        "",
        " ",
        "Syste",
        "Systemx",
        "System ",
        " System",
        "System\n",
        "System\0",
        "Sys\u{AD}tem",
        "\u{17F}ystem",
        "System,Application",
        "Application\u{200B}",
        "*",
        "受",
        "７",
        "Sy\u{301}stem",
    ] {
        denied(&ask(text(bad)), DenyReason::Value);
    }
    denied(&ask(Value::Bool(false)), DenyReason::Value);
    denied(&ask(number(NumberKind::Int32, "7", Spelling::Marked)), DenyReason::Value);
    assert!(ask(Value::List(vec![text("System"), text("7"), Value::int(7)])).allowed().is_some());
    denied(&ask(Value::List(vec![text("System"), text("Security")])), DenyReason::Value);
    denied(
        &ask(Value::List(vec![text("System"), number(NumberKind::Int32, "7", Spelling::Marked)])),
        DenyReason::Value,
    );
}

#[test]
fn patterns_match_whole_values() {
    let ask = |value| one("Get-Log", &[named("-Newest", value)]);
    for good in [Value::int(5), text("500"), number(NumberKind::Int64, "500", Spelling::Plain)] {
        assert!(ask(good).allowed().is_some());
    }
    for bad in ["", "5000", "5\n", "-5", "5.0", "x5", "5 ", "1kb"] {
        denied(&ask(text(bad)), DenyReason::Value);
    }
    denied(&ask(number(NumberKind::Double, "3.5", Spelling::Plain)), DenyReason::Value);
    denied(&ask(number(NumberKind::Int32, "16", Spelling::Marked)), DenyReason::Value);
    denied(&ask(Value::Bool(true)), DenyReason::Value);
}

#[test]
fn a_marked_number_passes_where_nothing_is_restricted() {
    let value = number(NumberKind::Int32, "1024", Spelling::Marked);
    assert_eq!(sent(&one("Get-Pool", &[positional(value.clone())])), [pair("Name", value)]);
}

pub(crate) fn secure() -> Value {
    Value::Secure(Secure { kind: SecureKind::SecureString, handle: 7 })
}

#[test]
fn objects_and_script_blocks_are_denied_everywhere() {
    let nested = Value::List(vec![Value::List(vec![text("Portal")])]);
    for value in [Value::Opaque(Opaque::Object), Value::Opaque(Opaque::ScriptBlock), nested, secure()] {
        for value in [value.clone(), Value::List(vec![text("Portal"), value])] {
            let named_by = |name: &str| [named(name, value.clone())];
            for (command, name) in [
                ("Get-Pool", "-Name"),
                ("Restart-Pool", "-Name"),
                ("Get-Log", "-ErrorAction"),
                ("Get-Pool", "-ea"),
                ("Select-Object", "-InputObject"),
                ("Set-Account", "-Identity"),
            ] {
                denied(&one(command, &named_by(name)), DenyReason::ValueKind);
            }
            denied(&one("Get-Pool", &[positional(value.clone())]), DenyReason::ValueKind);
        }
    }
    // Shell characters are characters.
    let inert = text("'; Stop-Host -Force # $(x) `n\" & | > %PATH%");
    assert_eq!(sent(&one("Get-Pool", &[positional(inert.clone())])), [pair("Name", inert)]);
}

#[test]
fn a_secure_parameter_takes_secure_values_and_nothing_else() {
    let credential = Value::Secure(Secure { kind: SecureKind::Credential { user: "DEMO\\svc".to_owned() }, handle: 8 });
    for value in [secure(), credential] {
        let decision = one("Set-Account", &[positional(text("u")), named("-Password", value.clone())]);
        assert_eq!(sent(&decision), [pair("Identity", text("u")), pair("Password", value)]);
    }
    for value in [text("hunter2"), Value::Null, Value::Bool(true), Value::int(1), Value::List(vec![text("x")])] {
        denied(&one("Set-Account", &[named("-Password:", value)]), DenyReason::Value);
    }
    for value in [Value::Opaque(Opaque::Object), Value::List(vec![secure()])] {
        denied(&one("Set-Account", &[named("-Password:", value)]), DenyReason::ValueKind);
    }
}

#[test]
fn secrets_are_marked_by_rule_by_name_and_by_kind() {
    let secrets = |decision: &Decision| -> Vec<bool> {
        match commands(decision).remove(0).arguments() {
            CheckedArguments::Named(list) => list.iter().map(|one| one.is_secret()).collect(),
            CheckedArguments::Program(list) => list.iter().map(|one| one.is_secret()).collect(),
        }
    };
    let arguments = [positional(text("u")), named("-Comment", text("Hunter2")), named("-Password", secure())];
    assert_eq!(secrets(&one("Set-Account", &arguments)), [false, true, true]);
    let denied = one("Set-Account", &[named("-Comment", text("secret-word"))]);
    let message = &denied.denied().unwrap().message;
    assert!(message.contains("-Comment accepts other values only"), "{message}");
    assert!(!message.contains("hunter2") && !message.contains("secret-word"));
    let free = "[roles.r]\ncmdlets = ['Set-Account']\n[[assignments]]\nprincipals=['DEMO\\ops']\n\
                targets=['web01.demo.example']\nroles=['r']\n";
    let policy = compile(&[("c", CATALOG), ("r", free)]).policy;
    let commands = vec![command("Set-Account", &[named("-Password", text("x")), named("-Comment", text("y"))])];
    let request = CommandsRequest { commands, extra_commands: None, input: Presence::Absent };
    assert_eq!(secrets(&decide_by(&policy, request)), [true, false], "a name that speaks of a secret marks its value");
}

#[test]
fn common_parameters_need_no_rule_and_variables_get_none() {
    for name in ["-ErrorAction", "-ea", "-WarningAction", "-infa", "-ProgressAction", "-OutBuffer", "-ob"] {
        assert!(one("Get-Log", &[named(name, text("Stop"))]).allowed().is_some(), "{name}");
    }
    for name in ["-Verbose", "-vb", "-Debug"] {
        assert!(one("Get-Log", &[named(name, Value::Null)]).allowed().is_some(), "{name}");
    }
    assert!(one("Restart-Pool", &[named("-WhatIf", Value::Null)]).allowed().is_some());
    assert!(one("Restart-Pool", &[named("-cf:", Value::Bool(false))]).allowed().is_some());
    denied(&one("Get-Log", &[named("-WhatIf", Value::Null)]), DenyReason::ParameterName);
    for command in ["Get-Log", "Get-Pool", "Select-Object", "Stop-Host"] {
        for name in ["-ErrorVariable", "ev", "-wv", "-iv:", "-OutVariable", "-ov", "-PipelineVariable", "-OutV"] {
            denied(&one(command, &[named(name, text("x"))]), DenyReason::Variable);
        }
    }
}

pub(crate) fn pipeline(names: &[&str]) -> Pipeline {
    names.iter().map(|name| command(name, &[])).collect()
}

#[test]
fn restricted_commands_are_first_and_get_no_input() {
    for good in [&["Get-Log", "Get-Pool"][..], &["Get-Pool", "Get-Pool", "Stop-Host"], &["Get-Log", "Select-Object"]] {
        assert!(decide(pipeline(good)).allowed().is_some(), "{good:?}");
    }
    for bad in [&["Get-Pool", "Restart-Pool"][..], &["Get-Log", "Get-Log"], &["Select-Object", "Get-Log"]] {
        denied(&decide(pipeline(bad)), DenyReason::Pipeline);
    }
    denied(&decide(pipeline(&["Get-Pool", "hostname"])), DenyReason::Pipeline);
    denied(&decide(pipeline(&["Get-Pool", "Remove-Pool"])), DenyReason::Command);
    denied(&decide(pipeline(&["Remove-Pool", "Get-Pool"])), DenyReason::Command);
    let with_input = |names: &[&str]| {
        let request = CommandsRequest { commands: pipeline(names), extra_commands: None, input: Presence::Present };
        decide_by(&policy(), request)
    };
    for good in [&["Get-Pool"][..], &["Select-Object"], &["Measure-Object", "Out-Default"], &["Stop-Host", "Get-Pool"]]
    {
        assert!(with_input(good).allowed().is_some(), "{good:?}");
    }
    for bad in [&["Get-Log"][..], &["Restart-Pool"], &["hostname"], &["sort"], &["Get-Pool", "Get-Log"]] {
        denied(&with_input(bad), DenyReason::Input);
    }
}

#[test]
fn a_plain_entry_beside_a_restricted_one_counts_on_its_own() {
    let text = "[roles.r]\ncmdlets = [{ name = 'Restart-Pool', parameters = ['Name'] }, { name = 'Restart-Pool', rule = \
                'b', parameters = ['PassThru'] }]\n[roles.s]\ncmdlets = ['Restart-Pool']\n";
    let ask = |roles: &str, feed: &[&str], arguments: &[Argument]| {
        let who = format!(
            "[[assignments]]\nprincipals=['DEMO\\ops']\ntargets=['web01.demo.example']\nroles={roles}\n[roles.x]\ncmdlets=['Get-Pool']\n"
        );
        let policy = compile(&[("c", CATALOG), ("r", text), ("w", &who)]).policy;
        let mut commands = pipeline(feed);
        commands.push(command("Restart-Pool", arguments));
        decide_by(&policy, CommandsRequest { commands, extra_commands: None, input: Presence::Absent })
    };
    let (name, pass) = (named("-Name", text_of("x")), named("-PassThru", Value::Null));
    assert!(ask("['r']", &[], std::slice::from_ref(&name)).allowed().is_some());
    assert_eq!(ask("['r']", &[], std::slice::from_ref(&pass)).allowed().unwrap().rule, "b");
    denied(&ask("['r']", &[], &[name.clone(), pass.clone()]), DenyReason::Parameter);
    assert_eq!(ask("['r', 's']", &[], &[name, pass]).allowed().unwrap().role, "s");
    denied(&ask("['r', 'x']", &["Get-Pool"], &[]), DenyReason::Pipeline);
    assert!(ask("['r', 's', 'x']", &["Get-Pool"], &[]).allowed().is_some());
}

fn text_of(text: &str) -> Value {
    Value::text(text)
}

#[test]
fn roles_and_rules_that_answer_are_named() {
    let decision = decide(vec![
        command("Get-Log", &[]),
        command("Get-Pool", &[]),
        command("Get-Pool", &[]),
        command("Out-Default", &[]),
    ]);
    let allowed = decision.allowed().unwrap();
    assert!(allowed.role.starts_with("logs, pools, "), "{}", allowed.role);
    assert!(allowed.rule.starts_with("read logs, Demo.Web\\Get-Pool, "), "{}", allowed.rule);
    let by: Vec<_> = commands(&decision).iter().map(|one| (one.role().to_owned(), one.name().to_owned())).collect();
    assert_eq!(by[0], ("logs".to_owned(), "Get-Log".to_owned()));
    assert_eq!(by[2], ("pools".to_owned(), "Get-Pool".to_owned()));
    assert_eq!(by[3].1, "Out-Default");
}
