//! Cases: requests with the verdict that a team expects, kept beside its policy.

mod document;
mod lines;

use std::io;
use std::path::Path;

use sekisho_policy::Decision;

use super::forms::Request;
use super::{PolicyCommandError, read_text};

/// One request, and what should become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// Where it stands: file and line.
    pub(super) place: String,
    /// What it is about.
    pub(super) name: String,
    pub(super) request: Request,
    /// Nothing when it is a request alone.
    pub(super) expected: Option<Expected>,
}

/// What is expected. What is not said is of no concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) verdict: Verdict,
    pub(super) role: Option<String>,
    pub(super) rule: Option<String>,
    /// Words of the reason.
    pub(super) because: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    Deny,
    /// The rules of judgement leave it open.
    Either,
}

impl Expected {
    fn only(verdict: Verdict) -> Self {
        Self { verdict, role: None, rule: None, because: None }
    }

    /// Whether a decision is what was expected.
    pub(super) fn fits(&self, decision: &Decision) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        match decision {
            Decision::Allow(allowed) => {
                self.verdict != Verdict::Deny && same(&self.role, &allowed.role) && same(&self.rule, &allowed.rule)
            }
            Decision::Deny(denied) => {
                self.verdict != Verdict::Allow
                    && self.because.as_ref().is_none_or(|words| denied.message.contains(words.as_str()))
            }
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
            Verdict::Either => "either",
        };
        let rule = self.rule.as_ref().map(|rule| format!(" by rule {rule}"));
        let role = self.role.as_ref().map(|role| format!(" of role {role}"));
        let because = self.because.as_ref().map(|words| format!(" because \"{words}\""));
        [Some(verdict.to_owned()), rule, role, because].into_iter().flatten().collect()
    }
}

/// All cases of a file: JSON lines when its name ends in `.jsonl`, TOML otherwise.
pub(super) fn load(path: &Path) -> Result<Vec<Case>, PolicyCommandError> {
    let text = read_text(path, &mut io::empty())?;
    let file = path.display().to_string();
    let cases = if path.extension().is_some_and(|extension| extension == "jsonl") {
        lines::parse(&file, &text)
    } else {
        document::parse(&file, &text)
    };
    cases.map_err(PolicyCommandError::Asked)
}
