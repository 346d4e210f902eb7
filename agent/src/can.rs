//! `sekisho can`: asks the gateway what may be done on a target, and runs nothing.

use crate::error::{AgentError, GatewayFault};
use crate::output::{CanForm, write_capabilities};
use crate::run::work;
use crate::{Client, ExitStatus};
use sekisho_protocol::job::{Capabilities, CapabilitiesRequest, ProgramCall, Question, Verdict, Work};
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
    Some(match work(words) {
        Some(Work::Command(command)) if powershell => Question::Command(command),
        Some(Work::Script(text)) if powershell => Question::Powershell(text.text),
        Some(Work::Program(_) | Work::Command(_) | Work::Script(_)) | None => {
            Question::Program(ProgramCall { name: first.clone(), arguments: rest.to_vec() })
        }
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
        Some(Question::Program(ProgramCall { name, arguments: words.collect() }))
    }

    fn is_command_question(words: &[&str], reading: Reading) -> bool {
        matches!(asked(words, reading), Some(Question::Command(_)))
    }

    #[test]
    fn a_name_like_a_cmdlets_is_powershell_and_anything_else_a_program() {
        for words in [&["restart-webapppool", "-Name", "Shop"][..], &[r"DnsServer\Get-DnsServerZone", "x"]] {
            assert!(is_command_question(words, Reading::ByForm), "{words:?}");
        }
        for words in [&["Get-Service"][..], &["Get-Service | Select-Object Name"]] {
            assert_eq!(asked(words, Reading::ByForm), powershell(words[0]));
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
        assert!(is_command_question(&["gsv", "Dns"], Reading::Powershell));
    }

    #[test]
    fn a_command_is_asked_about_as_it_would_be_run() {
        let words = ["Set-It", "-Name", "a,b", "it's; x"];
        let run = work(&words.map(str::to_owned));
        let Some(Work::Command(run)) = run else { panic!("{run:?}") };
        assert_eq!(asked(&words, Reading::ByForm), Some(Question::Command(run)));
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
