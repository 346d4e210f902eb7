//! The asking side: a shell on a target, and one program run in it from start to end.

mod run;
mod shell;

pub use run::{Program, Run, RunEvent};
pub use shell::{ClientEvent, ClientSettings, Operation, ShellClient};
