use super::super::plan::Plan;
use super::*;
use crate::jobs::Caller;
use crate::trial::Trial;
use sekisho_policy::{Action, ProgramRequest};
use sekisho_protocol::job::{OutputData, OutputStream};
use uuid::Uuid;

/// A gateway that nobody connects to, and a desk in it whose clock the test moves.
struct Office {
    trial: Trial,
    desk: Desk,
    documents: Option<mpsc::Receiver<Bytes>>,
    sender: mpsc::Sender<Report>,
    reports: mpsc::Receiver<Report>,
}

impl Office {
    async fn new(targets: &[&str]) -> Self {
        let trial = Trial::new("\n[jobs]\ndeadline = \"10m\"\n", None).await;
        let job = job(&trial, targets);
        tokio::time::pause();
        let (document, documents) = mpsc::channel(super::super::DOCUMENTS);
        let (sender, reports) = mpsc::channel(REPORTS);
        let desk = Desk::new(job, document);
        Self { trial, desk, documents: Some(documents), sender, reports }
    }

    async fn next(&mut self) -> Next {
        self.desk.next(&mut self.reports).await
    }

    async fn report(&self, report: Report) {
        self.sender.send(report).await.unwrap();
    }

    async fn close(self) {
        tokio::time::resume();
        drop(self.desk);
        self.trial.stop().await;
    }
}

fn job(trial: &Trial, targets: &[&str]) -> Arc<Job> {
    let gateway = trial.gateway();
    let (identity, hold) = trial.alice();
    let address = "192.0.2.1:1".parse().unwrap();
    let place = gateway.jobs.enter(&identity.principal, 1).unwrap();
    let plan = Plan {
        action: Action::Program(ProgramRequest::new("hostname", vec![])),
        version: 1,
        targets: targets.iter().map(|&name| name.to_owned()).collect(),
        throttle: None,
        timeout: None,
    };
    let caller = Caller { identity, hold, address };
    Arc::new(Job::new(gateway, caller, Uuid::new_v4(), plan, place))
}

/// Timers are as fine as milliseconds.
fn is_about(time: Instant) -> bool {
    Instant::now().saturating_duration_since(time) < Duration::from_millis(5) && time <= Instant::now()
}

fn output(bytes: usize) -> Report {
    Report::Output { index: 0, stream: OutputStream::Stdout, data: OutputData::of(&vec![b'x'; bytes]) }
}

fn events(document: &[u8]) -> Vec<JobEvent> {
    document.split_inclusive(|byte| *byte == b'\n').map(|line| JobEvent::decode(line).unwrap()).collect()
}

#[tokio::test]
async fn silence_is_broken_by_a_heartbeat_in_time() {
    let mut office = Office::new(&["web01"]).await;
    let began = Instant::now();
    assert!(matches!(office.next().await, Next::Silence));
    assert_eq!(began.elapsed().as_secs(), u64::from(HEARTBEAT_SECONDS));
    office.close().await;
}

#[tokio::test]
async fn what_is_there_makes_one_batch_and_does_not_wait_for_more() {
    let mut office = Office::new(&["web01"]).await;
    let began = Instant::now();
    let mut documents = office.documents.take().unwrap();
    office.report(Report::Started { index: 0 }).await;
    office.report(output(10)).await;
    for _ in 0..2 {
        let Next::Report(report) = office.next().await else { panic!("reports go first") };
        office.desk.take(report);
    }
    assert!(matches!(office.next().await, Next::Writable));
    office.desk.flush().await;
    assert_eq!(events(&documents.recv().await.unwrap()).len(), 2);
    assert_eq!(began.elapsed(), Duration::ZERO);
    office.close().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_reports_and_is_given_up_in_the_end() {
    let mut office = Office::new(&["web01"]).await;
    let _unread = office.documents.take();
    office.desk.take(Report::Started { index: 0 });
    // Until every place on the way to the client is taken.
    let mut batches = 0;
    loop {
        while office.desk.lines.len() < BATCH {
            office.desk.take(output(16 * 1024));
        }
        office.report(output(1)).await;
        let next = office.next().await;
        if !matches!(next, Next::Writable) {
            assert!(matches!(next, Next::Stop(Why::Deadline)), "no report is taken meanwhile");
            break;
        }
        office.desk.flush().await;
        batches += 1;
    }
    assert_eq!(batches, super::super::DOCUMENTS);
    assert!(office.desk.lines.len() < 2 * BATCH);
    assert!(is_about(office.desk.job.deadline));
    office.desk.job.stop.stop(Why::Deadline);
    assert!(matches!(office.next().await, Next::ClientGone));
    assert!(is_about(office.desk.job.deadline + GRACE));
    office.desk.client_gone();
    // Nothing is kept for it any more, and reports are taken again, so that errands come to their ends.
    assert!(matches!(office.next().await, Next::Report(_)));
    office.close().await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed_at_once() {
    let mut office = Office::new(&["web01"]).await;
    let began = Instant::now();
    drop(office.documents.take());
    assert!(matches!(office.next().await, Next::ClientGone));
    assert_eq!(began.elapsed(), Duration::ZERO);
    office.close().await;
}

#[tokio::test]
async fn an_errand_that_breaks_leaves_its_target_an_outcome() {
    let mut office = Office::new(&["web01", "web02", "web03"]).await;
    let mut documents = office.documents.take().unwrap();
    let _first = office.desk.job.take();
    let _second = office.desk.job.take();
    office.report(Report::Ended { index: 1, outcome: Outcome::Denied { message: "no".to_owned(), rule: None } }).await;
    let (nobody, _) = mpsc::channel(1);
    drop(std::mem::replace(&mut office.sender, nobody));
    office.desk.attend(&mut office.reports).await;
    office.desk.close_open();
    assert!(office.desk.ledger.is_complete());
    office.desk.flush().await;
    let mut told = Vec::new();
    while let Ok(document) = documents.try_recv() {
        told.extend(events(&document));
    }
    let effect = |index: usize| match &told[index] {
        JobEvent::Failed { target, effect, .. } => (target.as_str(), *effect),
        other @ (JobEvent::Accepted { .. }
        | JobEvent::Started { .. }
        | JobEvent::Output { .. }
        | JobEvent::Record { .. }
        | JobEvent::Finished { .. }
        | JobEvent::Denied { .. }
        | JobEvent::Cancelled { .. }
        | JobEvent::Heartbeat {}
        | JobEvent::Done { .. }) => panic!("{other:?}"),
    };
    assert_eq!((effect(1), effect(2)), (("web01", Effect::Unknown), ("web03", Effect::NothingRan)));
    office.close().await;
}
