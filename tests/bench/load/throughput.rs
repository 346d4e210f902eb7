//! Commands in open shells, as many as there is time for.

use crate::Outcome;
use crate::http::Road;
use crate::many::at_once;
use crate::plan::Plan;
use crate::session::log_in;
use serde_json::{Value, json};
use std::sync::Barrier;
use std::time::Instant;

pub(crate) fn run(plan: &Plan) -> Outcome<Value> {
    let begin = Barrier::new(plan.threads.max(1));
    let counts = at_once(plan.threads, |number| {
        let opened =
            plan.routes.get(number.checked_rem(plan.routes.len()).unwrap_or(0)).ok_or_else(|| "no route".into());
        let opened = opened.and_then(|route| {
            let mut shell = log_in(&Road::new(route)?, route)?.open(route)?;
            shell.run(&plan.program).map(|_| shell)
        });
        // All wait for all, whether they could open their shell or not.
        begin.wait();
        let (mut shell, begun, mut count) = (opened?, Instant::now(), 0_u32);
        while begun.elapsed() < plan.time() {
            shell.run(&plan.program)?;
            count = count.saturating_add(1);
        }
        let took = begun.elapsed().as_secs_f64();
        shell.close()?;
        Ok((count, took))
    })?;
    let rate: f64 = counts.iter().map(|(count, took)| f64::from(*count) / took).sum();
    let total: u32 = counts.iter().map(|(count, _)| *count).sum();
    Ok(json!({ "commands": total, "per_second": rate }))
}
