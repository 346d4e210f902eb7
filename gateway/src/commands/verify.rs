//! `audit verify`.

use std::io::Read as _;
use std::path::Path;

use super::{CommandError, Console, Status};
use crate::audit::{Head, parse_public_key, verify};
use crate::private_file::{FileError, io_error};

/// A year of heads, one a minute, fits.
const MAX_HEADS: u64 = 256 * 1024 * 1024;

pub(super) fn run(
    directory: &Path,
    key: &str,
    heads: Option<&Path>,
    console: &mut Console<'_>,
) -> Result<Status, CommandError> {
    let key = parse_public_key(key).ok_or(CommandError::PublicKey)?;
    let heads = heads.map(read_heads).transpose()?.unwrap_or_default();
    let report = verify(directory, &key, &heads)?;
    let out = &mut *console.out;
    writeln!(
        out,
        "verified: {} lines with {} signed heads in {} files, up to line {} of {}",
        report.lines, report.heads, report.files, report.last_seq, report.last_time
    )?;
    if report.copies_found > 0 {
        writeln!(out, "verified: {} copies of heads are in the log as they should be", report.copies_found)?;
    }
    for unproved in &report.unproved {
        writeln!(out, "not proved: {unproved}")?;
    }
    if let Some(finding) = &report.finding {
        writeln!(out, "CHANGED: {finding}")?;
        writeln!(out, "nothing after this place is proved")?;
        return Ok(Status::Found);
    }
    let complete = report.unproved.iter().all(crate::audit::Unproved::is_usual);
    Ok(if complete { Status::Fine } else { Status::Incomplete })
}

/// Copies of heads, one on a line: as the gateway writes them, or as syslog keeps them, after its own words.
fn read_heads(path: &Path) -> Result<Vec<Head>, CommandError> {
    let file = std::fs::File::open(path).map_err(|error| io_error(path, error))?;
    let mut text = String::new();
    let read =
        file.take(MAX_HEADS.saturating_add(1)).read_to_string(&mut text).map_err(|error| io_error(path, error))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_HEADS {
        return Err(FileError::TooLarge { path: path.to_owned(), max: MAX_HEADS }.into());
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let json = line.find('{').and_then(|start| line.get(start..)).unwrap_or_default();
            let refused = || CommandError::Head { path: path.to_owned(), line: index.saturating_add(1) };
            serde_json::from_str(json).map_err(|_| refused())
        })
        .collect()
}
