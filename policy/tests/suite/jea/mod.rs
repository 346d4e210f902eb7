//! JEA's files: what becomes of each field, and what is warned of.

mod import;

use sekisho_policy::jea::{File, Imported, Outcome, import};
use sekisho_policy::{Compiled, Mistake};

/// Imports files given as text.
pub(crate) fn imported(files: &[(&str, &str)]) -> Imported {
    let files: Vec<File<'_>> = files.iter().map(|(name, text)| File { name, bytes: text.as_bytes() }).collect();
    let imported = import(&files).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    // Whatever was imported is a policy.
    compiled(&imported);
    imported
}

pub(crate) fn mistakes(files: &[(&str, &[u8])]) -> Vec<Mistake> {
    let files: Vec<File<'_>> = files.iter().map(|(name, bytes)| File { name, bytes }).collect();
    import(&files).err().unwrap()
}

/// The documents compiled together.
pub(crate) fn compiled(imported: &Imported) -> Compiled {
    let documents: Vec<(&str, &str)> =
        imported.documents.iter().map(|document| (document.name.as_str(), document.text.as_str())).collect();
    crate::support::compile(&documents)
}

/// The notes of one outcome as `line field: message`.
pub(crate) fn notes(imported: &Imported, outcome: Outcome) -> Vec<String> {
    let of = imported.notes.iter().filter(|note| note.outcome == outcome);
    of.map(|note| format!("{} {}: {}", note.line, note.field, note.message)).collect()
}
