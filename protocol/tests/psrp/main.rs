//! PSRP against recordings of a real client and server, against how a real engine reads, and in pairs in memory.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answers;
mod attacks;
mod oracle;
mod pairs;
mod recorded;
mod support;
mod windows;
