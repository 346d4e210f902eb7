//! The one door: every command of every API is judged here, and audited, before anything is sent.
//!
//! INVARIANT(one-door): [`Permit`] is made in [`judge_counted`] alone, after its audit line was written. It has
//! private fields, is not `Clone`, and [`crate::backend::TargetShell::start`] or [`crate::backend::TargetPool::start`]
//! uses it up.

mod foresee;
mod permit;
pub mod pipeline;
mod queue;
mod record;
mod targets;
mod verdict;
mod wrapper;

pub use foresee::{Foreseen, foresee, listing};
pub use permit::Permit;
pub use queue::{Counted, Queue};
pub use targets::{Guess, closed, open_targets};

use crate::audit::{Asked, Commanded, Context, Event, EventKind, Ids};
use crate::config::{Endpoint, Target};
use crate::identity::Identity;
use crate::limits::rates::Limited;
use crate::state::{Gateway, Live};
use pipeline::{ExitTail, Form, Known, Unread};
use sekisho_policy::{Action, Circumstances, Denied, Principal, TargetFacts};
use sekisho_protocol::wsman::CommandId;
use std::net::SocketAddr;
use uuid::Uuid;
use verdict::{Granted, Refused, decide};

/// Digits of a correlation id: enough to find one line, short enough to be read out on the telephone.
const CORRELATION_DIGITS: usize = 12;

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
    /// What is to be done.
    pub action: &'a Action,
    /// How it was wrapped; [`pipeline::PLAIN`] for what is no pipeline of PSRP.
    pub form: &'a Form,
}

/// The gateway's ids of one pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipelineIds {
    /// Of its session.
    pub session: Uuid,
    /// Its own.
    pub command: CommandId,
}

/// Who asks, where from and on which target: all that a judgement is about beside the action.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Who is logged in.
    pub identity: &'a Identity,
    /// Where from.
    pub client: SocketAddr,
    /// The target, already found in the table.
    pub target: &'a Target,
}

impl<'a> Ask<'a> {
    fn asker(&self) -> Asker<'a> {
        Asker { identity: self.identity, client: self.client, target: self.target }
    }
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
    if let Some((whole, form)) = ask.form.whole(ask.action)
        && let Ok(granted) = decide(&live, ask.asker(), &whole)
        && granted.what.is_script()
    {
        return permit(gateway, granted, &form, context).await;
    }
    match decide(&live, ask.asker(), ask.action) {
        Ok(granted) if loses_exit_code(&granted, &ask) => {
            let refused = Refused { denied: verdict::exit_code(), carried: None, commands: None };
            Err(refuse(gateway, &ask, refused, context).await)
        }
        Ok(granted) => permit(gateway, granted, ask.form, context).await,
        Err(refused) => Err(refuse(gateway, &ask, *refused, context).await),
    }
}

/// Whether the client would be told an exit code that nobody knows.
fn loses_exit_code(granted: &Granted, ask: &Ask<'_>) -> bool {
    ask.form.exit != ExitTail::None && ask.target.endpoint == Endpoint::Restricted && granted.what.runs_program()
}

/// Counts an operation that is not judged; a limit is written.
///
/// # Errors
/// When a rate is reached.
pub async fn count(gateway: &Gateway, asker: Asker<'_>, ids: PipelineIds) -> Result<(), Refusal> {
    match gateway.rates.operation(&asker.identity.principal, asker.target.name.as_str()) {
        Ok(()) => Ok(()),
        Err(limited) => {
            let context = contextual(&gateway.live_full(), asker, ids);
            gateway.audit_limit(&context, limited).await;
            Err(Refusal::Limited(limited))
        }
    }
}

/// Counts and writes down a pipeline that nothing can allow.
pub async fn refuse_unread(gateway: &Gateway, asker: Asker<'_>, ids: PipelineIds, unread: &Unread) -> Refusal {
    if let Err(limited) = count(gateway, asker, ids).await {
        return limited;
    }
    let context = contextual(&gateway.live_full(), asker, ids);
    let asked = Asked::Unread(gateway.audit.redactor().unread(unread.text(), None));
    let kind = EventKind::Denial { reason: format!("{:?}", unread.why), rule: None, asked: Some(asked) };
    // As for every denial: that the log is broken shows in health and metrics.
    let _said = gateway.write(Event::new(kind, &context)).await;
    gateway.metrics.decision("deny");
    let (message, correlation) = (unread.why.message().to_owned(), context.correlation.unwrap_or_default());
    Refusal::Denied { message, rule: None, correlation }
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
    contextual(live, ask.asker(), PipelineIds { session: ask.session, command: ask.command })
}

fn contextual(live: &Live, asker: Asker<'_>, ids: PipelineIds) -> Context {
    Context {
        principal: Some(asker.identity.principal.to_string()),
        client_addr: Some(asker.client),
        target: Some(asker.target.name.to_string()),
        session: Some(ids.session.to_string()),
        shell: None,
        command: Some(Ids { gateway: ids.command.to_string(), target: None }),
        policy: Some(live.policy.digest().to_owned()),
        correlation: Some(correlation()),
        recording: None,
    }
}

async fn permit(gateway: &Gateway, granted: Granted, form: &Form, context: Context) -> Result<Permit, Refusal> {
    let Granted { role, rule, what } = granted;
    let command = Commanded { role, rule, what: record::permitted(gateway.audit.redactor(), &what) };
    if gateway.write(Event::new(EventKind::Command(command), &context)).await.is_err() {
        gateway.metrics.decision("not_audited");
        return Err(Refusal::NotAudited { correlation: context.correlation.unwrap_or_default() });
    }
    gateway.metrics.decision("allow");
    Ok(Permit::new(what, form.clone(), context))
}

async fn refuse(gateway: &Gateway, ask: &Ask<'_>, refused: Refused, context: Context) -> Refusal {
    let asked = record::asked(gateway.audit.redactor(), ask.action, &refused);
    let known = ask.form.known.or_else(|| match &refused.carried {
        Some(Action::Script(carried)) => Known::of_text(&carried.text),
        Some(Action::Program(_) | Action::Commands(_)) | None => None,
    });
    let Denied { reason, message, nearest, .. } = *refused.denied;
    let rule = nearest.map(|nearest| format!("{}/{}", nearest.role, nearest.rule));
    let kind = EventKind::Denial { reason: format!("{reason:?}"), rule: rule.clone(), asked: Some(asked) };
    // A denial needs no line to be carried out; that the log is broken shows in health and metrics.
    let _said = gateway.write(Event::new(kind, &context)).await;
    gateway.metrics.decision("deny");
    // Whoever sends a script of a stock client is told what works instead, and not how else it reads.
    let message = known.map_or(message, |known| known.message().to_owned());
    Refusal::Denied { message, rule, correlation: context.correlation.unwrap_or_default() }
}
