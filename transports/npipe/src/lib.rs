//! Named pipes for dbgsrv. On Linux a pipe is a Unix-domain socket, whose file has the pipe's name.
//!
//! No protocol logic and no policy, but for one thing: who may open a pipe is the mode of its file, which the kernel
//! checks, and so is set here.
//!
//! ```text
//! Listener::bind ── the directory of pipes ─ lock ─ is the name free? ─ bind, mode, listen ──▶ accept ──▶ UnixStream, Peer
//!        connect ── this user's pipes, then the machine's ──────────────────────────────────────────────▶ UnixStream
//! ```
//!
//! | pipes of | are in |
//! |---|---|
//! | the machine | `/run/dbgsrv/pipes/`: those of root, and of a user whom root gave `/run/dbgsrv` |
//! | a user | `$XDG_RUNTIME_DIR/dbgsrv/pipes/`; without the variable `/run/user/UID/dbgsrv/pipes/`, without that `/tmp/dbgsrv-UID/pipes/` |
//!
//! A directory belongs to one user, and only that user can write there; so whoever looks a name up there finds that user's
//! server and no other.
#![forbid(unsafe_code)]

mod access;
mod claim;
mod connect;
mod directory;
mod error;
mod host;
mod listen;
mod peek;
mod peer;

pub use connect::connect;
pub use error::BindError;
pub use host::is_this_machine;
pub use listen::Listener;
pub use peek::peek;
pub use peer::Peer;
