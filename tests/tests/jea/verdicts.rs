//! Exported pairs allow on a real PowerShell what the policy allows, and never more.

use super::engine::{self, run};
use super::random::Random;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sekisho_policy::command::{Argument, Command, CommandsRequest};
use sekisho_policy::jea::{Exported, Outcome, SessionForm, Wanted, export};
use sekisho_policy::value::Value;
use sekisho_policy::{Action, Circumstances, Edition, Policy, Presence, Principal, Source, TargetFacts};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sekisho_tests::engine::{Task, find};

const JUDGE: &str = include_str!("../../data/jea/judge.ps1");

/// Commands that the engine has, with parameters that take text and switches.
const COMMANDS: [(&str, &[&str], &[&str]); 8] = [
    ("Get-Service", &["Name", "DisplayName", "Include", "Exclude"], &[]),
    ("Restart-Service", &["Name", "DisplayName"], &["Force", "PassThru"]),
    ("Stop-Service", &["Name"], &["Force", "NoWait"]),
    ("Start-Service", &["Name"], &["PassThru"]),
    ("Get-Process", &["Name"], &[]),
    ("Get-WinEvent", &["LogName"], &[]),
    ("Get-ChildItem", &["Path"], &[]),
    ("Test-Path", &["Path"], &[]),
];
const VALUES: [&str; 12] = [
    "Spooler",
    "SPOOLER",
    "W32Time",
    "Spooler\n",
    "印刷",
    "it's",
    "C:\\Logs\\a.log",
    "\u{2018}q\u{2019}",
    "$x",
    "",
    "a\"b`n",
    "Spooler ",
];
const PATTERNS: [&str; 7] =
    ["spooler|w32.*", r"C:\\Logs\\[a-z]+\.log", "^Spooler$", "Spoo.{3}", "印.", "it's|\u{2018}q\u{2019}", r"[^\\]*"];

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list(values: &[&str]) -> String {
    format!("[{}]", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", "))
}

fn some<'a>(random: &mut Random, from: &[&'a str], once_in: usize) -> Vec<&'a str> {
    from.iter().filter(|_| random.once_in(once_in)).copied().collect()
}

fn entry(random: &mut Random) -> String {
    let (name, values, switches) = COMMANDS[random.below(COMMANDS.len())];
    if random.once_in(4) {
        return quoted(name);
    }
    let mut parameters: Vec<String> = some(random, switches, 2).iter().map(|name| quoted(name)).collect();
    for name in some(random, values, 2) {
        let mut text = format!("{{ name = '{name}'");
        if random.once_in(2) {
            let mut set = some(random, &VALUES, 4);
            // PowerShell accepts the empty text never, even where a set has it; an export says so.
            set.retain(|value| !value.is_empty());
            let set = if set.is_empty() { vec!["Spooler"] } else { set };
            let _ = write!(text, ", validate_set = {}", list(&set));
        }
        if random.once_in(3) {
            let _ = write!(text, ", validate_pattern = {}", quoted(random.pick(&PATTERNS)));
        }
        parameters.push(text + " }");
    }
    format!("{{ name = '{name}', parameters = [{}] }}", parameters.join(", "))
}

fn document(random: &mut Random, role: &str) -> String {
    let entries: Vec<String> = (0..=random.below(5)).map(|_| entry(random)).collect();
    let mut text = format!("defaults = true\n[roles.{role}]\ncmdlets = [{}]\n", entries.join(", "));
    if random.once_in(2) {
        text.push_str("aliases = { zz = 'Get-Service', yy = 'Stop-Service' }\n");
    }
    text.push_str(
        "[[roles.r.programs]]\nname = 'p'\npath = 'C:\\W\\x.exe'\narguments = { exact = [['a']] }\n"
            .replace("roles.r", &format!("roles.{role}"))
            .as_str(),
    );
    if random.once_in(5) {
        text.push_str("[[deny]]\nname = 'no'\ncommands = ['Stop-*']\n");
    }
    text + &format!("[[assignments]]\nprincipals = ['D\\u']\ntargets = ['t']\nroles = ['{role}']\n")
}

/// A call by exact names.
struct Call {
    command: &'static str,
    arguments: Vec<(&'static str, Option<Vec<&'static str>>)>,
}

fn call(random: &mut Random) -> Call {
    if random.once_in(8) {
        let command = random_of(
            random,
            &["zz", "yy", "Get-Date", "Get-Command", "Clear-Host", "Stop-Process", "Invoke-Expression", "Get-Location"],
        );
        return Call { command, arguments: Vec::new() };
    }
    let (command, values, switches) = COMMANDS[random.below(COMMANDS.len())];
    let mut arguments = Vec::new();
    for name in some(random, values, values.len().max(1)) {
        let several = if random.once_in(4) { 2 } else { 1 };
        arguments.push((name, Some((0..several).map(|_| random_of(random, &VALUES)).collect())));
    }
    arguments.extend(some(random, switches, 3).into_iter().map(|name| (name, None)));
    Call { command, arguments }
}

fn random_of(random: &mut Random, from: &[&'static str]) -> &'static str {
    from[random.below(from.len())]
}

impl Call {
    fn allowed(&self, policy: &Policy) -> bool {
        let text = |text: &&str| Value::Text((*text).to_owned());
        let arguments = self.arguments.iter().map(|(name, values)| match values.as_deref() {
            None => Argument::named(*name, Value::Null),
            Some([one]) => Argument::named(*name, text(one)),
            Some(several) => Argument::named(*name, Value::List(several.iter().map(text).collect())),
        });
        let commands = vec![Command::new(self.command, arguments.collect())];
        let action = Action::Commands(CommandsRequest { commands, extra_commands: None, input: Presence::Absent });
        policy.decide(&user(), &target(), &Circumstances::default(), &action).allowed().is_some()
    }

    fn line(&self, pssc: &Path) -> String {
        let mut line = format!("{}\t{}", pssc.display(), self.command);
        for (name, values) in &self.arguments {
            let _ = write!(line, "\t{name}");
            if let Some(values) = values {
                let values: Vec<String> = values.iter().map(|value| BASE64_STANDARD.encode(value)).collect();
                let _ = write!(line, "={}", values.join(","));
            }
        }
        line
    }
}

fn user() -> Principal {
    Principal { name: r"D\u".to_owned(), groups: Vec::new() }
}

fn target() -> TargetFacts {
    TargetFacts { name: "t".to_owned(), groups: Vec::new(), tags: Vec::new(), edition: Edition::Core7 }
}

fn compiled(text: &str) -> Policy {
    match Policy::compile(&[Source { name: "p.toml", text }]) {
        Ok(compiled) => compiled.policy,
        Err(mistakes) => panic!("{text}\n{mistakes:#?}"),
    }
}

fn exported(policy: &Policy, role: &str, session: SessionForm) -> Exported {
    export(policy, &Wanted { role, target: Some(&target()), session }).unwrap()
}

/// Puts a pair where PowerShell finds it; the folder of modules and the session configuration.
fn install(folder: &Path, exported: &Exported) -> (PathBuf, PathBuf) {
    let modules = folder.join("modules");
    let module = modules.join("Sekisho");
    fs::create_dir_all(module.join("RoleCapabilities")).unwrap();
    fs::write(module.join("Sekisho.psd1"), "@{ ModuleVersion = '1.0'; GUID = '336c8643-2e67-47a0-871b-24b95a27350c' }")
        .unwrap();
    fs::write(module.join("RoleCapabilities").join(&exported.psrc.name), &exported.psrc.bytes).unwrap();
    let pssc = folder.join(&exported.pssc.name);
    fs::write(&pssc, &exported.pssc.bytes).unwrap();
    (modules, pssc)
}

/// Whether an answer of the engine's is a refusal of the session's, and not of the command itself.
fn refused(answer: &str) -> bool {
    const REFUSALS: [&str; 4] = [
        "CommandNotFoundException",
        "ParameterArgumentValidationError",
        "NamedParameterNotFound",
        "PositionalParameterNotFound",
    ];
    assert!(!answer.starts_with("failed"), "{answer}");
    REFUSALS.iter().any(|refusal| answer.starts_with(refusal))
}

#[test]
fn an_exported_pair_allows_what_the_policy_allows() -> engine::Outcome {
    let folder = tempfile::tempdir()?;
    let mut random = Random::new(std::env::var("SEKISHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(3));
    let (mut lines, mut calls) = (Vec::new(), Vec::new());
    let mut modules = PathBuf::new();
    let policies: Vec<(Policy, bool, String)> = (0..40)
        .map(|index| {
            let text = document(&mut random, &format!("r{index}"));
            let policy = compiled(&text);
            let pair = exported(&policy, &format!("r{index}"), SessionForm::Roles);
            let field = |note: &sekisho_policy::jea::Note| {
                note.outcome == Outcome::LeftOut && note.field != "VisibleExternalCommands"
            };
            let whole = !pair.notes.iter().any(field);
            assert!(pair.notes.iter().any(|note| note.field == "VisibleExternalCommands"));
            let (found, pssc) = install(folder.path(), &pair);
            modules = found;
            for _ in 0..40 {
                let call = call(&mut random);
                lines.push(call.line(&pssc));
                calls.push((index, call));
            }
            (policy, whole, text)
        })
        .collect();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    fs::write(&input, lines.join("\n"))?;
    if !run(JUDGE, &[&modules, &input, &output], folder.path())? {
        return Ok(());
    }
    let answers = fs::read_to_string(&output)?;
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), calls.len());
    let mut counts = [0_usize; 2];
    for ((index, call), answer) in calls.iter().zip(&answers) {
        let (policy, whole, text) = &policies[*index];
        // What the command itself cannot take never comes as far as the restriction.
        const UNBOUND: [&str; 3] = [
            "CannotConvertArgument",
            "ParameterArgumentTransformationError",
            "ParameterArgumentValidationErrorEmptyStringNotAllowed",
        ];
        if UNBOUND.iter().any(|id| answer.starts_with(id)) {
            continue;
        }
        let (here, there) = (call.allowed(policy), !refused(answer));
        let wider = there && !here;
        let narrower = here && !there && *whole;
        assert!(!wider && !narrower, "here {here}, there {there} ({answer}): {}\n{text}", call.line(Path::new("")));
        counts[usize::from(here)] += 1;
    }
    assert!(counts[0] > 200 && counts[1] > 200, "{counts:?}");
    Ok(())
}

const SERVED: &str = r#"
defaults = true
[roles.ops]
cmdlets = ["Get-Process", { name = "Restart-Service", parameters = ["Force", { name = "Name", validate_set = ["Spooler", "印刷"] }] },
  { name = "Get-Service", parameters = [{ name = "Name", validate_pattern = "W.*" }] }]
aliases = { svc = "Get-Service" }
[[assignments]]
principals = ['D\u']
targets = ['t']
roles = ['ops']
"#;

/// Lines as they are typed, and whether they are allowed.
const TYPED: [(&str, bool); 12] = [
    ("Restart-Service -Name Spooler -Force", true),
    ("Restart-Service -Name 印刷", true),
    ("Restart-Service -Name WinRM", false),
    ("Restart-Service -DisplayName Spooler", false),
    ("Get-Service -Name WinRM", true),
    ("Get-Service -Name Spooler", false),
    ("svc -Name W32Time", true),
    ("svc -Name Spooler", false),
    ("Stop-Service -Name Spooler", false),
    ("Get-Date", false),
    ("Get-Command -Name Get-Service", true),
    ("Restart-Service -Name \"WinRM`n\"", false),
];

#[test]
fn a_real_client_gets_the_same_verdicts_from_a_served_export() -> engine::Outcome {
    let folder = tempfile::tempdir()?;
    let (Some(server), Some(client)) = (find(Task::Serve)?, find(Task::Play)?) else { return Ok(()) };
    let policy = compiled(SERVED);
    let (_, pssc) = install(folder.path(), &exported(&policy, "ops", SessionForm::Whole));
    let served = server.command();
    let words: Vec<String> = std::iter::once(served.get_program())
        .chain(served.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let stand_in = folder.path().join("bin").join("ssh");
    fs::create_dir(folder.path().join("bin"))?;
    fs::write(&stand_in, format!("#!/bin/sh\nexec {} -ConfigurationFile '{}'\n", words.join(" "), pssc.display()))?;
    make_executable(&stand_in)?;
    let mut script = "$s = New-PSSession -HostName any\n".to_owned();
    for (index, (line, _)) in TYPED.iter().enumerate() {
        let _ = writeln!(
            script,
            "try {{ $null = Invoke-Command -Session $s {{ {line} }} -ErrorAction Stop; 'verdict {index} ran' }} catch {{ 'verdict {index} ' + $_.FullyQualifiedErrorId }}"
        );
    }
    let file = folder.path().join("client.ps1");
    fs::write(&file, script)?;
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let canary = folder.path().join("canary");
    let output =
        client.command().arg(&file).env("PATH", path).env("ENGINE_CANARY", &canary).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for (index, (line, allowed)) in TYPED.iter().enumerate() {
        let start = format!("verdict {index} ");
        let answer =
            said.lines().find_map(|found| found.strip_prefix(&start)).ok_or_else(|| format!("{line}: {said}"))?;
        assert_eq!(!refused(answer), *allowed, "{line}: {answer}");
        let request = Action::Script(sekisho_policy::command::ScriptRequest::new(*line));
        let here = policy.decide(&user(), &target(), &Circumstances::default(), &request).allowed().is_some();
        assert_eq!(here, *allowed, "{line}");
    }
    assert!(!canary.exists());
    Ok(())
}

fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}
