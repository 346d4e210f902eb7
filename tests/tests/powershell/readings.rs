//! The recorded readings.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use sekisho_policy::command::Bindings;
use sekisho_policy::powershell;
use serde_json::Value as Json;

use crate::form;

const RECORDED: &[u8] = include_bytes!("../../data/oracle/readings.jsonl.gz");

pub(crate) fn recorded() -> Vec<Json> {
    let mut lines = String::new();
    GzDecoder::new(RECORDED).read_to_string(&mut lines).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is wrong with our reading of a text, given PowerShell's.
pub(crate) fn wrong(reading: &Json) -> Option<String> {
    let text = reading["text"].as_str().unwrap();
    match (powershell::read(text), reading["reading"].as_str().unwrap()) {
        (Ok(ours), "commands") => {
            let ours = form::statement(&ours);
            let theirs = &reading["statements"];
            let same = theirs.as_array().unwrap().len() == 1 && theirs[0] == ours;
            (!same).then(|| format!("{text:?} is read as {ours} and not as {theirs}"))
        }
        (Ok(ours), other) => Some(format!("{text:?} is {other} and is read as {}", form::statement(&ours))),
        (Err(refusal), _) if reading["plain"] == true => Some(format!("{text:?} is plain and refused: {refusal}")),
        (Err(_), _) => None,
    }
}

#[test]
fn all_recorded_texts_are_read_as_powershell_reads_them_or_refused() {
    let recorded = recorded();
    assert_eq!(recorded.len(), 3000);
    let plain = recorded.iter().filter(|reading| reading["plain"] == true).count();
    assert_eq!(plain, 771);
    let wrong: Vec<String> = recorded.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{} of 3000:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn how_much_is_accepted_of_what_need_not_be() {
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let (mut all, mut accepted) = (0, 0);
    for reading in recorded().iter().filter(|reading| reading["reading"] == "commands" && reading["plain"] != true) {
        all += 1;
        match powershell::read(reading["text"].as_str().unwrap()) {
            Ok(_) => accepted += 1,
            Err(refusal) => *refused.entry(format!("{:?}", refusal.construct)).or_default() += 1,
        }
    }
    println!("accepted {accepted} of {all} constant commands that are not plain; refused: {refused:?}");
    assert_eq!(all, 1649);
    assert!(accepted > 800, "people write barewords like `a=b` and `user@corp.example`");
}

#[test]
fn what_is_judged_is_what_is_read_but_for_verbatim_arguments() {
    let mut differ = 0;
    for reading in recorded() {
        let text = reading["text"].as_str().unwrap();
        match (powershell::read(text), powershell::parse(text, &Bindings::default())) {
            (Ok(read), Ok(parsed)) => assert!(read == parsed, "{text:?}"),
            (Ok(_), Err(refusal)) => {
                assert_eq!(refusal.construct, powershell::Construct::VerbatimArgument, "{text:?}");
                differ += 1;
            }
            (Err(_), Err(_)) => {}
            (Err(_), Ok(_)) => panic!("{text:?} is judged but not read"),
        }
    }
    assert!(differ > 10, "the recorded texts have such arguments");
}
