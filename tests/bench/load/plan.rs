//! What to do, as `tests/bench/run` says it.

use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// One run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    /// Where to. Several are taken in turn, so that all of them see the same machine.
    #[serde(default)]
    pub(crate) routes: Vec<Route>,
    #[serde(default)]
    pub(crate) program: String,
    /// Not counted, first.
    #[serde(default)]
    pub(crate) warmup: usize,
    #[serde(default)]
    pub(crate) count: usize,
    #[serde(default)]
    pub(crate) seconds: f64,
    #[serde(default)]
    pub(crate) threads: usize,
    /// A private key for the signatures, or of the target.
    #[serde(default)]
    pub(crate) key: PathBuf,
    /// The target's.
    #[serde(default)]
    pub(crate) certificate: PathBuf,
    /// The one that the target knows.
    #[serde(default)]
    pub(crate) account: Option<Account>,
    /// Of output of each command, about.
    #[serde(default)]
    pub(crate) bytes: usize,
    /// Seconds between two answers that a client fetches.
    #[serde(default)]
    pub(crate) pause: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Commands in open shells.
    Latency,
    /// Whole sessions, from the connection on.
    First,
    /// Commands in open shells, as many as there is time for.
    Throughput,
    /// Logins, as many as there is time for.
    Logins,
    /// Sessions that stay open.
    Idle,
    /// RSA signatures, as many as there is time for.
    Signing,
    /// Commands of PowerShell remoting in open pools.
    PsrpLatency,
    /// Commands of PowerShell remoting with much output.
    PsrpOutput,
    /// A target of PowerShell remoting.
    Target,
}

/// An account of a target.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// One way to a target.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) path: String,
    /// TLS, with this authority.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) login: Login,
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) password: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Login {
    Credssp,
    Negotiate,
}

impl Plan {
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Of one object that the target puts out for `program`.
    pub(crate) fn program_bytes(&self) -> usize {
        if self.program == "blocks" { 64 * 1024 } else { 2000 }
    }

    pub(crate) fn only_route(&self) -> crate::Outcome<&Route> {
        match self.routes.as_slice() {
            [route] => Ok(route),
            _ => Err("this mode takes one route".into()),
        }
    }
}
