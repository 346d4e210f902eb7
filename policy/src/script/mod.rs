//! Scripts as a policy pins them: their normalised text, its digest, and the parameters that they declare.

mod declared;
mod entry;

use sha2::{Digest, Sha256};

pub(crate) use declared::declared;
pub use entry::policy_pin_entry;
pub(crate) use entry::using_names;

/// The text of a script in the one form that is compared and sent: line ends made LF, blanks and a byte order mark
/// at both ends dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct PinnedText {
    text: String,
    sha256: String,
}

impl PinnedText {
    /// Normalises a script, from a file or from a client.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}').to_owned();
        let sha256 = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { text, sha256 }
    }

    /// The normalised text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of its UTF-8, in lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// A script may hold secrets, so that only its digest is shown.
impl std::fmt::Debug for PinnedText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinnedText").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_outer_blanks_do_not_matter_and_all_else_does() {
        let one = PinnedText::of("Get-Service\nGet-Date");
        for same in
            ["\u{FEFF}Get-Service\r\nGet-Date\r\n", "\n\n Get-Service\rGet-Date \t\n", "Get-Service\nGet-Date\u{A0}"]
        {
            assert_eq!(PinnedText::of(same), one, "{same:?}");
        }
        for other in ["Get-Service\n\nGet-Date", "Get-Service \nGet-Date", "get-service\nGet-Date", ""] {
            assert_ne!(PinnedText::of(other).sha256(), one.sha256(), "{other:?}");
        }
        // printf 'Get-Service\nGet-Date' | sha256sum
        assert_eq!(one.sha256(), "258d7fadb04a6e6e76938c3a6460c5ef517e0e1f4af34a18853e3538f26811ed");
        assert!(!format!("{one:?}").contains("Get-"));
    }
}
