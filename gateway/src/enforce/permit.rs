//! What a judgement gives.

use super::pipeline::{self, Form, Sealer, Secrets, Unsendable};
use crate::audit::{Context, Redactor};
use crate::config::Endpoint;
use sekisho_policy::{Checked, CheckedCommands, CheckedProgram, CheckedScript, Input, Presence, Prompts};
use sekisho_protocol::psrp::CreatePipeline;

/// Leave to do one thing once on one target.
#[derive(Debug)]
pub struct Permit {
    what: Leave,
    form: Form,
    context: Context,
}

/// What may be done, in the form in which it goes out.
#[derive(Debug)]
pub(super) enum Leave {
    /// A program, through the cmd shell.
    Program(CheckedProgram),
    /// Commands that came inside a program's line, through the cmd shell again.
    Encoded(EncodedCommands),
    /// Commands, through PSRP.
    Commands(CheckedCommands, Presence),
    /// A pinned script, through PSRP.
    Script(CheckedScript, Presence),
}

/// Checked commands with the line that carries them through the cmd shell.
pub(super) struct EncodedCommands {
    pub(super) commands: CheckedCommands,
    /// Holds the commands in full, so that it is no more to be shown than they are.
    pub(super) line: String,
}

impl std::fmt::Debug for EncodedCommands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncodedCommands").field("commands", &self.commands).finish_non_exhaustive()
    }
}

impl Leave {
    /// Whether PowerShell starts a program.
    pub(super) fn runs_program(&self) -> bool {
        match self {
            Self::Commands(commands, _) => pipeline::Sent::Commands(commands).runs_program(),
            Self::Script(script, _) => pipeline::Sent::Script(script).runs_program(),
            Self::Program(_) | Self::Encoded(_) => false,
        }
    }

    /// What was allowed for a request that went to PSRP.
    pub(super) fn through_psrp(checked: Checked, input: Presence) -> Option<Self> {
        match checked {
            Checked::Commands(commands) => Some(Self::Commands(commands, input)),
            Checked::Script(script) => Some(Self::Script(script, input)),
            Checked::Program(_) => None,
        }
    }

    /// Whether it is a pinned script.
    pub(super) fn is_script(&self) -> bool {
        match self {
            Self::Script(..) => true,
            Self::Program(_) | Self::Encoded(_) | Self::Commands(..) => false,
        }
    }

    /// What was allowed for a request that went to the cmd shell.
    pub(super) fn through_cmd(checked: Checked) -> Option<Self> {
        match checked {
            Checked::Program(program) => Some(Self::Program(program)),
            Checked::Commands(_) | Checked::Script(_) => None,
        }
    }
}

impl Permit {
    pub(super) fn new(what: Leave, form: Form, context: Context) -> Self {
        Self { what, form, context }
    }

    /// The pipeline for the target's PSRP, encoded from what was judged; secrets are those that were read with it,
    /// sealed anew.
    ///
    /// # Errors
    /// When something else was permitted, or a secret cannot be sealed.
    pub fn pipeline(
        &self,
        endpoint: Endpoint,
        secrets: &Secrets,
        seal: Sealer<'_>,
    ) -> Result<CreatePipeline, Unsendable> {
        let (sent, input) = match &self.what {
            Leave::Commands(commands, input) => (pipeline::Sent::Commands(commands), *input),
            Leave::Script(script, input) => (pipeline::Sent::Script(script), *input),
            Leave::Program(_) | Leave::Encoded(_) => return Err(Unsendable::NoPipeline),
        };
        pipeline::encode(sent, &self.form, input, &pipeline::Writer { endpoint, secrets, seal })
    }

    /// How the request was wrapped: what the client expects back.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// What was permitted, for people: without secrets.
    #[must_use]
    pub fn canonical(&self) -> String {
        super::foresee::canonical(&self.what)
    }

    /// What was permitted, for the recording of its session: as the audit log has it, in one line.
    #[must_use]
    pub fn transcript(&self, redactor: &Redactor) -> String {
        super::record::permitted(redactor, &self.what).line()
    }

    /// Whether the target itself tells the exit code that the client asked for: where a program runs.
    #[must_use]
    pub fn target_tells_exit_code(&self) -> bool {
        self.what.runs_program()
    }

    /// Whether what runs may ask the user through host calls: where policy says so for every command of it.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        let prompts = match &self.what {
            Leave::Commands(commands, _) => commands.prompts(),
            Leave::Script(script, _) => script.prompts(),
            // Nothing can be asked through the cmd shell.
            Leave::Program(_) | Leave::Encoded(_) => Prompts::Refused,
        };
        prompts == Prompts::Permitted
    }

    /// The line for the target's cmd shell, rendered from what was judged; nothing where that was judged for PSRP.
    #[must_use]
    pub fn command_line(&self) -> Option<&str> {
        match &self.what {
            Leave::Program(program) => Some(program.command_line()),
            Leave::Encoded(encoded) => Some(&encoded.line),
            Leave::Commands(..) | Leave::Script(..) => None,
        }
    }

    /// The commands to be encoded for the target's PSRP; nothing where something else was permitted.
    #[must_use]
    pub fn commands(&self) -> Option<&CheckedCommands> {
        match &self.what {
            Leave::Commands(commands, _) => Some(commands),
            Leave::Program(_) | Leave::Encoded(_) | Leave::Script(..) => None,
        }
    }

    /// The pinned script to be encoded for the target's PSRP; nothing where something else was permitted.
    #[must_use]
    pub fn script(&self) -> Option<&CheckedScript> {
        match &self.what {
            Leave::Script(script, _) => Some(script),
            Leave::Program(_) | Leave::Encoded(_) | Leave::Commands(..) => None,
        }
    }

    /// Whether input may be sent: where a program's rule lets it through, or where commands were judged with it.
    #[must_use]
    pub fn takes_input(&self) -> bool {
        match &self.what {
            Leave::Program(program) => program.input() == Input::Permitted,
            Leave::Encoded(_) => false,
            Leave::Commands(_, input) | Leave::Script(_, input) => *input == Presence::Present,
        }
    }

    /// What later events about this command have in common.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}
