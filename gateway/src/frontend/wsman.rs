//! WS-Man: from a request to a session's operation and back.

use super::body::Delivered;
use super::connection::Client;
use super::head::Head;
use super::known::Known;
use super::powershell;
use super::respond::{Answer, Problem};
use super::route;
use crate::audit::SessionEnd;
use crate::config::Target;
use crate::enforce::may_reach;
use crate::session::{Command, Fetched, Opening, Session, Shell, ShellRules, TerminatedBy, presence};
use sekisho_policy::RequestExtras;
use sekisho_protocol::soap::{Fault, FaultCode, Subcode};
use sekisho_protocol::winrs::ShellOptions;
use sekisho_protocol::wsman::{
    CommandId, CommandLine, CreateShell, Identity, ReceiveResponse, Request, RequestBody, Resource, ResponseBody,
    SendStream, ShellDetails, SignalCode, decode_request,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What an absent operation timeout means. [MS-WSMV] 3.1.4.1.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// How much earlier than the client gives up we answer.
const MARGIN: Duration = Duration::from_millis(500);
/// How long a Signal waits for its command's end.
const SIGNAL_WAIT: Duration = Duration::from_secs(10);
/// The code pages that Windows programs write; any other number is not passed on.
const CODE_PAGES: [u16; 30] = [
    437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874, 932, 936, 949, 950, 1250,
    1251, 1252, 1253, 1254, 1257, 1258, 65001,
];

pub(super) type Outcome = Result<Answer, Problem>;

/// One request with everything it is about.
pub(super) struct Call<'a> {
    pub(super) client: &'a Client,
    pub(super) known: &'a Known,
    pub(super) request: &'a Request,
    /// The target by path.
    pub(super) path: Option<&'a str>,
    pub(super) host: Option<&'a str>,
}

/// Serves one SOAP request.
pub(super) async fn serve(client: &Client, known: &Known, path: Option<&str>, head: &Head, xml: &[u8]) -> Answer {
    let request = match decode_request(xml) {
        Ok(request) => request,
        Err(error) => {
            let relates_to = error.relates_to.clone();
            return Problem::from(*error).answer(relates_to.as_ref());
        }
    };
    let call = Call { client, known, request: &request, path, host: head.host.as_deref() };
    let answered = call.answer().await;
    answered.unwrap_or_else(|problem| problem.answer(request.header.message_id.as_ref()))
}

impl Call<'_> {
    async fn answer(&self) -> Outcome {
        self.check_resource()?;
        if let Resource::PowerShell(configuration) = &self.request.header.resource {
            return powershell::answer(self, configuration).await;
        }
        match &self.request.body {
            RequestBody::Identify => Ok(self.ok(&ResponseBody::Identify(identity()))),
            RequestBody::Get if self.request.header.resource == Resource::Config => {
                Ok(self.ok(&ResponseBody::Config { max_envelope_size_kb: 500 }))
            }
            RequestBody::Create(create) => self.create(create).await,
            RequestBody::Command(line) => self.command(line).await,
            RequestBody::Send(streams) => self.send(streams).await,
            RequestBody::Receive { command_id, .. } => self.receive(*command_id).await,
            RequestBody::Signal { command_id, signal } => self.signal(*command_id, *signal).await,
            RequestBody::Delete => self.delete().await,
            RequestBody::Get => self.shell().map(|shell| self.ok(&ResponseBody::Shell(self.details(&shell)))),
            RequestBody::Other => Err(not_served()),
        }
    }

    fn check_resource(&self) -> Result<(), Problem> {
        match (&self.request.header.resource, &self.request.body) {
            (Resource::CmdShell | Resource::PowerShell(_), _)
            | (Resource::None, RequestBody::Identify)
            | (Resource::Config, RequestBody::Get) => Ok(()),
            (Resource::Config | Resource::Other(_) | Resource::None, _) => Err(not_served()),
        }
    }

    async fn create(&self, create: &CreateShell) -> Outcome {
        let gateway = &self.client.gateway;
        if gateway.stopping.is_cancelled() {
            return Err(stopping());
        }
        let live = gateway.live();
        let config = &live.config;
        let target = route::target(&config.targets, &config.routing, self.path, self.host)?;
        if !may_reach(&live, &self.known.identity, target, self.client.peer) {
            return Err(route::RouteError::Unknown.into());
        }
        let dialer = live.dialer(target).ok_or(route::RouteError::Unknown)?;
        let shell = Shell::new(
            &self.known.identity.principal,
            dialer,
            self.opening(create, target)?,
            self.known.hold.another(),
        );
        let rules = ShellRules::new(&config.limits);
        gateway.sessions.insert(Session::Shell(Arc::clone(&shell)), rules)?;
        tracing::debug!(conn = self.client.id, shell = %shell.id(), target = %target.name, "Shell opened");
        Ok(self.ok(&ResponseBody::Created(self.details(&shell))))
    }

    fn opening(&self, create: &CreateShell, target: &Target) -> Result<Opening, Problem> {
        let asked = ShellOptions::parse(&self.request.header).map_err(Problem::fault)?;
        let code_page = target.code_page.or_else(|| asked.code_page.filter(|page| CODE_PAGES.contains(page)));
        Ok(Opening {
            options: ShellOptions { code_page, ..asked },
            extras: RequestExtras {
                environment: presence(!create.environment.is_empty()),
                working_directory: presence(create.working_directory.is_some()),
                ..RequestExtras::default()
            },
            address: self.request.header.to.clone(),
            resource_uri: self.request.header.resource.uri().into_owned(),
        })
    }

    async fn command(&self, line: &CommandLine) -> Outcome {
        let gateway = &self.client.gateway;
        if gateway.stopping.is_cancelled() {
            return Err(stopping());
        }
        let shell = self.shell()?;
        let limit = self.patience();
        let started = shell.start(gateway, &self.known.identity, self.client.peer, line.clone(), limit).await;
        let command_id = started.map_err(Problem::from)?;
        Ok(self.ok(&ResponseBody::Command { command_id }))
    }

    async fn send(&self, streams: &[SendStream]) -> Outcome {
        let shell = self.shell()?;
        for stream in streams {
            let command = self.command_of(&shell, stream.command_id)?;
            if !stream.stream.eq_ignore_ascii_case("stdin") {
                return Err(Problem::fault(Fault::sender(
                    FaultCode::INVALID_INPUT_STREAM,
                    Subcode::InvalidParameter,
                    "the input stream is stdin",
                )));
            }
            if !command.takes_input() {
                return Err(Problem::fault(Fault::access_denied(
                    "policy lets no standard input through to this program: its rule needs `stdin = true`".to_owned(),
                )));
            }
            let sent = tokio::time::timeout(self.patience(), command.input(stream.data.clone(), stream.end)).await;
            sent.unwrap_or(Err(crate::backend::BackendError::TimedOut(crate::backend::Effect::Unknown)))?;
        }
        Ok(self.ok(&ResponseBody::Send))
    }

    async fn receive(&self, id: Option<CommandId>) -> Outcome {
        let shell = self.shell()?;
        let command = self.command_of(&shell, id)?;
        let now = Instant::now();
        let deadline = now.checked_add(self.patience()).unwrap_or(now);
        match command.fetch(self.request.header.max_envelope_size, deadline).await {
            Fetched::Output(output, turn) => {
                let delivered = Delivered::new(move || command.acknowledge(turn));
                Ok(self.ok(&ResponseBody::Receive(output)).delivering(delivered))
            }
            Fetched::Failed(ended) => Err(ended.into()),
            Fetched::Nothing => Err(Problem::fault(Fault::timed_out())),
        }
    }

    async fn signal(&self, id: Option<CommandId>, signal: SignalCode) -> Outcome {
        let shell = self.shell()?;
        let command = self.command_of(&shell, id)?;
        match signal {
            SignalCode::CtrlC | SignalCode::CtrlBreak if command.is_running() => command.interrupt(signal).await?,
            SignalCode::CtrlC | SignalCode::CtrlBreak => {}
            SignalCode::Terminate | SignalCode::PowerShellCtrlC | SignalCode::Other => {
                command.terminate(TerminatedBy::Client);
                // Answered when the target knows, so that the next command finds a free connection.
                let _ = tokio::time::timeout(SIGNAL_WAIT.min(self.patience()), command.ended()).await;
                shell.forget(command.id());
            }
        }
        Ok(self.ok(&ResponseBody::Signal))
    }

    pub(super) async fn delete(&self) -> Outcome {
        let shell = self.session()?;
        let gateway = &self.client.gateway;
        if gateway.sessions.remove(shell.principal(), shell.id()).is_some() {
            let closing = Arc::clone(gateway);
            let closed = gateway
                .tasks
                .spawn(async move { shell.close(&closing, SessionEnd::Deleted, TerminatedBy::Client).await });
            // A target that hangs is not the client's to wait for.
            drop(tokio::time::timeout(self.patience(), closed).await);
        }
        Ok(self.ok(&ResponseBody::Delete))
    }

    /// A shell for programs.
    fn shell(&self) -> Result<Arc<Shell>, Problem> {
        match self.session()? {
            Session::Shell(shell) => Ok(shell),
            Session::Pool(_) => Err(Problem::fault(Fault::no_such_shell())),
        }
    }

    /// The shell that the request names, if it is the caller's (identity-bound), of the resource that the request
    /// names, and at the target that the request names, if it names one: whoever says web02 must not act on web01.
    pub(super) fn session(&self) -> Result<Session, Problem> {
        let id = self.request.header.shell.ok_or_else(|| {
            Problem::fault(Fault::sender(
                FaultCode::INVALID_SELECTORS,
                Subcode::InvalidSelectors,
                "the request names no shell: a ShellId selector is needed",
            ))
        })?;
        let gateway = &self.client.gateway;
        let named = route::named(&gateway.live().config.routing, self.path, self.host)?;
        let found = gateway.sessions.find(&self.known.identity.principal, id);
        let shell = found
            .filter(|shell| self.request.header.resource.is_same(&Resource::of_uri(shell.resource_uri())))
            .filter(|shell| named.is_none_or(|name| shell.target().name.as_str().eq_ignore_ascii_case(name)))
            .ok_or_else(|| Problem::fault(Fault::no_such_shell()))?;
        shell.touch();
        Ok(shell)
    }

    fn command_of(&self, shell: &Shell, id: Option<CommandId>) -> Result<Arc<Command>, Problem> {
        let id = id.ok_or_else(|| {
            Problem::fault(Fault::sender(
                FaultCode::NO_COMMAND_ID,
                Subcode::InvalidSelectors,
                "the request names no command: a CommandId is needed",
            ))
        })?;
        shell.command(id).ok_or_else(|| Problem::fault(Fault::no_such_shell()))
    }

    /// How long the client waits, less what the answer needs.
    pub(super) fn patience(&self) -> Duration {
        let most = self.client.gateway.live().config.sessions.maximum_operation_timeout;
        let asked = self.request.header.operation_timeout.filter(|asked| !asked.is_zero()).unwrap_or(DEFAULT_TIMEOUT);
        let asked = asked.min(most);
        asked.checked_sub(MARGIN).filter(|left| MARGIN <= *left).unwrap_or(asked)
    }

    fn details(&self, shell: &Shell) -> ShellDetails {
        ShellDetails {
            shell_id: shell.id(),
            address: shell.opening().address.clone(),
            resource_uri: shell.opening().resource_uri.clone(),
            owner: self.known.identity.principal.to_string(),
            client_ip: self.client.peer.ip().to_string(),
            idle_timeout: self.client.gateway.live().config.sessions.idle,
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            compression: sekisho_protocol::wsman::Compression::None,
            run_time: shell.run_time(),
            inactivity: shell.inactivity(),
        }
    }

    /// Output that is shared with who keeps it.
    pub(super) fn output(&self, output: &ReceiveResponse) -> Answer {
        Answer::output(self.request.header.message_id.as_ref(), output)
    }

    pub(super) fn ok(&self, body: &ResponseBody) -> Answer {
        Answer::soap(self.request.header.message_id.as_ref(), body)
    }
}

fn identity() -> Identity {
    let version = format!("OS: 0.0.0 SP: 0.0 Stack: 3.0 Sekisho: {}", env!("CARGO_PKG_VERSION"));
    Identity { product_vendor: "Sekisho".to_owned(), product_version: version }
}

pub(super) fn not_served() -> Problem {
    Problem::fault(Fault::access_denied(
        "this gateway serves shells only; WMI, CIM and everything else is denied".to_owned(),
    ))
}

pub(super) fn stopping() -> Problem {
    let text = "the gateway is shutting down: try again in a moment".to_owned();
    Problem::later(Fault::internal(FaultCode::SHUTDOWN_IN_PROGRESS, text), Duration::from_secs(10))
}
