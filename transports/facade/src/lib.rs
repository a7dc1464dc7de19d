//! Turns a parsed connection string into a listener or a stream, whatever the transport.
//!
//! Three steps that fail differently: [`Endpoint::new`] checks that this build can do what is asked for, and touches
//! nothing; [`Endpoint::bind`] takes the port; [`Listener::accept`] waits for clients and never fails for good.
#![forbid(unsafe_code)]

mod endpoint;
mod listener;
mod stream;

pub use endpoint::{Endpoint, Unavailable};
pub use listener::{BindError, Listener};
pub use stream::{Peer, Stream};
