//! A command as people and tools write it down: keys and values, not yet checked.

/// A command of a document, of an import or of the shipped catalogue, key by key. [`CommandRecord::check`] makes a
/// [`CommandInfo`](super::CommandInfo) of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the keys of the written form, one to one")]
pub struct CommandRecord {
    /// `name`.
    pub name: String,
    /// `module`; empty for a command that has none.
    pub module: String,
    /// `editions`: `5.1`, `7`, `ws2025` (a module of Windows Server 2025, which counts for both). Empty: both.
    pub editions: Vec<String>,
    /// `kind`: `cmdlet`, `function`, `cdxml` (a function) or `unknown`. Absent: unknown.
    pub kind: Option<String>,
    /// `common`: takes the common parameters; true unless the document says otherwise.
    pub common: bool,
    /// `workflow_common`: takes those of workflows.
    pub workflow_common: bool,
    /// `should_process`: takes `-WhatIf` and `-Confirm`.
    pub should_process: bool,
    /// `transactions`: takes `-UseTransaction`.
    pub transactions: bool,
    /// `command_aliases`.
    pub command_aliases: Vec<String>,
    /// `sets`: the names of the parameter sets.
    pub sets: Vec<String>,
    /// `default_set`. Absent with several sets: unknown.
    pub default_set: Option<String>,
    /// `unnamed`: `refuse` where positions cannot be trusted.
    pub unnamed: Option<String>,
    /// `parameters`.
    pub parameters: Vec<ParameterRecord>,
    /// The `what` of each `doubt`; documents have none.
    pub doubts: Vec<String>,
}

impl Default for CommandRecord {
    fn default() -> Self {
        Self {
            name: String::new(),
            module: String::new(),
            editions: Vec::new(),
            kind: None,
            common: true,
            workflow_common: false,
            should_process: false,
            transactions: false,
            command_aliases: Vec::new(),
            sets: Vec::new(),
            default_set: None,
            unnamed: None,
            parameters: Vec::new(),
            doubts: Vec::new(),
        }
    }
}

/// A parameter, key by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the keys of the written form, one to one")]
pub struct ParameterRecord {
    /// `name`.
    pub name: String,
    /// `aliases`.
    pub aliases: Vec<String>,
    /// `switch`.
    pub switch: bool,
    /// `switch_doubt`: takes a value with a colon only.
    pub switch_doubt: bool,
    /// `type`: there unless it is a switch.
    pub type_name: Option<String>,
    /// `sets`: empty means all.
    pub sets: Vec<String>,
    /// `by_set`: instead of `sets`, `position` and `mandatory` where they differ from set to set.
    pub by_set: Vec<(String, PlaceRecord)>,
    /// `position`: a rank, only the order counts.
    pub position: Option<u32>,
    /// `mandatory`.
    pub mandatory: bool,
    /// `pipeline`: `value`, `property`, or `unknown`, which counts as both.
    pub pipeline: Vec<String>,
    /// `remaining`: takes all unnamed arguments that are left over.
    pub remaining: bool,
    /// `wildcards`.
    pub wildcards: bool,
    /// `values`.
    pub values: Vec<String>,
    /// `dynamic`: providers that add it.
    pub dynamic: Vec<String>,
}

/// A parameter's place in one set: a value of `by_set`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlaceRecord {
    /// `position`.
    pub position: Option<u32>,
    /// `mandatory`.
    pub mandatory: bool,
}

/// What is wrong with a record, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordMistake {
    /// Index of the parameter; `None` for the command itself.
    pub parameter: Option<usize>,
    /// The key whose value is wrong, or that is missing.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl std::fmt::Display for RecordMistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.hint)
    }
}
