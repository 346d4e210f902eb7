//! CLIXML from outside: values of every kind there and back, and input that is meant to be read in two ways.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod hostile;
mod properties;
