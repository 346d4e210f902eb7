//! The policy crate as its users see it: documents in, decisions out.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

mod agreement;
mod assignments;
mod attacks;
mod command_lines;
mod commands;
mod corpus;
mod documents;
mod jea;
mod keys;
mod laws;
mod lint;
mod naive;
mod neutral;
mod oracle;
mod powershell;
mod programs;
mod prompts;
mod properties;
mod questions;
mod random;
mod reference;
mod requests;
mod scripts;
mod support;
