//! Policy documents and command lines.

use super::argv::{arguments, best_fit};
use super::pieces::Pieces;
use sekisho_policy::{
    Action, Circumstances, Decision, Edition, PinnedText, Policy, Principal, ProgramRequest, Source, TargetFacts,
    command_line as reader, policy_pin_entry,
};
use std::sync::LazyLock;

const DOCUMENT: &str = r"
[[roles.ops.programs]]
name = 'any'
path = 'C:\W\any.exe'
arguments = { any = true }

[[roles.ops.programs]]
name = 'blank'
path = 'C:\Program Files (x86)\blank.exe'
arguments = { each = ['[^-].*'], max = 9 }

[[roles.ops.programs]]
name = 'none'
path = 'C:\W\none.exe'

[[assignments]]
principals = ['D\u']
targets = ['t']
roles = ['ops']
";

static POLICY: LazyLock<Policy> = LazyLock::new(|| compiled(DOCUMENT).expect("the document is right"));

fn compiled(text: &str) -> Option<Policy> {
    Policy::compile(&[Source { name: "p", text }]).ok().map(|compiled| compiled.policy)
}

fn decide(policy: &Policy, command: &str, arguments: Vec<String>) -> Decision {
    let principal = Principal { name: r"D\u".to_owned(), groups: vec![r"D\g".to_owned()] };
    let target = TargetFacts {
        name: "t".to_owned(),
        groups: Vec::new(),
        tags: vec!["test".to_owned()],
        edition: Edition::default(),
    };
    policy.decide(
        &principal,
        &target,
        &Circumstances::default(),
        &Action::Program(ProgramRequest::new(command, arguments)),
    )
}

/// Any command and arguments: what is allowed is read by Windows as what was judged.
pub fn command_line(input: &[u8]) {
    let mut pieces = Pieces::new(input);
    let command = String::from_utf8_lossy(pieces.piece()).into_owned();
    let given: Vec<String> = pieces.bounded().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect();
    for name in ["", "any ", "blank.exe ", "NONE "] {
        check(&decide(&POLICY, &format!("{name}{command}"), given.clone()));
    }
}

fn check(decision: &Decision) {
    let program = match decision {
        Decision::Deny(denied) => return assert!(denied.message.len() < 2000),
        Decision::Allow(allowed) => allowed.program().expect("a program was asked for"),
    };
    let line = program.command_line();
    let judged: Vec<&str> = program.arguments().iter().map(sekisho_policy::CheckedArgument::value).collect();
    let expected = std::iter::once(program.path()).chain(judged.iter().copied());
    let read = reader::parse_rendered(line).expect("what was rendered can be read");
    assert!(expected.eq(read.iter().map(String::as_str)), "read back otherwise than judged");

    let quoted = line.starts_with("@\"");
    let after = if quoted { line.strip_prefix("@\"") } else { Some(line) };
    let tail = after.and_then(|line| line.strip_prefix(program.path())).expect("the path comes first");
    let tail = if quoted { tail.strip_prefix('"').expect("the quote is closed") } else { tail };
    assert!(!tail.contains(['&', '|', '<', '>', '^', '%', '!', '\n', '\r', '\0', '(', ')', ';', '@', '`']));
    assert_eq!(arguments(tail), judged, "split otherwise than judged");
    let replaced: Vec<String> = judged.iter().map(|argument| best_fit(argument)).collect();
    assert_eq!(arguments(&best_fit(tail)), replaced, "split otherwise once characters are replaced");
}

/// Any document, and behind a NUL any script beside it: compiled or refused with places inside it, and whatever it
/// says, nobody else is allowed anything.
pub fn compile(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (text, script) = text.split_once('\0').unwrap_or((text, "param($Name)\nGet-Service $Name"));
    let document = Source { name: "p", text };
    let sources = [document, Source { name: "x/s.ps1", text: script }];
    for file in Policy::pinned_files(&[document]) {
        assert!(!file.starts_with('/') && !file.split('/').any(|part| part.is_empty() || part == ".."));
    }
    pinned(script);
    match Policy::compile(&sources) {
        Ok(compiled) => {
            assert_eq!(compiled.policy.digest().len(), 64);
            for line in ["hostname", "sc query w3svc", r"C:\Windows\System32\sc.exe stop x", "a b\"c"] {
                check(&decide(&compiled.policy, line, vec!["/x".to_owned()]));
                check(&decide(&compiled.policy, line, Vec::new()));
            }
            let found = Policy::lint(&sources).expect("what compiles can be examined");
            assert!(compiled.warnings.iter().all(|warning| found.contains(warning)) || found.len() >= 500);
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                let line = text.split('\n').nth(mistake.line.saturating_sub(1));
                assert!(mistake.line >= 1 && line.is_some(), "a mistake outside the document: {mistake}");
                assert!(mistake.column >= 1 && !mistake.message.is_empty() && !mistake.hint.is_empty());
            }
        }
    }
}

/// What `policy pin` writes for a script is a document that pins it.
fn pinned(script: &str) {
    let text = PinnedText::of(script);
    assert_eq!(PinnedText::of(text.text()), text, "normalising twice changes nothing");
    if text.text().is_empty() {
        return;
    }
    let entry = policy_pin_entry(script, "s", "x/s.ps1").replacen("ROLE", "a", 1);
    let sources = [Source { name: "p", text: &entry }, Source { name: "x/s.ps1", text: script }];
    let compiled = Policy::compile(&sources).expect("the entry is right");
    let odd = compiled.warnings.iter().filter(|warning| !warning.message.contains("nobody holds"));
    assert_eq!(odd.count(), 0, "the entry names what the script declares");
}
