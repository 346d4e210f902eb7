//! The policy crate as its users see it: documents in, decisions out.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

mod assignments;
mod command_lines;
mod corpus;
mod documents;
mod powershell;
mod programs;
mod properties;
mod reference;
mod support;
