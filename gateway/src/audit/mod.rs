//! The audit log: what was decided and done, in lines that nobody can take back.

mod event;
mod redact;

pub use event::*;
pub use redact::{AuditedProgram, AuditedText, JudgedArgument, Redactor, hex};
