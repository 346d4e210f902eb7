//! How long a decision takes with a thousand rules.
#![expect(clippy::expect_used, reason = "a benchmark that cannot compile its policy has nothing to measure")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sekisho_policy::{Action, Circumstances, Edition, Policy, Principal, ProgramRequest, Source, TargetFacts};

const ROLES: usize = 20;
const RULES_PER_ROLE: usize = 50;

/// A thousand rules in twenty roles, all held; `path` says which program a rule is for.
fn policy(path: impl Fn(usize) -> String) -> Policy {
    let mut text = String::new();
    for role in 0..ROLES {
        for rule in 0..RULES_PER_ROLE {
            let number = role * RULES_PER_ROLE + rule;
            let path = path(number);
            write!(
                text,
                "[[roles.role{role}.programs]]\nname = 'rule {number}'\npath = '{path}'\n\
                 arguments = {{ each = ['/fo', 'csv|list|table', '[a-z]+{number}'], max = 3 }}\n"
            )
            .expect("writing to text");
        }
        write!(
            text,
            "[[assignments]]\nprincipals = ['DEMO\\group{role}']\ntargets = ['web*.demo.example']\nroles = ['role{role}']\n"
        )
        .expect("writing to text");
    }
    Policy::compile(&[Source { name: "bench.toml", text: &text }]).expect("a policy without mistakes").policy
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
    let request = |line: &str| Action::Program(ProgramRequest::new(line, Vec::new()));

    let many = policy(|number| format!("C:\\Tools\\tool{number}.exe"));
    let same = policy(|_| "C:\\Tools\\tool.exe".to_owned());
    let cases = [
        ("allow, 1000 programs", &many, "tool999 /fo csv abc999"),
        ("deny an unknown program", &many, "whoami /all"),
        ("deny other arguments", &many, "tool500 /fo csv abc501"),
        ("deny a metacharacter", &many, "tool500 /fo csv & whoami"),
        ("allow, 1000 rules of one program", &same, "tool /fo csv abc999"),
    ];
    for (name, policy, line) in cases {
        let action = request(line);
        assert_eq!(
            policy.decide(&user, &target, &Circumstances::default(), &action).allowed().is_some(),
            name.starts_with("allow"),
            "{name}"
        );
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                policy.decide(black_box(&user), black_box(&target), &Circumstances::default(), black_box(&action))
            });
        });
    }
}

criterion_group!(decide, benches);
criterion_main!(decide);
