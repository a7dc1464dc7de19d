//! The stub's side of the conversation.
//!
//! ```text
//!   bytes in ──> receive_buffer()/received(n) ──> poll_request() ──> Exchange { thread, request, reply }
//!   bytes out <── transmit()/transmitted(n)   <── reply.…(), handle_event(), console()
//! ```
//! `recv` goes straight into the machine's buffer, requests borrow from it, replies are written straight behind each
//! other into the transmit buffer: one read, one write, no allocation in the steady state.

use super::request::Request;
use super::thread::ThreadSelector;

/// What this server can do: printed by `qSupported` and `vCont?`, and what unknown packets are measured against.
#[derive(Clone, Debug)]
pub struct Config {
    /// Largest packet body accepted and sent, in bytes (`PacketSize`): 1024 to [`crate::limits::MAX_PACKET`].
    pub packet_size: usize,
}

/// One request, the thread it concerns, and the means to answer it.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The thread chosen with `Hg`, or set by the last stop; what `g`, `m` and others without a thread-id mean.
    pub thread: ThreadSelector,
    /// What the client wants.
    pub request: Request<'a>,
    /// How to answer.
    pub reply: Reply<'a>,
}

/// Answers one request; each method consumes it. See the list in the module's contract.
#[derive(Debug)]
pub struct Reply<'a> {
    _machine: core::marker::PhantomData<&'a mut ()>,
}
