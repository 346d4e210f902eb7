//! Whole recordings: what is in them, what is not, and what a change of them shows.

mod full;
mod session;
mod support;
