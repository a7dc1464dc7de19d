//! The debugger's side of the conversation.
//!
//! ```text
//!   bytes out <── transmit()/transmitted(n)    <── request(), interrupt()
//!   bytes in ──> receive_buffer()/received(n) ──> poll() ──> Output { reply, console text }
//! ```
//! The caller's loop: make requests; send all of [`Client::transmit`]; call [`Client::poll`] until it gives `None`; leave
//! if there is a [`Client::violation`]; receive more. Replies come in the order of their requests.
//!
//! The machine begins with `qSupported`, and goes on with `QStartNoAckMode`, `!` and `vCont?` by itself;
//! [`Client::is_ready`] says when it is through. Without acknowledgements up to [`MAX_PIPELINED`] requests may be under
//! way at once, with them one. Nothing can follow a request that is answered by a stop reply until that has come: this is
//! all-stop mode. `qsThreadInfo` is dealt with here, as are run lengths, escapes and hex.
//!
//! A request is the same type that [`super::server::Server`] gives out, and [`Reply::relay`] answers one there: both
//! machines can stand back to back.
//!
//! [`MAX_PIPELINED`]: crate::limits::MAX_PIPELINED

mod event;
mod registers;
mod relay;
mod reply;
mod state;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use memchr::memchr;
use thiserror::Error;

pub use self::event::{Event, Reason, Stop};
pub use self::registers::Registers;
pub use self::reply::{Failure, Reply};

use self::state::State;
use super::buffer::Quiet;
use super::features::{Capability, Feature, Features};
use super::memory::Encoding;
use super::packet::{Deframer, Frame, run_length};
use super::request::Request;
use crate::limits::{MAX_REPLY, SMALL_BUFFER};

/// What this client can take: announced in `qSupported`.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The features.
    pub features: Features,
}

/// Everything but events of `fork` and `vfork`, after which a client has to look after the child too.
impl Default for Config {
    fn default() -> Self {
        let features = Features::NONE
            .with(Feature::ErrorMessage)
            .with(Feature::ExecEvents)
            .with(Feature::HardwareBreak)
            .with(Feature::Multiprocess)
            .with(Feature::NoResumed)
            .with(Feature::SoftwareBreak);
        Self { features }
    }
}

/// What a server did that the session cannot go on after. Memory stays bounded all the same.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Violation {
    /// Acknowledgements and packets to be sent again pile up.
    #[error("the server keeps sending and does not read")]
    Flood,
    /// A packet is larger than the server may send.
    #[error("the server sent a packet of more than {MAX_REPLY} bytes")]
    Oversized,
    /// `-` came too often in answer to the same packet.
    #[error("the server rejected the same packet too often")]
    Rejections,
    /// A run length has nothing to repeat, no count, or makes the packet too large.
    #[error("the server sent a packet with an invalid run length")]
    RunLength,
    /// More threads than [`MAX_LISTED_THREADS`](crate::limits::MAX_LISTED_THREADS).
    #[error("the server lists more threads than there can be")]
    Threads,
    /// A packet came that answers nothing.
    #[error("the server sent a reply that nobody asked for")]
    Unsolicited,
}

/// Why a request was not taken. Nothing has been sent.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Refused {
    /// Others have to be answered or sent before it.
    #[error("earlier requests are still under way")]
    Busy,
    /// The conversation is over, see [`Client::violation`].
    #[error("the conversation with the server has ended")]
    Ended,
    /// This machine knows all-stop mode only.
    #[error("non-stop mode is not supported by this client")]
    NonStop,
    /// A stop reply is due.
    #[error("the program runs: it has to stop first")]
    Running,
    /// The server takes no packet of that size.
    #[error("the request has {length} bytes, and the server takes packets of at most {limit}")]
    TooLarge {
        /// Bytes of its body.
        length: usize,
        /// Bytes that the server takes.
        limit: usize,
    },
}

/// Names a request; later ones are greater.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(u64);

/// Something that came from the server.
#[derive(Debug, PartialEq)]
pub enum Output<'a> {
    /// Text for the user, from the program or from a `monitor` command (`O`).
    Console(&'a [u8]),
    /// The answer to a request.
    Reply {
        /// Which one.
        request: RequestId,
        /// The answer.
        reply: Reply<'a>,
    },
}

/// The state of one conversation.
#[derive(Debug)]
pub struct Client {
    deframer: Deframer,
    state: State,
    /// The last packet that had run lengths, without them.
    expanded: Vec<u8>,
    quiet: Quiet,
}

impl Client {
    /// A conversation that begins.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            deframer: Deframer::new(MAX_REPLY),
            state: State::new(config.features),
            expanded: Vec::new(),
            quiet: Quiet::default(),
        }
    }

    /// Makes a request. `k` and `R` are never answered, all others once.
    ///
    /// A memory write goes out as `M` where the server has left an `X` unanswered: one that is answered with
    /// [`Reply::Unsupported`] is worth a second try if [`Client::write_encoding`] has changed with that.
    ///
    /// # Errors
    /// [`Refused`], and nothing is sent.
    pub fn request(&mut self, request: &Request<'_>) -> Result<RequestId, Refused> {
        self.state.request(request)
    }

    /// Interrupts what runs (the byte 0x03); its effect is the stop reply that is due.
    ///
    /// # Errors
    /// [`Refused::Ended`].
    pub fn interrupt(&mut self) -> Result<(), Refused> {
        self.state.interrupt()
    }

    /// Where the server's next bytes are to be received. Empty only while [`Client::poll`] has something to
    /// give, and after a [`Client::violation`].
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.deframer.receive_buffer()
    }

    /// Takes note that the first `count` bytes of [`Client::receive_buffer`] have been filled.
    ///
    /// # Panics
    /// If the buffer was shorter.
    pub fn received(&mut self, count: usize) {
        self.deframer.received(count);
    }

    /// The next thing that came. `None`: more bytes are needed, or there is a [`Client::violation`].
    pub fn poll(&mut self) -> Option<Output<'_>> {
        let Self { deframer, state, expanded, quiet } = self;
        let mut frames = deframer.frames();
        while state.violation().is_none() {
            match frames.next()? {
                Frame::Ack => state.output.acknowledged(),
                Frame::Nack => state.retransmit(),
                // Notifications belong to non-stop mode.
                Frame::Interrupt | Frame::Notification { .. } => {}
                Frame::Oversized => state.violate(Violation::Oversized),
                Frame::Packet { body, checksum } => {
                    if !state.accept(body, checksum) {
                        continue;
                    }
                    if memchr(b'*', body).is_none() {
                        if !state.consume(body) {
                            return state.deliver(body);
                        }
                    } else if !expand(expanded, quiet, body) {
                        state.violate(Violation::RunLength);
                    } else if !state.consume(expanded) {
                        return state.deliver(expanded);
                    }
                }
            }
        }
        None
    }

    /// The bytes to send.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        self.state.output.pending()
    }

    /// Takes note that the first `count` bytes of [`Client::transmit`] have been sent.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn transmitted(&mut self, count: usize) {
        self.state.output.sent(count);
    }

    /// Whether the server has introduced itself, and requests are taken.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state.is_ready()
    }

    /// Whether a stop reply is due, or will be when the requests before it are answered.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state.is_running()
    }

    /// Whether a request has yet to be answered.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state.is_waiting()
    }

    /// Whether the server announced `capability`. [`Capability::TlsAddress`] is never announced.
    #[must_use]
    pub fn offers(&self, capability: Capability) -> bool {
        self.state.offer.capabilities.has(capability)
    }

    /// Largest request body that the server takes, in bytes, and the largest reply that it is to be asked for.
    #[must_use]
    pub fn packet_size(&self) -> usize {
        self.state.offer.packet_size
    }

    /// The better way to read memory: binary where the server announced it.
    #[must_use]
    pub fn read_encoding(&self) -> Encoding {
        if self.offers(Capability::BinaryUpload) { Encoding::Binary } else { Encoding::Hex }
    }

    /// How memory writes go out.
    #[must_use]
    pub fn write_encoding(&self) -> Encoding {
        self.state.writes
    }

    /// Why the conversation has to end, if it has to.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.state.violation()
    }
}

/// Writes `body` to `expanded` without run lengths, if they are right.
fn expand(expanded: &mut Vec<u8>, quiet: &mut Quiet, body: &[u8]) -> bool {
    let used = expanded.len();
    expanded.clear();
    if quiet.observe(used, expanded.capacity()) {
        expanded.shrink_to(SMALL_BUFFER);
    }
    run_length::expand(expanded, body, MAX_REPLY)
}
