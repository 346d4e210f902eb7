//! Pipelines on their way through the one door: what is refused before it is judged, and what denials say.

use super::super::folder::Folder;
use super::super::site::{Pace, Site, TARGETS, USER};
use crate::enforce::pipeline::{Asked, Secrets, Why, read};
use crate::enforce::{Ask, Asker, Permit, PipelineIds, Refusal, judge, refuse_unread};
use crate::identity::{Identity, PrincipalName};
use sekisho_policy::Presence;
use sekisho_protocol::psrp::{Command, CommandKind, CreatePipeline};
use sekisho_protocol::wsman::CommandId;
use uuid::Uuid;

const RULES: &str = r"
[roles.looker]
cmdlets = [{ name = 'Get-Service', prompts = true }, 'Get-Date']
";

async fn site() -> (Folder, Site) {
    let folder = Folder::new().unwrap();
    let policy = include_str!("../policy.toml").replacen("[roles.looker]", RULES.trim(), 1);
    let site = Site::start_with(&folder, Pace::Usual, &policy, &|_targets| String::new()).await.unwrap();
    (folder, site)
}

/// Goes through the door to the first target, as a session of the user's does.
async fn sent(site: &Site, commands: Vec<Command>) -> Result<Permit, Refusal> {
    let request = CreatePipeline::of_statements(vec![commands]);
    let gateway = &site.parts().0.unwrap().gateway;
    let live = gateway.live_full();
    let identity = &Identity { principal: PrincipalName::local(USER).unwrap() };
    let (client, target) = ("127.0.0.1:1".parse().unwrap(), live.config.targets.find(TARGETS[0]).unwrap());
    let (session, command) = (Uuid::new_v4(), CommandId::new(Uuid::new_v4()));
    let refuse = |_: &_| Err(sekisho_protocol::error::Misuse::WrongState.into());
    match read(&request, Presence::Absent, &refuse, &mut Secrets::new()) {
        Asked::Judge { action, form } => {
            judge(gateway, Ask { identity, client, target, session, command, action: &action, form: &form }).await
        }
        Asked::Refused(unread) => {
            let asker = Asker { identity, client, target };
            Err(refuse_unread(gateway, asker, PipelineIds { session, command }, &unread).await)
        }
        Asked::Local { local, .. } => panic!("{local:?}"),
    }
}

fn script(text: &str) -> Vec<Command> {
    vec![Command { kind: CommandKind::Script, ..Command::new(text, vec![]) }]
}

fn message(refusal: Refusal) -> String {
    let Refusal::Denied { message, .. } = refusal else { panic!("{refusal:?}") };
    message
}

/// The audit lines of a kind, when the gateway has gone.
async fn log(mut site: Site, event: &str) -> Vec<serde_json::Value> {
    site.stop_gateway().await;
    let files = std::fs::read_dir(site.audit()).unwrap().map(|entry| entry.unwrap().path());
    let texts: Vec<String> = files.map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).filter_map(|line| serde_json::from_str(line).ok());
    let found = lines.filter(|line: &serde_json::Value| line["event"] == event).collect();
    site.stop().await;
    found
}

#[tokio::test]
async fn what_nothing_can_allow_is_told_and_written_without_its_words() {
    let (_folder, site) = site().await;
    let refused = sent(&site, vec![Command::new("__Set-PSDebugMode-hunter2", vec![])]).await.unwrap_err();
    assert_eq!(message(refused), Why::Debugger.message());
    let lines = log(site, "denial").await;
    assert_eq!((lines.len(), &lines[0]["reason"]), (1, &serde_json::json!("Debugger")));
    assert!(lines[0]["unread"].is_object() && !lines[0].to_string().contains("hunter2"), "{}", lines[0]);
}

#[tokio::test]
async fn who_sends_a_script_of_a_stock_client_is_told_what_works_instead() {
    let (_folder, site) = site().await;
    let bootstrap = "&chcp.com 65001 > $null\n$exec_wrapper_str = $input | Out-String\n";
    let refused = message(sent(&site, script(bootstrap)).await.unwrap_err());
    assert!(refused.contains("ansible.builtin.raw"), "{refused}");
    let refused = message(sent(&site, script("Get-Date; Get-Date")).await.unwrap_err());
    assert!(refused.contains("a second statement"), "{refused}");
    assert_eq!(log(site, "denial").await.len(), 2);
}

#[tokio::test]
async fn a_permit_says_whether_what_runs_may_ask_the_user() {
    let (_folder, site) = site().await;
    let asks = sent(&site, vec![Command::new("Get-Service", vec![])]).await.unwrap();
    let quiet = sent(&site, script("Get-Date\nexit $LASTEXITCODE")).await.unwrap();
    assert!(asks.may_ask() && !quiet.may_ask());
    let both = sent(&site, vec![Command::new("Get-Service", vec![]), Command::new("Get-Date", vec![])]).await.unwrap();
    assert!(!both.may_ask());
    assert_eq!(quiet.form().exit, crate::enforce::pipeline::ExitTail::LastExitCode);
    site.stop().await;
}
