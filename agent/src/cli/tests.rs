use super::*;
use crate::RunForm;
use crate::objects::{Nested, Selection};
use clap::CommandFactory as _;
use sekisho_protocol::job::{JobMistake, ProgramCall, ScriptCall, Work};

fn parsed(line: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from([&["sekisho"], line].concat())
}

fn exec_of(line: &[&str]) -> Exec {
    match parsed(line).unwrap().command {
        Command::Exec(exec) => exec,
        Command::Targets(_) | Command::Can(_) | Command::Run(_) => panic!("not exec"),
    }
}

fn login(change: impl FnOnce(&mut LoginArgs)) -> LoginArgs {
    let mut login =
        LoginArgs { gateway: Some("https://gw".into()), user: Some("alice".into()), ..LoginArgs::default() };
    change(&mut login);
    login
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn arguments_become_a_request() {
    let exec = exec_of(&[
        "exec",
        "--target",
        "a,b",
        "--target",
        "c",
        "--throttle",
        "4",
        "--timeout",
        "9",
        "--",
        "ping",
        "-n",
        "1",
        "--x",
    ]);
    let request = exec.request().unwrap();
    let arguments = ["-n", "1", "--x"].map(str::to_owned).to_vec();
    assert_eq!(request.work, Work::Program(ProgramCall { name: "ping".into(), arguments }));
    assert_eq!(request.targets, TargetSelection::Names(vec!["a".into(), "b".into(), "c".into()]));
    assert_eq!((request.throttle, request.timeout_seconds), (Some(4), Some(9)));
    let group = exec_of(&["exec", "--group", "web", "--", "hostname"]).request().unwrap();
    assert_eq!(group.targets, TargetSelection::Group("web".into()));
}

#[test]
fn a_question_is_about_one_target_and_at_most_one_command() {
    let can = |line: &[&str]| match parsed(&[&["can", "-t", "web01"], line].concat()).map(|cli| cli.command) {
        Ok(Command::Can(can)) => can.request(&mut std::io::empty()),
        other => panic!("{other:?}"),
    };
    assert_eq!(can(&[]).unwrap(), CapabilitiesRequest::list("web01".to_owned()));
    let asked = can(&["--json", "--", "Get-It", "-Name", "a b"]).unwrap();
    assert!(matches!(asked.question, Some(Question::Command(_))));
    let asked = can(&["--program", "--", "Get-It"]).unwrap();
    assert!(matches!(asked.question, Some(Question::Program(_))));
    let asked = can(&["--powershell", "--", "ipconfig", "/all"]).unwrap();
    assert!(matches!(asked.question, Some(Question::Command(_))));
    let asked = can(&["--", "Get-It | Get-Other"]).unwrap();
    assert_eq!(asked.question, Some(Question::Powershell("Get-It | Get-Other".to_owned())));
    assert!(matches!(can(&["--", " "]), Err(AgentError::Job(JobMistake::Program))));
    assert!(parsed(&["can"]).is_err());
    assert!(parsed(&["can", "-t", "a", "--powershell", "--program", "--", "x"]).is_err());
    assert!(parsed(&["can", "-t", "a", "x"]).is_err(), "no --");
}

#[test]
fn targets_are_said_in_exactly_one_way() {
    assert!(parsed(&["exec", "--", "hostname"]).is_err());
    assert!(parsed(&["exec", "--target", "a", "--group", "b", "--", "hostname"]).is_err());
    assert!(parsed(&["exec", "--target", "a"]).is_err(), "no program");
    assert!(parsed(&["exec", "--target", "a", "hostname"]).is_err(), "no --");
    assert!(parsed(&["exec", "--target", "a", "--throttle", "0", "--", "x"]).is_err());
    let twice = exec_of(&["exec", "--target", "a,A", "--", "hostname"]).request();
    assert!(matches!(twice, Err(AgentError::Job(JobMistake::TargetTwice))));
}

#[test]
fn targets_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets");
    std::fs::write(&path, "web01 # first\nweb02\n").unwrap();
    let file = path.to_str().unwrap();
    let request = exec_of(&["exec", "--targets-file", file, "--", "hostname"]).request().unwrap();
    assert_eq!(request.targets, TargetSelection::Names(vec!["web01".into(), "web02".into()]));
    std::fs::write(&path, "# none\n").unwrap();
    let none = exec_of(&["exec", "--targets-file", file, "--", "hostname"]).request();
    assert!(matches!(none, Err(AgentError::Job(JobMistake::NoTarget))));
}

#[test]
fn there_is_no_way_to_pass_a_password_or_to_skip_verification() {
    for line in [
        &["targets", "--password", "x"][..],
        &["targets", "--insecure"],
        &["targets", "--no-verify"],
        &["targets", "--ca", "a", "--pin", "b"],
        &["targets", "--password-stdin", "--password-file", "f"],
    ] {
        assert!(parsed(line).is_err(), "{line:?}");
    }
    let names = Cli::command()
        .get_subcommands()
        .flat_map(|c| c.get_arguments().map(|a| a.get_id().to_string()))
        .collect::<Vec<_>>();
    assert!(names.iter().all(|name| !name.contains("insecure") && name != "password"), "{names:?}");
    let command = Cli::command();
    assert!(
        command
            .get_subcommands()
            .flat_map(clap::Command::get_arguments)
            .all(|argument| argument.get_value_delimiter().is_none()
                || ["target", "select"].iter().any(|id| argument.get_id() == id))
    );
}

fn run_of(line: &[&str]) -> Run {
    match parsed(&[&["run", "-t", "web01"], line].concat()).unwrap().command {
        Command::Run(run) => run,
        Command::Exec(_) | Command::Targets(_) | Command::Can(_) => panic!("not run"),
    }
}

#[test]
fn words_become_a_command_and_one_word_a_text() {
    let request = |line: &[&str]| run_of(line).request(&mut std::io::empty());
    let words = ["Get-Service", "-Name", "a,b"].map(str::to_owned);
    let command = run::command(&words).unwrap();
    let asked = request(&["--throttle", "2", "--timeout", "9", "--", "Get-Service", "-Name", "a,b"]).unwrap();
    assert_eq!(asked.work, Work::Command(command));
    assert_eq!((asked.throttle, asked.timeout_seconds), (Some(2), Some(9)));
    let asked = request(&["--", "Get-Service | Select-Object Name"]).unwrap();
    assert_eq!(asked.work, Work::Script(ScriptCall::new("Get-Service | Select-Object Name".into())));
    assert!(matches!(request(&[]), Err(AgentError::Usage(UsageMistake::CommandOrScript))));
    assert!(matches!(request(&["--", ""]), Err(AgentError::Job(JobMistake::NoCommand))));
}

#[test]
fn a_script_comes_from_a_file_or_standard_input_with_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ps1");
    std::fs::write(&path, "param($Days)\r\nGet-It $Days\r\n").unwrap();
    let file = path.to_str().unwrap();
    let asked = run_of(&["--script", file, "--arg", "Days=5"]).request(&mut std::io::empty()).unwrap();
    let arguments = vec![run::script_argument("Days=5").unwrap()];
    let script = ScriptCall { text: "param($Days)\r\nGet-It $Days\r\n".into(), arguments };
    assert_eq!(asked.work, Work::Script(script.clone()));
    let asked = run_of(&["--script", "-"]).request(&mut &b"Get-It"[..]).unwrap();
    assert_eq!(asked.work, Work::Script(ScriptCall::new("Get-It".into())));
    let twice = run_of(&["--script", "-", "--password-stdin"]).request(&mut std::io::empty());
    assert!(matches!(twice, Err(AgentError::Usage(UsageMistake::StdinTwice))));
    let nameless = run_of(&["--script", file, "--arg", "5"]).request(&mut std::io::empty());
    assert!(matches!(nameless, Err(AgentError::Usage(UsageMistake::ScriptArgument))));
    let alone = run_of(&["--arg", "x=1", "--", "Get-It"]).request(&mut std::io::empty());
    assert!(matches!(alone, Err(AgentError::Usage(UsageMistake::ArgumentsWithoutScript))));
    let cli = parsed(&["can", "-t", "a", "--script", file, "--arg", "Days=5"]).unwrap();
    let Command::Can(can) = cli.command else { panic!() };
    assert_eq!(can.request(&mut std::io::empty()).unwrap().question, Some(Question::Script(script)));
}

#[test]
fn what_excludes_each_other_is_refused() {
    for line in [
        &["run", "-t", "a", "--script", "x", "--", "Get-It"][..],
        &["run", "-t", "a", "--json", "--jsonl", "--", "Get-It"],
        &["run", "-t", "a", "--json", "--raw", "--", "Get-It"],
        &["run", "-t", "a", "--types", "--raw", "--", "Get-It"],
        &["run", "-t", "a", "Get-It"],
        &["run", "--", "Get-It"],
        &["can", "-t", "a", "--script", "x", "--", "Get-It"],
    ] {
        assert!(parsed(line).is_err(), "{line:?}");
    }
}

#[test]
fn the_form_follows_from_the_arguments() {
    let options = |line: &[&str]| run_of(&[line, &["--", "Get-It"]].concat()).options();
    assert_eq!(options(&[]).form, RunForm::Table);
    assert_eq!(options(&["--json"]).form, RunForm::Json);
    let lines = options(&["--jsonl", "--types", "--select", "Name, Status", "--select", "Id"]);
    assert_eq!((lines.form, lines.nested), (RunForm::Jsonl, Nested::Typed));
    assert_eq!(lines.selection, Selection::new(&["Name", "Status", "Id"].map(str::to_owned)));
    assert!(matches!(options(&["--raw"]).form, RunForm::Raw(_)));
}

#[test]
fn arguments_come_before_the_file() {
    let config = AgentConfig {
        gateway: Some("https://other".into()),
        user: Some("bob".into()),
        ca: Some("/nowhere/ca.pem".into()),
        pin: None,
    };
    let pinned = login(|login| login.pin = Some("00".repeat(32)));
    let settings = pinned.settings_with(config.clone()).unwrap();
    assert_eq!(settings.client.gateway.host(), "gw");
    assert_eq!(settings.user, "alice");
    assert_eq!(settings.client.trust, Trust::Pin([0; 32]));
    let error = LoginArgs::default().settings_with(config).unwrap_err();
    assert!(matches!(error, AgentError::File { .. }), "the file's CA counts: {error}");
}

#[test]
fn what_is_missing_is_named() {
    let missing = |login: &LoginArgs| match login.settings_with(AgentConfig::default()) {
        Err(AgentError::Usage(mistake)) => mistake,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(&LoginArgs::default()), UsageMistake::NoGateway);
    assert_eq!(missing(&login(|login| login.user = None)), UsageMistake::NoUser);
    assert_eq!(missing(&login(|login| login.gateway = Some("http://gw".into()))), UsageMistake::NotHttps);
    let both = AgentConfig { ca: Some("a".into()), pin: Some("b".into()), ..AgentConfig::default() };
    assert!(matches!(login(|_| ()).settings_with(both), Err(AgentError::Usage(UsageMistake::CaAndPin))));
}

#[test]
fn the_password_is_asked_for_unless_told_otherwise() {
    let source = |login: LoginArgs| login.settings_with(AgentConfig::default()).unwrap().password;
    assert_eq!(source(login(|_| ())), PasswordSource::Prompt);
    assert_eq!(source(login(|login| login.password_stdin = true)), PasswordSource::Stdin);
    assert_eq!(source(login(|login| login.password_file = Some("f".into()))), PasswordSource::File("f".into()));
}

#[test]
fn help_has_the_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    for status in ExitStatus::ALL {
        assert!(help.contains(&format!("{}  ", status.code())), "{help}");
    }
}
