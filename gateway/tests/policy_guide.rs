//! The examples of docs/policy.md: what a reader sees there is what the program says.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

use std::path::Path;
use std::process::Command;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.md");

/// A block of the page: what stands after its first three backquotes, and its lines.
struct Block {
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some(Block { info: info.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    blocks
}

/// What a shell says to a line, where the program is on the path.
fn shell(folder: &Path, line: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_sekisho-gateway")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(binary.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let output =
        Command::new("sh").arg("-c").arg(line).current_dir(folder).env("PATH", path.unwrap()).output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// Runs every command of a console block again. Gives the block as it should be.
fn replayed(folder: &Path, block: &str) -> String {
    let commands = block.lines().filter(|line| line.starts_with("$ "));
    commands.map(|line| format!("{line}\n{}", shell(folder, line.trim_start_matches("$ ")))).collect()
}

#[test]
fn the_examples_of_the_guide_are_what_the_program_says() {
    let page = std::fs::read_to_string(GUIDE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut consoles = 0_usize;
    let mut right = page.clone();
    for block in blocks(&page) {
        if let Some((_, file)) = block.info.split_once(" file=") {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &block.text).unwrap();
        } else if block.info == "console" {
            let said = replayed(folder.path(), &block.text);
            right = right.replacen(&format!("```console\n{}```", block.text), &format!("```console\n{said}```"), 1);
            consoles += 1;
        }
    }
    assert!(consoles > 5, "the guide was not read");
    if page != right && std::env::var_os("SEKISHO_WRITE_GUIDE").is_some() {
        std::fs::write(GUIDE, &right).unwrap();
        return;
    }
    for (line, (found, expected)) in page.lines().zip(right.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of docs/policy.md; SEKISHO_WRITE_GUIDE=1 writes it anew", line + 1);
    }
    assert_eq!(page, right, "docs/policy.md; SEKISHO_WRITE_GUIDE=1 writes it anew");
}
