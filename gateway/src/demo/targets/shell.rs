//! One shell of a target: the protocol's machine, the programs that run in it, and who waits for them.

use super::{programs, run};
use crate::frontend::Delivered;
use parking_lot::Mutex;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::winrs::server::{ShellEvent, ShellLimits, ShellMachine};
use sekisho_protocol::wsman::{
    CommandId, CommandLine, CreateShell, ReceiveResponse, Request, RequestHeader, ResponseBody, ShellDetails, ShellId,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Bounds of one shell, below those of Windows.
const LIMITS: ShellLimits = ShellLimits { commands: 5, output: 64 * 1024 };
/// The longest wait for output, which is also the wait of a client that names none. [MS-WSMV] 3.1.4.1.
const POLL: Duration = Duration::from_secs(60);
/// How much earlier than the client gives up the answer goes out.
const MARGIN: Duration = Duration::from_millis(500);

/// One shell.
#[derive(Debug)]
pub(super) struct Shell {
    id: ShellId,
    /// Who opened it. (identity-bound)
    owner: String,
    peer: SocketAddr,
    address: String,
    opened: Instant,
    machine: Mutex<ShellMachine>,
    running: Mutex<BTreeMap<CommandId, CancellationToken>>,
    changed: Notify,
    tasks: TaskTracker,
    /// Ends all of its programs.
    stop: CancellationToken,
}

/// What a request leads to.
pub(super) struct Done {
    pub(super) body: ResponseBody,
    /// Runs once the answer was written.
    pub(super) delivered: Option<Delivered>,
    pub(super) closed: Closed,
}

/// Whether the shell is gone after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    No,
    Yes,
}

impl From<ResponseBody> for Done {
    fn from(body: ResponseBody) -> Self {
        Self { body, delivered: None, closed: Closed::No }
    }
}

impl Shell {
    /// Opens a shell as a Create asks for it. Variables and directory are taken and not used: the programs of the
    /// table need none.
    pub(super) fn open(
        header: &RequestHeader,
        create: &CreateShell,
        (owner, peer): (&str, SocketAddr),
        (tasks, stop): (&TaskTracker, &CancellationToken),
    ) -> Result<Arc<Self>, Fault> {
        let id = ShellId::new(Uuid::new_v4());
        let (machine, _options) = ShellMachine::open(id, header, create, LIMITS)?;
        Ok(Arc::new(Self {
            id,
            owner: owner.to_owned(),
            peer,
            address: header.to.clone(),
            opened: Instant::now(),
            machine: Mutex::new(machine),
            running: Mutex::default(),
            changed: Notify::new(),
            tasks: tasks.clone(),
            stop: stop.child_token(),
        }))
    }

    pub(super) fn id(&self) -> ShellId {
        self.id
    }

    pub(super) fn is_of(&self, account: &str) -> bool {
        self.owner == account
    }

    /// Serves one request that names this shell.
    pub(super) async fn serve(self: &Arc<Self>, request: Request) -> Result<Done, Fault> {
        let event = self.machine.lock().receive(request)?;
        match event {
            ShellEvent::Start { line, .. } => self.start(&line).map(Done::from),
            // The programs of the table read nothing.
            ShellEvent::Input(_) => Ok(ResponseBody::Send.into()),
            ShellEvent::Poll { command_id, max_envelope_size, wait } => {
                self.poll(command_id, max_envelope_size, wait).await
            }
            ShellEvent::Interrupt { command_id, .. } => {
                self.interrupt(command_id);
                Ok(ResponseBody::Signal.into())
            }
            ShellEvent::Terminate { command_id } => {
                self.interrupt(command_id);
                self.changed.notify_waiters();
                Ok(ResponseBody::Signal.into())
            }
            ShellEvent::AlreadyGone => Ok(ResponseBody::Signal.into()),
            ShellEvent::Describe => Ok(ResponseBody::Shell(self.details()).into()),
            ShellEvent::Close => {
                self.stop.cancel();
                self.changed.notify_waiters();
                Ok(Done { closed: Closed::Yes, ..ResponseBody::Delete.into() })
            }
        }
    }

    /// What Create and Get tell of it.
    pub(super) fn details(&self) -> ShellDetails {
        ShellDetails {
            shell_id: self.id,
            address: self.address.clone(),
            resource_uri: sekisho_protocol::wsman::Resource::CmdShell.uri().into_owned(),
            owner: self.owner.clone(),
            client_ip: self.peer.ip().to_string(),
            idle_timeout: Duration::from_secs(7200),
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            compression: sekisho_protocol::wsman::Compression::None,
            run_time: self.opened.elapsed(),
            inactivity: Duration::ZERO,
        }
    }

    /// Adds output, and waits for room where there is none: the program waits with it.
    pub(super) async fn push(&self, id: CommandId, stream: Stream, data: &[u8]) {
        loop {
            // Made before the look, so that no change between the two is missed.
            let changed = self.changed.notified();
            let pushed = match self.machine.lock().output(id) {
                // Forgotten: nobody will ask for it.
                None => true,
                Some(output) => output.push(stream, data).is_ok() || output.is_finished(),
            };
            if pushed {
                return self.changed.notify_waiters();
            }
            changed.await;
        }
    }

    /// A program ended.
    pub(super) fn finish(&self, id: CommandId, exit_code: i32, message: &str) {
        if let Some(output) = self.machine.lock().output(id) {
            // Without room for it the exit code has to say it all.
            let _ = output.push(Stream::Stderr, message.as_bytes());
            output.finish(exit_code);
        }
        self.running.lock().remove(&id);
        self.changed.notify_waiters();
    }

    /// A command whose program the test brings.
    #[cfg(test)]
    pub(super) fn expect(&self, id: CommandId) -> Result<(), Fault> {
        self.machine.lock().start(id)
    }

    fn start(self: &Arc<Self>, line: &CommandLine) -> Result<ResponseBody, Fault> {
        let local = programs::find(line)?;
        let command_id = CommandId::new(Uuid::new_v4());
        let child = run::start(local)
            .map_err(|_refused| Fault::internal(FaultCode::PLUGIN_FAILED, "The program could not be started."))?;
        // Refused, the child is killed with its handle.
        self.machine.lock().start(command_id)?;
        let stop = self.stop.child_token();
        self.running.lock().insert(command_id, stop.clone());
        self.tasks.spawn(run::follow(child, Arc::clone(self), command_id, stop));
        Ok(ResponseBody::Command { command_id })
    }

    async fn poll(
        self: &Arc<Self>,
        id: CommandId,
        max_envelope_size: usize,
        wait: Option<Duration>,
    ) -> Result<Done, Fault> {
        let wait = wait.filter(|wait| !wait.is_zero()).unwrap_or(POLL).min(POLL).saturating_sub(MARGIN);
        let deadline = Instant::now().checked_add(wait).unwrap_or_else(Instant::now);
        loop {
            let changed = self.changed.notified();
            if let Some(output) = self.peek(id, max_envelope_size)? {
                let shell = Arc::clone(self);
                let delivered = Delivered::new(move || shell.acknowledge(id));
                return Ok(Done { delivered: Some(delivered), ..ResponseBody::Receive(output).into() });
            }
            timeout_at(deadline, changed).await.map_err(|_late| Fault::timed_out())?;
        }
    }

    fn peek(&self, id: CommandId, max_envelope_size: usize) -> Result<Option<ReceiveResponse>, Fault> {
        let mut machine = self.machine.lock();
        let output = machine.output(id).ok_or_else(Fault::no_such_shell)?;
        Ok(output.peek(max_envelope_size))
    }

    pub(super) fn acknowledge(&self, id: CommandId) {
        if let Some(output) = self.machine.lock().output(id) {
            output.acknowledge();
        }
        self.changed.notify_waiters();
    }

    fn interrupt(&self, id: CommandId) {
        if let Some(stop) = self.running.lock().get(&id) {
            stop.cancel();
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
