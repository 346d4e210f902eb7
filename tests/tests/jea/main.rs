//! JEA's files and the real PowerShell: what it reads, what it writes, and what its sessions then allow.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

mod engine;
mod mutated;
mod random;
mod reading;
mod recorded;
mod verdicts;
mod written;
