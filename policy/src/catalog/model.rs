//! One command and its parameters.

/// The PowerShell that a target runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Edition {
    /// Windows PowerShell 5.1: what WinRM's default endpoint runs.
    #[default]
    Windows51,
    /// PowerShell 7.
    Core7,
}

/// What kind of command it is. A hint, since documentation is not sure of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandKind {
    /// A compiled cmdlet.
    Cmdlet,
    /// A function, one made from CIM definitions included.
    Function,
    /// Not known: JEA files list such a command among the functions.
    Unknown,
}

/// What a command accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandInfo {
    /// The name as documented.
    pub name: String,
    /// The module; empty for a command that has none.
    pub module: String,
    /// Cmdlet or function.
    pub kind: CommandKind,
    /// Whether it takes the common parameters.
    pub common: bool,
    /// Whether it takes `-WhatIf` and `-Confirm`.
    pub should_process: bool,
    /// Whether it takes `-UseTransaction`.
    pub transactions: bool,
    /// Whether it takes the common parameters of workflows.
    pub workflow: WorkflowParameters,
    /// Aliases of the command. Rule R3: none counts unless a policy lists it.
    pub aliases: Vec<String>,
    /// Names of the parameter sets; one nameless set when empty.
    pub sets: Vec<String>,
    /// Index of the default set; `None` when it is not known. With one set or none it is that one.
    pub default_set: Option<usize>,
    /// Whether unnamed arguments can be placed.
    pub unnamed: Unnamed,
    /// All parameters but the common ones.
    pub parameters: Vec<ParameterInfo>,
    /// On what documentation disagreed with itself, in words of the catalogue. What follows from it for the judgement
    /// stands in the other fields.
    pub doubts: Vec<String>,
}

/// Whether a command takes the common parameters of workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowParameters {
    /// It is a workflow.
    Taken,
    /// It is none.
    None,
}

/// Whether arguments without a name may be bound by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unnamed {
    /// The positions are known.
    Bind,
    /// They are not: an unnamed argument is refused.
    Refuse,
}

/// What a parameter accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterInfo {
    /// The name as documented.
    pub name: String,
    /// Its aliases.
    pub aliases: Vec<String>,
    /// Switch or value.
    pub kind: ParameterKind,
    /// The sets it belongs to, with its position there.
    pub membership: Vec<Membership>,
    /// What it takes from the pipeline.
    pub pipeline: PipelineInput,
    /// Whether it takes all unnamed arguments that are left over.
    pub remaining: bool,
    /// Whether it takes wildcard characters, as far as documented.
    pub wildcards: bool,
    /// Accepted values as documented; not always complete.
    pub values: Vec<String>,
    /// Providers that add it: it exists only on their paths.
    pub dynamic: Vec<String>,
}

/// Whether a parameter takes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterKind {
    /// A switch. Where documentation is at odds with itself only `-Name:value` is accepted.
    Switch(Uncertainty),
    /// A value of a .NET type, as documented; `[]` at its end means that it takes several.
    Value(String),
}

/// Whether documentation agrees with itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncertainty {
    /// It does.
    Sure,
    /// It does not.
    Doubtful,
}

/// A parameter's place in a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Index of the set; `None` means all sets, and then it is the parameter's only membership.
    pub set: Option<usize>,
    /// Its rank among the positional parameters of the set: only the order counts.
    pub position: Option<u32>,
    /// Whether the set needs it.
    pub mandatory: bool,
}

/// What a parameter takes from the pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PipelineInput {
    /// Whole objects.
    pub value: bool,
    /// Properties of the same name.
    pub property: bool,
}

impl CommandInfo {
    /// A command without parameters of its own, that takes the common ones: to be filled in.
    pub fn new(name: impl Into<String>, module: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            module: module.into(),
            kind: CommandKind::Unknown,
            common: true,
            should_process: false,
            transactions: false,
            workflow: WorkflowParameters::None,
            aliases: Vec::new(),
            sets: Vec::new(),
            default_set: None,
            unnamed: Unnamed::Bind,
            parameters: Vec::new(),
            doubts: Vec::new(),
        }
    }
}

impl ParameterInfo {
    /// A parameter of all sets, without aliases and position: to be filled in.
    pub fn new(name: impl Into<String>, kind: ParameterKind) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            kind,
            membership: vec![Membership { set: None, position: None, mandatory: false }],
            pipeline: PipelineInput::default(),
            remaining: false,
            wildcards: false,
            values: Vec::new(),
            dynamic: Vec::new(),
        }
    }
}
