//! `policy explain`: one request, and why it is decided as it is.

use std::io::{BufRead, Write};

use sekisho_policy::Decision;
use serde_json::Value as Json;

use super::super::{CommandError, Status};
use super::forms::{Answer, one_line};
use super::{PolicyCommandError, asked, shown};
use crate::cli::ExplainArguments;
use crate::policy_files::load;

pub(super) fn run(
    arguments: &ExplainArguments,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<Status, CommandError> {
    let policy = load(&arguments.policy).map_err(PolicyCommandError::from)?;
    let request = asked::request(&arguments.facts, &arguments.what, input)?;
    let decision = request.judge(&policy);
    if arguments.json {
        writeln!(out, "{}", one_line(&Answer::new(Json::Null, &decision)))?;
    } else {
        writeln!(out, "{}", shown::verdict(&decision))?;
        for line in shown::canonical(&decision) {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(match decision {
        Decision::Allow(_) => Status::Fine,
        Decision::Deny(_) => Status::Found,
    })
}
