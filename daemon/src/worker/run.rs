//! The loop of one debug session: one thread, one blocking system call at a time.

use super::client::Client;
use super::conversation::Conversation;
use super::handover::Handover;
use super::process;
use super::stream::{Received, Stream};
use super::voice::Voice;
use super::{Session, Terms};
use crate::engine::error::Error;
use crate::engine::{Engine, Interests, Wait, interruptible, journal::Journal};
use crate::exit;
use dbgsrv_protocol::rsp::server::{Capabilities, Capability, Config, Feature, Features, Server};
use dbgsrv_protocol::rsp::signal::Signal;
use nix::errno::Errno;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tracing::{error, info};

/// How long a client has to leave threads alone after a stop before they are put to rest, see [`Engine::rest`]: longer
/// than one that goes on at once takes to say so.
const REST_AFTER: Duration = Duration::from_millis(4);

/// How long at most between two looks at threads that are to be let go and can't yet.
const LOOK_AFTER: Duration = Duration::from_millis(256);

/// How long it takes at most until a process is noticed that a client waits for. A look takes a millisecond or two.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// How many requests a client makes after a stop before they are put to rest all the same.
const REST_AFTER_REQUESTS: u32 = 8;

/// Runs the session until its client ends it, closes the stream or vanishes, or until SIGTERM. What it leaves behind
/// goes on if it was attached to, and ends if it was created here.
#[must_use]
pub fn run(session: Session) -> ExitCode {
    let owned = interruptible::own_process().map_err(io::Error::from);
    match owned.and_then(|()| serve(session.stream, session.journal, session.terms)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(reason = %error, "the session cannot be served");
            ExitCode::from(exit::FAILURE)
        }
    }
}

/// Runs a session on this thread, until its client ends it, closes the stream or vanishes.
///
/// # Errors
/// What setting up the stream or the engine fails with; nothing was touched then.
pub(super) fn serve(stream: OwnedFd, journal: OwnedFd, terms: Terms) -> io::Result<()> {
    let engine = Engine::new(Journal::map(&journal)?).map_err(io::Error::other)?;
    let mut conversation = Conversation::new(engine, Voice::Log, terms);
    conversation.handover = Handover::through(journal);
    // With its client the session ends, and what it traces.
    let capabilities = Capabilities::ALL.without(Capability::DisconnectedTracing);
    let ended = converse(&mut conversation, stream, capabilities);
    for (pid, ending) in conversation.engine.end() {
        info!(pid = pid.raw(), ?ending, "debuggee released");
    }
    ended
}

/// Serves one client until it says that it is done, closes the stream or vanishes, or until the process is to end. Its
/// debuggees stay.
///
/// # Errors
/// What setting up the stream fails with; nothing was touched then.
pub(crate) fn converse(conversation: &mut Conversation, stream: OwnedFd, capabilities: Capabilities) -> io::Result<()> {
    let stream = Rc::new(stream);
    conversation.welcome(Client::of(&stream), Rc::clone(&stream));
    let server = Server::new(Config { capabilities, ..Config::default() });
    let mut service = Service { stream: Stream::new(stream)?, server, conversation, requests: 0, patience: REST_AFTER };
    match service.serve() {
        Ok(()) => (),
        Err(error) => match error.kind() {
            // The client vanished: an ended session like any other.
            io::ErrorKind::UnexpectedEof => (),
            io::ErrorKind::Interrupted => info!("told to end"),
            _ => info!(%error, "the connection broke"),
        },
    }
    Ok(())
}

fn interests(features: Features) -> Interests {
    let lldb = features.has(Feature::Lldb);
    Interests {
        exec: lldb || features.has(Feature::ExecEvents),
        fork: features.has(Feature::ForkEvents),
        swbreak: features.has(Feature::SoftwareBreak),
        vfork: features.has(Feature::VforkEvents),
        // As LLDB's own server says it.
        interrupt: lldb.then_some(Signal::STOP),
    }
}

struct Service<'a> {
    stream: Stream,
    server: Server,
    conversation: &'a mut Conversation,
    /// Since the last stop.
    requests: u32,
    /// How long the client may take before threads are put to rest.
    patience: Duration,
}

impl Service<'_> {
    fn serve(&mut self) -> io::Result<()> {
        loop {
            while let Some(exchange) = self.server.poll_request() {
                self.conversation.answer(exchange);
                self.requests += 1;
                if self.requests == REST_AFTER_REQUESTS {
                    self.conversation.engine.rest();
                }
                if self.server.transmit().len() > Stream::LARGE {
                    self.flush()?;
                }
                if self.conversation.is_over() {
                    return self.flush();
                }
            }
            self.flush()?;
            // The next process is looked at while the client still reads about this one.
            let _ = self.conversation.listed.peek();
            if let Some(violation) = self.server.violation() {
                return Err(io::Error::other(violation));
            }
            if self.conversation.awaited.is_some() || self.conversation.given_up {
                self.await_process()?;
            } else if self.conversation.is_waiting(&self.server) {
                self.wait()?;
            } else {
                self.receive()?;
            }
        }
    }

    /// Waits for the debuggees, or for the client to say something meanwhile.
    fn wait(&mut self) -> io::Result<()> {
        self.conversation.engine.set_interests(interests(self.server.features()));
        self.requests = 0;
        match self.conversation.engine.wait() {
            Wait::Report(report) => self.conversation.tell(&report, &mut self.server),
            Wait::Output(text) => print(&text, &mut self.server),
            Wait::Idle => self.conversation.nothing_runs(&mut self.server),
            Wait::Interrupted => {
                if let Received::Bytes(count) = self.stream.receive_now(self.server.receive_buffer())? {
                    self.server.received(count);
                }
            }
        }
        Ok(())
    }

    /// Looks whether there is the process that the client waits for, and listens to it between two looks.
    fn await_process(&mut self) -> io::Result<()> {
        let found = if std::mem::take(&mut self.conversation.given_up) {
            Some(Err(Error::System(Errno::EINTR)))
        } else {
            process::look_for_awaited(self.conversation)
        };
        match found {
            Some(Ok(report)) => self.conversation.tell(&report, &mut self.server),
            Some(Err(error)) => self.server.handle_error(error.code(), &error.to_string()),
            None => {
                if let Received::Bytes(count) =
                    self.stream.receive(self.server.receive_buffer(), Some(LOOK_AGAIN_AFTER))?
                {
                    self.server.received(count);
                }
            }
        }
        Ok(())
    }

    /// Waits for the client. While it takes its time after a step, stepped threads are put to rest. What can't be done yet
    /// is tried again less and less often.
    fn receive(&mut self) -> io::Result<()> {
        let patience = self.conversation.engine.needs_rest().then_some(self.patience);
        match self.stream.receive(self.server.receive_buffer(), patience)? {
            Received::Bytes(count) => {
                self.server.received(count);
                self.patience = REST_AFTER;
            }
            Received::Nothing => {
                self.conversation.engine.rest();
                self.patience = LOOK_AFTER.min(self.patience * 2);
            }
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

/// Shows the user what breakpoints and programs have printed. In non-stop mode RSP has no way to; it comes out here then, as
/// gdbserver's does in any mode.
fn print(text: &[u8], server: &mut Server) {
    if server.is_non_stop() {
        // Where stdout is closed, nobody wants to read it.
        let _ = io::stdout().write_all(text);
    } else {
        server.console(text);
    }
}
