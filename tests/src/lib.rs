//! Tests of the whole: end to end, by attack, and of the layering.
