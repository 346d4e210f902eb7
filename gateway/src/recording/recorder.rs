//! The thread that writes recordings, and the queue before it.
//!
//! The queue is bounded in entries and bytes: who is faster than the disk waits, and nothing is dropped.

use super::NotRecorded;
use super::entry::End;
use super::shelf::{Recovered, Shelf};
use super::store::Store;
use super::transcript::Transcript;
use crate::audit::{Clock, Digest, RecordingEnd};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Entries that wait to be written.
const MAX_WAITING: usize = 1024;
/// Bytes that wait to be written.
const MAX_WAITING_BYTES: usize = 4 * 1024 * 1024;

/// The file of one session, which the thread alone writes.
pub(super) struct Book {
    path: PathBuf,
    folder: PathBuf,
    total: u64,
    transcript: Mutex<Option<Transcript>>,
    failing: AtomicBool,
}

/// Whether an entry may find the folder full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It begins something, which is refused when the folder is full.
    Asked,
    /// It belongs to what was begun, which has limits of its own.
    Owed,
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Recorder {
    messages: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
}

enum Message {
    Take(PathBuf, oneshot::Sender<Result<Vec<Recovered>, NotRecorded>>),
    Open(Arc<Book>, String, oneshot::Sender<Result<Digest, NotRecorded>>),
    Write(Arc<Book>, Waiting),
    Finish(Arc<Book>, oneshot::Sender<Result<RecordingEnd, NotRecorded>>),
}

struct Waiting {
    body: String,
    admission: Admission,
    /// Absent where nobody waits: then a failure shows in [`Book::is_failing`].
    reply: Option<oneshot::Sender<Result<(), NotRecorded>>>,
    /// Its part of [`MAX_WAITING_BYTES`].
    _room: OwnedSemaphorePermit,
}

impl Book {
    pub(super) fn new(path: PathBuf, total: u64) -> Arc<Self> {
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        Arc::new(Self { path, folder, total, transcript: Mutex::new(None), failing: AtomicBool::new(false) })
    }

    /// Whether the last entry that was to be written was not.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// From here on something is left out.
    pub(super) fn is_incomplete(&self) {
        if let Some(transcript) = self.transcript.lock().as_mut() {
            transcript.is_incomplete();
        }
    }
}

impl Recorder {
    /// Starts the thread, which ends with the last way to it.
    pub(super) fn start(store: Box<dyn Store>, clock: Clock) -> Result<Self, NotRecorded> {
        let (messages, mut receiver) = mpsc::channel(MAX_WAITING);
        let mut shelf = Shelf::new(store);
        let spawned = std::thread::Builder::new().name("recording".to_owned()).spawn(move || {
            while let Some(message) = receiver.blocking_recv() {
                handle(&mut shelf, message, &clock);
            }
        });
        spawned.map_err(|error| NotRecorded::write(&error))?;
        Ok(Self { messages, room: Arc::new(Semaphore::new(MAX_WAITING_BYTES)) })
    }

    /// Takes a folder, once for all.
    pub(super) async fn take(&self, folder: &Path) -> Result<Vec<Recovered>, NotRecorded> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Take(folder.to_owned(), reply)).await?;
        answer.await.map_err(|_| NotRecorded::Ended)?
    }

    /// Makes a file with its first line, and gives that one's digest.
    pub(super) async fn open(&self, book: &Arc<Book>, first: String) -> Result<Digest, NotRecorded> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Open(Arc::clone(book), first, reply)).await?;
        answer.await.map_err(|_| NotRecorded::Ended)?
    }

    /// Writes an entry that something begins with; returns when it is written.
    pub(super) async fn asked(&self, book: &Arc<Book>, body: String) -> Result<(), NotRecorded> {
        let (reply, answer) = oneshot::channel();
        self.write(book, body, Admission::Asked, Some(reply)).await?;
        answer.await.map_err(|_| NotRecorded::Ended)?
    }

    /// Writes an entry; returns when it is in the queue.
    pub(super) async fn owed(&self, book: &Arc<Book>, body: String) -> Result<(), NotRecorded> {
        self.write(book, body, Admission::Owed, None).await
    }

    /// Writes the last line, and puts all on the disk.
    pub(super) async fn finish(&self, book: &Arc<Book>) -> Result<RecordingEnd, NotRecorded> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Finish(Arc::clone(book), reply)).await?;
        answer.await.map_err(|_| NotRecorded::Ended)?
    }

    async fn write(
        &self,
        book: &Arc<Book>,
        body: String,
        admission: Admission,
        reply: Option<oneshot::Sender<Result<(), NotRecorded>>>,
    ) -> Result<(), NotRecorded> {
        let bytes = u32::try_from(body.len().clamp(1, MAX_WAITING_BYTES)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| NotRecorded::Ended)?;
        self.send(Message::Write(Arc::clone(book), Waiting { body, admission, reply, _room: room })).await
    }

    async fn send(&self, message: Message) -> Result<(), NotRecorded> {
        self.messages.send(message).await.map_err(|_| NotRecorded::Ended)
    }
}

/// Whoever stopped waiting is not told.
fn handle(shelf: &mut Shelf, message: Message, clock: &Clock) {
    match message {
        Message::Take(folder, reply) => {
            drop(reply.send(shelf.take(&folder, clock()).map_err(|error| NotRecorded::write(&error))));
        }
        Message::Open(book, first, reply) => drop(reply.send(open(shelf, &book, first, clock))),
        Message::Write(book, waiting) => {
            let Waiting { body, admission, reply, _room } = waiting;
            let written = write(shelf, &book, body, admission, clock);
            match reply {
                Some(reply) => drop(reply.send(written)),
                None => {
                    if let Err(error) = written {
                        tracing::error!(%error, "An entry of a recording is lost");
                    }
                }
            }
        }
        Message::Finish(book, reply) => drop(reply.send(finish(shelf, &book, clock))),
    }
}

fn open(shelf: &mut Shelf, book: &Book, first: String, clock: &Clock) -> Result<Digest, NotRecorded> {
    let mut place = book.transcript.lock();
    let mut transcript = match place.take() {
        // Made before, and its first line could not be written.
        Some(transcript) => transcript,
        None => shelf.open(&book.path, book.total, clock())?,
    };
    let written = transcript.write(&[first], clock());
    let digest = *transcript.last();
    let transcript = place.insert(transcript);
    let synced = written.and_then(|bytes| transcript.sync().map(|()| bytes));
    let bytes = synced.map_err(|error| NotRecorded::write(&error))?;
    shelf.wrote(&book.folder, bytes);
    Ok(digest)
}

fn write(shelf: &mut Shelf, book: &Book, body: String, admission: Admission, clock: &Clock) -> Result<(), NotRecorded> {
    if admission == Admission::Asked {
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        shelf.admit(&book.folder, bytes, book.total, clock())?;
    }
    let mut place = book.transcript.lock();
    let transcript = place.as_mut().ok_or(NotRecorded::Ended)?;
    let written = transcript.write(&[body], clock());
    book.failing.store(written.is_err(), Ordering::Relaxed);
    shelf.wrote(&book.folder, written.map_err(|error| NotRecorded::write(&error))?);
    Ok(())
}

fn finish(shelf: &mut Shelf, book: &Book, clock: &Clock) -> Result<RecordingEnd, NotRecorded> {
    /// About what the last line takes.
    const LAST: u64 = 192;
    let taken = book.transcript.lock().take();
    let mut transcript = taken.ok_or(NotRecorded::Ended)?;
    let end = transcript.finish(End { complete: true, recovered: false }, clock());
    shelf.wrote(&book.folder, LAST);
    end.map_err(|error| NotRecorded::write(&error))
}
