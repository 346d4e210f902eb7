//! The command line: arguments, defaults from the configuration file, and what is done with them.

mod work;

pub use work::{FormArgs, Run, WorkArgs};

use crate::can::{Reading, question};
use crate::client::{CA_FILE_BYTES, Timeouts, credential};
use crate::config::{AgentConfig, read_bounded};
use crate::error::{AgentError, UsageMistake};
use crate::exec::{ProgressLine, write_error};
use crate::secrets::PasswordSource;
use crate::{CanForm, Client, ClientOptions, ExecOptions, ExitStatus, Format, GatewayUrl, Sinks, Trust};
use crate::{exec, print_capabilities, print_targets, run, targets_file};
use clap::{Args, Parser, Subcommand};
use sekisho_protocol::job::{CapabilitiesRequest, JobRequest, Question, THROTTLE, TIMEOUT_SECONDS, TargetSelection};
use std::future::Future;
use std::io::{IsTerminal as _, Read};
use std::path::PathBuf;
use work::{RUN_HELP, script};

/// The agent's command line.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, about, long_about = None, after_help = ExitStatus::table())]
#[command(propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one program on many targets
    #[command(after_help = ExitStatus::table())]
    Exec(Exec),
    /// List the targets that you may reach
    #[command(after_help = ExitStatus::table())]
    Targets(Targets),
    /// Ask what you may do on a target, or whether one command would be allowed there; nothing is run
    #[command(after_help = CAN_HELP)]
    Can(Can),
    /// Run a PowerShell command or script on many targets; objects come back
    #[command(after_help = RUN_HELP)]
    Run(Run),
}

/// `sekisho exec`.
#[derive(Debug, Args)]
pub struct Exec {
    /// Where and as whom.
    #[command(flatten)]
    pub login: LoginArgs,
    /// On which targets.
    #[command(flatten)]
    pub targets: TargetArgs,
    /// At most so many targets at a time; without it, what the gateway allows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(THROTTLE)))]
    pub throttle: Option<u16>,
    /// Seconds that one target may take; without it, what the gateway allows
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=i64::from(TIMEOUT_SECONDS)))]
    pub timeout: Option<u32>,
    /// The form of the results
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: Format,
    /// The program and its arguments, each as it is: nothing is quoted and no shell is asked
    #[arg(last = true, required = true, value_name = "PROGRAM ARGS")]
    pub program: Vec<String>,
}

/// `sekisho targets`.
#[derive(Debug, Args)]
pub struct Targets {
    /// Where and as whom.
    #[command(flatten)]
    pub login: LoginArgs,
    /// The form of the list
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: Format,
}

/// What is asked, and how it is told apart.
const CAN_HELP: &str = "\
Without a command, all that you may do on the target is listed: commands of PowerShell with the parameters and values
that are allowed, programs, pinned scripts.

With a command, the answer says whether it would be allowed now, and if not, what comes nearest. A command whose first
word is a name like Get-Service is judged as PowerShell's, anything else as a program; --powershell and --program say it
otherwise. Each word is one argument; a single word may be a whole text of PowerShell:

  sekisho can -t web01 -- Restart-Service -Name Dns
  sekisho can -t web01 -- 'Get-Service -Name Dns | Select-Object Name, Status'
  sekisho can -t web01 -- sc query W32Time
  sekisho can -t web01 --powershell -- ipconfig /all
  sekisho can -t web01 --script tidy.ps1 --arg Days=30

The exit code is 0 for yes, 3 for no, and otherwise that of `sekisho --help`.";

/// `sekisho can`.
#[derive(Debug, Args)]
pub struct Can {
    /// Where and as whom.
    #[command(flatten)]
    pub login: LoginArgs,
    /// On which target
    #[arg(short, long, value_name = "TARGET")]
    pub target: String,
    /// Answer with the JSON document of the job API
    #[arg(long)]
    pub json: bool,
    /// Judge the command as PowerShell's, whatever its first word looks like
    #[arg(long, conflicts_with = "program")]
    pub powershell: bool,
    /// Judge the command as a program, whatever its first word looks like
    #[arg(long)]
    pub program: bool,
    /// Ask about the script in this file, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "program", "powershell"])]
    pub script: Option<PathBuf>,
    /// A value for a name of the script's param(...); may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    pub arg: Vec<String>,
    /// The command and its arguments, each as it is
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Where and as whom. Never a password: others can read arguments and environment.
#[derive(Debug, Args, Default)]
pub struct LoginArgs {
    /// The gateway: https://HOST or https://HOST:PORT (5986 without a port)
    #[arg(long, value_name = "URL")]
    pub gateway: Option<String>,
    /// The user: 'DOMAIN\name', name@domain, or the name of an account of the gateway
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Read the password from standard input, its first line, instead of asking for it
    #[arg(long, conflicts_with = "password_file")]
    pub password_stdin: bool,
    /// Read the password from the first line of a file that others cannot read
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file, and only these
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    pub ca: Option<PathBuf>,
    /// Trust the certificate with this SHA-256 fingerprint, and only this
    #[arg(long, value_name = "SHA256")]
    pub pin: Option<String>,
    /// Take defaults from this file instead of ~/.config/sekisho/agent.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// On which targets: one of the three.
#[derive(Debug, Args, Default)]
#[group(required = true, multiple = false)]
pub struct TargetArgs {
    /// These targets, separated by commas
    #[arg(short, long, value_name = "A,B,C", value_delimiter = ',')]
    pub target: Vec<String>,
    /// All targets of this group
    #[arg(long, value_name = "G")]
    pub group: Option<String>,
    /// The targets in this file, one a line; # begins a comment
    #[arg(long, value_name = "FILE")]
    pub targets_file: Option<PathBuf>,
}

/// Arguments and configuration, put together and checked.
#[derive(Debug)]
pub struct Settings {
    /// Where, and by what it is verified.
    pub client: ClientOptions,
    /// As whom.
    pub user: String,
    /// Where the password comes from.
    pub password: PasswordSource,
}

/// Does what the command line says. Everything is written to `sinks`; `interrupt` is called once, after the
/// password was asked for, and what it returns is ready when the user wants to stop.
pub async fn execute<I: Future<Output = ()> + Send>(
    cli: &Cli,
    sinks: Sinks<'_>,
    interrupt: impl FnOnce() -> I,
) -> ExitStatus {
    let Sinks { out, err } = sinks;
    let outcome = match &cli.command {
        Command::Exec(exec) => execute_exec(exec, Sinks { out, err }, interrupt).await,
        Command::Targets(targets) => execute_targets(targets, out).await.map(|()| ExitStatus::AllOk),
        Command::Can(can) => execute_can(can, out).await,
        Command::Run(run) => execute_run(run, Sinks { out, err }, interrupt).await,
    };
    outcome.unwrap_or_else(|error| {
        // Nobody is left to tell when standard error is gone too.
        let _unheard = write_error(err, &error).and_then(|()| err.flush());
        error.exit_status()
    })
}

async fn execute_exec<I: Future<Output = ()> + Send>(
    arguments: &Exec,
    sinks: Sinks<'_>,
    interrupt: impl FnOnce() -> I,
) -> Result<ExitStatus, AgentError> {
    // All that can be wrong here is found before the password is asked for.
    let request = arguments.request()?;
    let settings = arguments.login.settings()?;
    let progress = if std::io::stderr().is_terminal() { ProgressLine::Shown } else { ProgressLine::Hidden };
    let options = ExecOptions { format: arguments.output, progress };
    let mut client = settings.connect().await?;
    exec(&mut client, &request, options, sinks, interrupt()).await
}

async fn execute_run<I: Future<Output = ()> + Send>(
    arguments: &Run,
    sinks: Sinks<'_>,
    interrupt: impl FnOnce() -> I,
) -> Result<ExitStatus, AgentError> {
    let request = arguments.request(&mut std::io::stdin())?;
    let settings = arguments.login.settings()?;
    let options = arguments.options();
    let mut client = settings.connect().await?;
    run(&mut client, &request, options, sinks, interrupt()).await
}

async fn execute_targets(arguments: &Targets, out: &mut (dyn std::io::Write + Send)) -> Result<(), AgentError> {
    let mut client = arguments.login.settings()?.connect().await?;
    print_targets(&mut client, arguments.output, out).await
}

async fn execute_can(arguments: &Can, out: &mut (dyn std::io::Write + Send)) -> Result<ExitStatus, AgentError> {
    let request = arguments.request(&mut std::io::stdin())?;
    let form = if arguments.json { CanForm::Json } else { CanForm::Text };
    let mut client = arguments.login.settings()?.connect().await?;
    print_capabilities(&mut client, &request, form, out).await
}

impl Can {
    /// The question, validated.
    ///
    /// # Errors
    /// The first mistake.
    pub fn request(&self, input: &mut dyn Read) -> Result<CapabilitiesRequest, AgentError> {
        let reading = match (self.powershell, self.program) {
            (true, _) => Reading::Powershell,
            (false, true) => Reading::Program,
            (false, false) => Reading::ByForm,
        };
        let script = script(self.script.as_deref(), &self.arg, &self.login, input)?.map(Question::Script);
        let request = match script.or_else(|| question(&self.command, reading)) {
            None => CapabilitiesRequest::list(self.target.clone()),
            Some(question) => CapabilitiesRequest::ask(self.target.clone(), question),
        };
        request.validate()?;
        Ok(request)
    }
}

impl Exec {
    /// The job, validated.
    ///
    /// # Errors
    /// The first mistake.
    pub fn request(&self) -> Result<JobRequest, AgentError> {
        let mut words = self.program.iter().cloned();
        let program = words.next().unwrap_or_default();
        let mut request = JobRequest::new(program, words.collect(), self.targets.selection()?);
        request.throttle = self.throttle;
        request.timeout_seconds = self.timeout;
        request.validate()?;
        Ok(request)
    }
}

impl TargetArgs {
    fn selection(&self) -> Result<TargetSelection, AgentError> {
        if let Some(group) = &self.group {
            return Ok(TargetSelection::Group(group.clone()));
        }
        let Some(path) = &self.targets_file else { return Ok(TargetSelection::Names(self.target.clone())) };
        let bytes = read_bounded(path, targets_file::FILE_BYTES)?;
        Ok(TargetSelection::Names(targets_file::parse(&bytes)?))
    }
}

impl LoginArgs {
    /// Arguments first, then the configuration file.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn settings(&self) -> Result<Settings, AgentError> {
        let config = AgentConfig::load(self.config.as_deref())?;
        self.settings_with(config)
    }

    fn settings_with(&self, config: AgentConfig) -> Result<Settings, AgentError> {
        if config.ca.is_some() && config.pin.is_some() {
            return Err(UsageMistake::CaAndPin.into());
        }
        let gateway = self.gateway.clone().or(config.gateway).ok_or(UsageMistake::NoGateway)?;
        let gateway = GatewayUrl::parse(&gateway)?;
        let user = self.user.clone().or(config.user).ok_or(UsageMistake::NoUser)?;
        // As a pair, so that an argument replaces the other kind in the file as well.
        let (ca, pin) = if self.ca.is_some() || self.pin.is_some() {
            (self.ca.clone(), self.pin.clone())
        } else {
            (config.ca, config.pin)
        };
        let trust = match (ca, pin) {
            (Some(path), _) => Trust::from_pem(&read_bounded(&path, CA_FILE_BYTES)?)?,
            (None, Some(pin)) => Trust::from_pin(&pin)?,
            (None, None) => Trust::System,
        };
        let password = match (&self.password_file, self.password_stdin) {
            (Some(path), _) => PasswordSource::File(path.clone()),
            (None, true) => PasswordSource::Stdin,
            (None, false) => PasswordSource::Prompt,
        };
        Ok(Settings { client: ClientOptions { gateway, trust, timeouts: Timeouts::default() }, user, password })
    }
}

impl Settings {
    async fn connect(&self) -> Result<Client, AgentError> {
        let password = self.password.read(&self.user, self.client.gateway.host())?;
        Client::connect(&self.client, credential(&self.user, password)).await
    }
}

#[cfg(test)]
mod tests;
