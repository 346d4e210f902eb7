//! The asking side.
