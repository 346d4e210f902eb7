//! What may depend on what.

use std::collections::BTreeSet;
use std::error::Error;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};
use sekisho_tests::source::{Source, lines_with_word, root, sources};

type Outcome = Result<(), Box<dyn Error>>;

/// Each member, and the members that it may depend on.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("sekisho-protocol", &[]),
    ("sekisho-policy", &[]),
    ("sekisho-agent", &["sekisho-protocol"]),
    ("sekisho-gateway", &["sekisho-protocol", "sekisho-policy", "sekisho-agent"]),
    ("sekisho-tests", &["sekisho-protocol", "sekisho-policy", "sekisho-agent", "sekisho-gateway"]),
];

/// What opens sockets or drives them. `protocol` and `policy` have none of it, however far down.
const INPUT_AND_OUTPUT: [&str; 7] = ["tokio", "mio", "async-io", "socket2", "hyper", "reqwest", "rustls-native-certs"];

fn metadata() -> Result<Metadata, Box<dyn Error>> {
    Ok(MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec()?)
}

#[test]
fn members_depend_on_each_other_as_designed() -> Outcome {
    let metadata = metadata()?;
    let members: BTreeSet<&str> = metadata.workspace_packages().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(members, ALLOWED.iter().map(|(name, _)| *name).collect());
    for package in metadata.workspace_packages() {
        let found = package.dependencies.iter().map(|d| d.name.as_str()).filter(|name| members.contains(name));
        let allowed = ALLOWED.iter().find(|(name, _)| *name == package.name.as_str()).map_or(&[][..], |(_, to)| *to);
        for edge in found {
            assert!(allowed.contains(&edge), "{} must not depend on {edge}", package.name);
        }
    }
    Ok(())
}

#[test]
fn every_member_has_the_lints() -> Outcome {
    let sources = sources()?;
    for manifest in sources.iter().filter(|s| s.path.ends_with("/Cargo.toml") && !s.path.contains("/fuzz/")) {
        assert!(manifest.text.contains("[lints]\nworkspace = true"), "{} lacks the lints", manifest.path);
    }
    Ok(())
}

#[test]
fn protocol_and_policy_do_no_input_or_output() -> Outcome {
    for member in ["sekisho-protocol", "sekisho-policy"] {
        let below = everything_below(member)?;
        let found: Vec<_> = INPUT_AND_OUTPUT.iter().filter(|name| below.contains(**name)).collect();
        assert!(found.is_empty(), "{member} reaches {found:?}");
        assert!(below.contains("sha2"), "{member} was not read: {below:?}");
    }
    Ok(())
}

/// The names of all crates that a member links here. Asked of `cargo tree`, since the graph in the metadata has
/// optional dependencies that nothing turns on.
fn everything_below(member: &str) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut tree = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    tree.current_dir(root()).args([
        "tree",
        "--locked",
        "--all-features",
        "--edges=normal",
        "--prefix=none",
        "-p",
        member,
    ]);
    let output = tree.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect())
}

#[test]
fn sspi_is_known_to_the_login_alone() -> Outcome {
    let metadata = metadata()?;
    for package in metadata.workspace_packages().iter().filter(|p| p.name.as_str() != "sekisho-protocol") {
        let names = package.dependencies.iter().any(|d| d.name == "sspi" || d.name.starts_with("picky"));
        assert!(!names, "{} depends on sspi, which only sekisho-protocol may", package.name);
    }
    refused(&|s| s.path.starts_with("protocol/src/auth/"), &["sspi"], "is named outside protocol::auth")
}

#[test]
fn the_gateway_uses_the_agent_in_its_demo_alone() -> Outcome {
    let free = |s: &Source| {
        let demo = s.path.starts_with("gateway/src/demo/") || s.path == "gateway/src/demo.rs";
        demo || !s.path.starts_with("gateway/")
    };
    refused(&free, &["sekisho_agent"], "is used outside the demo")
}

#[test]
fn unsafe_is_in_the_memory_module_alone() -> Outcome {
    refused(&|s| s.path == "protocol/src/memory.rs", &["unsafe"], "is outside protocol/src/memory.rs")
}

/// No Rust file but those that are `free` has one of these words in its code.
fn refused(free: &dyn Fn(&Source) -> bool, words: &[&str], why: &str) -> Outcome {
    let mut found = Vec::new();
    for source in sources()?.iter().filter(|s| s.has_extension(&["rs"]) && !free(s)) {
        for word in words {
            let lines = lines_with_word(&source.code(), word);
            found.extend(lines.iter().map(|line| format!("{}:{line}: `{word}` {why}", source.path)));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    Ok(())
}
