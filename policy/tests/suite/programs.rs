//! Program rules: arguments, secrets, input, what comes beside a line, and what a denied user is told.

use sekisho_policy::{Decision, DenyReason, Input, Nearest, Presence, ProgramRequest, RequestExtras, ShellResource};

use crate::support::{decide, decide_request, policy_of, reason};

const RULES: &str = r#"
[[roles.ops.programs]]
name = "report"
path = 'C:\Windows\System32\systeminfo.exe'
arguments = { each = ['/fo', 'csv|list|table'], max = 2 }

[[roles.ops.programs]]
name = "sort"
path = 'C:\Windows\System32\sort.exe'
stdin = true

[[roles.ops.programs]]
name = "map"
path = 'C:\Tools\map.exe'
arguments = { each = ['[a-z]:', { pattern = 'pw=.*', secret = true }, '\w+'], max = 3 }

[[roles.ops.programs]]
name = "unlock"
path = 'C:\Tools\unlock.exe'
arguments = { any = true, secret = true }

[[roles.ops.programs]]
name = "pool"
path = 'C:\Tools\pool.exe'
arguments = { exact = [['start', 'Portal'], []] }
"#;

fn with_input(line: &str) -> ProgramRequest {
    let extras = RequestExtras { input: Presence::Present, ..RequestExtras::default() };
    ProgramRequest { extras, ..ProgramRequest::new(line, Vec::new()) }
}

fn secrets(decision: &Decision) -> Vec<bool> {
    let allowed = decision.allowed().unwrap_or_else(|| panic!("{decision:?}"));
    allowed.program().unwrap().arguments().iter().map(sekisho_policy::CheckedArgument::is_secret).collect()
}

#[test]
fn arguments_may_come_in_the_command_or_beside_it() {
    let policy = policy_of(RULES);
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (command, arguments) in [
        ("systeminfo /fo csv", &[][..]),
        ("systeminfo /fo", &["csv"][..]),
        ("systeminfo", &["/fo", "csv"]),
        ("systeminfo", &["/fo csv"]),
        ("systeminfo", &["", "/FO", "", "CSV"]),
    ] {
        let decision = decide_request(&policy, ProgramRequest::new(command, owned(arguments)));
        let allowed = decision.allowed().unwrap_or_else(|| panic!("{command} {arguments:?}: {decision:?}"));
        assert_eq!((allowed.role.as_str(), allowed.rule.as_str()), ("ops", "report"));
    }
    let split = ProgramRequest::new("pool", owned(&["\"start", "Portal\""]));
    assert_eq!(reason(&decide_request(&policy, split)), Some(DenyReason::Arguments));
}

#[test]
fn exact_lists_are_exact() {
    let policy = policy_of(RULES);
    for good in ["pool", "POOL.EXE start Portal", "pool \"start\"\t\"Portal\""] {
        assert!(decide(&policy, good).allowed().is_some(), "{good}");
    }
    for bad in ["pool start", "pool start portal", "pool Portal start", "pool start Portal x", "pool \"start Portal\""]
    {
        assert_eq!(reason(&decide(&policy, bad)), Some(DenyReason::Arguments), "{bad}");
    }
}

#[test]
fn secret_arguments_are_marked_and_not_shown() {
    let policy = policy_of(RULES);
    assert_eq!(secrets(&decide(&policy, "map x: pw=hunter2 bob")), [false, true, false]);
    assert_eq!(secrets(&decide(&policy, "unlock hunter2 now")), [true, true]);
    assert_eq!(secrets(&decide(&policy, "systeminfo /fo csv")), [false, false]);
    let shown = format!("{:?} {:?}", decide(&policy, "map pw=hunter2"), decide(&policy, "unlock hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_secret_mark_of_any_role_that_fits_counts() {
    let open = "[[roles.ops.programs]]\nname = 'a'\npath = 'C:\\t\\x.exe'\narguments = { any = true }\n";
    let both = format!(
        "{open}\n[[roles.ops.programs]]\nname = 'b'\npath = 'C:\\t\\x.exe'\narguments = {{ any = true, secret = true }}\n"
    );
    assert_eq!(secrets(&decide(&policy_of(open), "x v")), [false]);
    let decision = decide(&policy_of(&both), "x v");
    assert_eq!(secrets(&decision), [true]);
    assert_eq!(decision.allowed().unwrap().rule, "a");
}

#[test]
fn input_needs_a_rule_that_permits_it() {
    let policy = policy_of(RULES);
    let sort = decide_request(&policy, with_input("sort"));
    assert_eq!(sort.allowed().map(|allowed| allowed.program().unwrap().input()), Some(Input::Permitted));
    assert_eq!(
        decide(&policy, "sort").allowed().map(|allowed| allowed.program().unwrap().input()),
        Some(Input::Permitted)
    );
    assert_eq!(
        decide(&policy, "pool").allowed().map(|allowed| allowed.program().unwrap().input()),
        Some(Input::Refused)
    );
    let denied = decide_request(&policy, with_input("pool"));
    assert_eq!(reason(&denied), Some(DenyReason::Input));
    assert!(denied.denied().unwrap().message.contains("without standard input"));
}

#[test]
fn what_comes_beside_a_line_is_denied_even_for_an_allowed_program() {
    let policy = policy_of(RULES);
    let with = |extras, resource| {
        reason(&decide_request(&policy, ProgramRequest { extras, resource, ..ProgramRequest::new("pool", Vec::new()) }))
    };
    let none = RequestExtras::default();
    let shell = ShellResource::CommandShell;
    assert_eq!(with(none, shell), None);
    assert_eq!(with(none, ShellResource::Other), Some(DenyReason::Resource));
    assert_eq!(with(RequestExtras { environment: Presence::Present, ..none }, shell), Some(DenyReason::Environment));
    let working_directory = RequestExtras { working_directory: Presence::Present, ..none };
    assert_eq!(with(working_directory, shell), Some(DenyReason::WorkingDirectory));
}

#[test]
fn a_denied_user_is_told_what_comes_nearest() {
    let policy = policy_of(RULES);
    let told = |line: &str| {
        let decision = decide(&policy, line);
        let denied = decision.denied().unwrap_or_else(|| panic!("{line} was allowed")).clone();
        assert!(!denied.message.contains("hunter2"), "{}", denied.message);
        (denied.message, denied.nearest)
    };
    let nearest = |rule: &str| Some(Nearest { role: "ops".to_owned(), rule: rule.to_owned() });
    assert_eq!(
        told("systeminfo /s hunter2"),
        (
            "systeminfo.exe is allowed in role ops, but with other arguments: at most 2, each matching /fo or \
             csv|list|table"
                .to_owned(),
            nearest("report")
        )
    );
    assert_eq!(
        told("pool stop"),
        (
            "pool.exe is allowed in role ops, but with other arguments: exactly `start Portal` or none".to_owned(),
            nearest("pool")
        )
    );
    assert_eq!(
        told(r"C:\hunter2\sort.exe"),
        (
            "sort.exe is allowed in role ops, but only as C:\\Windows\\System32\\sort.exe: call it by this path or as \
             sort.exe"
                .to_owned(),
            nearest("sort")
        )
    );
    let (message, none) = told("hunter2");
    assert_eq!(none, None);
    assert!(
        message.ends_with("those that are allowed: map.exe, pool.exe, sort.exe, systeminfo.exe, unlock.exe"),
        "{message}"
    );
    let (message, _) = told("map \u{17f}");
    assert!(message.contains("<secret>") && !message.contains("pw="), "{message}");
}

/// What the audit keeps of a denied line.
#[test]
fn a_denied_program_is_kept_as_it_was_read() {
    let policy = policy_of(
        r"
        [[roles.ops.programs]]
        name = 'unlock'
        path = 'C:\Tools\unlock.exe'
        arguments = { each = ['[0-9]+', { pattern = 'pin=.+', secret = true }], max = 1 }
        [[roles.ops.programs]]
        name = 'show'
        path = 'C:\Tools\show.exe'
        ",
    );
    let denied = |line: &str| decide(&policy, line).denied().unwrap().program.clone();
    let kept = denied("unlock.exe pin=1 2").unwrap();
    assert_eq!(kept.name(), "unlock.exe");
    // Which argument was meant is unknown in a line that fits no rule, so all are secret.
    assert!(kept.arguments().iter().all(sekisho_policy::CheckedArgument::is_secret));
    let kept = denied("show.exe a /password:b").unwrap();
    assert_eq!(
        kept.arguments().iter().map(|a| (a.value(), a.is_secret())).collect::<Vec<_>>(),
        [("a", false), ("/password:b", true)]
    );
    assert_eq!(denied("show.exe & whoami"), None);
    assert!(!format!("{kept:?}").contains("show.exe"));
}
