//! The process server behind the `dbgsrv` command.
//!
//! [`app`] is all of it, [`process_server`] the same inside another program; [`engine`] is what runs programs, and is of use
//! by itself. Nothing here reads or writes a packet,
//! which is `dbgsrv_protocol`'s, nor opens a port, which is `dbgsrv_transports`'. There is no debugger here either: symbols,
//! expressions and source lines are the client's.
//!
//! ```text
//!                    the front: one thread, async              a worker: one process, one thread
//!
//!  client ──▶ listener ─▶ connection ───▶ debug_session ────▶ worker::run ──▶ rsp::server
//!    ▲                     │ │   │             ▲                   │              │
//!    │          undecided ─┘ │   ▼             │                   └──────────▶ engine ──▶ programs
//!    │         policy, sniff ┘  link ──▶ channels ◀── socketpair ──┐
//!    │                           │                                 │
//!    │          guesses, control ┘                                 │
//!    └─────────── the same socket, handed over ────────────▶ worker::run
//! ```
//!
//! # One debuggee's life
//!
//! The engine's half of a worker's loop; the other half is the example of `dbgsrv_protocol`.
//!
//! ```
//! use dbgsrv::engine::{Engine, Report, Wait, journal};
//! use dbgsrv_protocol::rsp::resume::Actions;
//! use nix::sys::memfd::{MFdFlags, memfd_create};
//! use nix::unistd::ftruncate;
//!
//! let shared = memfd_create("journal", MFdFlags::MFD_CLOEXEC)?;
//! ftruncate(&shared, journal::SIZE as i64)?;
//! let mut engine = Engine::new(journal::Journal::map(&shared)?)?;
//!
//! let thread = engine.launch(b"/bin/true", &[])?;
//! let everybody_continues = Actions::parse(b"c").ok_or("no action")?;
//! engine.resume(everybody_continues, None)?;
//! loop {
//!     match engine.wait() {
//!         Wait::Report(Report::Exited { pid, status }) => {
//!             assert_eq!((pid, status), (thread.pid, 0));
//!             break;
//!         }
//!         // A signal, a breakpoint, …: here the client is told, and says how to go on.
//!         Wait::Report(_) => engine.resume(everybody_continues, None)?,
//!         // What a `dprintf` prints goes to the client too.
//!         Wait::Output(_) => {}
//!         Wait::Idle => break,
//!         // Something has come for the worker, such as input or SIGTERM.
//!         Wait::Interrupted => break,
//!     }
//! }
//! // What is left is let go as the rules say: what was attached to goes on, the rest ends.
//! engine.end();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activation;
pub mod app;
mod call;
mod channels;
pub mod cli;
mod connection;
mod control;
mod debug_session;
mod discovery;
mod door;
pub mod engine;
pub mod exit;
pub mod gdbserver;
mod guesses;
mod handshake;
mod implicit;
mod limits;
mod link;
mod links;
mod listener;
pub mod lldb_server;
mod policy;
pub mod process_server;
mod pump;
mod refusal;
mod registry;
mod scrub;
mod server;
mod serving;
mod sniff;
mod source;
pub mod telemetry;
#[cfg(test)]
mod testing;
mod undecided;
pub mod worker;
