//! What a target answers to a SOAP request of somebody who is logged in.

use super::shell::{Closed, Done, Shell};
use crate::frontend::Delivered;
use parking_lot::Mutex;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::wsman::{
    Identity, Request, RequestBody, RequestError, Resource, ResponseBody, ShellId, decode_request, encode_fault,
    encode_response,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Shells of one target: Windows has 30 for each user.
const MAX_SHELLS: usize = 30;

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
    shells: Mutex<BTreeMap<ShellId, Arc<Shell>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Who asks, and where from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) account: &'a str,
    pub(super) peer: SocketAddr,
}

impl Service {
    pub(super) fn new(tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { shells: Mutex::default(), tasks, stop }
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

    /// How many shells are open.
    #[cfg(test)]
    pub(super) fn shells(&self) -> usize {
        self.shells.lock().len()
    }

    async fn serve(&self, caller: Caller<'_>, request: Request) -> Result<Done, Fault> {
        match (&request.header.resource, &request.body) {
            (Resource::None, RequestBody::Identify) => return Ok(ResponseBody::Identify(identity()).into()),
            (Resource::CmdShell, _) => {}
            (Resource::PowerShell(_) | Resource::Config | Resource::Other(_) | Resource::None, _) => {
                let reason = "This target of the demo serves the command shell only.";
                return Err(Fault::internal(FaultCode::RESOURCE_NOT_FOUND, reason));
            }
        }
        if let RequestBody::Create(create) = &request.body {
            let owner = (caller.account, caller.peer);
            let shell = Shell::open(&request.header, create, owner, (&self.tasks, &self.stop))?;
            return self.insert(shell);
        }
        let shell = self.find(caller.account, request.header.shell)?;
        let done = shell.serve(request).await?;
        if done.closed == Closed::Yes {
            self.shells.lock().remove(&shell.id());
        }
        Ok(done)
    }

    fn insert(&self, shell: Arc<Shell>) -> Result<Done, Fault> {
        let mut shells = self.shells.lock();
        if MAX_SHELLS <= shells.len() {
            return Err(Fault::quota(FaultCode::QUOTA_SHELLS, "The user has as many shells as may be open."));
        }
        let body = ResponseBody::Created(shell.details());
        shells.insert(shell.id(), shell);
        Ok(body.into())
    }

    /// The shell of this name, if it is the caller's. (identity-bound)
    fn find(&self, account: &str, id: Option<ShellId>) -> Result<Arc<Shell>, Fault> {
        let shells = self.shells.lock();
        let found = id.and_then(|id| shells.get(&id)).filter(|shell| shell.is_of(account));
        found.cloned().ok_or_else(Fault::no_such_shell)
    }
}

fn identity() -> Identity {
    Identity {
        product_vendor: "Sekisho demo target".to_owned(),
        product_version: "OS: 0.0.0 SP: 0.0 Stack: 3.0".to_owned(),
    }
}
