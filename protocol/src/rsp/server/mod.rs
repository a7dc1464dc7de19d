//! The stub's side of the conversation.
//!
//! ```text
//!   bytes in ──> receive_buffer()/received(n) ──> poll_request() ──> Exchange { thread, request, reply }
//!   bytes out <── transmit()/transmitted(n)   <── reply.…(), handle_event(), push_event(), console()
//! ```
//! `recv` goes straight into the machine's buffer, requests borrow from it, replies are written straight behind each
//! other into the transmit buffer: one read, one write, no allocation in the steady state.
//!
//! The caller's loop, written out in [the crate's documentation](crate): call [`Server::poll_request`] and answer until it
//! gives `None`; send all of [`Server::transmit`]; leave if there is a [`Server::violation`]; wait for bytes or events.
//! Where much is to be sent, send before the next request: `None` also means that [`TRANSMIT_MARK`] is reached, and then
//! requests that are there already wait for another round.
//!
//! [`TRANSMIT_MARK`]: crate::limits::TRANSMIT_MARK
//!
//! Acknowledgements, `qSupported`, `vCont?`, `QStartNoAckMode`, `QEnableErrorStrings`, `QThreadSuffixSupported`,
//! `QListThreadsInStopReply`, `qsThreadInfo` and `vStopped` are dealt with here; unknown packets (`vMustReplyEmpty` is one) and those of a [`Capability`] that is switched off get
//! an empty answer, malformed ones an error. What is left comes out as an [`Exchange`].

mod notify;
mod reply;
mod select;
mod state;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use self::reply::{RegisterPart, Reply};
pub use super::features::{Capabilities, Capability, Feature, Features, Member, Set};

use self::state::State;
use super::packet::{Deframer, Frame};
use super::request::Request;
use super::stop::Event;
use super::thread::ThreadSelector;
use crate::limits::{MAX_PACKET, MIN_PACKET};

/// What this server can do: printed by `qSupported` and `vCont?`, and what unknown packets are measured against.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Largest packet body accepted, in bytes (`PacketSize`): [`MIN_PACKET`] to [`MAX_PACKET`], anything else is
    /// taken as the nearer of them.
    pub packet_size: usize,
    /// What is offered.
    pub capabilities: Capabilities,
}

impl Default for Config {
    fn default() -> Self {
        Self { packet_size: MAX_PACKET, capabilities: Capabilities::ALL }
    }
}

/// What a client did that the session cannot go on after. Memory stays bounded all the same.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Violation {
    /// The receive and the transmit buffer are full.
    #[error("the client keeps sending requests and reads no replies")]
    Flood,
    /// `-` came too often in answer to the same packet.
    #[error("the client rejected the same packet too often")]
    Rejections,
    /// More stops are queued than there can be threads.
    #[error("the client does not fetch the stops of its threads")]
    UnfetchedStops,
}

/// One request, the thread it concerns, and the means to answer it.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The thread chosen with `Hg`, or set by the last stop; what `g`, `m` and others without a thread-id mean. Where the
    /// packet itself ends with one, as LLDB's do (`;thread:ID;`), that.
    pub thread: ThreadSelector,
    /// What the client wants.
    pub request: Request<'a>,
    /// How to answer.
    pub reply: Reply<'a>,
}

/// The state of one conversation.
#[derive(Debug)]
pub struct Server {
    deframer: Deframer,
    state: State,
}

impl Server {
    /// A conversation that has not begun.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let packet_size = config.packet_size.clamp(MIN_PACKET, MAX_PACKET);
        Self { deframer: Deframer::new(packet_size), state: State::new(packet_size, config.capabilities) }
    }

    /// Where the client's next bytes are to be received. Empty only when there is a [`Server::violation`].
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.deframer.receive_buffer()
    }

    /// Takes note that the first `count` bytes of [`Server::receive_buffer`] have been filled.
    ///
    /// # Panics
    /// If the buffer was shorter.
    pub fn received(&mut self, count: usize) {
        self.deframer.received(count);
    }

    /// The next request that is not answered here. `None`: more bytes are needed, or the client has to read its
    /// replies first.
    ///
    /// Answer each before the next call; an exchange that is dropped leaves the client waiting.
    pub fn poll_request(&mut self) -> Option<Exchange<'_>> {
        let Self { deframer, state } = self;
        let mut frames = deframer.frames();
        while !state.is_stalled() {
            match frames.next()? {
                Frame::Ack => state.output.acknowledged(),
                Frame::Nack => state.retransmit(),
                Frame::Interrupt => return Some(state.interrupt()),
                Frame::Notification { .. } => {}
                Frame::Oversized => state.refuse_oversized(),
                Frame::Packet { body, checksum } => {
                    if !state.output.accept(body, checksum) || state.answer(body) {
                        continue;
                    }
                    let (body, thread) = state.split_thread(body);
                    match Request::parse(body) {
                        Ok(Some(request)) if state.offers(&request) => return Some(state.exchange(request, thread)),
                        Ok(_) => state.output.packet(|_| {}),
                        Err(malformed) => state.refuse_malformed(malformed),
                    }
                }
            }
        }
        None
    }

    /// The stop reply that a resume waits for whose answer was [`Reply::defer`]; the thread that stopped becomes the
    /// chosen one. Nothing if no reply is due, or if the client knows no `N` and that is the event.
    pub fn handle_event(&mut self, event: &Event<'_>) {
        self.state.handle_event(event);
    }

    /// The same where nothing will come of the request any more. Nothing if no reply is due.
    pub fn handle_error(&mut self, errno: u8, text: &str) {
        self.state.handle_error(errno, text);
    }

    /// Tells a client in non-stop mode of `event`, at once or when it has fetched those before.
    pub fn push_event(&mut self, event: &Event<'_>) {
        self.state.push_event(event);
    }

    /// Text for the user while the program runs (`O`).
    pub fn console(&mut self, text: &[u8]) {
        self.state.console(text);
    }

    /// The bytes to send.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        self.state.output.pending()
    }

    /// Takes note that the first `count` bytes of [`Server::transmit`] have been sent.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn transmitted(&mut self, count: usize) {
        self.state.output.sent(count);
    }

    /// Whether packets are no longer acknowledged (`QStartNoAckMode`).
    #[must_use]
    pub fn is_no_ack(&self) -> bool {
        self.state.output.is_no_ack()
    }

    /// Whether threads stop one by one (`QNonStop`).
    #[must_use]
    pub fn is_non_stop(&self) -> bool {
        self.state.non_stop
    }

    /// Whether a resume waits for its stop reply.
    #[must_use]
    pub fn is_stop_reply_due(&self) -> bool {
        self.state.stop_reply_due
    }

    /// What the client understands, as far as the server offers it.
    #[must_use]
    pub fn features(&self) -> Features {
        self.state.features
    }

    /// Why the session has to end, if it has to.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        let flood = self.state.is_stalled() && self.deframer.is_full();
        self.state.violation.or(if flood { Some(Violation::Flood) } else { None })
    }
}
