//! What PowerShell's commands accept: the ground on which names, aliases, abbreviations and positions are resolved.

mod blob;
mod check;
mod common;
mod model;
mod record;
mod shipped;

pub use blob::{Origin, Unwritable, encode};
pub use common::{COMMON_PARAMETERS, CommonGroup, CommonParameter, CommonValue, CommonVerdict};
pub use model::{
    CommandInfo, CommandKind, Edition, Membership, ParameterInfo, ParameterKind, PipelineInput, Uncertainty, Unnamed,
    WorkflowParameters,
};
pub use record::{CommandRecord, ParameterRecord, PlaceRecord, RecordMistake};
pub use shipped::{CREDIT, Catalog, CatalogMode, Source};
