//! Named pipes for dbgsrv. On Linux a pipe is a Unix-domain socket, whose file has the pipe's name.
//!
//! No protocol logic and no policy, but for one thing: who may open a pipe is the mode of its file, which the kernel
//! checks, and so is set here.
//!
//! ```text
//! Listener::bind ── the directory of pipes ─ lock ─ is the name free? ─ bind, mode, listen ──▶ accept ──▶ UnixStream, Peer
//!        connect ── this user's pipes, then the machine's ──────────────────────────────────────────────▶ UnixStream
//! connect_remote ── ssh, and a relay that connects there ──────────────────────────────────────────────▶ UnixStream
//! ```
//!
//! Where the pipes are, the crate `dbgsrv-local` says: in the folder `pipes` of the machine's directory or a user's.
#![forbid(unsafe_code)]

mod access;
mod claim;
mod connect;
mod error;
mod listen;
mod peek;
mod peer;
mod remote;

pub use connect::connect;
pub use error::BindError;
pub use listen::{Listener, is_named};
pub use peek::peek;
pub use peer::Peer;
pub use remote::{REMOTE_PIPE_GREETING, connect_remote};
