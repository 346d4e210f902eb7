//! Objects picked, put in order and counted.

use super::{Cmdlet, Entry, Given, fits, named, next, switch};
use crate::demo::targets::powershell::effect::{Effect, Effects, nothing, one, outputs};
use crate::demo::targets::powershell::errors::Error;
use crate::demo::targets::powershell::objects::{
    all_members, member, members, number, selected, text, type_name, typed,
};
use sekisho_protocol::clixml::{Member, Value};
use std::cmp::Ordering;

pub(super) const ENTRIES: [Entry; 4] = [
    Entry {
        name: "Select-Object",
        parameters: &[next("Property"), named("First"), named("Last"), named("Skip"), named("ExpandProperty")],
        make: |given| Box::new(Select::new(&given)),
    },
    Entry {
        name: "Where-Object",
        parameters: &[next("Property"), next("Value"), switch("EQ"), switch("NE"), switch("Like")],
        make: |given| Box::new(Where(given)),
    },
    Entry {
        name: "Sort-Object",
        parameters: &[next("Property"), switch("Descending")],
        make: |given| Box::new(Sort { given, held: Vec::new() }),
    },
    Entry { name: "Measure-Object", parameters: &[next("Property")], make: |_given| Box::new(Measure(0)) },
];

/// Objects that a cmdlet keeps until the end, at most.
const MAX_HELD: usize = 100_000;

struct Select {
    properties: Vec<String>,
    expand: Option<String>,
    skip: u64,
    first: Option<u64>,
    last: Option<usize>,
    held: Vec<Value>,
}

impl Select {
    fn new(given: &Given) -> Self {
        let count = |name: &str| given.bound.number(name).and_then(|number| u64::try_from(number).ok());
        Self {
            properties: given.bound.texts("Property"),
            expand: given.bound.text("ExpandProperty"),
            skip: count("Skip").unwrap_or(0),
            first: count("First"),
            last: count("Last").map(|last| usize::try_from(last).unwrap_or(MAX_HELD).min(MAX_HELD)),
            held: Vec::new(),
        }
    }

    fn picked(&self, value: Value) -> Effects {
        if let Some(name) = &self.expand {
            return match member(&value, name) {
                Some(found) => outputs(super::super::objects::items(found).to_vec()),
                None => {
                    let message = format!("Property \"{name}\" cannot be found.");
                    one(Effect::Error(Error::not_found("ExpandPropertyNotFound", "Select-Object", name, message)))
                }
            };
        }
        if self.properties.is_empty() {
            return one(Effect::Output(value));
        }
        let mut picked: Vec<Member> = Vec::new();
        for pattern in &self.properties {
            let found: Vec<_> = all_members(&value).filter(|(name, _)| fits(pattern, name)).cloned().collect();
            if found.is_empty() && !pattern.contains(['*', '?']) {
                picked.push((pattern.clone(), Value::Nil));
            }
            picked.extend(found);
        }
        let mut seen = std::collections::BTreeSet::new();
        picked.retain(|(name, _)| seen.insert(name.to_lowercase()));
        one(Effect::Output(selected(type_name(&value), picked)))
    }
}

impl Cmdlet for Select {
    fn take(&mut self, value: Value) -> Effects {
        if let Some(last) = self.last {
            self.held.push(value);
            let surplus = self.held.len().saturating_sub(last);
            self.held.drain(..surplus);
            return nothing();
        }
        if 0 < self.skip {
            self.skip = self.skip.saturating_sub(1);
            return nothing();
        }
        match &mut self.first {
            Some(0) => return nothing(),
            Some(left) => *left = left.saturating_sub(1),
            None => {}
        }
        self.picked(value)
    }

    fn end(&mut self) -> Effects {
        let held = std::mem::take(&mut self.held);
        let effects: Vec<Effects> = held.into_iter().map(|value| self.picked(value)).collect();
        Box::new(effects.into_iter().flatten())
    }
}

struct Where(Given);

impl Cmdlet for Where {
    fn take(&mut self, value: Value) -> Effects {
        let Self(Given { bound, .. }) = self;
        let found = member(&value, &bound.text("Property").unwrap_or_default()).map(text).unwrap_or_default();
        let wanted = bound.text("Value").unwrap_or_default();
        let holds = if bound.is_on("NE") {
            !found.eq_ignore_ascii_case(&wanted)
        } else if bound.is_on("Like") {
            fits(&wanted, &found)
        } else if bound.is_on("EQ") {
            found.eq_ignore_ascii_case(&wanted)
        } else {
            !matches!(found.as_str(), "" | "0" | "False")
        };
        if holds { one(Effect::Output(value)) } else { nothing() }
    }
}

struct Sort {
    given: Given,
    held: Vec<Value>,
}

impl Cmdlet for Sort {
    fn take(&mut self, value: Value) -> Effects {
        if self.held.len() < MAX_HELD {
            self.held.push(value);
            return nothing();
        }
        let message = "There are more objects than this endpoint puts in order.".to_owned();
        one(Effect::Fail(Error::refused("TooManyObjects", self.given.command, "", message)))
    }

    fn end(&mut self) -> Effects {
        let mut held = std::mem::take(&mut self.held);
        let properties = self.given.bound.texts("Property");
        held.sort_by(|one, other| {
            if properties.is_empty() {
                return compare(one, other);
            }
            let by = |name: &String| {
                compare(member(one, name).unwrap_or(&Value::Nil), member(other, name).unwrap_or(&Value::Nil))
            };
            properties.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        if self.given.bound.is_on("Descending") {
            held.reverse();
        }
        outputs(held)
    }
}

/// Numbers by their size, everything else by what is shown, whatever the case.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (_, _) => text(one).to_lowercase().cmp(&text(other).to_lowercase()),
    }
}

struct Measure(i32);

impl Cmdlet for Measure {
    fn take(&mut self, _value: Value) -> Effects {
        self.0 = self.0.saturating_add(1);
        nothing()
    }

    fn end(&mut self) -> Effects {
        const TYPES: [&str; 3] = [
            "Microsoft.PowerShell.Commands.GenericMeasureInfo",
            "Microsoft.PowerShell.Commands.MeasureInfo",
            "System.Object",
        ];
        let nil = || Value::Nil;
        let adapted = members([
            ("Count", Value::int(self.0)),
            ("Average", nil()),
            ("Sum", nil()),
            ("Maximum", nil()),
            ("Minimum", nil()),
            ("Property", nil()),
        ]);
        one(Effect::Output(typed(&TYPES, "Microsoft.PowerShell.Commands.GenericMeasureInfo", adapted, Vec::new())))
    }
}
