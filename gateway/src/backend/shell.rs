//! One shell on one target, opened by the first command that is permitted, and the commands in it.

use super::connection::Connection;
use super::dial::Dialer;
use super::error::{BackendError, Effect};
use super::link::{CLEANUP, Creation, Link, Places, for_cleaning_up};
use super::quota::Reserved;
use crate::enforce::Permit;
use crate::identity::PrincipalName;
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::winrs::{CommandOptions, CommandShell, ConsoleInput, ShellOptions};
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CreateShell, ReceiveResponse, RequestBody, Resource, ResponseBody, SendStream,
    ShellId, SignalCode, WsmanOption,
};
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// A cmd shell on a target, for one principal.
#[derive(Debug)]
pub struct TargetShell {
    link: Link,
    creation: Creation,
}

/// What a poll for output brought.
#[derive(Debug)]
pub enum Received {
    /// Output, or the end.
    Output(ReceiveResponse),
    /// Nothing within the poll's time: the command goes on.
    Nothing,
}

impl TargetShell {
    /// One that takes what it needs of the target's quota as it needs it, or fails. Nothing is sent before the
    /// first command.
    #[must_use]
    pub fn new(dialer: Arc<Dialer>, principal: PrincipalName, options: ShellOptions) -> Arc<Self> {
        Self::with(dialer, principal, options, Places::none())
    }

    /// One that has its places already, and waits until `deadline` where the target is at its limits all the same.
    #[must_use]
    pub fn reserved(
        dialer: Arc<Dialer>,
        principal: PrincipalName,
        options: ShellOptions,
        places: Reserved,
        deadline: Instant,
    ) -> Arc<Self> {
        Self::with(dialer, principal, options, Places::reserved(places, deadline))
    }

    fn with(dialer: Arc<Dialer>, principal: PrincipalName, options: ShellOptions, places: Places) -> Arc<Self> {
        let shell = CreateShell {
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            ..CreateShell::default()
        };
        let creation = Creation { shell, options: options.render() };
        Arc::new(Self { link: Link::new(dialer, principal, Resource::CmdShell, places), creation })
    }

    /// The id that the target knows this shell by, once it was opened.
    #[must_use]
    pub fn id(&self) -> Option<ShellId> {
        self.link.id()
    }

    /// Connects, logs in and opens the shell, so that the command alone is left to be sent.
    ///
    /// # Errors
    /// What went wrong. Nothing of the command has left here.
    pub async fn prepare(self: &Arc<Self>, _permit: &Permit) -> Result<(), BackendError> {
        self.link.prepare(&self.creation).await
    }

    /// Starts what was permitted, once: a permit is used up here.
    ///
    /// # Errors
    /// What went wrong; [`BackendError::effect`] says whether the target may have acted.
    pub async fn start(self: &Arc<Self>, permit: Permit) -> Result<Running, BackendError> {
        // An idle connection may have been closed by the target just now. Nothing has left then, and only then
        // is it tried again, on a new connection.
        match self.try_start(&permit).await {
            Err(BackendError::Broken(Effect::NotDone)) => self.try_start(&permit).await,
            other => other,
        }
    }

    async fn try_start(self: &Arc<Self>, permit: &Permit) -> Result<Running, BackendError> {
        let command = permit.command_line().ok_or(BackendError::OtherShell)?.to_owned();
        let mut connection = self.link.connection(self.link.patience()).await?;
        let shell = self.link.open(&mut connection, &self.creation).await.map_err(BackendError::while_opening)?;
        let line = CommandLine { command, arguments: Vec::new(), command_id: None };
        let mut request = self.link.request(Action::Command, Some(shell), RequestBody::Command(line), connection.url());
        // cmd.exe reads the line, as it does for stock clients; policy has refused what it could read otherwise.
        let input = if permit.takes_input() { ConsoleInput::Pipe } else { ConsoleInput::Console };
        request.header.options = CommandOptions { input, shell: CommandShell::Through }.render();
        let command_id = match self.link.patient(connection.exchange(&request)).await {
            Ok(ResponseBody::Command { command_id }) => command_id,
            Ok(_) => return Err(BackendError::Mismatch),
            Err(error) => {
                self.link.give_back(connection);
                return Err(error);
            }
        };
        Ok(Running {
            control: Control { shell: Arc::clone(self), shell_id: shell, id: command_id },
            connection: Some(connection),
        })
    }

    /// Ends the shell on the target. Later calls of anything fail, and what still waits for the target by then
    /// waits no longer.
    ///
    /// # Errors
    /// When the target did not take it in time; it reaps the shell by itself then.
    pub async fn close(&self) -> Result<(), BackendError> {
        self.link.close().await
    }
}

/// Speaks to one running command while its output is waited for elsewhere.
#[derive(Debug, Clone)]
pub struct Control {
    shell: Arc<TargetShell>,
    shell_id: ShellId,
    id: CommandId,
}

impl Control {
    /// Feeds standard input. Never repeated.
    ///
    /// # Errors
    /// What went wrong; the input may have arrived all the same.
    pub async fn input(&self, data: Vec<u8>, end: bool) -> Result<(), BackendError> {
        let stream = SendStream { stream: "stdin".to_owned(), command_id: Some(self.id), end, data };
        self.ask(Action::Send, RequestBody::Send(vec![stream])).await
    }

    /// Interrupts or ends the command.
    ///
    /// # Errors
    /// When the target did not take it.
    pub async fn signal(&self, signal: SignalCode) -> Result<(), BackendError> {
        self.ask(Action::Signal, RequestBody::Signal { command_id: Some(self.id), signal }).await
    }

    async fn ask(&self, action: Action, body: RequestBody) -> Result<(), BackendError> {
        self.shell.link.ask(for_cleaning_up(), (action, self.shell_id), body).await.map(drop)
    }
}

/// A command that runs on a target. To be polled until its end, and then ended.
#[derive(Debug)]
pub struct Running {
    control: Control,
    connection: Option<Connection>,
}

impl Running {
    /// The id that the target knows the command by.
    #[must_use]
    pub fn id(&self) -> CommandId {
        self.control.id
    }

    /// The id that the target knows the shell by.
    #[must_use]
    pub fn shell_id(&self) -> ShellId {
        self.control.shell_id
    }

    /// Speaks to the command from elsewhere.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Waits for output, at most one poll long and one envelope large. Not repeated after an error: output may
    /// be lost then.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn receive(&mut self, envelope: usize) -> Result<Received, BackendError> {
        let link = &self.control.shell.link;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => link.connection(for_cleaning_up()).await?,
        };
        let streams = vec!["stdout".to_owned(), "stderr".to_owned()];
        let body = RequestBody::Receive { command_id: Some(self.control.id), streams };
        let mut request = link.request(Action::Receive, Some(self.control.shell_id), body, connection.url());
        request.header.options = vec![option("WSMAN_CMDSHELL_OPTION_KEEPALIVE", "TRUE")];
        request.header.max_envelope_size = envelope;
        let answer = connection.exchange(&request).await;
        self.connection = connection.usable().then_some(connection);
        match answer {
            Ok(ResponseBody::Receive(output)) if output.command_id == Some(self.control.id) => {
                Ok(Received::Output(output))
            }
            Ok(_) => Err(BackendError::Mismatch),
            Err(BackendError::Fault(FaultCode::TIMED_OUT)) => Ok(Received::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Tells the target to forget the command, whether it has ended or not, and gives the connection back.
    ///
    /// # Errors
    /// When the target did not take it in time.
    pub async fn end(mut self) -> Result<(), BackendError> {
        if let Some(connection) = self.connection.take() {
            self.control.shell.link.give_back(connection);
        }
        let signal = self.control.signal(SignalCode::Terminate);
        timeout(CLEANUP, signal).await.unwrap_or(Err(BackendError::TimedOut(Effect::Unknown)))
    }
}

fn option(name: &str, value: &str) -> WsmanOption {
    WsmanOption { name: name.to_owned(), value: value.to_owned(), must_comply: false }
}
