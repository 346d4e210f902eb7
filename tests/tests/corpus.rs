//! Replays the corpora of the fuzz targets, so that what a fuzzer once found stays fixed without a fuzzer.

#[expect(unreachable_pub, reason = "it is a crate of its own for the fuzz targets")]
#[expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an entry tells of a finding by a panic"
)]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

type Outcome = Result<(), Box<dyn Error>>;

/// Bytes of all corpora: they are read by people now and then, and grow with every finding.
const MOST_BYTES: u64 = 512 * 1024;

fn fuzz_folder() -> PathBuf {
    sekisho_tests::source::root().join("tests/fuzz")
}

fn names_in(folder: &str) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let names = fs::read_dir(fuzz_folder().join(folder))?
        .map(|entry| Ok(entry?.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()));
    names.collect()
}

#[test]
fn every_file_of_the_corpora_is_taken() -> Outcome {
    for (name, entry) in fuzz::ENTRIES {
        let mut taken = 0_usize;
        for file in fs::read_dir(fuzz_folder().join("corpus").join(name))? {
            let file = file?;
            // Says which one it was, if it fails.
            println!("{name}/{}", file.file_name().display());
            entry(&fs::read(file.path())?);
            taken += 1;
        }
        assert!(taken > 0, "{name} has no corpus");
    }
    Ok(())
}

#[test]
fn targets_entries_and_corpora_belong_together() -> Outcome {
    let targets = names_in("targets")?;
    assert_eq!(targets, names_in("corpus")?);
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml"))?;
    for name in &targets {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in tests/fuzz/Cargo.toml");
        let text = fs::read_to_string(fuzz_folder().join("targets").join(format!("{name}.rs")))?;
        let here = fuzz::ENTRIES.iter().any(|(entry, _)| entry == name);
        // The others are replayed where they are.
        assert!(here || text.contains("sekisho_protocol::fuzzing::"), "{name} is replayed by no test");
    }
    Ok(())
}

#[test]
fn the_corpora_stay_small() -> Outcome {
    let mut bytes = 0_u64;
    for folder in fs::read_dir(fuzz_folder().join("corpus"))? {
        for file in fs::read_dir(folder?.path())? {
            bytes = bytes.saturating_add(file?.metadata()?.len());
        }
    }
    assert!(bytes <= MOST_BYTES, "the corpora have {bytes} bytes: minimise them (cargo fuzz cmin)");
    Ok(())
}
