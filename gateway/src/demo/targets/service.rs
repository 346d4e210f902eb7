//! What a target answers to a SOAP request of somebody who is logged in.

use super::powershell::{Machine, Pool};
use super::shell::{Closed, Done, Shell};
use crate::frontend::Delivered;
use parking_lot::Mutex;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::wsman::{
    Identity, Request, RequestBody, RequestError, RequestHeader, Resource, ResponseBody, ShellDetails, ShellId,
    decode_request, encode_fault, encode_response,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Shells of one target: Windows has 30 for each user.
const MAX_SHELLS: usize = 30;
/// The session configurations that there are.
const CONFIGURATIONS: [&str; 2] = ["Microsoft.PowerShell", "PowerShell.7"];

/// One answer.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) xml: String,
    /// Runs once it was written.
    pub(super) delivered: Option<Delivered>,
}

/// Which status an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Response,
    Fault,
}

/// The shells of one target.
#[derive(Debug)]
pub(super) struct Service {
    shells: Mutex<BTreeMap<ShellId, Open>>,
    machine: Arc<Machine>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A shell of either kind, which it keeps.
#[derive(Debug, Clone)]
enum Open {
    Cmd(Arc<Shell>),
    PowerShell(Arc<Pool>),
}

impl Open {
    fn id(&self) -> ShellId {
        match self {
            Self::Cmd(shell) => shell.id(),
            Self::PowerShell(pool) => pool.id(),
        }
    }

    fn details(&self) -> ShellDetails {
        match self {
            Self::Cmd(shell) => shell.details(),
            Self::PowerShell(pool) => pool.details(),
        }
    }

    fn is_of(&self, account: &str, resource: &Resource) -> bool {
        match (self, resource) {
            (Self::Cmd(shell), Resource::CmdShell) => shell.is_of(account),
            (Self::PowerShell(pool), Resource::PowerShell(_)) => pool.is_of(account),
            (Self::Cmd(_) | Self::PowerShell(_), _) => false,
        }
    }

    async fn serve(&self, request: Request) -> Result<Done, Fault> {
        match self {
            Self::Cmd(shell) => shell.serve(request).await,
            Self::PowerShell(pool) => pool.serve(request).await,
        }
    }
}

/// Who asks, and where from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) account: &'a str,
    pub(super) peer: SocketAddr,
}

impl Service {
    pub(super) fn new(machine: Arc<Machine>, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { shells: Mutex::default(), machine, tasks, stop }
    }

    pub(super) async fn answer(&self, caller: Caller<'_>, xml: &[u8]) -> Answer {
        let (relates_to, served) = match decode_request(xml) {
            Ok(request) => (request.header.message_id.clone(), self.serve(caller, request).await),
            Err(refused) => {
                let RequestError { relates_to, fault, error: _ } = *refused;
                (relates_to, Err(fault))
            }
        };
        let id = Uuid::new_v4();
        match served {
            Ok(Done { body, delivered, closed: _ }) => {
                Answer { outcome: Outcome::Response, xml: encode_response(relates_to.as_ref(), id, &body), delivered }
            }
            Err(fault) => {
                Answer { outcome: Outcome::Fault, xml: encode_fault(relates_to.as_ref(), id, &fault), delivered: None }
            }
        }
    }

    /// What its cmdlets work on.
    #[cfg(test)]
    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// How many shells are open.
    #[cfg(test)]
    pub(super) fn shells(&self) -> usize {
        self.shells.lock().len()
    }

    async fn serve(&self, caller: Caller<'_>, request: Request) -> Result<Done, Fault> {
        match (&request.header.resource, &request.body) {
            (Resource::None, RequestBody::Identify) => return Ok(ResponseBody::Identify(identity()).into()),
            (Resource::CmdShell, _) => {}
            (Resource::PowerShell(name), _) if CONFIGURATIONS.iter().any(|known| known.eq_ignore_ascii_case(name)) => {}
            (Resource::PowerShell(_) | Resource::Config | Resource::Other(_) | Resource::None, _) => {
                let reason = "This target of the demo serves the command shell and PowerShell only.";
                return Err(Fault::internal(FaultCode::RESOURCE_NOT_FOUND, reason));
            }
        }
        if let RequestBody::Create(create) = &request.body {
            let (owner, until) = ((caller.account, caller.peer), (&self.tasks, &self.stop));
            let open = if request.header.resource == Resource::CmdShell {
                Open::Cmd(Shell::open(&request.header, create, owner, until)?)
            } else {
                Open::PowerShell(Pool::open(&request.header, create, owner, &self.machine, until)?)
            };
            return self.insert(open);
        }
        let open = self.find(caller.account, &request.header)?;
        let done = open.serve(request).await?;
        if done.closed == Closed::Yes {
            self.shells.lock().remove(&open.id());
        }
        Ok(done)
    }

    fn insert(&self, open: Open) -> Result<Done, Fault> {
        let mut shells = self.shells.lock();
        if MAX_SHELLS <= shells.len() {
            return Err(Fault::quota(FaultCode::QUOTA_SHELLS, "The user has as many shells as may be open."));
        }
        if shells.contains_key(&open.id()) {
            return Err(Fault::invalid_parameter("There is a shell of this name already."));
        }
        let body = ResponseBody::Created(open.details());
        shells.insert(open.id(), open);
        Ok(body.into())
    }

    /// The shell of this name and kind, if it is the caller's. (identity-bound)
    fn find(&self, account: &str, header: &RequestHeader) -> Result<Open, Fault> {
        let shells = self.shells.lock();
        let found = header.shell.and_then(|id| shells.get(&id)).filter(|open| open.is_of(account, &header.resource));
        found.cloned().ok_or_else(Fault::no_such_shell)
    }
}

fn identity() -> Identity {
    Identity {
        product_vendor: "Sekisho demo target".to_owned(),
        product_version: "OS: 0.0.0 SP: 0.0 Stack: 3.0".to_owned(),
    }
}
