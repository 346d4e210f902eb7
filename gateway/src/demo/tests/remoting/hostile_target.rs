//! Attacks of a target.
