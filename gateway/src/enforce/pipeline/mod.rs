//! What a client asks for by CREATE_PIPELINE, taken out of the wrappers of stock clients, and what a target gets for
//! it.
//!
//! Everything here goes by the structure of what was decoded. What is not understood as a wrapper stays what it is,
//! and is judged as that.

mod encode;
mod form;
mod known;
mod local;
mod peel;
mod secrets;
mod unread;
mod unwrap;
mod values;

pub use encode::{Sent, Unsendable, Writer, encode};
pub use form::{ExitTail, Form, PLAIN, Shown};
pub use known::Known;
pub use local::{CommandQuery, Local, Then};
pub use secrets::{Opener, Sealer, Secrets};
pub use unread::{Unread, Why};

use peel::Peeled;
use sekisho_policy::command::{Bindings, Command, CommandKind, CommandsRequest, Pipeline, ScriptRequest};
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

/// Reads a pipeline. `input` says whether objects come to it; secrets in it are opened into `secrets`.
pub fn read(request: &CreatePipeline, input: Presence, open: Opener<'_>, secrets: &mut Secrets) -> Asked {
    let values = Values::new(open, secrets);
    match peel::peel(request).and_then(|peeled| judged(peeled, input, values)) {
        Ok(asked) => asked,
        Err(why) => Asked::Refused(Unread::new(why, request)),
    }
}

fn judged(peeled: Peeled<'_>, input: Presence, mut values: Values<'_>) -> Result<Asked, Why> {
    let Peeled { statements, mut form } = peeled;
    unwrap::refuse_batched(&statements)?;
    if let [[script]] = statements.as_slice()
        && script.kind == psrp::CommandKind::Script
    {
        if form.is_merged() {
            return Err(Why::Merge);
        }
        let bindings = values.bindings(&script.arguments)?;
        return text(&script.name, bindings, input, form);
    }
    if let [statement] = statements.as_slice()
        && form.shown == Shown::Objects
        && let Some(invoked) = unwrap::invoked(statement)
    {
        form.shown = Shown::Text;
        return text(invoked, Bindings::default(), input, form);
    }
    form.known = statements.iter().copied().flatten().find_map(Known::of_command);
    let pipelines = statements.iter().map(|commands| pipeline(commands, &mut values));
    commands(pipelines.collect::<Result<_, Why>>()?, input, form)
}

fn text(text: &str, bindings: Bindings, input: Presence, mut form: Form) -> Result<Asked, Why> {
    form.known = Known::of_text(text);
    let text = unwrap::take_tail(text, &mut form);
    if let Some(local) = local::of_text(text, &bindings)? {
        return Ok(Asked::Local { local, form });
    }
    let request = ScriptRequest { text: text.to_owned(), bindings, input };
    Ok(Asked::Judge { action: Action::Script(request), form })
}

fn commands(mut pipelines: Vec<Pipeline>, input: Presence, form: Form) -> Result<Asked, Why> {
    if let Some(local) = local::of_statements(&pipelines)? {
        return Ok(Asked::Local { local, form });
    }
    let (commands, extra_commands) = match pipelines.len() {
        0 | 1 => (pipelines.pop().unwrap_or_default(), None),
        _ => (pipelines.first().cloned().unwrap_or_default(), Some(pipelines)),
    };
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

#[cfg(test)]
mod tests;
