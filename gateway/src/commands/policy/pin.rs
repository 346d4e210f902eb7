//! `policy pin`: the entry that lets one script through.

use std::io::Write;
use std::path::{Component, Path};

use sekisho_policy::policy_pin_entry;

use super::super::{CommandError, Status};
use super::PolicyCommandError;
use crate::cli::PinArguments;
use crate::policy_files::{PolicyFiles, read_text};

/// What stands in an entry where the role's name belongs.
const ROLE: &str = "[[roles.ROLE.scripts]]   # put the role's name for ROLE";

pub(super) fn run(arguments: &PinArguments, out: &mut dyn Write) -> Result<Status, CommandError> {
    let text = read_text(&arguments.file).map_err(PolicyCommandError::from)?;
    let file = match &arguments.policy {
        Some(policy) => below(policy, &arguments.file)?,
        None => as_given(&arguments.file),
    };
    let name = match (&arguments.name, arguments.file.file_stem()) {
        (Some(name), _) => name.clone(),
        (None, stem) => stem.unwrap_or_default().to_string_lossy().into_owned(),
    };
    let entry = policy_pin_entry(&text, &name, &file);
    let entry = match &arguments.role {
        Some(role) => entry.replacen(ROLE, &format!("[[roles.{}.scripts]]", key(role)), 1),
        None => entry,
    };
    out.write_all(entry.as_bytes())?;
    Ok(Status::Fine)
}

/// The script's path from the policy's folder on, with forward slashes.
fn below(policy: &Path, file: &Path) -> Result<String, PolicyCommandError> {
    let files = PolicyFiles::read(policy).map_err(PolicyCommandError::from)?;
    let root = if files.root() == Path::new("") { Path::new(".") } else { files.root() };
    let whole = |path: &Path| path.canonicalize().map_err(|error| PolicyCommandError::input(path, error));
    let file_path = whole(file)?;
    let inside = file_path
        .strip_prefix(whole(root)?)
        .map_err(|_| PolicyCommandError::input(file, "it does not lie below the policy's folder: put it there"))?;
    Ok(slashes(inside))
}

/// As it was given, when that is a path from some folder on; the mere name otherwise.
fn as_given(file: &Path) -> String {
    let plain = file.components().all(|part| matches!(part, Component::Normal(_)));
    if plain { slashes(file) } else { file.file_name().unwrap_or_default().to_string_lossy().into_owned() }
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// A role's name as a TOML key.
fn key(role: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !role.is_empty() && role.chars().all(bare) { role.to_owned() } else { super::quoted(role) }
}
