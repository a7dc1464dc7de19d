//! The loop of one debug session: one thread, one blocking system call at a time.

use super::conversation::Conversation;
use super::stream::{Received, Stream};
use crate::engine::{Engine, Wait, journal::Journal};
use dbgsrv_protocol::rsp::server::{Config, Server};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tracing::info;

/// How long a client has to leave threads alone after a step before they are put to rest, see [`Engine::rest`].
const REST_AFTER: Duration = Duration::from_millis(10);

/// Serves one client on `stream` until it goes, or the session is told to end. What the session leaves behind goes on
/// if it was attached to, and ends if it was created here.
///
/// # Errors
/// What setting up the stream or the engine fails with; nothing was touched then.
pub fn run(stream: OwnedFd, journal: OwnedFd) -> io::Result<()> {
    let engine = Engine::new(Journal::map(&journal)?).map_err(io::Error::other)?;
    let mut session = Session {
        stream: Stream::new(stream)?,
        server: Server::new(Config::default()),
        conversation: Conversation::new(engine),
    };
    let ended = session.serve();
    for (pid, ending) in session.conversation.engine.end() {
        info!(%pid, ?ending, "debuggee released");
    }
    match ended {
        // The client vanished: an ended session like any other.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => info!(%error, "the connection broke"),
        _ => {}
    }
    Ok(())
}

struct Session {
    stream: Stream,
    server: Server,
    conversation: Conversation,
}

impl Session {
    fn serve(&mut self) -> io::Result<()> {
        loop {
            while let Some(exchange) = self.server.poll_request() {
                self.conversation.answer(exchange);
                if self.server.transmit().len() > Stream::LARGE {
                    self.flush()?;
                }
                if self.conversation.is_over() {
                    return self.flush();
                }
            }
            self.flush()?;
            if let Some(violation) = self.server.violation() {
                return Err(io::Error::other(violation));
            }
            if self.conversation.is_waiting() { self.wait()? } else { self.receive()? }
        }
    }

    /// Waits for the debuggees, or for the client to say something meanwhile.
    fn wait(&mut self) -> io::Result<()> {
        match self.conversation.engine.wait() {
            Wait::Report(report) => self.conversation.tell(&report, &mut self.server),
            Wait::Idle => self.conversation.nothing_runs(&mut self.server),
            Wait::Interrupted => {
                if let Received::Bytes(count) = self.stream.receive_now(self.server.receive_buffer())? {
                    self.server.received(count);
                }
            }
        }
        Ok(())
    }

    /// Waits for the client. While it takes its time after a step, stepped threads are put to rest.
    fn receive(&mut self) -> io::Result<()> {
        let patience = self.conversation.engine.needs_rest().then_some(REST_AFTER);
        match self.stream.receive(self.server.receive_buffer(), patience)? {
            Received::Bytes(count) => self.server.received(count),
            Received::Nothing => self.conversation.engine.rest(),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.server.transmit().is_empty() {
            let count = self.stream.send(self.server.transmit())?;
            self.server.transmitted(count);
        }
        Ok(())
    }
}
