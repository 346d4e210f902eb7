//! What is recorded of sessions of PowerShell.

use super::Remote;
use super::client::{command, named, text};
use crate::demo::site::USER;
use crate::recording::{Anchors, Entry, Line, Proof, file_of, session_of};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{ClientEvent, ExchangeKey, PipelineState};
use sekisho_protocol::secret::SecretText;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const RECORDED: &str = "\n[recording]\nenabled = true\nclixml = true\nredact = ['hush-[a-z]+']\n";

fn folder(remote: &Remote) -> PathBuf {
    remote.site.audit().with_file_name("recordings")
}

/// The lines of the only recording, and what is proved of it.
fn recording(remote: &Remote) -> (Vec<Line>, Proof) {
    let files = std::fs::read_dir(folder(remote)).unwrap().map(|entry| entry.unwrap().file_name());
    let sessions: Vec<Uuid> = files.filter_map(|name| session_of(name.to_str().unwrap())).collect();
    let [session] = sessions[..] else { panic!("{sessions:?}") };
    let anchor = Anchors::read(&remote.site.audit(), u64::MAX).unwrap().of(session);
    let mut lines = Vec::new();
    let proof = anchor.compare_file(&file_of(&folder(remote), session), &mut |line| lines.push(line.clone()));
    (lines, proof.unwrap())
}

fn shown(lines: &[Line]) -> Vec<String> {
    let of = |entry: &Entry| {
        Some(if let Entry::Asked(said) = entry {
            format!("> {}", said.text)
        } else if let Entry::Output(said) = entry {
            format!("output {}", said.text)
        } else if let Entry::Warning(said) = entry {
            format!("warning {}", said.text)
        } else if let Entry::Refused(said) = entry {
            assert!(said.text.contains("reference"));
            "refused".to_owned()
        } else if let Entry::Ended(ended) = entry {
            ended.outcome.clone()
        } else {
            return None;
        })
    };
    lines.iter().filter_map(|line| of(&line.entry)).collect()
}

fn everything(path: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    files.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[tokio::test]
async fn a_session_is_recorded_whole_and_its_end_stands_in_the_audit_log() {
    let remote = Remote::with(RECORDED).await;
    let mut client = remote.client().await;
    client.commands(vec![command("Get-Service", vec![named("Name", text("W32Time"))])]).await;
    client.commands(vec![command("Remove-Item", vec![named("Path", text("x"))])]).await;
    client.commands(vec![command("Write-Warning", vec![named("Message", text("say hush-abc now"))])]).await;
    let (lines, proof) = recording(&remote);
    assert_eq!(proof, Proof::Open { lines: u64::try_from(lines.len()).unwrap() });
    client.close().await;
    let (lines, proof) = recording(&remote);
    let Proof::Whole { complete: true, .. } = proof else { panic!("{proof:?}") };
    let told = shown(&lines);
    assert_eq!(told[0], "> Get-Service -Name 'W32Time'");
    assert!(told[1].starts_with("output ") && told[1].contains("Name") && told[1].contains("W32Time"), "{told:?}");
    assert_eq!(told[2..4], ["completed", "refused"]);
    assert!(told.contains(&"warning say [redacted] now".to_owned()), "{told:?}");
    assert!(lines.iter().any(|line| matches!(&line.entry, Entry::Output(said) if said.clixml.is_some())));
    let Entry::Begin(begin) = &lines[0].entry else { panic!() };
    assert_eq!((begin.kind.as_str(), begin.target.as_deref()), ("powershell", Some("web01")));
    assert_eq!(begin.principal.as_deref(), Some(format!("GATEWAY\\{USER}").as_str()));
    remote.site.stop().await;
}

#[tokio::test]
async fn no_password_is_ever_in_a_recording() {
    let remote = Remote::with(RECORDED).await;
    let mut client = remote.client().await;
    let exchange = ExchangeKey::generate(&mut crate::random::random().unwrap()).unwrap();
    client.machine.public_key(&exchange.public_key());
    client.flush(None).await;
    client.receive_pool().await.unwrap();
    let Some(ClientEvent::SessionKey(sealed)) = client.events.last() else { panic!() };
    let session = exchange.open(sealed).unwrap();
    let sealed = session.seal(&SecretText::new("canary horse battery".to_owned())).unwrap();
    let cipher = sealed.0.to_string();
    let set = vec![named("Name", text("aoki")), named("Password", Value::Secure(sealed))];
    assert_eq!(client.commands(vec![command("Set-LocalUser", set)]).await.state(), PipelineState::Completed);
    client.close().await;
    let (lines, _) = recording(&remote);
    assert_eq!(shown(&lines)[0], "> Set-LocalUser -Name 'aoki' -Password <SecureString>");
    let bytes = String::from_utf8(everything(&folder(&remote))).unwrap();
    let delegated = super::password(&remote.site);
    for secret in ["canary horse battery", &cipher, &delegated, "<SS"] {
        assert!(!bytes.contains(secret));
    }
    remote.site.stop().await;
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_run() {
    let remote = Remote::with("\n[recording]\nenabled = true\ndirectory = 'gateway.toml'\n").await;
    let mut client = remote.client().await;
    let ran = client.commands(vec![command("Get-Service", vec![named("Name", text("W32Time"))])]).await;
    let (id, message) = ran.failure();
    assert_eq!(id, "SekishoNotRecorded");
    assert!(message.contains("cannot record this session"), "{message}");
    assert_eq!(remote.pipelines(), 0);
    client.close().await;
    remote.site.stop().await;
}
