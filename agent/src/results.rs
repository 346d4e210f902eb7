//! What is known of a job so far, and the rules that its lines follow.
//!
//! Every target asked for has exactly one outcome in the end: a gateway that skips one, names another, or says
//! two things of one is found here, and where the stream ends early it is said which outcomes are unknown.

use crate::ExitStatus;
use crate::error::GatewayFault;
use sekisho_protocol::job::{
    Effect, FailureClass, JobEvent, OutputData, OutputStream, PipelineEnd, RECORD_BYTES, RecordStream, Summary,
};
use std::collections::HashMap;
use std::fmt;

/// Bytes of output kept of one target and stream, where it is kept for grouping or for one document.
pub const STREAM_KEPT: usize = 16 * 1024 * 1024;
/// Bytes of output kept of all targets together.
pub const TOTAL_KEPT: usize = 256 * 1024 * 1024;

/// Whether output is collected, or passed on at once by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Collected.
    Output,
    /// Outcomes only.
    Outcomes,
}

/// A job as far as it is known.
#[derive(Debug)]
pub struct JobResults {
    asked: Option<Vec<String>>,
    keep: Keep,
    kept: usize,
    /// Bytes of records whose ends have not come yet, of all targets.
    begun: usize,
    job: Option<String>,
    targets: Vec<TargetResult>,
    index: HashMap<String, usize>,
    summary: Summary,
    done: bool,
    whole: Option<KeptRecord>,
}

/// One target as far as it is known.
#[derive(Debug, Default)]
pub struct TargetResult {
    /// Its name.
    pub name: String,
    /// Whether the gateway said that the command is sent.
    pub started: bool,
    /// What the program wrote.
    pub stdout: Captured,
    /// What the program wrote to its standard error.
    pub stderr: Captured,
    /// What a pipeline wrote to its streams, in order.
    pub records: Records,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How long it took, where it finished.
    pub duration_ms: Option<u64>,
}

/// Collected output.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Captured {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Bytes that came after the bound and were dropped.
    pub dropped: u64,
}

/// Collected records.
#[derive(Debug, Default)]
pub struct Records {
    /// The records.
    pub kept: Vec<KeptRecord>,
    /// Bytes of those kept.
    bytes: usize,
    /// How many came after the bound and were dropped.
    pub dropped: u64,
    /// The beginning of one whose end has not come yet.
    begun: Option<KeptRecord>,
}

/// One record as it was sent.
///
/// `Debug` shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptRecord {
    /// Which stream.
    pub stream: RecordStream,
    /// Its CLIXML, which nobody has looked at yet.
    pub clixml: String,
}

/// How a target ended. Equal outcomes are shown together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The program or pipeline ended.
    Finished {
        /// With this.
        exit_code: i64,
        /// How a pipeline ended.
        state: Option<PipelineEnd>,
    },
    /// Policy does not allow it.
    Denied {
        /// The gateway's words.
        message: String,
        /// The rule that refused it.
        rule: Option<String>,
    },
    /// No known end.
    Failed {
        /// What kind of failure.
        class: FailureClass,
        /// Whether the command may have run.
        effect: Effect,
        /// The gateway's words, or ours where the connection to it broke.
        message: String,
        /// When a repetition makes sense.
        retry_after_seconds: Option<u32>,
    },
    /// The job was stopped first.
    Cancelled {
        /// Whether the command may have run.
        effect: Effect,
    },
}

/// Why the lines ended before `done`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The user stopped it.
    Interrupted,
    /// The connection or the protocol broke.
    Lost,
}

impl JobResults {
    /// Nothing known yet; `asked` are the targets of the request, where it named them.
    #[must_use]
    pub fn new(asked: Option<Vec<String>>, keep: Keep) -> Self {
        Self {
            asked,
            keep,
            kept: 0,
            begun: 0,
            job: None,
            targets: Vec::new(),
            index: HashMap::new(),
            summary: Summary::default(),
            done: false,
            whole: None,
        }
    }

    /// The record that became whole by the line that was taken last, if one did.
    pub fn take_record(&mut self) -> Option<KeptRecord> {
        self.whole.take()
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// The rule that it breaks; it then changes nothing.
    pub fn apply(&mut self, event: &JobEvent) -> Result<(), GatewayFault> {
        if self.done || self.job.is_none() != matches!(event, JobEvent::Accepted { .. }) {
            return Err(GatewayFault::Order);
        }
        match event {
            JobEvent::Accepted { job, targets, .. } => self.accept(job, targets),
            JobEvent::Heartbeat {} => Ok(()),
            JobEvent::Done { summary } => self.finish(*summary),
            JobEvent::Started { target } => {
                let open = self.open(target)?;
                if open.started {
                    return Err(GatewayFault::Order);
                }
                open.started = true;
                Ok(())
            }
            JobEvent::Output { target, stream, data } => self.output(target, *stream, data),
            JobEvent::Record { target, stream, clixml, more } => self.record(target, *stream, &clixml.0, *more),
            JobEvent::Finished { target, exit_code, state, duration_ms } => {
                let open = self.open(target)?;
                // Elsewhere the end of a record may be missing: its target was given up.
                if open.records.begun.is_some() {
                    return Err(GatewayFault::Order);
                }
                open.duration_ms = Some(*duration_ms);
                open.outcome = Some(Outcome::Finished { exit_code: *exit_code, state: *state });
                self.count(event)
            }
            JobEvent::Denied { target, message, rule } => {
                let outcome = Outcome::Denied { message: message.clone(), rule: rule.clone() };
                self.close(target, outcome, event)
            }
            JobEvent::Failed { target, class, effect, message, retry_after_seconds } => {
                let outcome = Outcome::Failed {
                    class: *class,
                    effect: *effect,
                    message: message.clone(),
                    retry_after_seconds: *retry_after_seconds,
                };
                self.close(target, outcome, event)
            }
            JobEvent::Cancelled { target, effect } => self.close(target, Outcome::Cancelled { effect: *effect }, event),
        }
    }

    /// Gives every target without an outcome the one that is true when the lines end early, and returns the
    /// lines that the gateway would have written for them, `done` included. The effect is unknown even where
    /// no start was heard of: the gateway may have sent the command while its line was under way.
    pub fn end(&mut self, ending: Ending) -> Vec<JobEvent> {
        if self.done || self.job.is_none() {
            return Vec::new();
        }
        let mut events = Vec::new();
        for target in self.targets.iter_mut().filter(|target| target.outcome.is_none()) {
            let (outcome, event) = unknown(target, ending);
            target.outcome = Some(outcome);
            self.summary.count(&event);
            events.push(event);
        }
        self.done = true;
        events.push(JobEvent::Done { summary: self.summary });
        events
    }

    /// Whether every target has its outcome and the gateway said so, or [`JobResults::end`] did.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The job's id, as the gateway's audit has it.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        self.job.as_deref()
    }

    /// The targets, in the order of the request.
    #[must_use]
    pub fn targets(&self) -> &[TargetResult] {
        &self.targets
    }

    /// The outcomes so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// The exit status of a job that is done.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        let total = self.summary.total();
        if total == u64::from(self.summary.succeeded) {
            ExitStatus::AllOk
        } else if total == u64::from(self.summary.denied) {
            ExitStatus::Denied
        } else {
            ExitStatus::SomeFailed
        }
    }

    fn accept(&mut self, job: &str, targets: &[String]) -> Result<(), GatewayFault> {
        if self.asked.as_deref().is_some_and(|asked| !same_names(asked, targets)) {
            return Err(GatewayFault::OtherTargets);
        }
        self.job = Some(job.to_owned());
        self.index = targets.iter().cloned().zip(0..).collect();
        self.targets =
            targets.iter().map(|name| TargetResult { name: name.clone(), ..TargetResult::default() }).collect();
        Ok(())
    }

    /// A target of the job that has no outcome yet.
    fn open(&mut self, name: &str) -> Result<&mut TargetResult, GatewayFault> {
        let position = *self.index.get(name).ok_or(GatewayFault::UnknownTarget)?;
        let target = self.targets.get_mut(position).ok_or(GatewayFault::UnknownTarget)?;
        if target.outcome.is_some() {
            return Err(GatewayFault::AfterOutcome);
        }
        Ok(target)
    }

    fn close(&mut self, name: &str, outcome: Outcome, event: &JobEvent) -> Result<(), GatewayFault> {
        self.open(name)?.outcome = Some(outcome);
        self.count(event)
    }

    fn count(&mut self, event: &JobEvent) -> Result<(), GatewayFault> {
        self.summary.count(event);
        Ok(())
    }

    fn output(&mut self, name: &str, stream: OutputStream, data: &OutputData) -> Result<(), GatewayFault> {
        let keep = self.keep;
        let room = TOTAL_KEPT.saturating_sub(self.kept);
        let target = self.open(name)?;
        if !target.started {
            return Err(GatewayFault::Order);
        }
        if keep == Keep::Outcomes {
            return Ok(());
        }
        let bytes = data.bytes().map_err(|_| GatewayFault::Document)?;
        let captured = match stream {
            OutputStream::Stdout => &mut target.stdout,
            OutputStream::Stderr => &mut target.stderr,
        };
        let taken = captured.take(&bytes, room);
        self.kept = self.kept.saturating_add(taken);
        Ok(())
    }

    fn record(&mut self, name: &str, stream: RecordStream, part: &str, more: bool) -> Result<(), GatewayFault> {
        let keep = self.keep;
        let room = TOTAL_KEPT.saturating_sub(self.kept);
        let begun = self.begun.saturating_add(part.len());
        if TOTAL_KEPT < begun {
            return Err(GatewayFault::Size);
        }
        let target = self.open(name)?;
        if !target.started {
            return Err(GatewayFault::Order);
        }
        let Some(record) = target.records.take(stream, part, more)? else {
            self.begun = begun;
            return Ok(());
        };
        self.begun = begun.saturating_sub(record.clixml.len());
        let target = self.open(name)?;
        match (keep, stream) {
            // How far something was is of no interest afterwards.
            (Keep::Outcomes, _) | (Keep::Output, RecordStream::Progress) => self.whole = Some(record),
            (Keep::Output, _) => {
                let kept = target.records.keep(record, room);
                self.kept = self.kept.saturating_add(kept);
            }
        }
        Ok(())
    }

    fn finish(&mut self, summary: Summary) -> Result<(), GatewayFault> {
        let all = self.targets.iter().all(|target| target.outcome.is_some());
        if !all || summary != self.summary {
            return Err(GatewayFault::Summary);
        }
        self.done = true;
        Ok(())
    }
}

impl Captured {
    /// Keeps what there is room for; says how much that was.
    fn take(&mut self, bytes: &[u8], room: usize) -> usize {
        let room = room.min(STREAM_KEPT.saturating_sub(self.bytes.len()));
        // Once something was dropped, nothing after it is kept: no hole in the middle.
        let room = if self.dropped > 0 { 0 } else { room.min(bytes.len()) };
        let (now, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.bytes.extend_from_slice(now);
        self.dropped = self.dropped.saturating_add(u64::try_from(rest.len()).unwrap_or(u64::MAX));
        now.len()
    }
}

impl Records {
    /// Takes a part; the record, when it is the last one of it.
    fn take(&mut self, stream: RecordStream, part: &str, more: bool) -> Result<Option<KeptRecord>, GatewayFault> {
        if self.begun.as_ref().is_some_and(|begun| begun.stream != stream) {
            return Err(GatewayFault::Order);
        }
        let before = self.begun.as_ref().map_or(0, |begun| begun.clixml.len());
        if RECORD_BYTES < before.saturating_add(part.len()) {
            return Err(GatewayFault::Size);
        }
        let mut record = self.begun.take().unwrap_or_else(|| KeptRecord { stream, clixml: String::new() });
        record.clixml.push_str(part);
        if more {
            self.begun = Some(record);
            return Ok(None);
        }
        Ok(Some(record))
    }

    /// Keeps a record if there is room for all of it; says how much that took.
    fn keep(&mut self, record: KeptRecord, room: usize) -> usize {
        // So that a record of nothing takes room as well.
        let bytes = record.clixml.len().saturating_add(size_of::<KeptRecord>());
        if 0 < self.dropped || room.min(STREAM_KEPT.saturating_sub(self.bytes)) < bytes {
            self.dropped = self.dropped.saturating_add(1);
            return 0;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.kept.push(record);
        bytes
    }
}

impl fmt::Debug for KeptRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} bytes)", self.stream, self.clixml.len())
    }
}

fn unknown(target: &TargetResult, ending: Ending) -> (Outcome, JobEvent) {
    let name = target.name.clone();
    let effect = Effect::Unknown;
    match ending {
        Ending::Interrupted => (Outcome::Cancelled { effect }, JobEvent::Cancelled { target: name, effect }),
        Ending::Lost => {
            let class = FailureClass::Lost;
            let message = if target.started {
                "the connection to the gateway broke while the command was running"
            } else {
                "the connection to the gateway broke before a start was heard of"
            }
            .to_owned();
            let event =
                JobEvent::Failed { target: name, class, effect, message: message.clone(), retry_after_seconds: None };
            (Outcome::Failed { class, effect, message, retry_after_seconds: None }, event)
        }
    }
}

/// Whether both lists hold the same names, whatever their order and letter case.
fn same_names(asked: &[String], accepted: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names
    };
    asked.len() == accepted.len() && sorted(asked) == sorted(accepted)
}

#[cfg(test)]
pub(crate) mod tests {
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
        let mut events =
            vec![accepted(&["a", "b"]), started("b"), stdout("b", b"1"), started("a"), stdout("b", b"2\xff")];
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
                    (
                        Some(Outcome::Failed { class: FailureClass::Lost, effect: Effect::Unknown, .. }),
                        Ending::Lost,
                    ) => {}
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
}
