//! The client of a Sekisho gateway: one login, one job for many targets, results as they come.
//!
//! The binary `sekisho` is a thin shell around this library, and the gateway's demo uses it as well:
//! [`Client::connect`] logs in, [`exec()`] and [`run()`] run a job and print it through the writers passed in.

pub mod can;
pub mod cli;
pub mod client;
pub mod config;
pub mod error;
pub mod exec;
pub mod exit;
pub mod objects;
pub mod output;
pub mod results;
pub mod run;
pub mod secrets;
pub mod targets_file;

pub use can::print_capabilities;
pub use client::{Client, ClientOptions, GatewayUrl, JobStream, Timeouts, Trust, credential};
pub use error::AgentError;
pub use exec::{ExecOptions, Sinks, exec, print_targets};
pub use exit::ExitStatus;
pub use output::{CanForm, Format};
pub use run::{RunForm, RunOptions, run};
