//! Tests of the whole: end to end, by attack, and of the layering. What they share is here.

pub mod policy_corpus;
pub mod source;
