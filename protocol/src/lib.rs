//! The sans-IO core of dbgsrv: connection strings, and both sides of the GDB Remote Serial Protocol (RSP).
//!
//! Nothing here opens a socket, reads a clock, starts a thread or asks the operating system for anything, and nothing here
//! knows how a program is debugged. Bytes and typed replies go in, typed requests and bytes come out, so the same machine
//! runs in a process that blocks, under an async runtime, or in a fuzzer.
//!
//! ```text
//!                    received(n)                     poll_request()
//!            bytes ─────────────▶ ┌─────────────┐ ─────────────────▶ Request
//!   client                        │ rsp::server │                      engine
//!            bytes ◀───────────── └─────────────┘ ◀───────────────── Reply, Event
//!                    transmit()                     handle_event()
//! ```
//!
//! * [`options`]: what follows `-t`: text to typed options and back.
//! * [`rsp`]: packets, one file per family, and the machines that tie them together: [`rsp::server::Server`] and
//!   [`rsp::client::Client`].
//! * [`session`]: messages that arrive once whatever happens to connections, authenticated and sealed.
//! * [`mux`]: channels within a session, each a byte stream with a credit of its own.
//! * [`serial`]: reliable channels on a serial line that is not.
//! * [`control`]: what a process server does beside debugging, on channel 0.
//! * [`limits`]: every limit that a peer can run into.
//! * [`ids`]: process and thread ids.
//!
//! # A complete server
//!
//! Its target is eight bytes of memory, and ends as soon as it is let go. What a real server adds is the engine behind
//! `answer`, and that it waits for the target and for the client at the same time.
//!
//! ```
//! use dbgsrv_protocol::ids::Pid;
//! use dbgsrv_protocol::rsp::request::Request;
//! use dbgsrv_protocol::rsp::server::{Config, Exchange, Server};
//! use dbgsrv_protocol::rsp::stop::Event;
//! use dbgsrv_protocol::rsp::{memory, resume};
//! use std::io::{self, Read, Write};
//!
//! const MEMORY: [u8; 8] = *b"8 bytes.";
//!
//! /// Answers one request. What the target does in consequence is returned.
//! fn answer(Exchange { request, reply, .. }: Exchange<'_>) -> Option<Event<'static>> {
//!     match request {
//!         Request::Memory(memory::Request::Read { address, length, .. }) => match MEMORY.get(address as usize..) {
//!             Some(rest) => reply.memory(&rest[..rest.len().min(length as usize)]),
//!             None => reply.error(14, "no memory is mapped there"),
//!         },
//!         Request::Resume(resume::Request::Resume { .. }) => {
//!             reply.defer();
//!             return Pid::new(1).map(|pid| Event::Exited { pid, status: 0 });
//!         }
//!         _ => reply.unsupported(),
//!     }
//!     None
//! }
//!
//! /// Serves a client until it closes the connection.
//! fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
//!     let mut server = Server::new(Config::default());
//!     loop {
//!         while let Some(exchange) = server.poll_request() {
//!             if let Some(event) = answer(exchange) {
//!                 server.handle_event(&event);
//!             }
//!             send(&mut server, output)?;
//!         }
//!         // Acknowledgements, and what the machine answers by itself.
//!         send(&mut server, output)?;
//!         if let Some(violation) = server.violation() {
//!             return Err(io::Error::other(violation));
//!         }
//!         match input.read(server.receive_buffer())? {
//!             0 => return Ok(()),
//!             count => server.received(count),
//!         }
//!     }
//! }
//!
//! fn send(server: &mut Server, output: &mut impl Write) -> io::Result<()> {
//!     while !server.transmit().is_empty() {
//!         let count = output.write(server.transmit())?;
//!         server.transmitted(count);
//!     }
//!     Ok(())
//! }
//!
//! let mut conversation = Vec::new();
//! serve(&mut &b"$m2,5#00+$vCont;c#a8"[..], &mut conversation)?;
//! assert_eq!(conversation, b"+$6279746573#18+$W00#b7");
//! # Ok::<(), io::Error>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod control;
pub mod ids;
pub mod limits;
pub mod mux;
pub mod options;
pub mod rsp;
pub mod serial;
pub mod session;
