//! One pipeline of a client: what has come for it and waits, and who stops it.

use crate::session::command::TerminatedBy;
use parking_lot::Mutex;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::HostResponse;
use sekisho_protocol::wsman::CommandId;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Bytes of input that wait for the target before the client is kept waiting.
const QUEUED: usize = 512 * 1024;

/// What a client sends to a pipeline.
#[derive(Debug)]
pub(super) enum Inbound {
    /// An object.
    Input(Value),
    /// No object follows.
    End,
    /// The answer to a question.
    Answer(HostResponse),
}

/// One pipeline.
#[derive(Debug)]
pub(super) struct Pipeline {
    id: Uuid,
    command: CommandId,
    began: Instant,
    inbound: mpsc::UnboundedSender<(Inbound, usize)>,
    /// Until its request is complete.
    waiting: Mutex<Option<InboundQueue>>,
    queued: Arc<Queued>,
    stopping: CancellationToken,
    killed: CancellationToken,
    by: Mutex<Option<TerminatedBy>>,
    running: watch::Sender<bool>,
}

/// Whether the request of a pipeline was complete when it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It was: the pipeline says itself how it ended.
    Yes,
    /// It was not, and never will be.
    No,
}

/// What has come for a pipeline, in order.
#[derive(Debug)]
pub(super) struct InboundQueue {
    receiver: mpsc::UnboundedReceiver<(Inbound, usize)>,
    queued: Arc<Queued>,
}

#[derive(Debug, Default)]
struct Queued {
    bytes: AtomicUsize,
    /// Of the piece that is being read.
    charged: AtomicUsize,
    drained: Notify,
}

impl Pipeline {
    pub(super) fn new(id: Uuid) -> (Arc<Self>, InboundQueue) {
        let (inbound, receiver) = mpsc::unbounded_channel();
        let queued = Arc::new(Queued::default());
        let queue = InboundQueue { receiver, queued: Arc::clone(&queued) };
        let pipeline = Self {
            id,
            command: CommandId::new(Uuid::new_v4()),
            began: Instant::now(),
            inbound,
            waiting: Mutex::default(),
            queued,
            stopping: CancellationToken::new(),
            killed: CancellationToken::new(),
            by: Mutex::default(),
            running: watch::Sender::new(true),
        };
        (Arc::new(pipeline), queue)
    }

    /// The client's id.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// The gateway's own id, for the audit log.
    pub(super) fn command(&self) -> CommandId {
        self.command
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// Keeps the queue until the request is complete.
    pub(super) fn wait_for_request(&self, queue: InboundQueue) {
        *self.waiting.lock() = Some(queue);
    }

    /// The queue, once.
    pub(super) fn take_request(&self) -> Option<InboundQueue> {
        self.waiting.lock().take()
    }

    pub(super) fn is_running(&self) -> bool {
        *self.running.borrow()
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&self) {
        // The sender lives as long as self.
        drop(self.running.subscribe().wait_for(|running| !running).await);
    }

    pub(super) fn has_ended(&self) {
        self.running.send_replace(false);
        // Whoever waits for room in it waits for nothing.
        self.queued.drained.notify_waiters();
    }

    /// Waits until more input may come.
    pub(super) async fn room(&self) {
        loop {
            let drained = self.queued.drained.notified();
            if self.queued.bytes.load(Ordering::Relaxed) < QUEUED || !self.is_running() {
                return;
            }
            drained.await;
        }
    }

    /// What is given next came in so many bytes.
    pub(super) fn charge(&self, bytes: usize) {
        self.queued.charged.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give(&self, inbound: Inbound) {
        let cost = self.queued.charged.swap(0, Ordering::Relaxed);
        self.queued.bytes.fetch_add(cost, Ordering::Relaxed);
        // One that has ended takes nothing any more.
        let _late = self.inbound.send((inbound, cost));
    }

    /// As Control-C does.
    pub(super) fn stop(&self) -> Begun {
        self.stopping.cancel();
        self.end_unless_begun()
    }

    /// Whatever it does.
    pub(super) fn terminate(&self, by: TerminatedBy) {
        self.by.lock().get_or_insert(by);
        self.killed.cancel();
        let _who_ends_it = self.end_unless_begun();
    }

    /// One whose request never was complete has nobody who ends it.
    fn end_unless_begun(&self) -> Begun {
        if self.waiting.lock().take().is_none() {
            return Begun::Yes;
        }
        self.has_ended();
        Begun::No
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopping.is_cancelled() || self.killed.is_cancelled()
    }

    pub(super) async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    pub(super) async fn killed(&self) -> TerminatedBy {
        self.killed.cancelled().await;
        self.by.lock().unwrap_or(TerminatedBy::Client)
    }
}

impl InboundQueue {
    /// What came next; nothing when nothing can come any more.
    pub(super) async fn next(&mut self) -> Option<Inbound> {
        let (inbound, cost) = self.receiver.recv().await?;
        self.queued.bytes.fetch_sub(cost, Ordering::Relaxed);
        self.queued.drained.notify_waiters();
        Some(inbound)
    }
}
