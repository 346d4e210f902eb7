//! The records of PowerShell's streams in the lines of a job's answer.

use super::{JobMistake, RECORD_CHUNK};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The stream that a record was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordStream {
    /// Objects.
    Output,
    /// Errors, also the one that ended a pipeline.
    Error,
    /// Warnings.
    Warning,
    /// What `-Verbose` brings.
    Verbose,
    /// What `-Debug` brings.
    Debug,
    /// What `Write-Information` and `Write-Host` write.
    Information,
    /// How far something is.
    Progress,
    /// Text that was written to the user's window: a string as CLIXML, line feeds where lines end.
    Host,
}

/// How a pipeline of PowerShell's ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PipelineEnd {
    /// It came to its end, perhaps with errors on the way.
    Completed,
    /// An error ended it: the last record on its stream of errors.
    Failed,
    /// The target stopped it.
    Stopped,
}

/// CLIXML of one record, or a part of it.
///
/// `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordText(pub String);

impl RecordText {
    /// The CLIXML of one record in parts that a line has room for: at least one, and no character is cut in two.
    pub fn parts(clixml: &str) -> impl Iterator<Item = &str> {
        let mut rest = Some(clixml);
        std::iter::from_fn(move || {
            let whole = rest?;
            let (now, later) = whole.split_at_checked(whole.floor_char_boundary(RECORD_CHUNK)).unwrap_or((whole, ""));
            rest = (!later.is_empty()).then_some(later);
            Some(now)
        })
    }

    pub(super) fn validate(&self) -> Result<(), JobMistake> {
        if self.0.len() <= RECORD_CHUNK { Ok(()) } else { Err(JobMistake::Output) }
    }
}

impl fmt::Debug for RecordText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordText({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_put_together_are_the_record_and_each_fits_a_line() {
        for text in [String::new(), "<S>é</S>".into(), "x".repeat(RECORD_CHUNK), "é\u{1f600}".repeat(RECORD_CHUNK)] {
            let parts: Vec<&str> = RecordText::parts(&text).collect();
            assert_eq!(parts.concat(), text);
            assert!(!parts.is_empty());
            assert!(parts.iter().all(|part| RecordText((*part).to_owned()).validate().is_ok()));
        }
        assert_eq!(RecordText::parts(&"x".repeat(RECORD_CHUNK)).count(), 1);
        assert_eq!(RecordText("x".repeat(RECORD_CHUNK + 1)).validate(), Err(JobMistake::Output));
    }

    #[test]
    fn debug_keeps_records_to_itself() {
        assert!(!format!("{:?}", RecordText("canary".into())).contains("canary"));
    }
}
