//! Tests of the whole: end to end, by attack, and of the layering. What they share is here.

pub mod catalog;
pub mod engine;
mod left_out;
pub mod policy_corpus;
pub mod source;

pub use left_out::left_out;
