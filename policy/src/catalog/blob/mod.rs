//! The compact form of a catalogue: an index of all names, and a chunk for each module, each compressed by itself so
//! that a command costs no more than its module.
//!
//! ```text
//! blob        = magic, zlib(index), { zlib(chunk) }            sizes stand in the index, that of the index in front
//! index       = count, { module name, size and packed size of its chunk, count, { name, origin } }
//! chunk       = count, { text }, { definition }                in the order of the index; texts by number
//! ```
//! Numbers are written in groups of seven bits, lowest first. [`write`] is the definition of everything below that.

mod read;
mod write;

pub(super) use read::{Chunk, Index, chunk, index};
pub use write::{Unwritable, encode};

use super::model::Edition;

/// What a blob begins with; the last byte is the version of the form.
const MAGIC: &[u8] = b"SKCT\x01";
/// Bytes of one index or chunk, unpacked. The largest known is a fifth of this.
const UNPACKED: usize = 1024 * 1024;
/// Modules of one catalogue.
const MODULES: usize = 4096;

/// Where a definition comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Windows PowerShell 5.1 itself.
    Windows51,
    /// PowerShell 7 itself.
    Core7,
    /// Both, and they agree.
    Both,
    /// A module of Windows Server 2025. It counts for both editions.
    WindowsServer,
}

impl Origin {
    /// The editions for which a definition of this origin counts.
    #[must_use]
    pub fn editions(self) -> &'static [Edition] {
        match self {
            Self::Windows51 => &[Edition::Windows51],
            Self::Core7 => &[Edition::Core7],
            Self::Both | Self::WindowsServer => &[Edition::Windows51, Edition::Core7],
        }
    }
}

const ORIGINS: [Origin; 4] = [Origin::Windows51, Origin::Core7, Origin::Both, Origin::WindowsServer];

// Bits of a definition.
const KIND_CMDLET: u64 = 1;
const KIND_FUNCTION: u64 = 1 << 1;
const COMMON: u64 = 1 << 2;
const SHOULD_PROCESS: u64 = 1 << 3;
const TRANSACTIONS: u64 = 1 << 4;
const WORKFLOW: u64 = 1 << 5;
const REFUSE: u64 = 1 << 6;

// Bits of a parameter.
const SWITCH: u64 = 1;
const DOUBTFUL: u64 = 1 << 1;
const FROM_VALUE: u64 = 1 << 2;
const FROM_PROPERTY: u64 = 1 << 3;
const REMAINING: u64 = 1 << 4;
const WILDCARDS: u64 = 1 << 5;
/// Has aliases, values or providers, which then follow.
const LISTS: u64 = 1 << 6;
