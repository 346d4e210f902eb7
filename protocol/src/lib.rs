//! CredSSP, sealed bodies, WS-Man, WinRS and PowerShell remoting as sans-IO machines, for both roles.
//!
//! Bytes go in, events and bytes come out: no socket, file, clock or randomness of its own, except in
//! [`auth`] and the TLS inside [`credssp`], since sspi and rustls draw theirs.
#![warn(missing_docs, clippy::arithmetic_side_effects)]

pub mod auth;
pub mod clixml;
pub mod credssp;
pub mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod http_auth;
pub mod job;
pub mod known_certificate;
pub mod limits;
pub mod memory;
pub mod psrp;
pub mod sealing;
pub mod secret;
pub mod soap;
pub mod winrs;
pub mod wsman;
pub mod xml;
pub mod xpress;

pub use error::{Error, Result};
