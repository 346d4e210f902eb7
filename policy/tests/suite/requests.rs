//! What surrounds commands: batches, programs, rules that deny, required groups, default commands, and what a denied
//! user is told.

use sekisho_policy::command::{Argument, Command, CommandKind, CommandsRequest};
use sekisho_policy::value::{Opaque, Value};
use sekisho_policy::{Action, Checked, Circumstances, DenyReason, Presence};

use super::commands::{
    CATALOG, ROLES, WHO, command, commands, decide, decide_by, denied, named, one, pair, pipeline, policy, positional,
    secure, sent, text,
};
use super::support::{compile, principal, target};

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

/// A request of one command by the test user, under these documents.
fn ask(roles: &str, commands: Vec<Command>) -> sekisho_policy::Decision {
    let policy = compile(&[("catalog.toml", CATALOG), ("roles.toml", roles), ("who.toml", WHO)]).policy;
    decide_by(&policy, CommandsRequest { commands, extra_commands: None, input: Presence::Absent })
}

#[test]
fn the_first_rule_by_name_answers_and_any_rule_that_allows_marks_secrets() {
    let entry = |rule: &str, mark: &str| {
        format!("{{ name = 'Set-Account', rule = '{rule}', parameters = [{{ name = 'Comment'{mark} }}] }}")
    };
    let roles = |first: &str, second: &str, other: &str| {
        format!("[roles.logs]\ncmdlets = [{first}, {second}]\n[roles.pools]\ncmdlets = [{other}]\n[roles.accounts]\n")
    };
    let (b, a) = (entry("b", ""), entry("a", ""));
    let secret = entry("c", ", secret = true");
    let request = || vec![command("Set-Account", &[named("-Comment", text("x"))])];
    for (roles, is_secret) in [
        (roles(&b, &a, &entry("d", "")), false),
        (roles(&b, &a, &secret), true),
        (roles(&secret, &a, &entry("d", "")), true),
        (roles(&a, &secret, &b), true),
    ] {
        let decision = ask(&roles, request());
        assert_eq!(decision.allowed().unwrap().rule, "a", "{roles}");
        match commands(&decision)[0].arguments() {
            sekisho_policy::CheckedArguments::Named(list) => assert_eq!(list[0].is_secret(), is_secret, "{roles}"),
            sekisho_policy::CheckedArguments::Program(_) => panic!("{decision:?}"),
        }
    }
}

#[test]
fn a_command_without_a_module_has_no_qualified_name() {
    let bare = "[catalog]\ncommands = [{ name = 'Get-Bare', parameters = [] }]\n[roles.logs]\ncmdlets = ['Get-Bare']\n\
                [roles.pools]\n[roles.accounts]\n";
    assert!(ask(bare, vec![command("Get-Bare", &[])]).allowed().is_some());
    denied(&ask(bare, vec![command("\\Get-Bare", &[])]), DenyReason::Command);
}
