//! The built binary tells its story, and leaves nothing behind: not after its end, and not after a signal.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "helpers of tests fail the test; the exemption of clippy.toml covers test functions only"
)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What each step says, in order: the heading, and what shows that it was more than words.
const STORY: [&str; 33] = [
    "[1/9] A gateway and three targets are made",
    "All listen at free ports of 127.0.0.1.",
    "[2/9] What may I reach?",
    "web01",
    "[3/9] One login, one job, three targets",
    "-- hostname",
    "3 ok",
    "[4/9] What policy does not name is denied",
    "shutdown",
    "1 denied",
    "hostname '&' whoami",
    "1 denied",
    "df -h",
    "1 ok",
    "[5/9] PowerShell",
    "sekisho run",
    "VERBOSE: web01",
    "W32Time Running web01",
    "accepts W32Time only",
    "[6/9] Too much at a time",
    "too many requests",
    "try again in",
    "[7/9] A wrong password",
    "error: login failed",
    "[8/9] The audit log proves itself",
    "verified:",
    "and no password.",
    "[9/9] A tampered log is caught",
    "CHANGED:",
    "CHANGED:",
    "CHANGED:",
    "its tail was cut off",
    "Everything was stopped and removed.",
];

struct Demo {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    /// Where its temporary folder is, and nothing else.
    temporary: TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sekisho-gateway"))
            .arg("demo")
            .args(arguments)
            // It needs nothing of its user's: no home, no path, no settings.
            .env_clear()
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, temporary }
    }

    /// Reads up to the first line with this text.
    fn wait_for(&mut self, text: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "{text} is missing in:\n{all}{}", self.errors());
            all.push_str(&line);
            if line.contains(text) {
                return all;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end. Gives what else it wrote, and its errors.
    fn end(mut self) -> (ExitStatus, String, String, TempDir) {
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let errors = self.errors();
        (self.child.wait().unwrap(), out, errors, self.temporary)
    }

    fn errors(&mut self) -> String {
        let mut errors = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut errors).unwrap();
        }
        errors
    }
}

fn assert_empty(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_story_is_told_to_its_end() {
    let (status, out, errors, temporary) = Demo::start(&[]).end();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{out}");
    let mut rest = out.as_str();
    for text in STORY {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text} is missing, or out of order, in:\n{out}"));
        rest = &rest[at + text.len()..];
    }
    assert_empty(temporary.path());
}

#[test]
fn serve_stays_up_until_ctrl_c() {
    let mut demo = Demo::start(&["--serve"]);
    let said = demo.wait_for("Ctrl-C stops and removes everything.");
    for text in [
        "sekisho exec --gateway https://127.0.0.1:",
        "sekisho run --gateway",
        "client.execute_ps(",
        "--password-file",
        "auth='credssp'",
        "transport='credssp'",
    ] {
        assert!(said.contains(text), "{text} is missing in:\n{said}");
    }
    let folder = std::fs::read_dir(demo.temporary.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for file in ["ca.pem", "password"] {
        let path = folder.join(file);
        assert!(path.is_file() && said.contains(path.to_str().unwrap()), "{file}");
    }
    let password = std::fs::read_to_string(folder.join("password")).unwrap();
    assert!(password.len() >= 16 && said.contains(&format!("password='{password}'")));
    demo.signal(Signal::INT);
    let (status, out, errors, temporary) = demo.end();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("Everything was stopped and removed."));
    assert_empty(temporary.path());
}

#[test]
fn a_story_that_is_interrupted_leaves_nothing_behind() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut demo = Demo::start(&[]);
        demo.wait_for("[2/9]");
        demo.signal(signal);
        let (status, _, errors, temporary) = demo.end();
        assert_eq!(status.code(), Some(1), "{errors}");
        assert!(errors.contains("interrupted"), "{errors}");
        assert_empty(temporary.path());
    }
}

#[test]
fn a_reader_who_goes_away_leaves_nothing_behind() {
    let mut demo = Demo::start(&[]);
    demo.wait_for("[1/9]");
    let Demo { mut child, out, temporary } = demo;
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_empty(temporary.path());
}

#[test]
fn what_cannot_be_set_up_is_said() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_sekisho-gateway")).arg("demo").env("TMPDIR", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: "));
}
