//! The control channel: reads requests, has them answered side by side, tells of events.
//!
//! [`answer`] decides what a request comes to; the modules beside it find out what is so on this machine. Those block, and
//! run on threads of their own.

mod answer;
pub(crate) mod create;
mod digest;
mod doctor;
mod info;
mod processes;

use crate::server::Server;
use dbgsrv_protocol::control::{
    Answer, Ask, Codec, CodecError, Event, Failure, FailureKind, FromServer, Response, encode,
};
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::Instrument;

/// Requests of one client that are worked on at the same time. Further ones wait in the channel.
const MAX_IN_FLIGHT: usize = 8;
/// Bytes that are read at once.
const CHUNK: usize = 8 << 10;
/// How long requests that are being worked on may still take when the server ends.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What ends the control channel before its client does.
#[derive(Debug, Error)]
pub(crate) enum ControlError {
    /// The client's message can't be taken, or not be answered.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The channel broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves the control channel until its client closes it, or until the server ends, which is told.
///
/// # Errors
/// [`ControlError`]: the channel is of no more use.
pub(crate) async fn serve(
    server: &Arc<Server>,
    channel: impl AsyncRead + AsyncWrite + Unpin,
    events: mpsc::Receiver<Event>,
) -> Result<(), ControlError> {
    Control { server, channel, events, codec: Codec::default(), in_flight: JoinSet::new() }.run().await
}

struct Control<'a, C> {
    server: &'a Arc<Server>,
    channel: C,
    events: mpsc::Receiver<Event>,
    codec: Codec,
    in_flight: JoinSet<Answer>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Control<'_, C> {
    async fn run(mut self) -> Result<(), ControlError> {
        let mut bytes = vec![0; CHUNK];
        loop {
            tokio::select! {
                // In this order: a session that ends with the server is no event after the server's own.
                biased;
                () = self.server.stop.cancelled() => return self.end().await,
                Some(Ok(answer)) = self.in_flight.join_next() => self.send_answer(answer).await?,
                Some(event) = self.events.recv() => self.send(&FromServer::Event(event)).await?,
                count = self.channel.read(&mut bytes), if self.in_flight.len() < MAX_IN_FLIGHT => match count? {
                    0 => return Ok(()),
                    count => self.codec.receive(&bytes[..count]),
                },
            }
            self.take_requests().await?;
        }
    }

    /// Starts on the requests that have arrived, as many as there may be.
    async fn take_requests(&mut self) -> Result<(), ControlError> {
        while self.in_flight.len() < MAX_IN_FLIGHT {
            match self.codec.poll::<Ask>() {
                Ok(None) => break,
                Ok(Some(Ask { id, request })) => {
                    let server = Arc::clone(self.server);
                    let answer = async move { Answer { id, result: answer::answer(&server, request).await } };
                    self.in_flight.spawn(answer.in_current_span());
                }
                Err(CodecError::Malformed { id: Some(id), text }) => {
                    let result = Err(Failure { kind: FailureKind::BadRequest, text });
                    self.send_answer(Answer { id, result }).await?;
                }
                // Too long, or nobody could tell which request an answer is to.
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives the last answers, and tells that the server ends.
    async fn end(mut self) -> Result<(), ControlError> {
        while let Ok(Some(Ok(answer))) = timeout(LAST_ANSWERS, self.in_flight.join_next()).await {
            self.send_answer(answer).await?;
        }
        self.send(&FromServer::Event(Event::ServerEnding)).await?;
        Ok(self.channel.shutdown().await?)
    }

    async fn send_answer(&mut self, answer: Answer) -> Result<(), ControlError> {
        let id = answer.id;
        if let Err(ControlError::Codec(error)) = self.send(&FromServer::Answer(answer)).await {
            let result: Result<Response, _> = Err(failure(FailureKind::System, format_args!("the answer is {error}")));
            self.send(&FromServer::Answer(Answer { id, result })).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &FromServer) -> Result<(), ControlError> {
        let mut bytes = Vec::new();
        encode(message, &mut bytes)?;
        self.channel.write_all(&bytes).await?;
        Ok(self.channel.flush().await?)
    }
}

/// Why something was not done.
fn failure(kind: FailureKind, text: impl Display) -> Failure {
    Failure { kind, text: format!("{text}") }
}

#[cfg(test)]
mod tests;
