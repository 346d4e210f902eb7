//! CREATE_PIPELINE: the commands of a pipeline, \[MS-PSRP\] 2.2.2.10, 2.2.3.11 to 2.2.3.13.

use std::fmt;

use super::host::HostInfo;
use super::members::{
    boolean, enumeration, generic_list, int, list, object, optional_boolean, optional_text, required, text,
};
use crate::Result;
use crate::clixml::{Object, Value};
use crate::error::{LimitExceeded, Malformed, Unsupported};
use crate::limits::{PSRP_ARGUMENTS, PSRP_COMMANDS};

/// What a client asks to be run, or what we ask a target to run.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatePipeline {
    /// Whether objects follow by PIPELINE_INPUT.
    pub no_input: bool,
    /// Whether the line goes into the history of the session.
    pub add_to_history: bool,
    /// Whether it runs inside another pipeline.
    pub is_nested: bool,
    /// `Cmds`.
    pub commands: Vec<Command>,
    /// `ExtraCmds`: one list for each statement of a batch, the first one a copy of `commands`.
    pub statements: Option<Vec<Vec<Command>>>,
    /// The host that the client has.
    pub host: HostInfo,
}

/// One command.
#[derive(Clone, PartialEq)]
pub struct Command {
    /// `Cmd`.
    pub name: String,
    /// `IsScript`.
    pub kind: CommandKind,
    /// `UseLocalScope`.
    pub scope: Scope,
    /// Which of its streams go where.
    pub merge: Merge,
    /// `Args`.
    pub arguments: Vec<Argument>,
}

/// Whether a command is a name or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandKind {
    /// A name to look up.
    Name,
    /// Text to run.
    Script,
}

/// `UseLocalScope`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// Not said: what stock clients send.
    #[default]
    Default,
    /// A scope of its own.
    Local,
    /// The session's: dot-sourcing.
    Session,
}

/// Where streams go, \[MS-PSRP\] 2.2.3.31.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merge {
    /// Errors: `2>&1`.
    pub error: MergeTarget,
    /// Warnings: `3>&1`.
    pub warning: MergeTarget,
    /// Verbose records: `4>&1`.
    pub verbose: MergeTarget,
    /// Debug records: `5>&1`.
    pub debug: MergeTarget,
    /// Information records: `6>&1`.
    pub information: MergeTarget,
    /// Whether output and errors that nobody took so far become this command's input, as before `Out-Default`.
    pub previous: bool,
}

/// Where a stream goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MergeTarget {
    /// Its own stream.
    #[default]
    Own,
    /// The output.
    Output,
    /// Nowhere.
    Null,
}

/// One argument.
#[derive(Clone, PartialEq)]
pub struct Argument {
    /// `N`.
    pub name: Option<String>,
    /// `V`.
    pub value: Value,
}

impl Command {
    /// A command by name, without merging.
    #[must_use]
    pub fn new(name: impl Into<String>, arguments: Vec<Argument>) -> Self {
        Self { name: name.into(), kind: CommandKind::Name, scope: Scope::Default, merge: Merge::default(), arguments }
    }
}

impl CreatePipeline {
    /// Commands as we send them: no input, no history, not nested, several statements as a batch.
    #[must_use]
    pub fn of_statements(statements: Vec<Vec<Command>>) -> Self {
        let commands = statements.first().cloned().unwrap_or_default();
        Self {
            no_input: true,
            add_to_history: false,
            is_nested: false,
            commands,
            statements: (statements.len() > 1).then_some(statements),
            host: HostInfo::none(),
        }
    }

    /// Reads the body.
    ///
    /// Members that are needed and missing, members of another type, and merging that PowerShell refuses fail.
    ///
    /// # Errors
    /// [`Malformed::PsrpBody`], [`Unsupported::Merge`], or [`LimitExceeded::Command`].
    pub fn decode(body: &Value) -> Result<Self> {
        let top = object(body)?;
        let shell = object(required(top, "PowerShell")?)?;
        int(required(top, "ApartmentState")?)?;
        int(required(top, "RemoteStreamOptions")?)?;
        boolean(required(shell, "RedirectShellErrorOutputPipe")?)?;
        boolean(required(shell, "IsNested")?)?;
        optional_text(required(shell, "History")?)?;
        let statements = match shell.member("ExtraCmds") {
            None | Some(Value::Nil) => None,
            Some(extra) => Some(decode_statements(extra)?),
        };
        Ok(Self {
            no_input: boolean(required(top, "NoInput")?)?,
            add_to_history: boolean(required(top, "AddToHistory")?)?,
            is_nested: boolean(required(top, "IsNested")?)?,
            commands: decode_commands(required(shell, "Cmds")?)?,
            statements,
            host: HostInfo::decode(required(top, "HostInfo")?)?,
        })
    }

    /// Writes the body as a client of protocol 2.3 does.
    #[must_use]
    pub fn encode(&self) -> Value {
        const APARTMENT: &str = "System.Management.Automation.Runspaces.ApartmentState";
        const STREAMS: &str = "System.Management.Automation.RemoteStreamOptions";
        let mut shell = vec![("Cmds".to_owned(), encode_commands(&self.commands))];
        if let Some(statements) = &self.statements {
            let statements = statements
                .iter()
                .map(|commands| Value::object(Object::of_members([("Cmds", encode_commands(commands))])));
            shell.push(("ExtraCmds".to_owned(), generic_list(statements.collect())));
        }
        shell.push(("IsNested".to_owned(), Value::Bool(self.is_nested)));
        shell.push(("History".to_owned(), Value::Nil));
        shell.push(("RedirectShellErrorOutputPipe".to_owned(), Value::Bool(true)));
        let shell = Object { extended: Some(shell), ..Object::default() };
        Value::object(Object::of_members([
            ("NoInput", Value::Bool(self.no_input)),
            ("ApartmentState", enumeration(APARTMENT, "Unknown", 2)),
            ("RemoteStreamOptions", enumeration(STREAMS, "0", 0)),
            ("AddToHistory", Value::Bool(self.add_to_history)),
            ("HostInfo", self.host.encode()),
            ("PowerShell", Value::object(shell)),
            ("IsNested", Value::Bool(self.is_nested)),
        ]))
    }
}

fn decode_statements(extra: &Value) -> Result<Vec<Vec<Command>>> {
    let items = list(extra)?;
    if PSRP_COMMANDS < items.len() {
        return Err(LimitExceeded::Command.into());
    }
    items.iter().map(|item| decode_commands(required(object(item)?, "Cmds")?)).collect()
}

fn decode_commands(value: &Value) -> Result<Vec<Command>> {
    let items = list(value)?;
    if PSRP_COMMANDS < items.len() {
        return Err(LimitExceeded::Command.into());
    }
    if items.is_empty() {
        return Err(Malformed::PsrpBody.into());
    }
    items.iter().map(decode_command).collect()
}

fn decode_command(value: &Value) -> Result<Command> {
    let object = object(value)?;
    let arguments = list(required(object, "Args")?)?;
    if PSRP_ARGUMENTS < arguments.len() {
        return Err(LimitExceeded::Command.into());
    }
    let name = text(required(object, "Cmd")?)?;
    let kind = if boolean(required(object, "IsScript")?)? { CommandKind::Script } else { CommandKind::Name };
    // A script without text is one that does nothing.
    if name.is_empty() && kind == CommandKind::Name {
        return Err(Malformed::PsrpBody.into());
    }
    Ok(Command {
        name: name.to_owned(),
        kind,
        scope: match optional_boolean(required(object, "UseLocalScope")?)? {
            None => Scope::Default,
            Some(true) => Scope::Local,
            Some(false) => Scope::Session,
        },
        merge: decode_merge(object)?,
        arguments: arguments.iter().map(decode_argument).collect::<Result<_>>()?,
    })
}

fn decode_argument(value: &Value) -> Result<Argument> {
    let object = object(value)?;
    let name = optional_text(required(object, "N")?)?.map(str::to_owned);
    // PowerShell refuses an empty name in some places, and crashes on one in others.
    if name.as_deref() == Some("") {
        return Err(Malformed::PsrpBody.into());
    }
    Ok(Argument { name, value: required(object, "V")?.clone() })
}

/// `PipelineResultTypes`, \[MS-PSRP\] 2.2.3.31.
const NONE: i32 = 0;
const OUTPUT: i32 = 1;
const ERROR: i32 = 2;
const OUTPUT_AND_ERROR: i32 = 3;
const NULL: i32 = 8;

fn decode_merge(object: &Object) -> Result<Merge> {
    let mine = int(required(object, "MergeMyResult")?)?;
    let to = int(required(object, "MergeToResult")?)?;
    let previous = match int(required(object, "MergePreviousResults")?)? {
        NONE => false,
        OUTPUT_AND_ERROR => true,
        _ => return Err(Unsupported::Merge.into()),
    };
    let stream = |name: &str| match object.member(name) {
        None => Ok(MergeTarget::Own),
        Some(value) => match int(value)? {
            NONE => Ok(MergeTarget::Own),
            OUTPUT => Ok(MergeTarget::Output),
            NULL => Ok(MergeTarget::Null),
            _ => Err(crate::Error::from(Unsupported::Merge)),
        },
    };
    let mut merge = Merge {
        error: stream("MergeError")?,
        warning: stream("MergeWarning")?,
        verbose: stream("MergeVerbose")?,
        debug: stream("MergeDebug")?,
        information: stream("MergeInformation")?,
        previous,
    };
    // The form of protocol 2.1, which later clients repeat beside the new one.
    match (mine, to, merge.error) {
        (NONE, NONE, _) | (ERROR, OUTPUT, MergeTarget::Output) => Ok(merge),
        (ERROR, OUTPUT, MergeTarget::Own) if object.member("MergeError").is_none() => {
            merge.error = MergeTarget::Output;
            Ok(merge)
        }
        _ => Err(Unsupported::Merge.into()),
    }
}

fn encode_commands(commands: &[Command]) -> Value {
    generic_list(commands.iter().map(encode_command).collect())
}

fn encode_command(command: &Command) -> Value {
    let scope = match command.scope {
        Scope::Default => Value::Nil,
        Scope::Local => Value::Bool(true),
        Scope::Session => Value::Bool(false),
    };
    let merge = command.merge;
    let (mine, to) = match merge.error {
        MergeTarget::Output => (ERROR, OUTPUT),
        MergeTarget::Own | MergeTarget::Null => (NONE, NONE),
    };
    let stream = |target: MergeTarget| match target {
        MergeTarget::Own => NONE,
        MergeTarget::Output => OUTPUT,
        MergeTarget::Null => NULL,
    };
    let arguments = command.arguments.iter().map(encode_argument).collect();
    Value::object(Object::of_members([
        ("Cmd", Value::text(command.name.as_str())),
        ("IsScript", Value::Bool(command.kind == CommandKind::Script)),
        ("UseLocalScope", scope),
        ("MergeMyResult", result_types(mine)),
        ("MergeToResult", result_types(to)),
        ("MergePreviousResults", result_types(if merge.previous { OUTPUT_AND_ERROR } else { NONE })),
        ("MergeError", result_types(stream(merge.error))),
        ("MergeWarning", result_types(stream(merge.warning))),
        ("MergeVerbose", result_types(stream(merge.verbose))),
        ("MergeDebug", result_types(stream(merge.debug))),
        ("MergeInformation", result_types(stream(merge.information))),
        ("Args", generic_list(arguments)),
    ]))
}

fn encode_argument(argument: &Argument) -> Value {
    let name = argument.name.as_deref().map_or(Value::Nil, Value::text);
    Value::object(Object::of_members([("N", name), ("V", argument.value.clone())]))
}

fn result_types(value: i32) -> Value {
    const TYPE: &str = "System.Management.Automation.Runspaces.PipelineResultTypes";
    let shown = match value {
        NONE => "None",
        OUTPUT => "Output",
        ERROR => "Error",
        OUTPUT_AND_ERROR => "Output, Error",
        _ => "Null",
    };
    enumeration(TYPE, shown, value)
}

/// Names and values may hold secrets, so that only sizes are shown.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("name_bytes", &self.name.len())
            .field("kind", &self.kind)
            .field("scope", &self.scope)
            .field("merge", &self.merge)
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
