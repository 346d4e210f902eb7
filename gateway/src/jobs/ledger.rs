//! What was said of each target: the one place that makes a job's lines. (one-outcome)

use super::outcome::Outcome;
use sekisho_protocol::job::{JobEvent, OutputData, OutputStream, RecordStream, RecordText, Summary};

/// What an errand says of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Report {
    Started { index: usize },
    Output { index: usize, stream: OutputStream, data: OutputData },
    Record { index: usize, stream: RecordStream, clixml: RecordText, more: bool },
    Ended { index: usize, outcome: Outcome },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Started,
    Ended,
}

/// All targets of one job.
#[derive(Debug)]
pub(super) struct Ledger {
    targets: Vec<(String, State)>,
    summary: Summary,
}

impl Ledger {
    pub(super) fn new(targets: &[String]) -> Self {
        let targets = targets.iter().map(|name| (name.clone(), State::Waiting)).collect();
        Self { targets, summary: Summary::default() }
    }

    /// The line for a report; none for one that comes too late, or twice, or before its time.
    pub(super) fn take(&mut self, report: Report) -> Option<JobEvent> {
        let index = match &report {
            Report::Started { index }
            | Report::Output { index, .. }
            | Report::Record { index, .. }
            | Report::Ended { index, .. } => *index,
        };
        let (name, state) = self.targets.get_mut(index)?;
        let target = name.clone();
        let event = match (report, *state) {
            (Report::Started { .. }, State::Waiting) => {
                *state = State::Started;
                JobEvent::Started { target }
            }
            (Report::Output { stream, data, .. }, State::Started) => JobEvent::Output { target, stream, data },
            (Report::Record { stream, clixml, more, .. }, State::Started) => {
                JobEvent::Record { target, stream, clixml, more }
            }
            (Report::Ended { outcome, .. }, State::Waiting | State::Started) => {
                *state = State::Ended;
                outcome.event(target)
            }
            (Report::Started { .. }, State::Started | State::Ended)
            | (Report::Output { .. } | Report::Record { .. }, State::Waiting | State::Ended)
            | (Report::Ended { .. }, State::Ended) => return None,
        };
        self.summary.count(&event);
        Some(event)
    }

    /// The targets without an outcome.
    pub(super) fn open(&self) -> Vec<usize> {
        let open = self.targets.iter().enumerate().filter(|(_, (_, state))| *state != State::Ended);
        open.map(|(index, _)| index).collect()
    }

    /// Whether every target has its outcome.
    pub(super) fn is_complete(&self) -> bool {
        u64::try_from(self.targets.len()).is_ok_and(|targets| targets == self.summary.total())
    }

    /// The outcomes so far, counted.
    pub(super) fn summary(&self) -> Summary {
        self.summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sekisho_protocol::job::Effect;
    use std::collections::HashMap;
    use std::time::Duration;

    const TARGETS: usize = 3;

    fn names() -> Vec<String> {
        (0..TARGETS).map(|index| format!("web{index}")).collect()
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            (0..2_i32).prop_map(|exit_code| Outcome::Finished { exit_code, state: None, duration: Duration::ZERO }),
            Just(Outcome::Denied { message: "no".to_owned(), rule: None }),
            Just(Outcome::timed_out(Effect::Unknown)),
            Just(Outcome::Cancelled { effect: Effect::NothingRan }),
        ]
    }

    /// Any report, of targets that do not exist too.
    fn report() -> impl Strategy<Value = Report> {
        let index = 0..=TARGETS;
        prop_oneof![
            index.clone().prop_map(|index| Report::Started { index }),
            index.clone().prop_map(|index| Report::Output {
                index,
                stream: OutputStream::Stdout,
                data: OutputData::of(b"x"),
            }),
            index.clone().prop_map(|index| Report::Record {
                index,
                stream: RecordStream::Output,
                clixml: RecordText("<S>x</S>".to_owned()),
                more: false,
            }),
            (index, outcome()).prop_map(|(index, outcome)| Report::Ended { index, outcome }),
        ]
    }

    proptest! {
        #[test]
        fn each_target_has_exactly_one_outcome_whatever_is_reported(
            reports in proptest::collection::vec(report(), 0..40),
        ) {
            let mut ledger = Ledger::new(&names());
            let mut events: Vec<JobEvent> = reports.into_iter().filter_map(|report| ledger.take(report)).collect();
            for index in ledger.open() {
                let cancelled = Outcome::Cancelled { effect: Effect::NothingRan };
                events.extend(ledger.take(Report::Ended { index, outcome: cancelled }));
            }
            prop_assert!(ledger.is_complete() && ledger.open().is_empty());
            let (mut counted, mut seen) = (Summary::default(), HashMap::new());
            for event in &events {
                prop_assert_eq!(event.validate(), Ok(()));
                let (started, ended) = seen.entry(event.target().unwrap().to_owned()).or_insert((false, false));
                prop_assert!(!*ended, "nothing is said after an outcome");
                match event {
                    JobEvent::Started { .. } => prop_assert!(!std::mem::replace(started, true), "started once"),
                    JobEvent::Output { .. } | JobEvent::Record { .. } => prop_assert!(*started, "output follows a start"),
                    JobEvent::Finished { .. }
                    | JobEvent::Denied { .. }
                    | JobEvent::Failed { .. }
                    | JobEvent::Cancelled { .. } => *ended = true,
                    JobEvent::Accepted { .. } | JobEvent::Heartbeat { .. } | JobEvent::Done { .. } => {
                        prop_assert!(false, "these are the desk's to tell");
                    }
                }
                counted.count(event);
            }
            prop_assert_eq!(counted, ledger.summary());
            prop_assert_eq!(counted.total(), 3);
            prop_assert!(seen.values().all(|(_, ended)| *ended));
        }
    }
}
