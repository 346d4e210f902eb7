//! The answer: what was allowed and by which rule, or why not and what comes nearest.

use std::fmt;

use crate::command_line::Construct;
use crate::powershell;
use crate::value::Value;

/// The answer to one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// One rule of one role allows it.
    Allow(Allowed),
    /// Nothing allows it, or something in it is refused always.
    Deny(Denied),
}

impl Decision {
    /// What was allowed, if it was.
    pub fn allowed(&self) -> Option<&Allowed> {
        match self {
            Self::Allow(allowed) => Some(allowed),
            Self::Deny(_) => None,
        }
    }

    /// The denial, if it is one.
    pub fn denied(&self) -> Option<&Denied> {
        match self {
            Self::Allow(_) => None,
            Self::Deny(denied) => Some(denied),
        }
    }
}

/// What was allowed. The only ground on which the gateway makes a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The role that answers for it. Commands of one pipeline may be covered by several roles, which
    /// [`CheckedCommand::role`] names one by one; then all of them stand here, each once, joined by `, `.
    pub role: String,
    /// The rule of that role; joined in the same way.
    pub rule: String,
    /// What is to be run, in canonical form.
    pub checked: Checked,
}

impl Allowed {
    /// The program, when it is one for the cmd shell.
    pub fn program(&self) -> Option<&CheckedProgram> {
        match &self.checked {
            Checked::Program(program) => Some(program),
            Checked::Commands(_) | Checked::Script(_) => None,
        }
    }
}

/// What was allowed, in the one form that is audited and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// A program for the cmd shell.
    Program(CheckedProgram),
    /// PowerShell pipelines, in the order in which they run.
    Commands(CheckedCommands),
    /// A script that the policy has pinned.
    Script(CheckedScript),
}

/// Pipelines that were allowed: the only thing that may be encoded for a target.
///
/// Made by [`crate::Policy::decide`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCommands {
    pub(crate) statements: Vec<Vec<CheckedCommand>>,
}

impl CheckedCommands {
    /// The pipelines, each with its commands: at least one, none of them empty.
    pub fn statements(&self) -> &[Vec<CheckedCommand>] {
        &self.statements
    }

    /// Whether what runs may ask the user: all of it has to be let, since nobody can tell which command asks.
    pub fn prompts(&self) -> Prompts {
        let all = self.statements.iter().flatten().map(CheckedCommand::prompts);
        all.fold(Prompts::Indifferent, Prompts::beside)
    }
}

/// Whether a command may ask the user something through the client's host: a text, a choice, a password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prompts {
    /// It may not: what it asks is refused.
    #[default]
    Refused,
    /// Its rule says `prompts = true`.
    Permitted,
    /// It is a default command, which asks nothing: what stands beside it decides.
    Indifferent,
}

impl Prompts {
    /// Of two commands that run together.
    fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
            (Self::Permitted, _) | (_, Self::Permitted) => Self::Permitted,
            (Self::Indifferent, Self::Indifferent) => Self::Indifferent,
        }
    }

    /// Of two rules that allow the same: a rule never takes away.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Permitted, _) | (_, Self::Permitted) => Self::Permitted,
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
            (Self::Indifferent, Self::Indifferent) => Self::Indifferent,
        }
    }
}

/// One command of an allowed pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCommand {
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) arguments: CheckedArguments,
    pub(crate) role: String,
    pub(crate) rule: String,
    pub(crate) prompts: Prompts,
}

impl CheckedCommand {
    /// The full name of the command, as the catalogue writes it; a program's full path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The module that the catalogue knows it in; empty when it has none.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// Its arguments.
    pub fn arguments(&self) -> &CheckedArguments {
        &self.arguments
    }

    /// The role that answers for it.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The rule of that role.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Whether it may ask the user: when one of the rules that allow it says so.
    pub fn prompts(&self) -> Prompts {
        self.prompts
    }
}

/// The arguments of an allowed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckedArguments {
    /// Of a cmdlet or function: names always, positions never.
    Named(Vec<CheckedParameter>),
    /// Of a program: texts in order (R13).
    Program(Vec<CheckedArgument>),
}

/// One parameter of an allowed command, by its full name, with its value. A switch has a boolean.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedParameter {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) secrecy: Secrecy,
}

impl CheckedParameter {
    /// The full name, without a dash; never empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Whether the audit keeps it as a keyed digest only, or, for a SecureString, not at all.
    pub fn is_secret(&self) -> bool {
        self.secrecy == Secrecy::Secret
    }
}

impl fmt::Debug for CheckedParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedParameter").field("name", &self.name).field("value", &self.value).finish_non_exhaustive()
    }
}

/// A pinned script that was allowed: the policy's own copy of its text, with judged parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedScript {
    pub(crate) name: String,
    pub(crate) sha256: String,
    pub(crate) text: String,
    pub(crate) parameters: Vec<CheckedParameter>,
    pub(crate) using: Vec<CheckedParameter>,
    pub(crate) prompts: Prompts,
}

impl CheckedScript {
    /// The name that the policy gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of its text in lower-case hex, which the audit names it by.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The policy's copy of the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is given to its `param(…)`, by name.
    pub fn parameters(&self) -> &[CheckedParameter] {
        &self.parameters
    }

    /// What is given for its `$using:` names, by name without `$using:`.
    pub fn using(&self) -> &[CheckedParameter] {
        &self.using
    }

    /// Whether it may ask the user: when one of the rules that allow it says so.
    pub fn prompts(&self) -> Prompts {
        self.prompts
    }
}

impl fmt::Debug for CheckedScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedScript")
            .field("name", &self.name)
            .field("sha256", &self.sha256)
            .field("parameters", &self.parameters)
            .field("using", &self.using)
            .finish_non_exhaustive()
    }
}

/// A program that was allowed: the only thing that may be rendered for a target.
///
/// Made by [`crate::Policy::decide`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedProgram {
    pub(crate) path: String,
    pub(crate) arguments: Vec<CheckedArgument>,
    pub(crate) input: Input,
    pub(crate) command_line: String,
}

impl CheckedProgram {
    /// The program's full path as the policy writes it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The arguments, in order.
    pub fn arguments(&self) -> &[CheckedArgument] {
        &self.arguments
    }

    /// Whether standard input may be sent to it.
    pub fn input(&self) -> Input {
        self.input
    }

    /// The line for `rsp:Command`: path and arguments quoted for cmd.exe and `CommandLineToArgvW`.
    ///
    /// It holds what [`CheckedArgument::is_secret`] marks: for the target only, never for a log.
    /// Upholds (judged-is-rendered): it was read back before the decision was given.
    pub fn command_line(&self) -> &str {
        &self.command_line
    }
}

/// The command line is left out, since it holds the secret arguments in clear.
impl fmt::Debug for CheckedProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedProgram")
            .field("path", &self.path)
            .field("arguments", &self.arguments)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

/// One argument of an allowed program.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedArgument {
    pub(crate) value: String,
    pub(crate) secrecy: Secrecy,
}

impl CheckedArgument {
    /// The argument, without quotes.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the audit keeps it as a keyed digest only: a rule says so, or its option's name speaks of a
    /// password, secret, token or key.
    pub fn is_secret(&self) -> bool {
        match self.secrecy {
            Secrecy::Open => false,
            Secrecy::Secret => true,
        }
    }
}

impl fmt::Debug for CheckedArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.secrecy {
            Secrecy::Open => fmt::Debug::fmt(&self.value, f),
            Secrecy::Secret => f.write_str("<secret>"),
        }
    }
}

/// Whether a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Open,
    Secret,
}

impl Secrecy {
    pub(crate) fn or(self, other: Self) -> Self {
        match self {
            Self::Secret => Self::Secret,
            Self::Open => other,
        }
    }
}

/// Whether standard input may be sent to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Nothing may be sent.
    Refused,
    /// The rule says `stdin = true`.
    Permitted,
}

/// Why something was denied, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The rule of judgement that denied it.
    pub reason: DenyReason,
    /// For the user: what was refused and what to do. Holds no text of the request and nothing of roles that
    /// the user does not hold on this target.
    pub message: String,
    /// The rule that came nearest, if one knows the program.
    pub nearest: Option<Nearest>,
    /// Where in the joined command line the refused construct stands, in characters from 0.
    pub place: Option<usize>,
    /// What was asked for, if the line could be read: for the audit, never for the user.
    pub program: Option<DeniedProgram>,
}

/// A program that was denied, as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct DeniedProgram {
    pub(crate) name: String,
    pub(crate) arguments: Vec<CheckedArgument>,
}

impl DeniedProgram {
    /// The program's name or path as the client wrote it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The arguments, in order. All are secret when a rule for this program marks any: which of them was meant is
    /// unknown in a line that fits no rule.
    pub fn arguments(&self) -> &[CheckedArgument] {
        &self.arguments
    }
}

/// The request's own words may hold secrets anywhere.
impl fmt::Debug for DeniedProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeniedProgram").field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

/// The rule that would have allowed a request if it were written otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The role, which the user holds on this target.
    pub role: String,
    /// The rule of that role.
    pub rule: String,
}

/// Why something was denied. One variant per rule of judgement, so that tests assert the exact one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenyReason {
    /// The principal holds no role on the target.
    NoRole,
    /// The principal is not in the groups that the policy requires.
    Requirement,
    /// A rule that denies covers it.
    Rule,
    /// The request holds no command (R10).
    Empty,
    /// Script text stands among commands (R10).
    Script,
    /// A command would run in its caller's scope (R10).
    LocalScope,
    /// The first statement of a batch is not the one before it (R10).
    Batch,
    /// The text is not one pipeline of constant commands (R11).
    Text(powershell::Construct),
    /// No role that is held names the command (R3).
    Command,
    /// A command with a list of parameters was called by `Module\Name` (R3).
    Qualified,
    /// A parameter's name is unknown, ambiguous, given twice or not plain (R4).
    ParameterName,
    /// The command is allowed, but without this parameter (R4).
    Parameter,
    /// A value has no parameter, or a parameter no value (R5).
    Binding,
    /// The command is allowed, but with other values (R5, R6).
    Value,
    /// A value of a kind that is refused everywhere, or not taken by this parameter (R7).
    ValueKind,
    /// A parameter that writes a variable on the target (R8).
    Variable,
    /// The command is allowed as the first of a pipeline only (R9).
    Pipeline,
    /// The command was not sent to the cmd shell.
    Resource,
    /// An environment came with it.
    Environment,
    /// A working directory came with it.
    WorkingDirectory,
    /// The command line cannot be read in one way only.
    Unreadable(Construct),
    /// No role that is held names the program.
    Program,
    /// The program is allowed, but with other arguments.
    Arguments,
    /// The program or command is allowed with these arguments, but without input (R9).
    Input,
    /// What was allowed cannot be written so that a target reads the same.
    NotRenderable,
}
