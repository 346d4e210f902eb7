//! `[recording]`.

use std::path::Path;

use regex::{Regex, RegexBuilder};

use crate::config::model::TargetTable;
use crate::config::reader::{Located, Reader, Section};
use crate::config::recording::{OnFull, RecordedObjects, RecordedSessions, RecordingLimits, RecordingSettings};
use crate::config::{GroupName, TargetName};

/// Patterns are tried on every text, one after the other.
const MAX_PATTERNS: usize = 64;
const MAX_PATTERN: usize = 1024;
/// What one pattern may take once it is compiled.
const MAX_COMPILED: usize = 1 << 20;
/// Beside the folder of the audit log, unless another is named.
const FOLDER: &str = "recordings";
/// Stands for all targets.
const ALL: &str = "*";

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

pub(super) fn recording(
    top: &mut Section<'_>,
    reader: &mut Reader<'_>,
    table: &TargetTable,
    audit: Option<&Path>,
) -> RecordingSettings {
    let mut section = top.section(reader, "recording");
    let enabled = section.flag(reader, "enabled", false);
    let directory = section.path(reader, "directory");
    let directory =
        directory.unwrap_or_else(|| audit.map_or_else(|| reader.resolve(FOLDER), |audit| audit.with_file_name(FOLDER)));
    if enabled && audit == Some(&directory) {
        let fix = "name another folder, or leave `directory` out";
        reader.mistake(&section.span, "recordings cannot lie in the folder of the audit log", fix);
    }
    let sessions = sessions(&mut section, reader, table);
    let objects =
        if section.flag(reader, "clixml", false) { RecordedObjects::TextAndClixml } else { RecordedObjects::Text };
    let redact = patterns(&mut section, reader);
    let reactions = [("deny", OnFull::Deny), ("stop_recording", OnFull::StopRecording)];
    let on_full = section.choice(reader, "on_full", &reactions, OnFull::Deny);
    let limits = limits(&mut section, reader);
    section.finish(reader);
    let sessions = if enabled { sessions } else { RecordedSessions::None };
    RecordingSettings { sessions, directory, objects, redact, on_full, limits }
}

fn sessions(section: &mut Section<'_>, reader: &mut Reader<'_>, table: &TargetTable) -> RecordedSessions {
    let named = section.list(reader, "targets");
    let grouped = section.list(reader, "target_groups");
    if (named.is_empty() && grouped.is_empty()) || named.iter().any(|name| name.text == ALL) {
        return RecordedSessions::All;
    }
    let targets = named.iter().filter_map(|name| target(reader, table, name)).collect();
    let groups = grouped.iter().filter_map(|name| group(reader, table, name)).collect();
    RecordedSessions::Of { targets, groups }
}

fn target(reader: &mut Reader<'_>, table: &TargetTable, name: &Located) -> Option<TargetName> {
    let known = TargetName::parse(&name.text).ok().filter(|known| table.targets.contains_key(known));
    if known.is_none() {
        reader.mistake(&name.span, "there is no such target", "write a name of [targets], or \"*\"");
    }
    known
}

fn group(reader: &mut Reader<'_>, table: &TargetTable, name: &Located) -> Option<GroupName> {
    let known = GroupName::parse(&name.text).ok().filter(|known| table.groups.contains_key(known));
    if known.is_none() {
        reader.mistake(&name.span, "there is no such group of targets", "write a name of [target_groups]");
    }
    known
}

fn patterns(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<Regex> {
    let written = section.list(reader, "redact");
    if let Some(one_too_many) = written.get(MAX_PATTERNS) {
        reader.mistake(
            &one_too_many.span,
            format!("there are more than {MAX_PATTERNS} patterns"),
            "join some with '|'",
        );
    }
    written.iter().take(MAX_PATTERNS).filter_map(|pattern| compiled(reader, pattern)).collect()
}

fn compiled(reader: &mut Reader<'_>, pattern: &Located) -> Option<Regex> {
    let fix = "write a regular expression, such as '(?i)password\\s*[:=]\\s*\\S+'";
    if MAX_PATTERN < pattern.text.len() {
        reader.mistake(&pattern.span, format!("a pattern has at most {MAX_PATTERN} bytes"), "make two of it");
        return None;
    }
    match RegexBuilder::new(&pattern.text).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build() {
        // It would stand between all characters and hide none.
        Ok(regex) if regex.is_match("") => {
            reader.mistake(&pattern.span, "this pattern matches nothing at all, and so everywhere", fix);
            None
        }
        Ok(regex) => Some(regex),
        Err(_) => {
            reader.mistake(&pattern.span, "this is no pattern, or too large a one", fix);
            None
        }
    }
}

fn limits(recording: &mut Section<'_>, reader: &mut Reader<'_>) -> RecordingLimits {
    let mut section = recording.section(reader, "limits");
    let entry = section.bytes(reader, "entry", KIB..=64 * KIB, 64 * KIB);
    let limits = RecordingLimits {
        entry: usize::try_from(entry).unwrap_or(usize::MAX),
        command: section.bytes(reader, "command", KIB..=GIB, 16 * MIB),
        session: section.bytes(reader, "session", KIB..=64 * GIB, 256 * MIB),
        total: section.bytes(reader, "total", MIB..=(1 << 20) * GIB, 16 * GIB),
    };
    section.finish(reader);
    limits
}
