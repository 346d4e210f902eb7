//! Jobs: one program, command or script on many targets over one login, its results streamed back. `docs/job-api.md`.
//!
//! INVARIANT(one-outcome): every target of a job has exactly one outcome, whatever happens in which order:
//! `ledger::Ledger` alone makes the lines.
//!
//! Each target goes through the one door, and then the way of a session's command; what is different is who
//! waits, for how long, and how it is told.

mod capabilities;
mod desk;
mod errand;
mod ledger;
mod list;
mod outcome;
mod output;
mod pipeline;
mod plan;
mod records;
mod refused;
mod stop;
mod table;

pub use capabilities::{capabilities, read_document, read_query};
pub use list::list;
pub use refused::Refused;
pub use table::JobTable;

use crate::audit::{Context, Event, EventKind, JobEvent, JobOutcomes, JobStage, RecordingEnd};
use crate::credentials::Hold;
use crate::enforce::Queue;
use crate::identity::Identity;
use crate::recording::{Recording, SessionKind};
use crate::session::Buffer;
use crate::state::Gateway;
use bytes::Bytes;
use plan::Plan;
use sekisho_policy::Action;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use stop::Stop;
use table::JobPlace;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

/// Pieces of the answer that wait for the connection.
const DOCUMENTS: usize = 4;

/// Who submits, from where, and a hold on the credential for as long as the job lasts.
#[derive(Debug)]
pub struct Caller {
    /// Who is logged in.
    pub identity: Arc<Identity>,
    /// The credential.
    pub hold: Hold,
    /// Where from.
    pub address: SocketAddr,
}

/// One job.
#[derive(Debug)]
struct Job {
    id: Uuid,
    gateway: Arc<Gateway>,
    caller: Caller,
    action: Action,
    /// Of the request, and so of the answer.
    version: u32,
    /// In the order of the request, in lower case.
    targets: Vec<String>,
    throttle: usize,
    /// Of one target.
    timeout: Duration,
    deadline: Instant,
    buffer: Buffer,
    queue: Queue,
    stop: Stop,
    /// The next target that nobody has taken.
    next: AtomicUsize,
    recording: Recording,
    _place: JobPlace,
}

/// Takes a job on, and returns the lines of its answer as they come. Dropping the receiver cancels the job.
///
/// # Errors
/// When nothing of it is begun.
pub async fn submit(gateway: &Arc<Gateway>, caller: Caller, json: &[u8]) -> Result<mpsc::Receiver<Bytes>, Refused> {
    if gateway.stopping.is_cancelled() {
        return Err(Refused::stopping());
    }
    let id = Uuid::new_v4();
    let place = gateway.jobs.enter(&caller.identity.principal, gateway.live().config.jobs.jobs_per_principal);
    let Some(place) = place else { return Err(refused::too_many_jobs(gateway, &caller).await) };
    let plan = Plan::read(gateway, &caller, id, json).await?;
    let job = Arc::new(Job::new(gateway, caller, id, plan, place));
    let submitted = job.event(JobStage::Submitted, None, None);
    // Audit before act: a job that cannot be written is not begun.
    gateway.write(submitted).await.map_err(|_not_written| Refused::not_audited())?;
    let (sender, documents) = mpsc::channel(DOCUMENTS);
    gateway.tasks.spawn(desk::serve(job, sender));
    Ok(documents)
}

impl Job {
    fn new(gateway: &Arc<Gateway>, caller: Caller, id: Uuid, plan: Plan, place: JobPlace) -> Self {
        let bounds = gateway.live().config.jobs.clone();
        let context = context(gateway, &caller, id);
        let recording = gateway.recordings.begin(&context, SessionKind::Job);
        let now = Instant::now();
        let deadline = now.checked_add(bounds.deadline).unwrap_or(now);
        Self {
            id,
            gateway: Arc::clone(gateway),
            caller,
            action: plan.action,
            version: plan.version,
            throttle: plan.throttle.unwrap_or(bounds.throttle).min(bounds.throttle).min(plan.targets.len()),
            targets: plan.targets,
            timeout: plan.timeout.unwrap_or(bounds.deadline).min(bounds.deadline),
            deadline,
            buffer: Buffer::of(bounds.buffer_bytes),
            queue: Queue::default(),
            stop: Stop::new(gateway.stopping.clone()),
            next: AtomicUsize::new(0),
            recording,
            _place: place,
        }
    }

    /// The next target that nobody has taken.
    fn take(&self) -> Option<(usize, &str)> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        self.targets.get(index).map(|name| (index, name.as_str()))
    }

    /// Whether somebody has taken this target.
    fn is_taken(&self, index: usize) -> bool {
        index < self.next.load(Ordering::Relaxed)
    }

    fn event(&self, stage: JobStage, outcomes: Option<JobOutcomes>, recording: Option<RecordingEnd>) -> Event {
        let context = Context { recording, ..context(&self.gateway, &self.caller, self.id) };
        let targets = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        Event::new(EventKind::Job(JobEvent { job: self.id.to_string(), stage, targets, outcomes }), &context)
    }
}

fn context(gateway: &Gateway, caller: &Caller, id: Uuid) -> Context {
    Context {
        principal: Some(caller.identity.principal.to_string()),
        client_addr: Some(caller.address),
        session: Some(id.to_string()),
        policy: Some(gateway.live().policy.digest().to_owned()),
        ..Context::default()
    }
}
