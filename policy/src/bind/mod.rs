//! Binding: what the target's parameter binder would make of a command's arguments, with full names.
//!
//! Rules R4, R5 and R8. Names are resolved against everything that the catalogue knows of the command, whatever
//! a role lists, so that an abbreviation means the same to every role. What the target could read in a second
//! way is refused: an allowed command is sent with full names and never with positions, and has to mean there
//! what was judged here.

mod name;
mod position;
mod refusal;
mod types;

use std::borrow::Cow;

use crate::catalog::{CommandInfo, CommonValue, CommonVerdict, ParameterInfo, ParameterKind, Uncertainty};
use crate::command::Argument;
use crate::value::Value;

use name::{Ending, Spelled, Target};
pub(crate) use refusal::{BindReason, BindRefusal};

/// Who has to allow a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The rule for the command, when it lists parameters.
    Listed,
    /// Nobody: a common parameter, allowed on every visible command (rule R8).
    Always,
}

/// An argument with the parameter that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound<'a> {
    /// The full name, as the catalogue writes it. Never empty: it is the catalogue's and not the client's.
    pub(crate) name: &'a str,
    /// Who has to allow it.
    pub(crate) grant: Grant,
    /// The value; a switch that is present has a boolean.
    pub(crate) value: Cow<'a, Value>,
    /// The entry of the arguments that it came from, which is the order in which it is sent.
    at: usize,
}

impl<'a> Bound<'a> {
    /// A value whose parameter is known already.
    pub(crate) fn of(name: &'a str, grant: Grant, value: &'a Value) -> Self {
        Self { name, grant, value: Cow::Borrowed(value), at: 0 }
    }
}

/// Binds all arguments of a command against what the catalogue knows of it.
///
/// The result stands in the order of the arguments, each parameter once.
pub(crate) fn bind<'a>(info: &'a CommandInfo, arguments: &'a [Argument]) -> Result<Vec<Bound<'a>>, BindRefusal<'a>> {
    let mut binding = Binding { info, bound: Vec::with_capacity(arguments.len()), taken: Vec::new() };
    let mut unnamed = Vec::new();
    let mut entries = arguments.iter().enumerate().peekable();
    while let Some((at, argument)) = entries.next() {
        let Some(name) = &argument.name else {
            unnamed.push((at, &argument.value));
            continue;
        };
        let next = entries.peek().filter(|(_, next)| next.name.is_none()).map(|(_, next)| &next.value);
        let step = binding.named(at, name, &argument.value, next).map_err(|reason| BindRefusal { reason, at })?;
        match step {
            Step::Stay => {}
            Step::TakeNext => drop(entries.next()),
        }
    }
    position::place(&mut binding, &unnamed)?;
    let mut bound = binding.bound;
    bound.sort_by_key(|one| one.at);
    Ok(bound)
}

/// A binding under way.
struct Binding<'a> {
    info: &'a CommandInfo,
    bound: Vec<Bound<'a>>,
    /// Indices of the catalogue's parameters that have a value.
    taken: Vec<usize>,
}

/// Whether the entry after a name was its value.
enum Step {
    Stay,
    TakeNext,
}

impl<'a> Binding<'a> {
    fn named(
        &mut self,
        at: usize,
        name: &'a str,
        value: &'a Value,
        next: Option<&'a Value>,
    ) -> Result<Step, BindReason<'a>> {
        let spelled = Spelled::read(name).ok_or(BindReason::NotAName)?;
        let target = name::resolve(self.info, spelled.name)?;
        match target {
            Target::Common(common) => {
                if common.verdict == CommonVerdict::Denied {
                    return Err(BindReason::Denied(common.name));
                }
                let (value, step) = match common.takes {
                    CommonValue::Switch => (switch(common.name, value)?, Step::Stay),
                    CommonValue::One => self::value(common.name, spelled.ending, value, next)?,
                };
                self.add(at, common.name, Grant::Always, value)?;
                Ok(step)
            }
            Target::Declared(index, parameter) => {
                let (value, step) = declared(parameter, spelled.ending, value, next)?;
                self.add(at, &parameter.name, Grant::Listed, value)?;
                self.taken.push(index);
                Ok(step)
            }
        }
    }

    fn add(&mut self, at: usize, name: &'a str, grant: Grant, value: Cow<'a, Value>) -> Result<(), BindReason<'a>> {
        if self.bound.iter().any(|other| other.name == name) {
            return Err(BindReason::Duplicate(name));
        }
        self.bound.push(Bound { name, grant, value, at });
        Ok(())
    }
}

type Taken<'a> = Result<(Cow<'a, Value>, Step), BindReason<'a>>;

fn declared<'a>(parameter: &'a ParameterInfo, ending: Ending, value: &'a Value, next: Option<&'a Value>) -> Taken<'a> {
    match parameter.kind {
        ParameterKind::Switch(Uncertainty::Sure) => Ok((switch(&parameter.name, value)?, Step::Stay)),
        // Alone it is a switch or takes the next value: only a value of its own is clear.
        ParameterKind::Switch(Uncertainty::Doubtful) => match value {
            Value::Null => Err(BindReason::DoubtfulSwitch(&parameter.name)),
            Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Secure(_)
            | Value::Opaque(_) => Ok((Cow::Borrowed(value), Step::Stay)),
        },
        ParameterKind::Value(_) => self::value(&parameter.name, ending, value, next),
    }
}

/// A switch is on without a value, and otherwise what its own entry says; it never takes the next entry.
fn switch<'a>(name: &'a str, value: &'a Value) -> Result<Cow<'a, Value>, BindReason<'a>> {
    match value {
        Value::Null => Ok(Cow::Owned(Value::Bool(true))),
        Value::Bool(_) => Ok(Cow::Borrowed(value)),
        Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Secure(_) | Value::Opaque(_) => {
            Err(BindReason::SwitchValue(name))
        }
    }
}

/// The value of a parameter that needs one: in its own entry, or in the next one when that has no name.
fn value<'a>(name: &'a str, ending: Ending, value: &'a Value, next: Option<&'a Value>) -> Taken<'a> {
    if *value != Value::Null {
        return Ok((Cow::Borrowed(value), Step::Stay));
    }
    match (ending, next) {
        // The colon says that the null is the value.
        (Ending::Colon, _) => Ok((Cow::Borrowed(value), Step::Stay)),
        (Ending::Dashed, Some(next)) => Ok((Cow::Borrowed(next), Step::TakeNext)),
        // To PowerShell a name without a dash has its null as its value; people mean a split pair.
        (Ending::Bare, Some(_)) => Err(BindReason::TwoReadings(name)),
        (Ending::Dashed | Ending::Bare, None) => Err(BindReason::MissingValue(name)),
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod shipped_tests;
