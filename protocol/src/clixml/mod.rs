//! CLIXML: objects of .NET as PowerShell writes them into XML, \[MS-PSRP\] 2.2.5.
//!
//! Decoding is strict where readers differ: a member twice, a doubtful reference, a comment, a prefix or an
//! unknown element fails. What is encoded has fresh references and one form only.

mod decode;
mod document;
mod encode;
mod primitive;
pub mod show;
mod text;
mod value;

pub use decode::decode;
pub use document::{StreamRecord, decode_document};
pub use encode::{encode, encode_into};
pub use text::{escape, escape_units, unescape, unescape_units};
pub use value::{
    Content, Integer, IntegerKind, ListKind, Member, Object, Progress, Real, RealKind, SecureText, TypeNames, Value,
};

#[cfg(test)]
mod tests;
