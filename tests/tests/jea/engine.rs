//! Scripts for the real PowerShell.

use sekisho_tests::engine::{Task, find};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Stdio;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Runs a script with the engine and says whether there is one. What it does wrong is an error.
pub(crate) fn run(script: &str, arguments: &[&Path], folder: &Path) -> Result<bool, Box<dyn Error>> {
    let Some(engine) = find(Task::Run)? else { return Ok(false) };
    let file = folder.join("script.ps1");
    // The engine gives a script no arguments.
    let words: Vec<String> = arguments.iter().map(|path| format!("'{}'", path.display())).collect();
    fs::write(&file, format!("& {{\n{script}\n}} {}\n", words.join(" ")))?;
    let canary = folder.join("canary");
    let output = engine.command().arg(&file).env("ENGINE_CANARY", &canary).stdin(Stdio::null()).output()?;
    assert!(!canary.exists(), "something ran: {}", fs::read_to_string(&canary)?);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(format!("the engine failed: {said}").into());
    }
    Ok(true)
}
