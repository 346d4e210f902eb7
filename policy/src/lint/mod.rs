//! What is dangerous, doubtful or of no use in documents that are no mistake.

mod commands;
mod dangers;
mod patterns;
mod programs;

use crate::document::{Document, RoleDocument};
use crate::fold::fold;
use crate::model::{ConstantCommands, Policy, Role};
use crate::source_text::Span;

/// Something to be shown at its place.
pub(crate) struct Finding {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Why a command should be in no allowlist with all its parameters, by its folded name.
pub(crate) fn danger_of(folded: &str) -> Option<&'static str> {
    dangers::of_command(folded).next().map(|danger| danger.why)
}

/// Why a command should be in no allowlist, whatever its parameters are restricted to.
pub(crate) fn danger_of_restricted(folded: &str) -> Option<&'static str> {
    dangers::of_command(folded).find(|danger| matches!(danger.when, dangers::When::Always)).map(|danger| danger.why)
}

/// Examines one document of a compiled policy.
pub(crate) fn document(document: &Document, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for role in &document.roles {
        let key = fold(&role.name.text);
        if let Some(built) = policy.roles().iter().find(|built| fold(&built.name) == key) {
            examine_role(role, built, &mut findings);
        }
    }
    findings
}

/// Names that the gateway answers itself, with the command that each stands for.
const ANSWERED: [(&str, &str); 2] = [("gcm", "get-command"), ("exsn", "exit-pssession")];

/// An alias that is never asked for: sessions of PowerShell's have it for something that no target hears of.
fn examine_aliases(role: &RoleDocument, findings: &mut Vec<Finding>) {
    for alias in &role.aliases {
        let (name, command) = (fold(&alias.alias.text), fold(&alias.command.text));
        if ANSWERED.iter().any(|(known, answered)| *known == name && *answered != command) {
            findings.push(Finding {
                span: alias.alias.span.clone(),
                message: format!(
                    "the alias `{}` is PowerShell's own, and the gateway answers it itself",
                    alias.alias.text
                ),
                hint: "choose another name".to_owned(),
            });
        }
    }
}

fn examine_role(role: &RoleDocument, built: &Role, findings: &mut Vec<Finding>) {
    commands::examine(role, built, findings);
    programs::examine(role, findings);
    examine_aliases(role, findings);
    for script in &role.scripts {
        commands::examine_prompts(script.prompts, &script.name, findings);
        for parameter in script.parameters.iter().chain(&script.using) {
            patterns::examine_parameter(parameter, findings);
        }
    }
    if role.constant_commands == ConstantCommands::Read && role.commands.is_empty() {
        findings.push(Finding {
            span: role.name.span.clone(),
            message: "the role reads PowerShell's encoded commands and allows none".to_owned(),
            hint: "list `cmdlets`, or remove `powershell`".to_owned(),
        });
    }
}
