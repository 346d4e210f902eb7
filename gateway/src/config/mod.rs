//! The configuration file: read once, all mistakes told at once, and nothing half valid handed on.

mod model;
mod names;
mod warning;

pub use model::*;
pub use names::{GroupName, NameError, TargetName};
pub use warning::Warning;
