//! `demo`: a gateway and three targets on this machine alone, and what they do, told step by step.

mod target;
