//! One channel as an async byte stream.

use crate::Closed;
use crate::link::Handle;
use crate::shared::State;
use crate::slots::{Key, Phase, Reason};
use dbgsrv_protocol::mux;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A channel can't be opened.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The server refused.
    #[error("refused by the server: {text}")]
    Refused {
        /// Why.
        code: mux::Code,
        /// In words.
        text: String,
    },
    /// All are in use.
    #[error(transparent)]
    NoChannel(#[from] mux::NoChannel),
    /// The session is over.
    #[error("the session is over: {}", .0.text)]
    Closed(Closed),
}

/// A channel. Shutting it down sends the other side an end of file; dropping it before both sides did resets it.
///
/// While the session's connection is cut, reads and writes wait. Errors: `ConnectionReset` where the other side reset the
/// channel, `ConnectionAborted` where the session is over, `BrokenPipe` for writing after a shutdown. What was received
/// before the session ended can still be read.
#[derive(Debug)]
pub struct Channel {
    handle: Arc<Handle>,
    key: Key,
    number: u8,
}

impl Channel {
    pub(crate) const fn new(handle: Arc<Handle>, key: Key, number: u8) -> Self {
        Self { handle, key, number }
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// Server: accepts what the client has opened.
    pub(crate) fn accept(&self) {
        self.answer(Phase::Open, mux::Mux::accept);
    }

    /// Server: refuses what the client has opened.
    pub(crate) fn refuse(&self, code: mux::Code, text: &str) {
        let phase = Phase::Refused(Reason { code, text: text.into() });
        self.answer(phase, |mux, channel| mux.refuse(channel, code, text));
    }

    /// Where the client has given the channel up meanwhile, there is nothing to answer.
    fn answer(&self, phase: Phase, tell: impl FnOnce(&mut mux::Mux, mux::Channel)) {
        self.handle.shared.with(|state| {
            let slot = state.slots.of(self.key);
            if matches!(slot.phase, Phase::Offered) {
                slot.phase = phase;
                tell(&mut state.mux, slot.channel);
                state.wake_driver();
            }
        });
    }

    /// Gives it up, and tells the other side why.
    pub fn reset(self, code: mux::Code, text: &str) {
        self.handle.shared.with(|state| {
            let slot = state.slots.of(self.key);
            if matches!(slot.phase, Phase::Open) && !(slot.finished_here && slot.finished_there) {
                slot.phase = Phase::Reset(Reason { code, text: text.into() });
                state.mux.reset(slot.channel, code, text);
                state.wake_driver();
            }
        });
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.handle.shared.with(|state| state.release(self.key));
    }
}

/// Client: waits for the server's answer. Dropped, it gives the channel up.
pub(crate) async fn opened(channel: Channel) -> Result<Channel, OpenError> {
    poll_fn(|cx| channel.handle.shared.with(|state| poll_opened(state, channel.key, cx))).await?;
    Ok(channel)
}

fn poll_opened(state: &mut State, key: Key, cx: &Context<'_>) -> Poll<Result<(), OpenError>> {
    let closed = state.closed();
    let slot = state.slots.of(key);
    match &slot.phase {
        Phase::Asked | Phase::Offered => {
            if let Some(closed) = closed {
                Poll::Ready(Err(OpenError::Closed(closed)))
            } else {
                slot.await_read(cx);
                Poll::Pending
            }
        }
        Phase::Open => Poll::Ready(Ok(())),
        Phase::Refused(Reason { code, text }) | Phase::Reset(Reason { code, text }) => {
            Poll::Ready(Err(OpenError::Refused { code: *code, text: text.clone() }))
        }
    }
}

impl AsyncRead for Channel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.handle.shared.with(|state| poll_read(state, self.key, cx, buffer))
    }
}

fn poll_read(state: &mut State, key: Key, cx: &Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    let slot = state.slots.of(key);
    if let Phase::Reset(reason) | Phase::Refused(reason) = &slot.phase {
        return Poll::Ready(Err(reset(reason)));
    }
    let channel = slot.channel;
    if !slot.finished_there && take(&mut state.mux, channel, buffer) {
        // The last bytes may have been followed by an end, and what was read may be worth new credit for the peer.
        state.dispatch();
        state.wake_to_send();
        return Poll::Ready(Ok(()));
    }
    let closed = state.closed();
    let slot = state.slots.of(key);
    if slot.finished_there || buffer.remaining() == 0 {
        return Poll::Ready(Ok(()));
    }
    if let Some(closed) = closed {
        return Poll::Ready(Err(over(&closed)));
    }
    slot.await_read(cx);
    Poll::Pending
}

/// Copies as much as there is room for; whether there was anything.
fn take(mux: &mut mux::Mux, channel: mux::Channel, buffer: &mut ReadBuf<'_>) -> bool {
    let before = buffer.remaining();
    while buffer.remaining() > 0 {
        let bytes = mux.readable(channel);
        let count = bytes.len().min(buffer.remaining());
        if count == 0 {
            break;
        }
        buffer.put_slice(&bytes[..count]);
        mux.consumed(channel, count);
    }
    buffer.remaining() < before
}

/// What is written goes into the channel's window at once and to the other side as soon as the session's task runs, together
/// with what else was written until then. So there is nothing to flush; [`Link::close`](crate::Link::close) and
/// [`Link::closed`](crate::Link::closed) wait until all is on its way.
impl AsyncWrite for Channel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.handle.shared.with(|state| poll_write(state, self.key, cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.handle.shared.with(|state| {
            let slot = state.slots.of(self.key);
            if matches!(slot.phase, Phase::Open) && !slot.finished_here {
                slot.finished_here = true;
                state.mux.finish(slot.channel);
                state.wake_driver();
            }
        });
        Poll::Ready(Ok(()))
    }
}

fn poll_write(state: &mut State, key: Key, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    let closing = state.is_closing();
    let slot = state.slots.of(key);
    if let Phase::Reset(reason) | Phase::Refused(reason) = &slot.phase {
        return Poll::Ready(Err(reset(reason)));
    }
    if slot.finished_here {
        return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
    }
    if closing {
        let error = state.closed().map_or_else(|| io::ErrorKind::ConnectionAborted.into(), |closed| over(&closed));
        return Poll::Ready(Err(error));
    }
    let count = state.mux.send(slot.channel, bytes);
    if count == 0 && !bytes.is_empty() {
        slot.await_write(cx);
        return Poll::Pending;
    }
    state.wake_to_send();
    Poll::Ready(Ok(count))
}

fn reset(reason: &Reason) -> io::Error {
    let Reason { code, text } = reason;
    io::Error::new(io::ErrorKind::ConnectionReset, format!("the other side gave the channel up ({code:?}): {text}"))
}

fn over(closed: &Closed) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, format!("the session is over: {}", closed.text))
}
