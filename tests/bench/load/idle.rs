//! Sessions that stay open: says on standard output when all are, and closes them when a line comes in.

use crate::Outcome;
use crate::http::Road;
use crate::many::at_once;
use crate::plan::Plan;
use crate::session::log_in;
use serde_json::{Value, json};
use std::io::{Write as _, stdin, stdout};

pub(crate) fn run(plan: &Plan) -> Outcome<Value> {
    let threads = plan.threads.max(1);
    let shells = at_once(threads, |number| {
        let mut shells = Vec::new();
        for serial in (number..plan.count).step_by(threads) {
            let route = serial.checked_rem(plan.routes.len()).and_then(|at| plan.routes.get(at)).ok_or("no route")?;
            let mut shell = log_in(&Road::new(route)?, route)?.open(route)?;
            for _ in 0..plan.warmup {
                shell.run(&plan.program)?;
            }
            shells.push(shell);
        }
        Ok(shells)
    })?;
    writeln!(stdout(), "{}", json!({ "open": shells.iter().map(Vec::len).sum::<usize>() }))?;
    stdin().read_line(&mut String::new())?;
    for shell in shells.into_iter().flatten() {
        shell.close()?;
    }
    Ok(json!({}))
}
