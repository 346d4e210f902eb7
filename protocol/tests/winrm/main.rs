//! XML, SOAP, WS-Man, WinRS and sealed bodies, from outside: pairs in memory, attacks, properties and
//! recordings of stock clients.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod pairs;
mod properties;
mod recorded;
mod requests;
mod responses;
mod sealing;
mod support;
mod xml;
