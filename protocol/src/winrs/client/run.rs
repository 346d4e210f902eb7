//! One program in a shell of its own, from Create to Delete.

use super::shell::{ClientEvent, ClientSettings, Operation, ShellClient};
use crate::error::{Misuse, PeerMisbehaved};
use crate::limits::SEND_CHUNK;
use crate::soap::PeerFault;
use crate::winrs::{CommandOptions, ShellOptions, Stream};
use crate::wsman::{CommandId, CommandLine, CreateShell, MessageId, Request, Response, ShellId, SignalCode};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::fmt;
use uuid::Uuid;

/// What is to run.
pub struct Program {
    /// The shell to run it in.
    pub shell: CreateShell,
    /// Options of the shell.
    pub shell_options: ShellOptions,
    /// The command.
    pub line: CommandLine,
    /// Options of the command.
    pub command_options: CommandOptions,
    /// All of its input; absent = none is sent and none is ended.
    pub input: Option<Vec<u8>>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("line", &self.line).finish_non_exhaustive()
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq)]
pub enum RunEvent {
    /// The shell is open.
    Created(ShellId),
    /// The program runs.
    Started(CommandId),
    /// Output, in order.
    Output {
        /// Which.
        stream: Stream,
        /// At least one byte.
        data: Vec<u8>,
    },
    /// The program ended; told at most once.
    Done {
        /// As the target says.
        exit_code: i32,
    },
    /// The target refused.
    Fault {
        /// What.
        operation: Operation,
        /// Why.
        fault: PeerFault,
    },
    /// Nothing is left to do.
    Finished,
}

impl fmt::Debug for RunEvent {
    /// Output may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(shell) => f.debug_tuple("Created").field(shell).finish(),
            Self::Started(command) => f.debug_tuple("Started").field(command).finish(),
            Self::Output { stream, data } => {
                f.debug_struct("Output").field("stream", stream).field("bytes", &data.len()).finish_non_exhaustive()
            }
            Self::Done { exit_code } => f.debug_struct("Done").field("exit_code", exit_code).finish(),
            Self::Fault { operation, fault } => {
                f.debug_struct("Fault").field("operation", operation).field("fault", fault).finish()
            }
            Self::Finished => f.write_str("Finished"),
        }
    }
}

/// Runs one program: create, command, send, receive, signal, delete, one request at a time. After a fault
/// or an error it signals and deletes what there is, and Command and Send are never repeated. (once)
pub struct Run {
    client: ShellClient,
    program: Option<Program>,
    input: VecDeque<(Vec<u8>, bool)>,
    step: Step,
    waiting: Option<MessageId>,
    events: VecDeque<RunEvent>,
    failed: Option<Error>,
}

/// What is to be asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Create,
    Command,
    Converse(CommandId),
    Terminate(CommandId),
    Delete,
    Finished,
}

impl fmt::Debug for Run {
    /// Input and output may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("step", &self.step).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Run {
    /// A run of this program.
    #[must_use]
    pub fn new(settings: ClientSettings, mut program: Program) -> Self {
        let input = program.input.take().map(input_chunks).unwrap_or_default();
        Self {
            client: ShellClient::new(settings),
            program: Some(program),
            input,
            step: Step::Create,
            waiting: None,
            events: VecDeque::new(),
            failed: None,
        }
    }

    /// The next request; nothing while a response is awaited, and at the end.
    ///
    /// # Errors
    /// [`Misuse`] cannot happen here; a bound may.
    pub fn next_request(&mut self, message_id: Uuid) -> Result<Option<Request>> {
        if self.waiting.is_some() {
            return Ok(None);
        }
        let request = match self.step {
            Step::Create => {
                let program = self.program.as_mut().ok_or(Misuse::WrongState)?;
                self.client.create(message_id, std::mem::take(&mut program.shell), program.shell_options)?
            }
            Step::Command => {
                // Taken, so that it cannot be sent again. (once)
                let program = self.program.take().ok_or(Misuse::WrongState)?;
                self.client.command(message_id, program.line, program.command_options)?
            }
            Step::Converse(command) => match self.input.pop_front() {
                Some((data, end)) => self.client.send(message_id, command, data, end)?,
                None => self.client.receive(message_id, command)?,
            },
            Step::Terminate(command) => self.client.signal(message_id, command, SignalCode::Terminate)?,
            Step::Delete => self.client.delete(message_id)?,
            Step::Finished => return Ok(None),
        };
        self.waiting.clone_from(&request.header.message_id);
        Ok(Some(request))
    }

    /// Takes the response to the last request.
    ///
    /// # Errors
    /// When the target broke the protocol; the cleaning up goes on by [`Run::next_request`].
    pub fn accept(&mut self, response: Response) -> Result<()> {
        let answered = self.waiting.take().ok_or(Misuse::WrongState)?;
        match self.client.accept(&answered, response) {
            Ok(events) => {
                for event in events {
                    self.take(event);
                }
                Ok(())
            }
            Err(error) => {
                self.failed.get_or_insert(error);
                self.clean_up();
                Err(error)
            }
        }
    }

    /// The last request will have no response, or one that could not be read. What it did is not known.
    pub fn lost(&mut self) {
        if let Some(request) = self.waiting.take() {
            let _operation = self.client.abandon(&request);
            self.failed.get_or_insert(Error::PeerMisbehaved(PeerMisbehaved::Unrelated));
            self.clean_up();
        }
    }

    /// Ends the program early. A request that is under way has to be answered or lost first.
    pub fn stop(&mut self) {
        match self.step {
            Step::Create | Step::Command | Step::Converse(_) => self.clean_up(),
            Step::Terminate(_) | Step::Delete | Step::Finished => {}
        }
    }

    /// What happened, in order.
    pub fn next_event(&mut self) -> Option<RunEvent> {
        self.events.pop_front()
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.step == Step::Finished
    }

    /// The first error, if there was one.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.failed
    }

    fn take(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Created(shell) => {
                self.events.push_back(RunEvent::Created(shell));
                // Stopped meanwhile: there is a shell to close now.
                self.step = if self.step == Step::Create { Step::Command } else { Step::Delete };
            }
            ClientEvent::Started(command) => {
                self.events.push_back(RunEvent::Started(command));
                self.step = if self.step == Step::Command { Step::Converse(command) } else { Step::Terminate(command) };
            }
            ClientEvent::Output { stream, data, .. } => self.events.push_back(RunEvent::Output { stream, data }),
            ClientEvent::Done { command_id, exit_code } => {
                self.events.push_back(RunEvent::Done { exit_code });
                self.step = Step::Terminate(command_id);
            }
            ClientEvent::InputTaken(_) | ClientEvent::StillRunning(_) => {}
            ClientEvent::Signalled(_) => self.step = Step::Delete,
            ClientEvent::Deleted => self.finish(),
            ClientEvent::Fault { operation, fault } => {
                // A command that is gone already needs no signal, nor a shell that is gone a Delete.
                let cleaning = matches!(operation, Operation::Signal(..) | Operation::Delete);
                if !cleaning {
                    self.events.push_back(RunEvent::Fault { operation, fault });
                }
                self.clean_up();
            }
        }
    }

    fn clean_up(&mut self) {
        self.input.clear();
        match (self.step, self.client.shell()) {
            (Step::Finished, _) => {}
            // Under way: its response decides what there is to clean up.
            (Step::Create | Step::Command, _) if self.waiting.is_some() => self.step = Step::Delete,
            (_, None) => self.finish(),
            (Step::Converse(command), Some(_)) => self.step = Step::Terminate(command),
            // Not asked for yet, or asked for in vain.
            (Step::Create | Step::Command | Step::Delete, Some(_)) => self.step = Step::Delete,
            (Step::Terminate(command), Some(_)) => self.step = self.after_terminate(command),
        }
    }

    /// A signal that failed is not repeated.
    fn after_terminate(&self, command: CommandId) -> Step {
        if self.waiting.is_some() { Step::Terminate(command) } else { Step::Delete }
    }

    fn finish(&mut self) {
        if self.step != Step::Finished {
            self.step = Step::Finished;
            self.events.push_back(RunEvent::Finished);
        }
    }
}

/// Cut so that each fits into an envelope of the smallest size that targets take; the last one ends.
fn input_chunks(input: Vec<u8>) -> VecDeque<(Vec<u8>, bool)> {
    let mut chunks: VecDeque<(Vec<u8>, bool)> = input.chunks(SEND_CHUNK).map(|chunk| (chunk.to_vec(), false)).collect();
    match chunks.back_mut() {
        Some((_, end)) => *end = true,
        None => chunks.push_back((Vec::new(), true)),
    }
    chunks
}
