//! `policy check` and `policy lint`.

use std::io::Write;
use std::path::Path;

use sekisho_policy::{Mistake, Warning};
use serde_json::{Value as Json, json};

use super::super::{CommandError, Status};
use super::PolicyCommandError;
use super::forms::one_line;
use crate::policy_files::{PolicyError, PolicyFiles, compile};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

impl Format {
    pub(super) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// All mistakes of all documents.
pub(super) fn check(policy: &Path, format: Format, out: &mut dyn Write) -> Result<Status, CommandError> {
    match compile(policy) {
        Ok(_) => write(out, format, &[], &[], "mistake"),
        Err(PolicyError::Mistakes(mistakes)) => write(out, format, &mistakes, &[], "mistake"),
        Err(error @ PolicyError::Unreadable { .. }) => Err(PolicyCommandError::from(error).into()),
    }
}

/// Everything that works and is hardly meant; the mistakes, when there are any.
pub(super) fn lint(policy: &Path, format: Format, out: &mut dyn Write) -> Result<Status, CommandError> {
    match PolicyFiles::read(policy).and_then(|files| files.lint()) {
        Ok(warnings) => write(out, format, &[], &warnings, "warning"),
        Err(PolicyError::Mistakes(mistakes)) => write(out, format, &mistakes, &[], "mistake"),
        Err(error @ PolicyError::Unreadable { .. }) => Err(PolicyCommandError::from(error).into()),
    }
}

fn write(
    out: &mut dyn Write,
    format: Format,
    mistakes: &[Mistake],
    warnings: &[Warning],
    what: &str,
) -> Result<Status, CommandError> {
    let found = mistakes.len().saturating_add(warnings.len());
    match format {
        Format::Json => {
            let mistakes =
                mistakes.iter().map(|m| finding("mistake", (&m.file, m.line, m.column), &m.message, &m.hint));
            let warnings =
                warnings.iter().map(|w| finding("warning", (&w.file, w.line, w.column), &w.message, &w.hint));
            writeln!(out, "{}", one_line(&mistakes.chain(warnings).collect::<Json>()))?;
        }
        Format::Text => {
            mistakes.iter().try_for_each(|mistake| writeln!(out, "{mistake}"))?;
            warnings.iter().try_for_each(|warning| writeln!(out, "{warning}"))?;
            match found {
                0 => writeln!(out, "no {what}s")?,
                1 => writeln!(out, "1 {what}")?,
                _ => writeln!(out, "{found} {what}s")?,
            }
        }
    }
    Ok(if found == 0 { Status::Fine } else { Status::Found })
}

fn finding(kind: &str, (file, line, column): (&str, usize, usize), message: &str, hint: &str) -> Json {
    json!({ "kind": kind, "file": file, "line": line, "column": column, "message": message, "hint": hint })
}
