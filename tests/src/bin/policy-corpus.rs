//! Runs neutral policy cases through the built gateway: a JSON line for each case.

use std::io::{self, Write as _, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use sekisho_tests::policy_corpus::{Gateway, Policies};

const USAGE: &str = "usage: policy-corpus --policies POLICIES.json --cases CASES.jsonl [--out DIR]";

fn main() -> ExitCode {
    let ended = Arguments::read(std::env::args_os().skip(1)).ok_or_else(|| io::Error::other(USAGE)).and_then(run);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When this cannot be written either, the exit code says it.
            drop(writeln!(stderr(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> io::Result<()> {
    let gateway = Gateway::built()?;
    let kept = tempfile::tempdir()?;
    let out = arguments.out.unwrap_or_else(|| kept.path().to_owned());
    let policies = Policies::write(&arguments.policies, &out, &gateway)?;
    for left_out in &policies.left_out {
        writeln!(stderr(), "left out: {left_out}")?;
    }
    policies.run(&arguments.cases, &gateway, &mut stdout().lock())
}

struct Arguments {
    policies: PathBuf,
    cases: PathBuf,
    out: Option<PathBuf>,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = std::ffi::OsString>) -> Option<Self> {
        let (mut policies, mut cases, mut out) = (None, None, None);
        while let Some(word) = words.next() {
            let place = match word.to_str()? {
                "--policies" => &mut policies,
                "--cases" => &mut cases,
                "--out" => &mut out,
                _ => return None,
            };
            *place = Some(PathBuf::from(words.next()?));
        }
        Some(Self { policies: policies?, cases: cases?, out })
    }
}
