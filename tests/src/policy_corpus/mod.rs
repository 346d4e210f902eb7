//! Neutral policies and cases (tests/data/policy-cases/rules.md), judged by the built gateway.

mod gateway;
mod page;
mod translate;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value as Json, json};

pub use gateway::{Gateway, Judge, Mistake};
use page::Page;

const POLICY_FILE: &str = "policy.toml";
const CATALOGUE_FILE: &str = "catalog.toml";
/// Attempts to write a policy without what the product does not take: each leaves something out.
const MAX_ATTEMPTS: usize = 64;

/// The policies of a file, as the product's own documents.
#[derive(Debug)]
pub struct Policies {
    /// By name: the folder, or why there is none.
    folders: BTreeMap<String, Result<PathBuf, String>>,
    /// What the product does not take, and what was left out because of it.
    pub left_out: Vec<String>,
}

impl Policies {
    /// Writes each policy of a neutral file into a folder below `out`.
    ///
    /// # Errors
    /// When files cannot be read or written, or the gateway does not answer.
    pub fn write(neutral: &Path, out: &Path, gateway: &Gateway) -> io::Result<Self> {
        let neutral: Json = serde_json::from_str(&fs::read_to_string(neutral)?)?;
        let catalogue = neutral.get("catalog").cloned().unwrap_or_default();
        let mut all = Self { folders: BTreeMap::new(), left_out: Vec::new() };
        let policies = neutral.get("policies").and_then(Json::as_object);
        for (index, (name, policy)) in policies.into_iter().flatten().enumerate() {
            let folder = out.join(folder_name(index, name));
            let written = all.write_one((name, policy), &catalogue, &folder, gateway)?;
            all.folders.insert(name.clone(), written.map(|()| folder));
        }
        Ok(all)
    }

    /// Writes one; what the product does not take of it is left out, which denies. Only what would allow more can
    /// not be left out.
    fn write_one(
        &mut self,
        (name, policy): (&str, &Json),
        catalogue: &Json,
        folder: &Path,
        gateway: &Gateway,
    ) -> io::Result<Result<(), String>> {
        fs::create_dir_all(folder)?;
        let mut without = BTreeSet::new();
        for _ in 0..MAX_ATTEMPTS {
            let policy = translate::policy(policy, &without);
            let catalogue = translate::catalogue(catalogue, &without);
            fs::write(folder.join(POLICY_FILE), policy.text())?;
            fs::write(folder.join(CATALOGUE_FILE), catalogue.text())?;
            let mistakes = gateway.mistakes(folder)?;
            let Some(first) = mistakes.first() else {
                return Ok(Ok(()));
            };
            let before = without.len();
            for mistake in &mistakes {
                let pages: [(&str, &Page); 2] = [(POLICY_FILE, &policy), (CATALOGUE_FILE, &catalogue)];
                let page = pages.iter().find(|(file, _)| Path::new(&mistake.file).ends_with(file));
                if let Some(part) = page.and_then(|(_, page)| page.part_of(mistake.line)) {
                    self.left_out.push(format!("{name}: {part}: {}", mistake.message));
                    without.insert(part.clone());
                }
            }
            if without.len() == before {
                return Ok(Err(format!("the policy cannot be written: {}", first.message)));
            }
        }
        Ok(Err("the policy cannot be written: too many of its parts are not taken".to_owned()))
    }

    /// Judges every case, and writes a line for each.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn run(&self, cases: &Path, gateway: &Gateway, out: &mut dyn Write) -> io::Result<()> {
        let mut judges: BTreeMap<String, Judge> = BTreeMap::new();
        for line in fs::read_to_string(cases)?.lines().filter(|line| !line.trim().is_empty()) {
            let answer = self.answer(line, gateway, &mut judges).unwrap_or_else(
                |why| json!({ "id": head(line).id, "decision": "deny", "reason": why, "canonical": null }),
            );
            let part = |key: &str| answer.get(key).cloned().unwrap_or_default();
            let answer = json!({ "id": part("id"), "decision": part("decision"), "reason": part("reason"),
                "canonical": part("canonical") });
            writeln!(out, "{}", one_line(&answer))?;
        }
        Ok(())
    }

    fn answer(&self, line: &str, gateway: &Gateway, judges: &mut BTreeMap<String, Judge>) -> Result<Json, String> {
        let name = head(line).policy.ok_or("the case names no policy")?;
        let folder = self.folders.get(&name).ok_or("there is no such policy")?.as_ref().map_err(Clone::clone)?;
        if !judges.contains_key(&name) {
            judges.insert(name.clone(), gateway.judge(folder).map_err(|error| error.to_string())?);
        }
        let judge = judges.get_mut(&name).ok_or("there is no such policy")?;
        judge.ask(line).map_err(|error| {
            // The next case of this policy gets another one.
            judges.remove(&name);
            error.to_string()
        })
    }
}

/// On one line for readers, too, that end a line at what only Unicode calls an end.
fn one_line(answer: &Json) -> String {
    let ends = [('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    ends.iter().fold(answer.to_string(), |line, (end, escaped)| line.replace(*end, escaped))
}

/// What is needed of a case beside what the gateway reads.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(default)]
    id: Json,
    policy: Option<String>,
}

fn head(line: &str) -> Head {
    serde_json::from_str(line).unwrap_or_default()
}

/// A name for a folder, whatever the policy is called.
fn folder_name(index: usize, name: &str) -> String {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(40).collect();
    format!("{index:03}-{plain}")
}
