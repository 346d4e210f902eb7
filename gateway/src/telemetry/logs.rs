//! Logging, with a cap on the authentication crates that no configuration can lift.

use crate::config::{Log, LogFormat};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterFn, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, fmt};

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter does not parse.
    #[error("log.filter is not a filter such as `info` or `sekisho_gateway=debug`: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs already.
    #[error("logging was started twice")]
    Twice(#[from] TryInitError),
}

/// Crates that write secrets into their logs below INFO: sspi its plain passwords and messages, measured.
const CAPPED: [&str; 4] = ["sspi", "picky", "winscard", "dpapi"];

/// Starts logging to standard error.
///
/// # Errors
/// When the filter does not parse.
pub fn start(log: &Log) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(&log.filter)?;
    let cap = FilterFn::new(lets_through).with_max_level_hint(LevelFilter::TRACE);
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match log.format {
        LogFormat::Text => layer.with_ansi(false).boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(cap)).with(filter).try_init()?;
    Ok(())
}

fn lets_through(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    let capped = CAPPED.iter().any(|prefix| crate_name.starts_with(prefix));
    !capped || *metadata.level() <= Level::INFO
}
