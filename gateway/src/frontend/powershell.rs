//! WS-Man for PowerShell: from a request to a pool's operation and back. \[MS-PSRP\] 2.2.5.3 and 3.1.5.3.

use super::body::Delivered;
use super::respond::Problem;
use super::route;
use super::wsman::{Call, Outcome, not_served, stopping};
use crate::audit::SessionEnd;
use crate::backend::{BackendError, NotOpened};
use crate::enforce::may_reach;
use crate::session::{
    Caller, Described, Fetch, NotOpenedPool, Place, PoolFetched, PoolProblem, PoolShell, Proposal, Session, ShellRules,
    TerminatedBy,
};
use crate::state::Gateway;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::psrp::{Stream, pipeline_of, pool_of};
use sekisho_protocol::soap::{Fault, FaultCode, Subcode};
use sekisho_protocol::wsman::{
    CommandId, CommandLine, CreateShell, RequestBody, ResponseBody, SendStream, ShellDetails, SignalCode,
};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// Bytes of `creationXml` and of a Command's fragments in base64: the opening of a pool has some ten thousand.
const CREATION: usize = 512 * 1024;

/// Serves one request about a shell of PowerShell's.
pub(super) async fn answer(call: &Call<'_>, configuration: &str) -> Outcome {
    match &call.request.body {
        RequestBody::Create(create) => open(call, configuration, create).await,
        RequestBody::Command(line) => command(call, line).await,
        RequestBody::Send(streams) => send(call, streams).await,
        RequestBody::Receive { command_id, .. } => receive(call, *command_id).await,
        RequestBody::Signal { command_id, signal } => signalled(call, *command_id, *signal).await,
        RequestBody::Delete => call.delete().await,
        RequestBody::Get => pool(call).map(|pool| call.ok(&ResponseBody::Shell(details(call, &pool)))),
        RequestBody::Identify | RequestBody::Other => Err(not_served()),
    }
}

async fn open(call: &Call<'_>, configuration: &str, create: &CreateShell) -> Outcome {
    let gateway = &call.client.gateway;
    if gateway.stopping.is_cancelled() {
        return Err(stopping());
    }
    let (dialer, configuration, rules) = {
        let live = gateway.live();
        let config = &live.config;
        let target = route::target(&config.targets, &config.routing, call.path, call.host)?;
        if !may_reach(&live, &call.known.identity, target, call.client.peer) {
            return Err(route::RouteError::Unknown.into());
        }
        let configuration = target.configuration(configuration).ok_or_else(unknown_configuration)?.to_owned();
        let dialer = live.dialer(target).ok_or(route::RouteError::Unknown)?;
        (Arc::clone(dialer), configuration, ShellRules::new(&config.limits))
    };
    let proposal = proposal(call, configuration, create)?;
    let principal = &call.known.identity.principal;
    // Before the target is bothered.
    let place = gateway.sessions.places().take(principal, &dialer.target().name, rules)?;
    let (told, opened) = oneshot::channel();
    let (opening, caller, hold) = (Arc::clone(gateway), caller(call), call.known.hold.another());
    // In a task of its own: a client that goes away or waits no longer leaves nothing half-opened behind.
    gateway.tasks.spawn(async move {
        let opened = PoolShell::open(&opening, &caller, &dialer, proposal, hold).await;
        let _given_up = told.send(opened.map(|shell| (Fresh { gateway: opening, shell: Some(shell) }, place)));
    });
    let (fresh, place) = match timeout(call.patience(), opened).await {
        Ok(Ok(opened)) => opened?,
        Ok(Err(_)) | Err(_) => return Err(BackendError::NotOpened(NotOpened::TimedOut).into()),
    };
    let opened = fresh.seat(place).ok_or_else(|| malformed("you have a shell with this id already"))?;
    tracing::debug!(conn = call.client.id, shell = %opened.id(), target = %opened.target().name, "Pool opened");
    Ok(call.ok(&ResponseBody::Created(details(call, &opened))))
}

/// A pool that was opened and is in nobody's table yet: closed again when it does not come there.
struct Fresh {
    gateway: Arc<Gateway>,
    shell: Option<Arc<PoolShell>>,
}

impl Fresh {
    /// Nothing when its user has a shell with this id.
    fn seat(mut self, place: Place) -> Option<Arc<PoolShell>> {
        let shell = Arc::clone(self.shell.as_ref()?);
        self.gateway.sessions.seat(Session::Pool(Arc::clone(&shell)), place).ok()?;
        // What a stopping gateway closes it has taken out of the table already.
        if self.gateway.stopping.is_cancelled() && self.gateway.sessions.remove_pool(&shell) {
            return None;
        }
        self.shell = None;
        Some(shell)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(unwanted) = self.shell.take() {
            let closing = Arc::clone(&self.gateway);
            self.gateway.tasks.spawn(async move {
                unwanted.close(&closing, SessionEnd::Gateway, TerminatedBy::Gateway).await;
            });
        }
    }
}

fn proposal(call: &Call<'_>, configuration: String, create: &CreateShell) -> Result<Proposal, Problem> {
    let creation =
        create.creation_xml.as_deref().ok_or_else(|| malformed("a shell of PowerShell's needs creationXml"))?;
    let creation = fragments(creation)?;
    // Old clients propose no id: the pool's is in every message.
    let id = create.shell_id.map(|id| id.uuid()).or_else(|| pool_of(&creation));
    Ok(Proposal {
        id: id.filter(|id| !id.is_nil()).ok_or_else(|| malformed("the pool has no id"))?,
        creation,
        configuration,
        described: Described {
            address: call.request.header.to.clone(),
            resource_uri: call.request.header.resource.uri().into_owned(),
            compression: create.compression,
        },
        max_envelope: call.request.header.max_envelope_size,
    })
}

async fn command(call: &Call<'_>, line: &CommandLine) -> Outcome {
    let gateway = &call.client.gateway;
    if gateway.stopping.is_cancelled() {
        return Err(stopping());
    }
    let pool = pool(call)?;
    // The text of `rsp:Command` is a decoy: what runs is in the fragments.
    let [piece] = line.arguments.as_slice() else {
        return Err(malformed("a command of PowerShell's has one argument: its fragments"));
    };
    let piece = fragments(piece)?;
    let id = line.command_id.map(|id| id.uuid()).or_else(|| pipeline_of(&piece));
    let id = id.filter(|id| !id.is_nil()).ok_or_else(|| malformed("the pipeline has no id"))?;
    pool.command(gateway, &caller(call), id, &piece).await?;
    Ok(call.ok(&ResponseBody::Command { command_id: CommandId::new(id) }))
}

async fn send(call: &Call<'_>, streams: &[SendStream]) -> Outcome {
    let pool = pool(call)?;
    for stream in streams {
        let kind = match stream.stream.to_ascii_lowercase().as_str() {
            "stdin" => Stream::Main,
            "pr" => Stream::PromptResponse,
            _ => {
                return Err(Problem::fault(Fault::sender(
                    FaultCode::INVALID_INPUT_STREAM,
                    Subcode::InvalidParameter,
                    "the input streams are stdin and pr",
                )));
            }
        };
        let of = stream.command_id.map(|id| id.uuid());
        pool.send(&call.client.gateway, &caller(call), (of, kind), &stream.data, deadline(call)).await?;
    }
    Ok(call.ok(&ResponseBody::Send))
}

async fn receive(call: &Call<'_>, id: Option<CommandId>) -> Outcome {
    let pool = pool(call)?;
    let of = id.map(|id| id.uuid());
    let header = &call.request.header;
    let fetch = Fetch { of, request: header.message_id.clone(), max_envelope: header.max_envelope_size };
    match pool.fetch(&fetch, deadline(call)).await? {
        PoolFetched::Output(output, turn) => {
            let delivered = Delivered::new(move || pool.acknowledge(of, turn));
            Ok(call.output(&output).delivering(delivered))
        }
        PoolFetched::Nothing => Err(Problem::fault(Fault::timed_out())),
    }
}

async fn signalled(call: &Call<'_>, id: Option<CommandId>, signal: SignalCode) -> Outcome {
    let pool = pool(call)?;
    let id = id.map(|id| id.uuid()).ok_or_else(|| {
        Problem::fault(Fault::sender(
            FaultCode::NO_COMMAND_ID,
            Subcode::InvalidSelectors,
            "the request names no command: a CommandId is needed",
        ))
    })?;
    match signal {
        SignalCode::PowerShellCtrlC | SignalCode::CtrlC | SignalCode::CtrlBreak => pool.stop(id).await?,
        SignalCode::Terminate | SignalCode::Other => pool.terminate(id, call.patience()).await?,
    }
    Ok(call.ok(&ResponseBody::Signal))
}

fn pool(call: &Call<'_>) -> Result<Arc<PoolShell>, Problem> {
    match call.session()? {
        Session::Pool(pool) => Ok(pool),
        Session::Shell(_) => Err(Problem::fault(Fault::no_such_shell())),
    }
}

fn caller(call: &Call<'_>) -> Caller {
    Caller { identity: Arc::clone(&call.known.identity), client: call.client.peer }
}

fn deadline(call: &Call<'_>) -> Instant {
    let now = Instant::now();
    now.checked_add(call.patience()).unwrap_or(now)
}

fn fragments(text: &str) -> Result<Vec<u8>, Problem> {
    if CREATION < text.len() {
        return Err(malformed("the fragments are too large: send what does not fit by Send"));
    }
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_not_base64| malformed("the fragments are no base64"))
}

fn malformed(reason: &str) -> Problem {
    Problem::fault(Fault::internal(FaultCode::PSRP_MALFORMED, reason.to_owned()))
}

fn unknown_configuration() -> Problem {
    let reason = "this session configuration is not offered on this target: leave -ConfigurationName out, or ask the \
                  gateway's operator for the names in the target's `configurations`";
    Problem::fault(Fault::sender(FaultCode::INVALID_RESOURCE_URI, Subcode::InvalidParameter, reason))
}

fn details(call: &Call<'_>, pool: &PoolShell) -> ShellDetails {
    let Described { address, resource_uri, compression } = pool.described().clone();
    ShellDetails {
        shell_id: pool.id(),
        address,
        resource_uri,
        owner: call.known.identity.principal.to_string(),
        client_ip: call.client.peer.ip().to_string(),
        idle_timeout: call.client.gateway.live().config.sessions.idle,
        input_streams: vec!["stdin".to_owned(), "pr".to_owned()],
        output_streams: vec!["stdout".to_owned()],
        run_time: pool.run_time(),
        inactivity: pool.inactivity(),
        compression,
    }
}

impl From<NotOpenedPool> for Problem {
    fn from(not: NotOpenedPool) -> Self {
        match not {
            NotOpenedPool::Client(error) => malformed(&format!("the opening of the pool cannot be read: {error}")),
            NotOpenedPool::Limited(refusal) => refusal.into(),
            NotOpenedPool::NotAudited => Self::fault(Fault::access_denied(
                "the gateway cannot write its audit log, so nothing was opened: tell its operator".to_owned(),
            )),
            NotOpenedPool::Target(error) => error.into(),
        }
    }
}

impl From<PoolProblem> for Problem {
    fn from(problem: PoolProblem) -> Self {
        match problem {
            PoolProblem::NoPipeline | PoolProblem::Closed => Self::fault(Fault::no_such_shell()),
            PoolProblem::TooMany => Self::later(
                Fault::quota(
                    FaultCode::QUOTA_OPERATIONS,
                    "as many commands run in this shell as may: wait until one ends".to_owned(),
                ),
                std::time::Duration::from_secs(1),
            ),
            PoolProblem::InputFull => Self::fault(Fault::timed_out()),
            PoolProblem::Protocol(error) => malformed(&format!(
                "the messages of PowerShell remoting cannot be read, and the shell is closed: {error}"
            )),
        }
    }
}
