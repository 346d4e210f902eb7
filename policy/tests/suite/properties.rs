//! Laws that hold for whatever is sent or written.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use sekisho_policy::command_line::{parse, parse_rendered};
use sekisho_policy::{Action, Circumstances, Decision, PinnedText, Policy, Principal, ProgramRequest, Source};

use crate::support::{argv, compile, decide, policy_of, principal, target, try_compile};

const REFUSED: &str = "&|<>^%!();@`\"";

/// A rule that leaves everything to the reader, one for a path that has to be quoted.
const FREE: &str = "[[roles.ops.programs]]\nname = 'free'\npath = 'C:\\t\\free.exe'\narguments = { any = true }\n\
                    [[roles.ops.programs]]\nname = 'wide'\npath = 'C:\\P F (x86)\\wide.exe'\narguments = { any = true }\n";

/// Text that is dense in what matters to cmd.exe and to `CommandLineToArgvW`.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("free".to_owned()),
        Just("wide".to_owned()),
        Just(" ".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        prop::sample::select(
            "&|<>^%!();@`\t\r\n\0'=,~/\u{a0}\u{3000}\u{ff02}\u{201d}\u{17f}\u{212a}".chars().collect::<Vec<_>>()
        )
        .prop_map(|c| c.to_string()),
        "[a-z ]{1,3}",
        any::<char>().prop_map(|c| c.to_string()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// An argument that a client can send: no refused character, and no backslash where a quote would follow.
fn argument() -> impl Strategy<Value = String> {
    "[-a-zA-Z0-9 \t\\\\/:.=,+#$*?~{}\\[\\]'_é受ｆ]{0,12}".prop_map(|text| {
        match text.contains([' ', '\t']) || text.is_empty() {
            true => text.trim_end_matches('\\').to_owned(),
            false => text,
        }
    })
}

/// Quotes as a careful client does.
fn quoted(argument: &str) -> String {
    if argument.is_empty() || argument.contains([' ', '\t']) { format!("\"{argument}\"") } else { argument.to_owned() }
}

/// `CommandLineToArgvW`, written from its published rules and not from our reader.
fn windows_argv(line: &str) -> Vec<String> {
    let mut characters = line.chars().peekable();
    let mut program = String::new();
    if characters.next_if_eq(&'"').is_some() {
        program.extend(characters.by_ref().take_while(|c| *c != '"'));
    } else {
        program.extend(characters.by_ref().take_while(|c| !matches!(c, ' ' | '\t')));
    }
    let mut argv = vec![program];
    loop {
        while characters.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if characters.peek().is_none() {
            return argv;
        }
        let mut argument = String::new();
        let mut within = false;
        while let Some(&next) = characters.peek() {
            if !within && matches!(next, ' ' | '\t') {
                break;
            }
            let mut backslashes = 0;
            while characters.next_if_eq(&'\\').is_some() {
                backslashes += 1;
            }
            if characters.next_if_eq(&'"').is_some() {
                argument.push_str(&"\\".repeat(backslashes / 2));
                if backslashes % 2 == 1 || within && characters.next_if_eq(&'"').is_some() {
                    argument.push('"');
                } else {
                    within = !within;
                }
            } else if backslashes > 0 {
                argument.push_str(&"\\".repeat(backslashes));
            } else {
                argument.extend(characters.next());
            }
        }
        argv.push(argument);
    }
}

fn allowed(policy: &Policy, who: &Principal, line: &str) -> bool {
    let action = Action::Program(ProgramRequest::new(line, Vec::new()));
    policy.decide(who, &target("web01.demo.example"), &Circumstances::default(), &action).allowed().is_some()
}

/// A small policy: roles with rules of a few programs, and who holds them.
fn policy_text() -> impl Strategy<Value = Vec<String>> {
    let arguments = prop::sample::select(vec![
        "'none'",
        "{ any = true }",
        "{ exact = [['a'], []] }",
        "{ exact = [['a', 'b']] }",
        "{ each = ['[ab]'], max = 2 }",
        "{ each = ['b|c'], max = 1 }",
    ]);
    let rule = (prop::sample::select(vec!["x", "y", "z"]), arguments);
    prop::collection::vec(prop::collection::vec(rule, 0..4), 1..5).prop_map(|roles| {
        let role = |(index, rules): (usize, Vec<(&str, &str)>)| {
            let rules: String = rules
                .iter()
                .enumerate()
                .map(|(n, (program, arguments))| {
                    format!(
                        "[[roles.r{index}.programs]]\nname = 'n{n}'\npath = 'C:\\t\\{program}.exe'\narguments = {arguments}\n"
                    )
                })
                .collect();
            let held = "principals = ['D\\u']\ntargets = ['web*.demo.example']";
            let head = if rules.is_empty() { format!("[roles.r{index}]\n") } else { rules };
            format!("{head}[[assignments]]\n{held}\nroles = ['r{index}']\n")
        };
        roles.into_iter().enumerate().map(role).collect()
    })
}

proptest! {
    #[test]
    fn any_line_is_answered_and_nothing_allowed_holds_a_refused_character(line in nasty()) {
        let policy = policy_of(FREE);
        let decision = decide(&policy, &line);
        match &decision {
            Decision::Allow(allowed) => {
                let argv = argv(&decision).unwrap();
                for argument in argv.iter().skip(1) {
                    prop_assert!(!argument.chars().any(|c| REFUSED.contains(c) || c.is_control() && c != '\t'));
                }
                let rendered = allowed.program().unwrap().command_line();
                prop_assert_eq!(&parse_rendered(rendered).unwrap(), &argv);
                prop_assert_eq!(&windows_argv(rendered.trim_start_matches('@')), &argv);
                prop_assert!(!rendered.starts_with('"'));
            }
            Decision::Deny(denied) => prop_assert!(!denied.message.is_empty()),
        }
    }

    #[test]
    fn what_a_client_means_is_what_the_target_reads(
        program in prop::sample::select(vec!["free", "WIDE.exe"]),
        arguments in prop::collection::vec(argument(), 0..6),
    ) {
        let policy = policy_of(FREE);
        let line = arguments.iter().fold(program.to_owned(), |line, argument| format!("{line} {}", quoted(argument)));
        let decision = decide(&policy, &line);
        let read = argv(&decision).unwrap();
        prop_assert_eq!(&read[1..], &arguments[..]);
        let again = decide(&policy, &arguments.iter().fold(format!("\"{}\"", &read[0].replace("C:\\P F (x86)\\", "")), |line, argument| format!("{line} {}", quoted(argument))));
        prop_assert_eq!(argv(&again), Some(read));
    }

    #[test]
    fn reading_never_panics_and_agrees_with_windows(line in prop_oneof![nasty(), any::<String>()]) {
        if let Ok(pieces) = parse(&line) {
            prop_assert_eq!(windows_argv(line.trim_matches([' ', '\t'])), pieces);
        }
        drop(parse_rendered(&line));
    }

    #[test]
    fn adding_a_role_never_takes_away(roles in policy_text(), line in "[xyz]( [abc]){0,3}") {
        let who = principal("d\\U", &[]);
        let mut documents: Vec<(String, String)> = Vec::new();
        let mut before = false;
        for (index, role) in roles.iter().enumerate() {
            documents.push((format!("{index}"), role.clone()));
            let borrowed: Vec<(&str, &str)> = documents.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let now = allowed(&compile(&borrowed).policy, &who, &line);
            prop_assert!(now || !before, "{line} was allowed without {role}");
            before = now;
        }
        let parts = roles.iter().any(|role| allowed(&compile(&[("p", role)]).policy, &who, &line));
        prop_assert_eq!(before, parts, "a union of roles allows what one of them allows");
    }

    #[test]
    fn case_of_the_program_decides_nothing(line in "[xyz](\\.exe)?( [abc]){0,3}", roles in policy_text()) {
        let text = roles.concat();
        let policy = compile(&[("p", &text)]).policy;
        let who = principal("D\\u", &[]);
        let (program, rest) = line.split_at(1);
        let upper = format!("{}{rest}", program.to_uppercase());
        prop_assert_eq!(allowed(&policy, &who, &line), allowed(&policy, &who, &upper));
    }

    #[test]
    fn target_patterns_mean_what_the_rule_says(pattern in "[ab*]{1,4}(\\.[ab*]{1,3}){0,2}", name in "[ab.]{0,8}") {
        let text = format!("[roles.r]\n[[assignments]]\nprincipals = ['D\\u']\ntargets = ['{pattern}']\nroles = ['r']\n");
        let policy = compile(&[("p", &text)]).policy;
        let expression = format!("\\A{}\\z", pattern.replace('.', "\\.").replace('*', "[^.]*"));
        let expected = regex::Regex::new(&expression).unwrap().is_match(&name);
        prop_assert_eq!(policy.may_reach(&principal("D\\u", &[]), &target(&name), &Circumstances::default()), expected);
    }

    #[test]
    fn any_document_is_answered(text in any::<String>()) {
        drop(try_compile(&[("p", &text)]));
    }

    #[test]
    fn any_damage_to_a_document_is_answered(roles in policy_text(), at in any::<prop::sample::Index>(), junk in nasty()) {
        let mut text: Vec<char> = roles.concat().chars().collect();
        let at = at.index(text.len());
        text.splice(at..(at + 3).min(text.len()), junk.chars());
        let text: String = text.into_iter().collect();
        if let Err(mistakes) = try_compile(&[("p", &text)]) {
            for mistake in mistakes {
                prop_assert!(mistake.line >= 1 && mistake.line <= text.lines().count() + 1);
                prop_assert!(mistake.column >= 1 && !mistake.message.is_empty() && !mistake.hint.is_empty());
            }
        }
    }

    #[test]
    fn any_damage_to_a_document_with_every_key_is_answered(
        at in any::<prop::sample::Index>(),
        gone in 0..40_usize,
        junk in prop_oneof![nasty(), Just("[]".to_owned()), Just("{}".to_owned()), Just("''".to_owned()), Just("1".to_owned())],
    ) {
        const SCRIPT: &str = "param([string]$Name, [switch]$Force) $using:Reason";
        let sha256 = PinnedText::of(SCRIPT).sha256().to_owned();
        let mut text: Vec<char> = include_str!("whole.toml").replace("SHA256", &sha256).chars().collect();
        let at = at.index(text.len());
        text.splice(at..(at + gone).min(text.len()), junk.chars());
        let text: String = text.into_iter().collect();
        let sources = [Source { name: "p", text: &text }, Source { name: "scripts/restart.ps1", text: SCRIPT }];
        match Policy::lint(&sources) {
            Ok(_) => prop_assert!(Policy::compile(&sources).is_ok()),
            Err(mistakes) => {
                for mistake in mistakes {
                    prop_assert!(mistake.line >= 1 && mistake.line <= text.lines().count() + 1);
                    prop_assert!(mistake.column >= 1 && !mistake.message.is_empty() && !mistake.hint.is_empty());
                }
            }
        }
    }

    #[test]
    fn any_pattern_is_answered(pattern in prop_oneof![any::<String>(), "[\\[\\]()a-c|*+?.\\\\^${}0-9,&~-]{0,20}"], value in any::<String>()) {
        let document = format!(
            "[[roles.ops.programs]]\nname = 'x'\npath = 'C:\\t\\x.exe'\narguments = {{ each = [{}], max = 9 }}\n[[assignments]]\nprincipals = ['DEMO\\ops']\ntargets = ['web01.demo.example']\nroles = ['ops']\n",
            toml::Value::from(pattern)
        );
        if let Ok(compiled) = try_compile(&[("p", &document)]) {
            drop(decide(&compiled.policy, &format!("x {value}")));
        }
    }
}
