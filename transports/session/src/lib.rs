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
mod link;
mod random;

pub use accept::{AcceptError, Accepted, Sessions, accept};
pub use channel::{Channel, Incoming, OpenError};
pub use connect::{ConnectError, Dial, connect};
pub use link::{Closed, Link};
pub use random::SystemRandom;
