//! Objects of PowerShell's, as this program shows them: as text, as JSON, in tables. `docs/agent.md`, "Objects".

mod json;
mod record;
mod rows;
mod table;
mod text;
mod trouble;
mod types;
mod values;
mod view;

pub use json::{Json, Nested};
pub use record::{Read, read};
pub(crate) use record::{Written, progress};
pub use rows::Rows;
pub use table::write_rows;
pub use text::text;
pub use trouble::write_trouble;
pub use types::type_names;
pub(crate) use values::{Values, texts};
pub use view::Selection;

use sekisho_protocol::clixml::{Content, Member, Object, Value};
use std::collections::HashSet;

/// The members of an object: those of its type, and those that were added, which hide the former.
fn members(object: &Object) -> Vec<&Member> {
    let added = object.extended.as_deref().unwrap_or_default();
    let hidden: HashSet<String> = added.iter().map(|(name, _)| name.to_lowercase()).collect();
    let own = object.adapted.as_deref().unwrap_or_default();
    own.iter().filter(|(name, _)| !hidden.contains(&name.to_lowercase())).chain(added).collect()
}

/// A property by its name, whatever its letter case: of an object a member, of a dictionary an entry.
fn property<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    let name = name.to_lowercase();
    let lists = [&object.extended, &object.adapted];
    let mut members = lists.into_iter().flatten().flatten();
    if let Some((_, value)) = members.find(|(known, _)| known.to_lowercase() == name) {
        return Some(value);
    }
    let Content::Dictionary(entries) = &object.content else { return None };
    entries.iter().find(|(key, _)| text(key).to_lowercase() == name).map(|(_, value)| value)
}

/// Whether it is a value of an enumeration.
fn is_enumeration(object: &Object) -> bool {
    object.types.iter().flat_map(|types| types.iter()).any(|name| types::plain(name) == "System.Enum")
}

#[cfg(test)]
mod tests;
