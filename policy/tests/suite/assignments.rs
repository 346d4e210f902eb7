//! Rule R1 and R2: who holds which roles where, and each role judged on its own.

use sekisho_policy::{Action, Circumstances, DenyReason, Edition, Principal, ProgramRequest, TargetFacts};

use crate::support::{compile, principal, reason, target};

const POLICY: &str = r#"
[roles.reader]
[[roles.reader.programs]]
name = "list"
path = 'C:\Windows\System32\ipconfig.exe'

[roles.admin]
[[roles.admin.programs]]
name = "flush"
path = 'C:\Windows\System32\ipconfig.exe'
arguments = { exact = [['/flushdns']] }

[roles.Nothing]

[[assignments]]
principals = ['DEMO\Readers', 'DEMO\müller']
targets = ['iis*.demo.example', 'db01']
roles = ['reader']

[[assignments]]
principals = ['DEMO\Admins']
target_groups = ['web']
tags = ['Test']
roles = ['ADMIN', 'nothing', 'admin']
"#;

fn roles(principal: &Principal, target: &TargetFacts) -> Vec<String> {
    let policy = compile(&[("p.toml", POLICY)]).policy;
    let roles: Vec<String> =
        policy.roles_on(principal, target, &Circumstances::default()).into_iter().map(str::to_owned).collect();
    assert_eq!(policy.may_reach(principal, target, &Circumstances::default()), !roles.is_empty());
    roles
}

fn tagged(name: &str, groups: &[&str], tags: &[&str]) -> TargetFacts {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    TargetFacts { name: name.to_owned(), groups: owned(groups), tags: owned(tags), edition: Edition::default() }
}

#[test]
fn principals_are_whole_names_ignoring_case() {
    let web = target("IIS01.demo.example");
    assert_eq!(roles(&principal("demo\\MÜLLER", &[]), &web), ["reader"]);
    assert_eq!(roles(&principal("DEMO\\x", &["DEMO\\y", "demo\\readers"]), &web), ["reader"]);
    for other in
        ["DEMO\\Readers2", "Readers", "OTHER\\Readers", "DEMO\\Reader\u{17f}", "DEMO/Readers", " DEMO\\Readers", ""]
    {
        assert!(roles(&principal("DEMO\\x", &[other]), &web).is_empty(), "{other}");
        assert!(roles(&principal(other, &[]), &web).is_empty(), "{other}");
    }
}

#[test]
fn targets_fit_by_pattern_group_or_tag() {
    let reader = principal("DEMO\\a", &["DEMO\\Readers"]);
    assert_eq!(roles(&reader, &target("db01")), ["reader"]);
    assert!(roles(&reader, &target("db01.demo.example")).is_empty());
    assert!(roles(&reader, &target("iis01.x.demo.example")).is_empty());
    assert!(roles(&reader, &tagged("x", &["web"], &["test"])).is_empty());
    let admin = principal("DEMO\\a", &["DEMO\\Admins"]);
    assert_eq!(roles(&admin, &tagged("x", &["WEB"], &[])), ["admin", "Nothing"]);
    assert_eq!(roles(&admin, &tagged("x", &["a", "b"], &["tEST"])), ["admin", "Nothing"]);
    assert!(roles(&admin, &tagged("web", &["webs"], &["tests"])).is_empty());
}

#[test]
fn each_role_is_judged_on_its_own_and_answers_by_name() {
    let policy = compile(&[("p.toml", POLICY)]).policy;
    let both = principal("DEMO\\a", &["DEMO\\Readers", "DEMO\\Admins"]);
    let target = tagged("iis1.demo.example", &["web"], &[]);
    let judge = |line: &str| {
        policy.decide(
            &both,
            &target,
            &Circumstances::default(),
            &Action::Program(ProgramRequest::new(line, Vec::new())),
        )
    };
    let answer = |line: &str| judge(line).allowed().map(|allowed| format!("{}/{}", allowed.role, allowed.rule));
    assert_eq!(answer("ipconfig").as_deref(), Some("reader/list"));
    assert_eq!(answer("ipconfig /flushdns").as_deref(), Some("admin/flush"));
    assert_eq!(reason(&judge("ipconfig /all")), Some(DenyReason::Arguments));
}

#[test]
fn without_a_role_everything_is_denied_before_it_is_read() {
    let policy = compile(&[]).policy;
    let action = Action::Program(ProgramRequest::new("\0\"&", Vec::new()));
    let decision = policy.decide(&principal("DEMO\\a", &[]), &target("web01"), &Circumstances::default(), &action);
    assert_eq!(reason(&decision), Some(DenyReason::NoRole));
}

#[test]
fn the_order_of_documents_decides_nothing() {
    let (roles, assignments) = POLICY.split_once("[[assignments]]").unwrap();
    let assignments = format!("[[assignments]]{assignments}");
    let one = compile(&[("a", roles), ("b", &assignments)]).policy;
    let other = compile(&[("b", &assignments), ("a", roles)]).policy;
    assert_eq!(one.digest(), other.digest());
    let web = target("iis01.demo.example");
    assert_eq!(
        one.roles_on(&principal("DEMO\\Readers", &[]), &web, &Circumstances::default()),
        other.roles_on(&principal("DEMO\\Readers", &[]), &web, &Circumstances::default())
    );
}
