//! Files that PowerShell has written, imported without it. `SEKISHO_RECORD=1` writes what is expected anew.

use sekisho_policy::jea::{File, Imported, import};
use std::fs;
use std::path::PathBuf;

fn data(name: &str) -> PathBuf {
    sekisho_tests::source::root().join("tests/data/jea").join(name)
}

fn imported(names: &[&str]) -> Imported {
    let bytes: Vec<Vec<u8>> = names.iter().map(|name| fs::read(data("written").join(name)).unwrap()).collect();
    let files: Vec<File<'_>> = names.iter().zip(&bytes).map(|(name, bytes)| File { name, bytes }).collect();
    import(&files).unwrap()
}

fn expect(name: &str, text: &str) {
    let file = data("expected").join(name);
    if std::env::var_os("SEKISHO_RECORD").is_some() {
        fs::write(&file, text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{} has changed", file.display());
}

#[test]
fn recorded_files_become_the_same_documents() {
    let found = imported(&["web.psrc", "web.pssc", "plain.psrc", "default.pssc"]);
    for document in &found.documents {
        expect(&document.name, &document.text);
    }
    let notes: Vec<String> = found.notes.iter().map(|note| format!("{note}\n")).collect();
    expect("notes.txt", &notes.concat());
}

#[test]
fn what_is_commented_out_says_nothing() {
    let short = imported(&["web.psrc", "web.pssc"]);
    let full = imported(&["web.psrc", "web-full.pssc"]);
    let said = |imported: &Imported| {
        let document = imported.documents.iter().find(|document| document.name.contains("pssc")).unwrap();
        document.text.replace("web-full", "web")
    };
    assert_eq!(said(&short), said(&full));
}
