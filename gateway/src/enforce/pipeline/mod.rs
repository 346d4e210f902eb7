//! What a client asks for by CREATE_PIPELINE, taken out of the wrappers of stock clients, and what a target gets for
//! it.
//!
//! Everything here goes by the structure of what was decoded. What is not understood as a wrapper stays what it is,
//! and is judged as that.

mod encode;
mod form;
mod peel;
mod secrets;
mod unread;
mod values;

pub use encode::Unsendable;
pub use form::{ExitTail, Form, PLAIN, Shown};
pub use secrets::{Opener, Sealer, Secrets};
pub use unread::{Unread, Why};

pub(super) use encode::{Sent, Writer, encode};

use peel::Peeled;
use sekisho_policy::command::{Command, CommandKind, CommandsRequest, Pipeline, ScriptRequest};
use sekisho_policy::{Action, Presence};
use sekisho_protocol::psrp::{self, CreatePipeline};
use values::Values;

/// What a pipeline asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// What the gateway answers itself: no target is asked, and nothing is judged.
    Local {
        /// What.
        local: Local,
        /// How the client wants it back.
        form: Form,
    },
    /// What policy judges.
    Judge {
        /// What is to be done.
        action: Action,
        /// How it was wrapped.
        form: Form,
    },
    /// What nothing can allow.
    Refused(Unread),
}

/// What the gateway answers itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Local {
    /// `prompt`, which clients send before every typed line: the target's name.
    Prompt,
    /// A probe that is answered by the end of the pipeline alone: completion of words, and format data.
    Nothing,
    /// `Get-Command`: answered from the policy.
    Commands(CommandQuery),
    /// `Exit-PSSession`: the client is told to leave the session.
    Exit,
}

/// What `Get-Command` or GET_COMMAND_METADATA asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandQuery {
    /// Patterns of names; empty means all.
    pub names: Vec<String>,
    /// Patterns of modules; empty means all.
    pub modules: Vec<String>,
    /// The kinds of commands, as flags of `CommandTypes`; 0 means all.
    pub kinds: i32,
}

impl From<psrp::GetCommandMetadata> for CommandQuery {
    fn from(request: psrp::GetCommandMetadata) -> Self {
        let psrp::GetCommandMetadata { names, kinds, modules } = request;
        Self { names, modules, kinds }
    }
}

/// Reads a pipeline. `input` says whether objects come to it; secrets in it are opened into `secrets`.
pub fn read(request: &CreatePipeline, input: Presence, open: Opener<'_>, secrets: &mut Secrets) -> Asked {
    let values = Values::new(open, secrets);
    match peel::peel(request).and_then(|peeled| judged(peeled, input, values)) {
        Ok(asked) => asked,
        Err(why) => Asked::Refused(Unread::new(why, request)),
    }
}

fn judged(peeled: Peeled<'_>, input: Presence, mut values: Values<'_>) -> Result<Asked, Why> {
    let Peeled { statements, form } = peeled;
    if let [[script]] = statements.as_slice()
        && script.kind == psrp::CommandKind::Script
    {
        if form.is_merged() {
            return Err(Why::Merge);
        }
        let bindings = values.bindings(&script.arguments)?;
        let request = ScriptRequest { text: script.name.clone(), bindings, input };
        return Ok(Asked::Judge { action: Action::Script(request), form });
    }
    let pipelines = statements.iter().map(|commands| pipeline(commands, &mut values));
    let pipelines: Vec<Pipeline> = pipelines.collect::<Result<_, Why>>()?;
    let commands = pipelines.first().cloned().unwrap_or_default();
    let extra_commands = (pipelines.len() > 1).then_some(pipelines);
    let action = Action::Commands(CommandsRequest { commands, extra_commands, input });
    Ok(Asked::Judge { action, form })
}

fn pipeline(commands: &[psrp::Command], values: &mut Values<'_>) -> Result<Pipeline, Why> {
    commands.iter().map(|one| command(one, values)).collect()
}

fn command(command: &psrp::Command, values: &mut Values<'_>) -> Result<Command, Why> {
    Ok(Command {
        name: command.name.clone(),
        kind: match command.kind {
            psrp::CommandKind::Name => CommandKind::Name,
            psrp::CommandKind::Script => CommandKind::Script,
        },
        local_scope: None,
        arguments: values.arguments(&command.arguments)?,
    })
}
