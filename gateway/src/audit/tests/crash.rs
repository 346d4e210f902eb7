//! Crashes at every step, and what the next start makes of them.

use std::io::Write as _;
use std::sync::atomic::Ordering;

use super::support::{Log, Unreliable, command, start};
use super::*;

/// Starts, writes, signs and rotates; crashes at a step. Gives the lines that were acknowledged.
fn life(log: &Log, crash_at: usize) -> (Vec<String>, usize) {
    let (store, faults) = Unreliable::over(log.disk());
    faults.crash_at.store(crash_at, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    if let Ok((mut writer, _)) = started(store, &log.settings, log.now(), &start()) {
        for number in 0..6 {
            let name = format!("line-{crash_at}-{number}");
            if writer.write(&[body(&command(&name)).unwrap()], log.now()) == Ok(Receipt::Written) {
                acknowledged.push(name);
            }
            let _ = writer.maintain(log.now());
        }
    }
    (acknowledged, faults.steps.load(Ordering::Relaxed))
}

#[test]
fn a_crash_at_any_step_loses_nothing_that_was_acknowledged() {
    let mut prototype = Log::new();
    prototype.settings.rotation.bytes = 1500;
    prototype.settings.signing.lines = 2;
    let (_, steps) = life(&prototype, 0);
    assert!(steps > 25, "{steps}");
    for crash_at in 1..=steps {
        let mut log = Log::new();
        log.settings.rotation.bytes = 1500;
        log.settings.signing.lines = 2;
        let first = log.first_key();
        let (mut acknowledged, _) = life(&log, crash_at);
        // Another crash while it recovers, then a whole life.
        acknowledged.extend(life(&log, 3).0);
        acknowledged.extend(life(&log, 0).0);
        assert!(acknowledged.len() >= 6);
        let report = verify(log.directory(), &first, &[]).unwrap();
        assert_eq!(report.finding, None, "crash at {crash_at}");
        let text: String =
            (1..=report.files).map(|number| std::fs::read_to_string(log.file(number)).unwrap()).collect();
        for line in acknowledged {
            assert!(text.contains(&line), "{line} after a crash at {crash_at}");
        }
    }
}

#[test]
fn a_torn_line_is_moved_aside_and_noted() {
    let log = Log::new();
    let first = log.first_key();
    log.run(&[command("a")]);
    let mut file = std::fs::OpenOptions::new().append(true).open(log.file(1)).unwrap();
    file.write_all(b"{\"seq\":99,\"torn").unwrap();
    let (_, opened) = log.writer();
    assert_eq!(opened.torn_bytes, 15);
    let aside = std::fs::read_dir(log.directory()).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<_> = aside.filter(|path| path.extension().is_some_and(|extension| extension == "bin")).collect();
    assert_eq!(std::fs::read(&aside[0]).unwrap(), b"{\"seq\":99,\"torn");
    let text = std::fs::read_to_string(log.file(1)).unwrap();
    let noted = text.lines().find(|line| line.contains("\"event\":\"recovered\"")).unwrap();
    assert!(
        noted.contains("\"bytes\":15") && noted.contains(aside[0].file_name().unwrap().to_str().unwrap()),
        "{noted}"
    );
    assert_eq!(verify(log.directory(), &first, &[]).unwrap().finding, None);
    // Noted once.
    let (_, again) = log.writer();
    assert_eq!(again.torn_bytes, 0);
}

#[test]
fn a_crash_between_the_head_and_the_key_is_made_good() {
    let log = Log::new();
    let first = log.first_key();
    let (store, faults) = Unreliable::over(log.disk());
    let (mut writer, _) = started(store, &log.settings, log.now(), &start()).unwrap();
    faults.no_promotion.store(true, Ordering::Relaxed);
    let before = log.first_key();
    assert!(writer.sign(log.now()).is_err());
    let expected = writer.key.verifying_key();
    drop(writer);
    assert_eq!(log.first_key(), before, "the old key is still there");
    let (_, opened) = log.writer();
    assert_eq!(opened.key, expected);
    assert_eq!(verify(log.directory(), &first, &[]).unwrap().finding, None);
}

#[test]
fn a_key_that_was_not_exchanged_is_never_overtaken() {
    let log = Log::new();
    let (store, faults) = Unreliable::over(log.disk());
    let (mut writer, _) = started(store, &log.settings, log.now(), &start()).unwrap();
    faults.no_promotion.store(true, Ordering::Relaxed);
    assert!(writer.sign(log.now()).is_err());
    let epoch = writer.position.epoch;
    assert!(writer.sign(log.now()).is_err());
    assert_eq!(writer.position.epoch, epoch, "a second epoch would leave the disk without the chain's key");
    faults.no_promotion.store(false, Ordering::Relaxed);
    writer.sign(log.now()).unwrap();
    assert_eq!(log.first_key(), writer.key.verifying_key());
}

#[test]
fn a_log_that_does_not_verify_is_not_continued() {
    let log = Log::new();
    log.run(&[command("a"), command("b")]);
    let text = std::fs::read_to_string(log.file(1)).unwrap();
    std::fs::write(log.file(1), text.replacen("\"b\"", "\"c\"", 1)).unwrap();
    let opened = Audit::open(&log.settings, log.clock(), &start());
    assert!(matches!(opened, Err(OpenError::Broken { line: 6, broken: Broken::Chain, .. })), "{opened:?}");
}

#[test]
fn a_log_is_not_continued_with_another_key() {
    let log = Log::new();
    log.run(&[command("a")]);
    std::fs::copy(Log::new().settings.signing.key, &log.settings.signing.key).unwrap();
    assert!(matches!(Audit::open(&log.settings, log.clock(), &start()), Err(OpenError::ForeignKey { .. })));
}

#[test]
fn a_log_whose_last_file_was_exchanged_is_not_continued() {
    let mut logs = [Log::new(), Log::new()];
    for log in &mut logs {
        log.settings.rotation.bytes = 2000;
        log.run(&[command("a"), command("b"), command("c"), command("d")]);
        assert!(log.file(2).exists() && !log.file(3).exists());
    }
    std::fs::copy(logs[1].file(2), logs[0].file(2)).unwrap();
    std::fs::copy(&logs[1].settings.signing.key, &logs[0].settings.signing.key).unwrap();
    let opened = Audit::open(&logs[0].settings, logs[0].clock(), &start());
    assert!(matches!(opened, Err(OpenError::Broken { broken: Broken::FileOrder, .. })), "{opened:?}");
}

#[test]
fn a_log_whose_signed_tail_was_cut_off_is_not_continued() {
    let log = Log::new();
    log.run(&[command("a")]);
    let text = std::fs::read_to_string(log.file(1)).unwrap();
    let cut: String = text.lines().take(4).map(|line| format!("{line}\n")).collect();
    std::fs::write(log.file(1), cut).unwrap();
    assert!(matches!(Audit::open(&log.settings, log.clock(), &start()), Err(OpenError::ForeignKey { .. })));
}

#[test]
fn an_edit_while_the_gateway_runs_is_shown_by_what_follows() {
    let log = Log::new();
    let first = log.first_key();
    let (mut writer, _) = log.writer();
    writer.write(&[body(&command("honest")).unwrap()], log.now()).unwrap();
    let text = std::fs::read_to_string(log.file(1)).unwrap();
    std::fs::write(log.file(1), text.replace("honest", "forged")).unwrap();
    writer.sign(log.now()).unwrap();
    let report = verify(log.directory(), &first, &[]).unwrap();
    assert!(matches!(report.finding, Some(Finding::Line { broken: Broken::Chain, .. })));
}
