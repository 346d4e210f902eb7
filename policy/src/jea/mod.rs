//! JEA's files: role capabilities (`.psrc`) and session configurations (`.pssc`), read into documents of a policy
//! and written back from a role. docs/jea.md says what becomes of each field.

pub mod data;
mod export;
mod import;
mod known;
mod note;

pub use export::{Exported, ExportedFile, SessionForm, Wanted, export};
pub use import::{File, Imported, ImportedDocument, import};
pub use note::{Note, Outcome};
