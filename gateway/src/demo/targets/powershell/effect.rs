//! What cmdlets do, as data: the pipeline carries it out, and tests look at it.

use super::errors::Error;
use super::records::Told;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::HostMethod;
use std::time::Duration;

/// What follows on an answer.
pub(super) type Then = Box<dyn FnOnce(Value) -> Effects + Send>;

/// One thing that a cmdlet does.
pub(super) enum Effect {
    /// An object for the next command, or for the client.
    Output(Value),
    /// An error that does not end the pipeline.
    Error(Error),
    /// A message to people.
    Told(Told, String),
    /// A record of information.
    Information(Value),
    /// A record of progress.
    Progress(Value),
    /// A call to the host that has no answer.
    Show(HostMethod, Vec<Value>),
    /// A call to the host that has one.
    Ask { method: HostMethod, parameters: Vec<Value>, then: Then },
    /// Time passes.
    Wait(Duration),
    /// The pipeline ends.
    Fail(Error),
}

/// What a cmdlet does next, made as it is asked for.
pub(super) type Effects = Box<dyn Iterator<Item = Effect> + Send>;

/// Nothing at all.
pub(super) fn nothing() -> Effects {
    Box::new(std::iter::empty())
}

/// These in their order.
pub(super) fn all(effects: Vec<Effect>) -> Effects {
    Box::new(effects.into_iter())
}

/// One thing.
pub(super) fn one(effect: Effect) -> Effects {
    Box::new(std::iter::once(effect))
}

/// Objects.
pub(super) fn outputs(values: impl IntoIterator<Item = Value, IntoIter: Send + 'static>) -> Effects {
    Box::new(values.into_iter().map(Effect::Output))
}
