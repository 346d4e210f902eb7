//! Reads a policy from a file, or from all `.toml` files of a directory.

use sekisho_policy::{Compiled, Mistake, Policy, Source};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of one file; `sekisho_policy` bounds each document more tightly.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// Files of one directory.
const MAX_FILES: usize = 256;

/// Why a policy cannot be used.
#[derive(Debug)]
pub enum PolicyError {
    /// A file cannot be read.
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What to do.
        why: String,
    },
    /// Documents with mistakes, all of them.
    Mistakes(Vec<Mistake>),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => write!(f, "cannot read policy {}: {why}", path.display()),
            Self::Mistakes(mistakes) => {
                write!(f, "the policy has {} mistake(s)", mistakes.len())?;
                mistakes.iter().try_for_each(|mistake| write!(f, "\n{mistake}"))
            }
        }
    }
}

impl std::error::Error for PolicyError {}

/// Reads and compiles a policy; warnings are for `check`.
///
/// # Errors
/// When a file cannot be read or a document has mistakes.
pub fn compile(path: &Path) -> Result<Compiled, PolicyError> {
    let files = if path.is_dir() { documents(path)? } else { vec![path.to_owned()] };
    let mut documents = Vec::new();
    for file in files {
        documents.push((file.display().to_string(), read(&file)?));
    }
    let sources: Vec<_> = documents.iter().map(|(name, text)| Source { name, text }).collect();
    Policy::compile(&sources).map_err(PolicyError::Mistakes)
}

/// Reads and compiles a policy.
///
/// # Errors
/// When a file cannot be read or a document has mistakes.
pub fn load(path: &Path) -> Result<Policy, PolicyError> {
    compile(path).map(|compiled| compiled.policy)
}

fn documents(directory: &Path) -> Result<Vec<PathBuf>, PolicyError> {
    let unreadable =
        |error: std::io::Error| PolicyError::Unreadable { path: directory.to_owned(), why: error.to_string() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() || MAX_FILES < files.len() {
        let why = format!("the directory has {} files that end in .toml; it needs 1 to {MAX_FILES}", files.len());
        return Err(PolicyError::Unreadable { path: directory.to_owned(), why });
    }
    Ok(files)
}

fn read(path: &Path) -> Result<String, PolicyError> {
    let unreadable = |error: std::io::Error| PolicyError::Unreadable { path: path.to_owned(), why: error.to_string() };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    let read = file.take(MAX_FILE.saturating_add(1)).read_to_string(&mut text).map_err(unreadable)?;
    if MAX_FILE < u64::try_from(read).unwrap_or(u64::MAX) {
        let why = format!("it is larger than {MAX_FILE} bytes");
        return Err(PolicyError::Unreadable { path: path.to_owned(), why });
    }
    Ok(text)
}
