//! Requests that are refused as a whole, before the first line.

use super::Caller;
use crate::audit::{Context, Event, EventKind};
use crate::enforce::{Refusal, correlation};
use crate::limits::whole_seconds;
use crate::state::Gateway;
use sekisho_protocol::job::{JobMistake, Problem, ProblemBody, ProblemClass};
use std::time::Duration;

/// A short wait for what passes by itself.
const SOON: Duration = Duration::from_secs(5);
/// A wait for a gateway that comes back.
const LATER: Duration = Duration::from_secs(10);

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For programs.
    pub class: ProblemClass,
    message: String,
    correlation: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Refused {
    fn new(class: ProblemClass, message: String, retry_after: Option<Duration>) -> Self {
        Self { class, message, correlation: correlation(), retry_after }
    }

    /// A document that breaks a rule.
    pub(super) fn mistake(mistake: JobMistake) -> Self {
        Self::invalid(mistake.to_string())
    }

    pub(super) fn invalid(message: String) -> Self {
        let refused = Self::new(ProblemClass::InvalidRequest, message, None);
        tracing::info!(correlation = %refused.correlation, "Request of the job API refused");
        refused
    }

    pub(super) fn stopping() -> Self {
        Self::new(
            ProblemClass::Unavailable,
            "the gateway is shutting down: try again in a moment".to_owned(),
            Some(LATER),
        )
    }

    pub(super) fn not_audited() -> Self {
        let text = "the gateway cannot write its audit log, so nothing was run: tell its operator".to_owned();
        let refused = Self::new(ProblemClass::Unavailable, text, Some(LATER));
        tracing::error!(correlation = %refused.correlation, "A job could not be written to the audit log");
        refused
    }

    /// The document that says so.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem {
            error: ProblemBody {
                class: self.class,
                message: self.message.clone(),
                correlation_id: self.correlation.clone(),
                // As the header has it: a whole second, and never too early.
                retry_after_seconds: self
                    .retry_after
                    .map(|time| u32::try_from(whole_seconds(time)).unwrap_or(u32::MAX)),
            },
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied { message, rule: _, correlation } => {
                Self { class: ProblemClass::Denied, message, correlation, retry_after: None }
            }
            Refusal::Limited(limited) => {
                Self::new(ProblemClass::Limited, limited.to_string(), Some(limited.retry_after))
            }
            Refusal::NotAudited { correlation } => Self { correlation, ..Self::not_audited() },
        }
    }
}

/// As many jobs as a principal may have; written like every limit.
pub(super) async fn too_many_jobs(gateway: &Gateway, caller: &Caller) -> Refused {
    let text = "you have as many jobs running as one user may: wait until one ends, or stop one".to_owned();
    let refused = Refused::new(ProblemClass::Limited, text, Some(SOON));
    let context = Context {
        principal: Some(caller.identity.principal.to_string()),
        client_addr: Some(caller.address),
        policy: Some(gateway.live().policy.digest().to_owned()),
        correlation: Some(refused.correlation.clone()),
        ..Context::default()
    };
    let kind = EventKind::Limit { limit: "jobs".to_owned(), retry_after: Some(SOON) };
    gateway.audit_after(Event::new(kind, &context)).await;
    refused
}
