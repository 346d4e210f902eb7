//! `sekisho can`: asks the gateway what may be done on a target, and runs nothing.

use crate::error::{AgentError, GatewayFault};
use crate::output::{CanForm, write_capabilities};
use crate::{Client, ExitStatus};
use sekisho_protocol::job::{Capabilities, CapabilitiesRequest, ProgramQuestion, Question, Verdict};
use std::io::Write;

/// What the words of a command are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// PowerShell, if the first word is a name like `Get-Service`, or the only word is a text; else a program.
    ByForm,
    /// Commands of PowerShell.
    Powershell,
    /// A program and its arguments.
    Program,
}

/// The question that words on the command line stand for; none for no words.
#[must_use]
pub fn question(words: &[String], reading: Reading) -> Option<Question> {
    let (first, rest) = words.split_first()?;
    let powershell = match reading {
        Reading::Powershell => true,
        Reading::Program => false,
        Reading::ByForm => is_command(first.split_whitespace().next().unwrap_or_default()),
    };
    Some(if powershell {
        Question::Powershell(text(first, rest))
    } else {
        Question::Program(ProgramQuestion { name: first.clone(), arguments: rest.to_vec() })
    })
}

/// Asks, and writes the answer.
///
/// # Errors
/// When the gateway refuses, breaks the protocol, or the answer cannot be written.
pub async fn print_capabilities(
    client: &mut Client,
    request: &CapabilitiesRequest,
    form: CanForm,
    out: &mut (dyn Write + Send),
) -> Result<ExitStatus, AgentError> {
    let document = client.capabilities(request).await?;
    write_capabilities(out, &document, form).and_then(|()| out.flush()).map_err(AgentError::Output)?;
    Ok(match &document.answer {
        None | Some(Verdict::Allow { .. }) => ExitStatus::AllOk,
        Some(Verdict::Deny { .. }) => ExitStatus::Denied,
    })
}

/// The document that answers a request, and no other.
///
/// # Errors
/// When it is about another target, or answers what was not asked.
pub(crate) fn checked(request: &CapabilitiesRequest, document: Capabilities) -> Result<Capabilities, AgentError> {
    let fits = document.target.eq_ignore_ascii_case(&request.target)
        && document.answer.is_some() == request.question.is_some();
    if fits { Ok(document) } else { Err(GatewayFault::OtherTargets.into()) }
}

/// `Verb-Noun`, perhaps with its module in front.
fn is_command(word: &str) -> bool {
    let name = word.rsplit('\\').next().unwrap_or_default();
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic()) && letters.all(|c| c.is_ascii_alphanumeric())
    };
    name.split_once('-').is_some_and(|(verb, noun)| part(verb) && part(noun)) && !word.contains([':', '/', '.'])
}

/// The words as PowerShell would have them typed: a single one is a text already, of several each is one argument.
fn text(first: &str, rest: &[String]) -> String {
    let mut text = first.to_owned();
    for word in rest {
        text.push(' ');
        match parameter(word) {
            Some((name, value)) => {
                text.push_str(name);
                text.push_str(&argument(value));
            }
            None => text.push_str(&argument(word)),
        }
    }
    text
}

/// `-Name:value` in two, the colon with the name.
fn parameter(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_at_checked(word.find(':')?.saturating_add(1))?;
    let letters = name.strip_prefix('-')?.strip_suffix(':')?;
    (!letters.is_empty() && letters.chars().all(|c| c.is_ascii_alphanumeric()) && !value.is_empty())
        .then_some((name, value))
}

/// One argument: plain where PowerShell reads it as it is, or as a constant; else in single quotes.
fn argument(word: &str) -> String {
    let constant = ["$true", "$false", "$null"].iter().any(|name| name.eq_ignore_ascii_case(word));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '\\' | ':' | '/' | '*' | '?');
    if constant || (!word.is_empty() && !word.starts_with("--") && word.chars().all(plain)) {
        return word.to_owned();
    }
    let mut quoted = String::with_capacity(word.len().saturating_add(2));
    quoted.push('\'');
    for character in word.chars() {
        // PowerShell takes these for single quotes as well.
        if matches!(character, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str], reading: Reading) -> Option<Question> {
        question(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), reading)
    }

    fn powershell(text: &str) -> Option<Question> {
        Some(Question::Powershell(text.to_owned()))
    }

    fn program(words: &[&str]) -> Option<Question> {
        let mut words = words.iter().map(|word| (*word).to_owned());
        let name = words.next().unwrap();
        Some(Question::Program(ProgramQuestion { name, arguments: words.collect() }))
    }

    #[test]
    fn a_name_like_a_cmdlets_is_powershell_and_anything_else_a_program() {
        for words in [
            &["Get-Service"][..],
            &["restart-webapppool", "-Name", "Shop"],
            &[r"DnsServer\Get-DnsServerZone"],
            &["Get-Service | Select-Object Name"],
        ] {
            assert!(matches!(asked(words, Reading::ByForm), Some(Question::Powershell(_))), "{words:?}");
        }
        for words in [
            &["hostname"][..],
            &["sc", "query", "Get-It"],
            &[r"C:\Tools\sign-it.exe"],
            &["sign-it.exe"],
            &["-Name"],
            &["a-b-c"],
            &["Get-"],
        ] {
            assert_eq!(asked(words, Reading::ByForm), program(words));
        }
        assert_eq!(asked(&[], Reading::ByForm), None);
    }

    #[test]
    fn what_is_said_wins_over_the_form() {
        assert_eq!(asked(&["Get-It", "x"], Reading::Program), program(&["Get-It", "x"]));
        assert_eq!(asked(&["gsv", "Dns"], Reading::Powershell), powershell("gsv Dns"));
    }

    #[test]
    fn each_word_is_one_argument_whatever_is_in_it() {
        let of = |words: &[&str]| asked(&[&["Set-It"], words].concat(), Reading::ByForm);
        assert_eq!(of(&["-Name", "Dns", "-Force"]), powershell("Set-It -Name Dns -Force"));
        assert_eq!(of(&["-Confirm:$false", "-N:a b"]), powershell("Set-It -Confirm:$false -N:'a b'"));
        assert_eq!(of(&["a b", ""]), powershell("Set-It 'a b' ''"));
        assert_eq!(of(&["it's", "\u{2019}"]), powershell("Set-It 'it''s' '\u{2019}\u{2019}'"));
        assert_eq!(of(&["|", "Get-Other", ";", "$x", "--%"]), powershell("Set-It '|' Get-Other ';' '$x' '--%'"));
        assert_eq!(of(&["$TRUE", "a,b", r"C:\x\*.log"]), powershell(r"Set-It $TRUE 'a,b' C:\x\*.log"));
    }

    #[test]
    fn a_single_word_is_text() {
        let text = "Get-Service -Name 'a','b' | Select-Object Name";
        assert_eq!(asked(&[text], Reading::ByForm), powershell(text));
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let request = CapabilitiesRequest::list("web01".to_owned());
        let of = |target: &str| Capabilities::list(target.to_owned(), vec![]);
        assert!(checked(&request, of("WEB01")).is_ok());
        assert!(checked(&request, of("web02")).is_err());
        let deny = Verdict::Deny { message: "m".to_owned(), rule: None };
        assert!(checked(&request, Capabilities::answer("web01".to_owned(), deny)).is_err());
    }
}
