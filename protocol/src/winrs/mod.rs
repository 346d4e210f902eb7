//! The WinRS shell, as server and as client. [MS-WSMV] 3.1.4.1.

pub mod client;
pub mod options;
pub mod server;

pub use options::{CommandOptions, CommandShell, ConsoleInput, Profile, ShellOptions};

/// A stream of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Both, in the order in which they are named.
    pub const ALL: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// The stream of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }
}

/// The only stream of input.
pub const STDIN: &str = "stdin";
