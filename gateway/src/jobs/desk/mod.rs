//! The desk of a job: sends errands out, writes down what they report, and passes it to the client.

use super::Job;
use super::errand;
use super::ledger::{Ledger, Report};
use super::outcome::Outcome;
use super::stop::Why;
use crate::audit::{JobOutcomes, JobStage};
use bytes::Bytes;
use sekisho_protocol::job::{Effect, HEARTBEAT_SECONDS, JobEvent, Summary};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Reports that wait to be written down.
const REPORTS: usize = 16;
/// Bytes of lines after which they are sent before more is written down.
const BATCH: usize = 64 * 1024;
/// How long the last line waits for the cleaning up at targets. Those that hang are not the client's to wait for.
const CLEANUP: Duration = Duration::from_secs(2);
/// How long after the job's deadline a client that does not read may still take its last lines.
const GRACE: Duration = Duration::from_secs(60);

/// The lines of one job on their way to the client.
struct Desk {
    job: Arc<Job>,
    ledger: Ledger,
    lines: Vec<u8>,
    documents: mpsc::Sender<Bytes>,
    /// Nobody reads any more: lines are written down for the audit's sake alone.
    gone: bool,
    last: Instant,
    give_up: Instant,
}

/// What happens next at the desk.
enum Next {
    ClientGone,
    Stop(Why),
    Report(Report),
    Writable,
    Silence,
    NobodyLeft,
}

/// Works on a job to its end. Whatever happens to the client, this ends by itself.
pub(super) async fn serve(job: Arc<Job>, documents: mpsc::Sender<Bytes>) {
    let mut desk = Desk::new(Arc::clone(&job), documents);
    desk.write(&JobEvent::accepted(job.version, job.id.to_string(), job.targets.clone()));
    let (sender, mut reports) = mpsc::channel(REPORTS);
    let mut workers = JoinSet::new();
    for _ in 0..job.throttle.max(1) {
        workers.spawn(errand::work(Arc::clone(&job), sender.clone()));
    }
    drop(sender);
    desk.attend(&mut reports).await;
    desk.close_open();
    // Cleaning up goes on meanwhile; late reports have nothing to say any more.
    let cleaned = timeout(CLEANUP, async { while workers.join_next().await.is_some() {} });
    let _ = tokio::join!(cleaned, desk.flush());
    desk.finish().await;
    drop(desk);
    while workers.join_next().await.is_some() {}
}

impl Desk {
    fn new(job: Arc<Job>, documents: mpsc::Sender<Bytes>) -> Self {
        let ledger = Ledger::new(&job.targets);
        let give_up = job.deadline.checked_add(GRACE).unwrap_or(job.deadline);
        Self { job, ledger, lines: Vec::new(), documents, gone: false, last: Instant::now(), give_up }
    }

    /// Until every target has its outcome, or nobody is left who could report one.
    async fn attend(&mut self, reports: &mut mpsc::Receiver<Report>) {
        while !self.ledger.is_complete() {
            match self.next(reports).await {
                Next::ClientGone => self.client_gone(),
                Next::Stop(why) => self.job.stop.stop(why),
                Next::Report(report) => self.take(report),
                // Nobody else sends, so the place that was seen is still there.
                Next::Writable => match self.documents.try_send(Bytes::from(std::mem::take(&mut self.lines))) {
                    Ok(()) => {}
                    Err(_closed) => self.client_gone(),
                },
                Next::Silence => self.write(&JobEvent::Heartbeat {}),
                Next::NobodyLeft => return,
            }
        }
    }

    /// What happens next. Reports that are there go before writing, so that they make one batch; what waits
    /// is written as soon as there is none.
    async fn next(&self, reports: &mut mpsc::Receiver<Report>) -> Next {
        let heartbeat = self.last.checked_add(Duration::from_secs(HEARTBEAT_SECONDS.into())).unwrap_or(self.last);
        let going = self.job.stop.why().is_none();
        tokio::select! {
            biased;
            () = self.documents.closed(), if !self.gone => Next::ClientGone,
            () = self.job.gateway.drained.cancelled(), if going => Next::Stop(Why::Shutdown),
            () = sleep_until(self.job.deadline), if going => Next::Stop(Why::Deadline),
            () = sleep_until(self.give_up), if !self.gone => Next::ClientGone,
            report = reports.recv(), if self.lines.len() < BATCH => report.map_or(Next::NobodyLeft, Next::Report),
            place = self.documents.reserve(), if !self.lines.is_empty() => match place {
                Ok(_place) => Next::Writable,
                Err(_closed) => Next::ClientGone,
            },
            () = sleep_until(heartbeat), if self.lines.is_empty() && !self.gone => Next::Silence,
        }
    }

    fn client_gone(&mut self) {
        self.gone = true;
        self.lines.clear();
        self.job.stop.stop(Why::ClientGone);
    }

    fn take(&mut self, report: Report) {
        if let Some(event) = self.ledger.take(report) {
            self.write(&event);
        }
    }

    fn write(&mut self, event: &JobEvent) {
        self.last = Instant::now();
        if self.gone {
            return;
        }
        if let Err(mistake) = event.encode_into(&mut self.lines) {
            tracing::error!(%mistake, job = %self.job.id, "A line of a job is not valid");
        }
    }

    /// Nobody reports any more, so what is still open was left by an errand that broke.
    fn close_open(&mut self) {
        for index in self.ledger.open() {
            let effect = if self.job.is_taken(index) { Effect::Unknown } else { Effect::NothingRan };
            self.take(Report::Ended { index, outcome: Outcome::broken(effect) });
        }
    }

    async fn finish(&mut self) {
        let summary = self.ledger.summary();
        let cut_short = self.job.stop.why().is_some() || 0 < summary.cancelled;
        let stage = if cut_short { JobStage::Cancelled } else { JobStage::Finished };
        let recording = self.job.recording.finish().await;
        self.job.gateway.audit_after(self.job.event(stage, Some(outcomes(summary)), recording)).await;
        self.write(&JobEvent::Done { summary });
        self.flush().await;
    }

    /// Passes on what is written, at the client's pace as long as it has any.
    async fn flush(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        let lines = Bytes::from(std::mem::take(&mut self.lines));
        if !matches!(timeout_at(self.give_up, self.documents.send(lines)).await, Ok(Ok(()))) {
            self.gone = true;
        }
    }
}

fn outcomes(summary: Summary) -> JobOutcomes {
    let Summary { succeeded, exited_nonzero, denied, failed, cancelled } = summary;
    JobOutcomes { succeeded, exited_nonzero, denied, failed, cancelled }
}

#[cfg(test)]
mod tests;
