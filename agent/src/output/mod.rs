//! How results are written: for people, as one document, or line by line.

mod capabilities;
mod json;
mod objects;
mod progress;
mod safe;
mod table;
mod targets;

pub use capabilities::{CanForm, write_capabilities};
pub use json::{write_event, write_results};
pub(crate) use objects::{Streams, write_object_results, write_record};
pub use progress::Progress;
pub(crate) use safe::write_lines;
pub use safe::write_safe;
pub(crate) use table::write_ends;
pub use table::write_table;
pub use targets::write_targets;

/// The form of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: targets that answer alike under one heading.
    #[default]
    Table,
    /// One JSON document at the end.
    Json,
    /// The job API's lines as they come, without heartbeats.
    Jsonl,
}
