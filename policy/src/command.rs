//! PowerShell commands as a client names them: what PSRP carries, and what script text is read as.

use std::fmt;

use crate::action::Presence;
use crate::value::Value;

/// A pipeline: commands, each of which takes what the one before it gives.
pub type Pipeline = Vec<Command>;

/// One command of a pipeline, as it was sent. \[MS-PSRP\] 2.2.3.12.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// `Cmd`: a name, or text when it is a script.
    pub name: String,
    /// `IsScript`.
    pub kind: CommandKind,
    /// `UseLocalScope`; `Some(false)` is dot-sourcing. Stock clients send none.
    pub local_scope: Option<bool>,
    /// `Args`, in order.
    pub arguments: Vec<Argument>,
}

/// What `Cmd` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandKind {
    /// A name to look up.
    Name,
    /// Text to run.
    Script,
}

/// One entry of `Args`. \[MS-PSRP\] 2.2.3.13.
#[derive(Clone, PartialEq, Eq)]
pub struct Argument {
    /// `N` as sent: with or without dash, with or without colon or a blank at the end. `None` is positional.
    pub name: Option<String>,
    /// `V`.
    pub value: Value,
}

/// A request to run commands: CREATE_PIPELINE, \[MS-PSRP\] 2.2.2.10, decoded. What of it does not change the
/// verdict (history, nesting, merging) is not in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandsRequest {
    /// `Cmds`.
    pub commands: Pipeline,
    /// `ExtraCmds` when there: item 0 has to be equal to `commands`, and every item is judged (R10).
    pub extra_commands: Option<Vec<Pipeline>>,
    /// Whether objects are sent to the pipeline.
    pub input: Presence,
}

/// A request to run text that came as the only command of a pipeline: `psrp_script` of the rules.
#[derive(Clone, PartialEq, Eq)]
pub struct ScriptRequest {
    /// The text.
    pub text: String,
    /// What stands in for `$using:` names and `param(…)`.
    pub bindings: Bindings,
    /// Whether objects are sent to it.
    pub input: Presence,
}

/// Constants that come with a script: they count where they stand as whole arguments.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bindings {
    /// Values of `$using:name`, by name without `$using:`; compared ignoring case.
    pub using: Vec<(String, Value)>,
    /// Arguments given to the script, for its `param(…)`: named ones by name without dash, others in order.
    pub arguments: Vec<Argument>,
}

impl Command {
    /// A command by name.
    pub fn new(name: impl Into<String>, arguments: Vec<Argument>) -> Self {
        Self { name: name.into(), kind: CommandKind::Name, local_scope: None, arguments }
    }
}

impl Argument {
    /// An argument with a name as it is sent.
    pub fn named(name: impl Into<String>, value: Value) -> Self {
        Self { name: Some(name.into()), value }
    }

    /// An argument without a name.
    pub fn positional(value: Value) -> Self {
        Self { name: None, value }
    }
}

impl ScriptRequest {
    /// Text that nothing comes with.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), bindings: Bindings::default(), input: Presence::Absent }
    }
}

/// Names and values may hold secrets, so that only sizes are shown.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("name_bytes", &self.name.len())
            .field("kind", &self.kind)
            .field("local_scope", &self.local_scope)
            .field("arguments", &self.arguments)
            .finish()
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argument")
            .field("name_bytes", &self.name.as_ref().map(String::len))
            .field("value", &self.value)
            .finish()
    }
}

impl fmt::Debug for ScriptRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptRequest")
            .field("text_bytes", &self.text.len())
            .field("bindings", &self.bindings)
            .field("input", &self.input)
            .finish()
    }
}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bindings").field("using", &self.using.len()).field("arguments", &self.arguments.len()).finish()
    }
}
