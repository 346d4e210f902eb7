//! The serving side: shells, their commands and the output that waits for its reader.

mod output;
mod shell;

pub use output::Output;
pub use shell::{Input, ShellEvent, ShellLimits, ShellMachine};
