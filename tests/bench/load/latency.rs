//! Commands in open shells, one after another, each route in turn.

use crate::Outcome;
use crate::http::Road;
use crate::plan::Plan;
use crate::session::{Took, log_in};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) fn run(plan: &Plan) -> Outcome<Value> {
    let mut shells = Vec::new();
    for route in &plan.routes {
        shells.push((log_in(&Road::new(route)?, route)?.open(route)?, Vec::with_capacity(plan.count)));
    }
    for turn in 0..plan.warmup.saturating_add(plan.count) {
        for (shell, taken) in &mut shells {
            let took = shell.run(&plan.program)?;
            if plan.warmup <= turn {
                taken.push(took);
            }
        }
    }
    let mut result = serde_json::Map::new();
    for ((shell, taken), route) in shells.into_iter().zip(&plan.routes) {
        shell.close()?;
        result.insert(route.name.clone(), parts(&taken));
    }
    Ok(Value::Object(result))
}

pub(crate) fn parts(taken: &[Took]) -> Value {
    let of = |part: fn(&Took) -> Duration| taken.iter().map(|took| micros(part(took))).collect::<Vec<_>>();
    json!({
        "whole": of(|took| took.whole()),
        "command": of(|took| took.command),
        "receive": of(|took| took.receive),
        "signal": of(|took| took.signal),
    })
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
