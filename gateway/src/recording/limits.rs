//! How much of a session is kept.

use super::entry::Scope;
use crate::config::RecordingLimits;
use sekisho_protocol::wsman::CommandId;
use std::collections::HashMap;

/// Commands whose output is counted at the same time; that of further ones is left out.
const MAX_COMMANDS: usize = 4096;
/// Entries that are not output, beyond which a session is recorded no further: what is asked and refused is kept
/// although the output is left out, and must have an end too.
const MAX_CONTROL: u64 = 1 << 20;

/// What was kept so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    session: u64,
    session_noted: bool,
    control: u64,
    commands: HashMap<Option<CommandId>, OfCommand>,
}

#[derive(Debug, Default)]
struct OfCommand {
    bytes: u64,
    left_out: u64,
    noted: bool,
}

/// Whether output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Kept,
    /// It is left out, and that is to be noted.
    FirstLeftOut(Scope),
    LeftOut,
}

impl Counts {
    /// Whether so many bytes more are kept; then they are counted.
    pub(super) fn take(&mut self, limits: &RecordingLimits, command: Option<CommandId>, bytes: u64) -> Room {
        if MAX_COMMANDS <= self.commands.len() && !self.commands.contains_key(&command) {
            return Room::LeftOut;
        }
        let counted = self.commands.entry(command).or_default();
        let (session, output) = (self.session.saturating_add(bytes), counted.bytes.saturating_add(bytes));
        if limits.session < session {
            counted.left_out = counted.left_out.saturating_add(1);
            let noted = std::mem::replace(&mut self.session_noted, true);
            return if noted { Room::LeftOut } else { Room::FirstLeftOut(Scope::Session) };
        }
        if limits.command < output {
            counted.left_out = counted.left_out.saturating_add(1);
            let noted = std::mem::replace(&mut counted.noted, true);
            return if noted { Room::LeftOut } else { Room::FirstLeftOut(Scope::Command) };
        }
        (self.session, counted.bytes) = (session, output);
        Room::Kept
    }

    /// Whether the output of a command is left out by now, so that it need not be read at all. It counts.
    pub(super) fn is_over(&mut self, command: Option<CommandId>) -> bool {
        let Some(counted) = self.commands.get_mut(&command) else { return false };
        let over = counted.noted || self.session_noted;
        counted.left_out = counted.left_out.saturating_add(u64::from(over));
        over
    }

    /// Whether one more entry that is no output is kept.
    pub(super) fn control(&mut self) -> bool {
        self.control = self.control.saturating_add(1);
        self.control <= MAX_CONTROL
    }

    /// A command has ended: how many entries were left out.
    pub(super) fn end(&mut self, command: CommandId) -> u64 {
        self.commands.remove(&Some(command)).map_or(0, |counted| counted.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const LIMITS: RecordingLimits = RecordingLimits { entry: 10, command: 10, session: 25, total: 1000 };

    fn id(number: u128) -> CommandId {
        CommandId::new(Uuid::from_u128(number))
    }

    #[test]
    fn a_command_and_a_session_have_their_limits_each_noted_once() {
        let mut counts = Counts::default();
        let mut take = |command: u128, bytes| counts.take(&LIMITS, Some(id(command)), bytes);
        assert_eq!(take(1, 10), Room::Kept);
        assert_eq!(take(1, 1), Room::FirstLeftOut(Scope::Command));
        assert_eq!(take(1, 1), Room::LeftOut);
        assert_eq!(take(2, 10), Room::Kept);
        assert_eq!(take(3, 5), Room::Kept);
        assert_eq!(take(3, 1), Room::FirstLeftOut(Scope::Session));
        assert_eq!(take(4, 1), Room::LeftOut);
        assert!(counts.is_over(Some(id(4))));
        assert_eq!([1, 2, 3, 4, 5].map(|command| counts.end(id(command))), [2, 0, 1, 2, 0]);
    }

    #[test]
    fn commands_that_never_end_are_bounded() {
        let mut counts = Counts::default();
        let limits = RecordingLimits { session: u64::MAX, ..LIMITS };
        for command in 0..5000 {
            let room = counts.take(&limits, Some(id(command)), 1);
            assert_eq!(room == Room::Kept, command < 4096);
        }
        assert_eq!(counts.commands.len(), MAX_COMMANDS);
    }
}
