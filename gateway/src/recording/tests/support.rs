//! A recorded session, and a store that fails when it is told to.

use crate::audit::Context;
use crate::recording::entry::Entry;
use crate::recording::store::{Disk, Sheet, Store};
use crate::recording::{Line, Recording, SessionKind, file_of, walk};
use crate::trial::Trial;
use sekisho_protocol::clixml::{self, Value};
use sekisho_protocol::psrp::RecordBody;
use sekisho_protocol::wsman::CommandId;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

pub(super) const TARGET: &str = "\n[targets.web01]\naddress = \"127.0.0.1\"\nport = 1\n";
pub(super) const SESSION: Uuid = Uuid::from_u128(0x1111_2222);

pub(super) fn id(number: u128) -> CommandId {
    CommandId::new(Uuid::from_u128(number))
}

pub(super) fn output(text: &str) -> RecordBody {
    RecordBody::new(clixml::encode(&Value::text(text)).into_bytes())
}

pub(super) fn context() -> Context {
    Context {
        principal: Some("GATEWAY\\alice".to_owned()),
        client_addr: Some("192.0.2.1:1".parse().unwrap()),
        target: Some("web01".to_owned()),
        session: Some(SESSION.to_string()),
        ..Context::default()
    }
}

/// A gateway that records, with more keys of `[recording]`.
pub(super) async fn recorded(keys: &str) -> (Trial, Recording) {
    let trial = Trial::new(&format!("{TARGET}\n[recording]\nenabled = true\n{keys}\n"), None).await;
    let recording = trial.gateway().recordings.begin(&context(), SessionKind::PowerShell);
    assert!(recording.is_on());
    (trial, recording)
}

pub(super) fn file(trial: &Trial) -> PathBuf {
    file_of(&trial.gateway().live().config.recording.directory, SESSION)
}

/// The lines of a recording that verifies.
pub(super) fn lines(path: &Path) -> Vec<Line> {
    let mut lines = Vec::new();
    let walked = walk(path, &mut |line| lines.push(line.clone())).unwrap();
    assert_eq!((walked.broken, walked.torn), (None, 0));
    lines
}

pub(super) fn entries(path: &Path) -> Vec<Entry> {
    lines(path).into_iter().map(|line| line.entry).collect()
}

/// What a test can make go wrong.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) full: AtomicBool,
    pub(super) no_create: AtomicBool,
    pub(super) no_truncate: AtomicBool,
}

impl Faults {
    pub(super) fn set(&self, fault: impl Fn(&Self) -> &AtomicBool, value: bool) {
        fault(self).store(value, Ordering::Relaxed);
    }
}

/// The real store, but for the faults.
pub(super) struct Unreliable(pub(super) Arc<Faults>);

struct Torn(Box<dyn Sheet>, Arc<Faults>);

fn failing(fault: &AtomicBool) -> io::Result<()> {
    if fault.load(Ordering::Relaxed) { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
}

impl Store for Unreliable {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn Sheet>> {
        failing(&self.0.no_create)?;
        Ok(Box::new(Torn(Disk.create(path)?, Arc::clone(&self.0))))
    }

    fn reopen(&mut self, path: &Path) -> io::Result<Box<dyn Sheet>> {
        Disk.reopen(path)
    }
}

impl Sheet for Torn {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.1.full.load(Ordering::Relaxed) {
            // A part gets through, as it does on a full disk.
            self.0.append(bytes.get(..bytes.len() / 3).unwrap_or_default())?;
        }
        failing(&self.1.full)?;
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        failing(&self.1.no_truncate)?;
        self.0.truncate(len)
    }
}
