//! Logins, as many as there is time for. Nothing follows them.

use crate::Outcome;
use crate::http::Road;
use crate::many::at_once;
use crate::plan::Plan;
use crate::session::log_in;
use serde_json::{Value, json};
use std::time::Instant;

pub(crate) fn run(plan: &Plan) -> Outcome<Value> {
    let route = plan.only_route()?;
    let counts = at_once(plan.threads, |_number| {
        let (road, begun, mut count) = (Road::new(route)?, Instant::now(), 0_u32);
        while begun.elapsed() < plan.time() {
            drop(log_in(&road, route)?);
            count = count.saturating_add(1);
        }
        Ok((count, begun.elapsed().as_secs_f64()))
    })?;
    let rate: f64 = counts.iter().map(|(count, took)| f64::from(*count) / took).sum();
    let total: u32 = counts.iter().map(|(count, _)| *count).sum();
    Ok(json!({ "logins": total, "per_second": rate }))
}
