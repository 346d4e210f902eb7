//! The arguments that say what of PowerShell's is run, and how its objects are written.

use super::{LoginArgs, TargetArgs};
use crate::error::{AgentError, UsageMistake};
use crate::exec::ProgressLine;
use crate::objects::{Nested, Selection};
use crate::run::{RawText, read_script, script_argument, work};
use crate::{RunForm, RunOptions};
use clap::Args;
use sekisho_protocol::job::{JobRequest, ScriptCall, THROTTLE, TIMEOUT_SECONDS, Work};
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

/// How a command is written.
pub(super) const RUN_HELP: &str = "\
The words after -- are one command of PowerShell's: its name, -Name for parameters, anything else a value, whatever is in
it. Commas make lists (a,b or a, b); whole numbers, $true, $false and $null are what they are in PowerShell; 'text' in
single quotes is text in any case. One word alone is a text of PowerShell's, and so may hold a pipeline:

  sekisho run -t web01,web02 -- Get-Service -Name Spooler,W32Time
  sekisho run -t web01 -- 'Get-Service -Name Spooler | Select-Object Name, Status'
  sekisho run --group web --script tidy.ps1 --arg Days=30
  sekisho run --group web --select Name,Status --jsonl -- Get-Service

Everything is judged by the gateway's policy; `sekisho can` asks it without running anything. Errors and warnings of the
targets go to standard error. A target on which there was an error counts as failed: the exit code is then 1. Exit codes
are those of `sekisho --help`.";

/// `sekisho run`.
#[derive(Debug, Args)]
pub struct Run {
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
    /// What is run.
    #[command(flatten)]
    pub work: WorkArgs,
    /// How objects are written.
    #[command(flatten)]
    pub form: FormArgs,
    /// Show these properties, in this order; without it, those that PowerShell would show
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub select: Vec<String>,
    /// In JSON, write objects within objects with their types, text, value and properties apart
    #[arg(long, conflicts_with = "raw")]
    pub types: bool,
}

/// What is run: a command or a script.
#[derive(Debug, Args, Default)]
pub struct WorkArgs {
    /// The text in this file, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub script: Option<PathBuf>,
    /// A value for a name of the script's param(...); may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    pub arg: Vec<String>,
    /// The command and its arguments, each as it is; one word alone may be a whole text
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// How objects are written: as tables, or one of these.
#[derive(Debug, Args, Default)]
#[group(multiple = false)]
pub struct FormArgs {
    /// One JSON document at the end
    #[arg(long)]
    pub json: bool,
    /// A line of JSON for each record as it comes
    #[arg(long)]
    pub jsonl: bool,
    /// The text of each object as it comes, and nothing else
    #[arg(long)]
    pub raw: bool,
}

impl Run {
    /// The job, validated; a script may come from `input`.
    ///
    /// # Errors
    /// The first mistake.
    pub fn request(&self, input: &mut dyn Read) -> Result<JobRequest, AgentError> {
        let WorkArgs { script: file, arg, command } = &self.work;
        let script = script(file.as_deref(), arg, &self.login, input)?.map(Work::Script);
        let work = script.or_else(|| work(command)).ok_or(UsageMistake::CommandOrScript)?;
        let mut request = JobRequest::of(work, self.targets.selection()?);
        request.throttle = self.throttle;
        request.timeout_seconds = self.timeout;
        request.validate()?;
        Ok(request)
    }

    pub(super) fn options(&self) -> RunOptions {
        let FormArgs { json, jsonl, raw } = self.form;
        let raw_text = if std::io::stdout().is_terminal() { RawText::Harmless } else { RawText::AsIs };
        RunOptions {
            form: match (json, jsonl, raw) {
                (true, _, _) => RunForm::Json,
                (_, true, _) => RunForm::Jsonl,
                (_, _, true) => RunForm::Raw(raw_text),
                (false, false, false) => RunForm::Table,
            },
            selection: Selection::new(&self.select),
            nested: if self.types { Nested::Typed } else { Nested::Plain },
            progress: if std::io::stderr().is_terminal() { ProgressLine::Shown } else { ProgressLine::Hidden },
        }
    }
}

/// The script of a file or of standard input, if one was named, with its values.
pub(super) fn script(
    file: Option<&Path>,
    values: &[String],
    login: &LoginArgs,
    input: &mut dyn Read,
) -> Result<Option<ScriptCall>, AgentError> {
    let Some(file) = file else {
        return if values.is_empty() { Ok(None) } else { Err(UsageMistake::ArgumentsWithoutScript.into()) };
    };
    if file == Path::new("-") && login.password_stdin {
        return Err(UsageMistake::StdinTwice.into());
    }
    let values = values.iter().map(|value| script_argument(value).ok_or(UsageMistake::ScriptArgument));
    let arguments = values.collect::<Result<_, _>>()?;
    Ok(Some(ScriptCall { text: read_script(file, input)?, arguments }))
}
