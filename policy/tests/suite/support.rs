//! Short forms that the tests share.

use sekisho_policy::{
    Action, Circumstances, Compiled, Decision, DenyReason, Edition, Mistake, Policy, Principal, ProgramRequest, Source,
    TargetFacts,
};

/// A role `ops` with these rules, held by everybody's test user on every test target.
pub(crate) fn policy_of(rules: &str) -> Policy {
    let text = format!(
        "{rules}\n[[assignments]]\nprincipals = ['DEMO\\ops']\ntargets = ['web01.demo.example']\nroles = ['ops']\n"
    );
    compile(&[("policy.toml", &text)]).policy
}

pub(crate) fn compile(documents: &[(&str, &str)]) -> Compiled {
    try_compile(documents).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

pub(crate) fn try_compile(documents: &[(&str, &str)]) -> Result<Compiled, Vec<Mistake>> {
    let sources: Vec<Source<'_>> = documents.iter().map(|(name, text)| Source { name, text }).collect();
    Policy::compile(&sources)
}

pub(crate) fn principal(name: &str, groups: &[&str]) -> Principal {
    Principal { name: name.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
}

pub(crate) fn target(name: &str) -> TargetFacts {
    TargetFacts { name: name.to_owned(), groups: Vec::new(), tags: Vec::new(), edition: Edition::default() }
}

/// The decision on one line for the user of [`policy_of`].
pub(crate) fn decide(policy: &Policy, line: &str) -> Decision {
    decide_request(policy, ProgramRequest::new(line, Vec::new()))
}

pub(crate) fn decide_request(policy: &Policy, request: ProgramRequest) -> Decision {
    policy.decide(
        &principal("DEMO\\ops", &[]),
        &target("web01.demo.example"),
        &Circumstances::default(),
        &Action::Program(request),
    )
}

pub(crate) fn reason(decision: &Decision) -> Option<DenyReason> {
    decision.denied().map(|denied| denied.reason)
}

/// Path and arguments of an allow.
pub(crate) fn argv(decision: &Decision) -> Option<Vec<String>> {
    let program = decision.allowed()?.program()?;
    let arguments = program.arguments().iter().map(|argument| argument.value().to_owned());
    Some(std::iter::once(program.path().to_owned()).chain(arguments).collect())
}
