//! A lean client that puts load on a gateway or a target and takes the time. It reads one plan, as JSON, from
//! standard input, and writes one line of JSON. Blocking, on one thread for each client, so that next to nothing
//! of what it measures is itself. `tests/bench/run` starts it.

mod first;
mod http;
mod idle;
mod latency;
mod logins;
mod many;
mod peer;
mod plan;
mod pool;
mod psrp;
mod session;
mod signing;
mod throughput;

use plan::{Mode, Plan};
use std::io::{BufRead as _, Write as _, stdin, stdout};

/// Whatever goes wrong ends the run: a bench that has failed measures nothing.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    // As the gateway does, so that neither is faster by this alone.
    sekisho_protocol::memory::keep_large_blocks();
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    let plan: Plan = serde_json::from_str(&line)?;
    let result = match plan.mode {
        Mode::Latency => latency::run(&plan)?,
        Mode::First => first::run(&plan)?,
        Mode::Throughput => throughput::run(&plan)?,
        Mode::Logins => logins::run(&plan)?,
        Mode::Idle => idle::run(&plan)?,
        Mode::Signing => signing::run(&plan)?,
        Mode::PsrpLatency => psrp::latency(&plan)?,
        Mode::PsrpOutput => psrp::output(&plan)?,
        Mode::Target => peer::run(&plan)?,
    };
    writeln!(stdout(), "{result}")?;
    Ok(())
}
