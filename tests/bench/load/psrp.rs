//! Commands in open pools of PowerShell remoting: one after another on each route in turn, or one with much output.

use crate::Outcome;
use crate::http::Road;
use crate::latency::parts;
use crate::plan::{Plan, Route};
use crate::pool::{Pool, command};
use crate::session::log_in;
use sekisho_protocol::clixml::Value;
use std::time::Duration;

fn open(route: &Route) -> Outcome<Pool> {
    Pool::open(log_in(&Road::new(route)?, route)?, route)
}

/// Commands with one object of output.
pub(crate) fn latency(plan: &Plan) -> Outcome<serde_json::Value> {
    let asked = command("Get-Service", vec![("Name", Value::text("Spooler"))]);
    let mut pools = Vec::new();
    for route in &plan.routes {
        pools.push((open(route)?, Vec::with_capacity(plan.count)));
    }
    for turn in 0..plan.warmup.saturating_add(plan.count) {
        for (pool, taken) in &mut pools {
            let (took, brought) = pool.run(&asked, Duration::ZERO)?;
            if brought.objects != 1 {
                return Err(format!("{} objects of one", brought.objects).into());
            }
            if plan.warmup <= turn {
                taken.push(took);
            }
        }
    }
    let mut result = serde_json::Map::new();
    for ((pool, taken), route) in pools.into_iter().zip(&plan.routes) {
        pool.close()?;
        result.insert(route.name.clone(), parts(&taken));
    }
    Ok(serde_json::Value::Object(result))
}

/// Commands with `bytes` of output each, every route in turn.
pub(crate) fn output(plan: &Plan) -> Outcome<serde_json::Value> {
    let text = |name: &str| Value::text(name);
    let count = plan.bytes.checked_div(plan.program_bytes()).and_then(|count| i64::try_from(count).ok());
    let count = count.ok_or("too many bytes")?;
    let asked = command("Get-Content", vec![("Path", text(&plan.program)), ("TotalCount", Value::long(count))]);
    let pause = Duration::try_from_secs_f64(plan.pause)?;
    let mut pools = plan.routes.iter().map(open).collect::<Outcome<Vec<_>>>()?;
    let mut runs = vec![Vec::new(); pools.len()];
    for turn in 0..plan.warmup.saturating_add(plan.count) {
        for (pool, runs) in pools.iter_mut().zip(&mut runs) {
            let (took, brought) = pool.run(&asked, pause)?;
            if i64::try_from(brought.objects) != Ok(count) {
                return Err(format!("{} objects of {count}", brought.objects).into());
            }
            if plan.warmup <= turn {
                let seconds = took.whole().as_secs_f64();
                runs.push(serde_json::json!({
                    "seconds": seconds, "bytes": brought.bytes, "envelopes": brought.envelopes,
                }));
            }
        }
    }
    let mut result = serde_json::Map::new();
    for ((pool, runs), route) in pools.into_iter().zip(runs).zip(&plan.routes) {
        pool.close()?;
        result.insert(route.name.clone(), runs.into());
    }
    Ok(serde_json::Value::Object(result))
}
