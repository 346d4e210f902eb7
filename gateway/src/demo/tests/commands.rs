//! Commands and scripts through the one door: what is permitted in which form, what is written, and when.

use super::{password, permit_for};
use crate::backend::{BackendError, Effect, TargetShell};
use crate::config::Target;
use crate::credentials::Hold;
use crate::demo::folder::Folder;
use crate::demo::site::{Pace, Site, TARGETS, USER};
use crate::enforce::{Permit, Refusal};
use crate::identity::PrincipalName;
use crate::session::{self, Buffer, Start};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_policy::command::{Argument, Command, CommandsRequest, ScriptRequest};
use sekisho_policy::value::{Secure, SecureKind, Value};
use sekisho_policy::{Action, CheckedArguments, Presence, ProgramRequest};
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::winrs::{Profile, ShellOptions};
use sekisho_protocol::wsman::CommandId;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const ROLE: &str = r#"
[roles.services]
powershell = "constant-commands"
cmdlets = [
    "Get-Service",
    { name = "Restart-Service", rule = "restart dns", parameters = [{ name = "Name", validate_set = ["Dns"] }, "Force"] },
    { name = "Set-LocalUser", parameters = ["Name", { name = "Password", secure = true }, { name = "Description", secret = true }] },
]

[[roles.services.programs]]
name = "addresses"
path = 'C:\Windows\System32\ipconfig.exe'
arguments = { exact = [["/all"]] }

[[assignments]]
principals = ['GATEWAY\operators']
targets = ['web01']
roles = ['services']
"#;
/// As [`ROLE`], without the wrapped lines.
const NO_LINES: &str = "powershell = \"constant-commands\"\n";

struct Door {
    _folder: Folder,
    site: Site,
}

impl Door {
    async fn new() -> Self {
        Self::with(ROLE).await
    }

    async fn with(role: &str) -> Self {
        let folder = Folder::new().unwrap();
        let policy = format!("{}\n{role}", include_str!("../policy.toml"));
        let site = Site::start_with(&folder, Pace::Usual, &policy, &|_targets| String::new()).await.unwrap();
        Self { _folder: folder, site }
    }

    async fn ask(&self, action: &Action) -> Result<Permit, Refusal> {
        permit_for(&self.site, action).await
    }

    async fn refused(&self, action: &Action) -> (String, Option<String>) {
        let refusal = self.ask(action).await.unwrap_err();
        let Refusal::Denied { message, rule, .. } = refusal else { panic!("{refusal:?}") };
        (message, rule)
    }

    /// The lines of this kind, after the gateway's end.
    async fn lines(mut self, event: &str) -> Vec<Json> {
        self.site.stop_gateway().await;
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(self.site.audit()).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            lines.extend(text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()));
        }
        self.site.stop().await;
        lines.retain(|line| line["event"] == event);
        lines
    }

    fn shell(&self) -> (Arc<TargetShell>, Hold) {
        let gateway = &self.site.parts().0.unwrap().gateway;
        let principal = PrincipalName::local(USER).unwrap();
        let credential = DelegatedCredential {
            domain: "GATEWAY".to_owned(),
            user: USER.to_owned(),
            password: SecretText::new(password(&self.site)),
        };
        let hold = gateway.reach.credentials.keep(&principal, credential).unwrap();
        let live = gateway.live_full();
        let dialer = live.dialer(live.config.targets.find(TARGETS[0]).unwrap()).unwrap();
        (
            TargetShell::new(Arc::clone(dialer), principal, ShellOptions { profile: Profile::Skip, code_page: None }),
            hold,
        )
    }
}

fn commands(name: &str, arguments: Vec<Argument>) -> Action {
    let commands = vec![Command::new(name, arguments)];
    Action::Commands(CommandsRequest { commands, extra_commands: None, input: Presence::Absent })
}

fn script(text: &str) -> Action {
    Action::Script(ScriptRequest::new(text))
}

fn line(text: &str) -> Action {
    let encoded = STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    Action::Program(ProgramRequest::new(format!("powershell -encodedcommand {encoded}"), vec![]))
}

/// The text in the line that is sent.
fn carried(permit: &Permit) -> String {
    let begin =
        r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -NoProfile -NonInteractive -EncodedCommand ";
    let bytes = STANDARD.decode(permit.command_line().unwrap().strip_prefix(begin).unwrap()).unwrap();
    let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap()
}

fn restart(name: &str) -> Action {
    commands("restart-service", vec![Argument::positional(Value::text(name))])
}

#[tokio::test]
async fn commands_are_permitted_and_written_in_canonical_form() {
    let door = Door::new().await;
    let permit = door.ask(&restart("dns")).await.unwrap();
    assert!(permit.command_line().is_none() && permit.script().is_none() && !permit.takes_input());
    let [statement] = permit.commands().unwrap().statements() else { panic!() };
    let CheckedArguments::Named(parameters) = statement[0].arguments() else { panic!() };
    assert_eq!((statement[0].name(), parameters[0].name()), ("Restart-Service", "Name"));
    let same = door.ask(&script("Restart-Service -n:dns")).await.unwrap();
    assert_eq!(same.commands(), permit.commands());

    let lines = door.lines("command").await;
    let expected = json!([[{
        "name": "Restart-Service", "role": "services", "rule": "restart dns",
        "parameters": [{ "name": "Name", "value": "dns" }],
    }]]);
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!((&line["role"], &line["rule"]), (&json!("services"), &json!("restart dns")));
        assert_eq!(line["commands"], expected);
        assert!(line.get("program").is_none() && line.get("script").is_none());
    }
}

#[tokio::test]
async fn what_is_permitted_for_psrp_does_not_start_in_a_cmd_shell() {
    let door = Door::new().await;
    let permit = door.ask(&restart("Dns")).await.unwrap();
    let (shell, _hold) = door.shell();
    assert_eq!(shell.start(permit).await.err(), Some(BackendError::OtherShell));
    assert_eq!(door.site.parts().1.iter().map(crate::demo::targets::Running::shells).sum::<usize>(), 0);
    door.site.stop().await;
}

#[tokio::test]
async fn a_line_of_powershells_is_permitted_as_the_commands_it_carries() {
    let door = Door::new().await;
    let permit = door.ask(&line("restart-service dns -fo")).await.unwrap();
    assert_eq!(carried(&permit), "Restart-Service -Name:'dns' -Force:$true");
    let program = door.ask(&line("ipconfig /all")).await.unwrap();
    assert_eq!(carried(&program), r"C:\Windows\System32\ipconfig.exe '/all'");
    assert!(permit.commands().is_none(), "it is not for a session");
    let lines = door.lines("command").await;
    assert_eq!(lines[0]["commands"][0][0]["parameters"][1], json!({ "name": "Force", "value": true }));
    assert!(!lines[0].to_string().contains("owershell"), "the line is not written: {}", lines[0]);
}

#[tokio::test]
async fn a_line_of_powershells_needs_a_role_that_reads_it() {
    let door = Door::with(&ROLE.replace(NO_LINES, "")).await;
    door.ask(&restart("Dns")).await.unwrap();
    let (message, _) = door.refused(&line("Restart-Service Dns")).await;
    assert!(message.contains("none of your roles on this target allows this program"), "{message}");
    let lines = door.lines("denial").await;
    assert_eq!(lines[0]["program"]["path"], "powershell");
    assert!(lines[0].get("commands").is_none());
}

#[tokio::test]
async fn a_rule_that_denies_powershell_denies_what_a_line_carries() {
    let deny = "\n[[deny]]\nname = 'no lines'\nreason = 'use sessions'\n\
                programs = ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe']\n";
    let door = Door::with(&format!("{ROLE}{deny}")).await;
    let (message, _) = door.refused(&line("Restart-Service Dns")).await;
    assert!(message.contains("no lines") && message.contains("use sessions"), "{message}");
    door.site.stop().await;
}

#[tokio::test]
async fn denials_say_what_comes_nearest_and_are_written_as_digests() {
    let door = Door::new().await;
    for action in [restart("Spooler"), script("Restart-Service -Name Spooler"), line("Restart-Service -Name Spooler")] {
        let (message, rule) = door.refused(&action).await;
        assert!(message.contains("Restart-Service is allowed in role services, but"), "{message}");
        assert_eq!(rule.as_deref(), Some("services/restart dns"));
    }
    let text = "Get-Service -Name $x";
    door.refused(&script(text)).await;
    door.refused(&line(text)).await;
    let lines = door.lines("denial").await;
    for line in &lines[..3] {
        assert_eq!(line["commands"][0][0]["name"].as_str().unwrap().to_lowercase(), "restart-service");
        assert!(line.to_string().contains("hmac") && !line.to_string().contains("Spooler"), "{line}");
        assert!(line.get("program").is_none(), "{line}");
    }
    for line in &lines[3..] {
        assert_eq!((&line["unread"]["bytes"], &line["unread"]["place"]), (&json!(text.len()), &json!(18)));
        assert!(!line.to_string().contains("$x"), "{line}");
    }
}

#[tokio::test]
async fn secrets_are_written_as_digests_and_secure_strings_not_at_all() {
    let door = Door::new().await;
    let secure = Value::Secure(Secure { kind: SecureKind::SecureString, handle: 20_022_002 });
    let arguments = vec![
        Argument::named("Name", Value::text("aoki")),
        Argument::named("Password", secure),
        Argument::named("Description", Value::text("hunter2")),
    ];
    door.ask(&commands("Set-LocalUser", arguments)).await.unwrap();
    door.ask(&line("Set-LocalUser -Name aoki -Description hunter2")).await.unwrap();
    let lines = door.lines("command").await;
    let of = |line: &Json, name: &str| {
        let parameters = line["commands"][0][0]["parameters"].as_array().unwrap().clone();
        parameters.iter().find(|parameter| parameter["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!(of(&lines[0], "Password"), json!({ "secure": "SecureString" }));
    assert_eq!(of(&lines[0], "Name"), "aoki");
    assert_eq!(of(&lines[0], "Description"), of(&lines[1], "Description"));
    for line in lines {
        assert!(!line.to_string().contains("hunter2") && !line.to_string().contains("20022002"), "{line}");
    }
}

#[tokio::test]
async fn a_policy_that_changes_binds_the_next_command() {
    let door = Door::new().await;
    for action in [restart("Dns"), script("Restart-Service Dns"), line("Restart-Service Dns")] {
        door.ask(&action).await.unwrap();
    }
    let config = &door.site.installed.config;
    let policy = config.with_file_name("policy").join("policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap().replace("[\"Dns\"]", "[\"Spooler\"]");
    std::fs::write(&policy, text).unwrap();
    door.site.parts().0.unwrap().reload(config).await;
    for action in [restart("Dns"), script("Restart-Service Dns"), line("Restart-Service Dns")] {
        door.refused(&action).await;
    }
    door.ask(&restart("Spooler")).await.unwrap();
    door.site.stop().await;
}

/// What was permitted and then waited for its target is bound by the policy of the moment in which it would be sent.
#[tokio::test]
async fn a_policy_that_changes_binds_what_was_permitted_and_not_sent_yet() {
    let door = Door::new().await;
    let gateway = Arc::clone(&door.site.parts().0.unwrap().gateway);
    let (shell, _hold) = door.shell();
    let launch = |permit: Permit| {
        let start = Start {
            recording: crate::recording::Recording::off(),
            gateway: Arc::clone(&gateway),
            backend: Arc::clone(&shell),
            id: CommandId::new(uuid::Uuid::new_v4()),
            buffer: Buffer::SESSION,
        };
        session::Command::launch(start, permit)
    };
    let hostname = Action::Program(ProgramRequest::new("hostname", vec![]));
    let command = launch(door.ask(&hostname).await.unwrap()).launched().await.unwrap();
    command.ended().await;

    let waiting = door.ask(&hostname).await.unwrap();
    let config = &door.site.installed.config;
    let policy = config.with_file_name("policy").join("policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap().replace("[\"Dns\"]", "[\"Spooler\"]");
    std::fs::write(&policy, text).unwrap();
    door.site.parts().0.unwrap().reload(config).await;
    let refused = launch(waiting).launched().await.unwrap_err();
    assert_eq!((refused.error, refused.effect), (BackendError::Outdated, Effect::NotDone));
    shell.close().await.unwrap();
    drop(gateway);
    let results = door.lines("result").await;
    assert_eq!(results.len(), 2);
    assert_eq!(results[1]["outcome"], "not_sent", "{}", results[1]);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_no_target_of_an_open_shell() {
    let door = Door::new().await;
    let live = door.site.parts().0.unwrap().gateway.live_full();
    let here = live.config.targets.find(TARGETS[0]).unwrap().clone();
    let elsewhere = Target { port: here.port ^ 1, ..here.clone() };
    assert!(live.facts(&here).is_some() && live.facts(&elsewhere).is_none());
    door.site.stop().await;
}
