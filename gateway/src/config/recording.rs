//! What is recorded, and how much of it.

use std::path::PathBuf;

use regex::Regex;

use super::model::{Target, TargetTable};
use super::names::{GroupName, TargetName};

/// `[recording]`.
#[derive(Debug, Clone)]
pub struct RecordingSettings {
    pub sessions: RecordedSessions,
    /// A folder of its own, used by one gateway.
    pub directory: PathBuf,
    pub objects: RecordedObjects,
    /// What is hidden wherever it stands in a text.
    pub redact: Vec<Regex>,
    pub on_full: OnFull,
    pub limits: RecordingLimits,
}

/// Which sessions are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedSessions {
    None,
    All,
    Of { targets: Vec<TargetName>, groups: Vec<GroupName> },
}

/// How objects are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedObjects {
    /// As text alone.
    Text,
    /// As text, and as the CLIXML that came.
    TextAndClixml,
}

/// What happens to commands once the folder has all that it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFull {
    Deny,
    StopRecording,
}

/// Bytes, before they are written as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingLimits {
    /// Of one text.
    pub entry: usize,
    /// Of the output of one command.
    pub command: u64,
    /// Of the output of one session.
    pub session: u64,
    /// Of the folder.
    pub total: u64,
}

impl RecordingSettings {
    /// Whether sessions on this target are recorded.
    #[must_use]
    pub fn records(&self, target: &Target, table: &TargetTable) -> bool {
        match &self.sessions {
            RecordedSessions::None => false,
            RecordedSessions::All => true,
            RecordedSessions::Of { targets, groups } => {
                targets.contains(&target.name)
                    || groups
                        .iter()
                        .any(|group| table.groups.get(group).is_some_and(|members| members.contains(&target.name)))
            }
        }
    }
}
