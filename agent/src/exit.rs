//! The exit codes: the table of `--help` and of `docs/agent.md`.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Every target answered with exit code 0, and without an error record.
    AllOk,
    /// At least one target did not.
    SomeFailed,
    /// Arguments, configuration or files are wrong; nothing was sent.
    Usage,
    /// Policy allowed it nowhere; nothing ran.
    Denied,
    /// The gateway did not accept the login.
    LoginFailed,
    /// No connection to the gateway, or its certificate did not verify.
    Unreachable,
    /// Interrupted by the user.
    Interrupted,
    /// The gateway is busy or ending; nothing ran.
    TryLater,
    /// The connection broke, or the gateway broke the protocol, after the job was sent.
    Lost,
    /// The output could not be written.
    Output,
}

impl ExitStatus {
    /// All of them, by code.
    pub const ALL: [Self; 10] = [
        Self::AllOk,
        Self::SomeFailed,
        Self::Usage,
        Self::Denied,
        Self::LoginFailed,
        Self::Unreachable,
        Self::Interrupted,
        Self::TryLater,
        Self::Lost,
        Self::Output,
    ];

    /// The code that the process ends with. These are part of the interface: never renumber them.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::AllOk => 0,
            Self::SomeFailed => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::LoginFailed => 4,
            Self::Unreachable => 5,
            Self::Interrupted => 6,
            Self::TryLater => 7,
            Self::Lost => 8,
            Self::Output => 9,
        }
    }

    /// What it means, for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AllOk => "all ok: on every target the program ended with 0, or the pipeline without an error",
            Self::SomeFailed => {
                "some failed: on at least one target it ended otherwise, or with an error, or had no known end"
            }
            Self::Usage => "usage: arguments, configuration or files are wrong; nothing ran",
            Self::Denied => "denied: policy allows it on none of the targets; nothing ran",
            Self::LoginFailed => "login failed: the gateway did not accept the credential; nothing ran",
            Self::Unreachable => "unreachable: no connection to the gateway that verifies; nothing ran",
            Self::Interrupted => "interrupted: results so far were printed, the rest was cancelled",
            Self::TryLater => "try later: the gateway is busy or ending; nothing ran",
            Self::Lost => {
                "lost: the connection or the protocol broke after the job was sent; some outcomes are unknown"
            }
            Self::Output => "output: the results could not be written",
        }
    }

    /// The table for `--help`.
    #[must_use]
    pub fn table() -> String {
        let mut table = String::from("Exit codes:\n");
        for status in Self::ALL {
            // Writing to a String cannot fail.
            let _written = writeln!(table, "  {}  {}", status.code(), status.meaning());
        }
        table
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_positions_in_the_table() {
        for (position, status) in ExitStatus::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(status.code()), position);
        }
    }

    #[test]
    fn the_guide_has_the_same_table() {
        let guide = include_str!("../../docs/agent.md");
        for status in ExitStatus::ALL {
            let row = format!("| {} | {} |", status.code(), status.meaning());
            assert!(guide.contains(&row), "docs/agent.md lacks the row: {row}");
        }
    }
}
