//! The rules that a job's lines follow, and what other tests make lines with.

use super::*;
use sekisho_protocol::job::{RECORD_CHUNK, RecordText};

pub(crate) fn accepted(names: &[&str]) -> JobEvent {
    JobEvent::accepted(1, "j1".into(), names.iter().map(|name| (*name).to_owned()).collect())
}

pub(crate) fn started(target: &str) -> JobEvent {
    JobEvent::Started { target: target.into() }
}

pub(crate) fn stdout(target: &str, bytes: &[u8]) -> JobEvent {
    JobEvent::Output { target: target.into(), stream: OutputStream::Stdout, data: OutputData::of(bytes) }
}

pub(crate) fn finished(target: &str, exit_code: i64) -> JobEvent {
    JobEvent::Finished { target: target.into(), exit_code, state: None, duration_ms: 5 }
}

pub(crate) fn record(target: &str, stream: RecordStream, clixml: &str) -> JobEvent {
    part(target, stream, clixml, false)
}

fn part(target: &str, stream: RecordStream, clixml: &str, more: bool) -> JobEvent {
    JobEvent::Record { target: target.into(), stream, clixml: RecordText(clixml.into()), more }
}

/// The end of a pipeline.
pub(crate) fn ended(target: &str, exit_code: i64, state: PipelineEnd) -> JobEvent {
    JobEvent::Finished { target: target.into(), exit_code, state: Some(state), duration_ms: 5 }
}

pub(crate) fn denied(target: &str) -> JobEvent {
    JobEvent::Denied { target: target.into(), message: "no rule allows it".into(), rule: None }
}

pub(crate) fn applied(keep: Keep, events: &[JobEvent]) -> JobResults {
    let mut results = JobResults::new(None, keep);
    for event in events {
        results.apply(event).unwrap();
    }
    results
}

/// `done` with the right numbers, so that a test can end any job.
pub(crate) fn done(events: &[JobEvent]) -> JobEvent {
    let mut summary = Summary::default();
    for event in events {
        summary.count(event);
    }
    JobEvent::Done { summary }
}

fn fault(before: &[JobEvent], event: JobEvent) -> GatewayFault {
    applied(Keep::Output, before).apply(&event).unwrap_err()
}

#[test]
fn output_is_collected_per_target_and_stream() {
    let mut events = vec![accepted(&["a", "b"]), started("b"), stdout("b", b"1"), started("a"), stdout("b", b"2\xff")];
    events.push(JobEvent::Output { target: "a".into(), stream: OutputStream::Stderr, data: OutputData::of(b"e") });
    let results = applied(Keep::Output, &events);
    assert_eq!(results.targets()[1].stdout.bytes, b"12\xff");
    assert_eq!(results.targets()[0].stderr.bytes, b"e");
    assert!(applied(Keep::Outcomes, &events).targets()[1].stdout.bytes.is_empty());
}

fn texts(records: &Records) -> Vec<(RecordStream, &str)> {
    records.kept.iter().map(|record| (record.stream, record.clixml.as_str())).collect()
}

#[test]
fn records_are_put_together_per_target_and_kept_in_order() {
    use RecordStream::{Error, Output, Progress};
    let events = [
        accepted(&["a", "b"]),
        started("a"),
        started("b"),
        part("a", Output, "<S>on", true),
        record("b", Error, "<Nil />"),
        part("a", Output, "e</S>", false),
        record("a", Error, "<S>x</S>"),
        record("a", Progress, "<S>p</S>"),
    ];
    let mut results = applied(Keep::Output, &events);
    let progress = KeptRecord { stream: Progress, clixml: "<S>p</S>".into() };
    assert_eq!(results.take_record(), Some(progress), "handed over, and not kept");
    assert_eq!(results.take_record(), None);
    assert_eq!(texts(&results.targets()[0].records), [(Output, "<S>one</S>"), (Error, "<S>x</S>")]);
    assert_eq!(texts(&results.targets()[1].records), [(Error, "<Nil />")]);
    let mut results = applied(Keep::Outcomes, &events[..6]);
    assert_eq!(results.take_record(), Some(KeptRecord { stream: Output, clixml: "<S>one</S>".into() }));
    assert!(results.targets()[0].records.kept.is_empty());
}

#[test]
fn a_record_is_whole_before_another_one_and_before_the_end() {
    use RecordStream::{Error, Output};
    let begun = [accepted(&["a"]), started("a"), part("a", Output, "<S>", true)];
    assert_eq!(fault(&begun, record("a", Error, "x")), GatewayFault::Order);
    assert_eq!(fault(&begun, ended("a", 0, PipelineEnd::Completed)), GatewayFault::Order);
    assert_eq!(fault(&begun[..1], record("a", Output, "x")), GatewayFault::Order);
    let mut given_up = applied(Keep::Output, &begun);
    let failed = Effect::Unknown;
    given_up.apply(&JobEvent::Cancelled { target: "a".into(), effect: failed }).unwrap();
    assert!(given_up.targets()[0].records.kept.is_empty());
}

#[test]
fn records_are_bounded() {
    let chunk = "x".repeat(RECORD_CHUNK);
    let mut results = applied(Keep::Outcomes, &[accepted(&["a"]), started("a")]);
    let more = part("a", RecordStream::Output, &chunk, true);
    let taken = (0..RECORD_BYTES / RECORD_CHUNK + 1).try_for_each(|_| results.apply(&more));
    assert_eq!(taken, Err(GatewayFault::Size));
    let mut records = Records::default();
    let one = || KeptRecord { stream: RecordStream::Output, clixml: "x".repeat(100) };
    assert!(0 < records.keep(one(), 1000));
    assert_eq!(records.keep(one(), 50), 0);
    assert_eq!(records.keep(one(), 1000), 0, "no hole in the middle");
    assert_eq!((records.kept.len(), records.dropped), (1, 2));
}

#[test]
fn the_order_of_lines_is_checked() {
    let a = [accepted(&["a"]), started("a")];
    assert_eq!(fault(&[], started("a")), GatewayFault::Order);
    assert_eq!(fault(&[], JobEvent::Heartbeat {}), GatewayFault::Order);
    assert_eq!(fault(&a, accepted(&["a"])), GatewayFault::Order);
    assert_eq!(fault(&a, started("a")), GatewayFault::Order);
    assert_eq!(fault(&a[..1], stdout("a", b"x")), GatewayFault::Order);
    assert_eq!(fault(&a, stdout("b", b"x")), GatewayFault::UnknownTarget);
    assert_eq!(fault(&a, denied("A")), GatewayFault::UnknownTarget);
}

#[test]
fn each_target_has_one_outcome_and_nothing_after_it() {
    let ended = [accepted(&["a", "b"]), started("a"), finished("a", 0)];
    for event in [finished("a", 0), denied("a"), started("a"), stdout("a", b"x")] {
        assert_eq!(fault(&ended, event), GatewayFault::AfterOutcome);
    }
    let all = [accepted(&["a"]), denied("a")];
    let mut results = applied(Keep::Output, &all);
    results.apply(&done(&all)).unwrap();
    assert_eq!(results.apply(&JobEvent::Heartbeat {}), Err(GatewayFault::Order));
}

#[test]
fn done_must_agree_with_the_lines_before_it() {
    let missing = [accepted(&["a", "b"]), denied("a")];
    assert_eq!(fault(&missing, done(&missing)), GatewayFault::Summary);
    let all = [accepted(&["a"]), denied("a")];
    assert_eq!(fault(&all, JobEvent::Done { summary: Summary::default() }), GatewayFault::Summary);
}

#[test]
fn a_gateway_that_skips_or_adds_a_target_is_found() {
    let asked = || Some(vec!["a".to_owned(), "B".to_owned()]);
    assert_eq!(JobResults::new(asked(), Keep::Output).apply(&accepted(&["b", "A"])), Ok(()));
    for names in [&["a"][..], &["a", "c"], &["a", "b", "c"]] {
        let applied = JobResults::new(asked(), Keep::Output).apply(&accepted(names));
        assert_eq!(applied, Err(GatewayFault::OtherTargets), "{names:?}");
    }
}

#[test]
fn an_early_end_gives_every_target_a_true_outcome() {
    for ending in [Ending::Interrupted, Ending::Lost] {
        let mut results =
            applied(Keep::Output, &[accepted(&["a", "b", "c"]), started("a"), finished("a", 0), started("b")]);
        let events = results.end(ending);
        assert_eq!(events.len(), 3);
        assert!(results.is_done());
        assert_eq!(results.targets()[0].outcome, Some(Outcome::Finished { exit_code: 0, state: None }));
        for target in &results.targets()[1..] {
            match (&target.outcome, ending) {
                (Some(Outcome::Cancelled { effect: Effect::Unknown }), Ending::Interrupted) => {}
                (Some(Outcome::Failed { class: FailureClass::Lost, effect: Effect::Unknown, .. }), Ending::Lost) => {}
                other => panic!("{other:?}"),
            }
        }
        for event in &events {
            assert_eq!(event.validate(), Ok(()));
        }
        assert_eq!(results.summary().total(), 3);
        assert!(results.end(ending).is_empty(), "a second end adds nothing");
    }
}

#[test]
fn what_is_dropped_is_counted_and_leaves_no_hole() {
    let mut captured = Captured::default();
    assert_eq!(captured.take(b"abc", 2), 2);
    assert_eq!(captured.take(b"def", 100), 0);
    assert_eq!((captured.bytes.as_slice(), captured.dropped), (&b"ab"[..], 4));
}

#[test]
fn the_exit_status_follows_the_outcomes() {
    let status = |events: &[JobEvent]| applied(Keep::Output, events).exit_status();
    let two = accepted(&["a", "b"]);
    assert_eq!(status(&[two.clone(), finished("a", 0), finished("b", 0)]), ExitStatus::AllOk);
    assert_eq!(status(&[two.clone(), finished("a", 0), finished("b", 1)]), ExitStatus::SomeFailed);
    assert_eq!(status(&[two.clone(), finished("a", 0), denied("b")]), ExitStatus::SomeFailed);
    assert_eq!(status(&[two, denied("a"), denied("b")]), ExitStatus::Denied);
}
