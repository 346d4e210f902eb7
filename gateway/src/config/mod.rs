//! The configuration file: read once, all mistakes told at once, and nothing half valid handed on.

mod document;
mod mistake;
mod model;
mod names;
mod reader;
mod recording;
mod units;
mod warning;

#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::Path;

pub use mistake::{ConfigError, Mistake};
pub use model::*;
pub use names::{GroupName, NameError, TargetName};
pub use recording::{OnFull, RecordedObjects, RecordedSessions, RecordingLimits, RecordingSettings};
pub use warning::Warning;

/// A hundred thousand targets fit.
const MAX_FILE: u64 = 64 * 1024 * 1024;

impl Config {
    /// Reads and validates a file. Paths in it are meant from the folder that it is in.
    ///
    /// # Errors
    /// When it cannot be read, or with all its mistakes.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let file = std::fs::File::open(path).map_err(|source| ConfigError::io(path, source))?;
        let mut text = String::new();
        let limit = MAX_FILE.saturating_add(1);
        let read = file.take(limit).read_to_string(&mut text).map_err(|source| ConfigError::io(path, source))?;
        if u64::try_from(read).unwrap_or(u64::MAX) > MAX_FILE {
            return Err(ConfigError::TooLarge { path: path.to_owned(), max: MAX_FILE });
        }
        Self::parse(path, &text).map_err(ConfigError::Mistakes)
    }

    /// Validates a text as if it were in this file.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Vec<Mistake>> {
        document::parse(path, text)
    }
}
