//! XML without DTD and entities, bounded in depth, counts and sizes.

/// White space of XML 1.0, production 3.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
