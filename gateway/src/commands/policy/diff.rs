//! `policy diff`: what another policy would decide otherwise.

use std::io::Write;

use sekisho_policy::{Decision, Policy};

use super::super::{CommandError, Status};
use super::forms::Request;
use super::{PolicyCommandError, audited, cases, shown};
use crate::cli::{DiffArguments, Workload};
use crate::policy_files::load;

pub(super) fn run(arguments: &DiffArguments, out: &mut dyn Write) -> Result<Status, CommandError> {
    let old = load(&arguments.old).map_err(PolicyCommandError::from)?;
    let new = load(&arguments.new).map_err(PolicyCommandError::from)?;
    let requests = requests(&arguments.workload, out)?;
    let mut count = Count::default();
    for (place, request) in &requests {
        count.add(write(place, request, (&old, &new), out)?);
    }
    writeln!(
        out,
        "{} requests: {} would be allowed, {} would be denied, {} would be allowed otherwise",
        requests.len(),
        count.allowed,
        count.denied,
        count.otherwise
    )?;
    Ok(if count == Count::default() { Status::Fine } else { Status::Found })
}

/// Requests, each with the place it is from.
fn requests(workload: &Workload, out: &mut dyn Write) -> Result<Vec<(String, Request)>, CommandError> {
    let mut requests = Vec::new();
    if let Some(path) = &workload.requests {
        let cases = cases::load(path)?;
        requests.extend(cases.into_iter().map(|case| (format!("{}: {}", case.place, case.name), case.request)));
    }
    if let Some(directory) = &workload.audit {
        let audited = audited::load(directory)?;
        for (why, times) in &audited.left_out {
            writeln!(out, "left out {times} times: {why}")?;
        }
        requests.extend(
            audited.requests.into_iter().map(|one| (format!("line {} of the audit log", one.seq), one.request)),
        );
    }
    Ok(requests)
}

#[derive(Clone, Copy)]
enum Change {
    None,
    Allowed,
    Denied,
    /// By another rule, or in another form.
    Otherwise,
}

#[derive(Default, PartialEq, Eq)]
struct Count {
    allowed: usize,
    denied: usize,
    otherwise: usize,
}

impl Count {
    fn add(&mut self, change: Change) {
        let count = match change {
            Change::None => return,
            Change::Allowed => &mut self.allowed,
            Change::Denied => &mut self.denied,
            Change::Otherwise => &mut self.otherwise,
        };
        *count = count.saturating_add(1);
    }
}

fn change(old: &Decision, new: &Decision) -> Change {
    match (old, new) {
        (Decision::Deny(_), Decision::Allow(_)) => Change::Allowed,
        (Decision::Allow(_), Decision::Deny(_)) => Change::Denied,
        (Decision::Allow(before), Decision::Allow(after)) if before != after => Change::Otherwise,
        (Decision::Allow(_), Decision::Allow(_)) | (Decision::Deny(_), Decision::Deny(_)) => Change::None,
    }
}

fn write(
    place: &str,
    request: &Request,
    (old, new): (&Policy, &Policy),
    out: &mut dyn Write,
) -> Result<Change, CommandError> {
    let (old, new) = (request.judge(old), request.judge(new));
    let change = change(&old, &new);
    if !matches!(change, Change::None) {
        writeln!(out, "{}", place.trim_end_matches([' ', ':']))?;
        writeln!(out, "    {}", shown::request(request))?;
        for (sign, decision) in [('-', &old), ('+', &new)] {
            writeln!(out, "  {sign} {}", shown::verdict(decision))?;
            shown::canonical(decision).iter().try_for_each(|line| writeln!(out, "      {line}"))?;
        }
    }
    Ok(change)
}
