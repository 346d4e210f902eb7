//! Response bodies: whole ones, which tell when they were written, and streams.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

/// Runs once a response was written to the socket. Dropped unrun when the connection breaks before.
pub struct Delivered(Box<dyn FnOnce() + Send>);

impl Delivered {
    /// To be run after the write.
    pub fn new(action: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(action))
    }
}

impl std::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivered")
    }
}

/// What waits for the next flush of one connection.
#[derive(Debug, Clone, Default)]
pub struct Flushes(Arc<Mutex<Option<Delivered>>>);

impl Flushes {
    fn arm(&self, delivered: Delivered) {
        *self.0.lock() = Some(delivered);
    }

    fn flushed(&self) {
        let delivered = self.0.lock().take();
        if let Some(Delivered(action)) = delivered {
            action();
        }
    }
}

/// A response body.
#[derive(Debug)]
pub enum ReplyBody {
    /// Whole.
    Whole {
        /// What is left to hand over.
        bytes: Option<Bytes>,
        /// What to run once it was written, and the connection that knows when.
        delivered: Option<(Delivered, Flushes)>,
    },
    /// As it comes; ends when the sender is dropped.
    Stream(mpsc::Receiver<Bytes>),
}

impl ReplyBody {
    /// A whole body that nobody waits for.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self::Whole { bytes: (!bytes.is_empty()).then(|| Bytes::from(bytes)), delivered: None }
    }

    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Whole { bytes: None, delivered: None }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole { bytes, delivered } => {
                // hyper buffers the frame before it flushes again, so the next flush that succeeds is the
                // one that wrote it.
                if let Some((action, flushes)) = delivered.take() {
                    flushes.arm(action);
                }
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Stream(receiver) => {
                receiver.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole { bytes: None, .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole { bytes, .. } => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// A stream that tells when everything written to it was handed to the system.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    inner: S,
    flushes: Flushes,
}

impl<S> Watched<S> {
    /// Watches `inner`.
    pub(crate) fn new(inner: S, flushes: Flushes) -> Self {
        Self { inner, flushes }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        self.flushes.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
