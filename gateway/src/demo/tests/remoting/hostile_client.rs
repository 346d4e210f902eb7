//! Attacks of a client.
