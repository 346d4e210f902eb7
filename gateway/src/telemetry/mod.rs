//! Logs and metrics. The audit log is not among them: it is a stream of its own.

mod logs;
mod metrics;

pub use logs::{LogError, start};
pub use metrics::{Metrics, Now, RunningCommand};
