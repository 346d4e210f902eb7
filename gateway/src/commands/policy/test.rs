//! `policy test`: cases with expected verdicts, as a team keeps them beside its policy.

use std::io::Write;
use std::path::{Path, PathBuf};

use sekisho_policy::{Decision, Policy};

use super::super::{CommandError, Status};
use super::cases::{self, Case};
use super::{PolicyCommandError, shown};
use crate::policy_files::load;

pub(super) fn run(
    policy: &Path,
    files: &[PathBuf],
    junit: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Status, CommandError> {
    let policy = load(policy).map_err(PolicyCommandError::from)?;
    let mut cases = Vec::new();
    for file in files {
        cases.extend(cases::load(file)?);
    }
    let judged: Vec<Judged<'_>> = cases.iter().filter_map(|case| Judged::new(case, &policy)).collect();
    if judged.is_empty() {
        return Err(PolicyCommandError::Asked("these files have no cases with expected verdicts".to_owned()).into());
    }
    let different = judged.iter().filter(|one| !one.fits).count();
    judged.iter().filter(|one| !one.fits).try_for_each(|one| one.write(out))?;
    writeln!(out, "{} requests, {different} differ", judged.len())?;
    if let Some(path) = junit {
        std::fs::write(path, report(&judged)).map_err(|error| PolicyCommandError::input(path, error))?;
    }
    Ok(if different == 0 { Status::Fine } else { Status::Found })
}

struct Judged<'a> {
    case: &'a Case,
    /// What was expected, for people.
    expected: String,
    decision: Decision,
    fits: bool,
}

impl<'a> Judged<'a> {
    fn new(case: &'a Case, policy: &Policy) -> Option<Self> {
        let expected = case.expected.as_ref()?;
        let decision = case.request.judge(policy);
        let fits = expected.fits(&decision);
        Some(Self { case, expected: expected.shown(), decision, fits })
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "{}: {}", self.case.place, self.case.name)?;
        writeln!(out, "    {}", shown::request(&self.case.request))?;
        writeln!(out, "  - {}", self.expected)?;
        writeln!(out, "  + {}", shown::verdict(&self.decision))
    }
}

/// The outcome in the form that servers for continuous integration read.
fn report(judged: &[Judged<'_>]) -> String {
    let failures = judged.iter().filter(|one| !one.fits).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"policy\" tests=\"{}\" failures=\"{failures}\">\n",
        judged.len()
    );
    for one in judged {
        let name = escaped(&format!("{} {}", one.case.name, shown::request(&one.case.request)));
        let class = escaped(&one.case.place);
        xml.push_str(&format!("  <testcase classname=\"{class}\" name=\"{name}\""));
        if one.fits {
            xml.push_str("/>\n");
        } else {
            let message = escaped(&format!("expected {}, got {}", one.expected, shown::verdict(&one.decision)));
            xml.push_str(&format!("><failure message=\"{message}\"/></testcase>\n"));
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// A text for an attribute; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{FFFE}' | '\u{FFFF}' => out.push('?'),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}
