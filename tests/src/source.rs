//! The files of the repository, as text to look through.

use std::io;
use std::path::{Path, PathBuf};

/// Folders that hold nothing that was written by hand.
const NOT_OURS: [&str; 4] = ["target", "node_modules", "__pycache__", "venv"];

/// The folder of the whole repository.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// One text file.
#[derive(Debug)]
pub struct Source {
    /// Relative to the root, with `/` between its parts.
    pub path: String,
    pub text: String,
}

impl Source {
    #[must_use]
    pub fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, found)| extensions.contains(&found))
    }

    /// The text without what Rust does not read as code: comments, and what is inside literals.
    #[must_use]
    pub fn code(&self) -> String {
        code_only(&self.text)
    }
}

/// All text files of the repository, the hidden folder of its CI included.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn sources() -> io::Result<Vec<Source>> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type()?;
            let hidden = name.starts_with('.') && name != ".ci";
            if kind.is_dir() && !hidden && !NOT_OURS.contains(&name.as_ref()) {
                folders.push(entry.path());
            } else if kind.is_file()
                && !hidden
                && let Ok(text) = String::from_utf8(std::fs::read(entry.path())?)
            {
                found.push(Source { path: relative(&root, &entry.path()), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn relative(root: &Path, path: &Path) -> String {
    let short = path.strip_prefix(root).unwrap_or(path);
    short.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// What `word` is in `text` by itself, not as a part of a longer name: the numbers of its lines, from 1.
#[must_use]
pub fn lines_with_word(text: &str, word: &str) -> Vec<usize> {
    let names = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).and_then(|t| t.chars().next_back());
            let after = line.get(at + word.len()..).and_then(|t| t.chars().next());
            !before.is_some_and(names) && !after.is_some_and(names)
        })
    };
    text.lines().enumerate().filter(|(_, line)| whole(line)).map(|(at, _)| at + 1).collect()
}

/// Where the scanner is.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut inside = Inside::Code;
    let mut at = 0;
    while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
        let (next, taken) = step(inside, rest);
        for c in rest.iter().take(taken) {
            let kept = *c == '\n' || (inside == Inside::Code && next == Inside::Code);
            out.push(if kept { *c } else { ' ' });
        }
        inside = next;
        at += taken;
    }
    out
}

/// The state after the next few characters, and how many they are.
fn step(inside: Inside, rest: &[char]) -> (Inside, usize) {
    match inside {
        Inside::Code => step_in_code(rest),
        Inside::LineComment => (if rest.starts_with(&['\n']) { Inside::Code } else { inside }, 1),
        Inside::BlockComment { depth } => match rest {
            ['*', '/', ..] if depth == 1 => (Inside::Code, 2),
            ['*', '/', ..] => (Inside::BlockComment { depth: depth - 1 }, 2),
            ['/', '*', ..] => (Inside::BlockComment { depth: depth + 1 }, 2),
            _ => (inside, 1),
        },
        Inside::Text => match rest {
            ['\\', _, ..] => (inside, 2),
            ['"', ..] => (Inside::Code, 1),
            _ => (inside, 1),
        },
        Inside::RawText { hashes } => {
            let closes = rest.first() == Some(&'"') && count_hashes(rest.get(1..)) >= hashes;
            if closes { (Inside::Code, 1 + hashes) } else { (inside, 1) }
        }
    }
}

fn step_in_code(rest: &[char]) -> (Inside, usize) {
    match rest {
        ['/', '/', ..] => (Inside::LineComment, 2),
        ['/', '*', ..] => (Inside::BlockComment { depth: 1 }, 2),
        ['"', ..] => (Inside::Text, 1),
        ['\'', '\\', _, ..] => (Inside::Code, rest.iter().skip(3).position(|c| *c == '\'').map_or(1, |n| n + 4)),
        ['\'', _, '\'', ..] => (Inside::Code, 3),
        ['r', '"' | '#', ..] => {
            let hashes = count_hashes(rest.get(1..));
            let raw = rest.get(1 + hashes) == Some(&'"');
            if raw { (Inside::RawText { hashes }, 2 + hashes) } else { (Inside::Code, 1) }
        }
        _ => (Inside::Code, 1),
    }
}

fn count_hashes(rest: Option<&[char]>) -> usize {
    rest.map_or(0, |rest| rest.iter().take_while(|c| **c == '#').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let cases = [
            ("a // unsafe\nb", "a\nb"),
            ("a /* unsafe /* x */ y */ b", "a b"),
            ("a(\"un\\\"safe\") b", "a( ) b"),
            ("a(r#\"unsafe \" \"#) b", "a( ) b"),
            ("for c in ['\"', '\\'', '\\u{22}'] { unsafe }", "for c in ['\"', '\\'', '\\u{22}'] { unsafe }"),
            ("fn f<'a>(x: &'a str) { unsafe }", "fn f<'a>(x: &'a str) { unsafe }"),
            ("let x = for_r#raw; br\"unsafe\"", "let x = for_r#raw; b"),
        ];
        for (text, expected) in cases {
            let squeezed = |t: &str| t.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            let (found, expected): (Vec<String>, Vec<String>) = (squeezed(&code_only(text)), squeezed(expected));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_word_is_found_by_itself_only() {
        let text = "unsafe_code\nan unsafe\nunsafe{\nnot_unsafe";
        assert_eq!(lines_with_word(text, "unsafe"), [2, 3]);
    }

    #[test]
    fn the_repository_is_found() {
        let all = sources().unwrap();
        let has = |path: &str| all.iter().any(|s| s.path == path);
        assert!(has("Cargo.toml") && has("protocol/src/lib.rs") && has("tests/src/source.rs"));
        assert!(!all.iter().any(|s| s.path.starts_with("target/") || s.path.starts_with(".git/")));
    }
}
