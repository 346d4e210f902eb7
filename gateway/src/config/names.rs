//! Names that the configuration gives, compared ignoring case.

use std::fmt;

/// Long enough for a DNS label and a number.
const MAX_NAME: usize = 64;

/// What is wrong with a name. Never shows the name: it may come from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name must not be empty")]
    Empty,
    #[error("a name has at most {MAX_NAME} characters")]
    TooLong,
    #[error("a name begins with a letter or digit and has only letters, digits, '.', '-' and '_'")]
    Character,
}

/// The name of a target: the key of the closed table. Kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetName(String);

/// The name of a group of targets. Kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName(String);

impl TargetName {
    /// # Errors
    /// When the text is no name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        checked(text).map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl GroupName {
    /// # Errors
    /// When the text is no name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        checked(text).map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn checked(text: &str) -> Result<String, NameError> {
    let first = text.bytes().next().ok_or(NameError::Empty)?;
    if text.len() > MAX_NAME {
        return Err(NameError::TooLong);
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if !first.is_ascii_alphanumeric() || !text.bytes().all(inner) {
        return Err(NameError::Character);
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_ignoring_case() {
        assert_eq!(TargetName::parse("Web01").unwrap(), TargetName::parse("wEB01").unwrap());
        assert_eq!(TargetName::parse("Web01.Example").unwrap().as_str(), "web01.example");
    }

    #[test]
    fn a_name_is_bounded_and_plain() {
        let cases = [
            ("", NameError::Empty),
            ("-web", NameError::Character),
            (".web", NameError::Character),
            ("..", NameError::Character),
            ("a/b", NameError::Character),
            ("a b", NameError::Character),
            ("wéb", NameError::Character),
            ("\u{212A}elvin", NameError::Character),
            ("a\0", NameError::Character),
        ];
        for (text, error) in cases {
            assert_eq!(TargetName::parse(text), Err(error), "{text:?}");
            assert_eq!(GroupName::parse(text), Err(error), "{text:?}");
        }
        assert!(TargetName::parse(&"a".repeat(64)).is_ok());
        assert_eq!(TargetName::parse(&"a".repeat(65)), Err(NameError::TooLong));
    }
}
