//! One shell on a target that is not trusted.

use crate::error::{LimitExceeded, Misuse, PeerMisbehaved};
use crate::limits::IN_FLIGHT;
use crate::soap::{FaultCode, PeerFault};
use crate::winrs::{CommandOptions, STDIN, ShellOptions, Stream};
use crate::wsman::{
    Action, CommandId, CommandLine, CommandState, CreateShell, MessageId, ReceiveResponse, Request, RequestBody,
    RequestHeader, Resource, Response, ResponseBody, SendStream, ShellId, SignalCode,
};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// What all requests to one target have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// The target's URL.
    pub to: String,
    /// The most bytes that an answer may have.
    pub max_envelope_size: usize,
    /// How long a poll waits at the target.
    pub operation_timeout: Duration,
    /// For correlation at the target.
    pub session_id: Option<Uuid>,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A shell was asked for.
    Create,
    /// A command was started, perhaps.
    Command,
    /// Input went to a command.
    Send(CommandId),
    /// Output of a command was asked for.
    Receive(CommandId),
    /// A command was signalled.
    Signal(CommandId, SignalCode),
    /// The shell was to be closed.
    Delete,
}

/// What a response says.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// The shell is open.
    Created(ShellId),
    /// A command runs.
    Started(CommandId),
    /// Input was taken.
    InputTaken(CommandId),
    /// Output, in order.
    Output {
        /// Whose.
        command_id: CommandId,
        /// Which.
        stream: Stream,
        /// At least one byte.
        data: Vec<u8>,
    },
    /// Nothing happened in time: ask again.
    StillRunning(CommandId),
    /// The command ended, and all its output was told.
    Done {
        /// Which.
        command_id: CommandId,
        /// As the target says.
        exit_code: i32,
    },
    /// The signal was taken.
    Signalled(CommandId),
    /// The shell is closed.
    Deleted,
    /// The target refused.
    Fault {
        /// What.
        operation: Operation,
        /// Why.
        fault: PeerFault,
    },
}

impl fmt::Debug for ClientEvent {
    /// Output may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(shell) => f.debug_tuple("Created").field(shell).finish(),
            Self::Started(command) => f.debug_tuple("Started").field(command).finish(),
            Self::InputTaken(command) => f.debug_tuple("InputTaken").field(command).finish(),
            Self::Output { command_id, stream, data } => f
                .debug_struct("Output")
                .field("command_id", command_id)
                .field("stream", stream)
                .field("bytes", &data.len())
                .finish_non_exhaustive(),
            Self::StillRunning(command) => f.debug_tuple("StillRunning").field(command).finish(),
            Self::Done { command_id, exit_code } => {
                f.debug_struct("Done").field("command_id", command_id).field("exit_code", exit_code).finish()
            }
            Self::Signalled(command) => f.debug_tuple("Signalled").field(command).finish(),
            Self::Deleted => f.write_str("Deleted"),
            Self::Fault { operation, fault } => {
                f.debug_struct("Fault").field("operation", operation).field("fault", fault).finish()
            }
        }
    }
}

/// A shell on a target. Each call makes one request; [`ShellClient::accept`] takes its response. Once a
/// target broke the protocol, only the cleaning up goes on.
///
/// INVARIANT(once): a Command and a Send are never made twice from one call, and nothing here repeats them.
#[derive(Debug)]
pub struct ShellClient {
    settings: ClientSettings,
    state: State,
    in_flight: Vec<(MessageId, Operation)>,
    commands: BTreeMap<CommandId, Progress>,
    failed: Option<Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Creating,
    Open(ShellId),
    Closed,
}

/// What is known of one command.
#[derive(Debug, Default)]
struct Progress {
    ended: Vec<Stream>,
    done: bool,
}

impl ShellClient {
    /// A client without shell.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        Self { settings, state: State::Fresh, in_flight: Vec::new(), commands: BTreeMap::new(), failed: None }
    }

    /// The shell, while it is open.
    #[must_use]
    pub fn shell(&self) -> Option<ShellId> {
        match self.state {
            State::Open(id) => Some(id),
            State::Fresh | State::Creating | State::Closed => None,
        }
    }

    /// Asks for a shell.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] when one was asked for already.
    pub fn create(&mut self, message_id: Uuid, shell: CreateShell, options: ShellOptions) -> Result<Request> {
        self.check()?;
        if self.state != State::Fresh {
            return Err(Misuse::WrongState.into());
        }
        let request = self.request(message_id, Operation::Create, RequestBody::Create(shell))?;
        self.state = State::Creating;
        Ok(with_options(request, options.render()))
    }

    /// Starts a command. Never to be repeated: whether it ran is not known when no response comes.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] without a shell.
    pub fn command(&mut self, message_id: Uuid, line: CommandLine, options: CommandOptions) -> Result<Request> {
        self.check_open()?;
        let request = self.request(message_id, Operation::Command, RequestBody::Command(line))?;
        Ok(with_options(request, options.render()))
    }

    /// Sends input to a command. Never to be repeated.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] for a command that is not known.
    pub fn send(&mut self, message_id: Uuid, command_id: CommandId, data: Vec<u8>, end: bool) -> Result<Request> {
        self.check_command(command_id)?;
        let stream = SendStream { stream: STDIN.to_owned(), command_id: Some(command_id), end, data };
        self.request(message_id, Operation::Send(command_id), RequestBody::Send(vec![stream]))
    }

    /// Asks for output of a command that is not done.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] for a command that is not known or done, or that is being asked already.
    pub fn receive(&mut self, message_id: Uuid, command_id: CommandId) -> Result<Request> {
        self.check_command(command_id)?;
        let asked = self.in_flight.iter().any(|(_, operation)| *operation == Operation::Receive(command_id));
        if asked || self.commands.get(&command_id).is_some_and(|progress| progress.done) {
            return Err(Misuse::WrongState.into());
        }
        let streams = Stream::ALL.iter().map(|stream| stream.name().to_owned()).collect();
        let body = RequestBody::Receive { command_id: Some(command_id), streams };
        self.request(message_id, Operation::Receive(command_id), body)
    }

    /// Signals a command, done or not: one that was not signalled counts against the target's quotas.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] for a command that is not known.
    pub fn signal(&mut self, message_id: Uuid, command_id: CommandId, signal: SignalCode) -> Result<Request> {
        if self.shell().is_none() || !self.commands.contains_key(&command_id) {
            return Err(Misuse::WrongState.into());
        }
        let body = RequestBody::Signal { command_id: Some(command_id), signal };
        self.request(message_id, Operation::Signal(command_id, signal), body)
    }

    /// Closes the shell, whatever happened before.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] without a shell.
    pub fn delete(&mut self, message_id: Uuid) -> Result<Request> {
        if self.shell().is_none() {
            return Err(Misuse::WrongState.into());
        }
        self.request(message_id, Operation::Delete, RequestBody::Delete)
    }

    /// Takes the response to the request with this identifier.
    ///
    /// # Errors
    /// When it answers something else, or breaks the protocol; for ever after that.
    pub fn accept(&mut self, answered: &MessageId, response: Response) -> Result<Vec<ClientEvent>> {
        let at = self.in_flight.iter().position(|(id, _)| id == answered).ok_or(Misuse::WrongState)?;
        let (_, operation) = self.in_flight.swap_remove(at);
        // Cleaning up goes on after a failure.
        if !matches!(operation, Operation::Signal(..) | Operation::Delete) {
            self.check()?;
        }
        let taken = self.take(answered, operation, response);
        if let Err(error) = taken {
            self.failed.get_or_insert(error);
            self.settle(operation);
        }
        taken
    }

    /// The request with this identifier will have no response: its connection is gone. Whether it was
    /// carried out is not known.
    pub fn abandon(&mut self, request: &MessageId) -> Option<Operation> {
        let at = self.in_flight.iter().position(|(id, _)| id == request)?;
        let (_, operation) = self.in_flight.swap_remove(at);
        self.settle(operation);
        Some(operation)
    }

    /// After a request whose result is not known, nothing is built on it.
    fn settle(&mut self, operation: Operation) {
        match operation {
            Operation::Create | Operation::Delete => self.state = State::Closed,
            Operation::Command | Operation::Send(_) | Operation::Receive(_) | Operation::Signal(..) => {}
        }
    }

    fn check(&self) -> Result<()> {
        self.failed.map_or(Ok(()), Err)
    }

    fn check_open(&self) -> Result<()> {
        self.check()?;
        if self.shell().is_some() { Ok(()) } else { Err(Misuse::WrongState.into()) }
    }

    fn check_command(&self, command_id: CommandId) -> Result<()> {
        self.check_open()?;
        if self.commands.contains_key(&command_id) { Ok(()) } else { Err(Misuse::WrongState.into()) }
    }

    fn request(&mut self, message_id: Uuid, operation: Operation, body: RequestBody) -> Result<Request> {
        if IN_FLIGHT <= self.in_flight.len() {
            return Err(LimitExceeded::InFlight.into());
        }
        let id = MessageId::new(message_id);
        self.in_flight.push((id.clone(), operation));
        let header = RequestHeader {
            message_id: Some(id),
            action: action_of(operation),
            resource: Resource::CmdShell,
            to: self.settings.to.clone(),
            operation_timeout: Some(self.settings.operation_timeout),
            max_envelope_size: self.settings.max_envelope_size,
            shell: self.shell(),
            options: Vec::new(),
            session_id: self.settings.session_id,
        };
        Ok(Request { header, body })
    }

    fn take(&mut self, answered: &MessageId, operation: Operation, response: Response) -> Result<Vec<ClientEvent>> {
        match (&response.relates_to, &response.outcome) {
            (Some(id), _) if id == answered => {}
            // A target that could not read a request does not know its identifier.
            (None, Err(_)) => {}
            (Some(_) | None, _) => return Err(PeerMisbehaved::Unrelated.into()),
        }
        match response.outcome {
            Err(fault) => Ok(vec![self.fault(operation, fault)]),
            Ok(body) => self.answer(operation, body),
        }
    }

    fn fault(&mut self, operation: Operation, fault: PeerFault) -> ClientEvent {
        match operation {
            Operation::Receive(command_id) if fault.code == FaultCode::TIMED_OUT => {
                return ClientEvent::StillRunning(command_id);
            }
            Operation::Create | Operation::Delete => self.state = State::Closed,
            Operation::Signal(command_id, SignalCode::Terminate) => {
                self.commands.remove(&command_id);
            }
            Operation::Command | Operation::Send(_) | Operation::Receive(_) | Operation::Signal(..) => {}
        }
        ClientEvent::Fault { operation, fault }
    }

    fn answer(&mut self, operation: Operation, body: ResponseBody) -> Result<Vec<ClientEvent>> {
        let event = match (operation, body) {
            (Operation::Create, ResponseBody::Created(shell)) => {
                self.state = State::Open(shell.shell_id);
                ClientEvent::Created(shell.shell_id)
            }
            (Operation::Command, ResponseBody::Command { command_id }) => {
                if self.commands.insert(command_id, Progress::default()).is_some() {
                    return Err(PeerMisbehaved::OutOfOrder.into());
                }
                ClientEvent::Started(command_id)
            }
            (Operation::Send(command_id), ResponseBody::Send) => ClientEvent::InputTaken(command_id),
            (Operation::Receive(command_id), ResponseBody::Receive(output)) => return self.output(command_id, output),
            (Operation::Signal(command_id, signal), ResponseBody::Signal) => {
                if signal == SignalCode::Terminate {
                    self.commands.remove(&command_id);
                }
                ClientEvent::Signalled(command_id)
            }
            (Operation::Delete, ResponseBody::Delete) => {
                self.state = State::Closed;
                ClientEvent::Deleted
            }
            (_, _) => return Err(PeerMisbehaved::WrongResponse.into()),
        };
        Ok(vec![event])
    }

    fn output(&mut self, command_id: CommandId, output: ReceiveResponse) -> Result<Vec<ClientEvent>> {
        // An answer may leave the command out when it says nothing.
        if output.command_id.is_some_and(|id| id != command_id) {
            return Err(PeerMisbehaved::UnexpectedOutput.into());
        }
        // Terminated meanwhile: what still comes is of no use to anybody.
        let Some(progress) = self.commands.get_mut(&command_id) else { return Ok(Vec::new()) };
        let mut events = Vec::new();
        for chunk in output.streams {
            let stream = Stream::of_name(&chunk.stream).ok_or(PeerMisbehaved::UnexpectedOutput)?;
            let ended = progress.ended.contains(&stream);
            if ended && !chunk.data.is_empty() {
                return Err(PeerMisbehaved::AfterEnd.into());
            }
            if chunk.end && !ended {
                progress.ended.push(stream);
            }
            if !chunk.data.is_empty() {
                events.push(ClientEvent::Output { command_id, stream, data: chunk.data });
            }
        }
        match output.state {
            Some(CommandState::Done { exit_code }) => {
                progress.done = true;
                events.push(ClientEvent::Done { command_id, exit_code });
            }
            Some(CommandState::Running | CommandState::Pending) | None if events.is_empty() => {
                events.push(ClientEvent::StillRunning(command_id));
            }
            Some(CommandState::Running | CommandState::Pending) | None => {}
        }
        Ok(events)
    }
}

fn with_options(mut request: Request, options: Vec<crate::wsman::WsmanOption>) -> Request {
    request.header.options = options;
    request
}

fn action_of(operation: Operation) -> Action {
    match operation {
        Operation::Create => Action::Create,
        Operation::Command => Action::Command,
        Operation::Send(_) => Action::Send,
        Operation::Receive(_) => Action::Receive,
        Operation::Signal(..) => Action::Signal,
        Operation::Delete => Action::Delete,
    }
}
