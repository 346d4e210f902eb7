//! How the demo speaks: through the one writer that it was given.

use std::io::{self, Write};

/// What stands before the lines of others.
const INDENT: &str = "    ";

/// Tells a story in numbered steps.
pub(super) struct Narrator<'a> {
    out: &'a mut (dyn Write + Send),
    step: usize,
    steps: usize,
}

impl<'a> Narrator<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send), steps: usize) -> Self {
        Self { out, step: 0, steps }
    }

    /// The step that is being told.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// Begins a step.
    pub(super) fn begin(&mut self, title: &str) -> io::Result<()> {
        self.step = self.step.saturating_add(1);
        writeln!(self.out, "\n[{}/{}] {title}", self.step, self.steps)?;
        self.out.flush()
    }

    /// Says something.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// What somebody would type.
    pub(super) fn command(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{INDENT}$ {line}")?;
        self.out.flush()
    }

    /// What a program wrote.
    pub(super) fn quote(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            writeln!(self.out, "{}", format!("{INDENT}{line}").trim_end())?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_and_what_others_say_is_set_off() {
        let mut out = Vec::new();
        let mut narrator = Narrator::new(&mut out, 2);
        narrator.begin("First").unwrap();
        narrator.command("true").unwrap();
        narrator.quote("a\r\n\n b\n").unwrap();
        narrator.begin("Second").unwrap();
        assert_eq!(narrator.step(), 2);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\n[1/2] First\n    $ true\n    a\n\n     b\n\n[2/2] Second\n");
    }
}
