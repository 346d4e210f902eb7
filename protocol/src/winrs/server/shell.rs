//! One shell and its commands, as the server sees them.

use super::output::Output;
use crate::soap::{Fault, FaultCode, Subcode};
use crate::winrs::{CommandOptions, STDIN, ShellOptions, Stream};
use crate::wsman::{
    CommandId, CommandLine, CreateShell, Request, RequestBody, RequestHeader, SendStream, ShellId, SignalCode,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Bounds of one shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShellLimits {
    /// Commands at the same time.
    pub commands: usize,
    /// Bytes of output that wait, per command.
    pub output: usize,
}

/// What a request asks of whoever runs the commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellEvent {
    /// To be answered after [`ShellMachine::start`].
    Start {
        /// What is to run, as the client wrote it.
        line: CommandLine,
        /// How it is to run.
        options: CommandOptions,
    },
    /// Input, in order.
    Input(Vec<Input>),
    /// Output is wanted: answer from [`ShellMachine::output`] once something is pending, or with
    /// [`Fault::timed_out`].
    Poll {
        /// Whose.
        command_id: CommandId,
        /// For [`Output::peek`].
        max_envelope_size: usize,
        /// How long to wait; absent = the server's default.
        wait: Option<Duration>,
    },
    /// The command is to be interrupted; it is known and stays.
    Interrupt {
        /// Which.
        command_id: CommandId,
        /// How.
        signal: SignalCode,
    },
    /// The command was forgotten: end it.
    Terminate {
        /// Which.
        command_id: CommandId,
    },
    /// A signal for a command that is gone already: answer it all the same.
    AlreadyGone,
    /// The shell is wanted described.
    Describe,
    /// The shell was closed: end all its commands.
    Close,
}

/// Input for one command.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    /// Whose.
    pub command_id: CommandId,
    /// Any number of bytes.
    pub data: Vec<u8>,
    /// Nothing follows.
    pub end: bool,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("command_id", &self.command_id)
            .field("bytes", &self.data.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// One shell. [MS-WSMV] 3.1.4.1.31.
#[derive(Debug)]
pub struct ShellMachine {
    id: ShellId,
    limits: ShellLimits,
    commands: BTreeMap<CommandId, Command>,
    closed: bool,
}

#[derive(Debug)]
struct Command {
    output: Output,
    input_ended: bool,
}

impl ShellMachine {
    /// Opens a shell for a Create, under an identifier of ours.
    ///
    /// # Errors
    /// A fault for streams that no shell has, or for a bad option.
    pub fn open(
        id: ShellId,
        header: &RequestHeader,
        create: &CreateShell,
        limits: ShellLimits,
    ) -> Result<(Self, ShellOptions), Fault> {
        if create.input_streams.iter().any(|name| name != STDIN) {
            return Err(bad_stream(FaultCode::INVALID_INPUT_STREAM));
        }
        if create.output_streams.iter().any(|name| Stream::of_name(name).is_none()) {
            return Err(bad_stream(FaultCode::INVALID_DESIRED_STREAMS));
        }
        let options = ShellOptions::parse(header)?;
        Ok((Self { id, limits, commands: BTreeMap::new(), closed: false }, options))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> ShellId {
        self.id
    }

    /// Takes a request for this shell.
    ///
    /// # Errors
    /// The fault to answer with. Once closed, always that there is no such shell.
    pub fn receive(&mut self, request: Request) -> Result<ShellEvent, Fault> {
        if self.closed || request.header.shell != Some(self.id) {
            return Err(Fault::no_such_shell());
        }
        match request.body {
            RequestBody::Command(line) => {
                if self.limits.commands <= self.commands.len() {
                    return Err(too_many_commands());
                }
                Ok(ShellEvent::Start { line, options: CommandOptions::parse(&request.header)? })
            }
            RequestBody::Send(streams) => self.input(streams),
            RequestBody::Receive { command_id, streams } => self.poll(&request.header, command_id, &streams),
            RequestBody::Signal { command_id, signal } => self.signal(command_id, signal),
            RequestBody::Delete => {
                self.closed = true;
                self.commands.clear();
                Ok(ShellEvent::Close)
            }
            RequestBody::Get => Ok(ShellEvent::Describe),
            RequestBody::Identify | RequestBody::Create(_) | RequestBody::Other => Err(Fault::action_not_supported()),
        }
    }

    /// The command of a [`ShellEvent::Start`] runs, under an identifier of ours.
    ///
    /// # Errors
    /// A fault when there are too many, or the identifier is taken.
    pub fn start(&mut self, command_id: CommandId) -> Result<(), Fault> {
        if self.closed {
            return Err(Fault::no_such_shell());
        }
        if self.limits.commands <= self.commands.len() || self.commands.contains_key(&command_id) {
            return Err(too_many_commands());
        }
        let output = Output::new(command_id, self.limits.output);
        self.commands.insert(command_id, Command { output, input_ended: false });
        Ok(())
    }

    /// The output of a command that is not forgotten.
    pub fn output(&mut self, command_id: CommandId) -> Option<&mut Output> {
        self.commands.get_mut(&command_id).map(|command| &mut command.output)
    }

    /// The commands that are not forgotten.
    pub fn commands(&self) -> impl Iterator<Item = CommandId> + '_ {
        self.commands.keys().copied()
    }

    /// All or nothing: a stream that is refused takes none of its neighbours in.
    fn input(&mut self, streams: Vec<SendStream>) -> Result<ShellEvent, Fault> {
        let mut ended: Vec<CommandId> = Vec::new();
        let mut inputs = Vec::with_capacity(streams.len());
        for stream in streams {
            if stream.stream != STDIN {
                return Err(bad_stream(FaultCode::INVALID_INPUT_STREAM));
            }
            let command_id = stream.command_id.ok_or_else(Fault::no_such_shell)?;
            let command = self.commands.get(&command_id).ok_or_else(Fault::no_such_shell)?;
            if command.input_ended || ended.contains(&command_id) {
                return Err(bad_stream(FaultCode::INVALID_INPUT_STREAM));
            }
            if stream.end {
                ended.push(command_id);
            }
            inputs.push(Input { command_id, data: stream.data, end: stream.end });
        }
        for command_id in ended {
            if let Some(command) = self.commands.get_mut(&command_id) {
                command.input_ended = true;
            }
        }
        Ok(ShellEvent::Input(inputs))
    }

    fn poll(
        &self,
        header: &RequestHeader,
        command_id: Option<CommandId>,
        streams: &[String],
    ) -> Result<ShellEvent, Fault> {
        if streams.iter().any(|name| Stream::of_name(name).is_none()) {
            return Err(bad_stream(FaultCode::INVALID_DESIRED_STREAMS));
        }
        let command_id = command_id.filter(|id| self.commands.contains_key(id)).ok_or_else(Fault::no_such_shell)?;
        Ok(ShellEvent::Poll { command_id, max_envelope_size: header.max_envelope_size, wait: header.operation_timeout })
    }

    /// Terminate may come again and again: clients send it on every way out.
    fn signal(&mut self, command_id: Option<CommandId>, signal: SignalCode) -> Result<ShellEvent, Fault> {
        let command_id = command_id.ok_or_else(Fault::no_such_shell)?;
        if !self.commands.contains_key(&command_id) {
            return Ok(ShellEvent::AlreadyGone);
        }
        match signal {
            SignalCode::CtrlC | SignalCode::CtrlBreak => Ok(ShellEvent::Interrupt { command_id, signal }),
            SignalCode::Terminate | SignalCode::PowerShellCtrlC | SignalCode::Other => {
                self.commands.remove(&command_id);
                Ok(ShellEvent::Terminate { command_id })
            }
        }
    }
}

fn bad_stream(code: FaultCode) -> Fault {
    Fault::sender(
        code,
        Subcode::InvalidParameter,
        "The request names a stream that this shell does not have, or that has ended.",
    )
}

fn too_many_commands() -> Fault {
    Fault::quota(
        FaultCode::QUOTA_OPERATIONS,
        "The shell has too many commands. End one that has finished with a Signal, or open another shell.",
    )
}
