//! The command line of `policy`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say everything that is wrong with a policy.
    Check {
        /// A policy: a file, or a folder of .toml files.
        policy: PathBuf,
        /// Write JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Say what works and is hardly meant, or dangerous.
    Lint {
        /// A policy: a file, or a folder of .toml files.
        policy: PathBuf,
        /// Write JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Judge one request, and say why.
    Explain(Box<ExplainArguments>),
    /// Run cases with expected verdicts.
    Test {
        /// A policy: a file, or a folder of .toml files.
        policy: PathBuf,
        /// Files of cases: TOML, or JSON lines (.jsonl).
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Write the outcome as JUnit XML, too.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Say what another policy would decide otherwise.
    Diff(DiffArguments),
    /// Write the least policy that would have allowed what was denied.
    Propose(Box<ProposeArguments>),
    /// Say what a user may do on a target.
    List(Box<ListArguments>),
    /// What PowerShell's commands accept.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Write the entry that lets one script through.
    Pin(PinArguments),
    /// Turn JEA's files into a policy.
    ImportJea(JeaImport),
    /// Write a role as JEA's files.
    ExportJea(Box<JeaExport>),
    /// For programs: judge requests, JSON lines from standard input to standard output.
    Decide {
        /// A policy: a file, or a folder of .toml files.
        #[arg(long, value_name = "PATH")]
        policy: PathBuf,
    },
    /// For programs: read script texts, JSON lines from standard input to standard output.
    Read,
}

/// Who asks, about which target, when and from where.
#[derive(Debug, Args)]
pub struct Facts {
    /// The user, as DOMAIN\name.
    #[arg(long, value_name = r"DOMAIN\NAME")]
    pub user: Option<String>,
    /// A group of the user; may be given again.
    #[arg(long = "group", value_name = r"DOMAIN\GROUP")]
    pub groups: Vec<String>,
    /// The target's name.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// A group of targets that it belongs to; may be given again.
    #[arg(long = "target-group", value_name = "GROUP")]
    pub target_groups: Vec<String>,
    /// A tag of the target; may be given again.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// The PowerShell that the target runs: 5.1 or 7.
    #[arg(long, value_name = "EDITION", default_value = "5.1")]
    pub edition: String,
    /// When: RFC 3339 or seconds since 1970. Without it, conditions about time deny.
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// The client's address. Without it, conditions about addresses deny.
    #[arg(long, value_name = "ADDRESS")]
    pub source: Option<IpAddr>,
}

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A policy: a file, or a folder of .toml files.
    #[arg(long, value_name = "PATH")]
    pub policy: PathBuf,
    #[command(flatten)]
    pub facts: Facts,
    #[command(flatten)]
    pub what: Asked,
    /// Write JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What is asked for.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Asked {
    /// Script text from a file, or - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "winrs", "command"])]
    pub script: Option<PathBuf>,
    /// A whole request as JSON, as `policy decide` takes it, from a file, or - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["winrs", "command"])]
    pub request: Option<PathBuf>,
    /// What follows -- is a program for the cmd shell (WinRS), not a PowerShell command.
    #[arg(long, requires = "command")]
    pub winrs: bool,
    /// The command. One argument alone is read as script text.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Where requests come from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Workload {
    /// Requests: cases in TOML, or JSON lines (.jsonl).
    #[arg(long, value_name = "FILE")]
    pub requests: Option<PathBuf>,
    /// The folder of an audit log.
    #[arg(long, value_name = "DIR")]
    pub audit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The policy as it is.
    pub old: PathBuf,
    /// The policy as it would be.
    pub new: PathBuf,
    #[command(flatten)]
    pub workload: Workload,
}

#[derive(Debug, Args)]
pub struct ProposeArguments {
    /// The folder of an audit log: its denials.
    #[arg(long, value_name = "DIR", required_unless_present = "script", conflicts_with = "script")]
    pub audit: Option<PathBuf>,
    /// A script that should be allowed.
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// The policy whose own catalogue counts.
    #[arg(long, value_name = "PATH")]
    pub policy: Option<PathBuf>,
    /// For a script: who shall run it. A placeholder without it.
    #[arg(long, value_name = r"DOMAIN\NAME")]
    pub user: Option<String>,
    /// For a script: on which target. A placeholder without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// The PowerShell that the targets run: 5.1 or 7.
    #[arg(long, value_name = "EDITION", default_value = "5.1")]
    pub edition: String,
}

#[derive(Debug, Args)]
pub struct ListArguments {
    /// A policy: a file, or a folder of .toml files.
    #[arg(long, value_name = "PATH")]
    pub policy: PathBuf,
    #[command(flatten)]
    pub facts: Facts,
    /// Write JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Write commands of a real machine as a document of a policy.
    Import {
        /// What the line of docs/catalog.md has written in PowerShell, as JSON.
        file: PathBuf,
    },
    /// Say what a command accepts.
    Show {
        /// The command's name.
        name: String,
        /// A policy, whose own catalogue counts then.
        #[arg(long, value_name = "PATH")]
        policy: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct PinArguments {
    /// The script.
    pub file: PathBuf,
    /// The role that the entry is for.
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    /// What the audit calls it; the file's name without it.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The policy that the script lies beside: the entry names it from the policy's folder on.
    #[arg(long, value_name = "PATH")]
    pub policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct JeaImport {
    /// Role capability (.psrc) and session configuration (.pssc) files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Write the documents into this folder instead of standard output.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct JeaExport {
    /// The role.
    pub role: String,
    /// A policy: a file, or a folder of .toml files.
    #[arg(long, value_name = "PATH")]
    pub policy: PathBuf,
    /// Name only those in the session configuration who hold the role on this target.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// A group of targets that it belongs to; may be given again.
    #[arg(long = "target-group", value_name = "GROUP", requires = "target")]
    pub target_groups: Vec<String>,
    /// A tag of the target; may be given again.
    #[arg(long = "tag", value_name = "TAG", requires = "target")]
    pub tags: Vec<String>,
    /// The PowerShell that the target runs: 5.1 or 7.
    #[arg(long, value_name = "EDITION", default_value = "5.1")]
    pub edition: String,
    /// Write a session configuration that needs no registration and holds for everybody who may connect.
    #[arg(long)]
    pub whole: bool,
    /// Write ROLE.psrc and ROLE.pssc into this folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
}
