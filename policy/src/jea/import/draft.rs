//! What a document will say, before it is written.

/// Something to write, below its comments; or the comments alone, where it had to be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commented<T> {
    pub(super) comments: Vec<String>,
    pub(super) item: Option<T>,
}

impl<T> Commented<T> {
    pub(super) fn new(item: T, comments: Vec<String>) -> Self {
        Self { comments, item: Some(item) }
    }

    pub(super) fn left_out(comment: String) -> Self {
        Self { comments: vec![format!("left out: {comment}")], item: None }
    }
}

#[derive(Debug, Default)]
pub(super) struct DocumentDraft {
    /// About the file as a whole.
    pub(super) comments: Vec<String>,
    pub(super) defaults: Option<Commented<bool>>,
    pub(super) required: Option<Commented<Requirement>>,
    pub(super) roles: Vec<RoleDraft>,
    pub(super) assignments: Vec<Commented<AssignmentDraft>>,
}

#[derive(Debug, Default)]
pub(super) struct RoleDraft {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) comments: Vec<String>,
    pub(super) cmdlets: Vec<Commented<CommandDraft>>,
    pub(super) functions: Vec<Commented<CommandDraft>>,
    pub(super) aliases: Vec<Commented<AliasDraft>>,
    pub(super) programs: Vec<Commented<ProgramDraft>>,
}

impl RoleDraft {
    /// Whether it allows anything.
    pub(super) fn allows(&self) -> bool {
        let commands = self.cmdlets.iter().chain(&self.functions).any(|entry| entry.item.is_some());
        commands || self.programs.iter().any(|entry| entry.item.is_some())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandDraft {
    pub(super) name: String,
    pub(super) parameters: ParametersDraft,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParametersDraft {
    /// No list: all of them.
    All,
    Listed(Vec<ParameterDraft>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParameterDraft {
    pub(super) name: String,
    pub(super) set: Option<Vec<String>>,
    pub(super) pattern: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AliasDraft {
    pub(super) alias: String,
    pub(super) command: String,
}

/// A program whose arguments are free, as JEA has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProgramDraft {
    pub(super) name: String,
    pub(super) path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AssignmentDraft {
    pub(super) principal: String,
    /// A group of targets that nobody has configured yet, so that the assignment grants nothing before.
    pub(super) target_group: String,
    pub(super) roles: Vec<String>,
}

/// Groups of which somebody must be a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Requirement {
    Group(String),
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
}
