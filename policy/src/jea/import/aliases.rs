//! `AliasDefinitions` and `VisibleAliases`.

use super::draft::{AliasDraft, Commented, RoleDraft};
use super::{commands, values};
use crate::fold::fold;
use crate::jea::data::{Entry, Place, Table};
use crate::jea::known;
use crate::jea::note::{Notes, shown};

/// Reads both fields into the role, whose commands have been read. An alias is visible when it is defined, unless
/// there is a list of visible ones.
pub(super) fn read(table: &Table, role: &mut RoleDraft, notes: &mut Notes<'_>) {
    let defined = table.get("AliasDefinitions").map(|entry| definitions(entry, notes)).unwrap_or_default();
    match table.get("VisibleAliases") {
        None => {
            for (place, alias) in defined {
                role.aliases.push(checked(place, "AliasDefinitions", alias, role, notes));
            }
        }
        Some(entry) => visible(entry, defined, role, notes),
    }
}

fn definitions(entry: &Entry, notes: &mut Notes<'_>) -> Vec<(Place, AliasDraft)> {
    let mut aliases: Vec<(Place, AliasDraft)> = Vec::new();
    for node in values::items(&entry.node) {
        let table = values::table(node);
        let member = |name: &str| table.and_then(|table| values::member(table, name));
        let (Some(alias), Some(command)) = (member("Name"), member("Value")) else {
            notes.left_out(
                node.place,
                &entry.key,
                "no hashtable with `Name` and `Value`; PowerShell refuses to load it",
            );
            continue;
        };
        if aliases.iter().any(|(_, other)| fold(&other.alias) == fold(alias)) {
            notes.left_out(node.place, &entry.key, format!("the alias `{}` is defined twice", shown(alias)));
            continue;
        }
        aliases.push((node.place, AliasDraft { alias: alias.to_owned(), command: command.to_owned() }));
    }
    notes.became(entry.place, &entry.key, format!("{} aliases, as far as they are visible", aliases.len()));
    aliases
}

fn visible(entry: &Entry, defined: Vec<(Place, AliasDraft)>, role: &mut RoleDraft, notes: &mut Notes<'_>) {
    let texts = values::texts(entry, notes);
    for (place, text) in &texts {
        if text.contains(['*', '?', '[']) && *text != "*" {
            let why = format!("`{}`: aliases with wildcards cannot be expressed; write their names", shown(text));
            role.comments.push(format!("left out: {}", notes.left_out(*place, &entry.key, why)));
        } else if *text != "*" && !defined.iter().any(|(_, alias)| fold(&alias.alias) == fold(text)) {
            let alias = by_catalogue(text, role);
            let alias = match alias {
                Some(alias) => checked(*place, &entry.key, alias, role, notes),
                None => {
                    let why = format!("`{}` is the alias of no command that the role names", shown(text));
                    Commented::left_out(notes.left_out(*place, &entry.key, why))
                }
            };
            role.aliases.push(alias);
        }
    }
    let listed = |alias: &str| texts.iter().any(|(_, text)| *text == "*" || fold(text) == fold(alias));
    for (place, alias) in defined {
        if listed(&alias.alias) {
            role.aliases.push(checked(place, "AliasDefinitions", alias, role, notes));
        } else {
            let why = format!("the alias `{}` is defined and not among VisibleAliases", shown(&alias.alias));
            notes.left_out(place, "AliasDefinitions", why);
        }
    }
    let taken = role.aliases.iter().filter(|alias| alias.item.is_some()).count();
    notes.became(entry.place, &entry.key, format!("{taken} aliases of the role are visible"));
}

/// An alias that PowerShell has from the start, when the role names its command.
fn by_catalogue(alias: &str, role: &RoleDraft) -> Option<AliasDraft> {
    let named = role.cmdlets.iter().chain(&role.functions).filter_map(|entry| entry.item.as_ref());
    let found = named.map(|entry| entry.name.as_str()).find(|name| known::is_alias_of(alias, name))?;
    let command = found.rsplit('\\').next().unwrap_or_default().to_owned();
    Some(AliasDraft { alias: alias.to_owned(), command })
}

fn checked(
    place: Place,
    field: &str,
    alias: AliasDraft,
    role: &RoleDraft,
    notes: &mut Notes<'_>,
) -> Commented<AliasDraft> {
    let AliasDraft { alias: name, command } = &alias;
    let plain = |text: &str| commands::check_name(text).is_ok() && !text.contains(['*', '\\']);
    if !plain(name) || !plain(command) {
        let why = format!("the alias `{}` of `{}`: no plain names", shown(name), shown(command));
        return Commented::left_out(notes.left_out(place, field, why));
    }
    let named = role.cmdlets.iter().chain(&role.functions).filter_map(|entry| entry.item.as_ref());
    let covers = |entry: &str| {
        let bare = fold(entry.rsplit('\\').next().unwrap_or_default());
        bare == fold(command) || bare.contains('*')
    };
    let comments = if named.map(|entry| entry.name.as_str()).any(covers) {
        Vec::new()
    } else {
        let text =
            format!("the alias `{}` stands for {}, which the role does not make visible", shown(name), shown(command));
        vec![notes.trap(place, field, text)]
    };
    Commented::new(alias, comments)
}
