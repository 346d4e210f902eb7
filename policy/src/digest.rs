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
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn names_and_borders_matter() {
        let one = digest([("a", "x"), ("b", "y")].into_iter());
        assert_ne!(one, digest([("a", "x"), ("c", "y")].into_iter()));
        assert_ne!(one, digest([("a", "y"), ("b", "x")].into_iter()));
        assert_ne!(digest([("ab", "c")].into_iter()), digest([("a", "bc")].into_iter()));
    }
}
