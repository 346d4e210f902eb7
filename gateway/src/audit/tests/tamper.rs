//! Each way to change a log, and that it is found.

use std::os::unix::fs::FileExt as _;

use super::support::{Log, command};
use super::*;

/// A log of several files with copies of its heads, and its first key.
fn log() -> (Log, VerifyingKey) {
    let mut log = Log::new();
    log.settings.rotation.bytes = 3000;
    log.settings.signing.lines = 3;
    log.settings.heads.file = Some(log.root().join("heads"));
    let first = log.first_key();
    log.run(&(0..12).map(|number| command(&format!("line-{number}"))).collect::<Vec<_>>());
    assert!(log.file(3).exists());
    (log, first)
}

fn lines(log: &Log, number: u64) -> Vec<String> {
    std::fs::read_to_string(log.file(number)).unwrap().lines().map(str::to_owned).collect()
}

fn put(log: &Log, number: u64, lines: &[String]) {
    std::fs::write(log.file(number), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

fn finding(log: &Log, first: &VerifyingKey) -> Option<Finding> {
    verify(log.directory(), first, &log.copies()).unwrap().finding
}

/// Chains what was changed afresh, as an attacker without any key can.
fn rechain(log: &Log) {
    let mut last: Option<Digest> = None;
    for number in 1..=verify_files(log) {
        let mut changed = Vec::new();
        for line in lines(log, number) {
            let mut line = line;
            if let Some(last) = last {
                let at = line.find("\"prev\":\"").unwrap() + 8;
                line.replace_range(at..at + 64, &hex(&last));
            }
            last = Some(line_digest(line.as_bytes()));
            changed.push(line);
        }
        put(log, number, &changed);
    }
}

fn verify_files(log: &Log) -> u64 {
    (1..).take_while(|number| log.file(*number).exists()).last().unwrap()
}

#[test]
fn an_untouched_log_verifies_with_all_its_heads() {
    let (log, first) = log();
    let report = verify(log.directory(), &first, &log.copies()).unwrap();
    assert_eq!(report.finding, None);
    assert_eq!(report.copies_found, report.heads);
    assert_eq!(report.unproved, []);
}

#[test]
fn every_changed_byte_is_found() {
    let (log, first) = log();
    for number in 1..=verify_files(&log) {
        let good = std::fs::read(log.file(number)).unwrap();
        // Changed in place: a file that is cut and written anew goes to the disk each time.
        let file = std::fs::OpenOptions::new().write(true).open(log.file(number)).unwrap();
        for (offset, byte) in (0..).zip(good) {
            file.write_at(&[byte ^ 1], offset).unwrap();
            assert!(finding(&log, &first).is_some(), "byte {offset} of file {number}");
            file.write_at(&[byte], offset).unwrap();
        }
    }
    assert_eq!(finding(&log, &first), None);
}

#[test]
fn deleted_inserted_and_moved_lines_are_found() {
    let (log, first) = log();
    let good = lines(&log, 2);
    let changes: [fn(&mut Vec<String>); 5] = [
        |lines| drop(lines.remove(2)),
        |lines| drop(lines.remove(0)),
        |lines| lines.swap(2, 3),
        |lines| lines.insert(2, lines[2].clone()),
        |lines| lines.insert(2, String::new()),
    ];
    for change in changes {
        let mut bad = good.clone();
        change(&mut bad);
        put(&log, 2, &bad);
        assert!(matches!(finding(&log, &first), Some(Finding::Line { .. })), "{bad:?}");
    }
}

#[test]
fn an_edit_that_is_chained_afresh_is_found_by_the_signatures() {
    let (log, first) = log();
    let edited: Vec<_> = lines(&log, 1).iter().map(|line| line.replace("line-0", "line-X")).collect();
    put(&log, 1, &edited);
    rechain(&log);
    assert!(matches!(finding(&log, &first), Some(Finding::Line { broken: Broken::Signature, .. })));
}

#[test]
fn a_stolen_current_key_rewrites_nothing_that_was_signed_before() {
    let (log, first) = log();
    let stolen = read_key(&log.settings.signing.key, KeyPurpose::AuditSigning, Access::OwnerOnly).unwrap();
    let stolen = ed25519_dalek::SigningKey::from_bytes(&stolen);
    let mut forged = Vec::new();
    for text in lines(&log, 1) {
        let text = text.replace("line-0", "line-X");
        let line::LineKind::Head(head) = line::Line::parse(text.as_bytes()).unwrap().kind else {
            forged.push(text);
            continue;
        };
        let old = head.signature.clone();
        let signed = head.signed(&stolen);
        forged.push(text.replace(&old, &signed.signature));
    }
    put(&log, 1, &forged);
    rechain(&log);
    assert!(matches!(finding(&log, &first), Some(Finding::Line { broken: Broken::Signature, .. })));
}

#[test]
fn a_cut_tail_is_found_by_a_copied_head_alone() {
    let (log, first) = log();
    let last = verify_files(&log);
    std::fs::remove_file(log.file(last)).unwrap();
    let cut = finding(&log, &first);
    assert!(matches!(cut, Some(Finding::TailCut { .. })), "{cut:?}");
    let without = verify(log.directory(), &first, &[]).unwrap();
    assert_eq!(without.finding, None);
    assert_eq!(without.unproved, [Unproved::NoHead], "said plainly");
}

#[test]
fn a_cut_within_the_last_file_is_found() {
    let (log, first) = log();
    let last = verify_files(&log);
    let mut cut = lines(&log, last);
    cut.truncate(cut.len() - 1);
    put(&log, last, &cut);
    assert!(matches!(finding(&log, &first), Some(Finding::TailCut { .. })));
}

#[test]
fn a_missing_file_between_others_is_found() {
    let (log, first) = log();
    std::fs::remove_file(log.file(2)).unwrap();
    assert!(matches!(finding(&log, &first), Some(Finding::MissingFile { .. })));
}

#[test]
fn missing_first_files_are_said_to_be_unproved() {
    let (log, first) = log();
    std::fs::remove_file(log.file(1)).unwrap();
    let report = verify(log.directory(), &first, &log.copies()).unwrap();
    assert_eq!(report.finding, None);
    assert!(report.unproved.contains(&Unproved::EarlierFiles { first: 2 }));
    assert!(report.unproved.iter().any(|unproved| matches!(unproved, Unproved::BeforeFirstFile { .. })));
}

#[test]
fn files_of_another_chain_are_found() {
    let (one, first) = log();
    let (two, _) = log();
    for number in 1..=2 {
        let own = std::fs::read(one.file(number)).unwrap();
        std::fs::copy(two.file(number), one.file(number)).unwrap();
        let expected = if number == 1 { Broken::FirstKey } else { Broken::FileOrder };
        let found = finding(&one, &first);
        assert!(matches!(found, Some(Finding::Line { line: 1, broken, .. }) if broken == expected), "{found:?}");
        std::fs::write(one.file(number), own).unwrap();
    }
}

#[test]
fn a_replaced_log_is_found_by_the_first_key_and_by_heads() {
    let (one, first) = log();
    let (two, other) = log();
    assert!(matches!(finding(&two, &first), Some(Finding::Line { broken: Broken::FirstKey, .. })));
    // Copies of other chains prove nothing, and that is said.
    let report = verify(two.directory(), &other, &one.copies()).unwrap();
    assert!(report.unproved.iter().any(|unproved| matches!(unproved, Unproved::OtherChains { .. })));
    assert!(report.unproved.contains(&Unproved::NoHead));
}

#[test]
fn a_forged_copy_of_a_head_is_found() {
    let (log, first) = log();
    let mut copies = log.copies();
    copies[1].prev = "0".repeat(64);
    let report = verify(log.directory(), &first, &copies).unwrap();
    assert!(matches!(report.finding, Some(Finding::HeadDiffers { .. })));
    let mut next = log.copies().pop().unwrap();
    next.epoch += 1;
    next.seq += 1;
    let report = verify(log.directory(), &first, &[next]).unwrap();
    assert!(matches!(report.finding, Some(Finding::HeadForged { .. })));
}
