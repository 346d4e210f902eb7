//! The lines of a recording.

use super::text::{Kept, is_harmless};
use crate::audit::AuditPlace;
use sekisho_protocol::psrp::MessageType;
use sekisho_protocol::winrs::Stream;
use serde::{Deserialize, Serialize};
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// The version of the format.
pub(super) const FORMAT: u32 = 1;

/// One line of a recording, beside its number, its time and the digest of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Entry {
    /// The first.
    Begin(Begin),
    /// A command that was allowed, as it was judged. Written before it is sent.
    Asked(Said),
    /// A command that was refused: what the user was told.
    Refused(Said),
    /// An object of the output, or a record of a stream.
    Output(Said),
    /// See [`Entry::Output`].
    Error(Said),
    /// See [`Entry::Output`].
    Warning(Said),
    /// See [`Entry::Output`].
    Verbose(Said),
    /// See [`Entry::Output`].
    Debug(Said),
    /// See [`Entry::Output`].
    Information(Said),
    /// See [`Entry::Output`].
    Progress(Said),
    /// Output of a program.
    Stdout(Said),
    /// Output of a program.
    Stderr(Said),
    /// What a call to the client's host showed, or that it asked.
    Host(HostSaid),
    /// From here on output is left out.
    Limit(Limit),
    /// Entries that could not be written since the line before.
    Lost(Lost),
    /// A command has ended.
    Ended(Ended),
    /// The last.
    End(End),
}

/// Whose session it is, and where the audit log stood when it began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// `FORMAT`.
    pub format: u32,
    /// The gateway's id of the session.
    pub session: String,
    /// `powershell`, `cmd` or `job`.
    pub kind: String,
    /// Who is logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Where from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addr: Option<String>,
    /// On which target; of a job, each command says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The last line of the audit log.
    pub audit: AuditPlace,
}

/// Whose words: the gateway's id of a command, and of a job its target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Speaker {
    /// The gateway's id of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The target, of a job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Text, and what was done to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Whose.
    #[serde(flatten)]
    pub by: Speaker,
    /// Control characters are in it as they came, escaped as JSON escapes.
    pub text: String,
    /// Bytes that are left out at its end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: u64,
    /// Whether something is hidden in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redacted: bool,
    /// The object itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clixml: Option<String>,
    /// Why the object itself is not there although it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_clixml: Option<NoClixml>,
}

/// Why an object itself is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoClixml {
    /// It holds a SecureString.
    Secure,
    /// A pattern of the configuration matches in it.
    Redacted,
    /// It is longer than an entry may be.
    Long,
    /// It cannot be read.
    Unreadable,
}

/// What a call to the client's host showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSaid {
    /// The method's name.
    pub method: String,
    /// Its text; empty where the user was asked for something.
    #[serde(flatten)]
    pub said: Said,
}

/// Output of a command or session that is more than is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Whose.
    #[serde(flatten)]
    pub by: Speaker,
    /// Which limit.
    pub scope: Scope,
}

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One command's output.
    Command,
    /// All output of a session.
    Session,
}

/// Entries that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// How many.
    pub entries: u64,
}

/// How a command ended, and what was left out of its output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Whose.
    #[serde(flatten)]
    pub by: Speaker,
    /// In a word or two.
    pub outcome: String,
    /// Entries that a limit left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// The end of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whether everything was recorded that was to be.
    pub complete: bool,
    /// Written by the next start, since the gateway had died.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recovered: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Said {
    /// What is kept of a text.
    pub(super) fn of(by: Speaker, kept: Kept) -> Self {
        let Kept { text, cut, redacted } = kept;
        Self { by, text, cut, redacted, ..Self::default() }
    }
}

impl Entry {
    /// An output or a record of a stream; nothing where the message is neither.
    pub(super) fn of_record(kind: MessageType, said: Said) -> Option<Self> {
        type Kind = (MessageType, fn(Said) -> Entry);
        const KINDS: [Kind; 7] = [
            (MessageType::PipelineOutput, Entry::Output),
            (MessageType::ErrorRecord, Entry::Error),
            (MessageType::WarningRecord, Entry::Warning),
            (MessageType::VerboseRecord, Entry::Verbose),
            (MessageType::DebugRecord, Entry::Debug),
            (MessageType::InformationRecord, Entry::Information),
            (MessageType::ProgressRecord, Entry::Progress),
        ];
        KINDS.iter().find(|(known, _)| *known == kind).map(|(_, entry)| entry(said))
    }

    /// Output of a program.
    pub(super) fn of_stream(stream: Stream, said: Said) -> Self {
        match stream {
            Stream::Stdout => Self::Stdout(said),
            Stream::Stderr => Self::Stderr(said),
        }
    }

    /// As JSON in which no character steers a terminal.
    pub(super) fn json(&self) -> Option<String> {
        json(self)
    }
}

/// As JSON in which no character steers a terminal.
pub(crate) fn json(value: &impl Serialize) -> Option<String> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Harmless);
    value.serialize(&mut serializer).ok()?;
    String::from_utf8(out).ok()
}

/// Escapes more than JSON demands: whatever steers a terminal or reorders what stands beside it.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut written = 0;
        for (at, character) in fragment.char_indices().filter(|(_, character)| !is_harmless(*character)) {
            writer.write_all(fragment.get(written..at).unwrap_or_default().as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            written = at.saturating_add(character.len_utf8());
        }
        writer.write_all(fragment.get(written..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_that_steers_a_terminal_is_in_the_json_and_all_are_read_back() {
        let text: String = ('\0'..='\u{2100}').chain(['\u{e0041}', '\u{fffa}', '\u{1f600}', '"', '\\']).collect();
        let entry = Entry::Output(Said { text, ..Said::default() });
        let json = entry.json().unwrap();
        assert!(json.chars().all(is_harmless));
        assert!(json.contains("\\u001b") && json.contains("\\u009b") && json.contains("\\u202e"));
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }

    #[test]
    fn what_is_nothing_is_left_out_and_read_back() {
        let by = Speaker { command: Some("C".to_owned()), target: None };
        let entry = Entry::Warning(Said { by, text: "x".to_owned(), ..Said::default() });
        let json = entry.json().unwrap();
        assert_eq!(json, r#"{"event":"warning","command":"C","text":"x"}"#);
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }

    #[test]
    fn every_kind_of_record_has_an_entry_of_its_own() {
        let kinds = MessageType::ALL.iter().filter(|kind| Entry::of_record(**kind, Said::default()).is_some());
        assert!(kinds.copied().eq(MessageType::ALL.iter().copied().filter(|kind| kind.is_record())));
    }
}
