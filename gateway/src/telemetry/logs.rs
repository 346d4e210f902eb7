//! Logging, with a cap on the authentication crates that no configuration can lift.

use crate::config::{Log, LogFormat};
use std::backtrace::{Backtrace, BacktraceStatus};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterFn, LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, fmt};

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter does not parse.
    #[error("log.filter is not a filter such as `info` or `sekisho_gateway=debug`: {0}")]
    Filter(#[from] ParseError),
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
    subscriber(log, std::io::stderr)?.try_init()?;
    report_panics();
    tracing::trace!("Everything is logged that this build can log");
    Ok(())
}

/// INVARIANT(log-cap): nothing that the capped crates say below INFO is written, whatever the filter says.
fn subscriber<W>(log: &Log, writer: W) -> Result<impl Subscriber + Send + Sync + use<W>, ParseError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.filter)?;
    let cap = FilterFn::new(lets_through).with_max_level_hint(LevelFilter::TRACE);
    let layer = fmt::layer().with_writer(writer);
    let layer = match log.format {
        LogFormat::Text => layer.with_ansi(false).boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    Ok(tracing_subscriber::registry().with(layer.with_filter(cap)).with(filter))
}

fn lets_through(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    let capped = CAPPED.iter().any(|prefix| crate_name.starts_with(prefix));
    !capped || *metadata.level() <= Level::INFO
}

/// Panics are logged by their place. Their messages may show what a library was working on, which is why the
/// standard way of printing them is not used.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(place, backtrace, "A part of the program panicked");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::io;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(filter: &str, format: LogFormat, say: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let log = Log { filter: filter.to_owned(), format };
        tracing::subscriber::with_default(subscriber(&log, move || writer.clone()).unwrap(), say);
        let bytes = written.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// At each level an event and a span with a field, as `#[instrument(ret)]` makes them.
    macro_rules! say_everything {
        ($($target:literal),*) => {{$({
            fn say() {
                tracing::error!(target: $target, at = $target, "kept");
                tracing::info!(target: $target, at = $target, "kept");
                tracing::debug!(target: $target, "hunter2");
                tracing::trace!(target: $target, "hunter2");
                let _debug = tracing::debug_span!(target: $target, "hunter2", password = "hunter2").entered();
                let _trace = tracing::trace_span!(target: $target, "hunter2", password = "hunter2").entered();
                tracing::info!(target: $target, at = $target, "kept");
                tracing::trace!(target: "sekisho_gateway", at = $target, "ours");
            }
            say();
        })*}};
    }

    fn speak() {
        say_everything!("sspi", "sspi::ntlm", "picky", "picky_krb::gss_api", "winscard", "dpapi", "dpapi_core");
    }

    #[test]
    fn the_capped_crates_say_nothing_below_info_whatever_the_filter() {
        let all: Vec<_> = CAPPED.iter().map(|name| format!("{name}=trace")).collect();
        let filters = [
            "trace".to_owned(),
            format!("trace,{}", all.join(",")),
            "trace,sspi::ntlm[{password=hunter2}]=trace".to_owned(),
        ];
        for filter in &filters {
            for format in [LogFormat::Text, LogFormat::Json] {
                let log = written(filter, format, speak);
                assert!(!log.contains("hunter2"), "{filter}: {log}");
                assert_eq!(log.matches("kept").count(), 21, "{filter}: {log}");
                let ours = if tracing::level_filters::STATIC_MAX_LEVEL == LevelFilter::TRACE { 7 } else { 0 };
                assert_eq!(log.matches("ours").count(), ours, "{filter}: {log}");
            }
        }
    }

    #[test]
    fn each_capped_crate_is_among_those_that_the_test_speaks_for() {
        assert_eq!(CAPPED, ["sspi", "picky", "winscard", "dpapi"]);
    }

    #[test]
    fn a_panic_is_logged_by_its_place_and_without_its_message() {
        let before = std::panic::take_hook();
        let log = written("info", LogFormat::Text, || {
            report_panics();
            let caught = std::panic::catch_unwind(|| panic!("hunter2"));
            assert!(caught.is_err());
        });
        std::panic::set_hook(before);
        assert!(log.contains("logs.rs:") && !log.contains("hunter2"), "{log}");
    }
}
