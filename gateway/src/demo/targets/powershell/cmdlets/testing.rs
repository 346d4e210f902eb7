//! Cmdlets for the tests of the gateway alone.

use super::{Each, Entry, Given, Input, next};
use crate::demo::targets::powershell::effect::{Effect, Effects, one, outputs};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::HostMethod;

pub(super) const ENTRIES: [Entry; 3] = [
    Entry {
        name: "Get-Much",
        parameters: &[next("Count"), next("Size")],
        make: |given| Each::boxed(given, Input::Refused, much),
    },
    Entry { name: "Get-Endless", parameters: &[], make: |given| Each::boxed(given, Input::Refused, endless) },
    Entry { name: "Exit-Session", parameters: &[], make: |given| Each::boxed(given, Input::Refused, exit) },
];

/// So many texts of one size, each with its number in front.
fn much(given: &Given, _input: Option<Value>) -> Effects {
    let of = |name: &str| given.bound.number(name).and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let (count, size) = (of("Count"), of("Size"));
    outputs((0..count).map(move |number| Value::text(format!("{number}:{}", "x".repeat(size)))))
}

fn endless(_given: &Given, _input: Option<Value>) -> Effects {
    outputs((0..).map(|number| Value::text(format!("{number}:{}", "x".repeat(1000)))))
}

fn exit(_given: &Given, _input: Option<Value>) -> Effects {
    one(Effect::Show(HostMethod::SetShouldExit, vec![Value::int(3)]))
}
