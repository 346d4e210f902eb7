//! `policy diff`: what another policy would decide otherwise.

use std::io::Write;

use sekisho_policy::{Decision, Policy};

use super::super::{CommandError, Status};
use super::cases::{self, Case};
use super::{PolicyCommandError, shown};
use crate::cli::DiffArguments;
use crate::policy_files::load;

pub(super) fn run(arguments: &DiffArguments, out: &mut dyn Write) -> Result<Status, CommandError> {
    let old = load(&arguments.old).map_err(PolicyCommandError::from)?;
    let new = load(&arguments.new).map_err(PolicyCommandError::from)?;
    let cases = cases::load(&arguments.requests)?;
    let mut count = Count::default();
    for case in &cases {
        count.add(write(case, &old, &new, out)?);
    }
    writeln!(
        out,
        "{} requests: {} would be allowed, {} would be denied, {} would be allowed otherwise",
        cases.len(),
        count.allowed,
        count.denied,
        count.otherwise
    )?;
    Ok(if count == Count::default() { Status::Fine } else { Status::Found })
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

fn write(case: &Case, old: &Policy, new: &Policy, out: &mut dyn Write) -> Result<Change, CommandError> {
    let (old, new) = (case.request.judge(old), case.request.judge(new));
    let change = change(&old, &new);
    if !matches!(change, Change::None) {
        writeln!(out, "{}: {}", case.place, case.name)?;
        writeln!(out, "    {}", shown::request(&case.request))?;
        for (sign, decision) in [('-', &old), ('+', &new)] {
            writeln!(out, "  {sign} {}", shown::verdict(decision))?;
            shown::canonical(decision).iter().try_for_each(|line| writeln!(out, "      {line}"))?;
        }
    }
    Ok(change)
}
