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

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;

    const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";

    /// A server that answers each request with `size` bytes and counts what was delivered.
    fn serve(stream: DuplexStream, size: usize) -> (Arc<AtomicU32>, JoinHandle<()>) {
        let delivered = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&delivered);
        let flushes = Flushes::default();
        let io = TokioIo::new(Watched::new(stream, flushes.clone()));
        let service = service_fn(move |_: Request<hyper::body::Incoming>| {
            let counter = Arc::clone(&counter);
            let action = Delivered::new(move || {
                counter.fetch_add(1, Ordering::SeqCst);
            });
            let bytes = Some(Bytes::from(vec![b'x'; size]));
            let body = ReplyBody::Whole { bytes, delivered: Some((action, flushes.clone())) };
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        let task = tokio::spawn(async move {
            drop(hyper::server::conn::http1::Builder::new().serve_connection(io, service).await);
        });
        (delivered, task)
    }

    #[tokio::test]
    async fn an_answer_that_was_read_counts_once() {
        let (mut client, server) = duplex(64 * 1024);
        let (delivered, task) = serve(server, 1000);
        for expected in 1..=3 {
            client.write_all(REQUEST).await.unwrap();
            let mut answer = Vec::new();
            while answer.iter().filter(|byte| **byte == b'x').count() < 1000 {
                client.read_buf(&mut answer).await.unwrap();
            }
            // The flush that follows the last write happens in the same turn of the server's task.
            tokio::task::yield_now().await;
            assert_eq!(delivered.load(Ordering::SeqCst), expected);
        }
        drop(client);
        task.await.unwrap();
        assert_eq!(delivered.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn an_answer_that_could_not_be_written_does_not_count() {
        // Less room than the answer has bytes: its last part never leaves.
        let (mut client, server) = duplex(1024);
        let (delivered, task) = serve(server, 100_000);
        client.write_all(REQUEST).await.unwrap();
        let mut part = [0; 512];
        client.read_exact(&mut part).await.unwrap();
        drop(client);
        task.await.unwrap();
        assert_eq!(delivered.load(Ordering::SeqCst), 0);
    }
}
