//! The story: what the gateway lets through, what it does not, and what is left to prove it. Each step checks what
//! it says.

use super::agent::{Agent, Ran};
use super::error::DemoError;
use super::narrator::Narrator;
use super::site::{self, BURST, HASTY, PATIENCE, Site, TARGETS, USER};
use crate::cli::{AuditCommand, Command};
use crate::commands::{CommandError, Console, Status, Terminal, run};
use sekisho_agent::ExitStatus;
use sekisho_protocol::secret::SecretText;
use std::path::Path;
use time::OffsetDateTime;

/// Steps in all, the first of which is told by who sets everything up.
pub(super) const STEPS: usize = 9;

/// Jobs until the limit is reached for certain, even on a machine so slow that a little is refilled meanwhile.
const MOST_JOBS: usize = BURST;

/// Tells steps 2 to 9.
pub(super) async fn tell(site: &mut Site, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    let agent = Agent::new(site, USER);
    targets(site, &agent, narrator).await?;
    fan_out(site, &agent, narrator).await?;
    denied(site, &agent, narrator).await?;
    commands(site, &agent, narrator).await?;
    limited(site, narrator).await?;
    wrong_password(&agent, narrator).await?;
    verify(site, narrator).await?;
    tampered(site, narrator)
}

async fn targets(site: &Site, agent: &Agent, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("What may I reach? The agent logs in with CredSSP and asks")?;
    narrator.command(&agent.line("targets"))?;
    let ran = agent.targets(&site.password).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::AllOk, &TARGETS)
}

async fn fan_out(site: &Site, agent: &Agent, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("One login, one job, three targets")?;
    narrator.say("Policy allows hostname. The gateway logs in to each target with the delegated credential, bound")?;
    narrator.say("to the target's own certificate, and sends the full path that policy names.")?;
    narrator.command(&agent.line(&format!("exec --target {} -- hostname", TARGETS.join(","))))?;
    let ran = agent.exec(&site.password, &TARGETS, &["hostname"]).await?;
    narrator.quote(&ran.text)?;
    narrator.say("All three are this machine, so they answer alike.")?;
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy();
    expect(narrator, &ran, ExitStatus::AllOk, &[name.as_ref(), "3 ok"])
}

async fn denied(site: &Site, agent: &Agent, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("What policy does not name is denied, and the reason is said")?;
    narrator.command(&agent.line("exec --target db01 -- shutdown /r"))?;
    let ran = agent.exec(&site.password, &["db01"], &["shutdown", "/r"]).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::Denied, &["allows this program", "1 denied"])?;
    narrator.say("A second command behind the first one is refused where it begins, and never escaped.")?;
    narrator.command(&agent.line("exec --target web01 -- hostname '&' whoami"))?;
    let ran = agent.exec(&site.password, &["web01"], &["hostname", "&", "whoami"]).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::Denied, &["`&`", "1 denied"])?;
    narrator.say("Disks may be looked at on web servers alone: each target is judged for itself.")?;
    narrator.command(&agent.line("exec --target web01,db01 -- df -h"))?;
    let ran = agent.exec(&site.password, &["web01", "db01"], &["df", "-h"]).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::SomeFailed, &["1 ok", "1 denied"])
}

async fn commands(site: &Site, agent: &Agent, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("PowerShell: commands with their arguments are judged, and objects come back")?;
    narrator.say("A service is stopped on two machines. Policy lets it be restarted, by this name and no other.")?;
    let restart = ["Restart-Service", "-Name", "W32Time", "-Verbose"];
    narrator.command(&agent.line(&format!("run --target web01 -- {}", restart.join(" "))))?;
    let ran = agent.run(&site.password, &["web01"], &restart).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::AllOk, &["Windows Time (W32Time)", "1 ok"])?;
    narrator
        .say("Where it was, it runs. Text is read as PowerShell reads it, and goes out as the commands that it is.")?;
    let text = "Get-Service W32Time | Select-Object Name, Status";
    narrator.command(&agent.line(&format!("run --target web01,web02 -- '{text}'")))?;
    let ran = agent.run(&site.password, &["web01", "web02"], &[text]).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::AllOk, &["Running", "Stopped", "2 ok"])?;
    narrator.say("Another service is denied, however it is written:")?;
    let text = "Restart-Service -Na:Spooler";
    narrator.command(&agent.line(&format!("run --target web01 -- '{text}'")))?;
    let ran = agent.run(&site.password, &["web01"], &[text]).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::Denied, &["accepts W32Time only", "1 denied"])
}

async fn limited(site: &Site, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("Too much at a time")?;
    narrator.say(&format!(
        "Here a user has {BURST} commands at once, and 1 more each minute. A job waits for its turn as"
    ))?;
    narrator.say(&format!("long as it may take, {PATIENCE} seconds here. {HASTY} does not stop:"))?;
    let agent = Agent::new(site, HASTY);
    narrator.command(&agent.line(&format!("exec --target {} -- uptime", TARGETS.join(","))))?;
    for job in 1..=MOST_JOBS {
        let ran = agent.exec(&site.password, &TARGETS, &["uptime"]).await?;
        if ran.status == ExitStatus::AllOk {
            continue;
        }
        narrator.say(&format!("Job {job} is told when to come back; nothing of what is over the limit ran:"))?;
        narrator.quote(&ran.text)?;
        return expect(narrator, &ran, ExitStatus::SomeFailed, &["too many requests", "try again in"]);
    }
    Err(unexpected(narrator, "no limit was reached"))
}

async fn wrong_password(agent: &Agent, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("A wrong password")?;
    narrator.say("The answer says no more than that, and comes late: guessing is slow, and is locked out soon.")?;
    narrator.command(&agent.line("targets"))?;
    let ran = agent.targets(&SecretText::new("not the password".to_owned())).await?;
    narrator.quote(&ran.text)?;
    expect(narrator, &ran, ExitStatus::LoginFailed, &["login failed"])
}

async fn verify(site: &mut Site, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("The audit log proves itself")?;
    narrator.say("The gateway stops and signs the last head. With the first public key, shown by `init`, and the")?;
    narrator.say("copies of the heads, which belong on another machine, anyone can verify the log.")?;
    site.stop_gateway().await;
    let status = audit_verify(site, &site.audit(), narrator)?;
    if status != Status::Fine {
        return Err(unexpected(narrator, "the log should verify"));
    }
    let log = read_log(&site.audit(), narrator)?;
    let told = ["\"login\"", "\"command\"", "\"result\"", "\"denial\"", "\"limit\"", "\"bad_credentials\"", "\"stop\""];
    match told.iter().find(|event| !log.contains(**event)) {
        Some(missing) => Err(unexpected(narrator, &format!("the log should have {missing}"))),
        None if site.password.with(|password| log.contains(password)) => {
            Err(unexpected(narrator, "the log should have no password"))
        }
        None => narrator
            .say("Logins, commands, results, denials and limits are in it, and no password.")
            .map_err(Into::into),
    }
}

fn tampered(site: &Site, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.begin("A tampered log is caught")?;
    narrator.say("In a copy, the denied shutdown becomes somebody else's:")?;
    let blamed = format!("GATEWAY\\\\{USER}");
    caught(site, "blamed", narrator, &|line| {
        line.contains("\"denial\"").then(|| line.replacen(&blamed, &blamed.replace(USER, "eve1"), 1))
    })?;
    narrator.say("In another copy, the denials are cut out:")?;
    caught(site, "cut", narrator, &|line| line.contains("\"denial\"").then(String::new))?;
    narrator
        .say("In a third one, everything from the denial on is cut off, which only the copies of the heads show:")?;
    let cut = std::cell::Cell::new(false);
    caught(site, "cut-off", narrator, &|line| {
        cut.set(cut.get() || line.contains("\"denial\""));
        cut.get().then(String::new)
    })
}

/// Changes lines of a copy of the log, and has it caught.
fn caught(
    site: &Site,
    name: &str,
    narrator: &mut Narrator<'_>,
    change: &dyn Fn(&str) -> Option<String>,
) -> Result<(), DemoError> {
    let copy = site.audit().with_file_name(name);
    site::copy_files(&site.audit(), &copy)?;
    let mut changed = 0_usize;
    for path in log_files(&copy)? {
        let mut text = String::new();
        for line in std::fs::read_to_string(&path)?.split_inclusive('\n') {
            let new = change(line);
            changed = changed.saturating_add(usize::from(new.as_ref().is_some_and(|new| new != line)));
            text.push_str(new.as_deref().unwrap_or(line));
        }
        std::fs::write(&path, text)?;
    }
    if changed == 0 {
        return Err(unexpected(narrator, "there was nothing to tamper with"));
    }
    match audit_verify(site, &copy, narrator)? {
        Status::Found => Ok(()),
        Status::Fine | Status::Failed | Status::Incomplete => {
            Err(unexpected(narrator, "the change should have been caught"))
        }
    }
}

/// The real command.
fn audit_verify(site: &Site, directory: &Path, narrator: &mut Narrator<'_>) -> Result<Status, DemoError> {
    let (key, heads) = (site.installed.first_key.clone(), site.heads());
    let (shown, heads_shown) = (directory.display(), heads.display());
    narrator.command(&format!("sekisho-gateway audit verify {shown} --key {key} --head {heads_shown}"))?;
    let command = AuditCommand::Verify { directory: directory.to_owned(), key, head: Some(heads), recordings: None };
    let mut out = Vec::new();
    // Nothing asks it for any.
    let mut console = Console { out: &mut out, passwords: &mut Terminal };
    let status = run(&Command::Audit(command), OffsetDateTime::now_utc(), &mut console);
    narrator.quote(&String::from_utf8_lossy(&out))?;
    status.map_err(|error: CommandError| unexpected(narrator, &format!("audit verify failed: {error}")))
}

fn read_log(directory: &Path, narrator: &Narrator<'_>) -> Result<String, DemoError> {
    let files = log_files(directory)?;
    if files.is_empty() {
        return Err(unexpected(narrator, "there should be a log"));
    }
    files.iter().map(|path| std::fs::read_to_string(path).map_err(DemoError::from)).collect()
}

fn log_files(directory: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn expect(narrator: &Narrator<'_>, ran: &Ran, status: ExitStatus, texts: &[&str]) -> Result<(), DemoError> {
    if ran.status != status {
        let what = format!("the agent should have ended with {} and did with {}", status.code(), ran.status.code());
        return Err(unexpected(narrator, &format!("{what}: {}", ran.text.trim_end())));
    }
    match texts.iter().find(|text| !ran.text.contains(**text)) {
        Some(missing) => Err(unexpected(narrator, &format!("the agent should have said: {missing}"))),
        None => Ok(()),
    }
}

fn unexpected(narrator: &Narrator<'_>, what: &str) -> DemoError {
    DemoError::Step { step: narrator.step(), what: what.to_owned() }
}
