//! Entries for fuzzers into layers that are not public: tests/fuzz calls them, and the tests below replay what
//! fuzzers have found and what seeds them.
//!
//! Each takes any bytes and returns; a panic is a finding, and the assertions say what must hold besides.
#![expect(clippy::panic, clippy::expect_used, reason = "a fuzzer learns of a finding by a panic")]

mod login;
mod pieces;
mod tokens;

pub use login::{credssp_acceptor, credssp_initiator, ntlm_patched};
pub use pieces::Pieces;
pub use tokens::{ntlm_challenge, ntlm_guard, spnego, ts_credentials, ts_request};

/// An entry with the name of its corpus.
pub type Entry = (&'static str, fn(&[u8]));

/// All entries.
pub const ENTRIES: [Entry; 8] = [
    ("credssp_acceptor", credssp_acceptor),
    ("credssp_initiator", credssp_initiator),
    ("ntlm_challenge", ntlm_challenge),
    ("ntlm_guard", ntlm_guard),
    ("ntlm_patched", ntlm_patched),
    ("spnego", spnego),
    ("ts_credentials", ts_credentials),
    ("ts_request", ts_request),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_file_of_the_corpora_is_taken() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus");
        for (name, entry) in ENTRIES {
            let mut taken = 0_usize;
            for file in corpora.join(name).read_dir().unwrap() {
                #[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                entry(&bytes);
                taken += 1;
            }
            assert!(taken > 0, "{name} has no corpus");
        }
    }
}
