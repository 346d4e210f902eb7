//! What a target gets: the canonical CREATE_PIPELINE of what was judged, and nothing of the client's.
//!
//! Upholds (judged-is-rendered): commands by full name, every parameter by its full name with its value in one
//! entry, scripts in the policy's own text.

use super::values::using_key;
use super::{ExitTail, Form, Sealer, Secrets, Shown};
use crate::config::Endpoint;
use sekisho_policy::value::{Number, NumberKind, Secure, SecureKind, Value};
use sekisho_policy::{CheckedArguments, CheckedCommand, CheckedCommands, CheckedParameter, CheckedScript, Presence};
use sekisho_protocol::clixml::{self, Content, Object};
use sekisho_protocol::psrp::{Argument, Command, CommandKind, CreatePipeline, Merge};

/// Why something permitted cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// It is a program for the cmd shell.
    #[error("what was permitted is a program for the cmd shell: start it in one")]
    NoPipeline,
    /// A value that no target reads as it was judged; no judgement lets one through.
    #[error("a value cannot be written for the target")]
    Value,
    /// The redirections of the client are not those of what was judged.
    #[error("the redirections belong to other commands than those that were permitted")]
    Merge,
    /// The client asks for the exit code of a program, and a restricted endpoint tells none.
    #[error("a restricted endpoint tells no exit codes of programs")]
    ExitCode,
    /// A secret that is not there.
    #[error("a secret is gone that the command needs")]
    Secret,
    /// A secret that cannot be sealed.
    #[error("a secret cannot be sealed for the target")]
    Seal,
}

/// What is sent: nothing but what a judgement allowed.
#[derive(Debug, Clone, Copy)]
pub enum Sent<'p> {
    /// Commands.
    Commands(&'p CheckedCommands),
    /// A pinned script.
    Script(&'p CheckedScript),
}

/// For which target it is written.
pub struct Writer<'a> {
    /// Whether it knows names with their modules.
    pub endpoint: Endpoint,
    /// The secrets that were read with it.
    pub secrets: &'a Secrets,
    /// How these are sealed for it.
    pub seal: Sealer<'a>,
}

/// The pipeline for a target. [`crate::enforce::Permit::pipeline`] is the only way from here to one.
///
/// # Errors
/// When something cannot be written so that it is read as it was judged, or a secret cannot be sealed.
pub fn encode(sent: Sent<'_>, form: &Form, input: Presence, writer: &Writer<'_>) -> Result<CreatePipeline, Unsendable> {
    let mut statements = match sent {
        Sent::Commands(commands) => writer.statements(commands, form)?,
        Sent::Script(script) => vec![vec![writer.script(script)?]],
    };
    for statement in &mut statements {
        statement.extend(writer.tail(form.shown));
    }
    if form.exit != ExitTail::None && sent.runs_program() {
        statements.push(vec![writer.exit()?]);
    }
    let no_input = input == Presence::Absent;
    Ok(CreatePipeline { no_input, ..CreatePipeline::of_statements(statements) })
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Sent<'_> {
    /// Whether a program is among it, or may be in a script: its exit code only the target knows.
    pub fn runs_program(self) -> bool {
        let Self::Commands(commands) = self else { return true };
        let mut all = commands.statements().iter().flatten();
        all.any(|command| matches!(command.arguments(), CheckedArguments::Program(_)))
    }
}

/// What tells the exit code of the last program: the gateway's own text, the same always.
const EXIT: &str = "exit $LASTEXITCODE";

impl Writer<'_> {
    /// Only an endpoint with the whole language can tell a program's exit code.
    fn exit(&self) -> Result<Command, Unsendable> {
        match self.endpoint {
            Endpoint::Full => Ok(Command { kind: CommandKind::Script, ..Command::new(EXIT, Vec::new()) }),
            Endpoint::Restricted => Err(Unsendable::ExitCode),
        }
    }

    fn statements(&self, commands: &CheckedCommands, form: &Form) -> Result<Vec<Vec<Command>>, Unsendable> {
        let mut statements = Vec::with_capacity(commands.statements().len());
        for commands in commands.statements() {
            statements.push(commands.iter().map(|one| self.command(one)).collect::<Result<Vec<_>, _>>()?);
        }
        if form.is_merged() {
            merge(&mut statements, &form.merges)?;
        }
        Ok(statements)
    }

    fn command(&self, command: &CheckedCommand) -> Result<Command, Unsendable> {
        let arguments = match command.arguments() {
            CheckedArguments::Named(parameters) => parameters.iter().map(|one| self.parameter(one)).collect(),
            CheckedArguments::Program(texts) => {
                let texts = texts.iter().map(|one| clixml::Value::text(one.value()));
                Ok(texts.map(|value| Argument { name: None, value }).collect())
            }
        };
        Ok(Command::new(self.name(command.module(), command.name()), arguments?))
    }

    /// Upholds (judged-is-rendered): a restricted endpoint hides `Module\Name`; a full one could hold a function of
    /// the bare name.
    fn name(&self, module: &str, name: &str) -> String {
        match self.endpoint {
            Endpoint::Full if !module.is_empty() => format!("{module}\\{name}"),
            Endpoint::Full | Endpoint::Restricted => name.to_owned(),
        }
    }

    fn script(&self, script: &CheckedScript) -> Result<Command, Unsendable> {
        let mut arguments: Vec<Argument> =
            script.parameters().iter().map(|one| self.parameter(one)).collect::<Result<_, _>>()?;
        if !script.using().is_empty() {
            let using = script.using().iter();
            let entries = using.map(|one| Ok((clixml::Value::text(using_key(one.name())), self.value(one.value())?)));
            let dictionary = Content::Dictionary(entries.collect::<Result<_, Unsendable>>()?);
            let types = ["System.Collections.Hashtable", "System.Object"];
            arguments.push(Argument { name: Some("--%".to_owned()), value: typed(&types, dictionary) });
        }
        Ok(Command { kind: CommandKind::Script, ..Command::new(script.text(), arguments) })
    }

    fn parameter(&self, parameter: &CheckedParameter) -> Result<Argument, Unsendable> {
        Ok(Argument { name: Some(parameter.name().to_owned()), value: self.value(parameter.value())? })
    }

    fn value(&self, value: &Value) -> Result<clixml::Value, Unsendable> {
        if let Value::List(items) = value {
            return items.iter().map(|item| self.single(item)).collect::<Result<_, _>>().map(clixml::Value::array);
        }
        self.single(value)
    }

    fn single(&self, value: &Value) -> Result<clixml::Value, Unsendable> {
        match value {
            Value::Null => Ok(clixml::Value::Nil),
            Value::Bool(value) => Ok(clixml::Value::Bool(*value)),
            Value::Number(value) => number(value),
            Value::Text(text) => Ok(clixml::Value::text(text.as_str())),
            Value::Secure(secure) => self.secure(secure),
            Value::List(_) | Value::Opaque(_) => Err(Unsendable::Value),
        }
    }

    fn secure(&self, secure: &Secure) -> Result<clixml::Value, Unsendable> {
        let secret = self.secrets.find(secure.handle).ok_or(Unsendable::Secret)?;
        let sealed = clixml::Value::Secure((self.seal)(secret).map_err(|_| Unsendable::Seal)?);
        match &secure.kind {
            SecureKind::SecureString => Ok(sealed),
            SecureKind::Credential { user } => Ok(credential(user, sealed)),
        }
    }

    /// What stands behind every statement, so that output comes in the form that the client wants.
    fn tail(&self, shown: Shown) -> Option<Command> {
        match (shown, self.endpoint) {
            (Shown::Host, _) => {
                let merge = Merge { previous: true, ..Merge::default() };
                let name = self.name("Microsoft.PowerShell.Core", "Out-Default");
                Some(Command { merge, ..Command::new(name, Vec::new()) })
            }
            (Shown::Text, Endpoint::Full) => {
                let stream = Argument { name: Some("Stream".to_owned()), value: clixml::Value::Bool(true) };
                Some(Command::new(self.name("Microsoft.PowerShell.Utility", "Out-String"), vec![stream]))
            }
            // There is no Out-String on a restricted endpoint: objects come, and the session makes text of them.
            (Shown::Text, Endpoint::Restricted) | (Shown::Objects, _) => None,
        }
    }
}

/// Puts the client's redirections back where they stood.
pub(super) fn merge(statements: &mut [Vec<Command>], merges: &[Vec<Merge>]) -> Result<(), Unsendable> {
    if statements.len() != merges.len() {
        return Err(Unsendable::Merge);
    }
    for (commands, merges) in statements.iter_mut().zip(merges) {
        if commands.len() != merges.len() {
            return Err(Unsendable::Merge);
        }
        commands.iter_mut().zip(merges).for_each(|(command, merge)| command.merge = *merge);
    }
    Ok(())
}

fn number(number: &Number) -> Result<clixml::Value, Unsendable> {
    let tag = match number.kind {
        NumberKind::Byte => "By",
        NumberKind::SByte => "SB",
        NumberKind::Int16 => "I16",
        NumberKind::UInt16 => "U16",
        NumberKind::Int32 => "I32",
        NumberKind::UInt32 => "U32",
        NumberKind::Int64 => "I64",
        NumberKind::UInt64 => "U64",
        NumberKind::Single => "Sg",
        NumberKind::Double => "Db",
        NumberKind::Decimal => "D",
    };
    let text = match number.text.as_str() {
        "Infinity" => "INF",
        "-Infinity" => "-INF",
        text => text,
    };
    clixml::Value::primitive(tag, text).map_err(|_| Unsendable::Value)
}

fn credential(user: &str, password: clixml::Value) -> clixml::Value {
    const TYPE: &str = "System.Management.Automation.PSCredential";
    clixml::Value::object(Object {
        types: Some([TYPE, "System.Object"].map(str::to_owned).into()),
        shown: Some(TYPE.to_owned()),
        adapted: Some(vec![("UserName".to_owned(), clixml::Value::text(user)), ("Password".to_owned(), password)]),
        ..Object::default()
    })
}

fn typed(types: &[&str], content: Content) -> clixml::Value {
    let types = types.iter().map(|name| (*name).to_owned()).collect();
    clixml::Value::object(Object { types: Some(types), content, ..Object::default() })
}
