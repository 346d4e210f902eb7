//! The whole log: chained, signed, rotated, crashed, full and tampered with.

mod crash;
mod full;
mod support;
mod tamper;

use std::time::Duration;

use super::*;
use crate::config::Durability;
use support::{Log, command, start, stop};

#[test]
fn a_log_is_written_signed_and_verified() {
    let log = Log::new();
    let first = log.first_key();
    log.run(&[command("a"), command("b")]);
    let report = verify(log.directory(), &first, &[]).unwrap();
    assert_eq!(report.finding, None);
    // File, start, head, two commands, stop, head.
    assert_eq!((report.files, report.lines, report.heads), (1, 7, 2));
    assert_eq!(report.unproved, [Unproved::NoHead]);
}

#[test]
fn a_chain_goes_on_after_a_restart_with_a_key_of_its_own() {
    let log = Log::new();
    let first = log.first_key();
    log.run(&[command("a")]);
    let second = log.first_key();
    assert_ne!(first, second);
    let (_, opened) = log.open();
    assert!(!opened.new_chain);
    assert_eq!(opened.key, second);
    let report = verify(log.directory(), &first, &[]).unwrap();
    assert_eq!(report.finding, None);
    let wrong = verify(log.directory(), &second, &[]).unwrap();
    assert!(matches!(wrong.finding, Some(Finding::Line { line: 1, broken: Broken::FirstKey, .. })));
}

#[test]
fn one_directory_has_one_writer() {
    let log = Log::new();
    let (audit, _) = log.open();
    let again = Audit::open(&log.settings, log.clock(), &start());
    assert!(matches!(again, Err(OpenError::InUse { .. })));
    log.block_on(audit.close(&stop())).unwrap();
    assert!(Audit::open(&log.settings, log.clock(), &start()).is_ok());
}

#[test]
fn lines_after_the_close_are_refused() {
    let log = Log::new();
    let (audit, _) = log.open();
    log.block_on(audit.close(&stop())).unwrap();
    assert_eq!(log.block_on(audit.append(&command("late"))), Err(AuditError::Closed));
}

#[test]
fn files_rotate_by_size_and_stay_one_chain() {
    let mut log = Log::new();
    log.settings.rotation.bytes = 4000;
    let first = log.first_key();
    log.run(&(0..40).map(|number| command(&number.to_string())).collect::<Vec<_>>());
    let report = verify(log.directory(), &first, &[]).unwrap();
    assert_eq!(report.finding, None);
    assert!(report.files > 2, "{report:?}");
    // Each file but the last ends with a signed head.
    let text = std::fs::read_to_string(log.file(1)).unwrap();
    assert!(text.lines().last().unwrap().contains("\"event\":\"head\""));
}

#[test]
fn files_rotate_by_age() {
    let mut log = Log::new();
    log.settings.rotation.age = Duration::from_secs(3600);
    let (mut writer, _) = log.writer();
    writer.tick(log.now() + Duration::from_secs(3599));
    assert_eq!(writer.position.file, 1);
    writer.tick(log.now() + Duration::from_secs(3600));
    assert_eq!(writer.position.file, 2);
    // Nothing is written for the sake of an empty file.
    writer.tick(log.now() + Duration::from_secs(7201));
    assert_eq!((writer.position.file, writer.position.file_bytes), (2, 0));
}

#[test]
fn heads_are_signed_by_lines_and_by_time() {
    let mut log = Log::new();
    log.settings.signing.lines = 3;
    log.settings.signing.interval = Duration::from_secs(60);
    let (mut writer, _) = log.writer();
    let now = log.now();
    let line = [body(&command("x")).unwrap()];
    let epoch = writer.position.epoch;
    for _ in 0..2 {
        writer.write(&line, now).unwrap();
        writer.maintain(now).unwrap();
    }
    assert_eq!((writer.position.epoch, writer.position.unsigned), (epoch, 2));
    writer.write(&line, now).unwrap();
    writer.maintain(now).unwrap();
    assert_eq!((writer.position.epoch, writer.position.unsigned), (epoch + 1, 0));
    writer.write(&line, now).unwrap();
    writer.tick(now + Duration::from_secs(59));
    assert_eq!(writer.position.epoch, epoch + 1);
    writer.tick(now + Duration::from_secs(60));
    assert_eq!(writer.position.epoch, epoch + 2);
    // Nothing new, nothing signed.
    writer.tick(now + Duration::from_secs(600));
    assert_eq!(writer.position.epoch, epoch + 2);
}

#[test]
fn the_key_on_the_disk_is_that_of_the_current_epoch_alone() {
    let log = Log::new();
    let (mut writer, opened) = log.writer();
    let mut seen = vec![opened.key];
    for _ in 0..3 {
        let on_disk = log.first_key();
        assert_eq!(on_disk, writer.key.verifying_key());
        assert!(!seen.contains(&on_disk));
        seen.push(on_disk);
        assert!(!store::next_key_path(&log.settings.signing.key).exists());
        writer.sign(log.now()).unwrap();
    }
}

#[test]
fn both_durabilities_write_at_once() {
    for durability in [Durability::Write, Durability::Fsync] {
        let mut log = Log::new();
        log.settings.durability = durability;
        let (audit, _) = log.open();
        assert_eq!(log.block_on(audit.append(&command("seen"))), Ok(Receipt::Written));
        assert!(std::fs::read_to_string(log.file(1)).unwrap().contains("seen"));
    }
}

#[test]
fn ten_thousand_lines_from_many_sides_are_one_chain() {
    let log = Log::new();
    let first = log.first_key();
    let (audit, _) = log.open();
    let audit = Arc::new(audit);
    log.block_on(async {
        let writers: Vec<_> = (0..100)
            .map(|_| {
                let audit = Arc::clone(&audit);
                tokio::spawn(async move {
                    for _ in 0..100 {
                        audit.append(&command("x")).await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        audit.close(&stop()).await.unwrap();
    });
    let report = verify(log.directory(), &first, &[]).unwrap();
    assert_eq!(report.finding, None);
    assert_eq!(report.lines - report.heads, 10_003);
}

#[test]
fn a_line_that_is_too_long_is_refused_and_nothing_is_lost() {
    let log = Log::new();
    let (audit, _) = log.open();
    let long = command(&"x".repeat(line::MAX_LINE));
    assert_eq!(log.block_on(audit.append(&long)), Err(AuditError::TooLong));
    assert_eq!(log.block_on(audit.append(&command("x"))), Ok(Receipt::Written));
}

#[test]
fn lines_are_the_documented_json() {
    let log = Log::new();
    log.run(&[command("hello")]);
    let text = std::fs::read_to_string(log.file(1)).unwrap();
    let line = text.lines().nth(3).unwrap();
    let start = r#"{"seq":4,"time":"2026-01-02T03:04:05Z","prev":""#;
    let end = r#"","event":"command","role":"operators","rule":"operators/1","program":{"path":"C:\\Windows\\System32\\x.exe","arguments":["hello"]},"principal":"GATEWAY\\alice","target":"web01","shell":{"gateway":"G","target":"T"},"policy":"abc"}"#;
    assert!(line.starts_with(start) && line.ends_with(end), "{line}");
}

#[test]
fn files_of_the_log_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let log = Log::new();
    log.run(&[]);
    assert_eq!(std::fs::metadata(log.file(1)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_signing_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let log = Log::new();
    std::fs::set_permissions(&log.settings.signing.key, PermissionsExt::from_mode(0o644)).unwrap();
    let opened = Audit::open(&log.settings, log.clock(), &start());
    assert!(matches!(opened, Err(OpenError::File(FileError::Open { .. }))));
}
