//! JEA's files.

use sekisho_policy::jea::data::{Node, Value, read};
use sekisho_policy::jea::{File, import};
use sekisho_policy::{Mistake, Policy, Source};

/// Any bytes as each kind of file: refused with places inside, or documents that compile.
pub fn import_files(input: &[u8]) {
    for names in [&["r.psrc"][..], &["s.pssc"], &["r.psrc", "r.pssc"]] {
        let files: Vec<File<'_>> = names.iter().map(|name| File { name, bytes: input }).collect();
        match import(&files) {
            Ok(imported) => {
                assert_eq!(imported.documents.len(), names.len());
                assert!(
                    imported.notes.iter().all(|note| note.line >= 1 && note.column >= 1 && !note.message.is_empty())
                );
                let documents = imported.documents.iter();
                let sources: Vec<Source<'_>> =
                    documents.map(|document| Source { name: &document.name, text: &document.text }).collect();
                if let Err(mistakes) = Policy::compile(&sources) {
                    panic!("what was imported does not compile: {mistakes:#?}\n{:#?}", imported.documents);
                }
            }
            Err(mistakes) => check(&mistakes, input),
        }
    }
    if let Ok(table) = read("f.psd1", input) {
        assert!(table.0.iter().all(|entry| levels(&entry.node) <= sekisho_policy::limits::DATA_DEPTH));
    }
}

fn check(mistakes: &[Mistake], input: &[u8]) {
    assert!(!mistakes.is_empty());
    for mistake in mistakes {
        // No line is shorter than one byte.
        assert!(mistake.line >= 1 && mistake.line <= input.len().saturating_add(1), "{mistake}");
        assert!(mistake.column >= 1 && !mistake.message.is_empty() && !mistake.hint.is_empty());
    }
}

fn levels(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => items.iter().map(levels).max().unwrap_or_default().saturating_add(1),
        Value::Table(table) => {
            table.0.iter().map(|entry| levels(&entry.node)).max().unwrap_or_default().saturating_add(1)
        }
        Value::Text(_) | Value::Number(_) | Value::Switch(_) | Value::Null | Value::Script(_) => 0,
    }
}
