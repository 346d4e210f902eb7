//! The table for people: targets that answer alike under one heading, trouble at the end where it is seen.

use super::safe::{write_lines, write_safe};
use crate::results::{Captured, JobResults, Outcome, TargetResult};
use sekisho_protocol::job::{Effect, FailureClass};
use std::collections::HashMap;
use std::io::{self, Write};

const INDENT: &str = "  ";
const DEEPER: &str = "    ";

/// What must be equal for two targets to stand under one heading.
#[derive(PartialEq, Eq, Hash)]
struct Answer<'a> {
    outcome: &'a Outcome,
    stdout: &'a Captured,
    stderr: &'a Captured,
}

struct Group<'a> {
    answer: Answer<'a>,
    names: Vec<&'a str>,
}

/// Writes the table and the line that counts.
///
/// # Errors
/// What the writer fails with.
pub fn write_table(out: &mut dyn Write, results: &JobResults) -> io::Result<()> {
    for group in groups(results.targets()) {
        write_heading(out, &group)?;
        write_body(out, &group.answer)?;
        out.write_all(b"\n")?;
    }
    write_counts(out, results)
}

/// Writes what is to be said of targets without a known end, and the line that counts.
pub(crate) fn write_ends(out: &mut dyn Write, results: &JobResults) -> io::Result<()> {
    let ended = |group: &Group<'_>| matches!(group.answer.outcome, Outcome::Finished { .. });
    for group in groups(results.targets()).iter().filter(|group| !ended(group)) {
        write_heading(out, group)?;
        write_body(out, &group.answer)?;
        out.write_all(b"\n")?;
    }
    write_counts(out, results)
}

/// Groups in the order of their outcome's weight, and of their first target within it.
fn groups(targets: &[TargetResult]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut index: HashMap<Answer<'_>, usize> = HashMap::new();
    for target in targets {
        let Some(outcome) = &target.outcome else { continue };
        let answer = || Answer { outcome, stdout: &target.stdout, stderr: &target.stderr };
        let position = *index.entry(answer()).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.names.push(&target.name),
            None => groups.push(Group { answer: answer(), names: vec![&target.name] }),
        }
    }
    groups.sort_by_key(|group| weight(group.answer.outcome));
    groups
}

fn weight(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Finished { exit_code: 0, .. } => 0,
        Outcome::Finished { .. } => 1,
        Outcome::Denied { .. } => 2,
        Outcome::Failed { .. } => 3,
        Outcome::Cancelled { .. } => 4,
    }
}

fn write_heading(out: &mut dyn Write, group: &Group<'_>) -> io::Result<()> {
    write_safe(out, &group.names.join(", "))?;
    match group.answer.outcome {
        Outcome::Finished { exit_code, .. } => writeln!(out, " (exit {exit_code})"),
        Outcome::Denied { .. } => writeln!(out, " (denied)"),
        Outcome::Failed { class, effect, .. } => {
            writeln!(out, " (failed: {}; {})", class_text(*class), effect_text(*effect))
        }
        Outcome::Cancelled { effect } => writeln!(out, " (cancelled; {})", effect_text(*effect)),
    }
}

fn write_body(out: &mut dyn Write, answer: &Answer<'_>) -> io::Result<()> {
    write_captured(out, INDENT, answer.stdout)?;
    if !answer.stderr.bytes.is_empty() || answer.stderr.dropped > 0 {
        writeln!(out, "{INDENT}standard error:")?;
        write_captured(out, DEEPER, answer.stderr)?;
    }
    match answer.outcome {
        Outcome::Denied { message, rule } => {
            write_lines(out, INDENT, message.as_bytes())?;
            match rule {
                Some(rule) => write_lines(out, INDENT, format!("rule: {rule}").as_bytes()),
                None => Ok(()),
            }
        }
        Outcome::Failed { message, retry_after_seconds, .. } => {
            write_lines(out, INDENT, message.as_bytes())?;
            match retry_after_seconds {
                Some(seconds) => writeln!(out, "{INDENT}try again in {seconds} s"),
                None => Ok(()),
            }
        }
        Outcome::Finished { .. } | Outcome::Cancelled { .. } => Ok(()),
    }
}

fn write_captured(out: &mut dyn Write, indent: &str, captured: &Captured) -> io::Result<()> {
    write_lines(out, indent, &captured.bytes)?;
    if captured.dropped > 0 {
        writeln!(out, "{indent}[{} more bytes were not kept; --output jsonl passes all on]", captured.dropped)?;
    }
    Ok(())
}

fn write_counts(out: &mut dyn Write, results: &JobResults) -> io::Result<()> {
    let summary = results.summary();
    let total = summary.total();
    write!(out, "{total} {}: ", if total == 1 { "target" } else { "targets" })?;
    let mut comma = "";
    for (count, word) in [
        (summary.succeeded, "ok"),
        (summary.exited_nonzero, "ended with an error"),
        (summary.denied, "denied"),
        (summary.failed, "failed"),
        (summary.cancelled, "cancelled"),
    ] {
        if count > 0 {
            write!(out, "{comma}{count} {word}")?;
            comma = ", ";
        }
    }
    writeln!(out)
}

fn class_text(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Unreachable => "unreachable",
        FailureClass::LoginRefused => "the target refused the login",
        FailureClass::NotTried => "not tried, since other targets refused the login",
        FailureClass::Timeout => "timeout",
        FailureClass::Limit => "limit",
        FailureClass::Lost => "lost",
        FailureClass::Protocol => "the target answered what it must not",
        FailureClass::Gateway => "the gateway could not do its part",
    }
}

fn effect_text(effect: Effect) -> &'static str {
    match effect {
        Effect::NothingRan => "nothing ran",
        Effect::Unknown => "it may have run: outcome unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{accepted, applied, denied, finished, started, stdout};
    use crate::results::{Ending, Keep, STREAM_KEPT};
    use sekisho_protocol::job::{JobEvent, OUTPUT_CHUNK, OutputData, OutputStream};

    fn table(results: &JobResults) -> String {
        let mut out = Vec::new();
        write_table(&mut out, results).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn answered(name: &str, output: &[u8], exit_code: i64) -> [JobEvent; 3] {
        [started(name), stdout(name, output), finished(name, exit_code)]
    }

    #[test]
    fn targets_that_answer_alike_stand_together_and_trouble_comes_last() {
        let mut events = vec![accepted(&["db01", "web01", "web02", "web03", "old01"]), denied("db01")];
        events.extend(answered("web03", b"up\r\n", 0));
        events.extend(answered("old01", b"", 5));
        events.extend(answered("web01", b"up\r\n", 0));
        events.extend(answered("web02", b"down\n", 0));
        let expected = "web01, web03 (exit 0)\n  up\n\nweb02 (exit 0)\n  down\n\nold01 (exit 5)\n\n\
                        db01 (denied)\n  no rule allows it\n\n\
                        5 targets: 3 ok, 1 ended with an error, 1 denied\n";
        assert_eq!(table(&applied(Keep::Output, &events)), expected);
    }

    #[test]
    fn output_that_came_in_other_pieces_is_the_same_answer() {
        let mut events = vec![accepted(&["a", "b"])];
        events.extend(answered("a", b"one two", 0));
        events.extend([started("b"), stdout("b", b"one"), stdout("b", b" two"), finished("b", 0)]);
        assert!(table(&applied(Keep::Output, &events)).starts_with("a, b (exit 0)\n  one two\n"));
    }

    #[test]
    fn the_same_text_on_the_other_stream_is_another_answer() {
        let mut events = vec![accepted(&["a", "b"])];
        events.extend(answered("a", b"x", 0));
        let stderr = JobEvent::Output { target: "b".into(), stream: OutputStream::Stderr, data: OutputData::of(b"x") };
        events.extend([started("b"), stderr, finished("b", 0)]);
        let expected = "a (exit 0)\n  x\n\nb (exit 0)\n  standard error:\n    x\n\n2 targets: 2 ok\n";
        assert_eq!(table(&applied(Keep::Output, &events)), expected);
    }

    #[test]
    fn hostile_output_cannot_steer_the_terminal_or_fake_a_heading() {
        let mut events = vec![accepted(&["a"])];
        events.extend(answered("a", b"\x1b[2J\x1b]0;title\x07\nweb09 (exit 0)\n\x9b\r", 0));
        let table = table(&applied(Keep::Output, &events));
        assert!(table.chars().all(|c| c == '\n' || super::super::safe::is_harmless(c)), "{table:?}");
        assert!(table.contains("\n  web09 (exit 0)\n"), "indented, unlike a heading");
    }

    #[test]
    fn an_unknown_outcome_is_said_as_such() {
        let mut results = applied(Keep::Output, &[accepted(&["a", "b"]), started("a")]);
        results.end(Ending::Interrupted);
        assert!(table(&results).starts_with("a, b (cancelled; it may have run: outcome unknown)\n"));
        let mut results = applied(Keep::Output, &[accepted(&["a", "b"]), started("a")]);
        results.end(Ending::Lost);
        let table = table(&results);
        assert_eq!(table.matches("(failed: lost; it may have run: outcome unknown)").count(), 2, "{table}");
    }

    #[test]
    fn output_beyond_the_bound_is_said_to_be_missing() {
        let chunk = vec![b'x'; OUTPUT_CHUNK];
        let mut events = vec![accepted(&["a"]), started("a")];
        events.extend((0..=STREAM_KEPT / OUTPUT_CHUNK).map(|_| stdout("a", &chunk)));
        events.push(finished("a", 0));
        let table = table(&applied(Keep::Output, &events));
        assert!(table.contains("[32768 more bytes were not kept; --output jsonl passes all on]"));
    }
}
