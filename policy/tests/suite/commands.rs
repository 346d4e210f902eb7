//! Commands of PowerShell: each sentence of the rules of judgement (R1 to R10 and R13), as allowed and as denied.

use sekisho_policy::command::{Argument, Command, CommandKind, CommandsRequest, Pipeline};
use sekisho_policy::value::{Number, NumberKind, Opaque, Secure, SecureKind, Spelling, Value};
use sekisho_policy::{
    Action, Checked, CheckedArguments, CheckedCommand, Circumstances, Decision, DenyReason, Policy, Presence,
};

use super::support::{compile, principal, reason, target};

const CATALOG: &str = r"
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

const ROLES: &str = r"
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

const WHO: &str = r"
[[assignments]]
principals = ['DEMO\ops']
targets = ['web01.demo.example']
roles = ['logs', 'pools', 'accounts']
";

fn policy() -> Policy {
    compile(&[("catalog.toml", CATALOG), ("roles.toml", ROLES), ("who.toml", WHO)]).policy
}

fn decide_by(policy: &Policy, request: CommandsRequest) -> Decision {
    let (who, where_) = (principal("DEMO\\ops", &[]), target("web01.demo.example"));
    policy.decide(&who, &where_, &Circumstances::default(), &Action::Commands(request))
}

fn decide(pipeline: Pipeline) -> Decision {
    decide_by(&policy(), CommandsRequest { commands: pipeline, extra_commands: None, input: Presence::Absent })
}

fn command(name: &str, arguments: &[Argument]) -> Command {
    Command::new(name, arguments.to_vec())
}

fn one(name: &str, arguments: &[Argument]) -> Decision {
    decide(vec![command(name, arguments)])
}

fn named(name: &str, value: Value) -> Argument {
    Argument::named(name, value)
}

fn positional(value: Value) -> Argument {
    Argument::positional(value)
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn commands(decision: &Decision) -> Vec<CheckedCommand> {
    match &decision.allowed().unwrap_or_else(|| panic!("{decision:?}")).checked {
        Checked::Commands(commands) => commands.statements().iter().flatten().cloned().collect(),
        Checked::Program(_) | Checked::Script(_) => panic!("{decision:?}"),
    }
}

/// Name and value of each argument.
fn sent(decision: &Decision) -> Vec<(String, Value)> {
    match commands(decision).remove(0).arguments() {
        CheckedArguments::Named(list) => list.iter().map(|one| (one.name().to_owned(), one.value().clone())).collect(),
        CheckedArguments::Program(texts) => texts.iter().map(|one| (String::new(), text(one.value()))).collect(),
    }
}

fn pair(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

#[track_caller]
fn denied(decision: &Decision, expected: DenyReason) {
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

fn secure() -> Value {
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

fn pipeline(names: &[&str]) -> Pipeline {
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

#[test]
fn the_envelope_of_commands_is_judged() {
    denied(&decide(vec![]), DenyReason::Empty);
    let script = Command { kind: CommandKind::Script, ..command("Get-Pool", &[]) };
    denied(&decide(vec![script.clone()]), DenyReason::Script);
    denied(&decide(vec![script.clone(), command("Out-Default", &[])]), DenyReason::Script);
    denied(&decide(vec![command("Get-Pool", &[]), script]), DenyReason::Script);
    let scoped = |local_scope| decide(vec![Command { local_scope, ..command("Get-Pool", &[]) }]);
    denied(&scoped(Some(false)), DenyReason::LocalScope);
    assert!(scoped(Some(true)).allowed().is_some() && scoped(None).allowed().is_some());
    let later = Command { local_scope: Some(false), ..command("Get-Pool", &[]) };
    denied(&decide(vec![command("Get-Pool", &[]), later]), DenyReason::LocalScope);
}

#[test]
fn every_statement_of_a_batch_is_judged() {
    let batch = |commands: &[&str], extra: &[&[&str]]| {
        let extra_commands = Some(extra.iter().map(|names| pipeline(names)).collect());
        let request = CommandsRequest { commands: pipeline(commands), extra_commands, input: Presence::Absent };
        decide_by(&policy(), request)
    };
    let decision = batch(&["Get-Pool"], &[&["Get-Pool"], &["Get-Log", "Get-Pool"]]);
    match &decision.allowed().unwrap().checked {
        Checked::Commands(commands) => {
            assert_eq!(commands.statements().iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
        }
        Checked::Program(_) | Checked::Script(_) => panic!("{decision:?}"),
    }
    denied(&batch(&["Get-Pool"], &[&["Get-Pool"], &["Remove-Pool"]]), DenyReason::Command);
    denied(&batch(&["Get-Pool"], &[&["Get-Pool"], &[]]), DenyReason::Empty);
    denied(&batch(&["Get-Pool"], &[&["Get-Log"]]), DenyReason::Batch);
    denied(&batch(&["Get-Pool"], &[&["get-pool"]]), DenyReason::Batch);
    denied(&batch(&["Get-Pool"], &[]), DenyReason::Batch);
    denied(&batch(&["Get-Pool"], &[&["Get-Log"], &["Get-Pool"]]), DenyReason::Batch);
    denied(&batch(&[], &[&[]]), DenyReason::Empty);
    let message =
        batch(&["Get-Pool"], &[&["Get-Pool"], &["Get-Pool", "Remove-Pool"]]).denied().unwrap().message.clone();
    assert!(message.starts_with("command 2 of statement 2: "), "{message}");
}

#[test]
fn programs_through_powershell_follow_the_same_rules() {
    let texts = |list: &[&str]| list.iter().map(|one| positional(text(one))).collect::<Vec<_>>();
    for name in ["hostname", "HOSTNAME.exe", "c:\\windows\\system32\\hostname.exe"] {
        let decision = one(name, &[]);
        assert_eq!(commands(&decision)[0].name(), "C:\\Windows\\System32\\hostname.exe", "{name}");
        assert_eq!(commands(&decision)[0].rule(), "host");
    }
    for name in [
        "C:\\Temp\\hostname.exe",
        ".\\hostname.exe",
        "hostname.com",
        "hostname ",
        "hostname.exe.",
        "\\hostname",
        "&hostname",
    ] {
        denied(&one(name, &[]), DenyReason::Command);
    }
    denied(&one("hostname", &texts(&["x"])), DenyReason::Arguments);
    assert_eq!(sent(&one("systeminfo", &texts(&["/FO", "csv"]))), [pair("", text("/FO")), pair("", text("csv"))]);
    assert!(one("systeminfo", &[named("-x", Value::Null), positional(Value::int(5))]).allowed().is_some());
    for bad in [
        texts(&["/fo csv"]),
        texts(&["/fo", "csv", "csv"]),
        texts(&[""]),
        texts(&["csv\n"]),
        vec![named("-x", text("csv"))],
        vec![named("-x:", Value::Null)],
        vec![named("csv", Value::Null)],
        vec![positional(Value::List(vec![text("/fo"), text("csv")]))],
        vec![positional(Value::Bool(true))],
        vec![positional(Value::Null)],
        vec![positional(secure())],
        vec![positional(Value::Opaque(Opaque::ScriptBlock))],
    ] {
        denied(&one("systeminfo", &bad), DenyReason::Arguments);
    }
}

#[test]
fn rules_that_deny_win_over_every_allow() {
    let deny = "[[deny]]\nname = 'no stopping'\nreason = 'ask the shift lead'\ncommands = ['Stop-*', 'Get-Pool']\n\
                targets = ['web*.demo.example']\nprograms = ['hostname.exe']\n";
    let policy =
        compile(&[("catalog.toml", CATALOG), ("roles.toml", ROLES), ("who.toml", WHO), ("deny.toml", deny)]).policy;
    let ask = |name: &str| {
        let commands = vec![command(name, &[])];
        decide_by(&policy, CommandsRequest { commands, extra_commands: None, input: Presence::Absent })
    };
    for name in ["Stop-Host", "stop-host", "Demo.Hosts\\Stop-Host", "gp", "Get-Pool", "hostname", "HOSTNAME.EXE"] {
        denied(&ask(name), DenyReason::Rule);
    }
    let message = ask("gp").denied().unwrap().message.clone();
    assert_eq!(message, "Get-Pool is denied here by the rule no stopping: ask the shift lead");
    assert!(ask("Get-Log").allowed().is_some() && ask("systeminfo").allowed().is_some());
    let line = Action::Program(sekisho_policy::ProgramRequest::new("hostname", vec![]));
    let (who, where_) = (principal("DEMO\\ops", &[]), target("web01.demo.example"));
    denied(&policy.decide(&who, &where_, &Circumstances::default(), &line), DenyReason::Rule);
}

#[test]
fn required_groups_come_before_every_rule() {
    let required = format!("require_groups = {{ and = ['D\\a', {{ or = ['D\\b', 'D\\c'] }}] }}\n{ROLES}");
    let policy = compile(&[("catalog.toml", CATALOG), ("roles.toml", &required), ("who.toml", WHO)]).policy;
    let ask = |groups: &[&str], name: &str| {
        let request =
            CommandsRequest { commands: vec![command(name, &[])], extra_commands: None, input: Presence::Absent };
        let who = principal("DEMO\\ops", groups);
        policy.decide(&who, &target("web01.demo.example"), &Circumstances::default(), &Action::Commands(request))
    };
    for name in ["Get-Pool", "Out-Default", "hostname"] {
        assert!(ask(&["d\\A", "D\\C"], name).allowed().is_some(), "{name}");
        for groups in [&["D\\a"][..], &["D\\b", "D\\c"], &[]] {
            denied(&ask(groups, name), DenyReason::Requirement);
        }
    }
}

#[test]
fn without_a_role_there_are_no_defaults() {
    let request =
        CommandsRequest { commands: pipeline(&["Out-Default"]), extra_commands: None, input: Presence::Absent };
    let action = Action::Commands(request.clone());
    let ask = |who: &str, place: &str| {
        policy().decide(&principal(who, &[]), &target(place), &Circumstances::default(), &action)
    };
    assert!(ask("demo\\OPS", "WEB01.demo.example").allowed().is_some());
    denied(&ask("DEMO\\other", "web01.demo.example"), DenyReason::NoRole);
    denied(&ask("DEMO\\ops", "web02.demo.example"), DenyReason::NoRole);
    denied(&ask("ops", "web01.demo.example"), DenyReason::NoRole);
    let none = ROLES.replace("defaults = true", "defaults = false");
    let policy = compile(&[("catalog.toml", CATALOG), ("roles.toml", &none), ("who.toml", WHO)]).policy;
    denied(&decide_by(&policy, request), DenyReason::Command);
}

#[test]
fn the_default_commands_are_narrow() {
    assert!(one("select", &[positional(text("Name"))]).allowed().is_some());
    denied(&one("Select-Object", &[positional(text("Status"))]), DenyReason::Value);
    denied(&one("Select-Object", &[named("-ExpandProperty", text("Name"))]), DenyReason::ParameterName);
    assert!(one("Get-Help", &[named("-Name", text("Get-Pool"))]).allowed().is_some());
    denied(&one("Get-Help", &[named("-Name", text("a;b"))]), DenyReason::Value);
    denied(&one("Get-Help", &[named("-Full", Value::Null)]), DenyReason::ParameterName);
    assert!(one("exsn", &[]).allowed().is_some());
    denied(&one("Where-Object", &[]), DenyReason::Command);
    denied(&one("exit", &[]), DenyReason::Command);
}

#[test]
fn the_nearest_miss_is_told_in_words_of_the_users_own_roles() {
    for (decision, message) in [
        (
            one("Restart-Pool", &[positional(text("hunter2"))]),
            "Restart-Pool is allowed in role pools, but -Name accepts Portal only",
        ),
        (
            one("Get-Log", &[named("-Newest", text("hunter2"))]),
            "Get-Log is allowed in role logs, but -Newest accepts only what matches \\d{1,3} as a whole",
        ),
        (
            one("Get-Log", &[named("-Cn", text("hunter2"))]),
            "Get-Log is allowed in role logs, but without -ComputerName: it takes -AsText, -LogName, -Newest here",
        ),
        (
            one("Get-Log", &[named("-hunter2", text("x"))]),
            "Get-Log is allowed in role logs, but argument 1 names a parameter that the command does not have: it \
             takes -AsText, -LogName, -Newest here",
        ),
        (
            one("Set-Account", &[named("-Password", text("hunter2"))]),
            "Set-Account is allowed in role accounts, but -Password takes a SecureString or a PSCredential only",
        ),
        (
            one("C:\\Temp\\hostname.exe", &[]),
            "hostname.exe is allowed in role pools, but only as C:\\Windows\\System32\\hostname.exe: call it by this \
             path or as hostname.exe",
        ),
    ] {
        let denied = decision.denied().unwrap();
        assert_eq!(denied.message, message);
        assert!(denied.nearest.is_some() && !format!("{denied:?}").contains("hunter2"));
    }
    let unknown = one("hunter2", &[]).denied().unwrap().clone();
    assert!(unknown.message.contains("Get-Log") && unknown.nearest.is_none(), "{}", unknown.message);
    assert!(!unknown.message.contains("hunter2"));
}

#[test]
fn huge_requests_are_answered() {
    let list = Value::List((0..20_000).map(|_| text("Portal")).collect());
    assert!(one("Restart-Pool", &[positional(list)]).allowed().is_some());
    let mut deep = text("Portal");
    for _ in 0..200 {
        deep = Value::List(vec![deep]);
    }
    denied(&one("Get-Pool", &[positional(deep)]), DenyReason::ValueKind);
    let many: Vec<Argument> = (0..20_000).map(|_| positional(text("x"))).collect();
    denied(&one("Get-Pool", &many), DenyReason::Binding);
    assert!(decide(vec![command("Get-Pool", &[]); 1000]).allowed().is_some());
    denied(&one(&"x".repeat(1_000_000), &[]), DenyReason::Command);
}
