//! From a role of a policy to JEA's files, for a second fence on the targets.
//!
//! INVARIANT(never-wider): what JEA cannot restrict as the policy does is left out of the files, with a note.

mod commands;
mod literal;
mod session;
#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

use self::literal::Literal;
use super::data::Place;
use super::note::{Note, Notes, plain};
use crate::action::TargetFacts;
use crate::arguments::ArgumentForm;
use crate::decision::{Input, Secrecy};
use crate::fold::fold;
use crate::model::{ConstantCommands, Policy, Role};

/// What to export.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The role, in any case of letters.
    pub role: &'a str,
    /// Only who holds the role there is named in the session configuration; without it, whoever holds it anywhere.
    pub target: Option<&'a TargetFacts>,
    /// Where the session configuration gets the role from.
    pub session: SessionForm,
}

/// Where a session configuration gets a role from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionForm {
    /// `RoleDefinitions` gives the role to those who hold it. For endpoints that are registered.
    #[default]
    Roles,
    /// The file makes visible itself what the role allows, for whoever may connect. For `pwsh -s -ConfigurationFile`
    /// behind another transport, which takes no `RoleDefinitions`.
    Whole,
}

/// Files that allow on a target what the role allows, or less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The role capability, to be put into a folder `RoleCapabilities` of a module.
    pub psrc: ExportedFile,
    /// The session configuration, to be registered with `Register-PSSessionConfiguration`.
    pub pssc: ExportedFile,
    /// What was left out, and what differs on a target.
    pub notes: Vec<Note>,
}

/// A file that PowerShell reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its name.
    pub name: String,
    /// UTF-8 with a byte order mark, which every edition reads.
    pub bytes: Vec<u8>,
}

/// Where notes on a role are: it has no place.
const NOWHERE: Place = Place { line: 1, column: 1 };

/// Writes a role as a role capability and a session configuration. `None`: there is no such role.
pub fn export(policy: &Policy, wanted: &Wanted<'_>) -> Option<Exported> {
    let folded = fold(wanted.role);
    let (index, role) = policy.roles().iter().enumerate().find(|(_, role)| fold(&role.name) == folded)?;
    let mut notes = Notes::new(&role.name);
    let mut visible = commands::visible(policy, role, &mut notes);
    visible.extend(programs(policy, role, &mut notes));
    note_other(role, &mut notes);
    let session = session::fields(policy, (index, role), wanted, &mut notes);
    let head = |kind: &str| vec![("GUID".to_owned(), Literal::text(guid(kind, &role.name)))];
    let role_fields = head("psrc").into_iter().chain(visible.clone()).collect();
    let mut session_fields = vec![("SchemaVersion".to_owned(), Literal::text("2.0.0.0"))];
    session_fields.extend(head("pssc"));
    session_fields.extend(session);
    if wanted.session == SessionForm::Whole {
        session_fields.extend(visible);
    }
    let mut notes = notes.taken;
    notes.sort();
    let file = |extension: &str, fields: Vec<(String, Literal)>, notes: &[Note]| ExportedFile {
        name: format!("{}.{extension}", role.name),
        bytes: file_bytes(policy, &role.name, fields, notes),
    };
    let psrc = file("psrc", role_fields, &notes);
    let pssc = file("pssc", session_fields, &[]);
    Some(Exported { psrc, pssc, notes })
}

fn file_bytes(policy: &Policy, role: &str, fields: Vec<(String, Literal)>, notes: &[Note]) -> Vec<u8> {
    let mut text = format!("\u{FEFF}# The role {} of the policy {}.\n", plain(role), policy.digest());
    for note in notes {
        text.push_str(&format!("# {}: {}: {}\n", note.field, note.outcome, plain(&note.message)));
    }
    text.push_str("@{\n");
    for (name, value) in fields {
        text.push_str(&format!("{name} = {value}\n"));
    }
    text.push_str("}\n");
    text.into_bytes()
}

/// An identifier that is the same whenever the same role is exported.
fn guid(kind: &str, role: &str) -> String {
    let digest = Sha256::digest(format!("{kind}\n{}", fold(role)));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// Programs with free arguments. JEA cannot restrict arguments, so that all others stay away.
fn programs(policy: &Policy, role: &Role, notes: &mut Notes<'_>) -> Option<(String, Literal)> {
    const FIELD: &str = "VisibleExternalCommands";
    let mut paths: Vec<&str> = Vec::new();
    for rule in &role.programs {
        let name = &rule.name;
        if let Some(denial) = policy.denials().touching_program(&rule.path) {
            notes.left_out(NOWHERE, FIELD, format!("{name}: the rule {} denies it", denial.name));
            continue;
        }
        match &rule.arguments.form {
            ArgumentForm::Any => {}
            ArgumentForm::None | ArgumentForm::Exact(_) | ArgumentForm::Each { .. } => {
                let why = format!("{name}: JEA cannot restrict the arguments of {}", rule.path.text());
                notes.left_out(NOWHERE, FIELD, why);
                continue;
            }
        }
        if rule.arguments.secrecy == Secrecy::Secret {
            notes.trap(NOWHERE, FIELD, format!("{name}: transcripts on the target show its secret arguments"));
        }
        if rule.input == Input::Permitted {
            notes.trap(NOWHERE, FIELD, format!("{name}: standard input is of WinRS, which no JEA endpoint offers"));
        }
        if !paths.contains(&rule.path.text()) {
            paths.push(rule.path.text());
        }
    }
    (!paths.is_empty()).then(|| (FIELD.to_owned(), Literal::texts(paths)))
}

/// What JEA knows nothing like.
fn note_other(role: &Role, notes: &mut Notes<'_>) {
    for script in &role.scripts {
        let why = format!("{}: no restricted endpoint takes the text of a script, pinned or not", script.name);
        notes.left_out(NOWHERE, "scripts", why);
    }
    if role.constant_commands() == ConstantCommands::Read {
        notes.left_out(NOWHERE, "powershell", "constant commands through WinRS need no endpoint of PowerShell's");
    }
}
