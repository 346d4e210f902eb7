//! XML without DTD and entities, bounded in depth, counts and sizes.

mod names;
mod reader;
mod writer;

pub use names::Namespace;
pub use reader::{Element, parse};
pub(crate) use reader::{attribute_value, reference_char};
pub use writer::Writer;

/// White space of XML 1.0, production 3.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Whether XML 1.0 can carry a character. Production 2.
pub(crate) fn is_carried(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether XML can carry all of a text. Large ones are nearly all base64, so that characters are looked at one by one
/// only where bytes alone do not tell.
pub(crate) fn are_carried(text: &str) -> bool {
    let bare = |byte: u8| byte < b' ' && byte != b'\t' && byte != b'\n' && byte != b'\r';
    // What U+FFFE and U+FFFF begin with.
    let rare = |byte: u8| byte == 0xEF;
    let doubtful = text.bytes().fold(false, |found, byte| found | bare(byte) | rare(byte));
    !doubtful || text.chars().all(is_carried)
}
