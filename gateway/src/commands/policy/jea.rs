//! `policy import-jea` and `policy export-jea`: JEA's files as documents of a policy, and the way back.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sekisho_policy::jea::{self, SessionForm, Wanted};
use sekisho_policy::{Edition, TargetFacts};

use super::super::{CommandError, Status};
use super::forms::edition;
use super::{PolicyCommandError, read_bounded};
use crate::cli::{JeaExport, JeaImport};
use crate::policy_files::load;

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
                let path = write_new(folder, &document.name, document.text.as_bytes())?;
                writeln!(out, "# written: {}", path.display())?;
            }
            None => write!(out, "\n# {}\n{}", document.name, document.text)?,
        }
    }
    Ok(Status::Fine)
}

/// Both files, and what of the role they do not have.
pub(super) fn export(arguments: &JeaExport, out: &mut dyn Write) -> Result<Status, CommandError> {
    let policy = load(&arguments.policy).map_err(PolicyCommandError::from)?;
    let edition = edition(&arguments.edition).map_err(PolicyCommandError::Asked)?;
    let target = arguments.target.as_ref().map(|name| target(name, arguments, edition));
    let session = if arguments.whole { SessionForm::Whole } else { SessionForm::Roles };
    let wanted = Wanted { role: &arguments.role, target: target.as_ref(), session };
    let Some(exported) = jea::export(&policy, &wanted) else {
        return Err(PolicyCommandError::Asked("the policy has no role of this name".to_owned()).into());
    };
    for note in &exported.notes {
        writeln!(out, "{note}")?;
    }
    for file in [&exported.psrc, &exported.pssc] {
        let path = write_new(&arguments.out, &file.name, &file.bytes)?;
        writeln!(out, "written: {}", path.display())?;
    }
    Ok(Status::Fine)
}

fn target(name: &str, arguments: &JeaExport, edition: Edition) -> TargetFacts {
    let (groups, tags) = (arguments.target_groups.clone(), arguments.tags.clone());
    TargetFacts { name: name.to_owned(), groups, tags, edition }
}

/// Never over something that is there: it may have been worked on since.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, PolicyCommandError> {
    let path = folder.join(name);
    let mut file = File::create_new(&path).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return PolicyCommandError::input(&path, "it is there already, and stays as it is");
        }
        PolicyCommandError::input(&path, error)
    })?;
    file.write_all(bytes).map_err(|error| PolicyCommandError::input(&path, error))?;
    Ok(path)
}
