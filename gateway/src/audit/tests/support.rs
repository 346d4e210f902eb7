//! A log in a directory of its own, with a clock that stands still.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use tempfile::TempDir;
use time::macros::datetime;

use super::super::store::Disk;
use super::super::*;
use crate::config::{DeniedText, Durability, HeadCopies, OnFailure, Rotation, Signing};
use crate::private_file::{create, key_text, new_key};

pub(super) struct Log {
    pub(super) settings: AuditSettings,
    root: TempDir,
}

impl Log {
    pub(super) fn new() -> Self {
        // In memory where there is such a place: these tests wait for the disk many times.
        let memory = Path::new("/dev/shm");
        let root = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir(path("audit")).unwrap();
        for (name, purpose) in [("signing.key", KeyPurpose::AuditSigning), ("digest.key", KeyPurpose::AuditDigest)] {
            create(&path(name), key_text(purpose, &new_key().unwrap()).as_bytes()).unwrap();
        }
        let settings = AuditSettings {
            directory: path("audit"),
            durability: Durability::Write,
            on_failure: OnFailure::Deny,
            rotation: Rotation { bytes: 64 * 1024 * 1024, age: Duration::from_secs(86_400) },
            signing: Signing { key: path("signing.key"), lines: 1000, interval: Duration::from_secs(60) },
            heads: HeadCopies::default(),
            denied_text: DeniedText::Digest,
            digest_key: path("digest.key"),
        };
        Self { settings, root }
    }

    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(super) fn directory(&self) -> &Path {
        &self.settings.directory
    }

    pub(super) fn file(&self, number: u64) -> PathBuf {
        self.directory().join(line::file_name(number))
    }

    /// The public key of what is on the disk now.
    pub(super) fn first_key(&self) -> VerifyingKey {
        let key = read_key(&self.settings.signing.key, KeyPurpose::AuditSigning, Access::OwnerOnly).unwrap();
        SigningKey::from_bytes(&key).verifying_key()
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        datetime!(2026-01-02 03:04:05 UTC)
    }

    pub(super) fn clock(&self) -> Clock {
        let now = self.now();
        Arc::new(move || now)
    }

    pub(super) fn open(&self) -> (Audit, Opened) {
        Audit::open(&self.settings, self.clock(), &start()).unwrap()
    }

    /// A writer without a thread.
    pub(super) fn writer(&self) -> (Writer, Opened) {
        started(self.disk(), &self.settings, self.now(), &start()).unwrap()
    }

    pub(super) fn disk(&self) -> Box<dyn Store> {
        Box::new(Disk::new(self.directory(), &self.settings.signing.key))
    }

    /// A whole life: start, events, stop.
    pub(super) fn run(&self, events: &[Event]) {
        let (audit, _) = self.open();
        self.block_on(async {
            for event in events {
                audit.append(event).await.unwrap();
            }
            audit.close(&stop()).await.unwrap();
        });
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    /// The copies of heads in the configured file.
    pub(super) fn copies(&self) -> Vec<Head> {
        let text = std::fs::read_to_string(self.settings.heads.file.as_ref().unwrap()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(super) fn start() -> Event {
    Event::new(EventKind::Start { version: "1".to_owned() }, &Context::default())
}

pub(super) fn stop() -> Event {
    Event::new(EventKind::Stop { reason: StopReason::Signal }, &Context::default())
}

pub(super) fn command(argument: &str) -> Event {
    let redactor = Redactor::new(&[7; 32], DeniedText::Digest);
    let program =
        redactor.program("C:\\Windows\\System32\\x.exe", &[JudgedArgument { value: argument, secret: false }]);
    let context = Context {
        principal: Some("GATEWAY\\alice".to_owned()),
        target: Some("web01".to_owned()),
        shell: Some(Ids { gateway: "G".to_owned(), target: Some("T".to_owned()) }),
        policy: Some("abc".to_owned()),
        ..Context::default()
    };
    let what = Permitted::Program(program);
    let command = Commanded { role: "operators".to_owned(), rule: "operators/1".to_owned(), what };
    Event::new(EventKind::Command(command), &context)
}

/// A disk that fails when it is told to, or once and for ever at a step: a crash there.
pub(super) struct Unreliable {
    inner: Box<dyn Store>,
    pub(super) faults: Arc<Faults>,
}

#[derive(Default)]
pub(super) struct Faults {
    pub(super) full: AtomicBool,
    pub(super) no_sync: AtomicBool,
    pub(super) no_truncate: AtomicBool,
    pub(super) no_key: AtomicBool,
    pub(super) no_promotion: AtomicBool,
    pub(super) steps: AtomicUsize,
    /// The step that fails half done, and all after it. 0: none.
    pub(super) crash_at: AtomicUsize,
}

impl Unreliable {
    pub(super) fn over(inner: Box<dyn Store>) -> (Box<dyn Store>, Arc<Faults>) {
        let faults = Arc::new(Faults::default());
        (Box::new(Self { inner, faults: Arc::clone(&faults) }), faults)
    }

    fn step(&self) -> Crash {
        let step = self.faults.steps.fetch_add(1, Ordering::Relaxed) + 1;
        match self.faults.crash_at.load(Ordering::Relaxed) {
            0 => Crash::No,
            at if step < at => Crash::No,
            at if step == at => Crash::Now,
            _ => Crash::Over,
        }
    }

    /// A step that is done whole or not at all.
    fn whole(&self, fault: Option<&AtomicBool>) -> io::Result<()> {
        let failing = fault.is_some_and(|fault| fault.load(Ordering::Relaxed));
        match (self.step(), failing) {
            (Crash::No, false) => Ok(()),
            (Crash::No, true) | (Crash::Now | Crash::Over, _) => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

enum Crash {
    No,
    Now,
    Over,
}

impl Store for Unreliable {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let full = self.faults.full.load(Ordering::Relaxed);
        match (self.step(), full) {
            (Crash::No, false) => self.inner.append(bytes),
            (Crash::Now, _) | (Crash::No, true) => {
                self.inner.append(&bytes[..bytes.len() / 2])?;
                Err(io::ErrorKind::StorageFull.into())
            }
            (Crash::Over, _) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.whole(Some(&self.faults.no_sync)).and_then(|()| self.inner.sync())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.whole(Some(&self.faults.no_truncate)).and_then(|()| self.inner.truncate(len))
    }

    fn begin_file(&mut self, number: u64) -> io::Result<()> {
        self.whole(None).and_then(|()| self.inner.begin_file(number))
    }

    fn put_next_key(&mut self, text: &str) -> io::Result<()> {
        self.whole(Some(&self.faults.no_key)).and_then(|()| self.inner.put_next_key(text))
    }

    fn promote_key(&mut self) -> io::Result<()> {
        self.whole(Some(&self.faults.no_promotion)).and_then(|()| self.inner.promote_key())
    }

    fn settle_torn(&mut self, pending: &Path) -> io::Result<()> {
        self.whole(None).and_then(|()| self.inner.settle_torn(pending))
    }
}
