//! A folder or disk that is full, or fails in other ways, and is well again.

use super::support::*;
use crate::audit::{Clock, hex};
use crate::recording::NotRecorded;
use crate::recording::entry::{Entry, Said};
use crate::recording::recorder::{Book, Recorder};
use crate::recording::{file_of, walk};
use sekisho_protocol::psrp::MessageType;
use std::io;
use std::sync::Arc;
use time::OffsetDateTime;

fn body(text: &str) -> String {
    Entry::Asked(Said { text: text.to_owned(), ..Said::default() }).json().unwrap()
}

fn begin() -> String {
    Entry::Begin(crate::recording::Begin::default()).json().unwrap()
}

struct Bench {
    folder: tempfile::TempDir,
    recorder: Recorder,
    faults: Arc<Faults>,
    book: Arc<Book>,
}

impl Bench {
    async fn new(total: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let clock: Clock = Arc::new(|| OffsetDateTime::UNIX_EPOCH);
        let recorder = Recorder::start(Box::new(Unreliable(Arc::clone(&faults))), clock).unwrap();
        recorder.take(folder.path()).await.unwrap();
        let book = Book::new(file_of(folder.path(), SESSION), total);
        Self { folder, recorder, faults, book }
    }

    fn path(&self) -> std::path::PathBuf {
        file_of(self.folder.path(), SESSION)
    }
}

#[tokio::test]
async fn a_part_that_was_written_is_cut_off_and_what_is_lost_is_said() {
    let bench = Bench::new(u64::MAX).await;
    bench.recorder.open(&bench.book, begin()).await.unwrap();
    bench.faults.set(|faults| &faults.full, true);
    let full = Err(NotRecorded::Write(io::ErrorKind::StorageFull));
    assert_eq!(bench.recorder.asked(&bench.book, body("a")).await, full);
    assert!(bench.book.is_failing());
    assert_eq!(walk(&bench.path(), &mut |_| {}).unwrap().torn, 0, "nothing of it is left");
    bench.faults.set(|faults| &faults.no_truncate, true);
    assert_eq!(bench.recorder.asked(&bench.book, body("b")).await, full);
    assert!(walk(&bench.path(), &mut |_| {}).unwrap().torn > 0);
    bench.faults.set(|faults| &faults.full, false);
    assert_eq!(bench.recorder.asked(&bench.book, body("c")).await, full, "the part is still there");
    bench.faults.set(|faults| &faults.no_truncate, false);
    bench.recorder.asked(&bench.book, body("d")).await.unwrap();
    assert!(!bench.book.is_failing());
    let end = bench.recorder.finish(&bench.book).await.unwrap();
    let entries = entries(&bench.path());
    assert!(matches!(&entries[1], Entry::Lost(lost) if lost.entries == 3));
    assert!(matches!(&entries[2], Entry::Asked(said) if said.text == "d"));
    assert!(matches!(&entries[3], Entry::End(end) if !end.complete));
    assert!(!end.complete);
    assert_eq!(end.sha256, hex(&walk(&bench.path(), &mut |_| {}).unwrap().last));
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_made_later() {
    let bench = Bench::new(u64::MAX).await;
    bench.faults.set(|faults| &faults.no_create, true);
    assert!(bench.recorder.open(&bench.book, begin()).await.is_err());
    bench.faults.set(|faults| &faults.no_create, false);
    bench.faults.set(|faults| &faults.full, true);
    assert!(bench.recorder.open(&bench.book, begin()).await.is_err());
    bench.faults.set(|faults| &faults.full, false);
    bench.recorder.open(&bench.book, begin()).await.unwrap();
    bench.recorder.finish(&bench.book).await.unwrap();
    assert!(walk(&bench.path(), &mut |_| {}).unwrap().ended);
}

#[tokio::test]
async fn one_folder_has_one_gateway() {
    let bench = Bench::new(u64::MAX).await;
    let clock: Clock = Arc::new(|| OffsetDateTime::UNIX_EPOCH);
    let other = Recorder::start(Box::new(Unreliable(Arc::default())), clock).unwrap();
    assert_eq!(other.take(bench.folder.path()).await, Err(NotRecorded::Write(io::ErrorKind::ResourceBusy)));
}

#[tokio::test]
async fn a_full_folder_refuses_what_begins_and_keeps_what_was_begun() {
    let (trial, recording) = recorded("limits = { total = \"1MiB\" }").await;
    recording.asked(id(1), "x").await.unwrap();
    let folder = trial.gateway().live().config.recording.directory.clone();
    for _ in 0..20 {
        recording.record(id(1), MessageType::PipelineOutput, &output(&"x".repeat(64 * 1024))).await.unwrap();
    }
    assert_eq!(recording.asked(id(2), "y").await, Err(NotRecorded::Full));
    assert_eq!(recording.asked(id(3), "y").await, Err(NotRecorded::Full));
    recording.ended(id(1), "completed").await;
    let end = recording.finish().await.unwrap();
    assert!(!end.complete);
    let used: u64 = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(used > 1024 * 1024);
    let log = trial.stop().await;
    let refused: Vec<_> = log.iter().filter(|line| line["stage"] == "refused").collect();
    assert_eq!((refused.len(), &refused[0]["why"]), (1, &"full".into()), "told once");
}

#[tokio::test]
async fn a_full_folder_ends_recordings_loudly_where_that_is_asked_for() {
    let (trial, recording) = recorded("on_full = 'stop_recording'\nlimits = { total = \"1MiB\" }").await;
    recording.asked(id(1), "x").await.unwrap();
    for _ in 0..20 {
        recording.record(id(1), MessageType::PipelineOutput, &output(&"x".repeat(64 * 1024))).await.unwrap();
    }
    recording.asked(id(2), "unseen").await.unwrap();
    assert!(!recording.is_on());
    recording.record(id(2), MessageType::PipelineOutput, &output("unseen")).await.unwrap();
    let end = recording.finish().await.unwrap();
    assert!(!end.complete);
    assert!(!std::fs::read_to_string(file(&trial)).unwrap().contains("unseen"));
    let log = trial.stop().await;
    assert!(log.iter().any(|line| line["stage"] == "stopped" && line["why"] == "full"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_denies_unless_the_audit_may_degrade() {
    for (degrade, allowed) in [(false, false), (true, true)] {
        let (trial, _) = recorded("").await;
        let live = trial.gateway().live_full();
        let mut config = live.config.clone();
        config.recording.directory = trial.gateway().live().config.file.clone();
        if degrade {
            config.audit.on_failure = crate::config::OnFailure::Degrade;
        }
        trial.replace_config(config);
        let recording = trial.gateway().recordings.begin(&context(), crate::recording::SessionKind::PowerShell);
        let asked = recording.asked(id(1), "x").await;
        assert_eq!(asked.is_ok(), allowed, "{asked:?}");
        assert_eq!(recording.finish().await, None);
        let log = trial.stop().await;
        let stage = if allowed { "stopped" } else { "refused" };
        assert!(log.iter().any(|line| line["stage"] == stage && line["why"] == "failed"));
    }
}
