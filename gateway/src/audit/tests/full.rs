//! A disk that is full, or fails in other ways, and is well again.

use std::sync::atomic::{AtomicBool, Ordering};

use super::support::{Faults, Unreliable};
use super::*;

fn failing(log: &Log) -> (Writer, Arc<Faults>) {
    let (store, faults) = Unreliable::over(log.disk());
    (started(store, &log.settings, log.now(), &start()).unwrap().0, faults)
}

fn set(fault: &AtomicBool, value: bool) {
    fault.store(value, Ordering::Relaxed);
}

#[test]
fn a_full_disk_denies() {
    let log = Log::new();
    let (mut writer, faults) = failing(&log);
    set(&faults.full, true);
    let line = [body(&command("x")).unwrap()];
    let denied = writer.write(&line, log.now());
    assert_eq!(denied, Err(AuditError::Write(io::ErrorKind::StorageFull)));
    assert!(writer.gauges.failing.load(Ordering::Relaxed));
}

#[test]
fn a_full_disk_degrades_loudly_where_that_is_asked_for() {
    let mut log = Log::new();
    log.settings.on_failure = OnFailure::Degrade;
    let first = log.first_key();
    let (mut writer, faults) = failing(&log);
    set(&faults.full, true);
    let line = [body(&command("unseen")).unwrap()];
    for _ in 0..3 {
        assert_eq!(writer.write(&line, log.now()), Ok(Receipt::Lost));
    }
    assert_eq!(writer.gauges.lost.load(Ordering::Relaxed), 3);
    assert!(writer.gauges.failing.load(Ordering::Relaxed));
    set(&faults.full, false);
    // Without another event: the gap is noted as soon as it can be.
    writer.tick(log.now());
    assert!(!writer.gauges.failing.load(Ordering::Relaxed));
    let text = std::fs::read_to_string(log.file(1)).unwrap();
    assert!(text.lines().last().unwrap().contains(r#""event":"lost","lines":3,"since":"2026"#), "{text}");
    assert!(!text.contains("unseen"));
    assert_eq!(verify(log.directory(), &first, &[]).unwrap().finding, None);
}

#[test]
fn a_batch_that_fails_leaves_no_part() {
    let log = Log::new();
    let (mut writer, faults) = failing(&log);
    let line = [body(&command("x")).unwrap()];
    let before = std::fs::read(log.file(1)).unwrap();
    for fault in [&faults.full, &faults.no_sync] {
        set(fault, true);
        writer.settings.durability = Durability::Fsync;
        assert!(writer.write(&line, log.now()).is_err());
        assert_eq!(std::fs::read(log.file(1)).unwrap(), before);
        set(fault, false);
    }
}

#[test]
fn a_part_that_cannot_be_cut_off_is_cut_off_before_anything_else() {
    let log = Log::new();
    let first = log.first_key();
    let (mut writer, faults) = failing(&log);
    let line = [body(&command("x")).unwrap()];
    set(&faults.full, true);
    set(&faults.no_truncate, true);
    assert!(writer.write(&line, log.now()).is_err());
    set(&faults.full, false);
    assert!(writer.write(&line, log.now()).is_err(), "the part is still there");
    set(&faults.no_truncate, false);
    writer.write(&line, log.now()).unwrap();
    let report = verify(log.directory(), &first, &[]).unwrap();
    assert_eq!(report.finding, None);
    assert_eq!(report.unproved, [Unproved::UnsignedTail { lines: 2 }, Unproved::NoHead]);
}

#[test]
fn a_signature_that_is_due_and_fails_stops_the_log() {
    let mut log = Log::new();
    log.settings.signing.lines = 2;
    let (mut writer, faults) = failing(&log);
    let line = [body(&command("x")).unwrap()];
    set(&faults.no_key, true);
    for _ in 0..2 {
        writer.write(&line, log.now()).unwrap();
        if let Err(error) = writer.maintain(log.now()) {
            writer.fail(&error);
        }
    }
    assert_eq!(writer.write(&line, log.now()), Err(AuditError::Key(io::ErrorKind::StorageFull)));
    set(&faults.no_key, false);
    assert_eq!(writer.write(&line, log.now()), Ok(Receipt::Written));
}

#[test]
fn a_start_that_cannot_be_written_is_refused() {
    let mut log = Log::new();
    let (store, faults) = Unreliable::over(log.disk());
    set(&faults.full, true);
    assert!(matches!(started(store, &log.settings, log.now(), &start()), Err(OpenError::Audit(_))));
    log.settings.on_failure = OnFailure::Degrade;
    let (store, faults) = Unreliable::over(log.disk());
    set(&faults.full, true);
    let (writer, _) = started(store, &log.settings, log.now(), &start()).unwrap();
    assert!(writer.gauges.failing.load(Ordering::Relaxed));
}

#[test]
fn the_thread_tells_what_the_writer_says() {
    let log = Log::new();
    let (store, faults) = Unreliable::over(log.disk());
    let (audit, _) = Audit::open_on(store, &log.settings, log.clock(), &start()).unwrap();
    assert!(audit.healthy());
    set(&faults.full, true);
    assert!(log.block_on(audit.append(&command("x"))).is_err());
    assert!(!audit.healthy());
    set(&faults.full, false);
    assert_eq!(log.block_on(audit.append(&command("x"))), Ok(Receipt::Written));
    assert!(audit.healthy());
    assert_eq!(audit.counters().lost, 1);
}

#[test]
fn a_copy_that_fails_is_counted_and_the_log_goes_on() {
    let mut log = Log::new();
    log.settings.heads.file = Some(log.root().join("none/heads"));
    let (audit, _) = log.open();
    assert_eq!(log.block_on(audit.append(&command("x"))), Ok(Receipt::Written));
    assert!(audit.healthy());
    assert_eq!(audit.counters().head_copies_failed, 1);
}

#[test]
fn a_log_that_has_ended_is_not_healthy() {
    let log = Log::new();
    let (audit, _) = log.open();
    log.block_on(audit.close(&stop())).unwrap();
    assert!(!audit.healthy());
}
