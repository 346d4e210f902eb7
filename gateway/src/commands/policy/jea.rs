//! `policy import-jea`: JEA's files as documents of a policy.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sekisho_policy::jea;

use super::super::{CommandError, Status};
use super::{PolicyCommandError, read_bounded};
use crate::cli::JeaImport;

/// Everything is read before anything is written. What became of each field is said on standard output as comments,
/// so that documents and notes can be kept in one file.
pub(super) fn import(arguments: &JeaImport, out: &mut dyn Write) -> Result<Status, CommandError> {
    let mut files = Vec::new();
    for path in &arguments.files {
        let bytes = File::open(path).and_then(|mut file| read_bounded(&mut file));
        let bytes = bytes.map_err(|error| PolicyCommandError::input(path, error))?;
        files.push((path.display().to_string(), bytes));
    }
    let files: Vec<_> = files.iter().map(|(name, bytes)| jea::File { name, bytes }).collect();
    let imported = jea::import(&files).map_err(PolicyCommandError::Jea)?;
    for note in &imported.notes {
        writeln!(out, "# {note}")?;
    }
    for document in &imported.documents {
        match &arguments.out {
            Some(folder) => {
                let path = write_new(folder, &document.name, &document.text)?;
                writeln!(out, "# written: {}", path.display())?;
            }
            None => write!(out, "\n# {}\n{}", document.name, document.text)?,
        }
    }
    Ok(Status::Fine)
}

/// Never over something that is there: it may have been worked on since.
fn write_new(folder: &Path, name: &str, text: &str) -> Result<PathBuf, PolicyCommandError> {
    let path = folder.join(name);
    let mut file = File::create_new(&path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => PolicyCommandError::input(&path, "it is there already, and stays as it is"),
        _ => PolicyCommandError::input(&path, error),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| PolicyCommandError::input(&path, error))?;
    Ok(path)
}
