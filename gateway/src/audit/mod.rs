//! The audit log: what was decided and done, in lines that nobody can take back.
//!
//! One thread writes. [`Audit::append`] returns when the line is where the configured durability wants it,
//! and several lines that wait at the same time go to the disk together.

mod check;
mod copies;
mod event;
mod head;
mod line;
mod read;
mod recover;
mod redact;
mod store;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ed25519_dalek::VerifyingKey;
use parking_lot::Mutex;
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

pub use check::Broken;
pub(crate) use check::{Read, read_line};
pub use event::*;
pub use head::{Head, parse_public_key, public_key_text};
pub use line::AuditPlace;
pub(crate) use line::{Digest, NOTHING, line_digest, time_text, write_line};
pub use read::read_events;
pub use redact::{
    AuditedClaim, AuditedCommands, AuditedProgram, AuditedScript, AuditedText, DeniedArgument, DeniedCommand,
    JudgedArgument, Redactor, hex, is_secret_name,
};
pub use verify::{Finding, Report, Unproved, verify};

use crate::config::{AuditSettings, OnFailure};
use crate::private_file::{Access, FileError, KeyPurpose, open_lock, read_key};
use store::{Disk, Store};
use writer::{Gauges, Writer};

/// Lines that wait to be written. Who comes later waits in [`Audit::append`].
const MAX_WAITING: usize = 1024;
/// Bytes that go to the disk together.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// What the common fields take of a line.
const COMMON_FIELDS: usize = 512;
/// Between two tries while the log cannot be written.
const RETRY: Duration = Duration::from_secs(2);
/// Waits for things that are due by time are at least this long.
const MIN_WAIT: Duration = Duration::from_millis(100);

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// The log, open for writing. Nobody else can have it open.
pub struct Audit {
    messages: Sender<Message>,
    waiting: Arc<Semaphore>,
    gauges: Arc<Gauges>,
    redactor: Redactor,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What opening found.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The key that the current epoch's head will be signed by.
    pub key: VerifyingKey,
    /// A chain was begun, so this key is the first public key.
    pub new_chain: bool,
    /// Bytes that a crash had left after the last whole line; moved aside and noted in the chain.
    pub torn_bytes: u64,
    /// The number of the start's line or a later one.
    pub seq: u64,
}

/// How a line fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    Written,
    /// It could not be written, and the configuration says to go on.
    Lost,
}

/// Why a line was not written. Nothing may be done that it was to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    #[error("the audit log cannot be written ({0})")]
    Write(io::ErrorKind),
    #[error("the audit signing key cannot be exchanged ({0})")]
    Key(io::ErrorKind),
    #[error("the audit log cannot be signed")]
    Signing,
    #[error("the audit line would be longer than a line may be")]
    TooLong,
    #[error("the audit line cannot be encoded")]
    Encoding,
    #[error("the audit log is closed")]
    Closed,
}

impl AuditError {
    fn write(error: &io::Error) -> Self {
        Self::Write(error.kind())
    }

    fn key(error: &io::Error) -> Self {
        Self::Key(error.kind())
    }
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} is in use by another gateway", directory.display())]
    InUse { directory: PathBuf },
    #[error("{} has too many files; move old ones elsewhere", directory.display())]
    TooManyFiles { directory: PathBuf },
    #[error("{} line {line}: {broken}; nothing is added to a log that was changed: look at it with 'audit verify', move the directory elsewhere, and start again with an empty one", path.display())]
    Broken { path: PathBuf, line: u64, broken: Broken },
    #[error("{} is not the key that the log goes on with; put the right one back, or move the log elsewhere and start again with an empty directory", path.display())]
    ForeignKey { path: PathBuf },
    #[error("the audit log could be opened and not written: {0}")]
    Audit(#[from] AuditError),
}

impl OpenError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    fn broken(directory: &Path, number: u64, line: u64, broken: Broken) -> Self {
        Self::Broken { path: directory.join(line::file_name(number)), line, broken }
    }
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    pub lines: u64,
    /// Lines that could not be written.
    pub lost: u64,
    pub heads: u64,
    pub head_copies_failed: u64,
}

enum Message {
    Line(Waiting),
    Close(String, oneshot::Sender<Result<Receipt, AuditError>>),
}

struct Waiting {
    body: String,
    reply: oneshot::Sender<Result<Receipt, AuditError>>,
    /// A place among [`MAX_WAITING`], given back when the line is answered.
    permit: OwnedSemaphorePermit,
}

impl Audit {
    /// Opens the log, writes `start` and a signed head, and leaves the rest to a thread.
    ///
    /// # Errors
    /// When the end of the log does not verify, its key is not there, or it cannot be written.
    pub fn open(settings: &AuditSettings, clock: Clock, start: &Event) -> Result<(Self, Opened), OpenError> {
        let disk = Disk::new(&settings.directory, &settings.signing.key);
        Self::open_on(Box::new(disk), settings, clock, start)
    }

    fn open_on(
        store: Box<dyn Store>,
        settings: &AuditSettings,
        clock: Clock,
        start: &Event,
    ) -> Result<(Self, Opened), OpenError> {
        let lock = lock(&settings.directory)?;
        let digest_key = read_key(&settings.digest_key, KeyPurpose::AuditDigest, Access::OwnerOnly)?;
        let redactor = Redactor::new(&digest_key, settings.denied_text);
        let (writer, opened) = started(store, settings, clock(), start)?;
        let gauges = Arc::clone(&writer.gauges);
        let (messages, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || {
                let _ended = Ended { gauges: Arc::clone(&writer.gauges), _lock: lock };
                run(writer, &receiver, &clock);
            })
            .map_err(|error| OpenError::io(&settings.directory, error))?;
        let waiting = Arc::new(Semaphore::new(MAX_WAITING));
        let audit = Self { messages, waiting, gauges, redactor, thread: Mutex::new(Some(thread)) };
        Ok((audit, opened))
    }

    /// Makes auditable forms of texts that may hold secrets.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// INVARIANT(audit-before-act): nothing is done before this has returned `Ok` for the event that tells it.
    ///
    /// Writes one event; returns when it is where the configured durability wants it. If the caller stops
    /// waiting, the line is written all the same.
    ///
    /// # Errors
    /// When it could not be written: what it was to tell must not be done. With `on_failure = "degrade"`
    /// that is [`Receipt::Lost`] instead.
    pub async fn append(&self, event: &Event) -> Result<Receipt, AuditError> {
        let body = body(event)?;
        let permit = Arc::clone(&self.waiting).acquire_owned().await.map_err(|_| AuditError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { body, reply, permit };
        self.messages.send(Message::Line(waiting)).map_err(|_| AuditError::Closed)?;
        answer.await.map_err(|_| AuditError::Closed)?
    }

    /// Whether the last line that was to be written was, and further ones can be.
    #[must_use]
    pub fn healthy(&self) -> bool {
        !self.gauges.failing.load(Ordering::Relaxed)
    }

    /// The last line that was written.
    #[must_use]
    pub fn place(&self) -> AuditPlace {
        self.gauges.place.lock().clone()
    }

    #[must_use]
    pub fn counters(&self) -> Counters {
        let read = |gauge: &std::sync::atomic::AtomicU64| gauge.load(Ordering::Relaxed);
        Counters {
            lines: read(&self.gauges.lines),
            lost: read(&self.gauges.lost),
            heads: read(&self.gauges.heads),
            head_copies_failed: read(&self.gauges.copies_failed),
        }
    }

    /// Writes the last event and the last signed head. Later events are refused.
    ///
    /// # Errors
    /// When they could not be written.
    pub async fn close(&self, stop: &Event) -> Result<Receipt, AuditError> {
        let body = body(stop)?;
        self.waiting.close();
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Close(body, reply)).map_err(|_| AuditError::Closed)?;
        let result = answer.await.map_err(|_| AuditError::Closed)?;
        // It has answered and is at its end: this waits for the lock of the directory only.
        let ended = self.thread.lock().take().map(JoinHandle::join);
        match ended {
            Some(Err(_)) => Err(AuditError::Closed),
            Some(Ok(())) | None => result,
        }
    }
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("healthy", &self.healthy()).finish_non_exhaustive()
    }
}

fn body(event: &Event) -> Result<String, AuditError> {
    let body = serde_json::to_string(event).map_err(|_| AuditError::Encoding)?;
    if body.len() > line::MAX_LINE.saturating_sub(COMMON_FIELDS) { Err(AuditError::TooLong) } else { Ok(body) }
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join("audit.lock");
    let file = open_lock(&path).map_err(|error| OpenError::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { directory: directory.to_owned() }),
        Err(TryLockError::Error(error)) => Err(OpenError::io(&path, error)),
    }
}

/// The end of the thread, however it comes: from then on the log is not healthy. The lock is held until then.
struct Ended {
    gauges: Arc<Gauges>,
    _lock: File,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.gauges.failing.store(true, Ordering::Relaxed);
    }
}

/// A writer that has written its start and signed it.
fn started(
    mut store: Box<dyn Store>,
    settings: &AuditSettings,
    now: OffsetDateTime,
    start: &Event,
) -> Result<(Writer, Opened), OpenError> {
    let found = recover::recover(settings)?;
    store.begin_file(found.position.file).map_err(|error| OpenError::io(&settings.directory, error))?;
    let torn_bytes = found.torn.iter().map(|torn| torn.bytes).sum();
    let key = found.key.verifying_key();
    let mut writer = Writer {
        store,
        settings: settings.clone(),
        position: found.position,
        key: found.key,
        gauges: Arc::new(Gauges::default()),
        last_head: now,
        file_begun: found.file_begun.unwrap_or(now),
        lost: None,
        dirty: false,
        promotion_due: false,
        torn: found.torn,
    };
    writer.show_place();
    let body = body(start)?;
    let begun = writer.write(&[body], now).and_then(|_| writer.sign(now));
    match (begun, settings.on_failure) {
        (Ok(()), _) => {}
        (Err(error), OnFailure::Deny) => return Err(error.into()),
        (Err(error), OnFailure::Degrade) => writer.fail(&error),
    }
    let opened = Opened { key, new_chain: found.new, torn_bytes, seq: writer.position.seq };
    Ok((writer, opened))
}

/// The thread.
fn run(mut writer: Writer, messages: &Receiver<Message>, clock: &Clock) {
    loop {
        match messages.recv_timeout(wait(&writer, clock())) {
            Ok(Message::Line(first)) => {
                let (waiting, close) = collect(first, messages);
                write(&mut writer, waiting, clock());
                if let Some((body, reply)) = close {
                    return finish(&mut writer, &body, reply, clock());
                }
            }
            Ok(Message::Close(body, reply)) => return finish(&mut writer, &body, reply, clock()),
            Err(RecvTimeoutError::Timeout) => writer.tick(clock()),
            Err(RecvTimeoutError::Disconnected) => {
                // Dropped without close: what is there is signed at least.
                if writer.position.unsigned > 0
                    && let Err(error) = writer.sign(clock())
                {
                    writer.fail(&error);
                }
                return;
            }
        }
    }
}

type Close = (String, oneshot::Sender<Result<Receipt, AuditError>>);

/// What waits goes to the disk together.
fn collect(first: Waiting, messages: &Receiver<Message>) -> (Vec<Waiting>, Option<Close>) {
    let mut bytes = first.body.len();
    let mut waiting = vec![first];
    while bytes < MAX_BATCH_BYTES {
        match messages.try_recv() {
            Ok(Message::Line(next)) => {
                bytes = bytes.saturating_add(next.body.len());
                waiting.push(next);
            }
            Ok(Message::Close(body, reply)) => return (waiting, Some((body, reply))),
            Err(_) => break,
        }
    }
    (waiting, None)
}

fn write(writer: &mut Writer, waiting: Vec<Waiting>, now: OffsetDateTime) {
    let (bodies, replies): (Vec<_>, Vec<_>) =
        waiting.into_iter().map(|one| (one.body, (one.reply, one.permit))).unzip();
    let result = writer.write(&bodies, now);
    for (reply, _place) in replies {
        // Whoever stopped waiting is not told.
        let _ = reply.send(result);
    }
    // After the answers: nobody waits for a signature.
    if result == Ok(Receipt::Written)
        && let Err(error) = writer.maintain(now)
    {
        writer.fail(&error);
    }
}

fn finish(writer: &mut Writer, body: &str, reply: oneshot::Sender<Result<Receipt, AuditError>>, now: OffsetDateTime) {
    let result = writer.write(&[body.to_owned()], now).and_then(|receipt| match receipt {
        Receipt::Written => writer.sign(now).map(|()| receipt),
        Receipt::Lost => Ok(receipt),
    });
    let _ = reply.send(result);
}

/// Until something is due by time.
fn wait(writer: &Writer, now: OffsetDateTime) -> Duration {
    if writer.gauges.failing.load(Ordering::Relaxed) {
        return RETRY;
    }
    let interval = writer.settings.signing.interval;
    let since = Duration::try_from(now - writer.last_head).unwrap_or_default();
    interval.checked_sub(since).unwrap_or(interval).max(MIN_WAIT)
}
