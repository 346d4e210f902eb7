//! `audit verify`.

use std::io::{Read as _, Write};
use std::path::Path;

use super::{CommandError, Console, Status};
use crate::audit::{Head, parse_public_key, verify};
use crate::private_file::{FileError, io_error};
use crate::recording::{Anchors, Recorded};

/// A year of heads, one a minute, fits.
const MAX_HEADS: u64 = 256 * 1024 * 1024;

pub(super) fn run(
    directory: &Path,
    key: &str,
    (heads, recordings): (Option<&Path>, Option<&Path>),
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
    let status = if complete { Status::Fine } else { Status::Incomplete };
    let Some(folder) = recordings else { return Ok(status) };
    let anchors = Anchors::read(directory, report.last_seq)?;
    let recorded = anchors.compare(folder).map_err(|error| io_error(folder, error))?;
    Ok(match (compared(&recorded, out)?, status) {
        (Status::Fine, status) => status,
        (other, _) => other,
    })
}

fn compared(recorded: &Recorded, out: &mut dyn Write) -> Result<Status, CommandError> {
    let Recorded { whole, incomplete, open, unknown, missing, changed } = recorded;
    writeln!(out, "verified: {whole} recordings are as the log says; in {incomplete} of them something was left out")?;
    for (number, why) in [
        (open, "recordings have no end in the log: their sessions go on, or the gateway died"),
        (unknown, "recordings are not in the log as far as it is here"),
        (missing, "recordings that the log names are not in the folder"),
    ] {
        if 0 < *number {
            writeln!(out, "not proved: {number} {why}")?;
        }
    }
    for (session, change) in changed {
        writeln!(out, "CHANGED: the recording of session {session}: {change}")?;
    }
    Ok(match (changed.is_empty(), unknown.saturating_add(*missing)) {
        (false, _) => Status::Found,
        (true, 0) => Status::Fine,
        (true, _) => Status::Incomplete,
    })
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
