//! How the repository's files look, whatever they do.

use std::error::Error;

use sekisho_tests::source::{Source, sources};

type Outcome = Result<(), Box<dyn Error>>;

const LONGEST_FILE: usize = 600;
const CODE: [&str; 6] = ["rs", "py", "sh", "ps1", "toml", "ini"];

/// Files that a tool writes.
fn made_by_a_tool(source: &Source) -> bool {
    source.path.ends_with("Cargo.lock") || source.path.starts_with("tests/data/")
}

/// What the repository must not say: where it was written, by whom it was asked for, and which servers
/// packages come from. In pieces, so that this file does not say it either.
fn not_here() -> Vec<String> {
    let pieces: [&[&str]; 12] = [
        &["/wo", "rk/"],
        &["/ro", "ot/"],
        &["/ho", "me/"],
        &["index.", "crates", ".io"],
        &["static.", "crates", ".io"],
        &["py", "pi.org"],
        &["python", "hosted"],
        &["deb.", "debian"],
        &["registry.", "npm"],
        &["agent ", "session"],
        &["issue", " #"],
        &["FIX", "ME"],
    ];
    pieces.iter().map(|p| p.concat()).collect()
}

#[test]
fn no_file_is_too_long() -> Outcome {
    for source in sources()?.iter().filter(|s| s.has_extension(&CODE) && !made_by_a_tool(s)) {
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines: split it (at most {LONGEST_FILE})", source.path);
    }
    Ok(())
}

/// Whether a line has these words, and not as the end of something longer: `cimv2/root/x` is no folder here.
fn says(line: &str, words: &str) -> bool {
    let longer = |at: usize| line.get(..at).is_some_and(|before| before.ends_with(char::is_alphanumeric));
    line.match_indices(words).any(|(at, _)| !longer(at))
}

#[test]
fn the_repository_speaks_of_the_project_alone() -> Outcome {
    let words = not_here();
    let mut found = Vec::new();
    for source in sources()?.iter().filter(|s| !made_by_a_tool(s)) {
        for (at, line) in source.text.lines().enumerate() {
            let hits = words.iter().filter(|word| says(line, word));
            found.extend(hits.map(|word| format!("{}:{}: {word:?}", source.path, at + 1)));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    Ok(())
}

#[test]
fn lines_end_plainly() -> Outcome {
    for source in sources()?.iter().filter(|s| s.has_extension(&CODE) && !made_by_a_tool(s)) {
        assert!(source.text.is_empty() || source.text.ends_with('\n'), "{} has no last line end", source.path);
        assert!(!source.text.contains('\r'), "{} has carriage returns", source.path);
        let trailing = source.text.lines().position(|line| line.ends_with([' ', '\t']));
        assert_eq!(trailing, None, "{} has blanks at the end of a line (from 0)", source.path);
    }
    Ok(())
}
