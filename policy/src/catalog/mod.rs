//! What PowerShell's commands accept: the ground on which names, aliases, abbreviations and positions are resolved.

mod blob;
mod check;
mod common;
mod defaults;
mod explain;
mod import;
mod model;
mod record;
mod shipped;
mod toml;

pub use blob::{Origin, Unwritable, encode};
pub use common::{COMMON_PARAMETERS, CommonGroup, CommonParameter, CommonValue, CommonVerdict};
pub use defaults::{Constraint, DefaultCommand, DefaultCommands, Values, default_commands};
pub use explain::explain;
pub use import::{IMPORT_BYTES, IMPORT_COMMANDS, ImportMistake, from_json};
pub use model::{
    CommandInfo, CommandKind, Edition, Membership, ParameterInfo, ParameterKind, PipelineInput, Uncertainty, Unnamed,
    WorkflowParameters,
};
pub use record::{CommandRecord, ParameterRecord, PlaceRecord, RecordMistake};
pub use shipped::{CREDIT, Catalog, CatalogMode, Source};
pub use toml::to_toml;
