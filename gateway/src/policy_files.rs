//! Reads a policy from a file, or from all `.toml` files of a directory, with the scripts that it pins.

use sekisho_policy::{Compiled, Mistake, Policy, Source};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Bytes of one file; `sekisho_policy` bounds each document more tightly.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// Files of one directory.
const MAX_FILES: usize = 256;
/// Scripts that a policy pins.
const MAX_SCRIPTS: usize = 4096;

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
    let mut sources = read_documents(path)?;
    let scripts = pinned_scripts(&folder(path), &sources)?;
    sources.extend(scripts);
    let sources: Vec<_> = sources.iter().map(|(name, text)| Source { name, text }).collect();
    Policy::compile(&sources).map_err(PolicyError::Mistakes)
}

/// The documents of a policy, each with the name that mistakes call it by.
fn read_documents(path: &Path) -> Result<Vec<(String, String)>, PolicyError> {
    let files = if path.is_dir() { documents(path)? } else { vec![path.to_owned()] };
    files.into_iter().map(|file| Ok((file.display().to_string(), read(&file)?))).collect()
}

/// The folder that a policy names its scripts from.
#[must_use]
pub fn folder(policy: &Path) -> PathBuf {
    if policy.is_dir() { policy.to_owned() } else { policy.parent().unwrap_or_else(|| Path::new("")).to_owned() }
}

/// The scripts that documents name, as far as they are there. What is missing, or is not called what a script may be
/// called, is for the compiler to report.
fn pinned_scripts(folder: &Path, documents: &[(String, String)]) -> Result<Vec<(String, String)>, PolicyError> {
    let mut names = BTreeSet::new();
    for (_, text) in documents {
        names.extend(toml::from_str(text).map(|table| script_names(&table)).unwrap_or_default());
    }
    if names.len() > MAX_SCRIPTS {
        let why = format!("it names {} scripts; at most {MAX_SCRIPTS}", names.len());
        return Err(PolicyError::Unreadable { path: folder.to_owned(), why });
    }
    let there = names.into_iter().filter(|name| folder.join(name).is_file());
    there.map(|name| read(&folder.join(&name)).map(|text| (name, text))).collect()
}

fn script_names(document: &toml::Table) -> Vec<String> {
    let roles = document.get("roles").and_then(toml::Value::as_table);
    let scripts = roles.into_iter().flat_map(toml::Table::values).filter_map(|role| role.get("scripts")?.as_array());
    let names = scripts.flatten().filter_map(|script| script.get("file")?.as_str());
    names.filter(|name| is_below(name)).map(str::to_owned).collect()
}

/// Whether a name stays below the folder that it is taken from.
fn is_below(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// What a policy says about the catalogue, as a document of its own; empty when it says nothing.
///
/// # Errors
/// When a file cannot be read, or is no TOML.
pub fn own_catalogue(path: &Path) -> Result<String, PolicyError> {
    let mut own = toml::Table::new();
    for (name, text) in read_documents(path)? {
        let unreadable = |error: toml::de::Error| PolicyError::Unreadable { path: name.into(), why: error.to_string() };
        let mut document: toml::Table = toml::from_str(&text).map_err(unreadable)?;
        let Some(toml::Value::Table(catalogue)) = document.remove("catalog") else { continue };
        for (key, value) in catalogue {
            match (own.get_mut(&key), value) {
                (Some(toml::Value::Array(all)), toml::Value::Array(more)) => all.extend(more),
                (_, value) => drop(own.insert(key, value)),
            }
        }
    }
    if own.is_empty() {
        return Ok(String::new());
    }
    let document = toml::Table::from_iter([("catalog".to_owned(), toml::Value::Table(own))]);
    toml::to_string(&document)
        .map_err(|error| PolicyError::Unreadable { path: path.to_owned(), why: error.to_string() })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, file: &str) -> Vec<String> {
        let text = format!("[[roles.r.scripts]]\nfile = '{file}'\n");
        pinned_scripts(folder, &[("a.toml".to_owned(), text)]).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn scripts_are_read_from_below_the_policy_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("policy");
        std::fs::create_dir_all(folder.join("scripts")).unwrap();
        std::fs::write(place.path().join("x.ps1"), "outside").unwrap();
        std::fs::write(folder.join("scripts/x.ps1"), "inside").unwrap();
        assert_eq!(names(&folder, "scripts/x.ps1"), ["scripts/x.ps1"]);
        let outside = place.path().join("x.ps1").display().to_string();
        for file in ["../x.ps1", "scripts/../../x.ps1", outside.as_str(), "scripts/gone.ps1", "scripts", ""] {
            assert!(names(&folder, file).is_empty(), "{file}");
        }
    }

    #[test]
    fn what_documents_say_about_the_catalogue_becomes_one_document() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
        write("a.toml", "defaults = true\n[catalog]\nmode = 'extend'\n[[catalog.commands]]\nname = 'A'\n");
        write("b.toml", "[[catalog.commands]]\nname = 'B'\n[roles.r]\n");
        let own: toml::Table = toml::from_str(&own_catalogue(place.path()).unwrap()).unwrap();
        assert_eq!((own.len(), own["catalog"]["commands"].as_array().unwrap().len()), (1, 2));
        write("a.toml", "defaults = true\n");
        write("b.toml", "");
        assert_eq!(own_catalogue(place.path()).unwrap(), "");
    }
}
