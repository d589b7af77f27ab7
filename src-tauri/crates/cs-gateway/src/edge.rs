//! What reaches the HTTP parser: only requests that every HTTP/1.1 reader understands alike.
//!
//! Two readers of one byte stream may disagree about where a request ends, and what one takes
//! for a body the other takes for the next request. [`Edge`] stands in front of the parser,
//! follows the framing itself and lets a head through only when it is whole and plain. In the
//! place of one that is not, the parser gets [`MARKER`], and the router answers it with the
//! fault that is kept beside the connection.

mod framing;
mod head;

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use self::framing::{Framing, Step};
pub(crate) use self::head::Fault;

/// The path of the request that stands in for one that was refused. A client that asks for it
/// gets the answer of any unknown path: without a fault beside the connection it means nothing.
pub(crate) const MARKER: &str = "/.refused";

const STAND_IN: &[u8] =
    b"POST /.refused HTTP/1.1\r\nhost: refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

const READ: usize = 16 * 1024;

/// How much is read and thrown away after the last answer, so that the client sees it before the
/// connection goes.
const LINGER_BYTES: usize = 32 * 1024 * 1024;
const LINGER: Duration = Duration::from_secs(1);

/// What the connection and its requests know of one another.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    fault: Mutex<Option<Fault>>,
    busy: AtomicUsize,
}

impl Wire {
    /// Why the connection is not listened to any more.
    pub(crate) fn fault(&self) -> Option<Fault> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks a request as being answered for as long as the guard lives.
    pub(crate) fn answering(self: &Arc<Self>) -> Answering {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Answering(Arc::clone(self))
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    fn refuse(&self, fault: Fault) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Answering(Arc<Wire>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How long a client may take and how much it may send before it is understood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgeLimits {
    pub(crate) head_bytes: usize,
    pub(crate) head_time: Duration,
    pub(crate) idle_time: Duration,
    /// How long a client may leave unread what is sent to it.
    pub(crate) stall_time: Duration,
}

/// A connection of which only well-framed requests can be read.
#[derive(Debug)]
pub(crate) struct Edge<S> {
    stream: S,
    wire: Arc<Wire>,
    limits: EdgeLimits,
    framing: Framing,
    input: BytesMut,
    output: BytesMut,
    timer: Pin<Box<Sleep>>,
    /// Whether the timer runs for a head that has begun, rather than for an idle connection.
    timing_head: bool,
    ended: bool,
    dead: bool,
    lingering: Option<usize>,
    /// Runs while the client does not take what is sent to it.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Edge<S> {
    pub(crate) fn new(stream: S, wire: Arc<Wire>, limits: EdgeLimits) -> Self {
        Self {
            stream,
            wire,
            limits,
            framing: Framing::new(limits.head_bytes),
            input: BytesMut::new(),
            output: BytesMut::new(),
            // A new connection has as long for its first head as any head has.
            timer: Box::pin(tokio::time::sleep(limits.head_time)),
            timing_head: true,
            ended: false,
            dead: false,
            lingering: None,
            stalled: None,
        }
    }

    fn rearm(&mut self, span: Duration) {
        let at = Instant::now().checked_add(span).unwrap_or_else(Instant::now);
        self.timer.as_mut().reset(at);
    }

    /// Stops listening. A fault in a head is told by the stand-in; one inside a body breaks the
    /// body, and whoever reads it tells.
    fn refuse(&mut self, fault: Fault) -> io::Result<()> {
        self.wire.refuse(fault);
        self.dead = true;
        self.input.clear();
        if fault.is_in_body() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "ill-framed body"));
        }
        self.output.extend_from_slice(STAND_IN);
        Ok(())
    }

    /// What became of an attempt to send something. One that waits for the client does not wait
    /// for ever.
    fn or_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        sent: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let span = self.limits.stall_time;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(span)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether the time for the next head is up. Also asks to be woken when it will be.
    fn overdue(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            if self.timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            if self.timing_head || !self.wire.is_busy() {
                return true;
            }
            self.rearm(self.limits.idle_time);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Edge<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.output.is_empty() {
                let count = this.output.len().min(into.remaining());
                into.put_slice(&this.output.split_to(count));
                return Poll::Ready(Ok(()));
            }
            if this.dead {
                return Poll::Pending;
            }
            match this.framing.advance(&mut this.input, &mut this.output) {
                Ok(Step::Passed) => {
                    if this.framing.between_requests() {
                        this.timing_head = false;
                        this.rearm(this.limits.idle_time);
                    }
                    continue;
                }
                Ok(Step::More { in_head }) => {
                    if this.ended {
                        return Poll::Ready(Ok(()));
                    }
                    if in_head {
                        if !this.input.is_empty() && !this.timing_head {
                            this.timing_head = true;
                            this.rearm(this.limits.head_time);
                        }
                        if this.overdue(cx) {
                            if this.input.is_empty() {
                                this.ended = true;
                                return Poll::Ready(Ok(()));
                            }
                            this.refuse(Fault::SlowHead)?;
                            continue;
                        }
                    }
                }
                Err(fault) => {
                    this.refuse(fault)?;
                    continue;
                }
            }
            let count = ready!(fill(Pin::new(&mut this.stream), cx, &mut this.input))?;
            this.ended = count == 0;
        }
    }
}

/// Reads once more from the connection, and says how much came.
fn fill<S: AsyncRead>(
    stream: Pin<&mut S>,
    cx: &mut Context<'_>,
    input: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    let mut scratch = [0_u8; READ];
    let mut buffer = ReadBuf::new(&mut scratch);
    ready!(stream.poll_read(cx, &mut buffer))?;
    input.extend_from_slice(buffer.filled());
    Poll::Ready(Ok(buffer.filled().len()))
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Edge<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.or_stalled(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // What is encrypted is kept until it can be sent, so that writing may never be what waits.
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.or_stalled(cx, flushed)
    }

    /// Says goodbye, then listens on for a moment: a connection that is closed while the client
    /// still sends is reset, and the reset overtakes the answer.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.rearm(LINGER);
        }
        let mut thrown = this.lingering.unwrap_or(0);
        while !this.ended && thrown < LINGER_BYTES {
            this.lingering = Some(thrown);
            if this.timer.as_mut().poll(cx).is_ready() {
                break;
            }
            match ready!(fill(Pin::new(&mut this.stream), cx, &mut this.input)) {
                Ok(count) if count > 0 => {
                    thrown = thrown.saturating_add(count);
                    this.input.advance(this.input.len());
                }
                Ok(_) | Err(_) => break,
            }
        }
        this.lingering = Some(thrown);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
