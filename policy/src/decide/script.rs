//! Script text: a pinned script as it is, and any other text as the commands that it spells.

use super::explain;
use super::search::{Asked, Feed, Miss, Missed, checked, judge_listed};
use super::values::{self, ValueRefusal};
use super::{Bench, Judged, commands, nearest, plain};
use crate::action::Presence;
use crate::bind::{Bound, Grant, bind};
use crate::catalog::{CommandInfo, Membership, ParameterInfo, ParameterKind, Uncertainty, Unnamed};
use crate::command::ScriptRequest;
use crate::decision::{Allowed, Checked, CheckedParameter, CheckedScript, Denied, DenyReason};
use crate::fold::fold;
use crate::model::{Declared, DeclaredKind, DeclaredParameter, ParameterRule, Role, ScriptRule};
use crate::powershell;
use crate::script::PinnedText;

/// Judges text that came as the only command of a pipeline.
pub(super) fn judge(bench: &Bench<'_>, request: &ScriptRequest) -> Judged {
    let refused = match judge_pinned(bench, request) {
        Some(Ok(allowed)) => return Ok(allowed),
        Some(Err(denied)) => Some(denied),
        None => None,
    };
    // Whoever sends a pinned script is told what it takes, and not how else it reads.
    judge_text(bench, request).map_err(|denied| refused.unwrap_or(denied))
}

/// Judges text as the commands that it spells, and never as a pinned script.
pub(super) fn judge_text(bench: &Bench<'_>, request: &ScriptRequest) -> Judged {
    match powershell::parse(&request.text, &request.bindings) {
        Ok(pipeline) => commands::judge_statements(bench, std::slice::from_ref(&pipeline), request.input),
        Err(refusal) => Err(Box::new(Denied {
            place: Some(refusal.place),
            ..plain(DenyReason::Text(refusal.construct), refusal.to_string())
        })),
    }
}

/// What the roles say of a text that one of them pins; nothing when none does.
fn judge_pinned(bench: &Bench<'_>, request: &ScriptRequest) -> Option<Judged> {
    if bench.held.iter().all(|role| role.scripts.is_empty()) {
        return None;
    }
    let pinned = PinnedText::of(&request.text);
    let mut refused = None;
    let mut allowed: Option<(Allowed, CheckedScript)> = None;
    for role in &bench.held {
        for rule in role.scripts_for(pinned.sha256()) {
            match judge_rule(role, rule, request) {
                Ok(script) => match &mut allowed {
                    Some((_, first)) => merge_marks(first, &script),
                    None => allowed = Some((answer(role, rule, &script), script)),
                },
                Err(denied) => refused = refused.or(Some(denied)),
            }
        }
    }
    match allowed {
        Some((allowed, script)) => Some(Ok(Allowed { checked: Checked::Script(script), ..allowed })),
        None => refused.map(Err),
    }
}

fn answer(role: &Role, rule: &ScriptRule, script: &CheckedScript) -> Allowed {
    Allowed { role: role.name.clone(), rule: rule.name.clone(), checked: Checked::Script(script.clone()) }
}

/// A value is secret, and questions may be asked, when one of the rules that allow says so.
fn merge_marks(script: &mut CheckedScript, other: &CheckedScript) {
    let merge = |mine: &mut Vec<CheckedParameter>, others: &[CheckedParameter]| {
        mine.iter_mut().zip(others).for_each(|(one, other)| one.secrecy = one.secrecy.or(other.secrecy));
    };
    merge(&mut script.parameters, &other.parameters);
    merge(&mut script.using, &other.using);
    script.prompts = script.prompts.or(other.prompts);
}

fn judge_rule(role: &Role, rule: &ScriptRule, request: &ScriptRequest) -> Result<CheckedScript, Box<Denied>> {
    let denied = |by| {
        let (reason, message) = explain::missed(&Missed { role, rule: Asked::Script(rule), by });
        Box::new(Denied { nearest: Some(nearest(role, &rule.name)), ..plain(reason, message) })
    };
    if request.input == Presence::Present {
        return Err(denied(Miss::Fed(Feed::Input)));
    }
    let info = metadata(rule);
    let bound = bind(&info, &request.bindings.arguments).map_err(|refusal| denied(Miss::Unbound(refusal)))?;
    let parameters = bound.iter().map(|one| judge_one(one, rule));
    let parameters = parameters.collect::<Result<Vec<_>, _>>().map_err(denied)?;
    let using = judge_using(rule, request).map_err(denied)?;
    let (name, sha256, text) = (rule.name.clone(), rule.sha256.clone(), rule.text.clone());
    Ok(CheckedScript { name, sha256, text, parameters, using, prompts: rule.prompts })
}

fn judge_one<'a>(bound: &Bound<'a>, script: &'a ScriptRule) -> Result<CheckedParameter, Miss<'a>> {
    let rule = script.parameter(&fold(bound.name)).ok_or(Miss::Hidden(bound.name))?;
    if values::is_joined(rule, &bound.value) && !script.takes_several(bound.name) {
        return Err(Miss::Value(rule, ValueRefusal::NotAccepted));
    }
    Ok(checked(bound, judge_listed(rule, bound.name, &bound.value)?))
}

/// Every `$using:` value has to be one that the rule names, each once.
fn judge_using<'a>(rule: &'a ScriptRule, request: &'a ScriptRequest) -> Result<Vec<CheckedParameter>, Miss<'a>> {
    let mut seen: Vec<&str> = Vec::new();
    let mut using = Vec::with_capacity(request.bindings.using.len());
    for (name, value) in &request.bindings.using {
        let known = rule.using(&fold(name)).ok_or(Miss::Using)?;
        if seen.contains(&known.name.as_str()) {
            return Err(Miss::Using);
        }
        seen.push(&known.name);
        if values::is_joined(known, value) {
            return Err(Miss::Value(known, ValueRefusal::NotAccepted));
        }
        let secrecy = judge_listed(known, &known.name, value)?;
        using.push(checked(&Bound::of(&known.name, Grant::Listed, value), secrecy));
    }
    Ok(using)
}

/// What a script takes, in the form in which arguments are bound.
fn metadata(rule: &ScriptRule) -> CommandInfo {
    let (parameters, unnamed) = match &rule.declared {
        Declared::InOrder(list) => (declared(list), Unnamed::Bind),
        Declared::Named(list) => (declared(list), Unnamed::Refuse),
        Declared::Unread => (undeclared(&rule.parameters), Unnamed::Refuse),
    };
    CommandInfo { common: false, unnamed, parameters, ..CommandInfo::new(rule.name.clone(), "") }
}

/// Positions in the order of the declaration; only those of parameters that are no switches count.
fn declared(list: &[DeclaredParameter]) -> Vec<ParameterInfo> {
    let numbered = (0..).zip(list);
    numbered
        .map(|(rank, one)| match one.kind {
            DeclaredKind::Switch => parameter(&one.name, &one.aliases, ParameterKind::Switch(Uncertainty::Sure), None),
            DeclaredKind::Value | DeclaredKind::Several => {
                parameter(&one.name, &one.aliases, ParameterKind::Value(String::new()), Some(rank))
            }
        })
        .collect()
}

/// Names as the rule has them. Whether one is a switch is not known.
fn undeclared(rules: &[ParameterRule]) -> Vec<ParameterInfo> {
    let kind = ParameterKind::Switch(Uncertainty::Doubtful);
    rules.iter().map(|rule| parameter(&rule.name, &[], kind.clone(), None)).collect()
}

fn parameter(name: &str, aliases: &[String], kind: ParameterKind, position: Option<u32>) -> ParameterInfo {
    let membership = vec![Membership { set: None, position, mandatory: false }];
    ParameterInfo { aliases: aliases.to_vec(), membership, ..ParameterInfo::new(name, kind) }
}
