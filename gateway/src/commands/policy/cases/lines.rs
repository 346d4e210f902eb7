//! Cases as JSON lines: a request as `policy decide` takes it, with `expect`.

use serde::Deserialize;
use serde_json::Value as Json;

use super::{Case, Expected, Verdict};
use crate::commands::policy::forms::Request;

/// What a case has beside its request.
#[derive(Deserialize)]
struct Written {
    id: Option<Json>,
    #[serde(alias = "name")]
    why: Option<String>,
    expect: Option<Verdict>,
    #[serde(default)]
    debatable: bool,
    role: Option<String>,
    rule: Option<String>,
    because: Option<String>,
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            _ => Err(serde::de::Error::custom("`expect` is \"allow\" or \"deny\"")),
        }
    }
}

/// Blank lines are left out.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| case(format!("{file}:{}", index.saturating_add(1)), line)).collect()
}

fn case(place: String, line: &str) -> Result<Case, String> {
    let written: Written = serde_json::from_str(line).map_err(|error| format!("{place}: no case: {error}"))?;
    let request = Request::parse(line.as_bytes()).map_err(|why| format!("{place}: {why}"))?;
    let id = match written.id {
        Some(Json::String(id)) => id,
        Some(id) => id.to_string(),
        None => String::new(),
    };
    let name = [id, written.why.unwrap_or_default()].join(" ").trim().to_owned();
    let expected = written.expect.map(|verdict| Expected {
        verdict: if written.debatable { Verdict::Either } else { verdict },
        role: written.role,
        rule: written.rule,
        because: written.because,
    });
    Ok(Case { place, name, request, expected })
}
