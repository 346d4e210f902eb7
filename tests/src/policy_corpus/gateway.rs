//! The built gateway, which is asked as any program asks it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::SystemTime;

use serde_json::Value as Json;

use crate::source::root;

/// What the gateway is made of.
const MADE_OF: [&str; 4] = ["protocol", "policy", "gateway", "agent"];

/// The binary.
#[derive(Debug, Clone)]
pub struct Gateway(PathBuf);

impl Gateway {
    /// The one beside this program in the target folder. It is built when it is missing or older than its sources.
    ///
    /// # Errors
    /// When there is none and none can be built.
    pub fn built() -> io::Result<Self> {
        let this = std::env::current_exe()?;
        let beside = this.parent().unwrap_or_else(|| Path::new("."));
        let folder = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
        let binary = folder.join(format!("sekisho-gateway{}", std::env::consts::EXE_SUFFIX));
        let built = fs::metadata(&binary).and_then(|found| found.modified()).ok();
        if built.is_none_or(|built| newest_source().is_none_or(|changed| built < changed)) {
            build(folder)?;
        }
        Ok(Self(binary))
    }

    /// What is wrong with a policy: files and lines.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub fn mistakes(&self, policy: &Path) -> io::Result<Vec<Mistake>> {
        let output = Command::new(&self.0).args(["policy", "check", "--json"]).arg(policy).output()?;
        let found: Json = serde_json::from_slice(&output.stdout)
            .map_err(|error| io::Error::other(format!("{error}: {}", String::from_utf8_lossy(&output.stderr))))?;
        let mistake = |one: &Json| Mistake {
            file: one.get("file").and_then(Json::as_str).unwrap_or_default().to_owned(),
            line: one.get("line").and_then(Json::as_u64).and_then(|line| line.try_into().ok()).unwrap_or_default(),
            message: one.get("message").and_then(Json::as_str).unwrap_or_default().to_owned(),
        };
        Ok(found.as_array().into_iter().flatten().map(mistake).collect())
    }

    /// Begins to judge by a policy.
    ///
    /// # Errors
    /// When the gateway cannot be started.
    pub fn judge(&self, policy: &Path) -> io::Result<Judge> {
        let mut command = Command::new(&self.0);
        command.args(["policy", "decide", "--policy"]).arg(policy).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (lines, answers) = (child.stdin.take(), child.stdout.take().map(BufReader::new));
        let missing = || io::Error::other("the gateway has no standard input or output");
        Ok(Judge { child, lines: Some(lines.ok_or_else(missing)?), answers: answers.ok_or_else(missing)? })
    }
}

/// A mistake in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    pub line: usize,
    pub message: String,
}

/// `policy decide` at work.
#[derive(Debug)]
pub struct Judge {
    child: Child,
    lines: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// One line in, one answer out.
    ///
    /// # Errors
    /// When the gateway has ended.
    pub fn ask(&mut self, line: &str) -> io::Result<Json> {
        let ended = || io::Error::other("the gateway has ended");
        let lines = self.lines.as_mut().ok_or_else(ended)?;
        lines.write_all(line.as_bytes())?;
        lines.write_all(b"\n")?;
        lines.flush()?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(ended());
        }
        serde_json::from_str(&answer).map_err(io::Error::other)
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It ends with its input.
        self.lines = None;
        if self.child.wait().is_err() {
            drop(self.child.kill());
        }
    }
}

/// When the newest file was written that the gateway is made of.
fn newest_source() -> Option<SystemTime> {
    let root = root();
    let mut newest = fs::metadata(root.join("Cargo.lock")).and_then(|found| found.modified()).ok()?;
    let mut folders: Vec<PathBuf> = MADE_OF.iter().map(|member| root.join(member)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()? {
            let entry = entry.ok()?;
            let found = entry.metadata().ok()?;
            if found.is_dir() {
                folders.push(entry.path());
            } else {
                newest = newest.max(found.modified().ok()?);
            }
        }
    }
    Some(newest)
}

/// Builds it into the folder that this program lies in.
fn build(folder: &Path) -> io::Result<()> {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["build", "--quiet", "--locked", "-p", "sekisho-gateway", "--profile", profile]);
    command.arg("--target-dir").arg(folder.parent().unwrap_or(folder));
    if command.stdout(Stdio::null()).status()?.success() {
        return Ok(());
    }
    Err(io::Error::other("the gateway could not be built: run `cargo build -p sekisho-gateway` and see why"))
}
