//! Binds `dbgsrv_protocol`'s session and mux to tokio: any byte stream becomes a [`Link`] with [`Channel`]s.
//!
//! ```text
//! stream ─ connect/accept ─▶ Link ─ open ─▶ Channel: AsyncRead + AsyncWrite
//!                             │ └── control ─▶ Channel 0
//!                             └ a task: reads, writes, keeps alive, comes back after a cut
//! ```
#![forbid(unsafe_code)]

mod accept;
mod channel;
mod connect;
mod driver;
mod incoming;
mod limits;
mod link;
mod random;
mod sessions;
mod shake;
mod shared;
mod slots;
mod timer;
mod wire;

pub use accept::{AcceptError, Accepted, accept};
pub use channel::{Channel, OpenError};
pub use connect::{ConnectError, Dial, connect};
pub use incoming::Incoming;
pub use limits::HANDSHAKE_LIMIT;
pub use link::{Closed, Link};
pub use random::SystemRandom;
pub use sessions::Sessions;
