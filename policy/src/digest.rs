//! The digest by which every audit line names the policy that judged.

use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hex over all documents: their names and texts, ordered by name, each with its length,
/// line ends made LF and a byte order mark dropped, so that neither the order of reading nor a checkout on
/// another system changes it.
pub(crate) fn digest<'a>(documents: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut documents: Vec<(&str, String)> = documents.map(|(name, text)| (name, canonical(text))).collect();
    documents.sort();
    let mut hash = Sha256::new();
    hash.update(b"sekisho policy 1\n");
    for (name, text) in &documents {
        for part in [*name, text.as_str()] {
            hash.update(format!("{}\n", part.len()));
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

/// A script as it is pinned, with the SHA-256 over that: line ends made LF, outer blanks and a byte order mark
/// dropped, so that neither an editor nor the way in which a client cuts text out changes which script it is.
pub(crate) fn pinned(text: &str) -> (String, String) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}').to_owned();
    let sha256 = hex(&Sha256::digest(text.as_bytes()));
    (text, sha256)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn canonical(text: &str) -> String {
    text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_line_ends_and_mark_do_not_matter() {
        let a = digest([("a", "x = 1\n"), ("b", "y = 2\n")].into_iter());
        let b = digest([("b", "\u{FEFF}y = 2\r\n"), ("a", "x = 1\r\n")].into_iter());
        assert_eq!(a, b);
        assert_eq!(a.len(), 64);
    }

    #[test]
    fn a_pinned_script_is_the_same_in_every_spelling_of_its_lines() {
        let (text, digest) = pinned("Get-Date\nGet-Item x");
        assert_eq!(text, "Get-Date\nGet-Item x");
        for same in ["Get-Date\r\nGet-Item x\r\n", "\u{FEFF} \nGet-Date\rGet-Item x \t\n"] {
            assert_eq!(pinned(same), (text.clone(), digest.clone()), "{same:?}");
        }
        for other in ["get-Date\nGet-Item x", "Get-Date \nGet-Item x", "Get-Date\n\nGet-Item x", "Get-Date Get-Item x"]
        {
            assert_ne!(pinned(other).1, digest, "{other:?}");
        }
        assert_eq!(pinned(" ").1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn names_and_borders_matter() {
        let one = digest([("a", "x"), ("b", "y")].into_iter());
        assert_ne!(one, digest([("a", "x"), ("c", "y")].into_iter()));
        assert_ne!(one, digest([("a", "y"), ("b", "x")].into_iter()));
        assert_ne!(digest([("ab", "c")].into_iter()), digest([("a", "bc")].into_iter()));
    }
}
