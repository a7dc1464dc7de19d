//! The conversation on the control channel: requests of many callers, answers in any order, events in between.

use crate::Error;
use dbgsrv_protocol::control::{Answer, Ask, Codec, CodecError, Event, FromServer, Request, Response, encode};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use thiserror::Error as ThisError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc, oneshot};

/// Requests that await their answers at the same time; those beyond wait here, not at the server.
const MAX_AWAITED: usize = 64;
/// Events kept for a handle that does not fetch them; then it loses the oldest.
const MAX_EVENTS: usize = 64;
/// Bytes read at once.
const READ_SIZE: usize = 0x2000;

/// Why a conversation ends.
#[derive(Debug, ThisError)]
pub(crate) enum End {
    /// All who could ask are gone.
    #[error("nobody uses the session any more")]
    Unused,
    /// The server closed the channel.
    #[error("the server closed the control channel")]
    Finished,
    /// The channel broke, with its session.
    #[error("the control channel broke: {0}")]
    Io(#[from] io::Error),
    /// What the server sends can't be told into messages.
    #[error("the server breaks the control protocol: {0}")]
    Codec(#[from] CodecError),
}

/// A request on its way.
#[derive(Debug)]
struct Asked {
    id: u32,
    message: Vec<u8>,
    answer: oneshot::Sender<Result<Response, Error>>,
}

/// Where requests go in.
#[derive(Debug)]
pub(crate) struct Control {
    asked: mpsc::Sender<Asked>,
    /// Four billion requests later an id comes again; the one that had it was answered long ago, at most
    /// [`MAX_AWAITED`] are not.
    next_id: AtomicU32,
}

impl Control {
    /// The way in, the conversation to be run, and the events that come of it.
    pub(crate) fn new<S>(channel: S) -> (Self, Conversation<S>, broadcast::Receiver<Event>) {
        // As good as no queue: who asks waits until the conversation takes the request.
        let (asked, asks) = mpsc::channel(1);
        let (events, receiver) = broadcast::channel(MAX_EVENTS);
        let conversation =
            Conversation { channel, asks, state: State { codec: Codec::default(), awaited: HashMap::new(), events } };
        (Self { asked, next_id: AtomicU32::new(1) }, conversation, receiver)
    }

    /// Asks, and waits for the answer; `None` where the conversation ends before it. Cancel safe: a request that was sent
    /// is done, and its answer dropped.
    pub(crate) async fn ask(&self, request: Request) -> Option<Result<Response, Error>> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut message = Vec::new();
        if let Err(error) = encode(&Ask { id, request }, &mut message) {
            return Some(Err(error.into()));
        }
        let (answer, answered) = oneshot::channel();
        self.asked.send(Asked { id, message, answer }).await.ok()?;
        answered.await.ok()
    }
}

/// Runs until [`End`], under any task.
#[derive(Debug)]
pub(crate) struct Conversation<S> {
    channel: S,
    asks: mpsc::Receiver<Asked>,
    state: State,
}

impl<S: AsyncRead + AsyncWrite> Conversation<S> {
    /// Carries requests to the server, and answers and events back. Who still waits for an answer at the end is told that
    /// none comes.
    pub(crate) async fn run(self) -> End {
        let Self { channel, mut asks, mut state } = self;
        let (mut reader, mut writer) = tokio::io::split(channel);
        let mut buffer = vec![0; READ_SIZE];
        let mut unsent = Vec::new();
        loop {
            let step = tokio::select! {
                asked = asks.recv(), if unsent.is_empty() && state.awaited.len() < MAX_AWAITED => {
                    let Some(Asked { id, message, answer }) = asked else { return End::Unused };
                    unsent = message;
                    state.awaited.insert(id, answer);
                    Ok(())
                }
                written = writer.write(&unsent), if !unsent.is_empty() => written.map_or_else(
                    |error| Err(End::Io(error)),
                    |count| {
                        unsent.drain(..count);
                        Ok(())
                    },
                ),
                read = reader.read(&mut buffer) => match read {
                    Ok(0) => Err(End::Finished),
                    Ok(count) => state.received(&buffer[..count]).map_err(End::Codec),
                    Err(error) => Err(End::Io(error)),
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }
}

/// What has been asked and not answered.
#[derive(Debug)]
struct State {
    codec: Codec,
    awaited: HashMap<u32, oneshot::Sender<Result<Response, Error>>>,
    events: broadcast::Sender<Event>,
}

impl State {
    fn received(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.codec.receive(bytes);
        loop {
            match self.codec.poll() {
                Ok(None) => return Ok(()),
                Ok(Some(FromServer::Answer(Answer { id, result }))) => self.answer(id, result.map_err(Error::Refused)),
                // Nothing that this release can tell apart.
                Ok(Some(FromServer::Event(Event::Other))) => {}
                Ok(Some(FromServer::Event(event))) => {
                    // Nobody need listen.
                    let _ = self.events.send(event);
                }
                Err(CodecError::Malformed { id: Some(id), text }) => {
                    self.answer(id, Err(CodecError::Malformed { id: Some(id), text }.into()));
                }
                // From a later release; what it is an answer to, if to anything, is not known.
                Err(CodecError::Malformed { id: None, text }) => tracing::debug!(text, "skipped a message"),
                Err(error) => return Err(error),
            }
        }
    }

    fn answer(&mut self, id: u32, result: Result<Response, Error>) {
        let Some(answer) = self.awaited.remove(&id) else {
            tracing::debug!(id, "skipped an answer to no request");
            return;
        };
        // Who asked may have gone.
        let _ = answer.send(result);
    }
}

#[cfg(test)]
mod tests;
