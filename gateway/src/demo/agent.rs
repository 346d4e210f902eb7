//! The real agent, as `sekisho` runs it, against the demo's gateway.

use super::error::DemoError;
use super::site::Site;
use sekisho_agent::client::{Timeouts, Trust};
use sekisho_agent::exec::write_error;
use sekisho_agent::{
    AgentError, Client, ClientOptions, ExecOptions, ExitStatus, Format, GatewayUrl, RunOptions, Sinks, credential,
    exec, print_targets, run,
};
use sekisho_protocol::job::{JobRequest, TargetSelection};
use sekisho_protocol::secret::SecretText;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Seconds that one target may take. All of the demo's programs take less than one.
const TIMEOUT: u32 = super::site::PATIENCE;

/// One user's agent.
#[derive(Debug)]
pub(super) struct Agent {
    gateway: SocketAddr,
    ca: PathBuf,
    user: &'static str,
}

/// What the agent printed, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) status: ExitStatus,
    pub(super) text: String,
}

impl Agent {
    pub(super) fn new(site: &Site, user: &'static str) -> Self {
        Self { gateway: site.gateway, ca: site.ca(), user }
    }

    /// `sekisho targets`.
    pub(super) async fn targets(&self, password: &SecretText) -> Result<Ran, DemoError> {
        let mut client = match self.connect(password).await? {
            Ok(client) => client,
            Err(error) => return failed(&error),
        };
        let mut out = Vec::new();
        let printed = print_targets(&mut client, Format::Table, &mut out).await;
        client.close().await;
        match printed {
            Ok(()) => Ok(Ran { status: ExitStatus::AllOk, text: text(&out) }),
            Err(error) => failed(&error),
        }
    }

    /// `sekisho exec`.
    pub(super) async fn exec(&self, password: &SecretText, targets: &[&str], words: &[&str]) -> Result<Ran, DemoError> {
        let mut client = match self.connect(password).await? {
            Ok(client) => client,
            Err(error) => return failed(&error),
        };
        let mut words = words.iter().map(|&word| word.to_owned());
        let program = words.next().unwrap_or_default();
        let request = limited(JobRequest::new(program, words.collect(), selection(targets)));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let sinks = Sinks { out: &mut out, err: &mut err };
        let ran = exec(&mut client, &request, ExecOptions::default(), sinks, std::future::pending()).await;
        client.close().await;
        ended(ran, &out, &err)
    }

    /// `sekisho run`: one word is a text of PowerShell's, several are a command.
    pub(super) async fn run(&self, password: &SecretText, targets: &[&str], words: &[&str]) -> Result<Ran, DemoError> {
        let mut client = match self.connect(password).await? {
            Ok(client) => client,
            Err(error) => return failed(&error),
        };
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let work = run::work(&words).ok_or(DemoError::Words)?;
        let request = limited(JobRequest::of(work, selection(targets)));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let sinks = Sinks { out: &mut out, err: &mut err };
        let ran = run(&mut client, &request, RunOptions::default(), sinks, std::future::pending()).await;
        client.close().await;
        ended(ran, &out, &err)
    }

    /// The line by which a user of a shell does the same; the password is asked for.
    pub(super) fn line(&self, rest: &str) -> String {
        let (command, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        let Self { gateway, ca, user } = self;
        format!("sekisho {command} --gateway https://{gateway} --ca {} --user {user} {arguments}", ca.display())
            .trim_end()
            .to_owned()
    }

    async fn connect(&self, password: &SecretText) -> Result<Result<Client, AgentError>, DemoError> {
        let gateway = GatewayUrl::parse(&format!("https://{}", self.gateway)).map_err(AgentError::from)?;
        let trust = Trust::from_pem(&std::fs::read(&self.ca)?).map_err(AgentError::from)?;
        let options = ClientOptions { gateway, trust, timeouts: Timeouts::default() };
        let password = SecretText::new(password.with(str::to_owned));
        Ok(Client::connect(&options, credential(self.user, password)).await)
    }
}

fn selection(targets: &[&str]) -> TargetSelection {
    TargetSelection::Names(targets.iter().map(|&name| name.to_owned()).collect())
}

fn limited(request: JobRequest) -> JobRequest {
    JobRequest { timeout_seconds: Some(TIMEOUT), ..request }
}

fn ended(ran: Result<ExitStatus, AgentError>, out: &[u8], err: &[u8]) -> Result<Ran, DemoError> {
    match ran {
        Ok(status) => Ok(Ran { status, text: text(out) + &text(err) }),
        Err(error) => failed(&error),
    }
}

fn failed(error: &AgentError) -> Result<Ran, DemoError> {
    let mut err = Vec::new();
    write_error(&mut err, error)?;
    Ok(Ran { status: error.exit_status(), text: text(&err) })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
