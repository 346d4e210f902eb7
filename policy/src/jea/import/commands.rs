//! `VisibleCmdlets` and `VisibleFunctions`.

use super::draft::{CommandDraft, Commented, ParametersDraft};
use super::{document, parameter, traps, values};
use crate::command_pattern::CommandPattern;
use crate::fold::fold;
use crate::jea::data::{Entry, Node, Place, Table, Value};
use crate::jea::known;
use crate::jea::note::{Notes, shown};

const REFUSES: &str = "PowerShell refuses to load a file with it";

/// Reads every entry of the field; what is left out leaves a comment.
pub(super) fn read(entry: &Entry, notes: &mut Notes<'_>) -> Vec<Commented<CommandDraft>> {
    let mut commands: Vec<Commented<CommandDraft>> =
        values::items(&entry.node).iter().map(|node| command(node, &entry.key, notes)).collect();
    note_doubles(&mut commands, entry.node.place, &entry.key, notes);
    let taken = commands.iter().filter(|command| command.item.is_some()).count();
    let key = if fold(&entry.key) == fold("VisibleFunctions") { "functions" } else { "cmdlets" };
    notes.became(entry.place, &entry.key, format!("{taken} of {} entries became `{key}` of the role", commands.len()));
    commands
}

fn command(node: &Node, field: &str, notes: &mut Notes<'_>) -> Commented<CommandDraft> {
    match &node.value {
        Value::Text(name) => whole(node.place, name, field, notes),
        Value::Table(table) => restricted(node.place, table, field, notes),
        Value::Number(_) | Value::Switch(_) | Value::Null | Value::List(_) | Value::Script(_) => {
            let message = format!("{} among the commands: {REFUSES}", node.value.kind());
            Commented::left_out(notes.left_out(node.place, field, message))
        }
    }
}

/// A command with all its parameters.
fn whole(place: Place, name: &str, field: &str, notes: &mut Notes<'_>) -> Commented<CommandDraft> {
    // New-PSSessionConfigurationFile writes the name of the type for a hashtable within RoleDefinitions.
    if name == "System.Collections.Hashtable" {
        let why = "`System.Collections.Hashtable`: PowerShell wrote that in place of a command with its parameters, which \
                   are lost; write the hashtable into the file by hand, or use a role capability file";
        return Commented::left_out(notes.left_out(place, field, why));
    }
    if let Err(why) = check_name(name) {
        return Commented::left_out(notes.left_out(place, field, format!("`{}`: {why}", shown(name))));
    }
    let comments = traps::command(name).into_iter().map(|trap| notes.trap(place, field, trap)).collect();
    Commented::new(CommandDraft { name: name.to_owned(), parameters: ParametersDraft::All }, comments)
}

/// A command with a list of parameters.
fn restricted(place: Place, table: &Table, field: &str, notes: &mut Notes<'_>) -> Commented<CommandDraft> {
    let Some(name) = values::member(table, "Name") else {
        let message = format!("a hashtable without `Name`: {REFUSES}");
        return Commented::left_out(notes.left_out(place, field, message));
    };
    let named = |why: &str| format!("`{}`: {why}", shown(name));
    let Some(list) = table.get("Parameters") else {
        let why = "a hashtable without `Parameters`. The documentation takes it for the whole command, PowerShell \
                   refuses to load the file; write the name alone if all parameters are meant";
        return Commented::left_out(notes.left_out(place, field, named(why)));
    };
    if name.contains(['*', '?', '[', '\\']) {
        let why = "a name with wildcards or a module and a list of parameters. On a target nothing can be called by \
                   such an entry; write the bare name of one command";
        return Commented::left_out(notes.left_out(place, field, named(why)));
    }
    if let Err(why) = check_name(name) {
        return Commented::left_out(notes.left_out(place, field, named(why)));
    }
    let mut comments = note_members(place, table, name, field, notes);
    comments.extend(traps::restricted(name).map(|trap| notes.trap(place, field, trap)));
    let infos = known::infos(name);
    match parameter::read(name, (list, &infos), field, notes) {
        Ok((parameters, more)) => {
            comments.extend(more);
            let draft = CommandDraft { name: name.to_owned(), parameters: ParametersDraft::Listed(parameters) };
            if infos.is_empty() {
                unknown(place, &draft, comments, field, notes)
            } else {
                Commented::new(draft, comments)
            }
        }
        Err(comment) => Commented::left_out(comment),
    }
}

/// A policy can restrict only what the catalogue knows. What it would say stands in the comment.
fn unknown(
    place: Place,
    draft: &CommandDraft,
    mut comments: Vec<String>,
    field: &str,
    notes: &mut Notes<'_>,
) -> Commented<CommandDraft> {
    let message = format!(
        "{}: the catalogue does not know it, so that its parameters cannot be judged. Import what a target says of it \
         with `policy catalog import`, then write it into the list",
        shown(&draft.name)
    );
    comments.push(format!("left out: {}: {}", notes.left_out(place, field, message), document::command(draft)));
    Commented { comments, item: None }
}

fn note_members(place: Place, table: &Table, name: &str, field: &str, notes: &mut Notes<'_>) -> Vec<String> {
    let known = |key: &str| ["name", "parameters"].contains(&fold(key).as_str());
    let unknown = table.0.iter().filter(|entry| !known(&entry.key));
    unknown
        .map(|entry| {
            let message = format!(
                "`{}` of {}: PowerShell overlooks it, so that it restricts nothing",
                shown(&entry.key),
                shown(name)
            );
            notes.trap(place, field, message)
        })
        .collect()
}

/// What a command's name may be here: a name, `Module\Name`, and `*` in either.
pub(super) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.contains(['?', '[', ']']) {
        return Err("of wildcards only `*` can be expressed");
    }
    match CommandPattern::parse(name) {
        Ok(_) => Ok(()),
        Err(_) => Err("no name of a cmdlet or function, alone or as `Module\\Name`, that a client could call"),
    }
}

/// Several entries for one command: alternatives here, merged there.
fn note_doubles(commands: &mut [Commented<CommandDraft>], place: Place, field: &str, notes: &mut Notes<'_>) {
    let mut seen: Vec<(String, bool)> = Vec::new();
    for command in commands {
        let Some(item) = &command.item else { continue };
        let bare = fold(item.name.rsplit('\\').next().unwrap_or_default());
        let listed = matches!(item.parameters, ParametersDraft::Listed(_));
        let Some((_, first_listed)) = seen.iter().find(|(name, _)| *name == bare) else {
            seen.push((bare, listed));
            continue;
        };
        let message = if listed || *first_listed {
            format!(
                "{} stands here twice, at least once with a list of parameters. PowerShell makes one command of both, \
                 in which the lists and restrictions add up in a way that is not documented; here each entry stands \
                 alone, and what one of them allows is allowed",
                shown(&item.name)
            )
        } else {
            format!("{} stands here twice", shown(&item.name))
        };
        command.comments.push(notes.trap(place, field, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_commands() {
        for good in ["Get-Service", r"NetTCPIP\Get-NetIPAddress", "Get-Net*", "*-Service", r"Module\*", "*", "Get-受注"]
        {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Get-Serv?ce",
            "Get-[a-z]*",
            r"a\b\c",
            r"\Get-X",
            r"Module\",
            "Get Service",
            "a;b",
            "a\nb",
            "a\u{200D}b",
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
