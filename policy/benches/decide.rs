//! How long a decision takes with a thousand rules.
#![expect(clippy::expect_used, reason = "a benchmark that cannot compile its policy has nothing to measure")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use sekisho_policy::command::{Argument, Command, CommandsRequest, ScriptRequest};
use sekisho_policy::value::Value;
use sekisho_policy::{
    Action, Circumstances, Edition, Policy, Presence, Principal, ProgramRequest, Source, TargetFacts,
};

const ROLES: usize = 20;
const RULES_PER_ROLE: usize = 50;

/// A thousand rules in twenty roles, all held; `rule` writes the one of a role and number.
fn policy(rule: impl Fn(&mut String, usize, usize), rest: &str) -> Policy {
    let mut text = String::new();
    for role in 0..ROLES {
        for number in 0..RULES_PER_ROLE {
            rule(&mut text, role, role * RULES_PER_ROLE + number);
        }
        write!(
            text,
            "[[assignments]]\nprincipals = ['DEMO\\group{role}']\ntargets = ['web*.demo.example']\nroles = ['role{role}']\n"
        )
        .expect("writing to text");
    }
    text.push_str(rest);
    Policy::compile(&[Source { name: "bench.toml", text: &text }]).expect("a policy without mistakes").policy
}

/// Rules for programs; `path` says which.
fn programs(path: impl Fn(usize) -> String) -> Policy {
    let rule = |text: &mut String, role: usize, number: usize| {
        let path = path(number);
        write!(
            text,
            "[[roles.role{role}.programs]]\nname = 'rule {number}'\npath = '{path}'\n\
             arguments = {{ each = ['/fo', 'csv|list|table', '[a-z]+{number}'], max = 3 }}\n"
        )
        .expect("writing to text");
    };
    policy(rule, "")
}

/// Rules for commands with three parameters, two of them restricted; `name` says which command.
fn commands(name: impl Fn(usize) -> String) -> Policy {
    let rule = |text: &mut String, role: usize, number: usize| {
        let name = name(number);
        write!(
            text,
            "[[roles.role{role}.cmdlets]]\nname = '{name}'\nrule = 'rule {number}'\nparameters = [\n\
             {{ name = 'Name', validate_set = ['Portal', 'Shop', 'pool{number}'] }},\n\
             {{ name = 'Newest', validate_pattern = '\\d{{1,3}}' }}, {{ name = 'Force' }}]\n"
        )
        .expect("writing to text");
    };
    let mut catalog = "[catalog]\nmode = 'replace'\n".to_owned();
    let mut names: Vec<String> = (0..ROLES * RULES_PER_ROLE).map(&name).collect();
    names.dedup();
    for name in names {
        write!(
            catalog,
            "[[catalog.commands]]\nname = '{name}'\nmodule = 'Demo'\nshould_process = true\nparameters = [\n\
             {{ name = 'Name', type = 'string[]', position = 0 }}, {{ name = 'Newest', type = 'int' }},\n\
             {{ name = 'Force', switch = true }}, {{ name = 'Path', type = 'string' }},\n\
             {{ name = 'ComputerName', type = 'string', aliases = ['Cn'] }}]\n"
        )
        .expect("writing to text");
    }
    policy(rule, &catalog)
}

fn structured(name: &str, pool: &str) -> Action {
    let arguments = vec![
        Argument::named("-Force", Value::Null),
        Argument::named("-Newest", Value::Null),
        Argument::positional(Value::int(50)),
        Argument::positional(Value::text(pool)),
    ];
    let commands = vec![Command::new(name, arguments)];
    Action::Commands(CommandsRequest { commands, extra_commands: None, input: Presence::Absent })
}

fn benches(criterion: &mut Criterion) {
    let user = Principal {
        name: "DEMO\\aoki".to_owned(),
        groups: (0..ROLES).map(|role| format!("DEMO\\Group{role}")).collect(),
    };
    let target = TargetFacts {
        name: "web01.demo.example".to_owned(),
        groups: Vec::new(),
        tags: Vec::new(),
        edition: Edition::default(),
    };
    let line = |line: &str| Action::Program(ProgramRequest::new(line, Vec::new()));
    let script = |text: &str| Action::Script(ScriptRequest::new(text));

    let many = programs(|number| format!("C:\\Tools\\tool{number}.exe"));
    let same = programs(|_| "C:\\Tools\\tool.exe".to_owned());
    let cmdlets = commands(|number| format!("Restart-Demo{number}"));
    let cmdlet = commands(|_| "Restart-Demo".to_owned());
    let cases = [
        ("allow, 1000 programs", &many, line("tool999 /fo csv abc999")),
        ("deny an unknown program", &many, line("whoami /all")),
        ("deny other arguments", &many, line("tool500 /fo csv abc501")),
        ("deny a metacharacter", &many, line("tool500 /fo csv & whoami")),
        ("allow, 1000 rules of one program", &same, line("tool /fo csv abc999")),
        ("allow, 1000 commands", &cmdlets, structured("restart-demo999", "pool999")),
        ("deny an unknown command", &cmdlets, structured("Stop-Demo", "pool999")),
        ("deny another value", &cmdlets, structured("Restart-Demo500", "pool501")),
        ("allow script text, 1000 commands", &cmdlets, script("Restart-Demo999 -Force -Newest 50 pool999")),
        ("allow, 1000 rules of one command", &cmdlet, structured("Restart-Demo", "pool999")),
    ];
    for (name, policy, action) in cases {
        assert_eq!(
            policy.decide(&user, &target, &Circumstances::default(), &action).allowed().is_some(),
            name.starts_with("allow"),
            "{name}"
        );
        let decide =
            || policy.decide(black_box(&user), black_box(&target), &Circumstances::default(), black_box(&action));
        criterion.bench_function(name, |bencher| bencher.iter(decide));
        show_percentiles(name, decide);
    }
}

/// Single decisions one by one, since means hide what one in a hundred takes.
#[expect(clippy::print_stdout, reason = "it is what a bench is for")]
fn show_percentiles<T>(name: &str, decide: impl Fn() -> T) {
    const DECISIONS: usize = 100_000;
    let mut times: Vec<Duration> = (0..DECISIONS)
        .map(|_| {
            let begin = Instant::now();
            black_box(decide());
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times.get(DECISIONS * share / 1000).copied().unwrap_or_default();
    println!("{name}: median {:?}, 99th percentile {:?}, 99.9th {:?}", at(500), at(990), at(999));
}

criterion_group!(decide, benches);
criterion_main!(decide);
