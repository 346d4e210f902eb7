//! A recording as text. What came from elsewhere stands indented, so that nothing in it can look like a heading, a
//! prompt or an end, and nothing in it steers a terminal.

use crate::recording::{
    Begin, Entry, HostSaid, Line, NoClixml, Proof, Said, Scope, Speaker, after_sequence, is_harmless,
};
use std::collections::HashMap;
use std::io::{self, Write};

const RULE: &str = "**********************";
/// Commands of which it is remembered what they said last.
const MAX_REMEMBERED: usize = 1024;
/// Calls that come beside a record that says the same.
const TWINS: [(&str, &str); 8] = [
    ("WriteWarningLine", "WARNING: "),
    ("WriteVerboseLine", "VERBOSE: "),
    ("WriteDebugLine", "DEBUG: "),
    ("WriteProgress", "PROGRESS: "),
    ("Write1", "INFO: "),
    ("Write2", "INFO: "),
    ("WriteLine2", "INFO: "),
    ("WriteLine3", "INFO: "),
];

/// A text in progress.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    prompt: String,
    /// The command that spoke last.
    current: Option<Speaker>,
    /// What a command said last in a stream that its host shows too.
    said: HashMap<(Speaker, &'static str), (Source, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Record,
    Host,
}

impl Transcript {
    pub(super) fn line(&mut self, out: &mut dyn Write, line: &Line) -> io::Result<()> {
        match &line.entry {
            Entry::Begin(begin) => self.begin(out, begin, &line.time),
            Entry::Asked(said) => self.asked(out, said),
            Entry::Refused(said) => {
                self.turn(out, &said.by)?;
                text(out, "REFUSED: ", said)
            }
            Entry::Output(said) | Entry::Stdout(said) => self.said(out, "", said),
            Entry::Error(said) | Entry::Stderr(said) => self.said(out, "ERROR: ", said),
            Entry::Warning(said) => self.twin(out, "WARNING: ", said, Source::Record),
            Entry::Verbose(said) => self.twin(out, "VERBOSE: ", said, Source::Record),
            Entry::Debug(said) => self.twin(out, "DEBUG: ", said, Source::Record),
            Entry::Information(said) => self.twin(out, "INFO: ", said, Source::Record),
            Entry::Progress(said) => self.twin(out, "PROGRESS: ", said, Source::Record),
            Entry::Host(host) => self.host(out, host),
            Entry::Limit(limit) => {
                self.turn(out, &limit.by)?;
                let whose = match limit.scope {
                    Scope::Command => "this command",
                    Scope::Session => "this session",
                };
                writeln!(out, "[more output of {whose} was not recorded]")
            }
            Entry::Lost(lost) => writeln!(out, "[{} entries could not be recorded]", lost.entries),
            Entry::Ended(ended) => {
                self.turn(out, &ended.by)?;
                self.said.retain(|(by, _), _| *by != ended.by);
                let left_out = match ended.left_out {
                    0 => String::new(),
                    entries => format!("; {entries} entries of its output were not recorded"),
                };
                writeln!(out, "[{}{left_out} at {}]", safe(&ended.outcome), safe(&line.time))
            }
            Entry::End(_) => {
                writeln!(out, "{RULE}")?;
                writeln!(out, "End       : {}", safe(&line.time))
            }
        }
    }

    pub(super) fn finish(self, out: &mut dyn Write, proof: &Proof) -> io::Result<()> {
        match proof {
            Proof::Whole { .. } => {}
            Proof::Open { .. } | Proof::Unknown { .. } | Proof::Changed(_) => writeln!(out, "{RULE}")?,
        }
        writeln!(out, "Verified  : {proof}")?;
        writeln!(out, "{RULE}")
    }

    fn begin(&mut self, out: &mut dyn Write, begin: &Begin, time: &str) -> io::Result<()> {
        let target = begin.target.as_deref().unwrap_or("(each command says it)");
        let prompt = if begin.kind == "powershell" { "PS " } else { "" };
        self.prompt = format!("{prompt}{}> ", begin.target.as_deref().map(safe).unwrap_or_default());
        writeln!(out, "{RULE}")?;
        for (name, value) in [
            ("Session", begin.session.as_str()),
            ("Principal", begin.principal.as_deref().unwrap_or("(unknown)")),
            ("Client", begin.client_addr.as_deref().unwrap_or("(unknown)")),
            ("Target", target),
            ("Kind", &begin.kind),
            ("Start", time),
        ] {
            writeln!(out, "{name:9} : {}", safe(value))?;
        }
        writeln!(out, "{RULE}")
    }

    fn asked(&mut self, out: &mut dyn Write, said: &Said) -> io::Result<()> {
        self.current = Some(said.by.clone());
        match &said.by.target {
            Some(target) => write!(out, "{}> ", safe(target))?,
            None => write!(out, "{}", self.prompt)?,
        }
        // A command has one line, whatever is in its arguments.
        writeln!(out, "{}{}", safe(&said.text), notes(said))
    }

    /// Says whose words follow, where another command spoke last.
    fn turn(&mut self, out: &mut dyn Write, by: &Speaker) -> io::Result<()> {
        if self.current.as_ref() == Some(by) {
            return Ok(());
        }
        self.current = Some(by.clone());
        match (&by.command, &by.target) {
            (Some(command), Some(target)) => writeln!(out, "[command {} on {}]", safe(command), safe(target)),
            (Some(command), None) => writeln!(out, "[command {}]", safe(command)),
            (None, _) => writeln!(out, "[the session]"),
        }
    }

    fn said(&mut self, out: &mut dyn Write, mark: &str, said: &Said) -> io::Result<()> {
        self.turn(out, &said.by)?;
        text(out, mark, said)
    }

    fn host(&mut self, out: &mut dyn Write, host: &HostSaid) -> io::Result<()> {
        if host.said.text.is_empty() {
            self.turn(out, &host.said.by)?;
            return writeln!(out, "[the target called {} of the user's host]", safe(&host.method));
        }
        match TWINS.iter().find(|(method, _)| *method == host.method) {
            Some((_, mark)) => self.twin(out, mark, &host.said, Source::Host),
            None if host.method == "WriteErrorLine" => self.said(out, "ERROR: ", &host.said),
            None => self.said(out, "", &host.said),
        }
    }

    /// What a record and a call of the host both say is shown once, in whichever order they come.
    fn twin(&mut self, out: &mut dyn Write, mark: &'static str, said: &Said, source: Source) -> io::Result<()> {
        let words = said.text.trim_end_matches('\n').to_owned();
        let key = (said.by.clone(), mark);
        match self.said.remove(&key) {
            Some((other, same)) if other != source && same == words => return Ok(()),
            Some(_) | None => {}
        }
        if self.said.len() < MAX_REMEMBERED {
            self.said.insert(key, (source, words));
        }
        // What is written to a host and to no stream has no mark.
        let mark = if mark == "INFO: " && source == Source::Host { "" } else { mark };
        self.said(out, mark, said)
    }
}

/// Text that came from elsewhere, each line of it indented.
fn text(out: &mut dyn Write, mark: &str, said: &Said) -> io::Result<()> {
    let whole = said.text.strip_suffix('\n').unwrap_or(&said.text);
    for line in whole.split('\n') {
        writeln!(out, "  {mark}{}", safe(line.strip_suffix('\r').unwrap_or(line)))?;
    }
    let notes = notes(said);
    if notes.is_empty() { Ok(()) } else { writeln!(out, "{}", notes.trim_start()) }
}

fn notes(said: &Said) -> String {
    let mut notes = String::new();
    if 0 < said.cut {
        notes.push_str(&format!(" [{} bytes more]", said.cut));
    }
    if said.no_clixml == Some(NoClixml::Unreadable) {
        notes.push_str(" [an object that cannot be read]");
    }
    notes
}

/// One line in which nothing steers a terminal: colours are left out, what else does is written out.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        if matches!(character, '\u{1b}' | '\u{9b}')
            && let behind = after_sequence(rest)
            && rest.get(..rest.len().saturating_sub(behind.len())).is_some_and(|sequence| sequence.ends_with('m'))
        {
            rest = behind;
            continue;
        }
        if is_harmless(character) || character == '\t' {
            out.push(character);
        } else {
            out.extend(character.escape_unicode());
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_and_everything_else_that_steers_is_written_out() {
        assert_eq!(safe("\u{1b}[31;1mred\u{1b}[0m \u{9b}1mx"), "red x");
        assert_eq!(safe("\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}H\r\n"), r"\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}H\u{d}\u{a}");
        assert_eq!(safe("a\tb\u{202e}c\u{7f}"), "a\tb\\u{202e}c\\u{7f}");
        let all: String = ('\0'..='\u{2fff}').collect();
        assert!(safe(&all).chars().all(|character| is_harmless(character) || character == '\t'));
    }
}
