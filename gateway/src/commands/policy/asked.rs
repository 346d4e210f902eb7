//! One request from the options of the command line.

use std::io::BufRead;

use sekisho_policy::command::ScriptRequest;
use sekisho_policy::{Action, Circumstances, Principal, ProgramRequest, TargetFacts};

use super::forms::{Request, edition, time};
use super::{PolicyCommandError, read_text};
use crate::cli::{Asked, Facts};

/// Who asks where and when, from options.
pub(super) fn facts(facts: &Facts) -> Result<(Principal, TargetFacts, Circumstances), PolicyCommandError> {
    let needed = |value: &Option<String>, option: &str| {
        value
            .clone()
            .ok_or_else(|| PolicyCommandError::Asked(format!("--{option} is missing: say who asks about which target")))
    };
    let principal = Principal { name: needed(&facts.user, "user")?, groups: facts.groups.clone() };
    let target = TargetFacts {
        name: needed(&facts.target, "target")?,
        groups: facts.target_groups.clone(),
        tags: facts.tags.clone(),
        edition: edition(&facts.edition).map_err(PolicyCommandError::Asked)?,
    };
    let unix_time = facts.time.as_deref().map(time).transpose().map_err(PolicyCommandError::Asked)?;
    Ok((principal, target, Circumstances { unix_time, source: facts.source }))
}

/// The whole request.
pub(super) fn request(given: &Facts, asked: &Asked, input: &mut dyn BufRead) -> Result<Request, PolicyCommandError> {
    if let Some(path) = &asked.request {
        let text = read_text(path, input)?;
        return Request::parse(text.as_bytes()).map_err(|why| PolicyCommandError::input(path, why));
    }
    let action = match (&asked.script, asked.command.split_first()) {
        (Some(path), _) => Action::Script(ScriptRequest::new(read_text(path, input)?)),
        (None, Some((program, arguments))) if asked.winrs => {
            Action::Program(ProgramRequest::new(program.clone(), arguments.to_vec()))
        }
        (None, Some((text, []))) => Action::Script(ScriptRequest::new(text.clone())),
        (None, _) => Action::Script(ScriptRequest::new(typed(&asked.command))),
    };
    let (principal, target, circumstances) = facts(given)?;
    Ok(Request { principal, target, circumstances, action })
}

/// The line that somebody would type in PowerShell to say what these words say. Words that PowerShell reads as more
/// than a word are quoted, but for a lone `|`.
fn typed(words: &[String]) -> String {
    let plain = |word: &str| {
        let letter = |c: char| c.is_alphanumeric() || "-_.:\\/,*?+=~$[]".contains(c);
        word == "|" || (!word.is_empty() && word.chars().all(letter))
    };
    let shown = |word: &String| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', "''")) };
    words.iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_the_line_that_says_the_same() {
        let line = |words: &[&str]| typed(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            line(&["Restart-Service", "-Name", "Dns,W32Time", "-Force:$true"]),
            "Restart-Service -Name Dns,W32Time -Force:$true"
        );
        assert_eq!(line(&["Get-X", "a b", "it's", "", "$(x)", ";", "|", "Y"]), "Get-X 'a b' 'it''s' '' '$(x)' ';' | Y");
    }
}
