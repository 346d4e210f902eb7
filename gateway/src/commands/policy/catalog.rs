//! `policy catalog`: what PowerShell's commands accept.

use std::io::{self, Write};
use std::path::Path;

use sekisho_policy::Edition;
use sekisho_policy::catalog::{Catalog, explain, from_json, to_toml};

use super::super::{CommandError, Status};
use super::{PolicyCommandError, read_text};
use crate::cli::CatalogCommand;
use crate::policy_files::load;

/// Names that are offered instead of one that is unknown.
const MAX_OFFERED: usize = 8;

pub(super) fn run(command: &CatalogCommand, out: &mut dyn Write) -> Result<Status, CommandError> {
    match command {
        CatalogCommand::Import { file } => import(file, out),
        CatalogCommand::Show { name, policy: None } => show(Catalog::shipped(), name, out),
        CatalogCommand::Show { name, policy: Some(path) } => {
            let policy = load(path).map_err(PolicyCommandError::from)?;
            show(policy.catalog(), name, out)
        }
    }
}

/// Writes the commands of a machine as a document of a policy.
fn import(file: &Path, out: &mut dyn Write) -> Result<Status, CommandError> {
    let text = read_text(file, &mut io::empty())?;
    let commands = from_json(&text).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        PolicyCommandError::input(file, mistakes.join("\n"))
    })?;
    out.write_all(to_toml(&commands).as_bytes())?;
    Ok(Status::Fine)
}

fn show(catalogue: &Catalog, name: &str, out: &mut dyn Write) -> Result<Status, CommandError> {
    let lines = explain(catalogue, name);
    if lines.is_empty() {
        let offered = offered(catalogue, name);
        let others = if offered.is_empty() { String::new() } else { format!("; there are {}", offered.join(", ")) };
        return Err(PolicyCommandError::Asked(format!("the catalogue knows no command of this name{others}")).into());
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    Ok(Status::Fine)
}

/// Commands of the same noun.
fn offered<'c>(catalogue: &'c Catalog, name: &str) -> Vec<&'c str> {
    let wanted = name.to_lowercase();
    let noun = wanted.split_once('-').map_or(wanted.as_str(), |(_, noun)| noun);
    let alike = |known: &str| !noun.is_empty() && known.to_lowercase().contains(noun);
    let names = [Edition::Windows51, Edition::Core7].into_iter().flat_map(|edition| catalogue.names(edition));
    let mut found: Vec<&str> = names.map(|(name, _)| name).filter(|known| alike(known)).collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MAX_OFFERED);
    found
}
