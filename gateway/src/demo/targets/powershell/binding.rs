//! Which argument is which parameter's.

use super::errors::Error;
use super::objects::{items, number, text};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::Argument;
use std::collections::BTreeMap;

/// One parameter of a cmdlet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A value by name, or the next one without a name.
    Next,
    /// A value by name.
    Named,
    /// Nothing, or whether it is on.
    Switch,
}

/// What every cmdlet takes.
const COMMON: [Parameter; 7] = [
    Parameter { name: "ErrorAction", takes: Takes::Named },
    Parameter { name: "WarningAction", takes: Takes::Named },
    Parameter { name: "InformationAction", takes: Takes::Named },
    Parameter { name: "Verbose", takes: Takes::Switch },
    Parameter { name: "Debug", takes: Takes::Switch },
    Parameter { name: "WhatIf", takes: Takes::Switch },
    Parameter { name: "Confirm", takes: Takes::Switch },
];

/// Arguments by the names of their parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound(BTreeMap<&'static str, Value>);

impl Bound {
    /// A value that is there and not null.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| **value != Value::Nil)
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| *value == Value::Bool(true))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(text)
    }

    /// One text, or each of a list.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.value(name).map(items).unwrap_or_default().iter().map(text).collect()
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(number)
    }
}

/// Binds arguments as PowerShell does that are written out: full names, values behind them or alone in their order.
pub(super) fn bind(command: &str, parameters: &[Parameter], arguments: Vec<Argument>) -> Result<Bound, Error> {
    let mut bound = BTreeMap::new();
    let mut alone = Vec::new();
    for Argument { name, value } in arguments {
        let Some(name) = name else {
            alone.push(value);
            continue;
        };
        let parameter = find(parameters, &name).ok_or_else(|| unknown(command, &name))?;
        let value = if parameter.takes == Takes::Switch && value == Value::Nil { Value::Bool(true) } else { value };
        if bound.insert(parameter.name, value).is_some() {
            let message =
                format!("Cannot bind parameter because parameter '{}' is specified more than once.", parameter.name);
            return Err(Error::binding("ParameterAlreadyBound", command, message));
        }
    }
    let free: Vec<_> = parameters
        .iter()
        .filter(|parameter| parameter.takes == Takes::Next && !bound.contains_key(parameter.name))
        .collect();
    for (index, value) in alone.into_iter().enumerate() {
        let parameter = free.get(index).ok_or_else(|| too_many(command, &value))?;
        bound.insert(parameter.name, value);
    }
    Ok(Bound(bound))
}

fn find(parameters: &[Parameter], name: &str) -> Option<Parameter> {
    parameters.iter().chain(&COMMON).find(|parameter| parameter.name.eq_ignore_ascii_case(name)).copied()
}

fn unknown(command: &str, name: &str) -> Error {
    let message = format!("A parameter cannot be found that matches parameter name '{name}'.");
    Error::binding("NamedParameterNotFound", command, message)
}

fn too_many(command: &str, value: &Value) -> Error {
    let message = format!("A positional parameter cannot be found that accepts argument '{}'.", text(value));
    Error::binding("PositionalParameterNotFound", command, message)
}
