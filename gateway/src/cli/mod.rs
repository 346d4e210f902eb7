//! The command line.

mod policy;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use policy::{
    Asked, CatalogCommand, DiffArguments, ExplainArguments, Facts, JeaExport, JeaImport, ListArguments, PinArguments,
    PolicyCommand, ProposeArguments, Workload,
};

const DEFAULT_CONFIG: &str = "/etc/sekisho/gateway.toml";

/// One checkpoint for Windows remote management: authenticate, judge, audit, re-delegate.
#[derive(Debug, Parser)]
#[command(
    name = "sekisho-gateway",
    version,
    after_help = "Exit codes: 0 all is well; 1 it could not be done; 2 the command line is wrong; 3 something was found: \
                  mistakes (check, policy check, policy lint), a changed log or recording (audit verify, audit show), cases that differ (policy \
                  test), changes (policy diff), a denial (policy explain); 4 audit verify or audit show found no change and \
                  could not prove everything."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway.
    Serve(ConfigOption),
    /// Read configuration, policy, certificates and key files, and say what is wrong.
    Check(ConfigOption),
    /// Make a first installation in a new folder.
    Init(InitArguments),
    /// The gateway's own accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The policy: check, explain, test and compare it.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Show what the gateway does, with targets of its own, and leave nothing behind.
    Demo(DemoArguments),
}

#[derive(Debug, Args)]
pub struct ConfigOption {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
}

#[derive(Debug, Args)]
pub struct InitArguments {
    /// The folder to make; it must not be there yet, or be empty.
    pub directory: PathBuf,
    /// A name by which clients reach the gateway; may be given again. The machine's own name is one already.
    #[arg(long = "name", value_name = "HOST")]
    pub names: Vec<String>,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:5986")]
    pub listen: SocketAddr,
    /// The first account.
    #[arg(long, value_name = "NAME", default_value = "admin")]
    pub account: String,
    /// Its groups.
    #[arg(long, value_name = "GROUP,GROUP", value_delimiter = ',', default_value = "operators")]
    pub groups: Vec<String>,
    /// Read its password from standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add an account.
    Add {
        /// Letters, digits, '.', '-', '_' and '$'.
        name: String,
        /// Its groups.
        #[arg(long, value_name = "GROUP,GROUP", value_delimiter = ',')]
        groups: Vec<String>,
        /// Read the password from standard input instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Show the accounts and their groups.
    List(ConfigOption),
    /// Remove an account.
    Remove {
        name: String,
        #[command(flatten)]
        config: ConfigOption,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Prove that a log is what was written, and say what cannot be proved.
    Verify {
        /// The folder of the log.
        directory: PathBuf,
        /// The first public key, which init and the first start have shown.
        #[arg(long, value_name = "ed25519:KEY")]
        key: String,
        /// Copies of signed heads that were kept elsewhere: a file, one on a line.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
        /// The folder of the recordings, to be compared with what the log says of them.
        #[arg(long, value_name = "DIR")]
        recordings: Option<PathBuf>,
    },
    /// Show the recording of a session. Who reads it is written into the audit log first.
    Show {
        /// The session's id, as the audit log has it.
        session: String,
        /// One JSON object on a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigOption,
    },
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Stay up, and print lines for clients to paste.
    #[arg(long)]
    pub serve: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_password_is_taken_from_the_command_line() {
        assert!(Cli::try_parse_from(["x", "account", "add", "alice", "--password", "secret"]).is_err());
    }
}
