//! `policy propose`: the least policy that would have allowed what was denied, for people to cut down further.

mod document;
mod rule;
mod understand;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use sekisho_policy::command::ScriptRequest;
use sekisho_policy::{Action, Circumstances, Edition, Policy, Principal, Source, TargetFacts};

use super::super::{CommandError, Status};
use super::audited::{self, AuditedOutcome};
use super::forms::{Request, edition};
use super::{PolicyCommandError, read_text, shown};
use crate::cli::ProposeArguments;
use crate::policy_files::own_catalogue;
use document::{LeftOut, Proposal};
use rule::{Holders, Need};
use understand::Scratch;

/// Who and where, when nobody says it: to be replaced by hand.
const SOMEBODY: &str = r"DOMAIN\group";
const SOMEWHERE: &str = "target.domain.example";

pub(super) fn run(arguments: &ProposeArguments, out: &mut dyn Write) -> Result<Status, CommandError> {
    let edition = edition(&arguments.edition).map_err(PolicyCommandError::Asked)?;
    let catalogue = match &arguments.policy {
        Some(path) => own_catalogue(path).map_err(PolicyCommandError::from)?,
        None => String::new(),
    };
    let mut left_out = Vec::new();
    let wishes = wishes(arguments, edition, &mut left_out)?;
    let scratch = Scratch { catalogue: &catalogue };
    let mut needs: BTreeMap<Need, Holders> = BTreeMap::new();
    for wish in &wishes {
        match scratch.needs(wish) {
            Ok(found) => found.into_iter().for_each(|need| needs.entry(need).or_default().add(wish)),
            Err(why) => LeftOut::add(&mut left_out, shown::request(wish), why),
        }
    }
    let mut proposal = Proposal::new(needs, left_out);
    for wish in still_denied(&proposal, &catalogue, &wishes) {
        let why = "no rule of this policy can allow it as it was written".to_owned();
        LeftOut::add(&mut proposal.left_out, shown::request(wish), why);
    }
    out.write_all(proposal.text().as_bytes())?;
    Ok(Status::Fine)
}

/// What shall be allowed.
fn wishes(
    arguments: &ProposeArguments,
    edition: Edition,
    left_out: &mut Vec<LeftOut>,
) -> Result<Vec<Request>, PolicyCommandError> {
    if let Some(path) = &arguments.script {
        return script(path, arguments, edition);
    }
    let Some(directory) = &arguments.audit else { return Ok(Vec::new()) };
    let audited = audited::load(directory)?;
    left_out.extend(audited.left_out.iter().map(|(why, times)| LeftOut {
        what: "a request of the audit log".to_owned(),
        why: (*why).to_owned(),
        times: *times,
    }));
    let denied = audited.requests.into_iter().filter(|one| one.outcome == AuditedOutcome::Denied);
    Ok(denied
        .map(|one| {
            let mut request = one.request;
            request.target.edition = edition;
            request
        })
        .collect())
}

/// The commands of a script: of the whole text where it is one pipeline, of each of its lines otherwise.
fn script(path: &Path, arguments: &ProposeArguments, edition: Edition) -> Result<Vec<Request>, PolicyCommandError> {
    let text = read_text(path, &mut io::empty())?;
    let text = text.trim_start_matches('\u{FEFF}');
    let whole = sekisho_policy::powershell::parse(text, &sekisho_policy::command::Bindings::default()).is_ok();
    let lines: Vec<&str> = if whole { vec![text] } else { text.lines().collect() };
    let says_something = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let name = arguments.user.clone().unwrap_or_else(|| SOMEBODY.to_owned());
    let target = arguments.target.clone().unwrap_or_else(|| SOMEWHERE.to_owned());
    let request = |line: &str| Request {
        principal: Principal { name: name.clone(), groups: Vec::new() },
        target: TargetFacts { name: target.clone(), groups: Vec::new(), tags: Vec::new(), edition },
        circumstances: Circumstances::default(),
        action: Action::Script(ScriptRequest::new(line)),
    };
    Ok(lines.into_iter().filter(says_something).map(request).collect())
}

/// The wishes that the proposal does not fulfil, though it was made for them.
fn still_denied<'w>(proposal: &Proposal, catalogue: &str, wishes: &'w [Request]) -> Vec<&'w Request> {
    if proposal.is_empty() {
        return Vec::new();
    }
    let text = proposal.text();
    let mut sources = vec![Source { name: "proposal.toml", text: &text }];
    if !catalogue.is_empty() {
        sources.push(Source { name: "catalog.toml", text: catalogue });
    }
    let policy = Policy::compile(&sources).ok().map(|compiled| compiled.policy);
    let denied = |wish: &&Request| {
        let known = proposal.left_out.iter().any(|left| left.what == shown::request(wish));
        !known && policy.as_ref().is_none_or(|policy| wish.judge(policy).allowed().is_none())
    };
    wishes.iter().filter(denied).collect()
}
