//! The binary: the command line, and nothing else.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use clap::Parser as _;
use sekisho_gateway::cli::{Cli, Command};
use sekisho_gateway::commands::{Console, Status, Terminal, run};
use sekisho_protocol::memory::WipingAllocator;
use time::OffsetDateTime;

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::system();

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Whatever the command, it may hold passwords or keys. `serve` logs what could not be done about them.
    let _hardening = sekisho_protocol::memory::harden_process();
    sekisho_protocol::memory::keep_large_blocks();
    let status = match &cli.command {
        Command::Serve(serve) => sekisho_gateway::serve::command(&serve.config).map_err(|error| error.to_string()),
        Command::Demo(demo) => sekisho_gateway::demo::command(demo).map_err(|error| error.to_string()),
        command @ (Command::Check(_)
        | Command::Init(_)
        | Command::Account(_)
        | Command::Audit(_)
        | Command::Policy(_)) => {
            let mut out = stdout().lock();
            let mut console = Console { out: &mut out, passwords: &mut Terminal };
            run(command, OffsetDateTime::now_utc(), &mut console).map_err(|error| error.to_string())
        }
    };
    status
        .unwrap_or_else(|error| {
            // When this cannot be written either, the exit code says it.
            let _unwritten = writeln!(stderr(), "error: {error}");
            Status::Failed
        })
        .into()
}
