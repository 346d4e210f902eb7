//! What PowerShell's commands accept: the ground on which names, aliases, abbreviations and positions are resolved.

mod model;

pub use model::{
    CommandInfo, CommandKind, Edition, Membership, ParameterInfo, ParameterKind, PipelineInput, Uncertainty, Unnamed,
};
