//! The allowlist: its model, its documents, and [`Policy::decide`].
//!
//! Pure: documents come in as text, requests as values, and the same input always gives the same answer. There
//! is no file, clock, socket or randomness in here. Whatever is not understood is denied.
//!
//! - INVARIANT(deny-by-default): an allow needs one rule of one role that the principal holds on the target.
//! - INVARIANT(refuse-never-escape): text that cmd.exe could read in a second way is refused, not repaired.
//! - INVARIANT(judged-is-rendered): [`CheckedProgram::command_line`] reads back as exactly what was judged.
#![warn(missing_docs, clippy::arithmetic_side_effects)]

pub mod action;
mod arguments;
mod asked;
mod bind;
mod budget;
pub mod catalog;
pub mod command;
pub mod command_line;
mod command_pattern;
mod compile;
mod conditions;
mod decide;
pub mod decision;
mod digest;
mod document;
mod fold;
mod interpreter;
pub mod jea;
pub mod limits;
mod lint;
mod listing;
pub mod mistake;
mod model;
mod pattern;
mod pattern_shape;
pub mod powershell;
mod program_path;
mod render;
mod script;
mod source_text;
mod target_pattern;
pub mod value;

pub use action::{
    Action, Circumstances, Presence, Principal, ProgramRequest, RequestExtras, ShellResource, TargetFacts,
};
pub use asked::{AskedCommand, AskedName, AskedValues};
pub use catalog::Edition;
pub use compile::{Compiled, Source};
pub use decide::POWERSHELL;
pub use decision::{
    Allowed, Checked, CheckedArgument, CheckedArguments, CheckedCommand, CheckedCommands, CheckedParameter,
    CheckedProgram, CheckedScript, Decision, Denied, DeniedProgram, DenyReason, Input, Nearest, Prompts,
};
pub use listing::{CommandListing, ListedSecrecy, ParameterListing, ProgramListing, RoleListing, ScriptListing};
pub use mistake::{Mistake, Warning};
pub use model::{ConstantCommands, Policy};
pub use script::{PinnedText, policy_pin_entry};
