//! The cmdlets that there are.

mod files;
mod host;
mod output;
mod processes;
mod select;
mod services;
mod system;
#[cfg(test)]
mod testing;
mod users;

use super::binding::{Bound, Parameter, Takes, bind};
use super::effect::{Effect, Effects, nothing, one};
use super::errors::Error;
use super::machine::Machine;
use super::objects::text;
use super::pipeline::Place;
use super::secure::Keys;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::Argument;
use std::sync::Arc;

/// One command of a pipeline.
pub(super) trait Cmdlet: Send {
    /// What it does alone, at the head of a pipeline without input.
    fn alone(&mut self) -> Effects {
        nothing()
    }

    /// What it does with one object from before it.
    fn take(&mut self, value: Value) -> Effects;

    /// What it does when nothing follows.
    fn end(&mut self) -> Effects {
        nothing()
    }
}

/// What a cmdlet is made from.
pub(super) struct Given {
    pub(super) command: &'static str,
    pub(super) machine: Arc<Machine>,
    pub(super) keys: Arc<Keys>,
    pub(super) bound: Bound,
}

/// A cmdlet's name, what it takes, and how it is made.
struct Entry {
    name: &'static str,
    parameters: &'static [Parameter],
    make: fn(Given) -> Box<dyn Cmdlet>,
}

/// Values by name, or in their order without one.
const fn next(name: &'static str) -> Parameter {
    Parameter { name, takes: Takes::Next }
}

const fn named(name: &'static str) -> Parameter {
    Parameter { name, takes: Takes::Named }
}

const fn switch(name: &'static str) -> Parameter {
    Parameter { name, takes: Takes::Switch }
}

#[cfg(not(test))]
const OF_TESTS: [Entry; 0] = [];
#[cfg(test)]
const OF_TESTS: [Entry; 3] = testing::ENTRIES;

/// The command of this name with its arguments.
pub(super) fn find(name: &str, arguments: Vec<Argument>, place: &Place) -> Result<(Box<dyn Cmdlet>, Bound), Error> {
    let tables = [
        &services::ENTRIES[..],
        &processes::ENTRIES,
        &system::ENTRIES,
        &files::ENTRIES,
        &output::ENTRIES,
        &select::ENTRIES,
        &host::ENTRIES,
        &users::ENTRIES,
        &OF_TESTS,
    ];
    let entry = tables.into_iter().flatten().find(|entry| entry.name.eq_ignore_ascii_case(name));
    let entry = entry.ok_or_else(|| Error::no_command(name))?;
    let bound = bind(entry.name, entry.parameters, arguments)?;
    let Place { machine, keys } = place;
    let given =
        Given { command: entry.name, machine: Arc::clone(machine), keys: Arc::clone(keys), bound: bound.clone() };
    Ok(((entry.make)(given), bound))
}

/// A cmdlet that does the same alone and, where it takes objects, with each.
struct Each {
    given: Given,
    run: fn(&Given, Option<Value>) -> Effects,
    input: Input,
}

/// Whether a cmdlet takes objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Taken,
    Refused,
}

impl Each {
    fn boxed(given: Given, input: Input, run: fn(&Given, Option<Value>) -> Effects) -> Box<dyn Cmdlet> {
        Box::new(Self { given, run, input })
    }
}

impl Cmdlet for Each {
    fn alone(&mut self) -> Effects {
        (self.run)(&self.given, None)
    }

    fn take(&mut self, value: Value) -> Effects {
        if self.input == Input::Taken {
            return (self.run)(&self.given, Some(value));
        }
        let message = format!(
            "The input object cannot be bound to any parameters for the command either because the command does not \
             take pipeline input or the input and its properties do not match any of the parameters that take pipeline \
             input: {}",
            text(&value)
        );
        one(Effect::Error(Error::binding("InputObjectNotBound", self.given.command, message)))
    }
}

/// The text that an object is called by: its name, or itself.
fn name_of(value: &Value) -> String {
    super::objects::member(value, "Name").map_or_else(|| text(value), text)
}

/// Whether a name fits a pattern in which `*` stands for any text and `?` for one character, whatever the case.
fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut at, mut read, mut star) = (0_usize, 0_usize, None);
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at = at.saturating_add(1);
            }
            Some(&wanted) if wanted == '?' || name.get(read) == Some(&wanted) => {
                at = at.saturating_add(1);
                read = read.saturating_add(1);
            }
            Some(_) | None => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from.saturating_add(1)));
                at = back.saturating_add(1);
                read = from.saturating_add(1);
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|&left| left == '*'))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_are_those_of_powershell() {
        for (pattern, name, expected) in [
            ("Spooler", "spooler", true),
            ("S*", "Spooler", true),
            ("*ool*", "Spooler", true),
            ("*", "", true),
            ("?pooler", "Spooler", true),
            ("S?", "Spooler", false),
            ("Spooler*x", "Spooler", false),
            ("", "Spooler", false),
            ("*a*b*c", "xaybzc", true),
            ("*a*b*c", "xaybzcd", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
