//! Program rules: interpreters, and programs whose arguments should not be free.

use super::{Finding, dangers, patterns};
use crate::arguments::ArgumentForm;
use crate::document::RoleDocument;
use crate::interpreter::is_interpreter;
use crate::model::ProgramRule;
use crate::pattern::Reach;
use crate::source_text::Located;

pub(super) fn examine(role: &RoleDocument, findings: &mut Vec<Finding>) {
    for (name, rule) in &role.programs {
        examine_rule(name, rule, findings);
        if let ArgumentForm::Each { patterns: list, .. } = &rule.arguments.form {
            for value in list {
                patterns::examine(value.pattern.source(), &name.span, findings);
            }
        }
    }
}

fn examine_rule(name: &Located, rule: &ProgramRule, findings: &mut Vec<Finding>) {
    let program = rule.path.name();
    let (any, open) = match &rule.arguments.form {
        ArgumentForm::None | ArgumentForm::Exact(_) => (false, false),
        ArgumentForm::Each { patterns, .. } => {
            (false, patterns.iter().any(|value| value.pattern.reach() == Reach::Open))
        }
        ArgumentForm::Any => (true, true),
    };
    let base = rule.path.base();
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let danger = dangers::PROGRAMS.iter().find(|(names, _)| names.contains(&stem));
    let (message, hint) = if is_interpreter(rule.path.base()) {
        (
            format!(
                "{program} in an allowlist: it runs what it is given, and a path that is spelled out can be written to"
            ),
            "name the program that does the work, or pin a script",
        )
    } else if let Some((_, why)) = danger.filter(|_| open) {
        (format!("{program} with free arguments: {why}"), "list the arguments: { exact = [['a', 'b']] }")
    } else if any {
        (
            format!("{program} may be given any argument"),
            "list the arguments with `exact`, or restrict each with `each`: many programs write files or start others",
        )
    } else {
        return;
    };
    findings.push(Finding { span: name.span.clone(), message, hint: hint.to_owned() });
}
