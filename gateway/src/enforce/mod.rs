//! The one door: every command of every API is judged here, and audited, before anything is sent.
//!
//! INVARIANT(one-door): [`Permit`] is made in [`judge_counted`] alone, after its audit line was written. It has
//! private fields, is not `Clone`, and [`crate::backend::TargetShell::start`] uses it up.

mod queue;
mod targets;

pub use queue::{Counted, Queue};
pub use targets::{Guess, closed, open_targets};

use crate::audit::{AuditedProgram, Context, Event, EventKind, Ids, JudgedArgument, Redactor};
use crate::config::Target;
use crate::identity::Identity;
use crate::limits::rates::Limited;
use crate::state::{Gateway, Live};
use sekisho_policy::{
    Action, Allowed, Checked, CheckedProgram, Circumstances, Decision, Denied, DeniedProgram, DenyReason, Input,
    Principal, ProgramRequest, TargetFacts,
};
use sekisho_protocol::wsman::CommandId;
use std::net::SocketAddr;
use uuid::Uuid;

/// Digits of a correlation id: enough to find one line, short enough to be read out on the telephone.
const CORRELATION_DIGITS: usize = 12;

/// Leave to run one program once on one target.
#[derive(Debug)]
pub struct Permit {
    program: CheckedProgram,
    context: Context,
}

impl Permit {
    /// The line for the target, rendered from what was judged.
    #[must_use]
    pub fn command_line(&self) -> &str {
        self.program.command_line()
    }

    /// Whether standard input may be sent.
    #[must_use]
    pub fn takes_input(&self) -> bool {
        match self.program.input() {
            Input::Refused => false,
            Input::Permitted => true,
        }
    }

    /// What later events about this command have in common.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}

/// Who asks for what, where from and on which target.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Who is logged in.
    pub identity: &'a Identity,
    /// Where from.
    pub client: SocketAddr,
    /// The target, already found in the table.
    pub target: &'a Target,
    /// The gateway's id of the session: a shell or a job.
    pub session: Uuid,
    /// The gateway's id of the command.
    pub command: CommandId,
    /// What is to be run.
    pub request: &'a ProgramRequest,
}

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Policy says no.
    #[error("{message} (reference {correlation})")]
    Denied {
        /// For the user, as policy words it.
        message: String,
        /// The rule that came nearest.
        rule: Option<String>,
        /// Stands in the audit line too.
        correlation: String,
    },
    /// A rate is reached.
    #[error("{0}")]
    Limited(Limited),
    /// The audit line could not be written.
    #[error("the gateway cannot write its audit log, so nothing was run: tell its operator (reference {correlation})")]
    NotAudited {
        /// For the operator.
        correlation: String,
    },
}

/// Counts, judges, audits, and only then permits.
///
/// # Errors
/// When the rate is reached, policy denies, or the audit line cannot be written.
pub async fn judge(gateway: &Gateway, ask: Ask<'_>) -> Result<Permit, Refusal> {
    let counted = queue::count(gateway, &ask).await?;
    judge_counted(gateway, ask, counted).await
}

/// Judges what was counted before, audits, and only then permits.
///
/// # Errors
/// When policy denies, or the audit line cannot be written.
pub async fn judge_counted(gateway: &Gateway, ask: Ask<'_>, _counted: Counted) -> Result<Permit, Refusal> {
    let live = gateway.live_full();
    let context = context(&live, &ask);
    let action = Action::Program(ask.request.clone());
    let decision = subject(&live, ask.identity, ask.target).map_or_else(gone, |(principal, facts)| {
        live.policy.decide(&principal, facts, &circumstances(ask.client), &action)
    });
    match decision {
        Decision::Allow(allowed) => permit(gateway, allowed, context).await,
        Decision::Deny(denied) => Err(refuse(gateway, &ask, denied, context).await),
    }
}

/// Whether policy lets this principal do anything at all on this target, now and from where the client is.
#[must_use]
pub fn may_reach(live: &Live, identity: &Identity, target: &Target, client: SocketAddr) -> bool {
    subject(live, identity, target)
        .is_some_and(|(principal, facts)| live.policy.may_reach(&principal, facts, &circumstances(client)))
}

/// Who is judged, and where: as account and target are now, not as they were at the login. Nothing when a
/// reload has taken either away.
fn subject<'l>(live: &'l Live, identity: &Identity, target: &Target) -> Option<(Principal, &'l TargetFacts)> {
    let groups = live.identity.groups(&identity.principal)?;
    Some((Principal { name: identity.principal.to_string(), groups }, live.facts(target)?))
}

/// What the conditions of the policy are about, now.
fn circumstances(client: SocketAddr) -> Circumstances {
    Circumstances {
        unix_time: Some(time::OffsetDateTime::now_utc().unix_timestamp()),
        source: Some(client.ip().to_canonical()),
    }
}

/// A new correlation id.
#[must_use]
pub fn correlation() -> String {
    let mut text = Uuid::new_v4().simple().to_string();
    text.truncate(CORRELATION_DIGITS);
    text
}

fn context(live: &Live, ask: &Ask<'_>) -> Context {
    Context {
        principal: Some(ask.identity.principal.to_string()),
        client_addr: Some(ask.client),
        target: Some(ask.target.name.to_string()),
        session: Some(ask.session.to_string()),
        shell: None,
        command: Some(Ids { gateway: ask.command.to_string(), target: None }),
        policy: Some(live.policy.digest().to_owned()),
        correlation: Some(correlation()),
    }
}

fn gone() -> Decision {
    let message = "your account or this target is no longer known to the gateway".to_owned();
    Decision::Deny(Denied { reason: DenyReason::NoRole, message, nearest: None, place: None, program: None })
}

async fn permit(gateway: &Gateway, allowed: Allowed, context: Context) -> Result<Permit, Refusal> {
    let Allowed { role, rule, checked } = allowed;
    let Checked::Program(program) = checked else {
        // A program was asked for, and nothing else may come of it.
        return Err(Refusal::NotAudited { correlation: context.correlation.unwrap_or_default() });
    };
    let audited = audited(gateway, &program);
    let event = Event::new(EventKind::Command { role, rule, program: audited }, &context);
    if gateway.write(event).await.is_err() {
        gateway.metrics.decision("not_audited");
        return Err(Refusal::NotAudited { correlation: context.correlation.unwrap_or_default() });
    }
    gateway.metrics.decision("allow");
    Ok(Permit { program, context })
}

async fn refuse(gateway: &Gateway, ask: &Ask<'_>, denied: Denied, context: Context) -> Refusal {
    let Denied { reason, message, nearest, place, program } = denied;
    let redactor = gateway.audit.redactor();
    let unread = program.is_none().then(|| redactor.unread(&joined(ask.request), place));
    let rule = nearest.map(|nearest| format!("{}/{}", nearest.role, nearest.rule));
    let kind = EventKind::Denial {
        reason: format!("{reason:?}"),
        rule: rule.clone(),
        program: program.map(|program| redactor.program(program.name(), &judged_denied(redactor, &program))),
        unread,
    };
    // A denial needs no line to be carried out; that the log is broken shows in health and metrics.
    let _said = gateway.write(Event::new(kind, &context)).await;
    gateway.metrics.decision("deny");
    Refusal::Denied { message, rule, correlation: context.correlation.unwrap_or_default() }
}

/// The arguments of a denied program: nobody has said that they are no secrets, so that they stand in clear only
/// where the operator wants to see denied text.
fn judged_denied<'p>(redactor: &Redactor, program: &'p DeniedProgram) -> Vec<JudgedArgument<'p>> {
    let shown = redactor.shows_denied_text();
    let arguments = program.arguments().iter();
    arguments
        .map(|argument| JudgedArgument { value: argument.value(), secret: !shown || argument.is_secret() })
        .collect()
}

fn audited(gateway: &Gateway, program: &CheckedProgram) -> AuditedProgram {
    let arguments = program.arguments().iter();
    let judged = arguments.map(|argument| JudgedArgument { value: argument.value(), secret: argument.is_secret() });
    gateway.audit.redactor().program(program.path(), &judged.collect::<Vec<_>>())
}

fn joined(request: &ProgramRequest) -> String {
    std::iter::once(request.command.as_str())
        .chain(request.arguments.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}
