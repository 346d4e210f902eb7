//! The line on a terminal that says how far a job is.

use super::write_safe;
use crate::results::JobResults;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The shortest time between two drawings.
const PACE: Duration = Duration::from_millis(100);

/// Whether there is a line, and where it stands.
#[derive(Debug)]
pub struct Progress {
    visible: bool,
    width: usize,
    drawn: Option<Instant>,
    note: String,
}

/// Characters of a note; longer lines would not fit a terminal.
const NOTE: usize = 60;

impl Progress {
    /// A line, if standard error is a terminal.
    #[must_use]
    pub fn new(visible: bool) -> Self {
        Self { visible, width: 0, drawn: None, note: String::new() }
    }

    /// What a target says of how far it is; from then on part of the line.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.visible {
            let mut note = Vec::new();
            let line: String = text().chars().take_while(|c| *c != '\n' && *c != '\r').take(NOTE).collect();
            // Writing into a Vec cannot fail.
            drop(write_safe(&mut note, &line));
            self.note = String::from_utf8(note).unwrap_or_default();
        }
    }

    /// Draws the line anew, unless that was done just before `now`.
    ///
    /// # Errors
    /// What the writer fails with.
    pub fn update(&mut self, err: &mut dyn Write, results: &JobResults, now: Instant) -> io::Result<()> {
        let soon = self.drawn.is_some_and(|drawn| now.saturating_duration_since(drawn) < PACE);
        if !self.visible || soon {
            return Ok(());
        }
        let summary = results.summary();
        let (ended, total) = (summary.total(), results.targets().len());
        let running = results.targets().iter().filter(|target| target.started && target.outcome.is_none()).count();
        let trouble = ended.saturating_sub(u64::from(summary.succeeded));
        let gap = if self.note.is_empty() { "" } else { "; " };
        let text = format!("{ended} of {total} done, {running} running, {trouble} not ok{gap}{}", self.note);
        self.draw(err, &text)?;
        self.drawn = Some(now);
        Ok(())
    }

    /// Takes the line away, before something else is written.
    ///
    /// # Errors
    /// What the writer fails with.
    pub fn clear(&mut self, err: &mut dyn Write) -> io::Result<()> {
        if self.width == 0 {
            return Ok(());
        }
        self.draw(err, "")?;
        err.write_all(b"\r")?;
        err.flush()
    }

    /// Blanks instead of an escape sequence: every terminal knows them.
    fn draw(&mut self, err: &mut dyn Write, text: &str) -> io::Result<()> {
        write!(err, "\r{text:<width$}", width = self.width)?;
        self.width = text.chars().count();
        err.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Keep;
    use crate::results::tests::{accepted, applied, finished, started};

    #[test]
    fn it_is_drawn_at_a_pace_and_leaves_nothing_behind() {
        let results = applied(Keep::Outcomes, &[accepted(&["a", "b"]), started("a"), finished("a", 1), started("b")]);
        let (mut err, start) = (Vec::new(), Instant::now());
        let mut progress = Progress::new(true);
        progress.update(&mut err, &results, start).unwrap();
        progress.update(&mut err, &results, start + PACE / 2).unwrap();
        assert_eq!(String::from_utf8(err.clone()).unwrap(), "\r1 of 2 done, 1 running, 1 not ok");
        progress.update(&mut err, &results, start + PACE).unwrap();
        progress.clear(&mut err).unwrap();
        let text = String::from_utf8(err).unwrap();
        assert!(text.ends_with(&format!("\r{}\r", " ".repeat(32))), "{text:?}");
    }

    #[test]
    fn what_a_target_says_of_itself_is_part_of_the_line_and_harmless() {
        let results = applied(Keep::Outcomes, &[accepted(&["a"]), started("a")]);
        let (mut err, mut progress) = (Vec::new(), Progress::new(true));
        progress.note(|| "a: Copying\u{1b}[2J\nmore".to_owned());
        progress.update(&mut err, &results, Instant::now()).unwrap();
        assert_eq!(String::from_utf8(err).unwrap(), "\r0 of 1 done, 1 running, 0 not ok; a: Copying\\u{1b}[2J");
    }

    #[test]
    fn without_a_terminal_nothing_is_written() {
        let results = applied(Keep::Outcomes, &[accepted(&["a"])]);
        let mut err = Vec::new();
        let mut progress = Progress::new(false);
        progress.update(&mut err, &results, Instant::now()).unwrap();
        progress.clear(&mut err).unwrap();
        assert!(err.is_empty());
    }
}
