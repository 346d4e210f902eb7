//! `policy decide`: JSON lines in and out, for programs.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use sekisho_policy::Policy;
use serde_json::Value as Json;

use super::super::{CommandError, Status};
use super::PolicyCommandError;
use super::forms::{Answer, Request, one_line};
use super::lines::{DEADLINE, Lines, id_of};
use crate::policy_files::load;

pub(super) fn run(policy: &Path, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<Status, CommandError> {
    let policy = load(policy).map_err(PolicyCommandError::from)?;
    let lines = Lines { respond: Arc::new(move |line| respond(&policy, line)), refuse, deadline: DEADLINE };
    lines.answer(input, out)?;
    Ok(Status::Fine)
}

fn respond(policy: &Policy, line: &[u8]) -> String {
    let id = id_of(line);
    one_line(&match Request::parse(line) {
        Ok(request) => Answer::new(id, &request.judge(policy)),
        Err(why) => Answer::denied(id, why),
    })
}

fn refuse(id: Json, reason: String) -> String {
    one_line(&Answer::denied(id, reason))
}
