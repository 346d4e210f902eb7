//! How a target's part of a job ends, in the words of the job API.

use super::stop::Why;
use crate::backend::{self, BackendError, NotOpened};
use crate::credentials::LeaseError;
use crate::enforce::Refusal;
use crate::limits::whole_seconds;
use crate::session::{Ended, NotLaunched, TableFull};
use sekisho_protocol::job::{Effect, FailureClass, JobEvent, MESSAGE_BYTES, PipelineEnd};
use std::time::Duration;

/// When to try again what passes by itself.
const SOON: Duration = Duration::from_secs(5);

/// The one outcome of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Finished { exit_code: i32, state: Option<PipelineEnd>, duration: Duration },
    Denied { message: String, rule: Option<String> },
    Failed(Failure),
    Cancelled { effect: Effect },
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: FailureClass,
    pub(super) effect: Effect,
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    fn new(class: FailureClass, effect: Effect, message: impl Into<String>) -> Self {
        Self { class, effect, message: message.into(), retry_after: None }
    }

    fn after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }
}

impl Outcome {
    /// The target's own time ran out.
    pub(super) fn timed_out(effect: Effect) -> Self {
        let text = match effect {
            Effect::NothingRan => "the time for this target was over before the command could be sent",
            Effect::Unknown => "the time for this target was over before the command ended; it was told to stop",
        };
        Self::Failed(Failure::new(FailureClass::Timeout, effect, text))
    }

    /// The target or the gateway failed before the command was sent.
    pub(super) fn not_sent(error: BackendError) -> Self {
        Self::Failed(before(error))
    }

    /// The whole job was stopped.
    pub(super) fn stopped(why: Why, effect: Effect) -> Self {
        match why {
            Why::ClientGone | Why::Shutdown => Self::Cancelled { effect },
            Why::Deadline => {
                let text =
                    "the time that a job may take on this gateway is over: split the job, or have it done faster";
                Self::Failed(Failure::new(FailureClass::Timeout, effect, text))
            }
        }
    }

    /// An error inside the gateway.
    pub(super) fn broken(effect: Effect) -> Self {
        Self::Failed(Failure::new(FailureClass::Gateway, effect, "an error inside the gateway: tell its operator"))
    }

    /// The line that tells it, with every text in its bounds.
    pub(super) fn event(self, target: String) -> JobEvent {
        match self {
            Self::Finished { exit_code, state, duration } => JobEvent::Finished {
                target,
                exit_code: exit_code.into(),
                state,
                duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            },
            Self::Denied { message, rule } => {
                JobEvent::Denied { target, message: bounded(message), rule: rule.map(bounded) }
            }
            Self::Failed(Failure { class, effect, message, retry_after }) => JobEvent::Failed {
                target,
                class,
                effect: certain(class).unwrap_or(effect),
                message: bounded(message),
                retry_after_seconds: retry_after.map(|time| u32::try_from(whole_seconds(time)).unwrap_or(u32::MAX)),
            },
            Self::Cancelled { effect } => JobEvent::Cancelled { target, effect },
        }
    }
}

/// The effect that a class has by itself.
fn certain(class: FailureClass) -> Option<Effect> {
    match class {
        FailureClass::Unreachable | FailureClass::LoginRefused | FailureClass::NotTried => Some(Effect::NothingRan),
        FailureClass::Lost => Some(Effect::Unknown),
        FailureClass::Timeout | FailureClass::Limit | FailureClass::Protocol | FailureClass::Gateway => None,
    }
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MESSAGE_BYTES));
    text
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::Denied { rule, .. } => Self::Denied { message: text, rule },
            Refusal::Limited(limited) => {
                Self::Failed(Failure::new(FailureClass::Limit, Effect::NothingRan, text).after(limited.retry_after))
            }
            Refusal::NotAudited { .. } => Self::Failed(Failure::new(FailureClass::Gateway, Effect::NothingRan, text)),
        }
    }
}

impl From<TableFull> for Outcome {
    fn from(full: TableFull) -> Self {
        Self::Failed(Failure::new(FailureClass::Limit, Effect::NothingRan, full.to_string()).after(SOON))
    }
}

impl From<NotLaunched> for Outcome {
    fn from(NotLaunched { error, effect: done }: NotLaunched) -> Self {
        Self::Failed(match done {
            backend::Effect::NotDone => before(error),
            backend::Effect::Unknown => after(error),
        })
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Terminated(_) => Self::Cancelled { effect: Effect::Unknown },
            Ended::Target(error) => Self::Failed(after(error)),
        }
    }
}

/// Failures before the command was sent, or by the target's word that it was not taken.
fn before(error: BackendError) -> Failure {
    let failure = |class| Failure::new(class, Effect::NothingRan, error.to_string());
    match error {
        BackendError::Unreachable
        | BackendError::Tls
        | BackendError::TimedOut(_)
        | BackendError::Broken(_)
        | BackendError::NotOpened(NotOpened::Broken) => failure(FailureClass::Unreachable),
        BackendError::LoginRefused => failure(FailureClass::LoginRefused),
        BackendError::Lease(LeaseError::Refused(_)) => failure(FailureClass::NotTried),
        BackendError::Lease(LeaseError::Deadline) | BackendError::NotOpened(NotOpened::TimedOut) => {
            failure(FailureClass::Timeout)
        }
        BackendError::Lease(LeaseError::Gone | LeaseError::Vault)
        | BackendError::OtherShell
        | BackendError::Unsendable
        | BackendError::Closed
        | BackendError::Outdated
        | BackendError::NotRecorded(_)
        | BackendError::Abandoned
        | BackendError::NotOpened(NotOpened::Abandoned) => failure(FailureClass::Gateway),
        BackendError::Fault(code) if code.is_transient() => failure(FailureClass::Limit).after(SOON),
        BackendError::Busy => failure(FailureClass::Limit).after(SOON),
        BackendError::Login(_)
        | BackendError::Fault(_)
        | BackendError::Invalid(_)
        | BackendError::Status(_)
        | BackendError::NotOpened(NotOpened::Invalid)
        | BackendError::NoPool
        | BackendError::NoKey
        | BackendError::Mismatch => failure(FailureClass::Protocol),
    }
}

/// Failures after the command was sent: what became of it is not known.
fn after(error: BackendError) -> Failure {
    let class = match error {
        BackendError::TimedOut(_) => FailureClass::Timeout,
        BackendError::Unreachable
        | BackendError::Tls
        | BackendError::Broken(_)
        | BackendError::LoginRefused
        | BackendError::Login(_)
        | BackendError::NotOpened(_)
        | BackendError::Abandoned
        | BackendError::Lease(_) => FailureClass::Lost,
        BackendError::Fault(_)
        | BackendError::Invalid(_)
        | BackendError::Status(_)
        | BackendError::NoPool
        | BackendError::NoKey
        | BackendError::Mismatch => FailureClass::Protocol,
        BackendError::Busy
        | BackendError::OtherShell
        | BackendError::Unsendable
        | BackendError::Closed
        | BackendError::NotRecorded(_)
        | BackendError::Outdated => FailureClass::Gateway,
    };
    let text = format!("{error}; whether the command went on is unknown: look at the target before you try again");
    Failure::new(class, Effect::Unknown, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_protocol::error::PeerMisbehaved;
    use sekisho_protocol::soap::FaultCode;

    fn errors() -> Vec<BackendError> {
        use backend::Effect::{NotDone, Unknown};
        let wrong = sekisho_protocol::Error::from(PeerMisbehaved::OutOfOrder);
        let leases = [LeaseError::Gone, LeaseError::Refused(2), LeaseError::Deadline, LeaseError::Vault];
        let mut errors: Vec<_> = leases.into_iter().map(BackendError::Lease).collect();
        errors.extend([BackendError::Unreachable, BackendError::Tls, BackendError::LoginRefused]);
        errors.extend([BackendError::Login(wrong), BackendError::Invalid(wrong), BackendError::Status(404)]);
        errors.extend([NotDone, Unknown].map(BackendError::TimedOut));
        errors.extend([NotDone, Unknown].map(BackendError::Broken));
        errors.extend([FaultCode::ACCESS_DENIED, FaultCode::QUOTA_USER].map(BackendError::Fault));
        let opening = [NotOpened::TimedOut, NotOpened::Broken, NotOpened::Invalid, NotOpened::Abandoned];
        errors.extend(opening.map(BackendError::NotOpened));
        errors.extend([
            BackendError::Abandoned,
            BackendError::Mismatch,
            BackendError::Busy,
            BackendError::OtherShell,
            BackendError::Closed,
            BackendError::Outdated,
            BackendError::NotRecorded(crate::recording::NotRecorded::Full),
        ]);
        errors
    }

    #[test]
    fn every_failure_is_a_valid_line_that_says_whether_it_may_have_run() {
        for error in errors() {
            let effects = [(backend::Effect::NotDone, Effect::NothingRan), (backend::Effect::Unknown, Effect::Unknown)];
            for (done, effect) in effects {
                let outcome = Outcome::from(NotLaunched { error, effect: done });
                let Outcome::Failed(failure) = &outcome else { panic!("{outcome:?}") };
                assert_eq!(failure.effect, effect, "{error}");
                assert_eq!(outcome.clone().event("web01".to_owned()).validate(), Ok(()), "{outcome:?}");
            }
            let Outcome::Failed(failure) = Outcome::from(Ended::Target(error)) else { panic!("{error}") };
            assert_eq!(failure.effect, Effect::Unknown, "{error}");
        }
    }

    #[test]
    fn a_target_that_was_spared_a_wrong_password_says_so() {
        let spared =
            NotLaunched { error: BackendError::Lease(LeaseError::Refused(2)), effect: backend::Effect::NotDone };
        let Outcome::Failed(failure) = Outcome::from(spared) else { panic!() };
        assert_eq!(failure.class, FailureClass::NotTried);
        assert!(failure.message.contains("not tried again"));
    }

    #[test]
    fn texts_are_cut_to_their_bounds_between_characters() {
        let long = "é".repeat(MESSAGE_BYTES);
        let denied = Outcome::Denied { message: format!("x{long}"), rule: Some(long) };
        assert_eq!(denied.event("web01".to_owned()).validate(), Ok(()));
    }
}
