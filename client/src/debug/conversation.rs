//! The machine and its stream: bytes to and fro, requests and their answers.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dbgsrv_protocol::limits::MAX_OBJECT;
use dbgsrv_protocol::rsp::client::{Client, Config, Output, Refused, Reply, RequestId};
use dbgsrv_protocol::rsp::request::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::event::Kept;
use super::{DebugError, Event};

/// Requests of one transfer that are under way at once: enough to fill a line of 50 ms and 160 Mbit/s.
const WINDOW: usize = 8;

/// A conversation over a stream.
///
/// All of its state is here and none in the futures, so that any of them may be dropped.
#[derive(Debug)]
pub(super) struct Conversation<S> {
    stream: S,
    pub(super) client: Client,
    kept: Kept,
    /// Bytes have been written since the stream was flushed.
    unflushed: bool,
    /// The resume whose stop reply is waited for.
    resumed: Option<RequestId>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    pub(super) async fn greet(stream: S) -> Result<Self, DebugError> {
        let client = Client::new(Config::default());
        let mut conversation = Self { stream, client, kept: Kept::default(), unflushed: false, resumed: None };
        loop {
            conversation.pass_over()?;
            if conversation.client.is_ready() {
                return Ok(conversation);
            }
            conversation.pump().await?;
        }
    }

    /// Sends and receives some bytes.
    async fn pump(&mut self) -> Result<(), DebugError> {
        if let Some(violation) = self.client.violation() {
            return Err(violation.into());
        }
        poll_fn(|context| {
            let sent = self.poll_send(context)?.is_ready();
            let received = self.poll_receive(context)?.is_ready();
            if sent || received { Poll::Ready(Ok(())) } else { Poll::Pending }
        })
        .await
    }

    /// Sends what there is. Pending: nothing could be sent, or there was nothing.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, DebugError> {
        let mut progress = Poll::Pending;
        while !self.client.transmit().is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, self.client.transmit())? {
                Poll::Pending => return Ok(progress),
                Poll::Ready(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Poll::Ready(count) => self.client.transmitted(count),
            }
            self.unflushed = true;
            progress = Poll::Ready(());
        }
        if self.unflushed && Pin::new(&mut self.stream).poll_flush(context)?.is_ready() {
            self.unflushed = false;
            progress = Poll::Ready(());
        }
        Ok(progress)
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Result<(), DebugError>> {
        let mut buffer = ReadBuf::new(self.client.receive_buffer());
        if buffer.capacity() == 0 {
            // What is there has to be taken out first.
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        let count = buffer.filled().len();
        if count == 0 {
            return Poll::Ready(Err(DebugError::Closed));
        }
        self.client.received(count);
        Poll::Ready(Ok(()))
    }

    /// Keeps the events among what has come, and drops the rest: nobody waits for it any more.
    fn pass_over(&mut self) -> Result<(), DebugError> {
        while let Some(output) = self.client.poll() {
            match output {
                Output::Console(text) => self.kept.output(text)?,
                Output::Reply { reply: Reply::Event(event), .. } => self.kept.event(event),
                Output::Reply { .. } => {}
            }
        }
        Ok(())
    }

    /// Waits for the answers to requests whose futures were dropped, so that the next request is alone.
    pub(super) async fn settle(&mut self) -> Result<(), DebugError> {
        while self.client.is_waiting() {
            if self.client.is_running() {
                return Err(DebugError::Running);
            }
            self.pass_over()?;
            if self.client.is_waiting() {
                self.pump().await?;
            }
        }
        Ok(())
    }

    /// Makes a request if that is possible at once.
    pub(super) fn try_request(&mut self, request: &Request<'_>) -> Result<Option<RequestId>, DebugError> {
        match self.client.request(request) {
            Ok(id) => Ok(Some(id)),
            Err(Refused::Busy) => Ok(None),
            Err(refused) => Err(refused.into()),
        }
    }

    /// Makes a request that is alone.
    pub(super) async fn request(&mut self, request: &Request<'_>) -> Result<RequestId, DebugError> {
        self.settle().await?;
        loop {
            if let Some(id) = self.try_request(request)? {
                return Ok(id);
            }
            self.pump().await?;
        }
    }

    /// Waits for the answer to a request, and gives it to `read`.
    pub(super) async fn answer<T>(
        &mut self,
        id: RequestId,
        read: impl FnOnce(Reply<'_>) -> Result<T, DebugError>,
    ) -> Result<T, DebugError> {
        self.answer_with_text(id, None, read).await
    }

    /// The same; text that comes meanwhile is appended to `text`, and is an event where that is `None`.
    pub(super) async fn answer_with_text<T>(
        &mut self,
        id: RequestId,
        mut text: Option<&mut Vec<u8>>,
        read: impl FnOnce(Reply<'_>) -> Result<T, DebugError>,
    ) -> Result<T, DebugError> {
        loop {
            while let Some(output) = self.client.poll() {
                match (output, &mut text) {
                    (Output::Reply { request, reply }, _) if request == id => return read(reply),
                    (Output::Reply { reply: Reply::Event(event), .. }, _) => self.kept.event(event),
                    (Output::Reply { .. }, _) => {}
                    (Output::Console(more), None) => self.kept.output(more)?,
                    (Output::Console(more), Some(text)) if text.len() + more.len() <= MAX_OBJECT => {
                        text.extend_from_slice(more);
                    }
                    (Output::Console(_), Some(_)) => return Err(DebugError::TooMuch("text")),
                }
            }
            self.pump().await?;
        }
    }

    /// Makes a request and gives its answer to `read`.
    pub(super) async fn ask<T>(
        &mut self,
        request: impl Into<Request<'_>>,
        read: impl FnOnce(Reply<'_>) -> Result<T, DebugError>,
    ) -> Result<T, DebugError> {
        let id = self.request(&request.into()).await?;
        self.answer(id, read).await
    }

    /// Makes a request that is answered with OK; `name` is what its error is told with.
    pub(super) async fn command(
        &mut self,
        request: impl Into<Request<'_>>,
        name: &'static str,
    ) -> Result<(), DebugError> {
        self.ask(request, |reply| done(&reply, name)).await
    }

    /// Makes the requests that `next` gives, several of them under way at once, and gives each answer to `take` until
    /// that breaks off. Answers that are outstanding then are passed over.
    pub(super) async fn pipeline<'r, P>(
        &mut self,
        mut next: impl FnMut() -> Option<(P, Request<'r>)>,
        mut take: impl FnMut(P, Reply<'_>) -> Result<ControlFlow<()>, DebugError>,
    ) -> Result<(), DebugError> {
        self.settle().await?;
        let mut under_way = VecDeque::new();
        let mut upcoming = next();
        loop {
            while under_way.len() < WINDOW
                && let Some((_, request)) = &upcoming
                && let Some(id) = self.try_request(request)?
            {
                under_way.extend(upcoming.take().map(|(piece, _)| (id, piece)));
                upcoming = next();
            }
            match under_way.pop_front() {
                Some((id, piece)) => {
                    if self.answer(id, |reply| take(piece, reply)).await?.is_break() {
                        return Ok(());
                    }
                }
                None if upcoming.is_none() => return Ok(()),
                // There is no room for it yet.
                None => self.pump().await?,
            }
        }
    }

    /// Makes a request whose answer is a stop reply that comes some time, see [`Self::event`].
    pub(super) async fn resume(&mut self, request: impl Into<Request<'_>>) -> Result<(), DebugError> {
        self.resumed = Some(self.request(&request.into()).await?);
        self.send().await
    }

    /// Interrupts what runs.
    pub(super) async fn interrupt(&mut self) -> Result<(), DebugError> {
        if !self.client.is_running() {
            return Err(DebugError::NotRunning);
        }
        self.client.interrupt()?;
        self.send().await
    }

    /// Sends all that is to be sent.
    async fn send(&mut self) -> Result<(), DebugError> {
        while self.unflushed || !self.client.transmit().is_empty() {
            self.pump().await?;
        }
        Ok(())
    }

    /// The next event. Nothing is lost when the future is dropped.
    pub(super) async fn event(&mut self) -> Result<Event, DebugError> {
        loop {
            if let Some(event) = self.kept.take() {
                return Ok(event);
            }
            while let Some(output) = self.client.poll() {
                match output {
                    Output::Console(text) => return Ok(Event::Output(text.to_vec())),
                    Output::Reply { reply: Reply::Event(event), .. } => return Ok(event.into()),
                    Output::Reply { request, reply } if Some(request) == self.resumed => {
                        return Err(DebugError::from_reply(&reply, "vCont"));
                    }
                    Output::Reply { .. } => {}
                }
            }
            if !self.client.is_running() && self.client.violation().is_none() {
                return Err(DebugError::NotRunning);
            }
            self.pump().await?;
        }
    }
}

/// What an answer to `name` says that should be OK.
pub(super) fn done(reply: &Reply<'_>, name: &'static str) -> Result<(), DebugError> {
    match reply {
        Reply::Ok => Ok(()),
        reply => Err(DebugError::from_reply(reply, name)),
    }
}
