//! The agent, as a library and as a binary, against a gateway on loopback. What that gateway proves and does not
//! prove stands in `fake`.
#![expect(clippy::unwrap_used, reason = "what helps a test fails by panicking, as the test does")]

#[cfg(unix)]
mod binary;
mod fake;
mod library;
