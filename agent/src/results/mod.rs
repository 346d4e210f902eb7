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
pub(crate) mod tests;
