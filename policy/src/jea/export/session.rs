//! The session configuration that goes with a role.

use std::collections::BTreeSet;

use super::{Literal, NOWHERE, SessionForm, Wanted};
use crate::jea::note::{Notes, shown};
use crate::model::{FoldedTarget, Policy, Requirement, Role};

pub(super) fn fields(
    policy: &Policy,
    (index, role): (usize, &Role),
    wanted: &Wanted<'_>,
    notes: &mut Notes<'_>,
) -> Vec<(String, Literal)> {
    let mut fields = vec![
        ("SessionType".to_owned(), Literal::text("RestrictedRemoteServer")),
        ("LanguageMode".to_owned(), Literal::text("NoLanguage")),
    ];
    if policy.defaults().is_none() {
        let why = "a session of this type has eight commands of its own, which the policy does not allow without \
                   `defaults = true`";
        notes.trap(NOWHERE, "SessionType", why);
    }
    let required = required(policy.requirement());
    match wanted.session {
        SessionForm::Roles => {
            fields.extend(required.map(|required| ("RequiredGroups".to_owned(), required)));
            fields.push(("RoleDefinitions".to_owned(), definitions(policy, (index, role), wanted, notes)));
        }
        SessionForm::Whole => {
            let why = "whoever may connect to this session has the role: only its transport asks who that is";
            notes.left_out(NOWHERE, "RoleDefinitions", why);
            if required.is_some() {
                notes.left_out(NOWHERE, "RequiredGroups", "such a session does not ask for groups");
            }
        }
    }
    fields
}

/// Who holds the role, as far as nothing else has to hold.
fn definitions(policy: &Policy, (index, role): (usize, &Role), wanted: &Wanted<'_>, notes: &mut Notes<'_>) -> Literal {
    const FIELD: &str = "RoleDefinitions";
    let target = wanted.target.map(FoldedTarget::new);
    let mut principals = BTreeSet::new();
    for assignment in policy.assignments().iter().filter(|assignment| assignment.roles.contains(&index)) {
        if target.as_ref().is_some_and(|target| !assignment.scope.fits(target)) {
            continue;
        }
        let who = assignment.principals.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ");
        if !assignment.conditions.always_hold() {
            let why =
                format!("{who}: JEA knows no hours and no source addresses, so that they would hold the role always");
            notes.left_out(NOWHERE, FIELD, why);
            continue;
        }
        if target.is_none() {
            let why = format!(
                "{who}: hold the role wherever this file is registered, and not only on the targets of the policy"
            );
            notes.trap(NOWHERE, FIELD, why);
        }
        principals.extend(assignment.principals.iter().map(String::as_str));
    }
    if principals.is_empty() {
        notes.trap(NOWHERE, FIELD, "nobody holds the role there: the file gives it to nobody");
    }
    let held = || Literal::Table(vec![("RoleCapabilities".to_owned(), Literal::text(&role.name))]);
    Literal::Table(principals.into_iter().map(|name| (name.to_owned(), held())).collect())
}

/// `None`: nothing is required.
fn required(requirement: &Requirement) -> Option<Literal> {
    match requirement {
        Requirement::And(parts) if parts.is_empty() => None,
        Requirement::And(parts) if parts.len() == 1 => parts.first().and_then(required),
        Requirement::Group { .. } => Some(Literal::Table(vec![("And".to_owned(), part(requirement))])),
        Requirement::And(_) | Requirement::Or(_) => Some(part(requirement)),
    }
}

fn part(requirement: &Requirement) -> Literal {
    let (key, parts) = match requirement {
        Requirement::Group { shown, .. } => return Literal::text(shown),
        Requirement::And(parts) => ("And", parts),
        Requirement::Or(parts) => ("Or", parts),
    };
    Literal::Table(vec![(key.to_owned(), Literal::List(parts.iter().map(part).collect()))])
}
