//! A role capability file.

use super::Read;
use super::draft::{DocumentDraft, RoleDraft};
use super::{aliases, commands, metadata, programs, values};
use crate::fold::fold;
use crate::jea::data::{Entry, Place, Table};
use crate::jea::note::Notes;

/// The document of a role capability file: one role.
pub(super) fn document(file: &Read<'_>, notes: &mut Notes<'_>) -> DocumentDraft {
    let mut role = RoleDraft { name: values::plain_name(&file.stem), ..RoleDraft::default() };
    for entry in &file.table.0 {
        if fold(&entry.key) == fold("Description") {
            describe(entry, &mut role, notes);
        } else if !fill(entry, &mut role, notes) && !metadata::note(entry, notes) {
            metadata::unknown(entry, notes);
        }
    }
    aliases::read(&file.table, &mut role, notes);
    if role.name != file.stem {
        let message = format!("the role is named `{}`: other characters have no place in a name", role.name);
        role.comments.push(notes.trap(Place { line: 1, column: 1 }, "name", message));
    }
    if !role.allows() {
        let message = "the file makes nothing visible that could be taken over: the role allows nothing";
        role.comments.push(notes.trap(Place { line: 1, column: 1 }, "file", message));
    }
    DocumentDraft { roles: vec![role], ..DocumentDraft::default() }
}

fn describe(entry: &Entry, role: &mut RoleDraft, notes: &mut Notes<'_>) {
    match values::text(&entry.node) {
        Some("") => notes.became(entry.place, &entry.key, "nothing, since it is empty"),
        Some(text) => {
            role.description = Some(text.to_owned());
            notes.became(entry.place, &entry.key, "`description` of the role");
        }
        None => {
            notes.left_out(entry.place, &entry.key, format!("{} where a text belongs", entry.node.value.kind()));
        }
    }
}

/// Takes a field that makes something visible. `false`: it is another one. Aliases come later, since they need to
/// know the commands.
pub(super) fn fill(entry: &Entry, role: &mut RoleDraft, notes: &mut Notes<'_>) -> bool {
    match fold(&entry.key).as_str() {
        "visiblecmdlets" => role.cmdlets.extend(commands::read(entry, notes)),
        "visiblefunctions" => role.functions.extend(commands::read(entry, notes)),
        "visibleexternalcommands" => role.programs.extend(programs::read(entry, notes)),
        "visiblealiases" | "aliasdefinitions" => {}
        _ => return false,
    }
    true
}

/// Whether a hashtable makes anything visible by itself.
pub(super) fn makes_visible(table: &Table) -> bool {
    const FIELDS: [&str; 5] =
        ["VisibleCmdlets", "VisibleFunctions", "VisibleExternalCommands", "VisibleAliases", "AliasDefinitions"];
    FIELDS.iter().any(|field| table.get(field).is_some())
}
