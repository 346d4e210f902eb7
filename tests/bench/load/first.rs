//! Whole sessions: connection, login, shell, one command, and the end of it all; each route in turn.

use crate::Outcome;
use crate::http::Road;
use crate::latency::micros;
use crate::plan::{Plan, Route};
use crate::session::log_in;
use serde_json::{Value, json};
use std::time::Instant;

pub(crate) fn run(plan: &Plan) -> Outcome<Value> {
    let roads = plan.routes.iter().map(Road::new).collect::<Outcome<Vec<_>>>()?;
    let mut taken = vec![(Vec::new(), Vec::new(), Vec::new()); plan.routes.len()];
    for turn in 0..plan.warmup.saturating_add(plan.count) {
        for ((route, road), (login, first, whole)) in plan.routes.iter().zip(&roads).zip(&mut taken) {
            let times = session(road, route, &plan.program)?;
            if plan.warmup <= turn {
                login.push(times.0);
                first.push(times.1);
                whole.push(times.2);
            }
        }
    }
    let named = plan.routes.iter().zip(taken);
    let result = named.map(|(route, (login, first, whole))| {
        (route.name.clone(), json!({ "login": login, "first": first, "whole": whole }))
    });
    Ok(Value::Object(result.collect()))
}

/// Until the login is done, until the command has ended, and until the shell is closed.
fn session(road: &Road, route: &Route, program: &str) -> Outcome<(f64, f64, f64)> {
    let begun = Instant::now();
    let connection = log_in(road, route)?;
    let login = micros(begun.elapsed());
    let mut shell = connection.open(route)?;
    shell.run(program)?;
    let first = micros(begun.elapsed());
    shell.close()?;
    Ok((login, first, micros(begun.elapsed())))
}
